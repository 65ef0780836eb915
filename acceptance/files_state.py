"""What a run folder is believed: every integer of its records, every bit of its files, changed data, races."""

import json
import re
import shutil
import signal
import subprocess
import time

import files_inputs as inputs
from files_cases import case, train
from files_lab import Fault, bytes_of, different, forget, judged, refused, right, shown, tidy

KINDS = []
NUMBERS = {"+1": lambda v: v + 1, "-1": lambda v: v - 1, "-5": lambda v: -5, "0": lambda v: 0, "1e9": lambda v: 10**9,
           "2^63-1": lambda v: 2**63 - 1, "-2^63": lambda v: -2**63}


def kind(name, bar, group="situations"):
    def keep(function):
        KINDS.append((group, name, bar, function))
        return function
    return keep


def situations(group):
    """A step that prints one line for every kind of the group: how many of its situations are right, and the first
    that is not, with the folder that keeps its input."""
    def run(check, lab):
        total, good = 0, 0
        for _, name, bar, make in [k for k in KINDS if k[0] == group]:
            began = time.monotonic()
            tasks = list(make(lab, lab.random(name)))

            def judge(task):
                room = lab.room(name)
                fault = judged(lambda: task(room))
                if fault is None:
                    forget(room)
                return fault, room

            seen = lab.each([lambda task=task: judge(task) for _, task in tasks])
            wrong = [(tasks[k][0], *seen[k]) for k in range(len(tasks)) if seen[k][0] is not None]
            total, good = total + len(tasks), good + len(tasks) - len(wrong)
            figure = f"{len(tasks) - len(wrong)} of {len(tasks)} right, {time.monotonic() - began:.0f} s"
            if wrong:
                figure += f"; first: {shown(wrong[0][0], 200)}: {wrong[0][1]}, kept in {wrong[0][2]}"
            check.say(not wrong, name, figure, bar)
            for words, fault, room in wrong[1:] if check.options.all else []:
                print(f"          {shown(words, 200)}: {fault}, kept in {room}", flush=True)
        if group == "situations":
            check.say(total >= 200 and good == total, "situations in all", f"{good} of {total} right", "200, all right")
    return run


def runs(lab):
    """A folder with a table and a run of two phases: `whole`, never interrupted, and `cut`, killed in its second
    phase behind a checkpoint."""
    def make(room):
        rows = inputs.samples(lab.random("runs"))
        inputs.write(room / "t.csv", inputs.table(inputs.labelled(rows), (*inputs.COLUMNS, "label")))
        inputs.write(room / "r.yaml", inputs.recipe(
            {"kind": "csv", "path": "t.csv"}, noise={"kind": "symmetric", "rate": 0.2},
            method={"name": "self-distillation", "stages": 1},
            training={"epochs": 60, "batch": 8, "ema": 0.9, "checkpoint-steps": 20}))
        right(train(lab, room, "r.yaml", "whole"))
        for _ in range(10):
            forget(room / "cut")
            cut = lab.run("train", "r.yaml", "--threads", "1", "--out", "cut", at=room, wait=60, send=signal.SIGKILL,
                          until=lambda: list((room / "cut").glob("phases/1-*/checkpoints/*/checkpoint.json")))
            if cut.code == -signal.SIGKILL and list((room / "cut").glob("phases/1-*/checkpoints/*/checkpoint.json")):
                return room, bytes_of(room / "whole")
        raise Fault("no run could be cut behind a checkpoint")
    return lab.once("runs", make)


def copy(lab, name, room):
    """A copy of one of the runs, in a folder with its table: the run folder, and the untouched bytes."""
    home, untouched = runs(lab)
    shutil.copytree(home / name, room / "run")
    for file in ("t.csv", "r.yaml"):
        shutil.copy(home / file, room)
    return room / "run", untouched


def resumed(lab, room, untouched, *names):
    """Resumes: the bytes of the run that nobody touched, or a refusal that names the file."""
    ran = tidy(lab.run("train", "--resume", "--threads", "1", "--out", "run", at=room, wait=60))
    if ran.code == 0:
        if found := different(bytes_of(room / "run"), untouched):
            raise Fault(f"exit 0 with other bytes in {', '.join(found[:3])}")
    elif ran.code not in (65, 74) or (names and not any(name in ran.line for name in names)):
        raise Fault(f"exit {ran.code}, and the line does not name {' or '.join(names)}: {shown(ran.line)}")
    return ran


