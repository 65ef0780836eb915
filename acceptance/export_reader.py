"""Runs inside an interpreter with onnx, onnxruntime, torch and tensorboard: reads what Limbeck wrote, and prints
one JSON object. Called by the export groups; nothing of Limbeck is imported here.

    export_reader.py weights KEYS SHAPE NORMALISATION FOLDER     random weights and inputs
    export_reader.py onnx FILE INPUTS.npy PREDICTIONS.csv        checker, onnxruntime, predictions
    export_reader.py folder FOLDER INPUTS.npy                    network.py and model.onnx of a folder
    export_reader.py page FOLDER                                 the lines of its README.md
    export_reader.py load FILE                                   checker and onnxruntime take it
    export_reader.py tokens SCRIPT GOLDEN.json TEXTS.csv OUT.npy a tokenizer's script
    export_reader.py events FOLDER                               an event file by TensorBoard's own reader
"""

import csv
import importlib.machinery
import importlib.util
import json
import math
import pathlib
import struct
import sys

import numpy as np

SIZES = (1, 4, 5)


def module(path):
    loader = importlib.machinery.SourceFileLoader("of_limbeck", str(path))
    made = importlib.util.module_from_spec(importlib.util.spec_from_loader("of_limbeck", loader))
    loader.exec_module(made)
    return made


def weights(keys, shape, normalisation, folder):
    """Weights that keep activations of a size, batch norms that do something, and 64 inputs of every kind."""
    draw = np.random.default_rng(18)
    shape = [int(n) for n in shape.split(",")]
    tensors = {}
    table = len(shape) == 1
    for line in pathlib.Path(keys).read_text().splitlines():
        name, *rest = line.split()
        if name.endswith("num_batches_tracked"):
            continue
        size = [int(n) for n in rest[0].split("x")]
        if table:
            size = {"mlp": {"layers.0.weight": [256, 12]}, "residual-mlp": {
                "scale": [12], "first.weight": [48, 12], "first.bias": [48], "second.weight": [12, 48],
                "second.bias": [12], "head.weight": [10, 12]}}[pathlib.Path(keys).stem].get(
                    name, [48] if name.startswith("norm.") else size)
        if pathlib.Path(keys).stem == "lenet5" and name == "conv1.weight":
            size = [6, 1, 5, 5]
        if pathlib.Path(keys).stem == "digit-cnn":
            size = {"conv_layers.0.weight": [32, 1, 3, 3], "fc_layers.0.weight": [256, 1152]}.get(name, size)
        if name.endswith("running_var"):
            value = draw.uniform(.7, 1.5, size)
        elif name.endswith("running_mean") or name.endswith("bias"):
            value = draw.normal(0, .1, size)
        elif len(size) < 2:
            value = draw.uniform(.6, 1.1, size)
        else:
            value = draw.normal(0, 1, size) * math.sqrt(1.5 / max(1, np.prod(size[1:])))
        tensors[name] = value.astype(np.float32)
    header, data = {}, b""
    for name, value in tensors.items():
        blob = value.tobytes()
        header[name] = {"dtype": "F32", "shape": list(value.shape), "data_offsets": [len(data), len(data) + len(blob)]}
        data += blob
    text = json.dumps(header).encode()
    folder = pathlib.Path(folder)
    (folder / "random.safetensors").write_bytes(struct.pack("<Q", len(text)) + text + data)
    if len(shape) == 3:
        pixels = draw.integers(0, 256, [64, *shape], dtype=np.uint8)
        np.save(folder / "inputs.npy", pixels)
        (folder / "inputs").write_bytes(
            struct.pack(">4B", 0, 0, 8, 4) + struct.pack(">4I", *pixels.shape) + pixels.tobytes())
    elif table:
        mean, std = (float(n) for n in normalisation.split("/"))
        rows = (mean + std * draw.normal(0, 1, [64, *shape])).astype(np.float32)
        np.save(folder / "inputs.npy", rows)
        with open(folder / "inputs", "w", newline="") as file:
            out = csv.writer(file)
            out.writerow([f"c{i}" for i in range(shape[0])])
            out.writerows([[repr(float(x)) for x in row] for row in rows])
    else:
        letters = "abcdefghij KLMNO 0123 .,:;!?'\"-_/ äöüß ÉÈ ΣΛ日本 é ½ ⅷ 😀 \u200d\ufe0f\u00ad"
        with open(folder / "inputs", "w", newline="") as file:
            out = csv.writer(file)
            out.writerow(["text"])
            for i in range(64):
                out.writerow(["x" + "".join(letters[j] for j in draw.integers(0, len(letters), 6 * i))])
    return {"tensors": len(tensors)}


