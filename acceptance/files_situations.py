"""Situations drawn from the seed: orders, readings, absent values, ways to write a table, names, checkpoints, formats."""

import collections
import csv
import gzip
import io
import json
import pathlib

import files_inputs as inputs
from files_cases import absent, agrees, base, need_refusal, one_reading, predicted, round_trip, teach, teachers, train, MIXING
from files_lab import Fault, accuracy, refused, right, shown, tidy
from files_networks import FITS, imported, network, page
from files_state import kind


@kind("column orders", "as good as in the right order, or exit 65")
def column_orders(lab, random):
    for number in range(20):
        order = list(range(4))
        while order == list(range(4)):
            random.shuffle(order)
        extra = random.choice([None, None, "note", "id"])
        what = random.choice(["test table", "predict", "evaluate --table", "teacher"])

        def task(room, order=order, extra=extra, what=what, number=number):
            home, rows = base(lab)
            own = inputs.samples(lab.random("orders", number), 30)
            header = [("x0", "x1", "x2", "label")[k] for k in order]
            cells = [[(*f, label)[k] for k in order] for f, label in own]
            if extra:
                header, cells = header + [extra], [row + [k] for k, row in enumerate(cells)]
            inputs.write(room / "n.csv", inputs.table(cells, header))
            if what == "predict":
                ran = tidy(lab.run("predict", "run", room / "n.csv", "--threads", "1", at=home))
                if ran.code == 65:
                    return
                if predicted(ran) != [label for _, label in own]:
                    raise Fault("exit 0 with other classes")
            elif what == "evaluate --table":
                agrees(lab.run("evaluate", "run", "--table", room / "n.csv", "--label-column", "label", "--json", "--threads", "1", at=home), 1)
            elif what == "test table":
                inputs.write(room / "r.yaml", inputs.recipe(
                    {"kind": "csv", "path": str(home / "t.csv"), "test-path": "n.csv", "label": "label"}))
                agrees(train(lab, room), 1)
            else:
                mapped = [(tuple((*f, label)[k] for k in order if k != 3), label) for f, label in rows]
                names = [("x0", "x1", "x2")[k] for k in order if k != 3]
                teach(lab, (mapped, names, None), (rows, inputs.COLUMNS, None))
        yield f"{what}, columns {' '.join(('x0', 'x1', 'x2', 'label')[k] for k in order)} {extra or ''}", task


@kind("class orders and names", "the network's own accuracy, or exit 65; other names: exit 65")
def class_orders(lab, random):
    orders = ["acb", "bac", "bca", "cab", "cba"]
    known = teachers(lab)
    rows = known["classes in another order"][0][0]
    for number in range(20):
        order, what = random.choice(orders), random.choice(["distillation", "adaptive mixing", "evaluate --recipe", "other names"])

        def task(room, order=order, what=what):
            other = (rows, inputs.COLUMNS, list(order))
            if what == "evaluate --recipe":
                home, _ = base(lab)
                inputs.write(room / "r.yaml", inputs.recipe({"kind": "csv", "path": "t.csv", "class-names": list(order)}))
                agrees(lab.run("evaluate", "run", "--recipe", room / "r.yaml", "--json", "--threads", "1", at=home), 1)
            elif what == "other names":
                teacher = ([(f, "xyz"[order.index(label)]) for f, label in rows], inputs.COLUMNS, None)
                need_refusal(teach(lab, teacher, (rows, inputs.COLUMNS, None)))
            else:
                teach(lab, other, (rows, inputs.COLUMNS, None), MIXING if "mixing" in what else None)
        yield f"{what}, classes {'xyz' if what == 'other names' else order} for abc", task


