"""Finds the label issues of a table of probabilities with the package cleanlab, and says how long it takes.

    python3 cleanlab_issues.py TABLE.npy LABELS.npy --way default|low-memory --output FOUND.json

One line of JSON on standard output: seconds, and bytes, how far the resident memory of this process rose above
that with the table and the labels. FOUND.json gets the indices, the worst first, and with --way default the
confident joint, calibrated and not.
"""

import argparse
import json
import time
import warnings

import numpy as np


def field(name):
    with open("/proc/self/status") as status:
        for line in status:
            if line.startswith(name + ":"):
                return 1024 * int(line.split()[1])


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("table")
    parser.add_argument("labels")
    parser.add_argument("--way", choices=["default", "low-memory"], default="default")
    parser.add_argument("--output")
    options = parser.parse_args()
    warnings.filterwarnings("ignore")
    from cleanlab.count import calibrate_confident_joint, compute_confident_joint
    from cleanlab.experimental.label_issues_batched import find_label_issues_batched
    from cleanlab.filter import find_label_issues

    table, labels = np.load(options.table), np.load(options.labels)
    try:
        with open("/proc/self/clear_refs", "w") as clear:
            clear.write("5")
        before = field("VmRSS")
    except OSError:
        before = None
    started = time.perf_counter()
    if options.way == "default":
        found = find_label_issues(labels, table, return_indices_ranked_by="self_confidence")
    else:
        found = find_label_issues_batched(labels=labels, pred_probs=table, verbose=False)
    seconds = time.perf_counter() - started
    size = None if before is None else field("VmHWM") - before
    if options.output:
        result = {"issues": [int(i) for i in found]}
        if options.way == "default":
            joint = compute_confident_joint(labels, table, calibrate=False)
            result["joint"] = joint.tolist()
            result["calibrated"] = calibrate_confident_joint(joint, labels).tolist()
        with open(options.output, "w") as file:
            json.dump(result, file)
    print(json.dumps({"seconds": seconds, "bytes": size}))


main()
