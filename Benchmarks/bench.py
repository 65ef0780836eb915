"""Limbeck's training step beside the same step in plain PyTorch, interleaved in one run; and its
meta step of adaptive loss mixing beside autograd's.

    Benchmarks/run [--quick] [--rounds 5] [--threads 2] ...

which builds limbeck-step and limbeck-meta and calls this with --ours, --ours-meta and their paths.

Both programs stay alive and take turns (ours, theirs, theirs channels-last, then backwards), so
that a drift of the machine hits all alike; a ratio is formed within a round, and the table shows
the median of the rounds with the smallest and the largest. Start-up is measured apart, from the
start of a fresh process to the end of its first step.

Limbeck's step is that of its trainer: it also copies the batch from host memory, reads the loss and
the predictions back each step, and counts hits. PyTorch's does the arithmetic alone, on a batch
that is a tensor already.

Both sides speak the protocol described in peers/step.py. Without --ours only PyTorch is measured.
PyTorch runs in the interpreter named by PYTHON, or else in a .venv that is made here on first use
(pip install torch==2.13.0 numpy). Needs nothing but Python's own library itself.

Standard output gets the Markdown table (or, with --json, one JSON object), standard error the rest.
"""

import argparse
import contextlib
import json
import os
import pathlib
import platform
import shlex
import statistics
import subprocess
import sys
import time

import meta

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent
STEP = HERE / "peers" / "step.py"
PACKAGES = ["torch==2.13.0", "numpy"]
MODELS = ["lenet5", "resnet20", "wrn-16-2"]
MUTUAL = ["lenet5", "resnet20"]
USUAL = {"rounds": 5, "seconds": 1.0, "starts": 3}


def say(*words):
    print(*words, file=sys.stderr, flush=True)


# PyTorch's interpreter ----------------------------------------------------------------------


def torch_version(python):
    """The version of PyTorch this interpreter has, or None."""
    try:
        done = subprocess.run(
            [*python, "-c", "import torch; print(torch.__version__)"],
            capture_output=True,
            text=True,
        )
    except OSError:
        return None
    return done.stdout.strip() if done.returncode == 0 else None


def interpreter():
    """The command that runs Python with PyTorch, and PyTorch's version."""
    if os.environ.get("PYTHON"):
        python = shlex.split(os.environ["PYTHON"])
        version = torch_version(python)
        if version is None:
            raise SystemExit(f"PYTHON={os.environ['PYTHON']}: cannot import torch")
        return python, version
    folder = ROOT / ".venv"
    python = [str(folder / ("Scripts" if os.name == "nt" else "bin") / "python")]
    version = torch_version(python)
    if version is None:
        say(f"making {folder} with {' '.join(PACKAGES)} (once)")
        steps = [
            [sys.executable, "-m", "venv", str(folder)],
            [*python, "-m", "pip", "install", "--quiet", *PACKAGES],
        ]
        for step in steps:
            if subprocess.run(step, stdout=sys.stderr).returncode != 0:
                raise SystemExit(
                    f"could not run {' '.join(step)}\n"
                    "Without a network, set PYTHON to an interpreter that has PyTorch: "
                    "PYTHON=/path/to/python3 make bench"
                )
        version = torch_version(python)
        if version is None:
            raise SystemExit(f"{python[0]}: cannot import torch; delete {folder} and try again")
    return python, version


# One program under measurement ---------------------------------------------------------------


