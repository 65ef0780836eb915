"""Whether the printed precision is true: how often the list's true precision lies in its interval."""

import math

from audit_common import audited, seeds

# Audits by case; with those of the other groups, all that know the truth are counted.
CASES = {"embedded, symmetric .4": 3, "embedded, asymmetric .3": 3, "letter, symmetric .2": 3, "tweets, one rater": 3,
         "embedded, instance .4": 1, "letter, instance .4": 1}
# At least ten of twelve.
SHARE = 10 / 12


def run(check):
    for case, count in CASES.items():
        for seed in seeds(check, count):
            audited(check, case, seed)
    judged, held, out, rates = 0, 0, [], 0
    for audit in check.audits.values():
        if audit is None or not (listed := audit.learning["list"]):
            continue
        true = audit.measured("precision")
        if math.isnan(true):
            continue
        judged += 1
        if listed["low"] <= true <= listed["high"]:
            held += 1
        else:
            out.append(f"{audit.case}, seed {audit.seed}: {true:.3f}, said {listed['low']:.3f} to {listed['high']:.3f}")
        rate = audit.learning["noise-rate"]
        rates += rate["low"] <= audit.learning["true-noise-rate"] <= rate["high"]
    bar = math.ceil(SHARE * judged - 1e-9)
    check.say(judged >= 12 and held >= bar, "the true precision of the list lies in the printed interval",
              f"in {held} of {judged} audits{'; not: ' if out else ''}{'; '.join(out)}", f"twelve audits, ten of twelve or more ({bar})")
    print(f"        the true noise rate lies in its interval in {rates} of {judged}", flush=True)
