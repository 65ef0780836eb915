"""Adaptive mixing on the paper's synthetic task: sample-wise weights against one fixed weight, at the last epoch."""

from claims_common import compared, paired, show

NOISES = ["none", "symmetric-inclusive 0.4"]
# Row, the fixed weighting that it has to beat, points.
BARS = [
    ("adaptive", "fixed 0.9", 1), ("adaptive, box", "fixed 0.9", 2.5),
    ("half-corrupted, adaptive, box", "half-corrupted, fixed 0.9", 5)]
BESIDE = ["fixed 0.9", "adaptive", "adaptive, box", "half-corrupted, fixed 0.9", "half-corrupted, adaptive",
          "half-corrupted, adaptive, box"]


def run(check):
    rows = compared(check, "mixing", "adaptive-mixing.yaml", 5)
    if rows is None:
        return
    for noise in NOISES:
        for name, base, bar in BARS:
            gain = paired(rows[noise, name], rows[noise, base], "last")
            check.say(gain.mean >= bar, f"mixing, label noise {noise}, last: {name} over {base}", gain, f"{bar:+}")
    noisy = NOISES[1]
    show(check, "adaptive mixing", "over a fixed weight, 40 % of the labels wrong",
         paired(rows[noisy, "adaptive, box"], rows[noisy, "fixed 0.9"], "last"), True)
    show(check, "adaptive mixing", "over cross-entropy, teacher half random",
         paired(rows[noisy, "half-corrupted, adaptive, box"], rows[noisy, "cross-entropy"], "last"), False)
    print("        What the method does not promise: last epoch against cross-entropy without a teacher", flush=True)
    for noise in NOISES:
        for name in BESIDE:
            gain = paired(rows[noise, name], rows[noise, "cross-entropy"], "last")
            verdict = "above" if gain.mean > gain.error else "below" if gain.mean < -gain.error else "level"
            print(f"        {noise:24} {name:32} {gain}: {verdict}", flush=True)
