"""One training step in plain PyTorch: forward, cross-entropy, backward, SGD.

    python step.py --model resnet20 --precision fp32 --layout nchw --steps 50 --threads 2
    python step.py --serve --threads 2

The first form prints one JSON line and ends. The second reads one request per line from standard
input and answers each with one JSON line, so that a driver can alternate this program with another
without paying the start-up every time; an empty line or the end of the input ends it.
A request is a JSON object with the keys model, precision, layout, steps and (optional) warmup:

    {"model": "lenet5", "precision": "bf16", "layout": "nhwc", "steps": 100, "warmup": 3}

An answer repeats the request and adds batch, threads, engine (the version of the library), seconds,
images_per_second and loss, or is {"error": ...}. Networks stay in memory between requests.

The step is the same for every program that speaks this protocol: one fixed random batch of 128
(28x28x1 for LeNet-5, otherwise 32x32x3; 10 classes), train mode, mean cross-entropy, SGD with
learning rate .01, Nesterov momentum .9, weight decay 5e-4. This program reads the loss once, at the end; Limbeck's, every step.
"""

import argparse
import json
import math
import sys
import time

import torch
import torch.nn as nn
import torch.nn.functional as F

BATCH = 128


class LeNet5(nn.Module):
    def __init__(self, classes=10):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 6, 5, padding=2)
        self.conv2 = nn.Conv2d(6, 16, 5)
        self.fc1 = nn.Linear(400, 120)
        self.fc2 = nn.Linear(120, 84)
        self.fc3 = nn.Linear(84, classes)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.conv1(x)), 2)
        x = F.max_pool2d(F.relu(self.conv2(x)), 2)
        x = torch.flatten(x, 1)
        x = F.relu(self.fc1(x))
        return self.fc3(F.relu(self.fc2(x)))


class BasicBlock(nn.Module):
    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride=stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.downsample = None
        if stride != 1 or inputs != outputs:
            self.downsample = nn.Sequential(
                nn.Conv2d(inputs, outputs, 1, stride=stride, bias=False),
                nn.BatchNorm2d(outputs),
            )

    def forward(self, x):
        y = F.relu(self.bn1(self.conv1(x)))
        y = self.bn2(self.conv2(y))
        shortcut = x if self.downsample is None else self.downsample(x)
        return F.relu(y + shortcut)


def chain(block, count, inputs, outputs, stride):
    """Blocks of one width; the first changes width and resolution."""
    rest = [block(outputs, outputs, 1) for _ in range(count - 1)]
    return nn.Sequential(block(inputs, outputs, stride), *rest)


class ResNet(nn.Module):
    """CIFAR family: depth = 6n + 2, widths 16, 32, 64."""

    def __init__(self, depth=20, classes=10):
        super().__init__()
        n = (depth - 2) // 6
        self.conv1 = nn.Conv2d(3, 16, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(16)
        self.layer1 = chain(BasicBlock, n, 16, 16, stride=1)
        self.layer2 = chain(BasicBlock, n, 16, 32, stride=2)
        self.layer3 = chain(BasicBlock, n, 32, 64, stride=2)
        self.fc = nn.Linear(64, classes)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")

    def forward(self, x):
        x = F.relu(self.bn1(self.conv1(x)))
        x = self.layer3(self.layer2(self.layer1(x)))
        return self.fc(x.mean(dim=(2, 3)))


class WideBlock(nn.Module):
    """Pre-activation block; where the width changes, the shortcut starts after bn1 and ReLU."""

    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.bn1 = nn.BatchNorm2d(inputs)
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride=stride, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, padding=1, bias=False)
        self.convShortcut = None
        if inputs != outputs:
            self.convShortcut = nn.Conv2d(inputs, outputs, 1, stride=stride, bias=False)

    def forward(self, x):
        activated = F.relu(self.bn1(x))
        y = self.conv2(F.relu(self.bn2(self.conv1(activated))))
        return y + (x if self.convShortcut is None else self.convShortcut(activated))


class WideGroup(nn.Module):
    def __init__(self, blocks, inputs, outputs, stride):
        super().__init__()
        self.layer = chain(WideBlock, blocks, inputs, outputs, stride)

    def forward(self, x):
        return self.layer(x)


