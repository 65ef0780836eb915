"""Situations drawn from the seed: checkpoints in every container, files of another format, IDX of every kind."""

import collections
import gzip
import io
import pathlib

import files_inputs as inputs
from files_cases import base
from files_lab import Fault, refused, shown, tidy
from files_networks import FITS, imported, network
from files_state import kind

PREFIXES = [
    "module.", "model.", "net.", "student.", "module.student.", "_orig_mod.", "_orig_mod.module.", "module.model.",
    "backbone.net.", "module.module."]


def containers(made, state, tensors):
    """Ways to put a network into a file, and the part that must be named, if any."""
    Counter = collections.Counter
    optimizer = {"state": {0: {"step": made.tensor((), [3.0])}}, "param_groups": [{"lr": 0.1}]}
    return {
        "the dictionary itself": (state, None),
        "state_dict": ({"state_dict": state, "epoch": 3}, None),
        "model_state_dict beside an optimizer's": (
            {"epoch": 5, "model_state_dict": state, "optimizer_state_dict": optimizer}, None),
        "model beside best_acc, a tensor": ({"model": state, "best_acc": made.tensor((), [0.5])}, None),
        "net beside acc, a number": ({"net": state, "acc": 93.1, "epoch": 7}, None),
        "state_dict beside a Counter": ({"state_dict": state, "seen": Counter("abca")}, None),
        "state_dict beside a defaultdict": ({"state_dict": state, "log": collections.defaultdict(list, a=[1])}, None),
        "state_dict beside a numpy number": ({"state_dict": state, "best": inputs.numpy_scalar(0.93)}, None),
        "state_dict beside a path": ({"state_dict": state, "where": pathlib.PurePosixPath("/tmp/x")}, None),
        "my_net, with --part": ({"my_net": state, "their_net": {"w": made.tensor((1,), [1.0])}}, "my_net"),
        "a list of two, with --part": ({"nets": {"a": state, "b": {"w": made.tensor((1,), [1.0])}}}, "nets.a"),
        "parameters": (made.state(tensors, make=made.parameter), None),
        "a plain dictionary": (dict(state), None)}


@kind("prefixes and containers of checkpoints", "imported, and the network predicts the same")
def checkpoints(lab, random):
    names = list(containers(inputs.Tensors(), {}, {}))
    for number in range(40):
        what = names[number % len(names)]
        prefix = random.choice(["", "", *PREFIXES]) if number >= len(names) else ""
        if what == "parameters":
            prefix = ""
        zipped = random.random() < 0.6
        name = random.choice(["w.pth", "w.pt", "w.bin", "w.ckpt", "w.pth.tar"])

        def task(room, what=what, prefix=prefix, zipped=zipped, name=name):
            tensors = network(lab)[0]
            made = inputs.Tensors()
            value, part = containers(made, made.state(tensors, prefix), tensors)[what]
            imported(lab, made.file(value, zipped=zipped), *(["--part", part] if part else []), name=name,
                     says=[prefix.rstrip(".")] if prefix else [])
        yield f"{name}, {'zip' if zipped else 'bare pickles'}, {what}, names begin with {prefix or 'nothing'}", task


@kind("unsafe and unfit checkpoints", "exit 65 in one line; nothing is run")
def unsafe(lab, random):
    tensors = network(lab)[0]

    class System:
        def __reduce__(self):
            import os
            return os.system, ("touch executed",)
    values = {
        "a call of os.system": lambda made: {"state_dict": made.state(tensors), "x": System()},
        "only a call of os.system": lambda made: System(),
        "no tensor": lambda made: {"epoch": 3}, "a number": lambda made: 7, "an empty dictionary": lambda made: {},
        "names of another network": lambda made: made.state({f"conv{k}.weight": v for k, v in enumerate(tensors.values())}),
        "a tensor too few": lambda made: made.state(dict(list(tensors.items())[1:])),
        "a tensor of another shape": lambda made: made.state({n: ((len(v),), v) for n, (_, v) in tensors.items()}),
        "NaN": lambda made: made.state({n: (s, [float("nan")] * len(v)) for n, (s, v) in tensors.items()})}
    for what, make in values.items():
        for zipped in (True, False):
            def task(room, make=make, zipped=zipped):
                made = inputs.Tensors()
                inputs.write(room / "w.pth", made.file(make(made), zipped=zipped))
                ran = tidy(lab.run("import", "w.pth", *FITS, "--out", "o.safetensors", at=room))
                if (room / "executed").exists():
                    raise Fault("the file's command was run")
                if ran.code == 0 and "os.system" not in str(make.__code__.co_consts):
                    if any(name == "System" for name in make.__code__.co_names + make.__code__.co_freevars):
                        return
                    raise Fault("exit 0")
            yield f"{what}, {'zip' if zipped else 'bare pickles'}", task