@kind("label readings", "one reading for the file: no label changes, or exit 65")
def label_readings(lab, random):
    named = ["123", "012", "102", "234", "135"]
    for number in range(20):
        if number % 2:
            classes = list(random.choice(named))
            texts, words = random.choice([
                (classes, "names"), (["0", "1", "2"], "numbers"), ([f"{c}.0" for c in classes], "names with .0"),
                ([f" {c}" for c in classes], "names behind a blank")])
            texts = [str(sorted(classes).index(c)) for c in classes] if words == "numbers" else texts
        else:
            classes = random.choice([["cat", "dog", "eel"], ["a", "b", "0"], ["1", "x", "2"], ["yes", "no", "1e0"]])
            texts, words = random.choice([(classes, "names"), ([str(sorted(classes).index(c)) for c in classes], "numbers"),
                                          ([c.upper() for c in classes], "names in capitals")])
        what = random.choice(["noise", "noise", "train"])

        def task(room, classes=classes, texts=texts, words=words, what=what, number=number):
            rows = inputs.samples(lab.random("readings", number), 60, classes)
            inputs.write(room / "t.csv", inputs.table(inputs.labelled(rows), (*inputs.COLUMNS, "label")))
            inputs.write(room / "r.yaml", inputs.recipe({"kind": "csv", "path": "t.csv"}))
            right(lab.run("noise", "r.yaml", "--out", "own.csv", at=room))
            own = list(csv.DictReader(io.StringIO((room / "own.csv").read_bytes().decode(), newline="")))
            text = dict(zip(classes, texts))
            inputs.write(room / "labels.csv", inputs.table(
                [(row["index"], text[rows[int(row["index"])][1]]) for row in own], ("index", "label")))
            if what == "train":
                inputs.write(room / "r.yaml", inputs.recipe(
                    {"kind": "csv", "path": "t.csv"}, noise={"kind": "file", "path": "labels.csv"}))
                one_reading(lab.run("train", "r.yaml", "--dry-run", "--json", at=room))
            else:
                one_reading(lab.run("noise", "r.yaml", "--labels", "labels.csv", "--json", at=room))
        yield f"{what}, classes {' '.join(classes)}, labels written as {words}: {' '.join(texts)}", task


ABSENT = ["NaN", "nan", "null", "None", "NA", "n/a", "N/A", "-", "?", "", " ", "  ", "empty", "#N/A", "NULL", "none", "missing", "."]


@kind("words for absent labels", "a warning that names the word, or exit 65")
def absent_labels(lab, random):
    for number, word in enumerate(ABSENT[:12] + ["#N/A", "NULL"]):
        def task(room, word=word, number=number):
            rows = inputs.samples(lab.random("absent", number), 90)
            cells = [(*f, word if k % 12 == 0 else label) for k, (f, label) in enumerate(rows)]
            absent(lab, room, cells, word)
        yield f"labels {word!r} among a, b, c", task


@kind("words for absent numbers", "exit 65 with line and column, never a number")
def absent_numbers(lab, random):
    for word in ABSENT:
        what = random.choice(["train", "predict"])

        def task(room, word=word, what=what):
            home, rows = base(lab)
            cells = [list((*f, label)) for f, label in rows]
            cells[7][1] = word
            inputs.write(room / "t.csv", inputs.table(cells, (*inputs.COLUMNS, "label")))
            inputs.write(room / "r.yaml", inputs.recipe({"kind": "csv", "path": "t.csv"}))
            if what == "train":
                refused(lab.run("train", "r.yaml", "--dry-run", at=room), "line 9", "x1")
            else:
                inputs.write(room / "p.csv", inputs.table([row[:3] for row in cells], inputs.COLUMNS))
                ran = tidy(lab.run("predict", "run", room / "p.csv", "--threads", "1", at=home))
                if ran.code == 0 and predicted(ran)[7] != "":
                    raise Fault("exit 0 with a class for a row without a number")
                if ran.code:
                    refused(ran, "line 9", "x1")
        yield f"{what}, a cell {word!r}", task


