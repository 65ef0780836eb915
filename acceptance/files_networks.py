"""Inputs that failed once, rebuilt: weights from elsewhere, numbers that are not finite, recipes, names."""

import csv
import json

import files_inputs as inputs
from files_cases import base, case, round_trip, train
from files_lab import CONTROL, Fault, refused, right, shown, tidy

FITS = ["--model", "mlp", "--hidden", "16", "--classes", "a,b,c", "--sample-shape", "3"]


def network(lab):
    """The base network's tensors, and what it predicts once imported from plain safetensors."""
    def make(room):
        home, _ = base(lab)
        tensors, _ = inputs.read_safetensors(home / "run/model.safetensors")
        inputs.write(room / "plain.safetensors", inputs.safetensors(tensors))
        right(lab.run("import", "plain.safetensors", *FITS, "--out", "plain.out", at=room))
        (room / "plain.out").rename(room / "reference.safetensors")
        table = home / "plain.csv"
        return tensors, right(lab.run("predict", "reference.safetensors", table, "--threads", "1", at=room)).out, table
    return lab.once("network", make)


def imported(lab, data, *options, name="w.pth", says=()):
    """A file with the base network in it: imported, it predicts what it should; `says` is reported."""
    _, expected, table = network(lab)
    room = lab.room("import")
    inputs.write(room / name, data)
    ran = right(lab.run("import", name, *FITS, *options, "--out", "o.safetensors", at=room))
    if missing := [word for word in says if word not in ran.text + ran.said]:
        raise Fault(f"{missing[0]!r} is not reported: {shown(ran.text)}")
    if right(lab.run("predict", "o.safetensors", table, "--threads", "1", at=room)).out != expected:
        raise Fault("exit 0, and the network predicts something else")
    return "imported, predicts the same"


def beside(state, tensors):
    """A checkpoint as training scripts write it: the network's dictionary and numbers beside it."""
    return {"epoch": 240, "model": state, "best_acc": tensors.tensor((), [0.7])}


for _form in (True, False):
    for _part in ((), ("--part", "model")):
        @case(f"82 {{model, epoch, best_acc}} as {'a zip archive' if _form else 'bare pickles'} {' '.join(_part)}".strip(),
              "takes the network's dictionary")
        def best(lab, form=_form, part=_part):
            made = inputs.Tensors()
            return imported(lab, made.file(beside(made.state(network(lab)[0]), made), zipped=form), *part)


for _prefix in ("module.", "model.", "module.student.", "_orig_mod."):
    @case(f"89 every name begins with {_prefix}", "comes off, is reported, predicts the same")
    def prefixed(lab, prefix=_prefix):
        made = inputs.Tensors()
        return imported(lab, made.file(made.state(network(lab)[0], prefix)), says=[prefix.rstrip(".")])


for _to in ("module.student.", "student."):
    @case(f"89 a map with from: {_to}** for names that begin with module.student.", "fits")
    def mapped(lab, to=_to):
        made = inputs.Tensors()
        room = lab.room("map")
        inputs.write(room / "map.yaml", f'names:\n  - {{from: "{to}**", to: "**"}}\n')
        return imported(lab, made.file(made.state(network(lab)[0], "module.student.")), "--map", room / "map.yaml")


@case("112 an empty .pth", "import and a teacher say that it is empty, exit 65")
def empty(lab):
    room, _ = base(lab)
    inputs.write(room / "empty.pth", "")
    first = refused(lab.run("import", "empty.pth", *FITS, "--out", "e.safetensors", at=room), "empty")
    inputs.write(room / "empty.yaml", inputs.recipe({"kind": "csv", "path": "t.csv"}, method={
        "name": "distillation", "teacher": {"model": {"name": "mlp", "hidden": [16]}, "file": "empty.pth"}}))
    refused(lab.run("train", "empty.yaml", "--out", "e", at=room), "empty")
    return shown(first.line)


def card(lab, model, shape, columns=None, classes="abc"):
    """A weights file of a few hundred bytes whose metadata claim this network."""
    room = lab.room("card")
    metadata = {"model": model, "sampleShape": shape, "classNames": list(classes),
                "normalisation": {"mean": [0] * shape[0], "std": [1] * shape[0]}}
    if columns:
        metadata["columns"] = columns
    tensors, _, table = network(lab)
    inputs.write(room / "m.safetensors", inputs.safetensors(tensors, {"limbeck": json.dumps(metadata)}))
    codes = []
    for arguments in (["evaluate", "m.safetensors", "--table", table], ["predict", "m.safetensors", table]):
        ran = refused(lab.run(*arguments, "--threads", "1", at=room))
        codes.append(f"{ran.seconds:.1f} s and {ran.peak / 1e6:.0f} MB")
    return "exit 65 after " + ", ".join(codes)


