"""Feeds mutated files of every kind of input to commands that do little: nothing may trap, hang or fill the memory."""

import gzip
import shutil
import time

import files_inputs as inputs
from files_cases import base
from files_lab import ended, forget, judged, shown
from files_networks import FITS, glove, network
from files_state import checkpoint, runs

NUMBERS = [b"0", b"-1", b"1e999", b"-1e-999", b"nan", b"inf", b"9223372036854775807", b"-9223372036854775808", b"18446744073709551616",
           b"4294967296", b"1e18", b"0.0000001", b".5", b"1_000", b"0x10", b"010", b"1,5"]
PIECES = [b'"', b'""', b"'", b",", b";", b"\t", b"\n", b"\r", b"\r\n", b"\x00", b"\xff", b"\xfe", b"\xef\xbb\xbf", b"\xc3\x28", b"\xed\xa0\x80",
          b"[", b"]", b"{", b"}", b":", b"- ", b"&a ", b"*a", b"<<: *a", b"!!binary ", b"|\n", b"? ", b"#", b"~", b"null", b"true", b"---\n",
          b"\xcc\x81" * 40, b"a" * 3000, b"\xe2\x80\xae", b"\x1b[31m", b"../", b"%s", b"\xf0\x9f\x98\x80"]


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
            data[start:start + size] = random.choice(
                [b"\0" * size, b"\xff" * size, b"\x7f" + b"\xff" * (size - 1), b"\xff" * (size - 1) + b"\x7f", b"\x80" + b"\0" * (size - 1), b"\0" * (size - 1) + b"\x80"])
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


