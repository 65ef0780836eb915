"""ResNet-20 on Fashion-MNIST, clean labels, in plain PyTorch.

The same recipe as Limbeck's documented one, written the way people write PyTorch:
60,000 training and 10,000 test images, SGD with Nesterov momentum .9 and weight decay 5e-4,
batch 128, one epoch of linear warm-up and then a cosine to zero, random crop (padding 2) and
horizontal flip, inputs normalised by the training set's mean and standard deviation.

    python fashion_mnist_resnet20.py --data DIR [--seed 0] [--bf16] [--channels-last]

DIR holds the four IDX files of Fashion-MNIST, compressed (.gz) or not.
Prints one line per epoch and, last, one JSON line.
"""

import argparse
import gzip
import json
import math
import pathlib
import time

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F


# Data ---------------------------------------------------------------------------------------


def read_idx(folder, name):
    """An IDX file of unsigned bytes as an array."""
    path = pathlib.Path(folder) / name
    if path.exists():
        raw = path.read_bytes()
    else:
        raw = gzip.decompress(path.with_name(name + ".gz").read_bytes())
    zero, kind, rank = int.from_bytes(raw[:2], "big"), raw[2], raw[3]
    if zero != 0 or kind != 0x08:
        raise SystemExit(f"{path}: not an IDX file of unsigned bytes")
    shape = [int.from_bytes(raw[4 + 4 * i : 8 + 4 * i], "big") for i in range(rank)]
    values = np.frombuffer(raw, dtype=np.uint8, offset=4 + 4 * rank)
    if values.size != math.prod(shape):
        raise SystemExit(f"{path}: {values.size} values, the header says {shape}")
    return torch.from_numpy(values.reshape(shape).copy())


def load(folder, part):
    prefix = {"train": "train", "test": "t10k"}[part]
    images = read_idx(folder, f"{prefix}-images-idx3-ubyte").unsqueeze(1)  # [N, 1, 28, 28]
    labels = read_idx(folder, f"{prefix}-labels-idx1-ubyte").long()  # [N]
    return images, labels


def augment(images, padding, generator):
    """Random crop after zero padding, then a horizontal flip of half of the images."""
    n, _, height, width = images.shape
    padded = F.pad(images, [padding] * 4)
    top = torch.randint(0, 2 * padding + 1, (n, 1, 1), generator=generator)
    left = torch.randint(0, 2 * padding + 1, (n, 1, 1), generator=generator)
    flip = torch.randint(0, 2, (n, 1, 1), generator=generator).bool()
    rows = top + torch.arange(height).view(1, -1, 1)
    columns = torch.arange(width).view(1, 1, -1)
    columns = left + torch.where(flip, width - 1 - columns, columns)
    return padded[torch.arange(n).view(-1, 1, 1), 0, rows, columns].unsqueeze(1)


# Network ------------------------------------------------------------------------------------


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


class ResNet(nn.Module):
    """The CIFAR family: depth = 6n + 2, widths 16, 32, 64."""

    def __init__(self, depth=20, channels=1, classes=10):
        super().__init__()
        blocks = (depth - 2) // 6
        self.conv1 = nn.Conv2d(channels, 16, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(16)
        self.layer1 = self.stage(16, 16, blocks, stride=1)
        self.layer2 = self.stage(16, 32, blocks, stride=2)
        self.layer3 = self.stage(32, 64, blocks, stride=2)
        self.fc = nn.Linear(64, classes)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")

    @staticmethod
    def stage(inputs, outputs, blocks, stride):
        first = BasicBlock(inputs, outputs, stride)
        return nn.Sequential(first, *[BasicBlock(outputs, outputs, 1) for _ in range(blocks - 1)])

    def forward(self, x):
        x = F.relu(self.bn1(self.conv1(x)))
        x = self.layer3(self.layer2(self.layer1(x)))
        return self.fc(x.mean(dim=(2, 3)))


# Training -----------------------------------------------------------------------------------


def learning_rate(step, steps_per_epoch, options):
    """Linear warm-up to the peak, then a cosine to zero at the last step."""
    warm = options.warmup * steps_per_epoch
    if step < warm:
        return options.lr * (step + 1) / warm
    total = options.epochs * steps_per_epoch
    return options.lr * 0.5 * (1 + math.cos(math.pi * (step - warm) / (total - warm)))


@torch.no_grad()
def accuracy(net, images, labels, prepare, autocast):
    net.eval()
    correct = 0
    for x, y in zip(images.split(500), labels.split(500)):
        with autocast():
            correct += (net(prepare(x)).argmax(1) == y).sum().item()
    return correct / len(labels)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--data", required=True, help="folder of the four IDX files")
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--lr", type=float, default=0.1, help="peak learning rate")
    parser.add_argument("--warmup", type=int, default=1, help="epochs of linear warm-up")
    parser.add_argument("--weight-decay", type=float, default=5e-4)
    parser.add_argument("--padding", type=int, default=2, help="of the random crop")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=0, help="0: PyTorch's own choice")
    parser.add_argument("--bf16", action="store_true", help="autocast to bfloat16")
    parser.add_argument("--channels-last", action="store_true")
    parser.add_argument("--limit", type=int, default=0, help="train on the first N images only")
    options = parser.parse_args()

    if options.threads:
        torch.set_num_threads(options.threads)
    torch.manual_seed(options.seed)
    draws = torch.Generator().manual_seed(options.seed)
    layout = torch.channels_last if options.channels_last else torch.contiguous_format

    def autocast():
        return torch.autocast("cpu", dtype=torch.bfloat16, enabled=options.bf16)

    images, labels = load(options.data, "train")
    test_images, test_labels = load(options.data, "test")
    if options.limit:
        images, labels = images[: options.limit], labels[: options.limit]
    pixels = images.float() / 255
    mean, std = pixels.mean(), pixels.std()
    del pixels

    def prepare(x):
        return ((x.float() / 255 - mean) / std).contiguous(memory_format=layout)

    net = ResNet(20).to(memory_format=layout)
    optimizer = torch.optim.SGD(
        net.parameters(),
        lr=options.lr,
        momentum=0.9,
        weight_decay=options.weight_decay,
        nesterov=True,
    )
    steps_per_epoch = math.ceil(len(images) / options.batch)

    step = 0
    started = time.perf_counter()
    for epoch in range(options.epochs):
        net.train()
        total_loss = 0.0
        epoch_started = time.perf_counter()
        for batch in torch.randperm(len(images), generator=draws).split(options.batch):
            for group in optimizer.param_groups:
                group["lr"] = learning_rate(step, steps_per_epoch, options)
            x, y = prepare(augment(images[batch], options.padding, draws)), labels[batch]
            with autocast():
                loss = F.cross_entropy(net(x), y)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total_loss += loss.item() * len(batch)
            step += 1
        seconds = time.perf_counter() - epoch_started
        test = accuracy(net, test_images, test_labels, prepare, autocast)
        print(
            f"epoch {epoch + 1:2d}/{options.epochs}  loss {total_loss / len(images):.4f}  "
            f"test {test:.4f}  {len(images) / seconds:.0f} images/s",
            flush=True,
        )

    result = {
        "seed": options.seed,
        "epochs": options.epochs,
        "lr": options.lr,
        "precision": "bf16" if options.bf16 else "fp32",
        "layout": "nhwc" if options.channels_last else "nchw",
        "threads": torch.get_num_threads(),
        "test_accuracy": test,
        "seconds": round(time.perf_counter() - started, 1),
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main()