def in_batches(call, inputs):
    """Outputs of `call`, for batches of 1, 4 and 5 in turn."""
    outputs, start, turn = [], 0, 0
    while start < len(inputs):
        size = SIZES[turn % 3]
        outputs.append(call(inputs[start:start + size]))
        start, turn = start + size, turn + 1
    return np.concatenate(outputs)


def runtime(path):
    import onnx
    import onnxruntime
    onnx.checker.check_model(onnx.load(path), full_check=True)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    return session, lambda x: session.run(None, {session.get_inputs()[0].name: x})[0]


def compared(a, b):
    return {"difference": float(np.abs(a - b).max()), "largest": float(np.abs(b).max()), "finite": bool(np.isfinite(a).all()),
            "samples": len(a), "classes": int((a.argmax(1) != b.argmax(1)).sum()), "spread": len(set(b.argmax(1).tolist()))}


def check_onnx(path, inputs, predictions):
    session, call = runtime(path)
    y = in_batches(call, np.load(inputs))
    if session.get_outputs()[0].name == "logits":
        e = np.exp(y - y.max(1, keepdims=True))
        y = e / e.sum(1, keepdims=True)
    with open(predictions, newline="") as file:
        rows = list(csv.reader(file))
    start = rows[0].index("confidence") + 1
    own = np.array([[float(cell) for cell in row[start:]] for row in rows[1:]], np.float32)
    metadata = session.get_modelmeta().custom_metadata_map
    return compared(y, own) | {"metadata": sorted(metadata), "batch": str(session.get_inputs()[0].shape[0])}


def check_folder(folder, inputs):
    import torch
    from safetensors.torch import load_file
    torch.set_num_threads(1)
    folder = pathlib.Path(folder)
    network, w = module(folder / "network.py"), load_file(folder / "model.safetensors")
    x = np.load(inputs)
    _, call = runtime(str(folder / "model.onnx"))
    with torch.no_grad():
        own = in_batches(lambda part: network.forward(torch.tensor(part), w).numpy(), x)
    other = in_batches(call, x)
    return compared(other, own)


def check_page(folder):
    """The lines of the folder's page, run as they stand there, in PyTorch."""
    import contextlib
    import io
    import os
    page = (pathlib.Path(folder) / "README.md").read_text()
    block = page.split("```python\n")[1].split("```")[0]
    os.chdir(folder)
    sys.path.insert(0, "")
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        exec(block, {})
    return {"lines": len([line for line in block.splitlines() if line.strip()]),
            "printed": len(out.getvalue().splitlines()), "head": page.split("---\n")[1].splitlines()}


def load(path):
    session, _ = runtime(path)
    return {"metadata": sorted(session.get_modelmeta().custom_metadata_map)}


def check_tokens(script, golden, texts, out):
    made = module(script)
    cases = json.loads(pathlib.Path(golden).read_text())
    wrong = [case["text"] for case in cases if made.tokens(case["text"]) != case["tokens"]]
    with open(texts, newline="") as file:
        rows = [row["text"] for row in csv.DictReader(file)]
    np.save(out, np.array(made.batch(rows), np.int64))
    return {"texts": len(cases), "wrong": wrong}


def check_events(folder):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
    from tensorboard.util.tensor_util import make_ndarray
    result = {}
    for path in sorted(pathlib.Path(folder).rglob("events.out.tfevents.*")):
        log = EventAccumulator(str(path.parent), size_guidance={"scalars": 0, "tensors": 0, "images": 0})
        log.Reload()
        tags = log.Tags()
        # TensorBoard turns scalars into tensors where it reads them for its page.
        scalars = {tag: [[e.step, e.value] for e in log.Scalars(tag)] for tag in tags["scalars"]}
        texts = {}
        for tag in tags["tensors"]:
            for e in log.Tensors(tag):
                value = make_ndarray(e.tensor_proto)
                if value.dtype.kind == "f":
                    scalars.setdefault(tag, []).append([e.step, float(value)])
                else:
                    texts[tag] = value.reshape(-1)[0].decode()
        result[str(path.parent.relative_to(folder))] = {
            "scalars": scalars, "texts": texts, "images": tags.get("images", [])}
    return result


if __name__ == "__main__":
    what, *arguments = sys.argv[1:]
    print(json.dumps({"weights": weights, "onnx": check_onnx, "folder": check_folder, "page": check_page, "load": load, "tokens": check_tokens,
                      "events": check_events}[what](*arguments)))
