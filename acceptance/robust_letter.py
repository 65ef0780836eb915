"""The pipeline on letters with 40 % of the labels wrong: the best robust row, and its small student."""

import json
import math

from checker import PROGRAM, ROOT, one_object

SEEDS = 5
PLAIN = {"cross-entropy", "regularised", "regularised, feature noise"}
CEILING = "clean labels"
STUDENT = "early learning, distilled"


def run(check):
    table = check.folder / "letter.csv"
    check.run("letter-table", [ROOT / "scripts/letter", "--out", table])
    folder = check.folder / "letter"
    seeds = ",".join(str(check.options.first_seed + i) for i in range(SEEDS))
    code, out, said, seconds = check.run(
        "letter", [PROGRAM, "compare", ROOT / "Examples/robust/letter.yaml", "--json", "--out", folder, "--seeds", seeds,
                   "--set", f"data.path={table}", "--jobs", check.options.jobs, "--threads", "1", "--precision", "fp32",
                   "--device", "cpu"])
    value = one_object(out)
    if code != 0 or value is None:
        check.say(False, "letter", f"exit {code}: {said.strip()[-300:]}", "a table")
        return
    rows = {}
    for cell in json.loads((folder / "result.json").read_text())["cells"]:
        scores = cell["results"][-1]["student"]
        row = rows.setdefault(cell["row"], {"selected": [], "last": [], "validation": []})
        row["selected"].append(100 * scores["selected"]["test"]["accuracy"])
        row["last"].append(100 * scores["last"]["test"]["accuracy"])
        row["validation"].append(100 * scores["selected"]["validation"]["accuracy"])
    for name, row in rows.items():
        print(f"        {name:28} selected {spread(row['selected'])}, last {spread(row['last'])}, "
              f"noisy validation {mean(row['validation']):.1f}", flush=True)
    print(f"        letter: {SEEDS} seeds in {seconds / 60:.1f} min", flush=True)
    robust = [name for name in rows if name not in PLAIN | {CEILING, STUDENT}]
    best = max(robust, key=lambda name: mean(rows[name]["validation"]))
    gap = [a - b for a, b in zip(rows[best]["selected"], rows["regularised"]["selected"], strict=True)]
    check.say(mean(gap) > 2 * sd(gap), f"letter: {best} (chosen on noisy validation) over regularised cross-entropy",
              f"{mean(gap):+.2f} ± {sd(gap):.2f} points (sd of the difference)", "more than two sd of the difference")
    closed = mean(gap) / (mean(rows[CEILING]["selected"]) - mean(rows["regularised"]["selected"]))
    check.say(closed >= 0.5, "letter: the gap to training on clean labels closed", f"{100 * closed:.0f} %", "half or more")
    lost = [a - b for a, b in zip(rows[best]["selected"], rows[STUDENT]["selected"], strict=True)]
    check.say(mean(lost) <= 1, "letter: a student of at most half the weights", f"{mean(lost):+.2f} points below its teacher",
              "within one point")


def mean(values):
    return sum(values) / len(values)


def sd(values):
    m = mean(values)
    return math.sqrt(sum((v - m) ** 2 for v in values) / (len(values) - 1))


def spread(values):
    return f"{mean(values):.1f} ± {sd(values):.1f}"
