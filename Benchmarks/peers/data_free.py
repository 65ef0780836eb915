#!/usr/bin/env python3
"""Distillation without data (NAYER, arXiv 2310.00258) in plain PyTorch: the loop that ours is measured against.

    python3 Benchmarks/peers/data_free.py optdigits --data optdigits.csv        (scripts/optdigits --pixels)
    python3 Benchmarks/peers/data_free.py fashion --data FOLDER                 (the four IDX files)

Written by us after the procedure of the official code (none of it is here): generator and noisy layer, losses,
schedule, and by default also what costs time there, as a user would run it: teacher and student keep asking for
gradients while the generator learns, the hooks on batch norms fire in the student's phase too, the student goes to
training mode after the first batch of an epoch, and the pool is a folder of PNG files that is listed and loaded
anew after every batch (with as many workers as --workers). With --same-numerics all of that is left out: frozen
networks, the student evaluated in the generator's phase, hooks only where they are used, the pool as bytes in
memory.

A WideResNet-10-1 of base width 16 is trained on the real data first (or read with --teacher, a safetensors file
under the usual names, with --mean and --std); the student has base width 8. Printed are accuracy on real test
images against seconds since the teacher was ready, and at the end one line of JSON with the seconds per step; those
of the processor leave out the workers, and mean something on a busy machine as well.
Needs torch, numpy, safetensors, and Pillow for the folder of PNG files.
"""
import argparse
import copy
import gzip
import json
import math
import pathlib
import tempfile
import time

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from safetensors.torch import load_file
from torch.utils.data import DataLoader, Dataset

TABLES = pathlib.Path(__file__).resolve().parents[2] / "Sources/LabelText/Resources/tables"
FASHION = ["T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"]
PRESETS = {
    "optdigits": dict(
        classes=[str(i) for i in range(10)], table="digits", padding=1, flip=False, ngf=16, r=128, batch=100,
        warmup=2, gwp_loops=10, epochs=22, g_loops=2, g_steps=30, kd_steps=100, kd_batch=128, lr=0.1),
    "fashion": dict(
        classes=FASHION, table="fashion-mnist", padding=2, flip=True, ngf=24, r=128, batch=100,
        warmup=2, gwp_loops=10, epochs=42, g_loops=2, g_steps=30, kd_steps=200, kd_batch=128, lr=0.1),
}
LIFE, LR_G, MOMENTUM, TEMPERATURE = 10, 4e-3, 0.9, 20
BN, OH, ADV = 10, 0.5, 1.33


# Networks

class Block(nn.Module):
    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.bn1 = nn.BatchNorm2d(inputs)
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.convShortcut = None if inputs == outputs else nn.Conv2d(inputs, outputs, 1, stride, bias=False)

    def forward(self, x):
        entry = F.relu(self.bn1(x))
        y = self.conv2(F.relu(self.bn2(self.conv1(entry))))
        return y + (x if self.convShortcut is None else self.convShortcut(entry))


class Stage(nn.Module):
    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.layer = nn.Sequential(Block(inputs, outputs, stride))

    def forward(self, x):
        return self.layer(x)


class WideResNet(nn.Module):
    """WRN-10-1 with base width `width`."""

    def __init__(self, channels, classes, width):
        super().__init__()
        self.conv1 = nn.Conv2d(channels, width, 3, 1, 1, bias=False)
        self.block1 = Stage(width, width, 1)
        self.block2 = Stage(width, 2 * width, 2)
        self.block3 = Stage(2 * width, 4 * width, 2)
        self.bn1 = nn.BatchNorm2d(4 * width)
        self.fc = nn.Linear(4 * width, classes)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                fan = module.kernel_size[0] * module.kernel_size[1] * module.out_channels
                nn.init.normal_(module.weight, 0, math.sqrt(2 / fan))
        nn.init.zeros_(self.fc.bias)

    def forward(self, x):
        x = self.block3(self.block2(self.block1(self.conv1(x))))
        return self.fc(F.relu(self.bn1(x)).mean((2, 3)))


