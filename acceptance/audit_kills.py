"""An audit killed at ten random instants and run again ends in the same files."""

import random
import signal
import subprocess
import time

from audit_common import COMPUTE, recipe
from checker import PROGRAM, ROOT

KILLS = 10
SMALL = ["data.limit=800", "model={name: mlp, hidden: [64]}", "training.epochs=60", "training.batch=32",
         "training.checkpoint-steps=20"]


def run(check):
    whole, began = check.folder / "whole", time.monotonic()
    code, _, said, _ = check.run("whole", command(check, whole))
    seconds = time.monotonic() - began
    if code != 0:
        check.say(False, "an audit to be killed", f"exit {code}: {said.strip()[-300:]}", "0")
        return
    wanted = files(whole)
    draw, different, instants = random.Random(check.options.first_seed), [], []
    for attempt in range(3 * KILLS):
        if len(instants) == KILLS:
            break
        folder, instant = check.folder / f"killed-{attempt}", draw.uniform(0, seconds)
        if not killed(check, folder, instant):
            continue
        instants.append(instant)
        code, _, said, _ = check.run(f"again-{attempt}", command(check, folder))
        found = files(folder)
        wrong = [name for name in sorted(wanted | found) if wanted.get(name) != found.get(name)]
        if code != 0 or wrong:
            different.append(f"at {instant:.2f} s: exit {code}, {', '.join(wrong) or said.strip()[-200:]}, kept in {folder}")
    check.say(len(instants) == KILLS and not different and "audit.csv" in wanted,
              f"killed {len(instants)} times within {seconds:.1f} s and run again",
              "; ".join(different) or f"the same {', '.join(sorted(wanted))}", f"{KILLS} kills, the same files")


def command(check, folder):
    words = [PROGRAM, "audit", recipe(check, "embedded, symmetric .4"), "--seed", check.options.first_seed, "--out", folder,
             "--budget", 50, "--sheet", 50, "--jobs", check.options.jobs, *COMPUTE]
    for change in SMALL:
        words += ["--set", change]
    return words


def killed(check, folder, instant):
    """Whether the audit was at work when the signal came."""
    with open(f"{folder}.err", "wb") as err:
        process = subprocess.Popen([str(word) for word in command(check, folder)], cwd=ROOT, stdin=subprocess.DEVNULL,
                                   stdout=err, stderr=err)
        time.sleep(instant)
        process.kill()
        return process.wait() == -signal.SIGKILL


def files(folder):
    """What it says of the samples, by name."""
    return {path.name: path.read_bytes() for path in folder.glob("*.csv")}