CARDS = {
    "an MLP of 64 layers of 4000": ({"name": "mlp", "hidden": [4000] * 64}, [3], ["x0", "x1", "x2"]),
    "fasttext with 16 million buckets": ({"name": "fasttext", "buckets": 16777216}, [1, 65536], ["t"]),
    "wrn-100-20 of width 4": ({"name": "wrn-100-20", "width": 4.0}, [3, 32, 32], None)}
for _name, _card in CARDS.items():
    case(f"a04 1 kB of weights that claim {_name}", "exit 65 within 20 s and 2 GB")(
        lambda lab, claim=_card: card(lab, *claim))


@case("a05 weights of NaN, and a deviation of 1e-45", "evaluate and predict: exit 65; never a class for NaN")
def not_finite(lab):
    home, _ = base(lab)
    tensors, metadata = inputs.read_safetensors(home / "run/model.safetensors")
    room = lab.room("a05")
    nan = {name: (shape, [float("nan")] * len(v)) for name, (shape, v) in tensors.items()}
    inputs.write(room / "nan.safetensors", inputs.safetensors(nan, metadata))
    tiny = json.loads(metadata["limbeck"])
    tiny["normalisation"] = {"mean": [3e38] * 3, "std": [1e-45] * 3}
    inputs.write(room / "tiny.safetensors", inputs.safetensors(tensors, {"limbeck": json.dumps(tiny)}))
    for name in ("nan.safetensors", "tiny.safetensors"):
        for command in (["evaluate", name, "--table", home / "t.csv"], ["predict", name, home / "plain.csv"]):
            refused(lab.run(*command, "--threads", "1", at=room))
    return "exit 65"


def diverges(lab, name, files, parts, *words, finish=False):
    """A run whose numbers stop being finite: 65 with phase and epoch, twice, the second time resumed."""
    room = lab.room(name)
    for file, content in files.items():
        inputs.write(room / file, content)
    inputs.write(room / "r.yaml", inputs.recipe(**parts))
    ran = lab.run("train", "r.yaml", "--threads", "1", "--out", "run", at=room, wait=90)
    if finish and tidy(ran).code == 0:
        return "trained"
    refused(ran, "epoch|batch" if finish else "epoch", *words)
    if (room / "run").exists():
        second = tidy(lab.run("train", "--resume", "--threads", "1", "--out", "run", at=room, wait=90))
        if second.code != 65:
            raise Fault(f"resumed: exit {second.code}: {shown(second.line)}")
    return shown(ran.line)


@case("73 ResNet on 4x4 images, one sample a batch", "trained, or exit 65 with phase and epoch or batch; resumable")
def batch_norm(lab):
    x, y = inputs.images(lab.random("73"), 40, 4, 4)
    return diverges(lab, "73", {"x.idx": x, "y.idx": y}, {
        "data": {"kind": "idx", "images": "x.idx", "labels": "y.idx"}, "model": {"name": "resnet8"},
        "training": {"epochs": 1, "batch": 1}}, finish=True)


@case("74 VGG on 8x8 images, one sample a batch", "trained, or exit 65 with phase and epoch or batch; resumable")
def vgg(lab):
    x, y = inputs.images(lab.random("74"), 40, 8, 4)
    return diverges(lab, "74", {"x.idx": x, "y.idx": y}, {
        "data": {"kind": "idx", "images": "x.idx", "labels": "y.idx"}, "model": {"name": "vgg8", "width": 0.25},
        "training": {"epochs": 1, "batch": 1}}, finish=True)


@case("a08 one step an epoch at a rate of 1e25", "exit 65, not finite, with phase and epoch; resumable")
def one_step(lab):
    rows = inputs.table(inputs.labelled(inputs.samples(lab.random("a08"))), (*inputs.COLUMNS, "label"))
    return diverges(lab, "a08", {"t.csv": rows}, {
        "data": {"kind": "csv", "path": "t.csv"}, "optimizer": {"learning-rate": 1e25},
        "training": {"epochs": 3, "batch": 512, "ema": 0}}, "finite")


