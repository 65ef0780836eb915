"""What the export groups share: a Python of their own with the other programs, and weights to export."""

import json
import os
import pathlib
import sys

from checker import PROGRAM, ROOT, one_object

READER = pathlib.Path(__file__).resolve().parent / "export_reader.py"
PACKAGES = ["numpy", "onnx", "onnxruntime", "safetensors", "tensorboard", "torch"]
KEYS = ROOT / "Tests/ModelsTests/Fixtures/keys"
# What networks see: shapes of a sample, and mean and std of the inputs.
IMAGES, GREY, ROW, TEXT = "3,32,32", "1,28,28", "12", "1,300"
NORMALISATIONS = {
    IMAGES: ["0/1", ".4914,.4822,.4465/.2470,.2435,.2616", ".02,.5,.98/.01,.3,1.5"],
    GREY: ["0/1", ".2860/.3530", ".95/.004"],
    ROW: ["0/1", "-3/2.5", "1000/0.001"],
    TEXT: ["0/1"],
}


def python(check):
    """The interpreter with the other programs; EXPORT_PYTHON names one that is there already."""
    if path := os.environ.get("EXPORT_PYTHON"):
        return pathlib.Path(path)
    own = check.folder / "venv/bin/python"
    if not own.exists():
        check.run("venv", [sys.executable, "-m", "venv", check.folder / "venv"])
        code, _, said, seconds = check.run("pip", [own, "-m", "pip", "install", "-q", *PACKAGES])
        check.say(code == 0, "the other programs by pip", f"exit {code} after {seconds:.0f} s"
                  + ("" if code == 0 else f": {said.strip()[-200:]}"), "0")
    return own


def read(check, name, *arguments, cwd=ROOT):
    """What export_reader.py says, as an object, or nothing and why."""
    code, out, said, _ = check.run(name, [python(check), READER, *arguments], cwd=cwd)
    try:
        return json.loads(out.strip().splitlines()[-1]), ""
    except (ValueError, IndexError):
        return None, f"exit {code}: {said.strip()[-300:]}"


def limbeck(check, name, *arguments, cwd=ROOT):
    """Runs the program; whether it ended well, its one object where there is one, what it said."""
    code, out, said, _ = check.run(name, [PROGRAM, *arguments], cwd=cwd)
    return code == 0, one_object(out), said.strip()[-300:]


def sample(network):
    """The shape of a sample of a network, as export's list uses it."""
    return {"mlp": ROW, "residual-mlp": ROW, "lenet5": GREY, "digit-cnn": GREY, "fasttext": TEXT,
            "charcnn": TEXT}.get(network, IMAGES)


def networks():
    return sorted(path.stem for path in KEYS.glob("*.txt"))


def weights(check, network, normalisation):
    """A weights file of random numbers for a network, imported; a folder with inputs beside it, or nothing."""
    folder = check.folder / f"{network}-{normalisation.replace('/', '_').replace(',', '_')}"
    if folder.exists():
        return folder
    folder.mkdir()
    shape = sample(network)
    made, why = read(check, f"{network}-weights", "weights", KEYS / f"{network}.txt", shape, normalisation, folder)
    if made is None:
        check.say(False, f"{network}, weights", why, "written")
        return None
    ok, _, said = limbeck(
        check, f"{network}-import", "import", folder / "random.safetensors", "--model", network, "--classes", "10",
        "--sample-shape", shape, "--normalisation", normalisation, "--out", folder / "w.safetensors",
        *(["--hidden", "256,256"] if network == "mlp" else ["--hidden", "48"] if network == "residual-mlp" else []))
    if not ok:
        check.say(False, f"{network}, import", said, "imported")
        return None
    return folder
