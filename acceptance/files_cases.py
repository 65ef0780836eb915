"""Inputs that failed once, rebuilt: tables, labels, recipes, names and networks from elsewhere. Each case raises a
`Fault` if the answer is wrong, or returns what was seen."""

import csv
import io
import json

import files_inputs as inputs
from files_lab import CONTROL, Fault, accuracy, judged, refused, right, shown, tidy

CASES = []


def case(name, bar):
    def keep(function):
        CASES.append((name, bar, function))
        return function
    return keep


def cases(check, lab):
    """One line for every case."""
    for name, bar, function in CASES:
        seen = []
        fault = judged(lambda: seen.append(function(lab)))
        check.say(fault is None, name, fault or seen[0], bar)


# Networks and tables that many cases and situations need, made once.

def base(lab):
    """A folder with t.csv (90 rows, classes a, b, c), the run of a small network on it, plain.csv (its features
    alone) and what the network says of it."""
    def make(room):
        rows = inputs.samples(lab.random("base"))
        inputs.write(room / "t.csv", inputs.table(inputs.labelled(rows), (*inputs.COLUMNS, "label")))
        inputs.write(room / "plain.csv", inputs.table([f for f, _ in rows[:12]], inputs.COLUMNS))
        inputs.write(room / "r.yaml", inputs.recipe({"kind": "csv", "path": "t.csv"}))
        right(lab.run("train", "r.yaml", "--threads", "1", "--out", "run", at=room))
        classes = predicted(lab.run("predict", "run", "plain.csv", "--threads", "1", at=room))
        if classes != [label for _, label in rows[:12]]:
            raise Fault("the network of the list does not learn")
        return room, rows
    return lab.once("base", make)


def predicted(ran):
    """The class names of a prediction's rows."""
    rows = right(ran).rows()
    if not rows or "predicted" not in rows[0]:
        raise Fault(f"no column predicted: {shown(ran.text[:80])}")
    if "nan" in ran.text.lower().split("\n", 1)[1]:
        raise Fault("a prediction of nan")
    return [row[rows[0].index("predicted")] for row in rows[1:]]


def train(lab, room, name="r.yaml", out="run", *more, wait=60):
    return lab.run("train", name, "--threads", "1", "--json", "--out", out, *more, at=room, wait=wait)


def agrees(ran, expected, *words):
    """A run with (at least) the accuracy expected, or a refusal with 65."""
    if tidy(ran).code != 0:
        return f"refused: {shown(refused(ran, *words).line)}"
    found = accuracy(ran)
    if found < expected - 0.02:
        raise Fault(f"exit 0, and {100 * found:.1f} % instead of {100 * expected:.1f} %")
    return f"{100 * found:.1f} %"


@case("57 test table with its columns in another order", "the accuracy of the right order, or exit 65")
def test_columns(lab):
    room, rows = lab.room("57"), inputs.samples(lab.random("57"), 120)
    inputs.write(room / "train.csv", inputs.table(inputs.labelled(rows[:90]), (*inputs.COLUMNS, "label")))
    inputs.write(room / "test.csv", inputs.table(
        [(f[1], label, f[2], f[0]) for f, label in rows[90:]], ("x1", "label", "x2", "x0")))
    inputs.write(room / "r.yaml", inputs.recipe({"kind": "csv", "path": "train.csv", "test-path": "test.csv", "label": "label"}))
    return agrees(train(lab, room), 1)


