"""One meta step of adaptive loss mixing in plain PyTorch: the peer of limbeck-meta.

    python alm_meta_step.py --way double-backward --steps 5 --threads 2
    python alm_meta_step.py --way per-sample --memory
    python alm_meta_step.py --serve --threads 2

A meta step takes B training samples with their features, one teacher's logits, the last layer
(W, b) and V validation samples. It repeats R times: a virtual step of the last layer with the present
mixing weights λ, the validation loss there, its gradient in λ, a step of λ, a clamp to [0, 1].

  double-backward   autograd does it all: a recorded gradient step, then a gradient through it
  per-sample        the gradient of every sample and loss is written out, [B, C·D] each, as the
                    released code of the method does (from its description, none of its code)

The answer is one JSON line: seconds per step, or with --memory the bytes by which the process's
resident memory rose above what the inputs need, at its highest; the mean of λ; threads; engine.
Peak memory is the kernel's (VmHWM of /proc, set back just before the step): it sees PyTorch's own
allocator and the scratch memory of the matrix library, which Python's tracemalloc does not. A small
step comes first, so that what PyTorch allocates once per process does not count. Elsewhere than on
Linux bytes is null. With --serve, requests are read from standard input, one JSON object per line
with the keys classes, features, samples, validation and optionally repeats, steps, warmup, way.

Limbeck's step does a little more: it compares the virtual step's loss with the present one (the
guard) and keeps the label alignments.
"""

import argparse
import json
import sys
import time

import torch
import torch.nn.functional as F

RATE = 0.1
T = 4.0


def numbers(stream, *shape):
    """Pseudo-random numbers on [0, 1) with 24 bits, the same in both programs."""
    count = 1
    for extent in shape:
        count *= extent
    mask = 0xFFFFFFFF
    h = ((torch.arange(count) + stream * 1000003) & mask) * 2654435761 & mask
    h = h ^ (h >> 16)
    h = h * 2246822519 & mask
    h = h ^ (h >> 13)
    return ((h >> 8).float() / 2**24).reshape(shape)


class Problem:
    def __init__(self, classes, features, samples, validation):
        self.H = numbers(1, samples, features)
        self.HV = numbers(2, validation, features)
        self.W = (numbers(3, classes, features) - 0.5) * 0.2
        self.b = numbers(4, classes) - 0.5
        self.teacher = (numbers(5, samples, classes) - 0.5) * 10
        self.y = torch.arange(samples) * 7 % classes
        self.yv = torch.arange(validation) * 11 % classes

    def losses(self, z):
        ce = F.cross_entropy(z, self.y, reduction="none")
        target = F.softmax(self.teacher / T, 1)
        kd = F.kl_div(F.log_softmax(z / T, 1), target, reduction="none").sum(1) * T * T
        return ce, kd

    def double_backward(self, share):
        W = self.W.clone().requires_grad_()
        b = self.b.clone().requires_grad_()
        share = share.clone().requires_grad_()
        ce, kd = self.losses(F.linear(self.H, W, b))
        mix = ((1 - share) * ce + share * kd).mean()
        gW, gb = torch.autograd.grad(mix, (W, b), create_graph=True)
        loss = F.cross_entropy(F.linear(self.HV, W - RATE * gW, b - RATE * gb), self.yv)
        return torch.autograd.grad(loss, share)[0]

    def per_sample(self, share):
        B = len(self.H)
        z = F.linear(self.H, self.W, self.b).requires_grad_()
        ce, kd = self.losses(z)
        rows = []
        for loss in (ce, kd):
            (g,) = torch.autograd.grad(loss.sum(), z, retain_graph=True)
            rows.append((torch.einsum("bc,bd->bcd", g, self.H).reshape(B, -1), g))
        (ceW, ceb), (kdW, kdb) = rows
        stepW = ((1 - share) @ ceW + share @ kdW).reshape_as(self.W) / B
        stepb = ((1 - share) @ ceb + share @ kdb) / B
        W = (self.W - RATE * stepW).requires_grad_()
        b = (self.b - RATE * stepb).requires_grad_()
        loss = F.cross_entropy(F.linear(self.HV, W, b), self.yv)
        gW, gb = torch.autograd.grad(loss, (W, b))
        along = (kdW @ gW.reshape(-1) + kdb @ gb) - (ceW @ gW.reshape(-1) + ceb @ gb)
        return -RATE / B * along

    def step(self, repeats, way):
        gradient = self.per_sample if way == "per-sample" else self.double_backward
        share = torch.full((len(self.H),), 0.5)
        for _ in range(repeats):
            # The normalised step, 1/(rate/B).
            share = (share - len(share) / RATE * gradient(share)).clamp(0, 1)
        return share.mean().item()


def resident(name):
    try:
        with open("/proc/self/status") as status:
            for line in status:
                if line.startswith(name + ":"):
                    return int(line.split()[1]) * 1024
    except OSError:
        pass
    return None


def measure_memory(request, repeats, way):
    Problem(8, 8, 8, 8).step(2, way)
    problem = Problem(*request)
    try:
        with open("/proc/self/clear_refs", "w") as peak:
            peak.write("5")
    except OSError:
        pass
    before = resident("VmRSS")
    share = problem.step(repeats, way)
    after = resident("VmHWM")
    return share, None if before is None or after is None else after - before


problems = {}


def measure(request):
    sizes = tuple(request[key] for key in ("classes", "features", "samples", "validation"))
    if sizes not in problems:
        problems.clear()
        problems[sizes] = Problem(*sizes)
    problem = problems[sizes]
    repeats, steps = request.get("repeats", 5), request.get("steps", 5)
    way = request.get("way", "double-backward")
    for _ in range(request.get("warmup", 1)):
        share = problem.step(repeats, way)
    started = time.perf_counter()
    for _ in range(steps):
        share = problem.step(repeats, way)
    return answer(share, seconds=(time.perf_counter() - started) / steps)


def answer(share, seconds=None, count=None):
    return {
        "seconds": seconds,
        "bytes": count,
        "share": share,
        "threads": torch.get_num_threads(),
        "engine": torch.__version__.partition("+")[0],
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    ways = ["double-backward", "per-sample"]
    parser.add_argument("--way", choices=ways, default=ways[0])
    parser.add_argument("--classes", type=int, default=1000)
    parser.add_argument("--features", type=int, default=512)
    parser.add_argument("--samples", type=int, default=384, help="training samples of the group")
    parser.add_argument("--validation", type=int, default=1000)
    parser.add_argument("--repeats", type=int, default=5, help="virtual steps per meta step")
    parser.add_argument("--steps", type=int, default=5)
    parser.add_argument("--warmup", type=int, default=1)
    parser.add_argument("--threads", type=int, default=0, help="0: PyTorch's own choice")
    parser.add_argument("--memory", action="store_true", help="memory of one step, not time")
    parser.add_argument("--serve", action="store_true")
    options = parser.parse_args()
    if options.threads:
        torch.set_num_threads(options.threads)
    if options.serve:
        for line in sys.stdin:
            if not line.strip():
                break
            try:
                reply = measure(json.loads(line))
            except (KeyError, ValueError, TypeError) as problem:
                reply = {"error": f"not a request: {problem!r}"}
            print(json.dumps(reply), flush=True)
        return
    request = vars(options)
    if options.memory:
        sizes = (options.classes, options.features, options.samples, options.validation)
        share, count = measure_memory(sizes, options.repeats, options.way)
        print(json.dumps(answer(share, count=count)))
    else:
        print(json.dumps(measure(request)))


if __name__ == "__main__":
    main()
