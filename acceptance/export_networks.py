"""Every network of the registry, with random weights, against onnx's checker, onnxruntime and PyTorch."""

import export_common as common
from export_common import limbeck, read, sample, weights

LIMIT = 1e-5


def run(check):
    networks = common.networks()
    check.say(len(networks) >= 30, "networks of the registry", len(networks), "30 or more")
    for network in networks:
        normalisations = common.NORMALISATIONS[sample(network)]
        # All of them where that is cheap; the usual one elsewhere.
        few = normalisations if network in {"mlp", "residual-mlp", "lenet5", "digit-cnn", "resnet20", "mobilenetv2"} \
            else normalisations[1:2] or normalisations
        for normalisation in few:
            one(check, network, normalisation)


def one(check, network, normalisation):
    title = f"{network}, inputs {normalisation}"
    folder = weights(check, network, normalisation)
    if folder is None:
        return
    ok, said, why = limbeck(check, f"{network}-export", "export", folder / "w.safetensors", "--out", folder / "m.onnx",
                            "--threads", "1", "--json")
    if not ok or said is None:
        return check.say(False, title, why, "exported")
    if sample(network) == common.TEXT:
        tokens, why = read(check, f"{network}-tokens", "tokens", folder / "m.tokenizer.py", folder / "m.tokens.json",
                           folder / "inputs", folder / "inputs.npy")
        check.say(tokens is not None and not tokens["wrong"], f"{title}, tokenizer",
                  why or f"{len(tokens['wrong'])} of {tokens['texts']} texts differ {tokens['wrong'][:3]}", "none")
        if tokens is None:
            return
    ok, _, why = limbeck(check, f"{network}-predict", "predict", folder / "w.safetensors", folder / "inputs", "--out",
                         folder / "p.csv", "--probabilities", "--threads", "1")
    if not ok:
        return check.say(False, f"{title}, predict", why, "predicted")
    result, why = read(check, f"{network}-onnx", "onnx", folder / "m.onnx", folder / "inputs.npy", folder / "p.csv")
    judge(check, f"{title}, probabilities of onnxruntime and predict", result, why, LIMIT)
    ok, _, why = limbeck(check, f"{network}-folder", "export", folder / "w.safetensors", "--to", "huggingface", "--out",
                         folder / "hf", "--threads", "1")
    if not ok:
        return check.say(False, f"{title}, folder", why, "written")
    result, why = read(check, f"{network}-read", "folder", folder / "hf", folder / "inputs.npy")
    judge(check, f"{title}, logits of onnxruntime and plain PyTorch", result, why, LIMIT)
    # Large ones are not needed any more.
    for name in ("random.safetensors", "w.safetensors", "m.onnx", "hf/model.onnx", "hf/model.safetensors"):
        (folder / name).unlink(missing_ok=True)


def judge(check, title, result, why, limit):
    if result is None:
        return check.say(False, title, why, "an answer")
    limit *= max(1, result["largest"])
    check.say(result["finite"] and result["difference"] <= limit and result["classes"] == 0 and result["spread"] > 1, title,
              f"{result['difference']:.1e}, {result['classes']} of {result['samples']} classes differ, "
              f"{result['spread']} predicted", f"at most {limit:.1e}, none, more than 1")