def leaves(value, path=()):
    """Every integer in a record, with the keys that lead to it."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield from leaves(item, (*path, key))
    elif isinstance(value, list):
        for key, item in enumerate(value):
            yield from leaves(item, (*path, key))
    elif isinstance(value, int) and not isinstance(value, bool):
        yield path, value


def changed(file, path, number, line=None):
    """Writes another integer into a record; `line` of a file with one record a line."""
    text = file.read_text()
    records = text.split("\n") if line is not None else [text]
    record = json.loads(records[line or 0])
    inner = record
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = number
    if line is None:
        records[0] = json.dumps(record, indent=2, sort_keys=True, separators=(",", " : "), ensure_ascii=False)
    else:
        records[line] = json.dumps(record, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    file.write_text("\n".join(records))


def checkpoint(folder):
    return next(folder.glob("phases/1-*/checkpoints/*/checkpoint.json"))


@kind("a10 integers of checkpoint.json", "refused (65) naming the file, or the untouched run's bytes; no trap", "state")
def integers(lab, random):
    home, untouched = runs(lab)
    record = json.loads(checkpoint(home / "cut").read_text())
    paths = [p for p, _ in leaves(record) if p[-1] in ("step", "epoch", "stepInEpoch", "metricsBytes", "version", "samples")
             and "validation" not in p]
    for path in paths:
        for name, number in NUMBERS.items():
            value = dict(leaves(record))[path]
            if number(value) == value:
                continue

            def task(room, path=path, number=number(value)):
                folder, untouched = copy(lab, "cut", room)
                changed(checkpoint(folder), path, number)
                resumed(lab, room, untouched, "checkpoint", "metrics.jsonl")
            yield f"{'.'.join(map(str, path))} set to {name}", task


def flipped(file, place, bit):
    data = bytearray(file.read_bytes())
    data[place % len(data)] ^= 1 << bit
    file.write_bytes(data)


def flips(lab, random, which, each):
    home, _ = runs(lab)
    for file in sorted(path for path in (home / which).rglob("*") if path.is_file() and path.stat().st_size):
        for _ in range(each):
            place, bit = random.randrange(file.stat().st_size), random.randrange(8)
            yield file.relative_to(home / which), place, bit


def resumed_flips(lab, random, which, each):
    for file, place, bit in flips(lab, random, which, each):
        def task(room, file=file, place=place, bit=bit):
            folder, untouched = copy(lab, which, room)
            flipped(folder / file, place, bit)
            resumed(lab, room, untouched, *([] if file.name == "recipe.yaml" else [file.name, file.parent.name]))
        yield f"{file}, byte {place}, bit {bit}, then train --resume", task


@kind("a10 a flipped bit in every file of a run with a checkpoint",
      "refused (65) naming the file, or the untouched run's bytes", "state")
def flipped_cut(lab, random):
    return resumed_flips(lab, random, "cut", 3)


@kind("a10 a flipped bit in every file of a finished run", "refused (65) naming the file, or the untouched run's bytes", "state")
def flipped_whole(lab, random):
    return resumed_flips(lab, random, "whole", 2)


@kind("a flipped bit in every file of a finished run, read by others", "refused, or what the untouched run's says", "state")
def flipped_read(lab, random):
    home, _ = runs(lab)
    commands = [["evaluate", "run", "--json", "--threads", "1"],
                ["predict", "run", "t.csv", "--threads", "1"],
                ["report", "run", "--out", "page.html"], ["features", "run", "--out", "f.safetensors", "--threads", "1"]]

    def answers(room):
        shutil.copytree(home / "whole", room / "run")
        shutil.copy(home / "t.csv", room)
        return [right(lab.run(*command, at=room)).out for command in commands[:2]]
    own = lab.once("answers", answers)
    for number, (file, place, bit) in enumerate(flips(lab, random, "whole", 2)):
        which = number % len(commands)
        if file.name == "model.safetensors":
            which = number % 2

        def task(room, file=file, place=place, bit=bit, which=which):
            folder, _ = copy(lab, "whole", room)
            flipped(folder / file, place, bit)
            ran = tidy(lab.run(*commands[which], at=room))
            if ran.code == 0 and which < 2 and file.name == "model.safetensors" and ran.out != own[which]:
                raise Fault("exit 0 with another answer")
        yield f"{file}, byte {place}, bit {bit}, then {' '.join(commands[which][:2])}", task


@kind("integers of every record of a run", "no trap; refused, or the untouched run's bytes", "state")
def records(lab, random):
    home, _ = runs(lab)
    for which in ("cut", "whole"):
        for file in sorted(path for path in (home / which).rglob("*") if path.suffix in (".json", ".jsonl")):
            lines = file.read_text().split("\n") if file.suffix == ".jsonl" else [file.read_text()]
            lines = [number for number, text in enumerate(lines) if text.strip()]
            for _ in range(3):
                line = random.choice(lines)
                text = file.read_text()
                found = list(leaves(json.loads(text.split("\n")[line] if file.suffix == ".jsonl" else text)))
                if not found:
                    continue
                path, value = random.choice(found)
                name = random.choice([n for n, f in NUMBERS.items() if f(value) != value])
                other = random.choice(["train --resume", "train --resume", "report"])

                def task(room, which=which, file=file.relative_to(home / which), path=path, name=name, value=value,
                         line=line if file.suffix == ".jsonl" else None, other=other):
                    folder, untouched = copy(lab, which, room)
                    changed(folder / file, path, NUMBERS[name](value), line)
                    if other == "report" and which == "whole":
                        tidy(lab.run("report", "run", at=room))
                    else:
                        resumed(lab, room, untouched)
                yield f"{which}: {file.relative_to(home / which)}, {'.'.join(map(str, path))} set to {name}, then {other}", task


@case("131 resumed after a cell of the table changed", "exit 65; a hint at --inexact only if that works")
def data_changed(lab):
    room = lab.room("131")
    copy(lab, "cut", room)
    text = (room / "t.csv").read_text()
    first = text.split("\n")[1].split(",")
    inputs.write(room / "t.csv", text.replace(first[0], str(float(first[0]) + 0.25), 1))
    ran = refused(lab.run("train", "--resume", "--threads", "1", "--out", "run", at=room, wait=60))
    if "--inexact" in ran.line:
        right(lab.run("train", "--resume", "--inexact", "--threads", "1", "--out", "run", at=room, wait=60))
    return shown(ran.line)


@case("a run killed behind a checkpoint and resumed", "the untouched run's bytes")
def killed(lab):
    room = lab.room("killed")
    _, untouched = copy(lab, "cut", room)
    right(resumed(lab, room, untouched))
    return "the same bytes"


for _signal in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
    @case(f"{_signal.name} while training", "exit 130 with a checkpoint; resumed to the untouched run's bytes")
    def signalled(lab, number=_signal):
        room = lab.room("signal")
        home, untouched = runs(lab)
        for file in ("t.csv", "r.yaml"):
            shutil.copy(home / file, room)
        ran = lab.run("train", "r.yaml", "--threads", "1", "--out", "run", at=room, wait=60, send=number,
                      until=lambda: list((room / "run").glob("phases/0-*/checkpoints/*/checkpoint.json")))
        if ran.code != 130:
            raise Fault(f"exit {ran.code}: {shown(ran.line)}")
        right(resumed(lab, room, untouched))
        return "exit 130, the same bytes"


# Two processes in one folder.

def race(lab, room, arguments, again, untouched, folder):
    """Starts two processes at once: one ends with the right bytes, the other refuses and names the first."""
    pair = [lab.start(*arguments, at=room, stdout=subprocess.PIPE, stderr=subprocess.PIPE) for _ in range(2)]
    said, killed = [], False
    for process in pair:
        try:
            said.append(process.communicate(timeout=60)[1].decode(errors="replace"))
        except subprocess.TimeoutExpired:
            process.kill()
            said.append(process.communicate()[1].decode(errors="replace"))
            killed = True
    codes = [process.returncode for process in pair]
    if killed:
        raise Fault("one did not end within 60 s")
    if codes.count(0) != 1 or any(code < 0 for code in codes):
        raise Fault(f"exit {codes[0]} and {codes[1]}: {shown(said[0][-150:])} / {shown(said[1][-150:])}")
    loser = 1 - codes.index(0)
    line = [text for text in said[loser].split("\n") if text.startswith("limbeck: ")][-1:] or [""]
    if codes[loser] not in (64, 65, 74) or (
            not re.search(rf"\b{pair[1 - loser].pid}\b", line[0])):
        raise Fault(f"exit {codes[loser]}, and the line does not name process {pair[1 - loser].pid}: {shown(line[0])}")
    if found := different(again(room / folder), untouched):
        raise Fault(f"other bytes than an undisturbed run in {', '.join(found[:3])}")


@kind("two trainings into one folder at once", "one refuses and names the other's process; the other's bytes are right", "races")
def trainings(lab, random):
    for number in range(10):
        def task(room):
            home, untouched = runs(lab)
            for file in ("t.csv", "r.yaml"):
                shutil.copy(home / file, room)
            race(lab, room, ["train", "r.yaml", "--threads", "1", "--out", "run"], bytes_of, untouched, "run")
        yield f"race {number + 1}", task


def phases_of(folder):
    return {name: data for name, data in bytes_of(folder).items() if name.startswith("phases/")}


@kind("two comparisons into one folder at once",
      "one refuses and names the other's process; the other's bytes are right", "races")
def comparisons(lab, random):
    def make(room):
        home, _ = runs(lab)
        shutil.copy(home / "t.csv", room)
        row = lambda name, rate: {"name": name, "method": {"name": "cross-entropy"}, "optimizer": {"kind": "adam", "learning-rate": rate}}
        inputs.write(room / "c.yaml", "".join(f"{k}: {json.dumps(v)}\n" for k, v in {
            "data": {"kind": "csv", "path": "t.csv"}, "model": {"name": "mlp", "hidden": [16]},
            "training": {"epochs": 60, "batch": 8}, "seeds": [0], "rows": [row("a", 0.03), row("b", 0.01)]}.items()))
        right(lab.run("compare", "c.yaml", "--threads", "1", "--out", "run", at=room, wait=60))
        return room, phases_of(room / "run")
    for number in range(10):
        def task(room):
            home, untouched = lab.once("comparison", make)
            for file in ("t.csv", "c.yaml"):
                shutil.copy(home / file, room)
            race(lab, room, ["compare", "c.yaml", "--threads", "1", "--jobs", "1", "--out", "run"], phases_of, untouched, "run")
        yield f"race {number + 1}", task
