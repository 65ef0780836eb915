"""What the audit's labels are worth: training on given, pruned, corrected, posterior and weighted labels, and what a
budget of corrections buys in three orders."""

import csv
import gzip
import json
import random
import shutil

from audit_common import BUDGET, COMPUTE, audited, changes, data, mean, seeds, slug
from checker import PROGRAM, ROOT
from robust_common import differences, signed, spread

SEEDS = 3
CASES = {"letter, symmetric .4": "letter", "Fashion-MNIST-10k, symmetric .4": "fashion"}
# On these the loop has to close: plain training at the last epoch on pruned or corrected labels, in points over given.
GAIN = {"letter, symmetric .4": 15}
TRAININGS = ["plain", "regularised", "robust"]
LABELS = ["given", "pruned", "corrected", "posterior", "weighted"]
ORDERS = ["by worth", "by probability", "at random"]
PAGE, ADMITS = "Documentation/audit.md", "does not beat the order by probability"


def run(check):
    for case, example in CASES.items():
        audits = [audited(check, case, seed) for seed in seeds(check, SEEDS)]
        if None in audits:
            continue
        rows = trained(check, f"loop-{example}", audits, example)
        if rows is not None:
            table(case, rows)
            closes(check, case, rows)
        for audit in audits:
            orders(check, audit)
        rows = trained(check, f"budget-{example}", audits, example)
        if rows is not None:
            bought(check, case, rows)


def trained(check, name, audits, example):
    """A comparison of Examples/audit on each audit's files: {row: (selected, last)} in percent by seed, or nothing."""
    rows = {}
    for audit in audits:
        home = room(check, audit)
        command = [PROGRAM, "compare", ROOT / f"Examples/audit/{name}.yaml", "--seeds", audit.seed, "--out", name,
                   "--jobs", check.options.jobs, *COMPUTE, *changes(check)]
        for key, value in data(check, example).items():
            command += ["--set", f"data.{key}={value}"]
        code, _, said, _ = check.run(f"{name}-{audit.seed}", command, cwd=home)
        if code != 0:
            check.say(False, f"{name}, seed {audit.seed}", f"exit {code}: {said.strip()[-300:]}", "a table")
            return None
        for cell in json.loads((home / name / "result.json").read_text())["cells"]:
            student = cell["results"][-1]["student"]
            selected, last = rows.setdefault(cell["row"], ([], []))
            selected.append(100 * student["selected"]["test"]["accuracy"])
            last.append(100 * student["last"]["test"]["accuracy"])
    return rows


def room(check, audit):
    """A folder with the label files of an audit: in its own nothing else may stand."""
    folder = check.folder / "loop" / audit.folder.name
    if not folder.exists():
        folder.mkdir(parents=True)
        for path in [*audit.folder.glob("labels-*.csv"), audit.folder / "weights.csv"]:
            shutil.copy(path, folder)
    return folder


def figure(rows, training, labels):
    """Plain training is judged at the last epoch, the others at the best one on the validation split."""
    selected, last = rows[f"{training}, {labels}"]
    return last if training == "plain" else selected


def table(case, rows):
    print(f"        {case}: test accuracy; plain training at the last epoch, the others at the best one on validation; "
          f"clean labels {spread(rows['clean labels'][0])}", flush=True)
    print(f"        {'':12}" + "".join(f"{labels:>15}" for labels in LABELS), flush=True)
    for training in TRAININGS:
        print(f"        {training:12}" + "".join(f"{spread(figure(rows, training, labels)):>15}" for labels in LABELS), flush=True)
    pairs = [(training, labels) for training in TRAININGS for labels in LABELS]
    best = max(pairs, key=lambda pair: mean(figure(rows, *pair)))
    given = max(TRAININGS, key=lambda training: mean(figure(rows, training, "given")))
    gain = differences(figure(rows, *best), figure(rows, given, "given"))
    print(f"        {case}: best is {best[0]} training on {best[1]} labels, {signed(gain)} over {given} training on given "
          "labels, the best without the audit", flush=True)


def closes(check, case, rows):
    gains = {labels: differences(figure(rows, "plain", labels), figure(rows, "plain", "given")) for labels in LABELS[1:]}
    best = max(("pruned", "corrected"), key=lambda labels: mean(gains[labels]))
    if case in GAIN:
        check.say(mean(gains[best]) >= GAIN[case], f"{case}: plain training on {best} labels over given ones",
                  f"{signed(gains[best])} points", f"{GAIN[case]} or more")
    else:
        complete = len(rows) == len(TRAININGS) * len(LABELS) + 1
        check.say(complete, f"{case}: the same table", f"{len(rows)} rows; plain training on {best} labels "
                  f"{signed(gains[best])} over given ones", "every row")


def orders(check, audit):
    """Writes a label file for each order: so many labels as they truly are."""
    true = truth(check, audit)
    with open(audit.folder / "budget.csv", newline="", encoding="utf-8") as file:
        worth = [int(row["sample"]) for row in csv.DictReader(file)]
    given = {int(row["sample"]): row["given"] for row in audit.rows()}
    chosen = {"by worth": worth[:BUDGET], "by probability": list(given)[:BUDGET],
              "at random": random.Random(audit.seed).sample(sorted(given), min(BUDGET, len(given)))}
    for order, samples in chosen.items():
        with open(room(check, audit) / f"{slug(order)}.csv", "w", newline="", encoding="utf-8") as file:
            rows = csv.writer(file, lineterminator="\n")
            rows.writerow(["sample", "label"])
            rows.writerows([i, true[i]] for i in sorted(samples))
        wrong = sum(given[i] != true[i] for i in samples)
        print(f"          {audit.case}, seed {audit.seed}, {order}: {wrong} of {len(samples)} labels were wrong", flush=True)


def truth(check, audit):
    """The true label of every sample, by row of the data as read."""
    where = data(check, CASES[audit.case])
    if "path" in where:
        with open(where["path"], newline="", encoding="utf-8") as file:
            return [row["label"] for row in csv.DictReader(file)]
    path = next(where["folder"].glob("train-labels-idx1-ubyte*"))
    with (gzip.open if path.suffix == ".gz" else open)(path, "rb") as file:
        return [audit.value["classes"][k] for k in file.read()[8:]]


def bought(check, case, rows):
    for training in TRAININGS[1:]:
        given = figure(rows, training, "given")
        gains = {order: differences(figure(rows, training, order), given) for order in ORDERS}
        print(f"        {case}, {BUDGET} labels corrected, {training} training ({spread(given)} without): "
              + ", ".join(f"{order} {signed(gain)}" for order, gain in gains.items()), flush=True)
    over = [x for training in TRAININGS[1:]
            for x in differences(figure(rows, training, "by worth"), figure(rows, training, "by probability"))]
    page = ROOT / PAGE
    admits = page.exists() and ADMITS in page.read_text()
    check.say(mean(over) > 0 or admits, f"{case}: {BUDGET} corrections by worth over by probability",
              f"{signed(over)} points{f', and {PAGE} says that it {ADMITS}' if admits else ''}",
              f"above, or {PAGE} says that it {ADMITS}")