@case("79 the last step of an epoch diverges", "exit 65, not finite, with phase and epoch; resumable")
def at_the_end(lab):
    rows = inputs.table(inputs.labelled(inputs.samples(lab.random("79"))), (*inputs.COLUMNS, "label"))
    return diverges(lab, "79", {"t.csv": rows}, {
        "data": {"kind": "csv", "path": "t.csv"}, "optimizer": {"kind": "sgd", "learning-rate": 1e38},
        "training": {"epochs": 2, "batch": 90, "ema": 0.9}}, "finite")


@case("a08 test features of 3e38 beside training features of 1e-6", "exit 65 with phase and epoch; never a trap")
def extreme(lab):
    train_rows = inputs.table([(k * 1e-6, k * 1e-6, "xy"[k % 2]) for k in range(40)], ("a", "b", "label"))
    return diverges(lab, "extreme", {"t.csv": train_rows, "e.csv": "a,b,label\n3e38,-3e38,x\n1,2,y\n"}, {
        "data": {"kind": "csv", "path": "t.csv", "test-path": "e.csv"}})


def bomb(ending, key):
    """A recipe whose aliases double 26 times, behind any kind of line break, as values or as a key."""
    lines = ["a: &a [x,x]"]
    for level in range(26):
        before = f"b{level - 1}" if level else "a"
        lines += [f"k{level}: &b{level}", " - ", "  *" + before, " - ", "  *" + before]
    if key:
        lines += ["z: {", " ? ", "  *b25", " : 1}"]
    lines += ["data: {kind: csv, path: t.csv}", "model: {name: mlp, hidden: [8]}", "method: {name: cross-entropy}"]
    return "".join(line + ending for line in lines)


ENDINGS = {"LF": "\n", "CR": "\r", "CRLF": "\r\n", "NEL": "\x85", "line separator": "\u2028"}
for _ending in ENDINGS:
    @case(f"a01 aliases that double, behind {_ending}, as values and as a key", "every command: exit 65 at once")
    def aliases(lab, ending=_ending):
        room, seconds = base(lab)[0], 0
        for key in (False, True):
            inputs.write(room / "bomb.yaml", bomb(ENDINGS[ending], key).encode())
            for command in (["train", "bomb.yaml", "--dry-run"], ["noise", "bomb.yaml"], ["compare", "bomb.yaml", "--dry-run"]):
                ran = refused(lab.run(*command, at=room))
                seconds = max(seconds, ran.seconds)
        return f"exit 65 after at most {seconds:.1f} s"


@case("a02 a class name of 80,000 combining marks", "exit 65 within 2 s")
def combining(lab):
    room = lab.room("a02")
    inputs.write(room / "t.csv", "a,b\n0,y\n1,x" + "\u0301\u0323" * 40000 + "\n")
    inputs.write(room / "r.yaml", inputs.recipe({"kind": "csv", "path": "t.csv"}))
    ran = refused(lab.run("train", "r.yaml", "--dry-run", at=room))
    if ran.seconds > 2 or len(ran.line) > 2000:
        raise Fault(f"{ran.seconds:.1f} s, a line of {len(ran.line)} characters")
    return f"exit 65 after {ran.seconds:.1f} s"


NAMES = ['<script>alert(1)</script>', "=cmd|' /C calc'!A0", "+1+1", "\x1b[31mRED\x1b[0m", "\u202egnp.exe", "a,\u0301b",
         'q"\u0308x', "\x85nel", "tab\there", "two\nlines", "semi;colon", " blank ", "{{evil}} {% raw %}", "bell\x07", "del\x7f"]


@case("a06 class names with quotes, commas, breaks, ESC, marks, and a label file of them", "written and read again; nothing raw")
def class_names(lab):
    room = lab.room("a06")
    rows = inputs.samples(lab.random("a06"), 12 * len(NAMES), NAMES)
    inputs.write(room / "t.csv", inputs.table(inputs.labelled(rows), (*inputs.COLUMNS, "label")))
    inputs.write(room / "r.yaml", inputs.recipe({"kind": "csv", "path": "t.csv"}, training={"epochs": 1}))
    tidy(lab.run("noise", "r.yaml", "--kind", "symmetric", "--rate", "0.2", at=room))
    return round_trip(lab, room)