@kind("ways to write a table", "the samples, features and classes that are there, or exit 65")
def ways(lab, random):
    for number in range(36):
        header = random.choice([True, True, False])
        delimiter = random.choice([",", ",", ";", "\t"])
        ending = random.choice(["\n", "\r\n", "\r\n", "\r"])
        bom, zipped = random.random() < 0.4, random.random() < 0.3
        index = random.choice([None, None, "", "Unnamed: 0"]) if header else None
        last = random.choice([True, True, False])
        said = random.random() < 0.7

        def task(room, number=number, header=header, delimiter=delimiter, ending=ending, bom=bom, zipped=zipped,
                 index=index, last=last, said=said):
            rows = inputs.samples(lab.random("ways", number), 60, ["ape", "bee", "cow"])
            names = list(inputs.COLUMNS)
            cells = [list(f) for f, _ in rows]
            place = len(names) if last else 0
            names.insert(place, "kind")
            for line, (_, label) in zip(cells, rows):
                line.insert(place, label)
            if index is not None:
                names.insert(0, index)
                for k, line in enumerate(cells):
                    line.insert(0, k)
            name = "t.csv" + (".gz" if zipped else "")
            inputs.write(room / name, inputs.table(cells, names if header else None, delimiter, ending, bom, zipped))
            data = {"kind": "csv", "path": name}
            if said and delimiter != ",":
                data["delimiter"] = {";": "semicolon", "\t": "tab"}[delimiter]
            if said and not header:
                data["header"] = False
            if not last:
                data["label"] = "kind" if header else (0 if index is None else 1)
            inputs.write(room / "r.yaml", inputs.recipe(data))
            ran = tidy(lab.run("train", "r.yaml", "--dry-run", "--json", at=room))
            plain = header and delimiter == "," and index is None
            if ran.code:
                if plain or (said and index is None):
                    raise Fault(f"exit {ran.code}: {shown(ran.line)}")
                refused(ran)
                return
            value = ran.object()
            count = sum(value["samples"].values()) if isinstance(value["samples"], dict) else value["samples"]
            found = (count, value["classes"], value["sample_shape"])
            if found != (60, 3, [3]) and not (found == (60, 3, [4]) and index is not None and "warning" in ran.said.lower()):
                raise Fault(f"exit 0 with {found[0]} samples of {found[2]} features, {found[1]} classes; there are 60 of 3, 3")
        words = [("header" if header else "no header") + ("" if said else ", nothing said"), repr(delimiter), repr(ending)]
        words += ["BOM"] * bom + ["gzip"] * zipped + [f"index column named {index!r}"] * (index is not None) + ["label first"] * (not last)
        yield ", ".join(words), task


SPECIAL = {
    "ESC": "\x1b[31m", "BEL": "\x07", "BS": "\x08", "DEL": "\x7f", "CSI": "\x9b31m", "NEL": "\x85", "NUL": "\x00", "VT": "\x0b",
    "FF": "\x0c", "tab": "\t", "LF": "\n", "CR": "\r", "CRLF": "\r\n", "right-to-left override": "\u202e",
    "isolate": "\u2066", "zero-width space": "\u200b", "joiner": "\u200d", "soft hyphen": "\u00ad", "BOM": "\ufeff",
    "combining marks": "e" + "\u0301" * 5, "1,000 combining marks": "e" + "\u0301" * 1000, "line separator": "\u2028",
    "paragraph separator": "\u2029", "tag": "\U000e0041", "emoji": "\U0001f468\u200d\U0001f469", "quote": '"', "quote and comma": '",',
    "equals": "=1+1", "at": "@SUM(1)", "markup": "<script>alert(1)</script>", "private use": "\ue000", "noncharacter": "\ufffe",
    "non-breaking space": "\u00a0", "backslash": "\\", "percent": "%s%n", "braces": "{{x}}"}