class Generator(nn.Module):
    def __init__(self, embeddings, side, channels, batch, ngf, r):
        super().__init__()
        self.embeddings = embeddings
        classes, dimension = embeddings.shape
        self.classes, self.start, self.ngf = classes, side // 4, ngf
        self.norm = nn.BatchNorm1d(dimension)
        self.noisy = nn.ModuleList(nn.Linear(dimension, r) for _ in range(math.ceil(batch / classes)))
        self.project = nn.Linear(r, 2 * ngf * self.start ** 2)
        self.body = nn.Sequential(
            nn.BatchNorm2d(2 * ngf), nn.Upsample(scale_factor=2),
            nn.Conv2d(2 * ngf, 2 * ngf, 3, 1, 1, bias=False), nn.BatchNorm2d(2 * ngf), nn.LeakyReLU(0.2),
            nn.Upsample(scale_factor=2),
            nn.Conv2d(2 * ngf, ngf, 3, 1, 1, bias=False), nn.BatchNorm2d(ngf), nn.LeakyReLU(0.2),
            nn.Conv2d(ngf, channels, 3, 1, 1), nn.Sigmoid())

    def redraw(self):
        for layer in self.noisy:
            nn.init.normal_(layer.weight)
            nn.init.zeros_(layer.bias)

    def forward(self, labels):
        n = self.norm(self.embeddings[labels])
        parts = [layer(n[i * self.classes:(i + 1) * self.classes]) for i, layer in enumerate(self.noisy)]
        h = self.project(torch.cat(parts))
        return self.body(h.view(-1, 2 * self.ngf, self.start, self.start))


# Data

def idx(path):
    for candidate in (path, path.with_name(path.name + ".gz")):
        if candidate.exists():
            data = candidate.read_bytes()
            data = gzip.decompress(data) if candidate.suffix == ".gz" else data
            rank = data[3]
            shape = np.frombuffer(data, ">u4", rank, 4)
            return torch.from_numpy(np.frombuffer(data, np.uint8, offset=4 + 4 * rank).reshape(shape).copy())
    raise SystemExit(f"no file {path}")


def real_data(options):
    path = pathlib.Path(options.data)
    if options.set == "fashion":
        parts = []
        for name in ("train", "t10k"):
            images = idx(path / f"{name}-images-idx3-ubyte").unsqueeze(1).float() / 255
            parts += [images, idx(path / f"{name}-labels-idx1-ubyte").long()]
        return parts
    table = np.loadtxt(path, delimiter=",", skiprows=1)
    order = np.random.default_rng(options.split).permutation(len(table))
    table = table[order]
    images = torch.tensor(table[:, :-1], dtype=torch.float32).view(-1, 1, 8, 8) / 255
    labels = torch.tensor(table[:, -1], dtype=torch.int64)
    cut = len(table) * 4 // 5
    return images[:cut], labels[:cut], images[cut:], labels[cut:]


class Augment:
    """Crop after zero padding, flip, normalise: per sample, differentiable."""

    def __init__(self, mean, std, padding, flip):
        self.mean, self.std, self.padding, self.flip = mean, std, padding, flip

    def __call__(self, x):
        b, c, h, w = x.shape
        p = self.padding
        x = F.pad(x, (p, p, p, p))
        rows = torch.randint(0, 2 * p + 1, (b, 1)) + torch.arange(h)
        columns = torch.randint(0, 2 * p + 1, (b, 1)) + torch.arange(w)
        if self.flip:
            columns = torch.where(torch.rand(b, 1) < 0.5, columns.flip(1), columns)
        x = x[torch.arange(b)[:, None, None], :, rows[:, :, None], columns[:, None, :]].permute(0, 3, 1, 2)
        return (x - self.mean) / self.std

    def plain(self, x):
        return (x - self.mean) / self.std


@torch.no_grad()
def accuracy(model, augment, images, labels):
    model.eval()
    hits = sum((model(augment.plain(x)).argmax(1) == y).sum().item()
               for x, y in zip(images.split(500), labels.split(500)))
    return hits / len(labels)


def train_teacher(options, augment, images, labels, classes):
    model = WideResNet(images.shape[1], classes, 16)
    epochs, batch = options.teacher_epochs, 128
    steps = epochs * math.ceil(len(images) / batch)
    optimizer = torch.optim.SGD(model.parameters(), 0.1, 0.9, weight_decay=5e-4, nesterov=True)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    for _ in range(epochs):
        model.train()
        for part in torch.randperm(len(images)).split(batch):
            optimizer.zero_grad()
            F.cross_entropy(model(augment(images[part])), labels[part]).backward()
            optimizer.step()
            schedule.step()
    return model


# Pools

class Files(Dataset):
    """A folder of PNG files, listed when it is made."""

    def __init__(self, folder):
        self.files = sorted(folder.glob("*.png"))

    def __len__(self):
        return len(self.files)

    def __getitem__(self, i):
        from PIL import Image
        image = np.asarray(Image.open(self.files[i]))
        image = image[None] if image.ndim == 2 else image.transpose(2, 0, 1)
        return torch.from_numpy(image.copy()).float() / 255


