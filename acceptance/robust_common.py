"""What the groups of acceptance/robust share: a comparison by seeds, one row against another, its printed lines."""

import json
import math

from checker import PROGRAM, ROOT, one_object

# Rows that resist wrong labels by nothing but weight decay, augmentation or early stopping.
PLAIN = {"cross-entropy", "regularised", "regularised, feature noise"}
CEILING = "clean labels"


class Row:
    """Accuracies of a row in percent, one for each seed."""

    def __init__(self):
        self.selected, self.last, self.validation, self.seconds, self.realised = [], [], [], [], []
        # Of the last phase with sections: values by key.
        self.values = []


def compared(check, name, recipe, seeds, *changes):
    """Runs `Examples/<recipe>` over so many seeds and prints a line for each row: {(noise, row): Row}, or nothing."""
    first = check.options.first_seed
    folder = check.folder / name
    command = [PROGRAM, "compare", ROOT / "Examples" / recipe, "--json", "--out", folder,
               "--seeds", ",".join(str(first + i) for i in range(seeds)), "--jobs", check.options.jobs,
               "--threads", "1", "--precision", "fp32", "--device", "cpu"]
    for change in changes:
        command += ["--set", change]
    code, out, said, seconds = check.run(name, command)
    if code != 0 or one_object(out) is None:
        check.say(False, name, f"exit {code}: {said.strip()[-300:]}", "a table")
        return None
    rows = {}
    record = json.loads((folder / "result.json").read_text())
    for cell in record["cells"]:
        # That of the table, also for the ceiling, whose own noise is none.
        noise = record["noises"][cell["noise"]]
        label = f"{noise['kind']} {noise['rate']:g}" if noise.get("rate") else noise["kind"]
        row = rows.setdefault((label, cell["row"]), Row())
        scores = cell["results"][-1]["student"]
        row.selected.append(100 * scores["selected"]["test"]["accuracy"])
        row.last.append(100 * scores["last"]["test"]["accuracy"])
        row.validation.append(100 * scores["selected"]["validation"]["accuracy"])
        row.seconds.append(cell["seconds"])
        row.realised.append(cell["realisedNoise"])
        row.values.append({value["name"]: value["value"] for result in cell["results"]
                           for section in result["sections"] for value in section.get("values", [])})
    for (noise, title), row in rows.items():
        realised = [r for r in row.realised if r is not None]
        print(f"        {name}, {noise:14} {title:28} selected {spread(row.selected)}, last {spread(row.last)}, "
              f"noisy validation {mean(row.validation):.1f}, realised noise "
              f"{f'{100 * mean(realised):.1f}' if realised else 'unknown'}, {mean(row.seconds):.0f} s", flush=True)
    print(f"        {name}: {seeds} seeds in {seconds / 60:.1f} min", flush=True)
    return rows


def noises(rows):
    """The noises of a comparison, in order, without that of the ceiling."""
    return list(dict.fromkeys(noise for noise, row in rows if row != CEILING))


def best_robust(rows, noise, besides=()):
    """The robust row whose selected weights do best on the noisy validation split."""
    names = [row for n, row in rows if n == noise and row not in PLAIN | {CEILING} | set(besides)]
    return max(names, key=lambda row: mean(rows[noise, row].validation))


def differences(a, b):
    return [x - y for x, y in zip(a, b, strict=True)]


def mean(values):
    return sum(values) / len(values)


def sd(values):
    m = mean(values)
    return math.sqrt(sum((v - m) ** 2 for v in values) / (len(values) - 1))


def spread(values):
    return f"{mean(values):.1f} ± {sd(values):.1f}"


def signed(values):
    return f"{mean(values):+.2f} ± {sd(values):.2f}"
