"""Confident learning against the package cleanlab 2.9: its vectors, and cases that nobody has seen."""

import json

from audit_common import peer
from checker import ROOT

CASES = 40
# What differs by rounding alone.
TOLERANCE = 1e-10
BENCH = "limbeck-audit-bench"


def run(check):
    ok, cases, seconds = check.tests("vectors", r"AuditTests\.")
    check.say(ok, "vectors of cleanlab: counts, indices, filters, scores", f"{cases} cases in {seconds:.0f} s, "
              f"{'all' if ok else 'not all'} as they should be", "equal; scores within 1e-10; the one documented tie excepted")
    fresh(check)


def fresh(check):
    folder = check.folder / "vectors"
    folder.mkdir()
    program = bench(check)
    made = peer(check, "fresh-vectors", "vectors", folder, check.options.first_seed, CASES)
    if program is None or made is None:
        check.say(False, "fresh cases beside cleanlab", "could not be made", f"{CASES} cases")
        return
    wrong, arbitrary = [], 0
    for i, (samples, classes) in enumerate(made["sizes"]):
        theirs = json.loads((folder / f"theirs-{i}.json").read_text())
        differs, calibrated = compared(check, program, folder, i, theirs)
        if calibrated != theirs["calibrated"] and only_ties(theirs["joint"], calibrated, theirs["calibrated"]):
            arbitrary += 1
            (folder / "counts.json").write_text(json.dumps(theirs["calibrated"]))
            differs, _ = compared(check, program, folder, i, theirs, "--counts", folder / "counts.json")
            differs.remove("calibrated")
        wrong += [f"case {i} ({samples} x {classes}): {', '.join(differs)}"] * bool(differs)
    check.say(not wrong, f"{CASES} fresh cases beside cleanlab: joint, thresholds, seven filters, five scores, health",
              f"{len(wrong)} differ; {arbitrary} only with its own choice among equal remainders, which is arbitrary"
              + (f"; first: {wrong[0]}" if wrong else ""), "none differs")


def only_ties(joint, ours, theirs):
    """Whether calibrated counts differ in nothing but which of equal remainders of a row are rounded up."""
    for counts, a, b in zip(joint, ours, theirs):
        exact = [n * sum(b) / sum(counts) for n in counts]
        left = [x - round(x) for x, y, z in zip(exact, a, b) if y != z]
        if left and (sum(a) != sum(b) or max(left) - min(left) > 1e-9):
            return False
    return True


def bench(check):
    """The release build of the program that the benchmark runs; it needs no engine."""
    command = ["swift", "build", "-c", "release", "--scratch-path", ".build/pure"]
    code, _, said, _ = check.run("bench", [*command, "--product", BENCH], LIMBECK_ENGINE="none")
    if code != 0:
        print(f"        {BENCH}: {said.strip()[-300:]}", flush=True)
        return None
    _, path, _, _ = check.run("bench-path", [*command, "--show-bin-path"], LIMBECK_ENGINE="none")
    return f"{path.strip()}/{BENCH}"


def compared(check, program, folder, i, theirs, *options):
    """Names of what differs, and our calibrated counts."""
    code, _, said, _ = check.run(f"fresh-{i}", [
        program, folder / f"p-{i}.npy", folder / f"y-{i}.npy", "--everything", "--output", folder / "ours.json", *options])
    if code != 0:
        return [f"exit {code}: {said.strip()[-200:]}"], theirs["calibrated"]
    ours = json.loads((folder / "ours.json").read_text())
    ours = {**ours.pop("all"), **ours}
    differs = [key for key in theirs if key not in ("filters", "scores") and not equal(ours[key], theirs[key])]
    for kind in ("filters", "scores"):
        differs += [name for name, value in theirs[kind].items() if not equal(ours[kind][name], value)]
    return differs, ours["calibrated"]


def equal(a, b):
    """Whole numbers exactly, others within the tolerance."""
    if isinstance(b, list):
        return len(a) == len(b) and all(equal(x, y) for x, y in zip(a, b))
    return a == b if isinstance(b, int) else abs(a - b) <= TOLERANCE