class FolderPool:
    def __init__(self, options):
        self.home = tempfile.TemporaryDirectory()
        self.folder = pathlib.Path(self.home.name)
        self.options, self.count = options, 0

    def add(self, images):
        from PIL import Image
        for image in (images.clamp(0, 1) * 255).to(torch.uint8).permute(0, 2, 3, 1).numpy():
            Image.fromarray(image.squeeze(-1) if image.shape[-1] == 1 else image).save(self.folder / f"{self.count:07}.png")
            self.count += 1
        # Made anew after every batch, although only the last is read from.
        self.batches = self.endless(DataLoader(
            Files(self.folder), self.options.kd_batch, shuffle=True, num_workers=self.options.workers))

    @staticmethod
    def endless(loader):
        while True:
            yield from loader

    def next(self):
        return next(self.batches)


class BytePool:
    def __init__(self, options):
        self.batch, self.images, self.order = options.kd_batch, None, []

    def add(self, images):
        images = (images.clamp(0, 1) * 255).to(torch.uint8)
        self.images = images if self.images is None else torch.cat([self.images, images])
        self.order = []

    def next(self):
        if not self.order:
            self.order = list(torch.randperm(len(self.images)).split(self.batch))
        return self.images[self.order.pop()].float() / 255


# The loop

class Hooks:
    """Batch mean and biased variance of every batch norm's input, and their running means over batches."""

    def __init__(self, model, always):
        self.norms = [m for m in model.modules() if isinstance(m, nn.BatchNorm2d)]
        self.now, self.past = [None] * len(self.norms), None
        self.enabled, self.always = False, always
        for i, norm in enumerate(self.norms):
            norm.register_forward_hook(lambda module, inputs, _, i=i: self.see(i, inputs[0]))

    def see(self, i, x):
        if self.enabled or self.always:
            self.now[i] = (x.mean((0, 2, 3)), x.var((0, 2, 3), unbiased=False))

    def loss(self):
        total = 0
        for i, norm in enumerate(self.norms):
            mean, variance = self.now[i]
            if self.past is not None:
                mean = (1 - MOMENTUM) * mean + MOMENTUM * self.past[i][0]
                variance = (1 - MOMENTUM) * variance + MOMENTUM * self.past[i][1]
            total = total + (norm.running_var - variance).norm() + (norm.running_mean - mean).norm()
        return total

    def update(self):
        now = [(m.detach(), v.detach()) for m, v in self.now]
        if self.past is None:
            self.past = now
        else:
            self.past = [tuple(MOMENTUM * p + (1 - MOMENTUM) * n for p, n in zip(*pair))
                         for pair in zip(self.past, now)]