def teach(lab, teacher, student, method=None):
    """Accuracy on the test that a student's run reports of its teacher. Both are (rows, columns, class names), the
    names nothing if the data says them."""
    room = lab.room("142")
    for name, (rows, columns, names) in (("teacher", teacher), ("student", student)):
        inputs.write(room / f"{name}.csv", inputs.table(inputs.labelled(rows), (*columns, "label")))
        data = {"kind": "csv", "path": f"{name}.csv"} | ({"class-names": names} if names else {})
        more = {}
        if name == "student":
            model = {"model": {"name": "mlp", "hidden": [16]}, "file": "teacher/model.safetensors"}
            more["method"] = method(model) if method else {"name": "distillation", "teacher": model}
        inputs.write(room / f"{name}.yaml", inputs.recipe(data, **more))
    own = accuracy(train(lab, room, "teacher.yaml", "teacher"))
    if own < 0.95:
        raise Fault(f"the teacher of the list reaches {own}")
    ran = train(lab, room, "student.yaml", "student")
    if tidy(ran).code != 0:
        return f"refused: {shown(refused(ran).line, 90)}"
    table = [
        row for row in csv.DictReader(io.StringIO((room / "student/samples.csv").read_text())) if row["split"] == "train"]
    column = next((name for name in table[0] if name.endswith("predicts")), None)
    if column:
        reached = sum(row["given"] == row[column] for row in table) / len(table)
    else:
        reached = teachers_accuracy(room / "student")
    if reached < own - 0.05:
        raise Fault(f"exit 0, and the teacher falls from {100 * own:.0f} to {100 * reached:.0f} %")
    return f"teacher {100 * reached:.0f} %"


def teachers_accuracy(run):
    """That of the last phase's teacher on the test split."""
    sections = json.loads((run / "result.json").read_text())["phases"][-1]["sections"]
    return next(v["value"] for s in sections for v in s.get("values", []) if v["name"] == "teacher-accuracy")


MIXING = lambda model: {"name": "adaptive-mixing", "teachers": [model]}


def teachers(lab):
    """Teacher, student and, for each, how the two do not fit together."""
    rows = inputs.samples(lab.random("142"), 90)
    renamed = lambda names: [(f, names["abc".index(label)]) for f, label in rows]
    same = (rows, inputs.COLUMNS, None)
    reordered = ([((f[2], f[0], f[1]), label) for f, label in rows], ("x2", "x0", "x1"), None)
    return {
        "classes in another order": ((rows, inputs.COLUMNS, ["c", "a", "b"]), same),
        "columns in another order": (reordered, same),
        "columns under other names": (same, (rows, ("w", "h", "z"), None)),
        "other class names": ((renamed(["eel", "ape", "cow"]), inputs.COLUMNS, None), same),
        "class names permuted": ((renamed("cab"), inputs.COLUMNS, None), same),
        "five classes": ((inputs.samples(lab.random("142-5"), 150, "abcde"), inputs.COLUMNS, None), same)}


for _name in ("classes in another order", "columns in another order", "other class names"):
    for _method, _make in (("distillation", None), ("adaptive mixing", MIXING)):
        case(f"142 {_method}, a teacher of {_name}", "the teacher's own accuracy, or exit 65")(
            lambda lab, name=_name, make=_make: teach(lab, *teachers(lab)[name], make))


@case("142 distillation, a teacher of columns under other names", "exit 65: nothing says that they are the same")
def other_columns(lab):
    return need_refusal(teach(lab, *teachers(lab)["columns under other names"]))


@case("142 distillation, a teacher with 5 classes for 3", "exit 65")
def five(lab):
    return need_refusal(teach(lab, *teachers(lab)["five classes"]))


def need_refusal(seen):
    if not seen.startswith("refused"):
        raise Fault(f"exit 0: {seen}")
    return seen


@case("142 placeholder names 0, 1, 2 of an imported teacher", "allowed, with the teacher's own accuracy")
def placeholders(lab):
    room, _ = base(lab)
    right(lab.run(
        "import", "run/model.safetensors", "--model", "mlp", "--hidden", "16", "--classes", "3", "--sample-shape", "3",
        "--normalisation", normalisation(room), "--out", "placeholder.safetensors", at=room))
    model = {"model": {"name": "mlp", "hidden": [16]}, "file": "placeholder.safetensors"}
    inputs.write(room / "p.yaml", inputs.recipe(
        {"kind": "csv", "path": "t.csv"}, method={"name": "distillation", "teacher": model}))
    right(train(lab, room, "p.yaml", "p"))
    reached = teachers_accuracy(room / "p")
    if reached < 0.95:
        raise Fault(f"the teacher reaches {reached}")
    return f"teacher {100 * reached:.0f} %"


