"""A meta step of adaptive loss mixing beside the same update in plain PyTorch: time, interleaved,
and memory, in fresh processes. Part of bench.py; see there.
"""

import json
import pathlib
import statistics
import subprocess
import time

PEER = pathlib.Path(__file__).resolve().parent / "peers" / "alm_meta_step.py"
WAYS = ["double-backward", "per-sample"]
SIZES = {"classes": 1000, "features": 512, "samples": 384, "validation": 1000, "repeats": 5}


def memory(command, sizes, way=None):
    """Bytes that one step needs beyond its inputs, and the mean of λ; None where not known."""
    arguments = [*command, "--memory"]
    for key, value in sizes.items():
        arguments += [f"--{key}", str(value)]
    if way:
        arguments += ["--way", way]
    done = subprocess.run(arguments, stdout=subprocess.PIPE, text=True)
    if done.returncode != 0:
        raise SystemExit(f"{command[0]} failed to measure memory")
    answer = json.loads(done.stdout)
    return answer.get("bytes"), answer["share"]


def compare(ours, theirs, ask, rounds, pause, sizes=SIZES):
    """Seconds per step of every contestant, one value per round, and its memory.

    ours and theirs are programs of bench.py, ask(program, request) gets an answer from one.
    """
    contestants = {way: (theirs, {**sizes, "way": way}) for way in WAYS}
    if ours:
        contestants["ours"] = (ours, dict(sizes))
    for program, request in contestants.values():
        ask(program, {**request, "steps": 1, "warmup": 0})
    seconds = {name: [] for name in contestants}
    shares = {}
    order = sorted(contestants, reverse=True)
    for _ in range(rounds):
        for name in order:
            time.sleep(pause)
            program, request = contestants[name]
            steps = 1 if name == "per-sample" else 3
            answer = ask(program, {**request, "steps": steps, "warmup": 0})
            seconds[name].append(answer["seconds"])
            shares[name] = answer["share"]
        order.reverse()
    if max(shares.values()) - min(shares.values()) > 1e-4:
        raise SystemExit(f"the programs disagree about the step: {shares}")
    row = {"sizes": sizes, "seconds": seconds, "bytes": {}}
    for name, (program, _) in contestants.items():
        way = None if name == "ours" else name
        row["bytes"][name] = memory(program.command, sizes, way)[0]
    if ours:
        row["ratio"] = {
            way: [b / a for a, b in zip(seconds["ours"], seconds[way])] for way in WAYS
        }
    return row


def share(command, passes):
    """A meta pass over the steps of ten epochs, one value per pass, as our trainer takes them."""
    done = subprocess.run([*command, "--passes", str(passes)], stdout=subprocess.PIPE, text=True)
    if done.returncode != 0:
        raise SystemExit(f"{command[0]} failed to measure meta passes")
    answer = json.loads(done.stdout)
    return [p / (answer["every"] * s) for p, s in zip(answer["pass"], answer["steps"])]


def table(row, spread):
    lines = ["| program | milliseconds | memory, MB | slower than Limbeck | more memory |"]
    lines += ["|---|---:|---:|---:|---:|"]
    names = {
        "ours": "Limbeck",
        "double-backward": "PyTorch, gradient through a recorded step",
        "per-sample": "PyTorch, per-sample gradients written out",
    }
    for name, text in names.items():
        if name not in row["seconds"]:
            continue
        size, own = row["bytes"][name], row["bytes"].get("ours")
        cells = [text, f"{1000 * statistics.median(row['seconds'][name]):,.0f}"]
        cells.append("–" if size is None else f"{size / 1e6:,.0f}")
        ratio = row.get("ratio", {}).get(name)
        cells.append(spread(ratio, 1) if ratio else "1" if name == "ours" else "–")
        cells.append("–" if not size or not own else f"{size / own:.1f}")
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)