class Program:
    """A program that answers measurement requests for as long as it lives."""

    def __init__(self, name, command, threads):
        self.name = name
        self.command = [*command, "--threads", str(threads)]
        self.process = None

    def __enter__(self):
        try:
            self.process = subprocess.Popen(
                [*self.command, "--serve"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
                bufsize=1,
            )
        except OSError as problem:
            raise SystemExit(f"{self.name}: {self.command[0]}: {problem.strerror}")
        return self

    def __exit__(self, *_):
        try:
            self.process.stdin.close()  # the end of the input is the sign to go
            self.process.wait(timeout=10)
        except (OSError, subprocess.TimeoutExpired):
            self.process.kill()
            self.process.wait()

    def ask(self, model, precision, layout, steps, warmup, **more):
        request = {
            **more,
            "model": model,
            "precision": precision,
            "layout": layout,
            "steps": steps,
            "warmup": warmup,
        }
        return self.answer(self.exchange(request))

    def exchange(self, request):
        """The line that answers a request."""
        try:
            self.process.stdin.write(json.dumps(request) + "\n")
            line = self.process.stdout.readline()
        except OSError:
            line = ""
        if not line:
            raise SystemExit(f"{self.name} ended instead of answering {json.dumps(request)}")
        return line

    def ask_meta(self, request):
        answer = json.loads(self.exchange(request))
        if "error" in answer:
            raise SystemExit(f"{self.name}: {answer['error']}")
        return answer

    def answer(self, line):
        try:
            answer = json.loads(line)
            if "error" not in answer:
                answer["images_per_second"] = float(answer["images_per_second"])
        except (ValueError, KeyError, TypeError):
            raise SystemExit(f"{self.name}: not an answer: {line.strip()[:200]}")
        if "error" in answer:
            raise SystemExit(f"{self.name}: {answer['error']}")
        return answer

    def first_step(self, model, layout):
        """Seconds from the start of a fresh process to the end of its first step."""
        command = [*self.command, "--model", model, "--precision", "fp32", "--layout", layout]
        command += ["--steps", "1", "--warmup", "0"]
        started = time.perf_counter()
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        with process:
            line = process.stdout.readline()
            seconds = time.perf_counter() - started
        if process.returncode != 0 or not line:
            raise SystemExit(f"{self.name} failed: {shlex.join(command)}")
        self.answer(line)
        return seconds


# Measurement ---------------------------------------------------------------------------------


def spread(values, digits):
    """median (smallest–largest)"""
    low, middle, high = min(values), statistics.median(values), max(values)
    return f"{middle:.{digits}f} ({low:.{digits}f}–{high:.{digits}f})"


def compare(ours, theirs, model, precision, options):
    """Images per second of every contestant, one value per round."""
    contestants = {"nchw": (theirs, "nchw"), "nhwc": (theirs, "nhwc")}
    if ours:
        contestants["ours"] = (ours, "nhwc")
    # As many steps as fill the wanted time at the slowest contestant's speed; this also warms up.
    trials = [
        program.ask(model, precision, layout, steps=3, warmup=3)
        for program, layout in contestants.values()
    ]
    slowest = min(trial["images_per_second"] for trial in trials)
    if len({(trial["threads"], trial["batch"]) for trial in trials}) != 1:
        raise SystemExit(f"{model} {precision}: the programs differ in threads or batch")
    steps = max(3, round(options.seconds * slowest / 128))
    speeds = {name: [] for name in contestants}
    order = sorted(contestants, reverse=True)  # ours first
    for _ in range(options.rounds):
        for name in order:
            time.sleep(options.pause)  # lets the other program's idle threads fall asleep
            program, layout = contestants[name]
            answer = program.ask(model, precision, layout, steps, warmup=1)
            speeds[name].append(answer["images_per_second"])
        order.reverse()
    row = {"model": model, "precision": precision, "steps": steps, "images_per_second": speeds}
    row["engines"] = {trial["engine"] for trial in trials}
    if ours:
        row["ratio"] = {
            layout: [a / b for a, b in zip(speeds["ours"], speeds[layout])]
            for layout in ("nchw", "nhwc")
        }
    return row


def teaching(ours, model, precision, options):
    """What learning side by side and teaching one another cost: seconds of a step over those of as
    many steps of one network, one value per round."""
    contestants = {"one": {}}
    for peers in (2, 4):
        contestants[f"{peers} independent"] = {"peers": peers}
        contestants[f"{peers} mutual"] = {"peers": peers, "order": 1.5}

    def ask(name, steps, warmup):
        layout = "nhwc"
        answer = ours.ask(model, precision, layout, steps, warmup, **contestants[name])
        return answer["seconds"] / steps

    single = ask("one", 5, 3)
    for name in contestants:
        ask(name, 3, 3)
    steps = max(3, round(options.seconds / single / 2))
    times = {name: [] for name in contestants}
    order = list(contestants)
    for _ in range(2 * options.rounds):
        for name in order:
            times[name].append(ask(name, steps, 1))
        order.reverse()
    ratios = {
        name: [t / one / contestants[name]["peers"] for t, one in zip(times[name], times["one"])]
        for name in contestants
        if name != "one"
    }
    return {"model": model, "precision": precision, "ratio": ratios}


def teaching_table(rows):
    names = list(rows[0]["ratio"])
    lines = ["| model | precision | " + " | ".join(f"{name} peers" for name in names) + " |"]
    lines.append("|---|---|" + "---:|" * len(names))
    for row in rows:
        cells = [row["model"], row["precision"]] + [spread(row["ratio"][n], 3) for n in names]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def busy():
    """The load of the last minute, or None where that is not known. Says so if it is high."""
    try:
        load = os.getloadavg()[0]
    except (AttributeError, OSError):
        return None
    if load > 0.5:
        say(f"the machine is not idle (load {load:.1f}): expect noise")
    return load


def step_table(rows):
    head = ["model", "precision", "Limbeck", "PyTorch, as written (NCHW)", "PyTorch, channels-last"]
    head += ["ratio to as written", "ratio to channels-last"]
    lines = ["| " + " | ".join(head) + " |", "|---|---|" + "---:|" * 5]
    for row in rows:
        speeds = row["images_per_second"]
        cells = [row["model"], row["precision"]]
        for name in ("ours", "nchw", "nhwc"):
            cells.append(f"{statistics.median(speeds[name]):,.0f}" if name in speeds else "–")
        for layout in ("nchw", "nhwc"):
            cells.append(spread(row["ratio"][layout], 2) if "ratio" in row else "–")
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def start_table(starts):
    lines = ["| model | Limbeck | PyTorch |", "|---|---:|---:|"]
    for start in starts:
        ours = spread(start["ours"], 2) if "ours" in start else "–"
        lines.append(f"| {start['model']} | {ours} | {spread(start['theirs'], 2)} |")
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--ours", help="our program (a path, or a command with arguments)")
    parser.add_argument("--ours-meta", help="our program for the meta step")
    parser.add_argument("--no-meta", action="store_true", help="leave the meta step out")
    parser.add_argument("--models", nargs="*", default=MODELS, metavar="MODEL")
    parser.add_argument("--precisions", nargs="+", default=["fp32", "bf16"], metavar="PRECISION")
    parser.add_argument("--quick", action="store_true", help="2 rounds of .3 s, 1 start: a trial")
    parser.add_argument("--rounds", type=int, help="at least 2 (default: 5)")
    parser.add_argument("--seconds", type=float, help="per measurement (default: 1)")
    parser.add_argument("--pause", type=float, default=0.3, help="seconds between measurements")
    parser.add_argument("--starts", type=int, help="fresh processes timed per model (default: 3)")
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--no-mutual", action="store_true", help="leave out the cost of peers")
    parser.add_argument("--json", action="store_true", help="one JSON object instead of tables")
    options = parser.parse_args()
    usual = {"rounds": 2, "seconds": 0.3, "starts": 1} if options.quick else USUAL
    for name, value in usual.items():
        if getattr(options, name) is None:
            setattr(options, name, value)
    if options.rounds < 2 or options.starts < 0 or options.threads < 1 or options.seconds <= 0:
        parser.error("--rounds is at least 2, --starts 0, --threads 1, --seconds above 0")

    python, version = interpreter()
    load = busy()
    theirs = Program("PyTorch", [*python, str(STEP)], options.threads)
    ours = None
    if options.ours:
        ours = Program("Limbeck", shlex.split(options.ours), options.threads)

    rows, starts, mutual = [], [], []
    with contextlib.ExitStack() as alive:
        for program in filter(None, (theirs, ours)):
            alive.enter_context(program)
        for model in options.models:
            for precision in options.precisions:
                say(f"{model} {precision} ...")
                rows.append(compare(ours, theirs, model, precision, options))
        if ours and not options.no_mutual:
            for model in [m for m in options.models if m in MUTUAL]:
                say(f"{model} peers ...")
                mutual.append(teaching(ours, model, "fp32", options))
    meta_row = None
    if not options.no_meta:
        say("meta step ...")
        with contextlib.ExitStack() as alive:
            peer = Program("PyTorch", [*python, str(meta.PEER)], options.threads)
            mine = None
            if options.ours_meta:
                mine = Program("Limbeck", shlex.split(options.ours_meta), options.threads)
            for program in filter(None, (peer, mine)):
                alive.enter_context(program)
            meta_row = meta.compare(mine, peer, Program.ask_meta, options.rounds, options.pause)
        if mine:
            say("meta pass ...")
            meta_row["pass_share"] = meta.share(mine.command, options.rounds)
    engines = sorted(set().union(*(row.pop("engines") for row in rows)))
    # Only once nothing else of ours is alive.
    for model in options.models if options.starts else []:
        say(f"{model} start-up ...")
        start = {"model": model, "theirs": []}
        if ours:
            start["ours"] = []
        for _ in range(options.starts):
            if ours:
                start["ours"].append(ours.first_step(model, "nhwc"))
            start["theirs"].append(theirs.first_step(model, "nchw"))
        starts.append(start)

    if options.json:
        about = {"torch": version, "engines": engines, "threads": options.threads}
        about |= {"machine": platform.machine(), "load_before": load}
        about |= {"batch": 128, "steps": rows, "first_step": starts, "meta_step": meta_row}
        about["mutual"] = mutual
        print(json.dumps(about))
        return
    print(f"One training step, batch 128, images per second: median of {options.rounds} ", end="")
    print(f"interleaved rounds, {options.threads} threads, PyTorch {version}. ", end="")
    if len(engines) > 1:
        print(f"The engines differ: {' and '.join(engines)}. ", end="")
    if load is not None and load > 0.5:
        print(f"The machine was not idle: load {load:.1f} before the start. ", end="")
    print("Ratios above 1: Limbeck is faster; median (smallest–largest).\n")
    if rows:
        print(step_table(rows))
    if mutual:
        print("\nSeconds of a step of K peers over those of K steps of one network (float32): peers ")
        print("that train independently, and peers that teach one another (order 1.5).\n")
        print(teaching_table(mutual))
    if meta_row:
        sizes = meta_row["sizes"]
        print(
            "\nOne meta step of adaptive loss mixing, last layer, float32: "
            f"{sizes['classes']} classes, {sizes['features']} features, {sizes['samples']} training "
            f"and {sizes['validation']} validation samples, {sizes['repeats']} repeats.\n"
        )
        print(meta.table(meta_row, spread))
        if "pass_share" in meta_row:
            shares = spread([100 * x for x in meta_row["pass_share"]], 1)
            print(f"\nOne meta pass takes {shares} % of the steps of ten epochs (ResNet-8 from ResNet-20).")
    if starts:
        print("\nSeconds from process start to the end of the first step (float32).\n")
        print(start_table(starts))


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        raise SystemExit(130)