def normalisation(room):
    """MEAN/STD of the base network, as `import` takes it."""
    card = json.loads(inputs.read_safetensors(room / "run/model.safetensors")[1]["limbeck"])["normalisation"]
    return "/".join(",".join(str(v) for v in card[key]) for key in ("mean", "std"))


@case("142 evaluate --recipe with classes in another order", "the network's own accuracy, or exit 65")
def evaluate_order(lab):
    room, _ = base(lab)
    inputs.write(room / "cab.yaml", inputs.recipe({"kind": "csv", "path": "t.csv", "class-names": ["c", "a", "b"]}))
    return agrees(lab.run("evaluate", "run", "--recipe", "cab.yaml", "--json", "--threads", "1", at=room), 1)


def label_file(lab, classes, texts, kind="noise"):
    """Realised noise of a label file for 90 rows of these classes; `texts` are what the file writes for them."""
    room = lab.room("143")
    rows = inputs.samples(lab.random("143", *classes), 90, list(classes))
    inputs.write(room / "t.csv", inputs.table(inputs.labelled(rows), (*inputs.COLUMNS, "label")))
    inputs.write(room / "r.yaml", inputs.recipe({"kind": "csv", "path": "t.csv"}))
    right(lab.run("noise", "r.yaml", "--out", "own.csv", at=room))
    index = [row["index"] for row in csv.DictReader(io.StringIO((room / "own.csv").read_bytes().decode(), newline=""))]
    names = dict(zip(classes, texts))
    labels = [(number, names[rows[int(number)][1]]) for number in index]
    inputs.write(room / "labels.csv", inputs.table(labels, ("index", "label")))
    if kind == "train":
        inputs.write(room / "r.yaml", inputs.recipe(
            {"kind": "csv", "path": "t.csv"}, noise={"kind": "file", "path": "labels.csv"}))
        return lab.run("train", "r.yaml", "--dry-run", "--json", at=room)
    return lab.run("noise", "r.yaml", "--labels", "labels.csv", "--out", "read.csv", "--json", at=room)


def one_reading(ran, room=None, rows=()):
    """No label was changed, so that the realised noise is nought, or the file was refused. In `room`, what the
    program read is compared with the classes of the rows."""
    if tidy(ran).code != 0:
        return f"refused: {shown(refused(ran).line, 90)}"
    value = ran.object()
    realised = value.get("realised", value.get("realised_noise"))
    if isinstance(realised, float) and realised > 0:
        raise Fault(f"exit 0, and {100 * realised:.0f} % of the labels changed though none did")
    if room and (room / "read.csv").is_file():
        read = list(csv.DictReader(io.StringIO((room / "read.csv").read_bytes().decode(), newline="")))
        wrong = sum(row.get("given", row.get("label")) != rows[int(row["index"])][1] for row in read)
        if wrong or not read:
            raise Fault(f"exit 0, and {wrong} of {len(read)} labels changed though none did")
    return f"realised {realised}"


@case("143 label file with the numbers 0, 1, 2 for classes named 1, 2, 3",
      "one reading for the file: no label changes, or exit 65")
def numbers(lab):
    return one_reading(label_file(lab, "123", "012"))


@case("143 label file with the names of classes named 1, 2, 3", "no label changes")
def names(lab):
    ran = label_file(lab, "123", "123")
    right(ran)
    return one_reading(ran)


@case("143 label file that `noise --out` wrote, classes named 1, 2, 3", "the same realised noise")
def own_file(lab):
    room, rows = lab.room("143"), inputs.samples(lab.random("own"), 90, "123")
    inputs.write(room / "t.csv", inputs.table(inputs.labelled(rows), (*inputs.COLUMNS, "label")))
    inputs.write(room / "r.yaml", inputs.recipe({"kind": "csv", "path": "t.csv"}))
    return round_trip(lab, room)


