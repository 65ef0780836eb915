"""The demo: its time, and whether anything beats plain training."""

import os

from checker import PROGRAM


def run(check):
    folder = check.folder / "demo"
    code, out, said, seconds = check.run("demo", [PROGRAM, "demo", "--out", folder])
    # What it took beside other work says nothing of an idle machine; the load says which it was.
    check.say(code == 0 and seconds < 300, "limbeck demo", f"exit {code} after {seconds:.0f} s, load "
              f"{os.getloadavg()[0]:.1f}", "under five minutes")
    if code != 0:
        return
    answer = next((line for line in out.splitlines() if line.startswith("Best: ")), "no answer")
    check.say("itself a plain row" not in answer and "no answer" not in answer, "the winner is no plain row", answer,
              "a robust row")
