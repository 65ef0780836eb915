"""Relations (RMDNet, reconstruction): students guided by an encoder that saw no label, on digits with wrong labels."""

from claims_common import compared, digits, paired, show


def run(check):
    path = digits(check)
    rows = path and compared(check, "relations", "relations.yaml", 3, f"data.path={path}")
    if not rows:
        return
    for noise, bar in (("symmetric 0.5", 5), ("symmetric 0.8", 25)):
        def row(name):
            return rows[(noise, name)]
        gain = paired(row("edge and node"), row("base"), "selected")
        check.say(
            gain.mean >= bar, f"relations, {noise}: edge and node over base, selected", gain, f"+{bar} points or more")
        gain = paired(row("edge and node"), row("initialisation only"), "last")
        check.say(
            gain.mean >= 8, f"relations, {noise}: edge and node over initialisation alone, last epoch", gain,
            "+8 points or more")
    heavy, usual = "symmetric 0.8", "symmetric 0.5"
    show(check, "relations", "over no relations, 80 % of the labels wrong",
         paired(rows[heavy, "edge and node"], rows[heavy, "base"], "selected"), True)
    show(check, "relations", "over the encoder's start alone, 50 % wrong",
         paired(rows[usual, "edge and node"], rows[usual, "initialisation only"], "selected"), False)