def synthesise(generator, teacher, student, hooks, augment, options, adversarial):
    """One batch: the images of the best step."""
    generator.redraw()
    classes = generator.classes
    labels = torch.cat([torch.arange(classes).repeat(options.batch // classes),
                        torch.randint(0, classes, (options.batch % classes,))])
    optimizer = torch.optim.Adam(generator.parameters(), LR_G, betas=(0.5, 0.999))
    best, kept = math.inf, None
    hooks.enabled = True
    for _ in range(options.g_steps):
        images = generator(labels)
        seen = augment(images)
        t = teacher(seen)
        loss = BN * hooks.loss() + OH * F.cross_entropy(t, labels)
        if adversarial:
            s = student(seen)
            mask = (s.argmax(1) == t.argmax(1)).float()
            kl = F.kl_div(F.log_softmax(s, 1), F.softmax(t, 1), reduction="none").sum(1)
            loss = loss - ADV * (kl * mask).mean()
        if loss.item() < best:
            best, kept = loss.item(), images.detach()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    hooks.enabled = False
    hooks.update()
    return kept


def run(options):
    torch.manual_seed(options.seed)
    torch.set_num_threads(options.threads)
    images, labels, test_images, test_labels = real_data(options)
    classes = len(options.classes)
    mean = images.mean((0, 2, 3), keepdim=True) if options.mean is None else torch.tensor(options.mean)
    std = images.std((0, 2, 3), keepdim=True) if options.std is None else torch.tensor(options.std)
    augment = Augment(mean, std, options.padding, options.flip)
    if options.teacher:
        teacher = WideResNet(images.shape[1], classes, 16)
        missing, unexpected = teacher.load_state_dict(load_file(options.teacher), strict=False)
        if unexpected or not all(name.endswith("num_batches_tracked") for name in missing):
            raise SystemExit(f"{options.teacher}: missing {missing}, unexpected {unexpected}")
    else:
        teacher = train_teacher(options, augment, images, labels, classes)
    teacher_accuracy = accuracy(teacher, augment, test_images, test_labels)
    print(f"teacher {100 * teacher_accuracy:.2f} %", flush=True)

    table = load_file(options.embeddings or TABLES / f"{options.table}.safetensors")
    embeddings = torch.stack([table[name].float() for name in options.classes])
    student = WideResNet(images.shape[1], classes, 8)
    teacher.eval()
    if options.same_numerics:
        teacher.requires_grad_(False)
    hooks = Hooks(teacher, always=not options.same_numerics)
    optimizer = torch.optim.SGD(student.parameters(), options.lr, 0.9, weight_decay=1e-4)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, options.epochs - options.warmup, 2e-4)
    pool = (BytePool if options.same_numerics else FolderPool)(options)
    start = time.perf_counter()
    seconds, processor, steps = ({"generator": 0.0, "student": 0.0} for _ in range(3))
    curve = []
    for epoch in range(options.epochs):
        begun, used = time.perf_counter(), time.process_time()
        student.eval()
        if options.same_numerics:
            student.requires_grad_(False)
        if epoch % LIFE == 0 or (epoch - options.warmup) % LIFE == 0:
            generator = Generator(
                embeddings, images.shape[2], images.shape[1], options.batch, options.ngf, options.r)
        loops = options.gwp_loops if epoch < options.warmup else options.g_loops
        for _ in range(loops):
            pool.add(synthesise(generator, teacher, student, hooks, augment, options, epoch >= options.warmup))
            steps["generator"] += options.g_steps
            if not options.same_numerics:
                student.train()
        seconds["generator"] += time.perf_counter() - begun
        processor["generator"] += time.process_time() - used
        if epoch < options.warmup:
            continue
        begun, used = time.perf_counter(), time.process_time()
        student.train().requires_grad_(True)
        for _ in range(options.kd_steps):
            x = augment(pool.next())
            with torch.no_grad():
                t = teacher(x)
            loss = TEMPERATURE ** 2 * F.kl_div(
                F.log_softmax(student(x) / TEMPERATURE, 1), F.softmax(t / TEMPERATURE, 1), reduction="batchmean")
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        schedule.step()
        steps["student"] += options.kd_steps
        seconds["student"] += time.perf_counter() - begun
        processor["student"] += time.process_time() - used
        curve.append((time.perf_counter() - start, accuracy(student, augment, test_images, test_labels)))
        print(f"epoch {epoch + 1}: {curve[-1][0]:.1f} s, student {100 * curve[-1][1]:.2f} %", flush=True)
    print(json.dumps({
        "set": options.set, "seed": options.seed, "threads": options.threads,
        "same_numerics": options.same_numerics, "teacher": teacher_accuracy, "student": curve[-1][1],
        "seconds": round(sum(seconds.values()), 1),
        **{f"{name}_per_{phase}_step": round(spent[phase] / steps[phase], 5)
           for name, spent in (("seconds", seconds), ("processor_seconds", processor)) for phase in steps},
        "curve": [[round(s, 1), round(a, 4)] for s, a in curve]}))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("set", choices=PRESETS)
    parser.add_argument("--data", required=True)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--split", type=int, default=0, help="seed of the held-out fifth of optdigits")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--workers", type=int, default=4, help="loading the folder of PNG files")
    parser.add_argument("--same-numerics", action="store_true")
    parser.add_argument("--teacher", help="safetensors file of a WRN-10-1")
    parser.add_argument("--teacher-epochs", type=int, default=15)
    parser.add_argument("--mean", type=float)
    parser.add_argument("--std", type=float)
    parser.add_argument("--embeddings", help="safetensors file with a vector per class name")
    numbers = ("epochs", "warmup", "gwp_loops", "g_loops", "g_steps", "kd_steps", "kd_batch", "batch", "ngf", "r", "padding")
    for name in numbers:
        parser.add_argument("--" + name.replace("_", "-"), type=int)
    options = parser.parse_args()
    for key, value in copy.deepcopy(PRESETS[options.set]).items():
        if getattr(options, key, None) is None:
            setattr(options, key, value)
    run(options)


if __name__ == "__main__":
    main()
