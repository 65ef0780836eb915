"""Runs of every kind of data, exported: real samples, metadata, int8, the folder's lines, and logs."""

import json
import os
import signal
import subprocess
import time

import export_common as common
from checker import PROGRAM, ROOT
from export_common import limbeck, read

FLAGS = ["--threads", "1", "--precision", "fp32", "--device", "cpu"]
RUNS = {
    "images": ("{kind: embedded, limit: 1000}", "{name: lenet5}"),
    "table": (f"{{kind: csv, path: {ROOT}/Examples/data/blobs.csv, label: kind}}", "{name: mlp, hidden: [32]}"),
    "texts": (f"{{kind: text, path: {ROOT}/Examples/data/reviews.csv, text: text, label: given}}",
              "{name: fasttext, buckets: 2000}"),
}
METADATA = {"classes", "normalisation", "run", "recipe_sha256", "realised_noise", "validation_accuracy"}


def recipe(check, kind, epochs=4):
    data, model = RUNS[kind]
    path = check.folder / f"{kind}.yaml"
    path.write_text(f"""data: {data}
noise: {{kind: symmetric, rate: 0.2}}
model: {model}
method: {{name: early-learning}}
optimizer: {{kind: adam, learning-rate: 0.003}}
training: {{epochs: {epochs}, batch: 32, ema: 0, checkpoint-steps: 5, logs: tensorboard}}
""")
    return path


def run(check):
    for kind in RUNS:
        folder = check.folder / f"run-{kind}"
        ok, _, why = limbeck(check, f"train-{kind}", "train", recipe(check, kind), "--out", folder, *FLAGS)
        if not ok:
            check.say(False, f"a run on {kind}", why, "trained")
            continue
        exported(check, kind, folder)
    logs(check)


def exported(check, kind, folder):
    ok, plain, why = limbeck(check, f"{kind}-onnx", "export", folder, "--out", check.folder / f"{kind}.onnx", "--json")
    if not ok:
        return check.say(False, f"{kind}, export", why, "exported")
    real = [line for line in plain["checks"] if "validation" in line["what"]]
    check.say(len(plain["checks"]) == 2 and real[0]["other_classes"] == 0, f"{kind}, own check on real samples",
              f"{real[0]['difference']:.1e} over {real[0]['samples']}", "1e-5, equal classes")
    ok, small, why = limbeck(check, f"{kind}-int8", "export", folder, "--int8", "--out", check.folder / f"{kind}-8.onnx",
                             "--json")
    if not ok:
        check.say(False, f"{kind}, int8", why, "exported")
    else:
        cost = small["int8"]
        lost = 100 * (cost["accuracy_before"] - cost["accuracy_after"])
        check.say(lost <= 1, f"{kind}, int8", f"{cost['bytes_before']} to {cost['bytes_after']} bytes, {lost:+.2f} points "
                  f"lost on validation, {100 * cost['agreement']:.1f} % of classes the same", "at most 1 point")
        program, why = read(check, f"{kind}-int8-read", "load", check.folder / f"{kind}-8.onnx")
        check.say(program is not None and not METADATA - set(program["metadata"]), f"{kind}, int8 in onnxruntime",
                  why or f"loads, {len(program['metadata'])} entries of metadata", f"loads, {', '.join(sorted(METADATA))}")
    ok, _, why = limbeck(check, f"{kind}-hf", "export", folder, "--to", "huggingface", "--out", check.folder / f"{kind}-hf")
    if not ok:
        return check.say(False, f"{kind}, folder", why, "written")
    lines, why = read(check, f"{kind}-hf-read", "page", check.folder / f"{kind}-hf")
    check.say(lines is not None and lines["lines"] <= 14 and lines["printed"] > 0, f"{kind}, the page's lines in PyTorch",
              why or f"{lines['lines']} lines, {lines['printed']} predictions", "at most 14 lines, a prediction")


def logs(check):
    """Event files of a run that was killed twice and resumed, by TensorBoard's own reader."""
    path, folder = recipe(check, "images", epochs=12), check.folder / "killed"
    begin = [PROGRAM, "train", path, "--out", folder, *FLAGS]
    kills = 0
    for seconds in (1.5, 2.5):
        resume = (folder / "recipe.yaml").exists()
        command = [PROGRAM, "train", "--resume", "--out", folder, *FLAGS] if resume else begin
        process = subprocess.Popen([str(c) for c in command], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                   env={k: v for k, v in os.environ.items() if not k.startswith("LIMBECK_")})
        time.sleep(seconds)
        if process.poll() is None:
            process.send_signal(signal.SIGKILL)
            kills += 1
        process.wait()
        # What a machine that lost power leaves behind.
        for file in folder.rglob("events.out.tfevents.*"):
            with open(file, "ab") as out:
                out.write(b"\x18\0\0\0")
    ok, _, why = limbeck(check, "resumed", "train", *(["--resume"] if (folder / "recipe.yaml").exists() else [path]), "--out",
                         folder, *FLAGS)
    events, said = read(check, "events", "events", folder / "tensorboard")
    if not ok or not events:
        return check.say(False, "logs of a killed run", why if not ok else said, "read")
    wrong = 0
    epochs = 0
    for phase, log in events.items():
        lines = [json.loads(line) for line in (folder / "phases" / phase / "metrics.jsonl").read_text().splitlines()]
        epochs += len(lines)
        want = [[line["step"], line["validation"]["accuracy"]] for line in lines]
        got = log["scalars"].get("accuracy/validation", [])
        wrong += len(want) != len(got) or any(a[0] != b[0] or abs(a[1] - b[1]) > 1e-6 for a, b in zip(want, got))
        wrong += "model:" not in log["texts"].get("recipe", "")
    check.say(kills > 0 and wrong == 0 and epochs == 12, "event files of a killed and resumed run, by TensorBoard",
              f"{kills} kills, {epochs} epochs in {len(events)} phases, {wrong} differ from metrics.jsonl", "no difference")
