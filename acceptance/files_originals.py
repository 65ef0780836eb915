"""The inputs that failed once, as they were found, where a checkout stands beside them (../shared/cases)."""

import csv
import io
import json
import os
import shutil

import files_inputs as inputs
from checker import ROOT
from files_cases import absent_or_warned, agrees, need_refusal, one_reading, predicted, train
from files_lab import Fault, accuracy, judged, refused, right, shown, tidy
from files_networks import glove

FOLDER = ROOT.parent / "shared/cases"
FITS = ["--model", "mlp", "--hidden", "8", "--classes", "a,b,c", "--sample-shape", "4"]
FLOWERS = """sepal_length,sepal_width,petal_length,petal_width,kind
5.1,3.5,1.4,0.2,alba
6.2,2.9,4.3,1.3,borealis
7.7,3.8,6.7,2.2,ciliata
"""


def opened(lab, name):
    """A copy of a case that may be written to, with its paths put right."""
    room = lab.room(name) / "case"
    shutil.copytree(FOLDER / name, room)
    for path in [room, *room.rglob("*")]:
        os.chmod(path, 0o755 if path.is_dir() else 0o644)
        if path.suffix == ".yaml":
            text = path.read_bytes().replace(b"../../../project", str(ROOT).encode()).replace(b"n4/", b"")
            path.write_bytes(text)
    return room


def labels_of(path, column, delimiter=","):
    rows = list(csv.DictReader(io.StringIO(path.read_text()), delimiter=delimiter))
    return [row[column] for row in rows]


def itself(lab, room, table, column, wanted, delimiter=","):
    """Trains, predicts the training table and measures it."""
    accuracy(train(lab, room))
    found = predicted(lab.run("predict", "run", table, "--threads", "1", at=room))
    true = labels_of(room / table, column, delimiter)
    hits = sum(a == b for a, b in zip(found, true)) / len(true) if len(found) == len(true) else 0
    if hits < wanted:
        raise Fault(f"{len(found)} rows of {len(true)}, {100 * hits:.0f} % right")
    measured = accuracy(lab.run("evaluate", "run", "--table", table, "--json", "--threads", "1", at=room))
    if abs(measured - hits) > 0.005:
        raise Fault(f"predict has {100 * hits:.1f} % right, evaluate says {100 * measured:.1f} %")
    return f"{100 * hits:.0f} % right"


def reordered(lab, room):
    accuracy_here = tidy(train(lab, room))
    rows = list(csv.DictReader(io.StringIO((room / "test.csv").read_text())))
    names = ["x0", "x1", "x2", "label"]
    inputs.write(room / "test.csv", inputs.table([[row[n] for n in names] for row in rows], names))
    return agrees(accuracy_here, accuracy(train(lab, room, "r.yaml", "right")))


def teacher(lab, room):
    seen = []
    for recipe, out in (("t3", "teacher3"), ("tcab", "teachercab"), ("ty", "teachery"), ("t5", "teacher")):
        accuracy(train(lab, room, f"{recipe}.yaml", out))
    for recipe, must in (("rcab", False), ("rre", False), ("am", False), ("rz", True), ("ry", True), ("r", True)):
        ran = tidy(train(lab, room, f"{recipe}.yaml", f"run-{recipe}"))
        if ran.code:
            refused(ran)
        elif must:
            need_refusal("trained")
        elif recipe != "am":
            result = json.loads((room / f"run-{recipe}/result.json").read_text())
            reached = result["phases"][-1]["teacher"]["test"]["accuracy"]
            if reached < 0.7:
                raise Fault(f"{recipe}.yaml: exit 0, and the teacher reaches {reached}")
        seen.append(f"{recipe} {ran.code}")
    return ", ".join(seen)


def compared(lab, room, word):
    ran = tidy(lab.run("compare", "c.yaml", "--threads", "1", "--out", "out", at=room, wait=60))
    if ran.code != 65 or word not in ran.said or not (room / "out/result.json").is_file():
        raise Fault(f"exit {ran.code}, {'a' if (room / 'out/result.json').is_file() else 'no'} result: {shown(ran.line)}")
    return shown(ran.line)


def blank(lab, room):
    accuracy(train(lab, room))
    ran = tidy(lab.run("predict", "run", "new.csv", "--threads", "1", at=room))
    if ran.code == 0 and len(ran.rows()) != 4:
        raise Fault(f"{len(ran.rows()) - 1} rows for three")
    return f"exit {ran.code}"


def expected(lab, room, *options):
    right(lab.run("import", "w.pth", *FITS, *options, "--out", "new.safetensors", at=room))
    rows = right(lab.run("predict", "new.safetensors", "x.csv", "--probabilities", "--threads", "1", at=room)).rows()
    known = [[float(v) for v in line.split()] for line in (room / "expected.txt").read_text().strip().split("\n")]
    worst = max(abs(float(cell) - value) for row, line in zip(rows[1:], known) for cell, value in zip(row[-3:], line))
    if worst > 2e-5 or len(rows) != len(known) + 1:
        raise Fault(f"a probability differs by {worst}")
    return f"largest difference {worst:.0e}"


def either(ran, *words):
    if tidy(ran).code:
        refused(ran, *words)
    return f"exit {ran.code}"


