"""Small recipes of every method, in today's words and in those of before."""

import re

HEAD = """data: {{kind: embedded, limit: 200}}
seed: {seed}
noise: {{kind: symmetric, rate: 0.3}}
"""
MLP = "model: {name: mlp, hidden: [24]}\n"
DROPOUT = "model: {name: mlp, hidden: [24], dropout: 0.2}\n"
TINY = "model: {name: resnet8, width: 0.1}\n"


def twelve(seed):
    """Each method; relations on cross-entropy and on mutual learning, an encoder, no data, noise for each
    peer, exponential moving averages, augmentation."""
    def recipe(body, training, optimizer="{learning-rate: 0.02}"):
        return (HEAD.format(seed=seed) + body + f"optimizer: {optimizer}\n"
                + f"training: {{epochs: 2, batch: 32, checkpoint-steps: 3, {training}}}\n")
    # What is a default only since then is named: meta-step-scale, centre, the order of mutual learning.
    relation = ("relation: {ramp: 1, centre: false, encoder: {epochs: 2, batch: 32, dimension: 16}%s}\n")
    return {
        "cross-entropy": recipe(DROPOUT + "method: {name: cross-entropy}\n", "ema: 0"),
        "robust-loss": recipe(
            MLP + "method: {name: cross-entropy, loss: gce}\n", "ema: 0.9, augmentation: {padding: 1, flip: true}"),
        "distillation": recipe(
            "model: {name: lenet5}\nmethod: {name: distillation, temperature: 2}\n",
            "ema: 0.9, use-ema: true, augmentation: {padding: 2, flip: true}"),
        "self-distillation": recipe(
            MLP + "method: {name: self-distillation, stages: 2, beta: [2, 1], divergence: renyi}\n", "ema: 0.9"),
        "hard-stages": recipe(
            MLP + "method: {name: self-distillation, stages: 2, labels: hard, start: previous}\n", "ema: 0.9",
            "{kind: adamw, learning-rate: 0.002}"),
        "mutual": recipe(
            DROPOUT + "method: {name: mutual, peers: [{}, {model: {name: lenet5}, optimizer: {kind: adam}}], "
            "update: recomputed, order: {kind: cosine, from: 2, to: 0.5}, noise-per-peer: true}\n", "ema: 0.9"),
        "adaptive-mixing": recipe(
            MLP + "method: {name: adaptive-mixing, warm-up: 0, meta-interval: 1, batches-per-group: 1, meta-repeats: 20, initial-weight: 0.5, "
            "rule: softmax, meta-step-scale: none, teachers: [{snapshot-epochs: [1]}, {untrained: true}]}\n", "ema: 0, augmentation: {flip: true}"),
        "dropping": recipe(
            MLP + "method: {name: adaptive-mixing, weighting: dropping, initial-weight: 0.5, teachers: [{}, {corrupt: {share: 0.3}}]}\n",
            "ema: 0"),
        "relations": recipe(MLP + "method: {name: cross-entropy}\n" + relation % ", start: encoder", "ema: 0"),
        "relations-on-mutual": recipe(
            MLP + "method: {name: mutual, divergence: {name: renyi, order: 1}, peers: [{model: {name: mlp, hidden: [12]}}, {}]}\n"
            + relation % ", rows: likely-wrong, edge: {name: queue, size: 100}", "ema: 0"),
        "data-free": recipe(
            TINY + "method: {name: data-free, peers: 2, mutual: {divergence: {name: renyi, order: 1}}, steps-per-epoch: 4, normalisation: learnt, "
            "embeddings: {kind: random, dimension: 6}, teacher: {model: {name: resnet8, width: 0.1}}, "
            "synthesis: {batch: 12, steps: 2, warm-up: 1, warm-up-batches: 3, width: 2, latent-dim: 4, max-images: 40, "
            "held-out-batches: 1, student-mode: train}}\n", "ema: 0.9, augmentation: {padding: 1, flip: true}"),
        # DeepInversion's pixels are cut to what bytes can hold since then: another method stands for it.
        "fast-dfkd": recipe(
            TINY + "method: {name: data-free, steps-per-epoch: 4, teacher: {model: {name: resnet8, width: 0.1}}, "
            "synthesis: {method: fast-dfkd, batch: 12, steps: 2, warm-up: 1, warm-up-batches: 2, width: 2, latent-dim: 4, "
            "held-out-batches: 1}}\n", "ema: 0.9"),
    }


