"""What the groups of acceptance/audit share: its recipes, audits that are made once, Python with cleanlab."""

import csv
import json
import os
import re
import shlex
import sys

from checker import PROGRAM, ROOT, fashion_folder, one_object
from robust_letter import letter_table
from robust_table import source

PACKAGES = ["cleanlab==2.9.0", "scikit-learn"]
# Data and noise by name: the recipe of Examples/audit, and the noise in the place of its own.
CASES = {
    "embedded, symmetric .4": ("embedded", "{kind: symmetric, rate: 0.4}"),
    "embedded, asymmetric .3": ("embedded", "{kind: asymmetric, rate: 0.3, map: fashion-mnist}"),
    "embedded, instance .4": ("embedded", "{kind: instance, rate: 0.4}"),
    "letter, symmetric .2": ("letter", "{kind: symmetric, rate: 0.2}"),
    "letter, symmetric .4": ("letter", "{kind: symmetric, rate: 0.4}"),
    "letter, instance .4": ("letter", "{kind: instance, rate: 0.4}"),
    "Fashion-MNIST-10k, symmetric .4": ("fashion", "{kind: symmetric, rate: 0.4}"),
    "tweets, one rater": ("tweets", None),
}
COMPUTE = ["--threads", "1", "--precision", "fp32", "--device", "cpu"]
# Corrections by truth that acceptance/audit --only loop buys.
BUDGET = 300


class Audit:
    """What one audit says (its JSON) and where it is."""

    def __init__(self, case, seed, folder, value, seconds):
        self.case, self.seed, self.folder, self.value, self.seconds = case, seed, folder, value, seconds

    @property
    def learning(self):
        return self.value["learning"]

    def measured(self, key):
        """A figure beside the truth, or not-a-number."""
        value = (self.learning["measured"] or {}).get(key)
        return float("nan") if value is None else value

    def rows(self):
        """Rows of audit.csv, the most suspicious first, without those of the test split."""
        with open(self.folder / "audit.csv", newline="", encoding="utf-8") as file:
            return [row for row in csv.DictReader(file) if row["split"] != "test"]

    def line(self):
        part, rate = self.learning, self.learning["noise-rate"]
        truth = part["true-noise-rate"]
        words = f"rate {rate['estimate']:.3f} ({rate['low']:.3f} to {rate['high']:.3f})" if rate else "called useless, rate unknown"
        words += f" for {truth:.3f}" if truth is not None else ""
        if listed := part["list"]:
            words += (f"; list {listed['count']} of {part['samples']}, precision {listed['precision']:.3f} "
                      f"({listed['low']:.3f} to {listed['high']:.3f}) for {self.measured('precision'):.3f}, recall "
                      f"{self.measured('recall'):.3f}, F1 {self.measured('f1'):.3f} (best {self.measured('best-f1'):.3f})")
        else:
            words += "; nothing listed"
        return (f"{self.case}, seed {self.seed}: AUC {self.measured('auc'):.4f}, at recall .8 "
                f"{self.measured('precision-at-recall-80'):.3f}; {words}; {self.seconds:.0f} s")


def audited(check, case, seed):
    """The audit of a case at a seed, made on first use; nothing if it failed."""
    kept = check.__dict__.setdefault("audits", {})
    if (case, seed) not in kept:
        kept[case, seed] = made(check, case, seed)
    return kept[case, seed]


def made(check, case, seed):
    name = f"{slug(case)}-{seed}"
    folder = check.folder / "audits" / name
    command = [PROGRAM, "audit", recipe(check, case), "--seed", seed, "--out", folder, "--budget", BUDGET, "--json",
               "--jobs", check.options.jobs, *COMPUTE, *changes(check)]
    code, out, said, seconds = check.run(name, command)
    value = one_object(out)
    if code != 0 or value is None:
        check.say(False, f"audit of {case}, seed {seed}", f"exit {code}: {said.strip()[-300:]}", "one JSON object")
        return None
    audit = Audit(case, seed, folder, value, seconds)
    print(f"        {audit.line()}", flush=True)
    return audit


def seeds(check, count):
    return [check.options.first_seed + i for i in range(count)]


def changes(check):
    return [word for change in check.options.set for word in ("--set", change)]


def slug(words):
    return re.sub(r"[^a-z0-9]+", "-", words.lower()).strip("-")


def recipe(check, case):
    """The recipe of a case with its data and noise."""
    example, noise = CASES[case]
    path = check.folder / f"{slug(case)}.yaml"
    if not path.exists():
        text = (ROOT / f"Examples/audit/{example}.yaml").read_text()
        for key, value in data(check, example).items():
            text = re.sub(rf"\b{key}: [\w.-]+", f"{key}: {json.dumps(str(value))}", text, count=1)
        if noise:
            text = re.sub(r"(?m)^noise: .*$", f"noise: {noise}", text)
        path.write_text(text)
    return path


def data(check, example):
    """Where the data of an example is: keys of its `data`."""
    if example == "letter":
        return {"path": letter_table(check)}
    if example == "fashion":
        return {"folder": fashion_folder(check)}
    if example == "tweets":
        table = check.folder / "tweets.csv"
        if not table.exists():
            check.run("tweets-table", [ROOT / "scripts/vader-tweets", "--out", table, *source()])
        return {"path": table}
    return {}


def noised(check, case, seed):
    """A CSV index,given,clean of a case's learning samples; `index` is a sample where `data.limit` leaves none out."""
    path = check.folder / f"{slug(case)}-{seed}-truth.csv"
    if not path.exists():
        check.run("noised", [PROGRAM, "noise", recipe(check, case), "--seed", seed, "--out", path])
    return path


def python(check):
    """The command that runs Python with cleanlab and scikit-learn, or nothing where pip cannot fetch them."""
    if given := os.environ.get("PYTHON"):
        return shlex.split(given)
    folder = check.folder / "venv"
    command = [str(folder / ("Scripts" if os.name == "nt" else "bin") / "python")]
    if not folder.exists():
        check.run("venv", [sys.executable, "-m", "venv", folder])
        code, _, said, _ = check.run("pip", [*command, "-m", "pip", "install", "--quiet", *PACKAGES])
        check.fetched = code == 0
        if code != 0:
            print(f"        pip could not fetch {' and '.join(PACKAGES)}: {said.strip()[-200:]}", flush=True)
    return command if check.fetched else None


def peer(check, name, *words):
    """What audit_peer.py answers, or nothing."""
    command = python(check)
    if command is None:
        return None
    code, out, said, _ = check.run(name, [*command, ROOT / "acceptance/audit_peer.py", *words])
    value = one_object(out)
    if code != 0 or value is None:
        check.say(False, name, f"exit {code}: {said.strip()[-300:]}", "an answer")
    return value


def mean(values):
    return sum(values) / len(values)
