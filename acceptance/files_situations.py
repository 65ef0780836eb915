"""Situations drawn from the seed: orders, readings, absent values, ways to write a table, names, slips of the pen."""

import csv
import io

import files_inputs as inputs
from files_cases import absent, agrees, base, need_refusal, one_reading, predicted, round_trip, teach, teachers, train, MIXING
from files_lab import Fault, refused, right, shown, tidy
from files_networks import page
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
                agrees(lab.run("evaluate", "run", "--table", room / "n.csv", "--label-column", "label",
                               "--json", "--threads", "1", at=home), 1)
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
        order = random.choice(orders)
        what = random.choice(["distillation", "adaptive mixing", "evaluate --recipe", "other names"])

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
                one_reading(
                    lab.run("noise", "r.yaml", "--labels", "labels.csv", "--out", "read.csv", "--json", at=room), room, rows)
        yield f"{what}, classes {' '.join(classes)}, labels written as {words}: {' '.join(texts)}", task


ABSENT = [
    "NaN", "nan", "null", "None", "NA", "n/a", "N/A", "-", "?", "", " ", "  ", "empty", "#N/A", "NULL", "none", "missing", "."]


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
        words += ["BOM"] * bom + ["gzip"] * zipped + ["label first"] * (not last)
        words += [f"index column named {index!r}"] * (index is not None)
        yield ", ".join(words), task


SPECIAL = {
    "ESC": "\x1b[31m", "BEL": "\x07", "BS": "\x08", "DEL": "\x7f", "CSI": "\x9b31m", "NEL": "\x85", "NUL": "\x00", "VT": "\x0b",
    "FF": "\x0c", "tab": "\t", "LF": "\n", "CR": "\r", "CRLF": "\r\n", "right-to-left override": "\u202e",
    "isolate": "\u2066", "zero-width space": "\u200b", "joiner": "\u200d", "soft hyphen": "\u00ad", "BOM": "\ufeff",
    "combining marks": "e" + "\u0301" * 5, "1,000 combining marks": "e" + "\u0301" * 1000, "line separator": "\u2028",
    "paragraph separator": "\u2029", "tag": "\U000e0041", "emoji": "\U0001f468\u200d\U0001f469",
    "quote": '"', "quote and comma": '",', "equals": "=1+1", "at": "@SUM(1)", "markup": "<script>alert(1)</script>",
    "private use": "\ue000",
    "noncharacter": "\ufffe",
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
                    {"kind": "csv", "path": table}, method=None, seeds=[0],
                    rows=[{"name": odd, "method": {"name": "cross-entropy"}}], **parts))
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


@kind("options, recipes and hints that people mistype", "one line with a suggestion that exists, exit 64 or 65")
def typos(lab, random):
    room, _ = base(lab)
    for command, words in (
            (["trian", "r.yaml"], "train"), (["train", "r.yaml", "--set", "optimizer.lr=0.1"], "rate"),
            (["train", "r.yaml", "--set", "model.name=resnet50"], "resnet"),
            (["train", "r.yaml", "--set", "training.epoch=3"], "epochs"),
            (["train", "r.yaml", "--set", "data.lable=label"], "label"), (["train", "r.yaml", "--set", "seed="], "seed"),
            (["train", "r.yaml", "--set", "training.epochs="], "epochs"), (["compare", "r.yaml", "--resume"], "compare"),
            (["evalute", "run"], "evaluate"), (["train", "r.yaml", "--set", "method.name=distilation"], "distillation")):
        def task(_, command=command, words=words):
            ran = tidy(lab.run(*command, *["--dry-run"] * (command[0] == "train"), at=room))
            if ran.code not in (64, 65) or words not in ran.said:
                raise Fault(f'exit {ran.code}, and not a word of "{words}": {shown(ran.said[:150])}')
        yield " ".join(command), task