def page(path):
    """The text of a report; nothing raw in it."""
    text = path.read_text()
    if found := CONTROL.search(text):
        raise Fault(f"raw {ascii(found[0])} in {path.name}: {shown(text[max(0, found.start() - 40):][:90])}")
    if "<script>alert(" in text:
        raise Fault(f"a script of a name's in {path.name}")
    return text


@case("a06 rows, columns and classes of a comparison with ESC and markup in their names", "terminal and page escaped")
def row_names(lab):
    room = lab.room("a06")
    header = ['<script>alert("col")</script>', '=HYPERLINK("http://x")', "\x1b[31mcol\x1b[0m", "label"]
    rows = inputs.samples(lab.random("a06"), 12 * len(NAMES), NAMES)
    inputs.write(room / "t.csv", inputs.table(inputs.labelled(rows), header))
    inputs.write(room / "c.yaml", "".join(f"{key}: {json.dumps(value)}\n" for key, value in {
        "data": {"kind": "csv", "path": "t.csv"}, "noise": {"kind": "symmetric", "rate": 0.2},
        "model": {"name": "mlp", "hidden": [16]}, "training": {"epochs": 1}, "seeds": [0, 1],
        "rows": [{"name": "<script>alert(3)</script>\x1b[31m", "method": {"name": "cross-entropy"}},
                 {"name": "=cmd|x '\" onload=1\u202e", "method": {"name": "self-distillation"}}]}.items()))
    ran = tidy(lab.run("compare", "c.yaml", "--threads", "1", "--out", "out", at=room, wait=60))
    if ran.code == 65:
        return f"refused: {shown(ran.line)}"
    page(room / "out/report.html")
    return "escaped"


@case("a06 predictions of classes with such names", "a CSV reader reads them back; nothing raw")
def predictions(lab):
    room = lab.room("a06")
    rows = inputs.samples(lab.random("a06"), 12 * len(NAMES), NAMES)
    inputs.write(room / "t.csv", inputs.table(inputs.labelled(rows), (*inputs.COLUMNS, "label")))
    inputs.write(room / "p.csv", inputs.table([f for f, _ in rows], inputs.COLUMNS))
    inputs.write(room / "r.yaml", inputs.recipe({"kind": "csv", "path": "t.csv"}, training={"epochs": 1}))
    ran = tidy(train(lab, room))
    if ran.code == 65:
        return f"refused: {shown(ran.line)}"
    page(room / "run/report.html")
    tidy(lab.run("predict", "run", "p.csv", "--threads", "1", "--probabilities", at=room))
    right(lab.run("predict", "run", "p.csv", "--threads", "1", "--probabilities", "--out", "o.csv", at=room))
    with open(room / "o.csv", newline="", encoding="utf-8") as file:
        found = list(csv.reader(file))
    if {len(row) for row in found} != {len(found[0])} or len(found) != len(rows) + 1:
        raise Fault(f"{len(found)} rows instead of {len(rows) + 1}, of {len(found[0])} cells")
    return "read back"


@case("a13 a byte-order mark before a recipe, a map of names and a label file", "read like without")
def byte_order(lab):
    room, _ = base(lab)
    bom = b"\xef\xbb\xbf"
    inputs.write(room / "bom.yaml", bom + (room / "r.yaml").read_bytes())
    right(lab.run("train", "bom.yaml", "--dry-run", at=room))
    inputs.write(room / "crlf.yaml", bom + (room / "r.yaml").read_bytes().replace(b"\n", b"\r\n"))
    right(lab.run("train", "crlf.yaml", "--dry-run", at=room))
    right(lab.run("noise", "r.yaml", "--out", "labels.csv", at=room))
    inputs.write(room / "bom-labels.csv", bom + (room / "labels.csv").read_bytes())
    if right(lab.run("noise", "r.yaml", "--labels", "bom-labels.csv", "--json", at=room)).object()["realised"] != 0:
        raise Fault("labels changed")
    made = inputs.Tensors()
    inputs.write(room / "map.yaml", bom + b'names:\r\n  - {from: "old.**", to: "**"}\r\n')
    return imported(lab, made.file(made.state(network(lab)[0], "old.")), "--map", room / "map.yaml")


def glove(lab):
    """A folder of word vectors, and its words."""
    def make(room):
        words = ["cat", "dog", "car", "new", "york", "the"]
        random = lab.random("glove")
        inputs.write(room / "glove/words.txt", "".join(word + "\n" for word in words))
        inputs.write(room / "glove/vectors.npy", inputs.npy((len(words), 50), [random.gauss(0, 1) for _ in range(300)]))
        return room
    return lab.once("glove", make)


