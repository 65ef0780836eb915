"""Limbeck's confident learning beside the package cleanlab, on the same array in the same run.

    Benchmarks/run-audit [--rows 1000000] [--classes 100] [--rounds 3] ...

which builds limbeck-audit-bench and calls this with --ours and its path.

Probabilities are made of normal logits with 5 more for the true class, in float32; a tenth of the labels is drawn
anew. The programs take turns, each in a process of its own that has the array in memory before the clock starts:
ours, cleanlab's default (find_label_issues, ranked by self-confidence, with as many processes as it takes by
itself), its low-memory path (find_label_issues_batched). Ratios are formed within a round.

What is compared with cleanlab: the confident joint in every cell; the set of issues with our own rounding of the
calibrated joint; and the set with cleanlab's. Its rounding is arbitrary among equal remainders.

Then 10,000,000 rows of 10 classes are read by ours from a mapped file.

cleanlab runs in the interpreter named by PYTHON, or else in .venv-audit, which is made here on first use (pip install
cleanlab==2.9.0). This script needs numpy and starts itself again in that interpreter.

Standard output gets the Markdown tables (or, with --json, one JSON object), standard error the rest.
"""

import argparse
import json
import os
import pathlib
import shlex
import statistics
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent
PEER = HERE / "peers" / "cleanlab_issues.py"
PACKAGE = "cleanlab==2.9.0"


def say(*words):
    print(*words, file=sys.stderr, flush=True)


def interpreter():
    """The command that runs Python with cleanlab."""
    if os.environ.get("PYTHON"):
        return shlex.split(os.environ["PYTHON"])
    folder = ROOT / ".venv-audit"
    python = [str(folder / ("Scripts" if os.name == "nt" else "bin") / "python")]
    if not folder.exists():
        say(f"making {folder} with {PACKAGE} (once)")
        for step in [
            [sys.executable, "-m", "venv", str(folder)],
            [*python, "-m", "pip", "install", "--quiet", PACKAGE],
        ]:
            if subprocess.run(step, stdout=sys.stderr).returncode != 0:
                raise SystemExit(f"could not run {' '.join(step)}")
    return python


def make(folder, rows, classes):
    """Writes the probabilities and the given labels; returns both paths and the true labels."""
    import numpy as np

    random = np.random.default_rng(0)
    true = random.integers(0, classes, rows)
    table = np.lib.format.open_memmap(
        folder / f"p-{classes}.npy", "w+", np.float32, (rows, classes)
    )
    for start in range(0, rows, 50000):
        own = true[start : start + 50000]
        z = random.normal(0, 1, (len(own), classes)).astype(np.float32)
        z[np.arange(len(own)), own] += 5
        e = np.exp(z)
        table[start : start + len(own)] = e / e.sum(1, keepdims=True)
    table.flush()
    del table
    given = true.copy()
    drawn = random.random(rows) < 0.1
    given[drawn] = random.integers(0, classes, drawn.sum())
    np.save(folder / f"y-{classes}.npy", given.astype(np.int64))
    return folder / f"p-{classes}.npy", folder / f"y-{classes}.npy", true != given


def run(command):
    done = subprocess.run([str(c) for c in command], stdout=subprocess.PIPE, text=True)
    if done.returncode != 0:
        raise SystemExit(f"failed: {shlex.join(map(str, command))}")
    return json.loads(done.stdout.splitlines()[-1])


def spread(values, digits=2):
    low, middle, high = min(values), statistics.median(values), max(values)
    return f"{middle:.{digits}f} ({low:.{digits}f}–{high:.{digits}f})"


def megabytes(sizes):
    return "–" if None in sizes else f"{max(sizes) / 1e6:,.0f}"


