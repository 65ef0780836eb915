"""The claim of NAYER's paper: images that teach as well as DeepInversion's, found 5 to 15 times sooner.

Each method searches the same number of batches, for the same teacher, student and steps. What a search costs
is the processor time of its run (of the child process, by wait4) less that of the same run with images of
noise, which has everything but the search.
"""

import concurrent.futures
import json
import os
import subprocess

from checker import PROGRAM, ROOT
from claims_common import Paired, digits

SEEDS = 3
DEEP = "DeepInversion, 2,000 steps"
RIVALS = {
    DEEP: {"method": "deep-inversion", "steps": 2000},
    "DeepInversion, 200 steps": {"method": "deep-inversion", "steps": 200},
    "Fast-DFKD, 10 steps": {
        "method": "fast-dfkd", "steps": 10, "learning-rate": 0.002, "width": 16, "latent-dim": 128},
}
# Whether DeepInversion needs as many images as NAYER to teach as well.
FEWER = {"DeepInversion, 2,000 steps, a third of the images": {
    "method": "deep-inversion", "steps": 2000, "batches-per-epoch": 0}}
FRAME = {"warm-up": 1, "batches-per-epoch": 1, "held-out-batches": 1}
# name: recipe, frame of the pool, NAYER's own keys, rivals
TASKS = {
    "digits": ("data-free-digits.yaml", {**FRAME, "batch": 50, "warm-up-batches": 5},
               {"method": "nayer", "steps": 30, "width": 16, "latent-dim": 128}, {**RIVALS, **FEWER}),
    "colour-shapes": ("data-free-colours.yaml", {**FRAME, "batch": 72, "warm-up-batches": 6},
                      {"method": "nayer", "steps": 40, "width": 16, "latent-dim": 128}, RIVALS),
}


def run(check):
    table = digits(check)
    if table is None:
        check.say(False, "data-free: digits", "no data: set OPTDIGITS", "a table")
    else:
        costs(check, "digits", [f"data.path={table}"])
    if costs(check, "colour-shapes", []):
        vectors(check)


def over_seeds(check, work):
    """What `work` returns for each seed, or nothing where one failed; as many at a time as --jobs says."""
    seeds = [check.options.first_seed + i for i in range(SEEDS)]
    with concurrent.futures.ThreadPoolExecutor(check.options.jobs) as pool:
        found = list(pool.map(work, seeds))
    return None if None in found else found


def costs(check, name, extra):
    """Accuracy and search of every method; whether NAYER's search is the cheaper one at equal accuracy."""
    recipe, frame, nayer, rivals = TASKS[name]
    found = over_seeds(check, lambda seed: one_seed(check, name, seed, extra))
    if found is None:
        return False
    accuracy = {row: [runs[row][0] for runs in found] for row in found[0]}
    search = {row: [runs[row][1] for runs in found] for row in found[0]}
    for row in rivals:
        gap = Paired(accuracy["NAYER"], accuracy[row])
        ratio = sum(search[row]) / sum(search["NAYER"])
        # Nothing is compared where the rival's student is the better one by more than a point.
        holds = gap.mean >= -1 and ratio >= 5
        figure = (f"NAYER {100 * mean(accuracy['NAYER']):.1f} after {mean(search['NAYER']):.1f} processor seconds "
                  f"of search, {row} {100 * mean(accuracy[row]):.1f} after {mean(search[row]):.1f}: "
                  f"{ratio:.1f} times as cheap, {gap}")
        if name == "digits" and row in RIVALS:
            check.figures.append({"method": "without data", "words": f"against {row}", "times": ratio, "gap": str(gap),
                                  "helps": bool(holds)})
        if row == DEEP:
            check.say(holds, f"data-free, {name}", figure, "5 times, at most 1 point below")
        else:
            print(f"        {figure}: the paper's 5 to 15 times {'holds' if holds else 'does not hold'}", flush=True)
    return True