@case("191 names of classes behind a byte-order mark, with CRLF and a blank line", "three classes cat, dog, car")
def name_file(lab):
    room = glove(lab)
    inputs.write(room / "names.txt", b"\xef\xbb\xbfcat\r\ndog\r\n\r\ncar\r\n")
    right(lab.run("embed-labels", "--names", "names.txt", "--glove", "glove", "--out", "n.safetensors", at=room))
    found = list(inputs.read_safetensors(room / "n.safetensors")[0])
    if sorted(found) != ["car", "cat", "dog"]:
        raise Fault(f"exit 0, and the classes are {ascii(found)}")
    for content, word in (("cat\ndog\ncat\n", "cat"), ("cat\nzebra\n", "zebra")):
        inputs.write(room / "names.txt", content)
        refused(lab.run("embed-labels", "--names", "names.txt", "--glove", "glove", "--out", "m.safetensors", at=room), word)
    return "cat, dog, car"


FLOW = """data: {kind: csv, path: t.csv%s}
%smodel: {name: mlp, hidden: [16]}
method: {name: cross-entropy}
optimizer: {kind: adam, learning-rate: %s}
training: {epochs: %s}
"""


def flow(data="", more="", rate="0.03", epochs="2"):
    return FLOW % (data, more, rate, epochs)


# Text of the recipe; whether it must be read (True), refused (False) or either (None); words of the refusal or of
# what is read.
YAML = {
    "an anchor": (flow().replace("data: {", "data: &d {"), True, ()),
    "a byte-order mark": ("\ufeff" + flow(), True, ()),
    "CRLF": (flow().replace("\n", "\r\n"), True, ()),
    "CR": (flow().replace("\n", "\r"), None, ()),
    "JSON": (json.dumps({"data": {"kind": "csv", "path": "t.csv"}, "model": {"name": "mlp", "hidden": [16]},
                         "method": {"name": "cross-entropy"}, "training": {"epochs": 2}}), True, ()),
    "1e-2": (flow(rate="1e-2"), True, ()),
    "0,01": (flow(rate="0,01"), False, ()),
    "a key twice": (flow(more="seed: 1\nseed: 2\n"), False, ("seed",)),
    "nothing": ("", False, ("empty|nothing|data|mapping|recipe",)),
    "2.0 epochs": (flow(epochs="2.0"), None, ("epochs",)),
    '"2" epochs': (flow(epochs='"2"'), None, ("epochs",)),
    "seed: 010": (flow(more="seed: 010\n"), None, ("seed",)),
    "noise: of nothing": (flow(more="noise:\n"), None, ("noise",)),
    "tabs": ("data:\n\tkind: csv\n\tpath: t.csv\n" + flow().split("\n", 1)[1], False, ("tab",)),
    "~ in a path": (flow().replace("t.csv", "~/t.csv"), False, ("t.csv",)),
    "a Windows path in quotes": (flow().replace("t.csv", '"C:\\data\\t.csv"'), False, ("escape|\\|quote",)),
    "class names yes, no, on": (flow(", class-names: [yes, no, on]"), False, ("class",)),
    "label: 2016, a column's name": (flow(", label: 2016").replace("t.csv", "year.csv"), None, ("2016",)),
    'label: "2016"': (flow(', label: "2016"').replace("t.csv", "year.csv"), True, ()),
}
for _name, _yaml in YAML.items():
    @case(f"173 a recipe with {_name}",
          {True: "read", False: "one clear line, exit 65", None: "read as meant, or one clear line"}[_yaml[1]])
    def yaml(lab, yaml=_yaml):
        room, rows = base(lab)
        inputs.write(room / "year.csv", inputs.table(inputs.labelled(rows), (*inputs.COLUMNS, "2016")))
        inputs.write(room / "y.yaml", yaml[0])
        ran = tidy(lab.run("train", "y.yaml", "--dry-run", "--json", at=room))
        if ran.code == 0 and yaml[1] is not False:
            value = ran.object()
            if value["classes"] != 3 or value["sample_shape"] != [3]:
                raise Fault(f"exit 0, and read as {shown(ran.text)}")
            return "read"
        if yaml[1]:
            raise Fault(f"exit {ran.code}: {shown(ran.line)}")
        return shown((ran if ran.code == 74 else refused(ran, *yaml[2])).line)
