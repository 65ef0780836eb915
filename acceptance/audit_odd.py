"""Data and probabilities that nobody dreams of: each ends in a right answer or in one clear line."""

import array
import csv
import math
import random

from audit_common import COMPUTE, slug
from checker import PROGRAM, one_object

# A table of samples as its columns: numbers, and what is said of them.
RECIPE = """data: {{kind: csv, path: {table}, label: label, clean: clean, validation: 0.2, test: 0.2{more}}}
model: {{name: mlp, hidden: [32]}}
method: {{name: early-learning}}
optimizer: {{kind: adam, learning-rate: 0.01}}
training: {{epochs: {epochs}, batch: 32, ema: 0}}
"""


def run(check):
    folder = check.folder / "odd"
    folder.mkdir()
    for name, case in CASES.items():
        random_ = random.Random(f"{check.options.first_seed} {name}")
        ok, figure, bar = case(Room(check, folder, name), random_)
        check.say(ok, name, figure, bar)


class Room:
    """Files of one case, and the audit of them."""

    def __init__(self, check, folder, name):
        self.check = check
        self.stem = folder / slug(name)

    def table(self, rows, columns, kind="table"):
        path = self.stem.with_name(f"{self.stem.name}-{kind}.csv")
        with open(path, "w", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(columns)
            writer.writerows(rows)
        return path

    def recipe(self, samples, more="", epochs=20):
        """Of (features, given, true)."""
        width = len(samples[0][0])
        table = self.table([[f"{x:.4f}" for x in features] + [given, true] for features, given, true in samples],
                           [f"x{i}" for i in range(width)] + ["label", "clean"])
        path = self.stem.with_name(f"{self.stem.name}.yaml")
        path.write_text(RECIPE.format(table=table, more=more, epochs=epochs))
        return path

    def probabilities(self, rows):
        """An array of float32, as numpy writes it."""
        head = f"{{'descr': '<f4', 'fortran_order': False, 'shape': ({len(rows)}, {len(rows[0])}), }}"
        head += " " * (-(len(head) + 11) % 64) + "\n"
        path = self.stem.with_name(f"{self.stem.name}.npy")
        values = array.array("f", (x for row in rows for x in row))
        path.write_bytes(b"\x93NUMPY\x01\x00" + len(head).to_bytes(2, "little") + head.encode() + values.tobytes())
        return path

    def audit(self, source, *words):
        """Exit code, the JSON or nothing, the last line that was said, the rows of audit.csv."""
        out = self.stem.with_name(f"{self.stem.name}-audit")
        code, text, said, _ = self.check.run(self.stem.name, [
            PROGRAM, "audit", source, "--out", out, "--seed", self.check.options.first_seed, "--json", "--jobs",
            self.check.options.jobs, *COMPUTE, *words])
        last = ([line for line in said.splitlines() if line.strip()] or [""])[-1]
        rows = []
        if (out / "audit.csv").exists():
            with open(out / "audit.csv", newline="", encoding="utf-8") as file:
                rows = [row for row in csv.DictReader(file) if row["split"] != "test"]
        return code, one_object(text), last, rows


def refusal(code, last, *words):
    """Whether wrong input was refused in one line that says what is wrong."""
    return (code in (64, 65) and last.startswith("limbeck: ") and len(last) < 400
            and all(word in last for word in words)), f"exit {code}: {last[:200]}", "refused in one line"


def score(value, key="auc"):
    """A figure beside the truth, or not-a-number."""
    return (value["learning"]["measured"] or {}).get(key, math.nan)


def blobs(draw, samples, classes, noise, spread=1.0, names=None):
    """Features around a centre for each class, a given label of which `noise` are wrong, and the true one."""
    names = names or [f"c{k}" for k in range(classes)]
    centres = [[4 * math.cos(2 * math.pi * k / classes), 4 * math.sin(2 * math.pi * k / classes)] for k in range(classes)]
    rows = []
    for i in range(samples):
        true = i % classes
        given = (true + draw.randrange(1, classes)) % classes if draw.random() < noise else true
        rows.append(([x + draw.gauss(0, spread) for x in centres[true]], names[given], names[true]))
    return rows


def useless(room, draw):
    rows = [([draw.gauss(0, 1) for _ in range(4)], f"c{i % 4}", f"c{draw.randrange(4)}") for i in range(1000)]
    code, value, last, _ = room.audit(room.recipe(rows))
    if code != 0 or value is None:
        return False, f"exit {code}: {last[:200]}", "exit 0, nothing listed"
    part = value["learning"]
    return (part["useful"]["is-useless"] and not part["list"],
            f"hits {part['useful']['hits']:.3f}, chance {part['useful']['chance']:.3f}, p {part['useful']['p']:.2g}, "
            f"{'nothing' if not part['list'] else part['list']['count']} listed", "called useless, nothing listed")


def useless_probabilities(room, draw):
    rows = blobs(draw, 1000, 4, 0.2)
    table = []
    for _ in rows:
        values = [draw.random() for _ in range(4)]
        table.append([x / sum(values) for x in values])
    code, value, last, _ = room.audit(room.recipe(rows), "--probabilities", room.probabilities(table))
    if code != 0 or value is None:
        return False, f"exit {code}: {last[:200]}", "exit 0, nothing listed"
    part = value["learning"]
    return part["useful"]["is-useless"] and not part["list"], f"useful {part['useful']}", "called useless, nothing listed"


def two_classes(room, draw):
    code, value, last, _ = room.audit(room.recipe(blobs(draw, 1000, 2, 0.2, spread=1.5)))
    if code != 0 or value is None:
        return False, f"exit {code}: {last[:200]}", "AUC .95"
    return score(value) >= 0.95, f"AUC {score(value):.3f}, F1 {score(value, 'f1'):.3f}", "AUC .95 or more"


def one_sample(room, draw):
    rows = blobs(draw, 600, 3, 0.1) + [([9.0, 9.0], "rare", "rare")]
    code, value, last, judged = room.audit(room.recipe(rows))
    if code != 0:
        return refusal(code, last)
    return score(value) >= 0.95, f"{len(judged)} judged, AUC {score(value):.3f}", "AUC .95 or more, or refused in one line"


def absent_class(room, draw):
    rows = blobs(draw, 600, 3, 0.1)
    code, value, last, judged = room.audit(room.recipe(rows, more=", class-names: [c0, c1, c2, never]"))
    if code != 0:
        return refusal(code, last)
    suggested = sum(row["suggested"] == "never" for row in judged)
    return (score(value) >= 0.95 and suggested == 0, f"AUC {score(value):.3f}, suggested {suggested} times",
            "AUC .95 or more and never suggested, or refused in one line")


def clean_and_sure(room, draw):
    code, value, last, _ = room.audit(room.recipe(blobs(draw, 1200, 3, 0, spread=0.3)))
    if code != 0 or value is None:
        return False, f"exit {code}: {last[:200]}", "nothing to find"
    part = value["learning"]
    count = part["list"]["count"] if part["list"] else 0
    rate = part["noise-rate"] or {"estimate": math.nan, "low": math.nan, "high": math.nan}
    return (count <= 0.01 * part["samples"] and rate["low"] <= 0.01 and rate["estimate"] <= 0.02,
            f"{count} of {part['samples']} listed, rate {rate['estimate']:.4f} ({rate['low']:.4f} to {rate['high']:.4f})",
            "at most 1 % listed, rate at most .02")


def thousand(draw, samples, classes=1000, noise=0.1):
    """Rows, and probabilities that know the true class well."""
    rows, table = [], []
    for i in range(samples):
        true = i % classes
        given = draw.randrange(classes) if draw.random() < noise else true
        rows.append(([draw.gauss(0, 1), draw.gauss(0, 1)], f"c{given:03d}", f"c{true:03d}"))
        values = [0.2 / classes] * classes
        values[true] += 0.8 * draw.random()
        values[draw.randrange(classes)] += 0.3 * draw.random()
        total = sum(values)
        table.append([x / total for x in values])
    return rows, table


def thousand_classes(room, draw):
    rows, table = thousand(draw, 10000)
    code, value, last, _ = room.audit(room.recipe(rows), "--probabilities", room.probabilities(table))
    if code != 0 or value is None:
        return False, f"exit {code}: {last[:200]}", "AUC .95"
    return score(value) >= 0.95, f"AUC {score(value):.3f}, F1 {score(value, 'f1'):.3f}", "AUC .95 or more"


def thousand_trained(room, draw):
    rows, _ = thousand(draw, 4000)
    code, value, last, _ = room.audit(room.recipe(rows, epochs=2), "--folds", 2)
    if code != 0:
        return refusal(code, last)
    part = value["learning"]
    return (part["useful"]["is-useless"] and not part["list"], f"{part['samples']} samples judged, useful {part['useful']}",
            "features that say nothing: called useless, or refused in one line")


def not_a_number(room, draw):
    rows, table = blobs(draw, 300, 3, 0.1), [[0.2, 0.3, 0.5] for _ in range(300)]
    table[17][1] = math.nan
    code, _, last, _ = room.audit(room.recipe(rows), "--probabilities", room.probabilities(table))
    return refusal(code, last, "17")


def wrong_count(room, draw):
    rows, table = blobs(draw, 300, 3, 0.1), [[0.2, 0.3, 0.5] for _ in range(299)]
    code, _, last, _ = room.audit(room.recipe(rows), "--probabilities", room.probabilities(table))
    return refusal(code, last, "299", "300")


def wrong_classes(room, draw):
    rows, table = blobs(draw, 300, 3, 0.1), [[0.5, 0.5] for _ in range(300)]
    code, _, last, _ = room.audit(room.recipe(rows), "--probabilities", room.probabilities(table))
    return refusal(code, last, "2", "3")


def no_recipe(room, draw):
    """A table as people have it: the precision of the list is checked by what only this script knows."""
    samples = blobs(draw, 900, 3, 0.15)
    table = room.table([[f"{x:.4f}" for x in features] + [given] for features, given, _ in samples], ["x", "y", "kind"])
    code, value, last, judged = room.audit(table, "--label", "kind")
    if code != 0 or value is None:
        return False, f"exit {code}: {last[:200]}", "the wrong labels"
    count = value["learning"]["list"]["count"] if value["learning"]["list"] else 0
    wrong = {i for i, (_, given, true) in enumerate(samples) if given != true}
    found = len(wrong & {int(row["sample"]) for row in judged[:count]})
    return (count > 0 and len(judged) == 900 and 2 * found / (count + len(wrong)) >= 0.9 and score(value) != score(value),
            f"{len(judged)} of 900 judged, {found} of {len(wrong)} wrong labels among {count} listed", "all judged, F1 .9 or more")


def annotators(room, draw):
    errors = {"ann": 0.05, "bob": 0.15, "cy": 0.4}
    samples = blobs(draw, 900, 3, 0)
    rows = []
    for features, _, true in samples:
        said = [f"c{(int(true[1]) + draw.randrange(1, 3)) % 3}" if draw.random() < error else true for error in errors.values()]
        # Not everybody judges everything.
        if draw.random() < 0.3:
            said[draw.randrange(3)] = ""
        rows.append([f"{x:.4f}" for x in features] + said)
    table = room.table(rows, ["x", "y", *errors])
    code, value, last, _ = room.audit(table, "--annotators", ",".join(errors))
    if code != 0 or value is None:
        return False, f"exit {code}: {last[:200]}", "the qualities in their order"
    found = {a["name"]: a for a in value["annotators"]}
    qualities = [found[name]["quality"] for name in errors if name in found]
    return (len(qualities) == 3 and qualities == sorted(qualities, reverse=True),
            ", ".join(f"{name} {a['quality']:.3f} of {a['labels']} labels" for name, a in found.items())
            + f"; true {', '.join(f'{1 - error:.2f}' for error in errors.values())}", "the qualities in their order")


CASES = {
    "useless model": useless, "useless probabilities": useless_probabilities, "two classes": two_classes,
    "one sample of a class": one_sample, "a class without a sample": absent_class, "clean and sure labels": clean_and_sure,
    "1000 classes, probabilities given": thousand_classes, "1000 classes, trained": thousand_trained,
    "probabilities with NaN": not_a_number, "probabilities with a row less": wrong_count,
    "probabilities of two classes for three": wrong_classes, "a table without a recipe": no_recipe,
    "three annotators": annotators,
}
