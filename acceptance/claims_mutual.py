"""Rényi mutual learning: peers that teach one another against peers that do not, on 450 digits."""

from claims_common import compared, digits, paired, show, spread


def run(check):
    path = digits(check)
    rows = path and compared(check, "mutual", "mutual.yaml", 8, f"data.path={path}")
    if not rows:
        return
    independent, one, two = (rows[name] for name in ("independent", "order 1", "order 2"))
    for name, row in rows.items():
        print(
            f"        {name:36} mean of the peers: last {spread(row['peers']['mean_last'])}, last five "
            f"{spread(row['last_five'])}; ensemble {spread(row['peers']['ensemble_last'])}", flush=True)
    for figure, key in (("at the last epoch", "mean_last"), ("over the last five epochs", "last_five")):
        gain = paired(two, independent, key)
        check.say(
            gain.mean >= 0.3 and gain.mean > 2 * gain.error, f"mutual, order 2 over independent, {figure}", gain,
            "+0.3 points or more, and more than 2 standard errors")
        gain = paired(two, one, key)
        check.say(gain.mean >= 0, f"mutual, order 2 over order 1, {figure}", gain, "0 or more")
    gain = paired(two, independent, "last_five")
    show(check, "mutual learning", "over independent peers, 450 digits", gain, gain.mean > 2 * gain.error)
    show(check, "mutual learning", "order 2 over order 1", paired(two, one, "last_five"), False)
