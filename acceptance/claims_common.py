"""What the groups of acceptance/claims share: a comparison with one number per seed, and paired differences."""

import math
import os

from checker import PROGRAM, ROOT, one_object


def compared(check, name, recipe, seeds, *changes):
    """Runs the comparison `Examples/claims/<recipe>` over so many seeds and prints its table.

    Returns {row: its JSON}, keyed by (noise, row) where several noises are compared, or nothing if it failed.
    """
    first = check.options.first_seed
    command = [PROGRAM, "compare", ROOT / "Examples/claims" / recipe, "--json", "--out", check.folder / name,
               "--seeds", ",".join(str(first + i) for i in range(seeds)), "--jobs", check.options.jobs,
               "--threads", "1", "--precision", "fp32", "--device", "cpu"]
    for change in changes:
        command += ["--set", change]
    code, out, said, seconds = check.run(name, command)
    value = one_object(out)
    if code != 0 or value is None:
        check.say(False, name, f"exit {code}: {said.strip()[-300:]}", "a table")
        return None
    rows = {}
    for row in value["rows"]:
        noise = row.get("noise")
        label = f"{noise['kind']} {noise.get('rate', '')}".strip() if noise else None
        rows[(label, row["method"]) if noise else row["method"]] = row
        print(f"        {(label or ''):16} {row['method']:36} last {spread(row['last'])}, selected {spread(row['selected'])}",
              flush=True)
    print(f"        {name}: {seeds} seeds in {seconds / 60:.1f} min", flush=True)
    return rows


def digits(check):
    """The CSV of `scripts/optdigits --pixels`, or nothing: OPTDIGITS names one that is there already."""
    if path := os.environ.get("OPTDIGITS"):
        return path
    path = check.folder / "optdigits.csv"
    if not path.exists():
        check.run("optdigits", [ROOT / "scripts/optdigits", "--pixels", "--out", path])
    if not path.exists():
        check.say(False, "optdigits", "could not be made", "the table of scripts/optdigits")
        return None
    return path


def show(check, method, words, gain, helps):
    """Keeps a gain in points (a Paired) for the picture: where the method helps, or where it does not."""
    check.figures.append({"method": method, "words": words, "mean": gain.mean, "error": gain.error, "helps": helps})


def spread(value):
    """Mean ± sd over seeds, in percent."""
    if value is None:
        return "unknown"
    return f"{100 * value['mean']:.1f}" + (f" ± {100 * value['sd']:.1f}" if value["sd"] is not None else "")


class Paired:
    """Differences a - b seed by seed, in points (100 times the values)."""

    def __init__(self, a, b):
        values = [100 * (x - y) for x, y in zip(a, b, strict=True)]
        n = len(values)
        self.mean = sum(values) / n
        self.error = math.sqrt(sum((v - self.mean) ** 2 for v in values) / (n - 1) / n) if n > 1 else math.nan

    def __str__(self):
        return f"{self.mean:+.2f} ± {self.error:.2f} points"


def paired(row, base, key):
    """`key` is last, selected, last_five, or the name of a number of `peers`."""
    def values(r):
        return (r.get(key) or r["peers"][key])["values"]
    return Paired(values(row), values(base))