@kind("characters in names", "refused, or written and read again, with nothing raw")
def names(lab, random):
    for what, text in SPECIAL.items():
        where = random.choice(["a class", "a class", "a column", "a row of a comparison", "a recipe's name", "a path"])
        if where == "a path" and (what in ("NUL", "1,000 combining marks") or "/" in text):
            where = "a class"

        def task(room, text=text, where=where, what=what):
            odd = f"x{text}y"
            classes = [odd, "b", "c"] if where == "a class" else list("abc")
            header = (odd if where == "a column" else "x0", "x1", "x2", "label")
            rows = inputs.samples(lab.random("names", what), 60, classes)
            table = f"t{odd}.csv" if where == "a path" else "t.csv"
            inputs.write(room / table, inputs.table(inputs.labelled(rows), header))
            parts = {"training": {"epochs": 1, "batch": 32}}
            if where == "a recipe's name":
                parts["name"] = odd
            inputs.write(room / "r.yaml", inputs.recipe({"kind": "csv", "path": table}, **parts))
            if where == "a row of a comparison":
                inputs.write(room / "c.yaml", inputs.recipe(
                    {"kind": "csv", "path": table}, method=None, seeds=[0], rows=[{"name": odd, "method": {"name": "cross-entropy"}}], **parts))
                ran = tidy(lab.run("compare", "c.yaml", "--threads", "1", "--out", "out", at=room))
                if ran.code == 0:
                    page(room / "out/report.html")
                return
            dry = tidy(lab.run("train", "r.yaml", "--dry-run", at=room))
            ran = tidy(lab.run("train", "r.yaml", "--threads", "1", "--out", "run", at=room))
            if ran.code:
                return
            if dry.code:
                raise Fault("--dry-run refuses what training takes")
            page(room / "run/report.html")
            inputs.write(room / "p.csv", inputs.table([f for f, _ in rows], header[:3]))
            right(lab.run("predict", "run", "p.csv", "--threads", "1", "--probabilities", "--out", "o.csv", at=room))
            with open(room / "o.csv", newline="", encoding="utf-8") as file:
                found = list(csv.reader(file))
            if len(found) != 61 or {len(row) for row in found} != {len(found[0])}:
                raise Fault(f"{len(found)} rows of predictions instead of 61")
            tidy(lab.run("predict", "run", "p.csv", "--threads", "1", "--probabilities", at=room))
            round_trip(lab, room)
        yield f"{what} in {where}", task


PREFIXES = ["module.", "model.", "net.", "student.", "module.student.", "_orig_mod.", "_orig_mod.module.", "module.model.", "backbone.net.",
            "module.module."]


def containers(made, state, tensors):
    """Ways to put a network into a file, and the part that must be named, if any."""
    Counter = collections.Counter
    return {
        "the dictionary itself": (state, None),
        "state_dict": ({"state_dict": state, "epoch": 3}, None),
        "model_state_dict beside an optimizer's": (
            {"epoch": 5, "model_state_dict": state, "optimizer_state_dict": {"state": {0: {"step": made.tensor((), [3.0])}}, "param_groups": [{"lr": 0.1}]}}, None),
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
        "TorchScript": (zip_of({"m/code/__torch__.py": b"x", "m/data.pkl": b"\x80\x02}.", "m/constants.pkl": b"\x80\x02).", "m/version": b"3\n"}), ("torchscript",)),
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


@kind("options, recipes and hints that people mistype", "one line with a suggestion that exists, exit 64 or 65")
def typos(lab, random):
    room, _ = base(lab)
    for command, words in (
            (["trian", "r.yaml"], "train"), (["train", "r.yaml", "--set", "optimizer.lr=0.1"], "rate"),
            (["train", "r.yaml", "--set", "model.name=resnet50"], "resnet"), (["train", "r.yaml", "--set", "training.epoch=3"], "epochs"),
            (["train", "r.yaml", "--set", "data.lable=label"], "label"), (["train", "r.yaml", "--set", "seed="], "seed"),
            (["train", "r.yaml", "--set", "training.epochs="], "epochs"), (["compare", "r.yaml", "--resume"], "compare"),
            (["evalute", "run"], "evaluate"), (["train", "r.yaml", "--set", "method.name=distilation"], "distillation")):
        def task(_, command=command, words=words):
            ran = tidy(lab.run(*command, *["--dry-run"] * (command[0] == "train"), at=room))
            if ran.code not in (64, 65) or words not in ran.said:
                raise Fault(f'exit {ran.code}, and not a word of "{words}": {shown(ran.said[:150])}')
        yield " ".join(command), task