# New word: old word, where the two stand in the recipes above.
OLD = [("learning-rate", "rate"), ("use-ema", "use-average"), ("ema", "average"), ("likely-wrong", "suspicious"),
       ("meta-interval", "every"), ("batches-per-group", "group"), ("meta-repeats", "repeats"),
       ("initial-weight", "start"), ("snapshot-epochs", "epochs"), ("steps-per-epoch", "steps"),
       ("latent-dim", "noise"), ("max-images", "cap"), ("held-out-batches", "held-out")]


# Keys that there were not.
YOUNGER = [", meta-step-scale: none", ", centre: false"]


def in_old_words(text):
    for key in YOUNGER:
        text = text.replace(key, "")
    for new, old in OLD:
        text = re.sub(rf"(?<![\w-]){new}(?![\w-])", old, text)
    return text


# Old key, new name, an override that uses the old one.
RENAMED = [
    ("average", "ema", "training.average=0.9"),
    ("use-average", "use-ema", "training.use-average=true"),
    ("rate", "learning-rate", "optimizer.rate=0.1"),
    ("hard", "label-weight", "method.hard=0.5"),
    ("soft", "distillation-weight", "method.soft=0.5"),
    ("look-ahead", "virtual-step", "method.virtual-step=exact"),
    ("also", "extra-losses", "method.extra-losses=[gce]"),
    ("average-last", "ema-last", "method.weights=average-last"),
]


def for_key(override):
    """A recipe in which the new name of the override's key would be right."""
    method = {"hard": "distillation", "soft": "distillation", "look-ahead": "adaptive-mixing",
              "also": "adaptive-mixing", "weights": "self-distillation"}
    key = override.split("=")[0].split(".")[1]
    name = method.get(key, "cross-entropy") if override.startswith("method") else "cross-entropy"
    return f"data: {{kind: embedded, limit: 200}}\nmodel: {{name: mlp}}\nmethod: {{name: {name}}}\n"


def killed(name, seed):
    """Long enough to be killed inside."""
    own = {"co-teaching": ", forget-rate: 0.3"}.get(name, "")
    return (HEAD.format(seed=seed) + DROPOUT + f"method: {{name: {name}{own}}}\noptimizer: {{learning-rate: 0.02}}\n"
            "training: {epochs: 60, batch: 32, checkpoint-steps: 7, ema: 0.9, augmentation: {padding: 1, flip: true}}\n")


VALUES = ["-1", "0", "1e308", ".nan", ".inf", "''", "[]", "{}", "true", "null", "9999999999999999999", "\"\\u0000\"",
          "a b", "1,5", "~", "[1, 2, 3]", "{name: x}", "-0.0", "0x10", "1:30"]


def mutated(text, draw):
    """One to three mistakes of the kinds that people make, and of those that files do."""
    for _ in range(draw.randint(1, 3)):
        kind = draw.randrange(7)
        spots = [m for m in re.finditer(r"[\w.-]+", text)]
        if not spots:
            return text
        spot = draw.choice(spots)
        word = spot.group()
        if kind == 0:
            at = draw.randrange(len(word))
            word = word[:at] + word[at + 1:]
        elif kind == 1:
            word = draw.choice(VALUES)
        elif kind == 2:
            word += draw.choice(["s", "-x", "_", "é", "1"])
        elif kind == 3:
            word = draw.choice([m.group() for m in spots])
        elif kind == 4:
            at = draw.randrange(len(text))
            text = text[:at] + draw.choice(["}", "{", ":", ",", "[", "\n", "\t", "#", "&a ", "*a "]) + text[at:]
            continue
        elif kind == 5:
            text = text[:draw.randrange(len(text) // 2, len(text))]
            continue
        else:
            lines = text.split("\n")
            draw.shuffle(lines)
            text = "\n".join(lines)
            continue
        text = text[:spot.start()] + word + text[spot.end():]
    return text