class WideResNet(nn.Module):
    def __init__(self, depth=16, widen=2, classes=10):
        super().__init__()
        n = (depth - 4) // 6
        self.conv1 = nn.Conv2d(3, 16, 3, padding=1, bias=False)
        self.block1 = WideGroup(n, 16, 16 * widen, 1)
        self.block2 = WideGroup(n, 16 * widen, 32 * widen, 2)
        self.block3 = WideGroup(n, 32 * widen, 64 * widen, 2)
        self.bn1 = nn.BatchNorm2d(64 * widen)
        self.fc = nn.Linear(64 * widen, classes)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")

    def forward(self, x):
        x = self.block3(self.block2(self.block1(self.conv1(x))))
        return self.fc(F.relu(self.bn1(x)).mean(dim=(2, 3)))


MODELS = {
    "lenet5": (LeNet5, (1, 28, 28)),
    "resnet20": (ResNet, (3, 32, 32)),
    "wrn-16-2": (WideResNet, (3, 32, 32)),
}


class Trainer:
    """A network, its optimizer and one fixed batch."""

    def __init__(self, model, precision, layout):
        build, shape = MODELS[model]
        memory_format = torch.channels_last if layout == "nhwc" else torch.contiguous_format
        torch.manual_seed(0)
        self.net = build().to(memory_format=memory_format).train()
        self.optimizer = torch.optim.SGD(
            self.net.parameters(), lr=0.01, momentum=0.9, weight_decay=5e-4, nesterov=True
        )
        self.x = torch.randn(BATCH, *shape).contiguous(memory_format=memory_format)
        self.y = torch.randint(0, 10, (BATCH,))
        self.bf16 = precision == "bf16"

    def step(self):
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=self.bf16):
            loss = F.cross_entropy(self.net(self.x), self.y)
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()
        return loss


trainers = {}


def measure(model, precision, layout, steps, warmup):
    if model not in MODELS:
        raise ValueError(f"unknown model {model!r}, known: {', '.join(MODELS)}")
    if precision not in ("fp32", "bf16") or layout not in ("nchw", "nhwc"):
        raise ValueError("precision is fp32 or bf16, layout is nchw or nhwc")
    if steps < 1 or warmup < 0:
        raise ValueError("steps is at least 1, warmup at least 0")
    key = (model, precision, layout)
    if key not in trainers:
        trainers[key] = Trainer(*key)
    trainer = trainers[key]
    for _ in range(warmup):
        trainer.step()
    started = time.perf_counter()
    for _ in range(steps):
        loss = trainer.step()
    seconds = time.perf_counter() - started
    loss = loss.item()
    return {
        "model": model,
        "precision": precision,
        "layout": layout,
        "steps": steps,
        "warmup": warmup,
        "batch": BATCH,
        "threads": torch.get_num_threads(),
        "engine": torch.__version__.partition("+")[0],
        "seconds": seconds,
        "images_per_second": steps * BATCH / seconds,
        "loss": loss if math.isfinite(loss) else None,
    }


def serve():
    for line in sys.stdin:
        if not line.strip():
            break
        try:
            request = json.loads(line)
            answer = measure(
                request["model"],
                request["precision"],
                request["layout"],
                request["steps"],
                request.get("warmup", 3),
            )
        except KeyError as missing:
            answer = {"error": f"the request lacks {missing}"}
        except (ValueError, TypeError, AttributeError) as problem:
            answer = {"error": str(problem)}
        print(json.dumps(answer), flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--model", choices=list(MODELS), default="lenet5")
    parser.add_argument("--precision", choices=["fp32", "bf16"], default="fp32")
    parser.add_argument("--layout", choices=["nchw", "nhwc"], default="nchw")
    parser.add_argument("--steps", type=int, default=50)
    parser.add_argument("--warmup", type=int, default=3, help="steps before the clock starts")
    parser.add_argument("--threads", type=int, default=0, help="0: PyTorch's own choice")
    parser.add_argument("--serve", action="store_true", help="answer requests from standard input")
    options = parser.parse_args()
    if options.threads:
        torch.set_num_threads(options.threads)
    if options.serve:
        serve()
        return
    try:
        answer = measure(
            options.model, options.precision, options.layout, options.steps, options.warmup
        )
    except ValueError as problem:
        parser.error(str(problem))
    print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