def warned(lab, room):
    ran = tidy(lab.run("noise", "r.yaml", "--json", at=room))
    if ran.code == 0 and not ran.object()["warnings"]:
        raise Fault("exit 0 without a warning")
    return f"exit {ran.code}"


def every(lab, room, *files):
    inputs.write(room / "flowers.csv", FLOWERS)
    for file in files:
        refused(lab.run("evaluate", file, "--table", "flowers.csv", "--threads", "1", at=room))
    return "exit 65"


def names(lab, room):
    shutil.copytree(glove(lab) / "glove", room / "glove")
    codes = {}
    for file, code in (("names_case.txt", 0), ("names_crlf.txt", 0), ("names_dup.txt", 65), ("names_unk.txt", 65)):
        ran = tidy(lab.run("embed-labels", "--names", file, "--glove", "glove", "--out", f"{file}.safetensors", at=room))
        codes[file] = ran.code
        if ran.code != code:
            raise Fault(f"{file}: exit {ran.code}: {shown(ran.line)}")
    return str(list(codes.values()))


def dry(lab, room, recipe="r.yaml"):
    return lab.run("train", recipe, "--dry-run", "--json", at=room)


def recipes(lab, room):
    codes = {path.stem: tidy(dry(lab, room, path.name)).code for path in sorted(room.glob("*.yaml"))}
    wrong = [name for name in ("anchor", "bom", "crlf", "json", "nl2", "sci") if codes[name]]
    wrong += [name for name in ("comma", "dupkey", "empty", "tabs", "tilde", "win") if not codes[name]]
    if wrong:
        raise Fault(f"{wrong[0]}.yaml: exit {codes[wrong[0]]}")
    return f"{len(codes)} files"


ORIGINALS = {
    "05b-label-nan-word": lambda lab, room: absent_or_warned(dry(lab, room), "NaN"),
    "112-empty": lambda lab, room: shown(refused(lab.run("import", "w.pth", *FITS, "--out", "o", at=room), "empty").line),
    "142-teacher-classes": teacher,
    "143-numeric-names-roundtrip": lambda lab, room: one_reading(
        lab.run("noise", "r.yaml", "--labels", "zero.csv", "--json", at=room)),
    "171-kaggle-digits": lambda lab, room: itself(lab, room, "train.csv", "label", 0.5),
    "172-compare-one-row-bad": lambda lab, room: compared(lab, room, "wild"),
    "173-yaml": recipes,
    "180-uci-no-header": lambda lab, room: shown(refused(dry(lab, room), "header").line),
    "181-search-diverges": lambda lab, room: compared(lab, room, "searched"),
    "191-embed-labels": names,
    "193-one-feature": blank,
    "35-predict-columns": lambda lab, room: itself(lab, room, "t.csv", "label", 0.7),
    "36-semicolon-train": lambda lab, room: itself(lab, room, "t.csv", "label", 0.6, ";"),
    "54-kaggle-id": lambda lab, room: itself(lab, room, "train.csv", "Species", 0.6),
    "57-testpath-reordered": reordered,
    "64-idx-labels-from-1": warned,
    "73-batch-1-resnet8-4px": lambda lab, room: either(train(lab, room, wait=120), "epoch|batch"),
    "74-vgg-1x1-batch-1": lambda lab, room: either(train(lab, room, wait=120), "epoch|batch"),
    "79-diverge-at-epoch-end": lambda lab, room: shown(
        refused(train(lab, room, "r.yaml", "run", "--set", "optimizer.learning-rate=1e20", "--set", "training.batch=512"), "finite").line),
    "82-repdistiller-model": lambda lab, room: expected(lab, room) + expected(lab, room, "--part", "model"),
    "89-mdistiller-module-student": lambda lab, room: expected(lab, room) + expected(lab, room, "--map", "m1.yaml"),
    "a01-yaml-cr-alias-key": lambda lab, room: shown(refused(dry(lab, room, "recipe.yaml")).line),
    "a02-csv-combining": lambda lab, room: shown(refused(dry(lab, room)).line),
    "a04-card": lambda lab, room: every(lab, room, *[path.name for path in room.glob("*.safetensors")]),
    "a05-nan-evaluate": lambda lab, room: every(lab, room, "nanw.safetensors", "norm-1e-45.safetensors"),
    # Its third column has a name of 3,000 bytes, which is refused: names are bounded.
    "a06-names": lambda lab, room: either(dry(lab, room, "r2.yaml"), "name"),
    "a08-train-nan-trap": lambda lab, room: shown(
        refused(train(lab, room), "finite").line) + either(train(lab, room, "r3.yaml", "r3")) + either(
        train(lab, room, "test-extreme.yaml", "extreme"), "finite"),
    "a10-checkpoint-json": lambda lab, room: either(
        lab.run("train", "--resume", "--threads", "1", "--out", room, at=room.parent, wait=60)),
    "a13-bom": lambda lab, room: f"exit {right(dry(lab, room)).code}"}


def originals(check, lab):
    if not FOLDER.is_dir():
        print("        the inputs as they were found are not here; `cases` has them rebuilt", flush=True)
        return
    for name, judge in ORIGINALS.items():
        seen = []
        fault = judged(lambda: seen.append(judge(lab, opened(lab, name))))
        check.say(fault is None, f"as found: {name}", fault or shown(seen[0]), "as in `cases`")