def kinds(lab):
    """Every kind of input: the folder it stands in, the file that is mutated there, and commands."""
    home, rows = base(lab)
    random = lab.random("mutations")
    rooms = {}

    def room(name, files):
        rooms[name] = lab.room(f"mutated {name}")
        for file, data in files.items():
            inputs.write(rooms[name] / file, data)
        return rooms[name]

    table = inputs.table(inputs.labelled(rows[:40]), (*inputs.COLUMNS, "label"))
    recipe = inputs.recipe({"kind": "csv", "path": "t.csv"}, noise={"kind": "symmetric", "rate": 0.2})
    yaml = ("name: mutant\nseed: 3\ndata:\n  kind: csv\n  path: t.csv\n  drop: [x2]\n  class-names: [a, b, c]\nnoise: {kind: asymmetric, rate: 0.3, map: {a: b}}\n"
            "model:\n  name: mlp\n  hidden: [8, 4]\nmethod: &m\n  name: distillation\n  temperature: 2\n  divergence: {name: renyi, order: 0.5}\n"
            "optimizer: {kind: adamw, rate: 1e-3}\nschedule: {kind: multi-step, milestones: [1, 2]}\ntraining: {epochs: 3, batch: 8, average: 0.9}\n")
    comparison = ("data: {kind: csv, path: t.csv}\nmodel: {name: mlp, hidden: [8]}\nseeds: [0, 1]\nnoises: [{kind: none}, {kind: symmetric, rate: 0.1}]\n"
                  "training: {epochs: 2}\nrows:\n  - {name: a, method: {name: cross-entropy}}\n  - name: b\n    method: {name: self-distillation}\n"
                  "    search:\n      optimizer.rate: [0.1, 0.01]\n    search-on: first-phase\n")
    texts = "text\tlabel\n" + "".join(f"{'good nice fine' if k % 2 else 'bad poor ugly'} number {k}\t{'ny'[k % 2]}\n" for k in range(40))
    x, y = inputs.images(random, 24, 4, 3)
    idx = inputs.recipe({"kind": "idx", "images": "x.idx", "labels": "y.idx"})
    record = lambda k: bytes([k % 10]) + bytes(random.randrange(256) for _ in range(3072))
    batches = {f"cifar/{name}.bin": b"".join(record(k) for k in range(20)) for name in [f"data_batch_{k}" for k in range(1, 6)] + ["test_batch"]}
    tensors, _, _ = network(lab)
    made = inputs.Tensors()
    zipped, bare = (made.file({"state_dict": made.state(tensors, "module."), "epoch": 3}, zipped=z) for z in (True, False))
    old = made.file(made.state(tensors, "old."))
    weights = (home / "run/model.safetensors").read_bytes()
    words = {f"glove/{name}": (glove(lab) / "glove" / name).read_bytes() for name in ("words.txt", "vectors.npy")}
    lab.run("features", "run", "--out", "f.safetensors", "--threads", "1", at=home)
    lab.run("noise", "r.yaml", "--out", "own.csv", at=home)
    dry, noise = ["train", "r.yaml", "--dry-run"], ["noise", "r.yaml"]
    found = {
        "CSV tables": (room("csv", {"t.csv": table, "r.yaml": recipe}), "t.csv", [noise, dry]),
        "CSV tables to predict": (room("predict", {"p.csv": (home / "plain.csv").read_bytes(), "m.safetensors": weights}), "p.csv",
                                  [["predict", "m.safetensors", "p.csv", "--threads", "1"]]),
        "TSV texts": (room("text", {"t.tsv": texts, "r.yaml": inputs.recipe({"kind": "text", "path": "t.tsv"}, model={"name": "fasttext", "buckets": 64})}), "t.tsv", [dry]),
        "gzip tables": (room("gz", {"t.csv.gz": gzip.compress(table, mtime=0), "r.yaml": recipe.replace("t.csv", "t.csv.gz")}), "t.csv.gz", [noise]),
        "IDX images": (room("x", {"x.idx": x, "y.idx": y, "r.yaml": idx}), "x.idx", [noise]),
        "IDX labels": (room("y", {"x.idx": x, "y.idx": y, "r.yaml": idx}), "y.idx", [noise]),
        "gzip IDX": (room("xgz", {"x.idx.gz": gzip.compress(x, mtime=0), "y.idx": y, "r.yaml": idx.replace("x.idx", "x.idx.gz")}), "x.idx.gz", [noise]),
        "CIFAR binaries": (room("cifar", {**batches, "r.yaml": inputs.recipe({"kind": "cifar10", "folder": "cifar"})}), "cifar/data_batch_2.bin", [noise]),
        "recipes": (room("recipe", {"t.csv": table, "r.yaml": yaml}), "r.yaml", [dry, noise]),
        "comparison files": (room("compare", {"t.csv": table, "c.yaml": comparison}), "c.yaml", [["compare", "c.yaml", "--dry-run"]]),
        "label files": (room("labels", {"t.csv": (home / "t.csv").read_bytes(), "r.yaml": (home / "r.yaml").read_bytes(), "l.csv": (home / "own.csv").read_bytes()}),
                        "l.csv", [["noise", "r.yaml", "--labels", "l.csv"]]),
        "weights": (room("weights", {"m.safetensors": weights, "p.csv": (home / "plain.csv").read_bytes()}), "m.safetensors",
                    [["predict", "m.safetensors", "p.csv", "--threads", "1"], ["import", "m.safetensors", "--list"]]),
        "zipped .pth": (room("zip", {"w.pth": zipped}), "w.pth", [["import", "w.pth", "--list"], ["import", "w.pth", *FITS, "--out", "o.safetensors"]]),
        "bare .pth": (room("bare", {"w.pth": bare}), "w.pth", [["import", "w.pth", "--list"], ["import", "w.pth", *FITS, "--out", "o.safetensors"]]),
        "maps of names": (room("map", {"w.pth": old, "m.yaml": 'names:\n  - {from: "old.**", to: "**"}\n  - {from: "a.*.b", to: ""}\n'}), "m.yaml",
                          [["import", "w.pth", *FITS, "--map", "m.yaml", "--out", "o.safetensors"]]),
        "word vectors": (room("npy", words), "glove/vectors.npy", [["embed-labels", "cat", "dog", "--glove", "glove", "--out", "o.safetensors"]]),
        "words": (room("words", words), "glove/words.txt", [["embed-labels", "cat", "dog", "--glove", "glove", "--out", "o.safetensors"]]),
        "names of classes": (room("names", {**words, "n.txt": "cat\ndog\nnew york\n"}), "n.txt", [["embed-labels", "--names", "n.txt", "--glove", "glove", "--out", "o.safetensors"]]),
        "features": (room("features", {"f.safetensors": (home / "f.safetensors").read_bytes()}), "f.safetensors",
                     [["selfdistil", "f.safetensors", "--classes", "0,1", "--sizes", "10", "--theta", "0", "--trials", "1", "--stages", "2", "--threads", "1"],
                      ["advise", "f.safetensors", "--one", "1", "--threads", "1"]])}
    whole, _ = runs(lab)
    resume, report = ["train", "--resume", "--threads", "1", "--out", "run"], ["report", "run"]
    inner = str(checkpoint(whole / "cut").relative_to(whole / "cut"))
    for name, which, file, commands in (
            ("checkpoint.json", "cut", inner, [resume]), ("tensors of a checkpoint", "cut", inner.replace("checkpoint.json", "tensors.safetensors"), [resume]),
            ("result.json of a phase", "cut", "phases/0-stage-0/result.json", [resume]), ("metrics.jsonl", "whole", "phases/0-stage-0/metrics.jsonl", [report]),
            ("run.json", "whole", "run.json", [report, resume]), ("recipe.yaml of a run", "whole", "recipe.yaml", [report, resume]),
            ("result.json of a run", "whole", "result.json", [report])):
        place = lab.room(f"mutated {name}")
        shutil.copytree(whole / which, place / "run")
        shutil.copy(whole / "t.csv", place)
        found[name] = (place, f"run/{file}", commands)
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
        figure = f"{each} files, {len(faults)} faults, {counts.get(0, 0)} read, {each - counts.get(0, 0) - len(faults)} refused, {time.monotonic() - start:.0f} s"
        if faults:
            figure += f"; first: {' '.join(faults[0][2][:3])}: {shown(faults[0][0])}, kept in {faults[0][1]}"
        if unread:
            figure += f"; the file as it is: {unread[0]}"
        check.say(not faults and not unread, f"mutated {name}", figure, "no trap, no hang over 20 s, no run over 2 GB")
    check.say(
        total >= wanted and not wrong, "all mutated files", f"{total} files of {len(found)} kinds, {wrong} faults, {(time.monotonic() - began) / 60:.0f} min",
        f"{wanted} files, 0 faults")