def compare(options, folder):
    table, labels, wrong = make(folder, options.rows, options.classes)
    ways = {
        "ours": [options.ours, table, labels],
        "default": [sys.executable, PEER, table, labels, "--way", "default"],
        "low-memory": [sys.executable, PEER, table, labels, "--way", "low-memory"],
    }
    answers = {name: [] for name in ways}
    for _ in range(options.rounds):
        for name, command in ways.items():
            output = folder / f"{name}.json"
            answers[name].append(run([*command, "--output", output]))
            say(name, answers[name][-1])
    found = {name: json.loads((folder / f"{name}.json").read_text()) for name in ways}
    counts = folder / "counts.json"
    counts.write_text(json.dumps(found["default"]["calibrated"]))
    output = folder / "with-counts.json"
    run([*ways["ours"], "--counts", counts, "--output", output])
    ours, theirs = set(found["ours"]["issues"]), set(found["default"]["issues"])
    seconds = {
        name: [a["seconds"][0] if name == "ours" else a["seconds"] for a in answers[name]]
        for name in ways
    }
    return {
        "rows": options.rows,
        "classes": options.classes,
        "seconds": seconds,
        "bytes": {name: [a.get("bytes") for a in answers[name]] for name in ways},
        "ratio": {
            name: [b / a for a, b in zip(seconds["ours"], seconds[name])]
            for name in ways
            if name != "ours"
        },
        "issues": {name: len(found[name]["issues"]) for name in ways},
        "precision": {
            name: float(wrong[found[name]["issues"]].mean()) for name in ways
        },
        "joint_equal": found["ours"]["joint"] == found["default"]["joint"],
        "only_one_has": len(ours ^ theirs),
        "set_equal_with_their_rounding": set(json.loads(output.read_text())["issues"]) == theirs,
    }


def table(row):
    lines = [f"{row['rows']:,} x {row['classes']} float32:", ""]
    lines += ["| program | seconds | times ours | memory beside the array, MB | issues | wrong |"]
    lines += ["|---|---:|---:|---:|---:|---:|"]
    names = {
        "ours": "Limbeck",
        "default": "cleanlab, find_label_issues",
        "low-memory": "cleanlab, find_label_issues_batched",
    }
    for name, text in names.items():
        ratio = spread(row["ratio"][name], 1) if name in row["ratio"] else "1"
        cells = [text, spread(row["seconds"][name]), ratio, megabytes(row["bytes"][name])]
        cells += [f"{row['issues'][name]:,}", f"{100 * row['precision'][name]:.1f} %"]
        lines.append("| " + " | ".join(cells) + " |")
    says = {True: "yes", False: "NO"}
    lines += [
        "",
        f"Confident joint equal in every cell: {says[row['joint_equal']]}. Set of issues equal with "
        f"cleanlab's rounding: {says[row['set_equal_with_their_rounding']]}; with ours, "
        f"{row['only_one_has']} samples are in one of both sets only.",
    ]
    return "\n".join(lines)


def mapped(options, folder):
    table, labels, _ = make(folder, options.mapped_rows, 10)
    answers = [
        run([options.ours, table, labels, "--mapped"]) for _ in range(options.rounds)
    ]
    return {
        "rows": options.mapped_rows,
        "seconds": [a["seconds"][0] for a in answers],
        "bytes": [a.get("bytes") for a in answers],
        "file": table.stat().st_size,
    }


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--ours", required=True, help="our program")
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--classes", type=int, default=100)
    parser.add_argument("--mapped-rows", type=int, default=10_000_000, help="0: leave it out")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", action="store_true", help="one JSON object instead of tables")
    options = parser.parse_args()
    if os.environ.get("LIMBECK_AUDIT_BENCH") != "inside":
        os.environ["LIMBECK_AUDIT_BENCH"] = "inside"
        command = [*interpreter(), __file__, *sys.argv[1:]]
        os.execvp(command[0], command)
    with tempfile.TemporaryDirectory() as folder:
        row = compare(options, pathlib.Path(folder))
    large = None
    if options.mapped_rows:
        with tempfile.TemporaryDirectory() as folder:
            large = mapped(options, pathlib.Path(folder))
    if options.json:
        print(json.dumps({"compared": row, "mapped": large}))
        return
    print(table(row))
    if large:
        print(
            f"\n{large['rows']:,} x 10 float32 from a mapped file of {large['file'] / 1e6:,.0f} MB: "
            f"{spread(large['seconds'])} s, {megabytes(large['bytes'])} MB at most beside the labels "
            "(pages of the file that are in use included)."
        )


main()