def one_seed(check, name, seed, extra):
    """{method: (the student's accuracy, processor seconds of search)}."""
    recipe, frame, nayer, rivals = TASKS[name]
    first = train(check, f"{name}-teacher", recipe, seed, {**frame, "method": "noise"}, extra)
    if first is None:
        return None
    known = [*extra, f"method.teacher.file={first['folder'] / 'phases/0-teacher/last.safetensors'}"]
    controls, found = {}, {}
    for row, own in {"NAYER": nayer, **rivals}.items():
        settings = {**frame, **own}
        # A control makes, holds and evaluates as many images.
        batches = settings["batches-per-epoch"]
        if batches not in controls:
            controls[batches] = train(
                check, f"{name}-control-{batches}", recipe, seed,
                {**frame, "method": "noise", "batches-per-epoch": batches}, known)
        result = train(check, f"{name}-{row}", recipe, seed, settings, known)
        if result is None or controls[batches] is None:
            return None
        found[row] = (result["student"], result["seconds"] - controls[batches]["seconds"])
    print(f"        {name}, seed {seed}: teacher {100 * first['teacher']:.1f}, images of noise "
          f"{100 * first['student']:.1f}; " + ", ".join(
              f"{row} {100 * student:.1f} ({seconds:.1f} s)" for row, (student, seconds) in found.items()),
          flush=True)
    return found


def vectors(check):
    """Vectors of the classes' names against one-hot ones: a finding, no bar."""
    recipe, frame, nayer, _ = TASKS["colour-shapes"]

    def pair(seed):
        teacher = check.folder / f"colour-shapes-teacher-{seed}/phases/0-teacher/last.safetensors"
        runs = [train(check, f"vectors-{kind}", recipe, seed, {**frame, **nayer},
                      [f"method.embeddings={kind}", f"method.teacher.file={teacher}"])
                for kind in ("table", "one-hot")]
        return None if None in runs else runs

    found = over_seeds(check, pair)
    if found is not None:
        students, label = (list(zip(*([run[key] for run in pair] for pair in found))) for key in ("student", "label"))
        print(f"        colour-shapes: text vectors {100 * mean(students[0]):.1f}, one-hot "
              f"{100 * mean(students[1]):.1f}: {Paired(*students)}; cross-entropy of the kept images "
              f"{mean(label[0]):.2f} and {mean(label[1]):.2f}", flush=True)


def train(check, name, recipe, seed, synthesis, changes):
    """One run: accuracy of student and teacher on test samples at the last epoch, processor seconds, mean
    cross-entropy of the kept images, folder."""
    folder = check.folder / f"{name.replace(', ', '-').replace(' ', '-')}-{seed}"
    settings = ", ".join(f"{key}: {value}" for key, value in synthesis.items())
    command = [PROGRAM, "train", ROOT / "Examples/claims" / recipe, "--out", folder, "--seed", seed,
               "--threads", "1", "--precision", "fp32", "--device", "cpu", "--set",
               f"method.synthesis={{{settings}}}"]
    if synthesis["method"] != "nayer":
        command += ["--set", "method.embeddings=~"]
    for change in changes:
        command += ["--set", change]
    with open(f"{folder}.log", "wb") as log:
        child = subprocess.Popen([str(c) for c in command], stdout=log, stderr=log)
        _, status, used = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode != 0:
        with open(f"{folder}.log", errors="replace") as log:
            check.say(False, f"data-free, {name}", f"exit {child.returncode}: {log.read().strip()[-300:]}", "a run")
        return None
    phase = json.loads((folder / "result.json").read_text())["phases"][-1]
    values = [value for section in phase["sections"] for value in section.get("values", [])]
    lines = (folder / "phases/1-student/pool/synthesis.jsonl").read_text().splitlines()
    terms = [json.loads(line)["facts"]["terms"]["label"] for line in lines]
    return {"student": phase["student"]["last"]["test"]["accuracy"],
            "teacher": next(v["value"] for v in values if v["name"] == "teacher-accuracy"),
            "seconds": used.ru_utime + used.ru_stime, "label": mean(terms), "folder": folder}


def mean(values):
    return sum(values) / len(values)
