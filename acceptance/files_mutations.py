"""Feeds mutated files of every kind of input to commands that do little: nothing may trap, hang or fill the memory."""

import gzip
import shutil
import time

import files_inputs as inputs
from files_cases import base
from files_lab import ended, forget, judged, right, shown
from files_networks import FITS, glove, network
from files_state import checkpoint, runs

NUMBERS = [text.encode() for text in (
    "0 -1 1e999 -1e-999 nan inf 9223372036854775807 -9223372036854775808 18446744073709551616 4294967296 1e18 0.0000001 "
    ".5 1_000 0x10 010 1,5").split()]
PIECES = [text.encode() for text in (
    '"', '""', "'", ",", ";", "\t", "\n", "\r", "\r\n", "\0", "\ufeff", "[", "]", "{", "}", ":", "- ", "&a ", "*a", "<<: *a",
    "!!binary ", "|\n", "? ", "#", "~", "null", "true", "---\n", "\u0301" * 40, "a" * 3000, "\u202e", "\x1b[31m", "../", "%s",
    "\U0001f600")] + [b"\xff", b"\xfe", b"\xc3\x28", b"\xed\xa0\x80"]


def mutated(data, random, others):
    """A few changes of bytes, of pieces of text, or of numbers."""
    data = bytearray(data)
    for _ in range(random.choice([1, 1, 1, 1, 2, 4])):
        place = random.randrange(len(data) + 1)
        how = random.randrange(11)
        if how == 0 and data:
            data[place % len(data)] ^= 1 << random.randrange(8)
        elif how == 1 and data:
            data[place % len(data)] = random.choice([0, 1, 127, 128, 255])
        elif how == 2:
            del data[place:place + random.choice([1, 2, 4, 16, 64, 1000])]
        elif how == 3:
            data[place:place] = data[place:place + random.choice([1, 4, 16, 64])] * random.choice([1, 2, 30])
        elif how == 4:
            data[place:place] = random.choice(PIECES)
        elif how == 5:
            del data[place:]
        elif how == 6:
            # A number written in digits becomes another.
            digits = [k for k, byte in enumerate(data) if 48 <= byte < 58]
            if digits:
                start = end = random.choice(digits)
                while end < len(data) and 48 <= data[end] < 58:
                    end += 1
                data[start:end] = random.choice(NUMBERS)
        elif how == 7 and len(data) > 8:
            # A binary number of 1 to 8 bytes becomes an extreme one.
            size = random.choice([1, 2, 4, 8])
            start = random.randrange(min(len(data) - size, random.choice([64, len(data)])))
            extreme = random.choice([0, 2 ** (8 * size) - 1, 2 ** (8 * size - 1) - 1, 2 ** (8 * size - 1)])
            data[start:start + size] = extreme.to_bytes(size, random.choice(["little", "big"]))
        elif how == 8:
            other = random.choice(others)
            start = random.randrange(len(other) + 1)
            data[place:place + random.choice([0, 8, 64])] = other[start:start + random.choice([4, 32, 256])]
        elif how == 9:
            lines = bytes(data).split(b"\n")
            random.shuffle(lines) if random.random() < 0.2 else lines.insert(random.randrange(len(lines)), random.choice(lines))
            data = bytearray(b"\n".join(lines))
        else:
            data[place:place] = bytes(random.randrange(256) for _ in range(random.choice([1, 3, 9])))
    return bytes(data)


RECIPE = """name: mutant
seed: 3
data:
  kind: csv
  path: t.csv
  drop: [x2]
  class-names: [a, b, c]
noise: {kind: asymmetric, rate: 0.3, map: {a: b}}
model:
  name: mlp
  hidden: [8, 4]
method: &m
  name: distillation
  temperature: 2
  divergence: {name: renyi, order: 0.5}
optimizer: {kind: adamw, learning-rate: 1e-3}
schedule: {kind: multi-step, milestones: [1, 2]}
training: {epochs: 3, batch: 8, ema: 0.9}
"""
COMPARISON = """data: {kind: csv, path: t.csv}
model: {name: mlp, hidden: [8]}
seeds: [0, 1]
noises: [{kind: none}, {kind: symmetric, rate: 0.1}]
training: {epochs: 2}
rows:
  - {name: a, method: {name: cross-entropy}}
  - name: b
    method: {name: self-distillation}
    search:
      optimizer.learning-rate: [0.1, 0.01]
    search-on: first-phase
"""
MAP = 'names:\n  - {from: "old.**", to: "**"}\n  - {from: "a.*.b", to: ""}\n'
DRY, NOISE = ["train", "r.yaml", "--dry-run"], ["noise", "r.yaml"]
PREDICT = ["predict", "m.safetensors", "p.csv", "--threads", "1"]
LIST, IMPORT = ["import", "w.pth", "--list"], ["import", "w.pth", *FITS, "--out", "o.safetensors"]
EMBED = ["embed-labels", "cat", "dog", "--glove", "glove", "--out", "o.safetensors"]
RESUME, REPORT = ["train", "--resume", "--threads", "1", "--out", "run"], ["report", "run"]
SELF_DISTIL = "selfdistil f.safetensors --classes 0,1 --sizes 10 --theta 0 --trials 1 --stages 2 --threads 1".split()