def round_trip(lab, room):
    """Noise written and read again: the same realised rate; the file is CSV without control characters."""
    made = right(lab.run("noise", "r.yaml", "--kind", "symmetric", "--rate", "0.3", "--out", "x.csv", "--json", at=room)).object()
    text = (room / "x.csv").read_bytes().decode()
    if found := CONTROL.search(text.replace("\r", "")):
        raise Fault(f"raw {ascii(found[0])} in the label file")
    if {len(row) for row in csv.reader(io.StringIO(text, newline=""))} != {3}:
        raise Fault("a CSV reader finds rows of other lengths in the label file")
    read = right(lab.run("noise", "r.yaml", "--labels", "x.csv", "--json", at=room)).object()
    if read.get("realised") != made.get("realised"):
        raise Fault(f"written at {made.get('realised')}, read at {read.get('realised')}")
    return f"realised {made['realised']:.3f} twice"


def reading(lab, name, header, arrange, **how):
    """Trains on a table that `arrange` makes of (number, features, class), and predicts and measures that table
    itself: as sure as on the plain one. `header` is nothing for a table without one."""
    room, rows = lab.room(name), inputs.samples(lab.random(name), 60)
    cells = [arrange(number, f, label) for number, (f, label) in enumerate(rows, 100)]
    style = how.get("style", {})
    file = how.get("file", "t.csv")
    inputs.write(room / file, inputs.table(cells, header, **style))
    data = {"kind": "csv", "path": file} | how.get("data", {}) | ({} if header else {"header": False})
    inputs.write(room / "r.yaml", inputs.recipe(data))
    if (own := accuracy(train(lab, room))) < 0.9:
        raise Fault(f"training reaches {own}")
    options = [] if header or not how.get("say", True) else ["--no-header"]
    labels = predicted(lab.run("predict", "run", file, *options, "--threads", "1", at=room))
    hits = sum(a == label for a, (_, label) in zip(labels, rows)) if len(labels) == len(rows) else 0
    if hits < 0.95 * len(rows):
        raise Fault(f"predict on the training table: {len(labels)} rows of {len(rows)}, {hits} right")
    if carried := how.get("carried"):
        found = lab.run("predict", "run", file, "--threads", "1", at=room).rows()
        if carried not in found[0] or [r[found[0].index(carried)] for r in found[1:]] != [str(c[0]) for c in cells]:
            raise Fault(f"the column {carried} is not carried into the output: {','.join(found[0])}")
    measured = accuracy(lab.run("evaluate", "run", "--table", file, *options, "--json", "--threads", "1", at=room))
    if measured < 0.95:
        raise Fault(f"evaluate on the training table: {measured}")
    return f"{hits} of {len(rows)} right, evaluate {100 * measured:.0f} %"


READINGS = {
    "54 with an id column that is dropped": (
        ("Id", *inputs.COLUMNS, "kind"), lambda n, f, y: (n, *f, y),
        {"data": {"label": "kind", "drop": ["Id"]}, "carried": "Id"}),
    "36 with semicolons": (
        (*inputs.COLUMNS, "kind"), lambda n, f, y: (*f, y), {"data": {"delimiter": "semicolon"}, "style": {"delimiter": ";"}}),
    "35 with its label column": ((*inputs.COLUMNS, "label"), lambda n, f, y: (*f, y), {}),
    "35 without a header": (None, lambda n, f, y: (*f, y), {}),
    "35 without a header, which the run knows": (None, lambda n, f, y: (*f, y), {"say": False}),
    "35 gzip": ((*inputs.COLUMNS, "label"), lambda n, f, y: (*f, y), {"style": {"zipped": True}, "file": "t.csv.gz"}),
    "171 with the label first": (("label", *inputs.COLUMNS), lambda n, f, y: (y, *f), {"data": {"label": "label"}}),
    "54 with a clean column and a group": (
        (*inputs.COLUMNS, "truth", "who", "label"), lambda n, f, y: (*f, y, f"g{n}", y),
        {"data": {"clean": "truth", "group": "who"}})}

for _name, (_header, _arrange, _how) in READINGS.items():
    case(_name.replace(" ", " the training table again, ", 1), "predict and evaluate read it as the run did")(
        lambda lab, name=_name, header=_header, arrange=_arrange, how=_how: reading(lab, name, header, arrange, **how))


