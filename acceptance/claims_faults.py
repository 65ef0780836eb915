"""Faults of the science that were mended, each with the tests that failed before; the theory's through the program."""

import json

from checker import PROGRAM

TESTS = [
    ("stored images have the statistics of the searched ones", "storedImagesHaveTheStatistics", "within 10 %, every method"),
    ("DeepInversion's shift, betas and the student's statistics", "rollingShiftWrapsAround|statisticsOfTheStudent", "by hand"),
    ("adaptive mixing: features times 10, last layer by 10", "scaleOfTheFeaturesHasNoPart", "the weights as they were"),
    ("edges of centred features", "centredGradient|centredLossesSeeNoCommonPart|RelationLossTests", "finite differences and PyTorch"),
    ("an encoder no better than pixels", "poorEncoders|encodersAboveThePixels", "a warning before it guides"),
    ("selfdistil declines a stage", "StageGainTests|FeatureTests", "gain within its standard error"),
    ("defaults of the papers", "orderIsThatOfThePaperIfNotGiven|theUsualStudent", "order 2; .2 and 1e-4"),
    ("mean of the last five epochs", "LastFiveTests", "by hand"),
]
# The mixture at which a learnt bias runs away.
UNSOLVED = ["--bias", "learn", "--alpha", "3", "--delta", "0.5", "--rho", "0.35", "--theta", "0.25", "--lambda", "4,2,2",
            "--beta", "inf"]


def run(check):
    for name, filter, bar in TESTS:
        passed, _, seconds = check.tests(name.split(":")[0].replace(" ", "-")[:30], filter)
        check.say(passed, name, f"{'passed' if passed else 'failed'}, {seconds:.0f} s", bar)
    code, out, said, _ = check.run("unsolved", [PROGRAM, "theory", "solve", *UNSOLVED, "--json"])
    try:
        text = json.dumps(json.loads(out))
    except ValueError:
        text = ""
    line = next((line for line in said.splitlines() if line.startswith("limbeck: ")), "")
    check.say(code == 65 and "null" in text and "stage" in line, "a stage that was not solved",
              f"exit {code}, {text.count('null')} null fields, {line[:120]}", "exit 65, null, the stage named")
