"""The pipeline on letters with 40 % of the labels wrong: the best robust row, and its small student."""

from checker import ROOT
from robust_common import CEILING, best_robust, compared, differences, mean, sd, signed

SEEDS = 5
STUDENT = "early learning, distilled"


def letter_table(check):
    """The CSV of `scripts/letter`, made once."""
    table = check.folder / "letter.csv"
    if not table.exists():
        check.run("letter-table", [ROOT / "scripts/letter", "--out", table])
    return table


def run(check):
    rows = compared(check, "letter", "robust/letter.yaml", SEEDS, f"data.path={letter_table(check)}")
    if rows is None:
        return
    noise = "symmetric 0.4"
    best = best_robust(rows, noise, besides={STUDENT})
    robust, regularised = rows[noise, best].selected, rows[noise, "regularised"].selected
    clean = next(row for (_, name), row in rows.items() if name == CEILING).selected
    gap = differences(robust, regularised)
    check.say(mean(gap) > 2 * sd(gap), f"letter: {best} (chosen on noisy validation) over regularised cross-entropy",
              f"{signed(gap)} points (sd of the difference)", "more than two sd of the difference")
    closed = mean(gap) / (mean(clean) - mean(regularised))
    check.say(closed >= 0.5, "letter: the gap to training on clean labels closed", f"{100 * closed:.0f} %", "half or more")
    lost = differences(robust, rows[noise, STUDENT].selected)
    check.say(mean(lost) <= 1, "letter: a student of at most half the weights", f"{mean(lost):+.2f} points below its teacher",
              "within one point")
