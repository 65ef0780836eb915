"""Whether `limbeck advise methods` is right on data sets that chose none of its conditions.

Its answers come from the given labels of a validation split; here they meet the gain on the test labels, which
are right but for the tweets' (the mean of all raters).
"""

from checker import PROGRAM, ROOT, one_object
from claims_common import digits

# Methods that fight wrong labels, which right ones do not need.
AGAINST_NOISE = {
    "self-distillation", "early-learning", "early-learning-plus", "co-teaching", "jocor", "dividemix", "sop", "ncod", "lccn",
    "pes", "dlt", "lend", "truncated-gce", "adaptive-mixing", "relations"}


def run(check):
    seeds = ",".join(str(check.options.first_seed + i) for i in range(5))
    data = {"letter": check.folder / "letter.csv", "digits": digits(check),
            "tweets": check.folder / "tweets.csv"}
    if data["digits"] is None:
        return
    check.run("letter", [ROOT / "scripts/letter", "--unique", "--out", data["letter"]])
    check.run("tweets", [ROOT / "scripts/vader-tweets", "--out", data["tweets"]])
    rows, advised = [], {}
    for name, path in data.items():
        code, out, said, seconds = check.run(
            f"advise-{name}", [PROGRAM, "advise", "methods", ROOT / f"Examples/claims/advise-{name}.yaml",
                               "--set", f"data.path={path}", "--samples", "1000", "--seeds", seeds, "--json",
                               "--out", check.folder / f"advice-{name}", "--jobs", check.options.jobs,
                               "--threads", "1", "--precision", "fp32", "--device", "cpu"])
        value = one_object(out)
        if code != 0 or value is None:
            check.say(False, f"advice on {name}", f"exit {code}: {said.strip()[-300:]}", "an answer")
            return
        advised[name] = value["methods"]
        for row in value["methods"]:
            if row["gain"] is None:
                print(f"        {name:7} {row['method']:20} {row['worth_trying']:8} not tried: {row['because']}")
                continue
            rows.append(row)
            print(f"        {name:7} {row['method']:20} {row['worth_trying']:8} "
                  f"{100 * row['gain']['mean']:+6.2f} ± {100 * row['gain']['error']:.2f} given validation labels, "
                  f"{100 * row['test_gain']['mean']:+6.2f} ± {100 * row['test_gain']['error']:.2f} test")
        print(f"        {name}: {seconds / 60:.1f} min", flush=True)
    for answer, sign, bar in (("yes", 1, "gains on the test labels"), ("no", -1, "does not gain")):
        own = [row for row in rows if row["worth_trying"] == answer]
        right = [row for row in own if sign * row["test_gain"]["mean"] >= 0]
        check.say(bool(own) and len(right) >= 0.8 * len(own), f"advice: {answer}", f"{len(right)} of {len(own)} right",
                  f"at least 80 % of what is called {answer} {bar}")
    ranks = rank_correlation([row["gain"]["mean"] for row in rows], [row["test_gain"]["mean"] for row in rows])
    check.say(ranks >= 0.5, "advice: order of the gains", f"rank correlation {ranks:.2f} over {len(rows)} rows", "0.5")
    tried = [row["method"] for row in advised["digits"] if row["method"] in AGAINST_NOISE and row["gain"] is not None]
    check.say(not tried, "advice: right labels", f"tried {', '.join(tried) or 'none'} of {len(AGAINST_NOISE)}",
              "no method against wrong labels is tried on right ones")


def rank_correlation(a, b):
    """Spearman's, with mean ranks for ties."""
    def ranks(values):
        order = sorted(values)
        return [order.index(v) + (order.count(v) - 1) / 2 for v in values]
    x, y = ranks(a), ranks(b)
    mean = (len(a) - 1) / 2
    cross = sum((p - mean) * (q - mean) for p, q in zip(x, y))
    spread = (sum((p - mean) ** 2 for p in x) * sum((q - mean) ** 2 for q in y)) ** 0.5
    return cross / spread if spread else 0