def kinds(lab):
    """Every kind of input: the folder it stands in, the file that is mutated there, and commands."""
    home, rows = base(lab)
    random = lab.random("mutations")
    right(lab.run("features", "run", "--out", "f.safetensors", "--threads", "1", at=home))
    right(lab.run("noise", "r.yaml", "--out", "own.csv", at=home))
    own = {name: (home / name).read_bytes() for name in ("t.csv", "r.yaml", "plain.csv", "own.csv", "f.safetensors")}
    weights = (home / "run/model.safetensors").read_bytes()
    table = inputs.table(inputs.labelled(rows[:40]), (*inputs.COLUMNS, "label"))
    on = lambda data, **more: inputs.recipe(data, **more)
    csv = on({"kind": "csv", "path": "t.csv"}, noise={"kind": "symmetric", "rate": 0.2})
    texts = "text\tlabel\n" + "".join(
        f"{'good nice fine' if k % 2 else 'bad poor ugly'} number {k}\t{'ny'[k % 2]}\n" for k in range(40))
    x, y = inputs.images(random, 24, 4, 3)
    idx = {"x.idx": x, "y.idx": y, "r.yaml": on({"kind": "idx", "images": "x.idx", "labels": "y.idx"})}
    zipped_idx = {
        "x.gz": gzip.compress(x, mtime=0), "y.idx": y, "r.yaml": on({"kind": "idx", "images": "x.gz", "labels": "y.idx"})}
    batches = {
        f"cifar/{name}.bin": b"".join(bytes([k % 10]) + random.randbytes(3072) for k in range(20))
        for name in [f"data_batch_{k}" for k in range(1, 6)] + ["test_batch"]}
    tensors, _, _ = network(lab)
    made = inputs.Tensors()
    state = {"state_dict": made.state(tensors, "module."), "epoch": 3}
    words = {f"glove/{name}": (glove(lab) / "glove" / name).read_bytes() for name in ("words.txt", "vectors.npy")}
    found = {
        "CSV tables": ({"t.csv": table, "r.yaml": csv}, "t.csv", [NOISE, DRY]),
        "CSV tables to predict": ({"p.csv": own["plain.csv"], "m.safetensors": weights}, "p.csv", [PREDICT]),
        "TSV texts": (
            {"t.tsv": texts, "r.yaml": on({"kind": "text", "path": "t.tsv"}, model={"name": "fasttext", "buckets": 64})},
            "t.tsv", [DRY]),
        "gzip tables": (
            {"t.csv.gz": gzip.compress(table, mtime=0), "r.yaml": csv.replace("t.csv", "t.csv.gz")}, "t.csv.gz", [NOISE]),
        "IDX images": (idx, "x.idx", [NOISE]),
        "IDX labels": (idx, "y.idx", [NOISE]),
        "gzip IDX": (zipped_idx, "x.gz", [NOISE]),
        "CIFAR binaries": (
            {**batches, "r.yaml": on({"kind": "cifar10", "folder": "cifar"})}, "cifar/data_batch_2.bin", [NOISE]),
        "recipes": ({"t.csv": table, "r.yaml": RECIPE}, "r.yaml", [DRY, NOISE]),
        "comparison files": ({"t.csv": table, "c.yaml": COMPARISON}, "c.yaml", [["compare", "c.yaml", "--dry-run"]]),
        "label files": (
            {"t.csv": own["t.csv"], "r.yaml": own["r.yaml"], "l.csv": own["own.csv"]}, "l.csv", [[*NOISE, "--labels", "l.csv"]]),
        "weights": (
            {"m.safetensors": weights, "p.csv": own["plain.csv"]}, "m.safetensors",
            [PREDICT, ["import", "m.safetensors", "--list"]]),
        "zipped .pth": ({"w.pth": made.file(state)}, "w.pth", [LIST, IMPORT]),
        "bare .pth": ({"w.pth": made.file(state, zipped=False)}, "w.pth", [LIST, IMPORT]),
        "maps of names": (
            {"w.pth": made.file(made.state(tensors, "old.")), "m.yaml": MAP}, "m.yaml", [[*IMPORT, "--map", "m.yaml"]]),
        "word vectors": (words, "glove/vectors.npy", [EMBED]),
        "words": (words, "glove/words.txt", [EMBED]),
        "names of classes": (
            {**words, "n.txt": "cat\ndog\nnew york\n"}, "n.txt", [["embed-labels", "--names", "n.txt", *EMBED[3:]]]),
        "features": (
            {"f.safetensors": own["f.safetensors"]}, "f.safetensors",
            [SELF_DISTIL, ["advise", "f.safetensors", "--one", "1", "--threads", "1"]])}
    for name, (files, file, commands) in found.items():
        room = lab.room(f"mutated {name}")
        for path, data in files.items():
            inputs.write(room / path, data)
        found[name] = (room, file, commands)
    whole, _ = runs(lab)
    inner = str(checkpoint(whole / "cut").relative_to(whole / "cut"))
    for name, which, file, commands in (
            ("checkpoint.json", "cut", inner, [RESUME]),
            ("tensors of a checkpoint", "cut", inner.replace("checkpoint.json", "tensors.safetensors"), [RESUME]),
            ("result.json of a phase", "cut", "phases/0-stage-0/result.json", [RESUME]),
            ("metrics.jsonl", "whole", "phases/0-stage-0/metrics.jsonl", [REPORT]),
            ("run.json", "whole", "run.json", [REPORT, RESUME]),
            ("recipe.yaml of a run", "whole", "recipe.yaml", [REPORT, RESUME]),
            ("result.json of a run", "whole", "result.json", [REPORT])):
        room = lab.room(f"mutated {name}")
        shutil.copytree(whole / which, room / "run")
        shutil.copy(whole / "t.csv", room)
        found[name] = (room, f"run/{file}", commands)
    return found


