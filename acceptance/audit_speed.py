"""Confident learning beside cleanlab in the same run: seconds, memory, answers."""

import json

from audit_common import python

ROWS, CLASSES, MAPPED = 1_000_000, 100, 10_000_000
# Times as fast as cleanlab's default filter and as its low-memory path; megabytes beside the array.
DEFAULT, LOW_MEMORY, MEMORY = 15, 3, 100
# Bytes that a sample may take beside the file and the labels: the class and the confident class, a place in the list.
PER_SAMPLE = 20


def run(check):
    command = python(check)
    if command is None:
        check.say(False, "speed beside cleanlab", "it could not be fetched", "figures")
        return
    value = measured(check, "speed", command, ROWS, MAPPED)
    small = measured(check, "speed-small", command, 5000, MAPPED // 10)
    if value is None or small is None:
        return
    row = value["compared"]
    for way, bar in (("default", DEFAULT), ("low-memory", LOW_MEMORY)):
        times = row["ratio"][way]
        check.say(middle(times) >= bar, f"{row['rows']:,} x {row['classes']} float32: times as fast as cleanlab, {way}",
                  f"{middle(times):.1f} ({min(times):.1f} to {max(times):.1f}), {middle(row['seconds']['ours']):.2f} s "
                  f"against {middle(row['seconds'][way]):.2f} s", f"{bar} or more")
    size = max(row["bytes"]["ours"]) / 1e6
    check.say(size <= MEMORY, "memory beside the array", f"{size:.0f} MB; cleanlab {megabytes(row['bytes']['default'])}, "
              f"low-memory {megabytes(row['bytes']['low-memory'])}", f"at most {MEMORY} MB")
    check.say(row["joint_equal"] and row["set_equal_with_their_rounding"], "the same joint and set of issues",
              f"joint {'equal' if row['joint_equal'] else 'not equal'}, set "
              f"{'equal' if row['set_equal_with_their_rounding'] else 'not equal'} with cleanlab's rounding of the counts; "
              f"with ours {row['only_one_has']} of {row['issues']['ours']:,} samples are in one of both only", "equal")
    constant(check, small["mapped"], value["mapped"])


def constant(check, small, large):
    """Beside the mapped file and the labels there may be what is kept of each sample, and nothing that grows besides."""
    print("        " + "; ".join(
        f"{m['rows']:,} x 10 from a mapped file of {m['file'] / 1e6:,.0f} MB: {middle(m['seconds']):.2f} s, {megabytes(m['bytes'])}"
        for m in (small, large)), flush=True)
    if None in small["bytes"] + large["bytes"]:
        check.say(False, "memory beside a mapped file", "unknown: the system does not tell", f"{PER_SAMPLE} bytes a sample")
        return
    grown = (max(large["bytes"]) - max(small["bytes"])) / (large["rows"] - small["rows"])
    check.say(grown <= PER_SAMPLE, "memory beside a mapped file, pages of it included, for one sample more",
              f"{grown:.1f} bytes, of {large['file'] / large['rows']:.0f} in the file",
              f"at most {PER_SAMPLE}: 12 of answers, and a list")


def measured(check, name, command, rows, mapped):
    code, out, said, _ = check.run(
        name, ["Benchmarks/run-audit", "--json", "--rows", rows, "--classes", CLASSES, "--mapped-rows", mapped],
        PYTHON=" ".join(command))
    if code != 0:
        check.say(False, name, f"exit {code}: {said.strip()[-300:]}", "figures")
        return None
    return json.loads(out.splitlines()[-1])


def middle(values):
    return sorted(values)[len(values) // 2]


def megabytes(sizes):
    return "unknown" if None in sizes else f"{max(sizes) / 1e6:,.0f} MB"
