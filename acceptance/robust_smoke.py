"""Every method for two epochs on images, on a table and on texts."""

import re

from checker import PROGRAM, ROOT

# Whose students learn from the data's labels: the others have recipes of their own.
OWN = {"data-free"}
KINDS = {
    "images": "data: {kind: embedded, limit: 400}\nmodel: {name: lenet5}",
    "a table": "data: {kind: gaussian-classes, samples: 600}\nmodel: {name: mlp, hidden: [16]}",
    "texts": f"data: {{kind: text, path: {ROOT}/Examples/data/reviews.csv, label: given}}\nmodel: {{name: fasttext}}",
}
# What a method needs said where noise is not injected, or where two epochs are few.
KEYS = {"co-teaching": "forget-rate: 0.3", "jocor": "forget-rate: 0.3", "dividemix": "warm-up: 1",
        "pes": "warm-up: 1, block-epochs: 1, classifier-epochs: 1", "lccn": "warm-up: 1", "dlt": "warm-up: 1, rate: 0.3",
        "lend": "warm-up: 1"}
# A head for tables of features.
ONLY = {"nmtune": ("a table", "{name: residual-mlp}")}


def run(check):
    source = (ROOT / "Sources/Training/Method/MethodRegistry.swift").read_text()
    types = re.findall(r"\b([A-Z]\w+)\.self", source)
    names = []
    for path in sorted((ROOT / "Sources/Training/Methods").rglob("*.swift")):
        found = re.findall(r'struct (\w+): (?:Pair)?Method \{\s*public static let name = "([^"]+)"', path.read_text())
        names += [name for kind, name in found if kind in types]
    for kind, data in KINDS.items():
        failed = []
        for name in sorted(set(names) - OWN):
            kinds, model = ONLY.get(name, (kind, None))
            if kind not in kinds:
                continue
            keys = f", {KEYS[name]}" if name in KEYS else ""
            recipe = check.folder / f"smoke-{name}-{kind.split()[-1]}.yaml"
            own = re.sub(r"model: .*", f"model: {model}", data) if model else data
            recipe.write_text(f"{own}\nmethod: {{name: {name}{keys}}}\ntraining: {{epochs: 2, batch: 32}}\n")
            code, _, said, _ = check.run(
                f"smoke-{name}", [PROGRAM, "train", recipe, "--out", recipe.with_suffix(""), "--threads", "1"])
            if code != 0:
                failed.append(f"{name}: exit {code}, {said.strip().splitlines()[-1][-120:]}")
        check.say(not failed and len(names) > 10, f"every method on {kind}",
                  "; ".join(failed) or f"{len(names) - len(OWN)} methods", "exit 0 of all")