def mutations(check, lab):
    """Prints a line for every kind of input, and one for all."""
    found = lab.once("mutation kinds", lambda room: kinds(lab))
    wanted = int(check.options.mutations)
    each = -(-wanted // len(found))
    others = [(room / file).read_bytes() for room, file, _ in found.values()]
    total, wrong, began = 0, 0, time.monotonic()
    for name, (room, file, commands) in found.items():
        start = time.monotonic()
        random = lab.random("mutations", name)
        original = (room / file).read_bytes()
        counts, unread = {}, []
        for command in commands:
            place = lab.room(f"{name} as it is")
            shutil.copytree(room, place / "in")
            if (ran := lab.run(*command, at=place / "in")).code != 0:
                unread.append(f"{' '.join(command[:2])}: exit {ran.code}, {shown(ran.line)}")
            forget(place)

        def task(number, data, command):
            place = lab.room(f"{name} {number}")
            shutil.copytree(room, place / "in")
            inputs.write(place / "in" / file, data)
            codes = []

            def judge():
                ran = lab.run(*command, at=place / "in")
                codes.append(ran.code)
                ended(ran)
            fault = judged(judge)
            if fault is None:
                forget(place)
            return fault, place, codes, command

        tasks = [(lambda n=n, d=mutated(original, random, others), c=random.choice(commands): task(n, d, c)) for n in range(each)]
        faults = []
        for fault, place, codes, command in lab.each(tasks):
            for code in codes:
                counts[code] = counts.get(code, 0) + 1
            if fault:
                faults.append((fault, place, command))
        total, wrong = total + each, wrong + len(faults)
        read = counts.get(0, 0)
        figure = f"{each} files, {len(faults)} faults, {read} read, {time.monotonic() - start:.0f} s"
        if faults:
            figure += f"; first: {' '.join(faults[0][2][:3])}: {shown(faults[0][0])}, kept in {faults[0][1]}"
        if unread:
            figure += f"; the file as it is: {unread[0]}"
        check.say(not faults and not unread, f"mutated {name}", figure, "no trap, no hang over 20 s, no run over 2 GB")
    check.say(
        total >= wanted and not wrong, "all mutated files",
        f"{total} files of {len(found)} kinds, {wrong} faults, {(time.monotonic() - began) / 60:.0f} min",
        f"{wanted} files, 0 faults")