def again(lab, name, header, arrange, **how):
    """What the base network says of another table with the same samples: the same classes, or exit 65."""
    room, rows = base(lab)
    plain = [label for _, label in rows[:12]]
    file = lab.room(name) / how.get("file", "n.csv")
    cells = [arrange(number, f, label) for number, (f, label) in enumerate(rows[:12])]
    inputs.write(file, inputs.table(cells, header, **how.get("style", {})))
    ran = lab.run("predict", "run", file, *how.get("options", []), "--threads", "1", at=room)
    if tidy(ran).code == 65 and not how.get("must"):
        return f"refused: {shown(ran.line, 90)}"
    if (found := predicted(ran)) != plain:
        raise Fault(f"exit 0 with other classes: {''.join(found)[:40]} instead of {''.join(plain)}")
    return "the same classes"


NEW = {
    "columns in another order": (("x2", "label", "x0", "x1"), lambda n, f, y: (f[2], y, f[0], f[1]), {"must": True}),
    "further columns": (("id", *inputs.COLUMNS, "note"), lambda n, f, y: (n, *f, "x"), {"must": True}),
    "a byte-order mark": (inputs.COLUMNS, lambda n, f, y: f, {"style": {"bom": True}, "must": True}),
    "gzip": (inputs.COLUMNS, lambda n, f, y: f, {"style": {"zipped": True}, "file": "n.csv.gz", "must": True}),
    "semicolons": (inputs.COLUMNS, lambda n, f, y: f, {"style": {"delimiter": ";"}}),
    "no header": (None, lambda n, f, y: f, {}),
    "no header, said": (None, lambda n, f, y: f, {"options": ["--no-header"]}),
    "other column names": (("w", "h", "z"), lambda n, f, y: f, {}),
    "column names in capitals": (("X0", "X1", "X2"), lambda n, f, y: f, {}),
    "a column too few": (("x0", "x2"), lambda n, f, y: (f[0], f[2]), {})}
for _name, (_header, _arrange, _how) in NEW.items():
    case(f"35 predict on a new table: {_name}", "the same classes" + ("" if _how.get("must") else ", or exit 65"))(
        lambda lab, name=_name, header=_header, arrange=_arrange, how=_how: again(lab, name, header, arrange, **how))


@case("35 features of 1e38, 1e39, 1e300 and -3e38", "exit 65, or a class with a confidence; never nan")
def huge(lab):
    room, _ = base(lab)
    seen = []
    for value in ("1e38", "1e39", "1e300", "-3e38"):
        inputs.write(room / "huge.csv", f"x0,x1,x2\n0.8,{value},4\n")
        ran = tidy(lab.run("predict", "run", "huge.csv", "--threads", "1", at=room))
        if ran.code == 0:
            predicted(ran)
        seen.append(str(ran.code))
    return f"exit {', '.join(seen)}"


def diverging(lab, comparison, wild):
    room, rows = lab.room("172"), inputs.samples(lab.random("172"))
    inputs.write(room / "t.csv", inputs.table(inputs.labelled(rows), (*inputs.COLUMNS, "label")))
    shared = {"data": {"kind": "csv", "path": "t.csv"}, "model": {"name": "mlp", "hidden": [16]},
              "training": {"epochs": 3, "batch": 16, "ema": 0}}
    inputs.write(room / "c.yaml", "".join(f"{k}: {json.dumps(v)}\n" for k, v in (shared | comparison).items()))
    ran = lab.run("compare", "c.yaml", "--threads", "1", "--out", "out", at=room, wait=60)
    tidy(ran)
    if ran.code != 65:
        raise Fault(f"exit {ran.code}: {shown(ran.line)}")
    if missing := [word for word in wild if word not in ran.said]:
        raise Fault(f"the line does not name {missing[0]}: {shown(ran.line)}")
    if not (room / "out/result.json").is_file():
        raise Fault("no result.json: what did train is lost")
    if not any(word in ran.text.lower() for word in ("diverged", "not finite")):
        raise Fault("the table does not mark the cell")
    return f"exit 65: {shown(ran.line, 90)}"


@case("172 comparison with a row that diverges", "names row and seed, trains the rest, marks the cell, exit 65")
def row_diverges(lab):
    row = lambda name, kind, rate: {"name": name, "method": {"name": "cross-entropy"}, "optimizer": {"kind": kind, "learning-rate": rate}}
    return diverging(lab, {"seeds": [0, 1], "rows": [row("good", "adam", 0.03), row("wild", "sgd", 1.0e9)]}, ["wild"])


