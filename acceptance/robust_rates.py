"""How well the noise rate and the transition matrix are estimated, where what was injected or raters' truth is known."""

from checker import ROOT
from robust_common import compared, mean
from robust_letter import letter_table
from robust_table import source

SEEDS = 3
RATE, ENTRY, MEAN = 0.05, 0.1, 0.03


def run(check):
    tweets = check.folder / "tweets.csv"
    if not tweets.exists():
        check.run("tweets-table", [ROOT / "scripts/vader-tweets", "--out", tweets, *source()])
    tasks = {"embedded": [], "letter": [f"data.path={letter_table(check)}"], "tweets": [f"data.path={tweets}"]}
    for name, changes in tasks.items():
        rows = compared(check, f"rate-{name}", f"noise-rate/{name}.yaml", SEEDS, *changes)
        if rows is None:
            continue
        for (noise, _), row in rows.items():
            errors = [abs(v["noise-rate"] - v["noise-rate-true"]) for v in row.values]
            figure = ", ".join(f"{v['noise-rate']:.3f} for {v['noise-rate-true']:.3f}" for v in row.values)
            if name != "tweets" and noise not in {"symmetric 0.2", "symmetric 0.5"}:
                print(f"        {name}, {noise}: {figure}", flush=True)
                continue
            check.say(max(errors) <= RATE, f"noise rate, {name}, {noise}", figure, f"within {RATE} on every seed")
            worst = max(v["transition-worst"] for v in row.values)
            check.say(worst <= ENTRY, f"transition matrix, {name}, {noise}: worst entry", f"{worst:.3f}", f"{ENTRY}")
            off = mean([v["transition-error"] for v in row.values])
            check.say(off <= MEAN, f"transition matrix, {name}, {noise}: mean error", f"{off:.3f}", f"{MEAN}")
