"""The checked-in comparison: embedded images and 10,000 images of Fashion-MNIST under five kinds of noise, texts with
one rater's labels; short training against long; what the five systems add to a robust row."""

import os

from checker import ROOT, fashion_folder
from robust_common import CEILING, PLAIN, best_robust, compared, differences, mean, noises, sd, signed, spread

SEEDS = 3
# What three robust rows have to gain on plain cross-entropy at the last epoch, in points.
GAIN = 8


def images(check):
    embedded = compared(check, "embedded", "robust/embedded.yaml", SEEDS)
    if embedded is not None:
        memorised(check, "embedded", embedded)
        over_regularised(check, "embedded, asymmetric .4", embedded, "asymmetric 0.4", above=True)
        for noise in noises(embedded):
            informed(check, "embedded", embedded, noise)
    folder = fashion_folder(check)
    fashion = compared(check, "fashion", "robust/fashion.yaml", SEEDS, f"data.folder={folder}")
    if fashion is not None:
        memorised(check, "Fashion-MNIST-10k", fashion)
        for noise in noises(fashion):
            informed(check, "Fashion-MNIST-10k", fashion, noise)


def memorised(check, name, rows):
    """At symmetric .5 and the last epoch, against plain and against regularised cross-entropy."""
    noise = "symmetric 0.5"
    plain, regularised = rows[noise, "cross-entropy"].last, rows[noise, "regularised"].last
    good = []
    for (n, title), row in rows.items():
        if n != noise or title in PLAIN | {CEILING}:
            continue
        gain, over = differences(row.last, plain), differences(row.last, regularised)
        isGood = mean(gain) >= GAIN and mean(over) >= -sd(over)
        good += [title] * isGood
        print(f"        {name}, {noise}, last: {title} {signed(gain)} over cross-entropy, {signed(over)} over regularised"
              f"{'' if isGood else ': not among them'}", flush=True)
    check.say(len(good) >= 3, f"{name}, symmetric .5, last epoch: robust rows {GAIN} points above cross-entropy and not "
              "below regularised by more than the sd of the difference", f"{len(good)} ({', '.join(good) or 'none'})",
              "3 or more")


def over_regularised(check, name, rows, noise, above):
    best = best_robust(rows, noise)
    gap = differences(rows[noise, best].selected, rows[noise, "regularised"].selected)
    ok = mean(gap) > sd(gap) if above else mean(gap) >= -sd(gap)
    check.say(ok, f"{name}: {best} (chosen on noisy validation) over regularised cross-entropy",
              f"{signed(gap)} points (sd of the difference)",
              "above by more than the sd" if above else "not below by more than the sd")


def informed(check, name, rows, noise):
    """Not a criterion: what the validation split would have chosen."""
    best = best_robust(rows, noise)
    gap = differences(rows[noise, best].selected, rows[noise, "regularised"].selected)
    print(f"        {name}, {noise}: noisy validation chooses {best}, {signed(gap)} over regularised", flush=True)


def texts(check):
    for name, options in {"tweets": [], "movies": ["--set", "movies"]}.items():
        table = check.folder / f"{name}.csv"
        check.run(f"{name}-table", [ROOT / "scripts/vader-tweets", *options, "--out", table, *source()])
        rows = compared(check, name, "robust/texts.yaml", SEEDS, f"data.path={table}")
        if rows is None:
            continue
        for noise in noises(rows):
            over_regularised(check, f"{name}, one rater's labels", rows, noise, above=False)


def source():
    """VADER_SOURCE names the package's archive where it is there already."""
    return [path] if (path := os.environ.get("VADER_SOURCE")) else []


def length(check):
    folder = fashion_folder(check)
    noise, found = "symmetric 0.4", {}
    for epochs in (20, 100):
        rows = compared(check, f"epochs-{epochs}", "robust/length.yaml", SEEDS, f"data.folder={folder}",
                        f"training.epochs={epochs}")
        if rows is None:
            return
        over_regularised(check, f"Fashion-MNIST-10k, {epochs} epochs", rows, noise, above=False)
        found[epochs] = rows
    for _, title in found[20]:
        if title in PLAIN | {CEILING}:
            continue
        words = []
        for epochs, rows in found.items():
            gap = differences(rows[noise, title].last, rows[noise, "regularised"].last)
            words.append(f"{epochs} epochs {signed(gap)}")
        print(f"        last epoch over regularised: {title}: {', '.join(words)}", flush=True)


def on_top(check):
    rows = compared(check, "on-top", "robust/on-top.yaml", SEEDS)
    if rows is None:
        return
    (noise,) = noises(rows)
    base = rows[noise, "early learning"]
    said = 0
    for (_, title), row in rows.items():
        if title.startswith("+"):
            said += 1
            print(f"        on early learning ({spread(base.selected)}): {title} {signed(differences(row.selected, base.selected))}"
                  f" selected, {signed(differences(row.last, base.last))} last", flush=True)
    check.say(said >= 4, "what self-distillation, mutual learning, adaptive mixing and relations add to early learning",
              f"{said} rows, above", "a row for each, whichever way it goes")