def formats(lab):
    """Files that are something else: bytes, and words of which the refusal has one of each."""
    tensors, _, _ = network(lab)
    made = inputs.Tensors()
    pth = made.file(made.state(tensors))
    plain = inputs.safetensors(tensors)
    return {
        "nothing": (b"", ("empty",)),
        "a web page": (b"<!DOCTYPE html>\n<html><head><title>404</title></head></html>\n", ("html|web page",)),
        "a web page without a declaration": (b"<html><body>Not found</body></html>", ("html|web page",)),
        "an LFS pointer": (b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"a" * 64 + b"\nsize 44730\n", ("lfs",)),
        "gzip": (gzip.compress(plain, mtime=0), ("gzip",)),
        "a NumPy array": (inputs.npy((2, 2), [1, 2, 3, 4]), ()),
        "text": (b"hello\n", ()),
        "JSON": (b'{"a": 1}', ()),
        "a zip archive of something else": (zip_of({"a.txt": b"x"}), ()),
        "TorchScript": (zip_of({
            "m/code/__torch__.py": b"x", "m/data.pkl": b"\x80\x02}.", "m/constants.pkl": b"\x80\x02).", "m/version": b"3\n"}),
            ("torchscript",)),
        "half a zip archive": (pth[:len(pth) // 2], ()),
        "half of safetensors": (plain[:len(plain) // 2], ()),
        "nulls": (bytes(4096), ()),
        "a table": (b"x0,x1,x2\n1,2,3\n", ())}


def zip_of(files):
    import zipfile
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return file.getvalue()


@kind("files of another format", "exit 65 in one line that says what the file is, where that can be seen")
def wrong(lab, random):
    home, _ = base(lab)
    for what, (data, words) in formats(lab).items():
        for name, command in {
                "import of .pth": ["import", "w.pth", *FITS, "--out", "o.safetensors"],
                "import of .safetensors": ["import", "w.safetensors", *FITS, "--out", "o.safetensors"],
                "import --list": ["import", "w.pth", "--list"],
                "a teacher": ["train", "teacher.yaml", "--threads", "1", "--out", "out"],
                "evaluate": ["evaluate", "w.safetensors", "--table", home / "t.csv"],
                "predict on it": ["predict", home / "run", "w.csv", "--threads", "1"],
                "noise --labels": ["noise", home / "r.yaml", "--labels", "w.csv"]}.items():
            if random.random() < 0.4 or (what == "a table" and "predict" in name):
                continue
            says = words if name.startswith("import") or name == "a teacher" else ()

            def task(room, command=command, data=data, words=says):
                for file in ("w.pth", "w.safetensors", "w.csv"):
                    inputs.write(room / file, data)
                inputs.write(room / "t.csv", (home / "t.csv").read_bytes())
                inputs.write(room / "teacher.yaml", inputs.recipe({"kind": "csv", "path": "t.csv"}, method={
                    "name": "distillation", "teacher": {"model": {"name": "mlp", "hidden": [16]}, "file": "w.pth"}}))
                refused(lab.run(*command, at=room), *words)
            yield f"{name}: {what}", task


@kind("safetensors under the name of a .pth and the other way", "imported, or exit 65 that says which it is")
def swapped(lab, random):
    tensors = network(lab)[0]
    made = inputs.Tensors()
    for what, data, names in (
            ("safetensors", inputs.safetensors(tensors), ["w.pth", "w.pt", "w.bin"]),
            ("a zip archive of PyTorch", made.file(made.state(tensors)), ["w.safetensors"]),
            ("bare pickles of PyTorch", made.file(made.state(tensors), zipped=False), ["w.safetensors", "w"])):
        for name in names:
            def task(room, data=data, name=name, what=what):
                inputs.write(room / name, data)
                ran = tidy(lab.run("import", name, *FITS, "--out", "o.safetensors", at=room))
                if ran.code:
                    refused(ran, "safetensors" if what == "safetensors" else "pytorch|zip|pickle")
                else:
                    imported(lab, data, name=name)
            yield f"{what} named {name}", task


@kind("IDX files of other elements, sizes and first labels", "read as they are, warned of, or exit 65")
def idx(lab, random):
    for number in range(14):
        first, kind_, short = random.choice([0, 0, 1, 3]), random.choice([8, 8, 12]), random.choice([0, 0, 0, 1, -1])
        name = random.choice(["x-images-idx3-ubyte", "x-images.idx3-ubyte", "x.idx"])

        def task(room, number=number, first=first, kind_=kind_, short=short, name=name):
            x, _ = inputs.images(lab.random("idx", number), 60, 8, 4)
            labels = [k % 4 + first for k in range(60)]
            y = inputs.idx((60,), labels, kind_)
            y = y[:-1] if short < 0 else y + b"\0" * short
            inputs.write(room / name, x)
            inputs.write(room / "y", y)
            inputs.write(room / "r.yaml", inputs.recipe({"kind": "idx", "images": name, "labels": "y"}))
            ran = tidy(lab.run("noise", "r.yaml", "--json", at=room))
            if ran.code:
                refused(ran)
                if not short and not first:
                    raise Fault(f"exit 65: {shown(ran.line)}")
                return
            if short:
                raise Fault("exit 0 for a file of another length than its header says")
            if first and not ran.object()["warnings"]:
                raise Fault("exit 0, and no warning of classes without samples")
        yield f"{name}, labels from {first}, {'32-bit' if kind_ == 12 else 'bytes'}, {short:+d} bytes", task
