"""What an audit finds, where the truth is known: three seeds each, beside plain folds and beside logistic regression."""

import json

from audit_common import CASES, COMPUTE, audited, changes, data, mean, noised, peer, python, recipe, seeds, slug
from checker import PROGRAM

SEEDS = 3
# A figure beside the truth and the least mean over the seeds.
BARS = {
    "embedded, symmetric .4": {"auc": 0.97, "f1": 0.87},
    "embedded, asymmetric .3": {"auc": 0.90},
    "letter, symmetric .2": {"auc": 0.99, "precision-at-recall-80": 0.95},
    "tweets, one rater": {},
}
WORDS = {"auc": "AUC", "f1": "F1 of the list that the audit chooses", "precision-at-recall-80": "precision at recall .8"}
# Cases beside which five folds of plain cross-entropy are trained.
PLAIN = ["embedded, symmetric .4", "embedded, asymmetric .3"]
PLAIN_TRAINING = "{epochs: 15, batch: 128, ema: 0}"
TWEETS, RATE, OFF = "tweets, one rater", 0.191, 0.04


def run(check):
    for case, bars in BARS.items():
        audits = [audited(check, case, seed) for seed in seeds(check, SEEDS)]
        if None in audits:
            continue
        for key, bar in bars.items():
            values = [audit.measured(key) for audit in audits]
            check.say(mean(values) >= bar, f"{case}: {WORDS[key]}", figures(values), f"{bar} or more in the mean")
        evidence(audits)
        if case in PLAIN:
            plain(check, case, audits)
        if case == TWEETS:
            texts(check, audits)


def evidence(audits):
    """Not a criterion: how well each column does by itself, and what it weighs."""
    for row in audits[0].learning["evidence"]:
        own = [next((r["auc"] for r in a.learning["evidence"] if r["column"] == row["column"]), None) for a in audits]
        if None not in own:
            weight = "not used" if row["weight"] is None else f"weight {row['weight']:.2f}"
            print(f"          {row['column']}: {weight}, AUC {figures(own)}", flush=True)


def plain(check, case, audits):
    """Against the same number of plain folds, by the probability of the given label."""
    answers = []
    for audit in audits:
        file = folds(check, case)
        folder = check.folder / f"plain-{slug(case)}-{audit.seed}"
        code, _, said, seconds = check.run(
            folder.name, [PROGRAM, "compare", file, "--seeds", audit.seed, "--out", folder, "--jobs", check.options.jobs,
                          *COMPUTE, *changes(check)])
        if code != 0:
            check.say(False, f"{case}: plain folds", f"exit {code}: {said.strip()[-300:]}", "five networks")
            return
        answers.append(peer(check, f"{folder.name}-auc", "folds", folder, noised(check, case, audit.seed),
                            json.dumps(audit.value["classes"])))
    if None in answers:
        check.say(False, f"{case}: plain folds", "scikit-learn could not be fetched", "an answer")
        return
    theirs, ours = [a["auc"] for a in answers], [audit.measured("auc") for audit in audits]
    check.say(mean(ours) > mean(theirs), f"{case}: AUC beside five plain folds", f"{figures(ours)} against {figures(theirs)} "
              f"(F1 where arg max is not the given label {figures([a['f1'] for a in answers])}, at the best length "
              f"{figures([a['best-f1'] for a in answers])})", "above")


def folds(check, case):
    """A comparison of five held-out folds of plain cross-entropy on the case's data and network."""
    path = check.folder / f"plain-{slug(case)}.yaml"
    lines = [line for line in recipe(check, case).read_text().splitlines() if not line.startswith(("#", "method:", "training:"))]
    lines += ["method: {name: cross-entropy}", f"training: {PLAIN_TRAINING}", "rows:"]
    lines += [f"  - {{name: fold {k}, data: {{held-out: {{fold: {k}, of: 5}}}}}}" for k in range(1, 6)]
    path.write_text("\n".join(lines) + "\n")
    return path


def texts(check, audits):
    rates = [(audit.learning["noise-rate"] or {"estimate": float("nan")})["estimate"] for audit in audits]
    check.say(abs(mean(rates) - RATE) <= OFF, f"{TWEETS}: noise rate", figures(rates), f"{RATE} within {OFF} in the mean")
    if python(check) is None:
        check.say(False, f"{TWEETS}: AUC", "scikit-learn could not be fetched", "above logistic regression")
        return
    table = data(check, CASES[TWEETS][0])["path"]
    answers = [peer(check, f"texts-{a.seed}", "texts", table, a.folder / "audit.csv", "clean", "rater", a.seed) for a in audits]
    if None in answers:
        return
    names = [name for name in answers[0] if name not in ("samples", "wrong")]
    for name in names:
        print(f"          logistic regression, {name}: AUC {figures([a[name] for a in answers])}", flush=True)
    best = max(names, key=lambda name: mean([a[name] for a in answers]))
    theirs, ours = [a[best] for a in answers], [audit.measured("auc") for audit in audits]
    check.say(mean(ours) > mean(theirs), f"{TWEETS}: AUC beside five-fold logistic regression on TF-IDF features",
              f"{figures(ours)} against {figures(theirs)} ({best}, its best)", "above in the mean")


def figures(values):
    return f"{mean(values):.3f} ({', '.join(f'{v:.3f}' for v in values)})"