@case("181 search with a setting that diverges", "names row, seed and setting, trains the rest, marks the cell, exit 65")
def setting_diverges(lab):
    return diverging(lab, {
        "seeds": [0], "optimizer": {"kind": "sgd", "learning-rate": 0.01},
        "rows": [{"name": "searched", "method": {"name": "cross-entropy"}, "search": {"optimizer.learning-rate": [0.01, 0.1, 1.0e9]}}]},
        ["searched", "rate"])


@case("180 table without a header whose labels are words", "exit 65, with a hint at the header")
def no_header(lab):
    room, rows = lab.room("180"), inputs.samples(lab.random("180"), 60, ["virgin", "setosa", "viola"])
    inputs.write(room / "t.data", inputs.table(inputs.labelled(rows)))
    inputs.write(room / "r.yaml", inputs.recipe({"kind": "csv", "path": "t.data"}))
    return shown(refused(lab.run("train", "r.yaml", "--dry-run", at=room), "header").line)


@case("193 blank line in a table of one column", "exit 65, or a row without a prediction; never fewer rows")
def blank(lab):
    room = lab.room("193")
    random = lab.random("193")
    rows = [(round(random.gauss(3 if k % 2 else -3, 0.5), 3), "ab"[k % 2]) for k in range(60)]
    inputs.write(room / "t.csv", inputs.table(rows, ("x", "label")))
    inputs.write(room / "new.csv", "x\n-3\n\n3\n")
    inputs.write(room / "r.yaml", inputs.recipe({"kind": "csv", "path": "t.csv"}))
    accuracy(train(lab, room))
    ran = tidy(lab.run("predict", "run", "new.csv", "--threads", "1", at=room))
    if ran.code == 65:
        return f"refused: {shown(ran.line)}"
    rows = ran.rows()
    column = rows[0].index("predicted")
    if [row[column] for row in rows[1:]] != ["a", "", "b"]:
        raise Fault(f"exit 0 with the rows {[row[column] for row in rows[1:]]}")
    return "a row without a prediction"


@case("64 IDX labels that begin at 1", "a warning of the class without samples, or exit 65; advise passes over it")
def from_one(lab):
    room = lab.room("64")
    x, y = inputs.images(lab.random("64"), 120, 8, 4, first=1)
    inputs.write(room / "x.idx", x), inputs.write(room / "y.idx", y)
    inputs.write(room / "r.yaml", inputs.recipe({"kind": "idx", "images": "x.idx", "labels": "y.idx"}))
    ran = tidy(lab.run("noise", "r.yaml", "--json", at=room))
    if ran.code == 65:
        return f"refused: {shown(ran.line)}"
    if not ran.object()["warnings"]:
        raise Fault("exit 0, and no warning of a class 0 without samples")
    right(lab.run("features", "pixels", "--recipe", "r.yaml", "--out", "f.safetensors", "--threads", "1", at=room))
    right(lab.run("advise", "f.safetensors", "--threads", "1", "--json", at=room, wait=120))
    return shown(str(ran.object()["warnings"]))


@case("05b label called NaN among classes a, b, c", "a warning that names it, or exit 65")
def nan_label(lab):
    room, rows = lab.room("05b"), inputs.samples(lab.random("05b"), 90)
    cells = [(*f, "NaN" if k % 15 == 0 else label) for k, (f, label) in enumerate(rows)]
    return absent(lab, room, cells, "NaN")


def absent(lab, room, cells, word):
    inputs.write(room / "t.csv", inputs.table(cells, (*inputs.COLUMNS, "label")))
    inputs.write(room / "r.yaml", inputs.recipe({"kind": "csv", "path": "t.csv"}))
    return absent_or_warned(lab.run("train", "r.yaml", "--dry-run", at=room), word)


def absent_or_warned(ran, word):
    if tidy(ran).code == 0 and not (word.strip() in ran.said and "warning" in ran.said.lower()):
        raise Fault(f"exit 0, and {word!r} is a class like any other, without a warning")
    return shown(ran.line)
