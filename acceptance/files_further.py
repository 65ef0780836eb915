"""What is asked beside the inputs that failed: what is unknown, options that do not apply, cost in proportion."""

import csv
import gzip
import io
import json
import zipfile

import files_inputs as inputs
from files_cases import accuracy, base, case, train
from files_lab import Fault, bytes_of, different, refused, right, shown, tidy
from files_networks import FITS


@case("noise of a table of which no clean label is known", "said to be unknown, never 0: noise, run.json, labels.csv, terminal")
def unknown(lab):
    room, _ = base(lab)
    value = right(lab.run("noise", "r.yaml", "--json", at=room)).object()
    if isinstance(value.get("realised"), (int, float)) or value.get("transition"):
        raise Fault(f"noise --json: realised {value.get('realised')}" + ", a matrix" * bool(value.get("transition")))
    record = json.loads((room / "run/run.json").read_text())
    if isinstance(record.get("realisedNoiseRate"), (int, float)) or record.get("realisedTransition"):
        raise Fault(f"run.json: realised {record.get('realisedNoiseRate')}")
    rows = list(csv.DictReader(io.StringIO((room / "run/labels.csv").read_text())))
    if any(row["clean"] for row in rows):
        raise Fault("labels.csv: the given labels stand under clean")
    ran = right(lab.run("noise", "r.yaml", at=room))
    if "unknown" not in ran.text + ran.said:
        raise Fault("noise does not say that it is unknown")
    return "unknown"


@case("a class with fewer than five samples", "a warning that names it, or exit 65")
def few(lab):
    room, rows = lab.room("few"), inputs.samples(lab.random("few"), 90)
    rows += [((1.0 + k, 20.0, 30.0 + k), "rare") for k in range(4)]
    inputs.write(room / "t.csv", inputs.table(inputs.labelled(rows), (*inputs.COLUMNS, "label")))
    inputs.write(room / "r.yaml", inputs.recipe({"kind": "csv", "path": "t.csv"}))
    ran = tidy(lab.run("train", "r.yaml", "--dry-run", at=room))
    if ran.code == 0 and not ("rare" in ran.said and "warning" in ran.said.lower()):
        raise Fault("exit 0 without a warning")
    return shown(ran.line)


DO_NOT_APPLY = (
    ["predict", "run", "plain.csv", "--images", "plain.csv"], ["predict", "run", "plain.csv", "--recipe", "r.yaml"],
    ["predict", "run", "plain.csv", "--labels", "plain.csv"], ["predict", "run", "plain.csv", "--text-column", "x0"],
    ["evaluate", "run", "--table", "t.csv", "--images", "t.csv"], ["evaluate", "run", "--label-column", "label"],
    ["evaluate", "run", "--no-header"], ["evaluate", "run", "--table", "t.csv", "--part", "train"],
    ["evaluate", "run", "--labels", "t.csv"], ["predict", "run", "t.csv", "--label-column", "label"],
    ["evaluate", "run", "--table", "t.csv", "--id-column", "label"])


@case("options of predict and evaluate that do not apply", "exit 64, or 65, never ignored")
def options(lab):
    room, _ = base(lab)
    for command in DO_NOT_APPLY:
        if tidy(lab.run(*command, at=room)).code == 0:
            raise Fault(f"exit 0: {' '.join(command)}")
    listed = right(lab.run("predict", "--help", at=room)).text
    if found := [name for name in ("--images", "--labels", "--recipe") if name + " <" in listed]:
        raise Fault(f"predict --help lists {found[0]}")
    return f"{len(DO_NOT_APPLY)} refused"


@case("a semicolon table with decimal commas", "exit 65, with a hint at decimal commas")
def decimal(lab):
    room, rows = lab.room("decimal"), inputs.samples(lab.random("decimal"), 60)
    cells = [(*[str(v).replace(".", ",") for v in f], label) for f, label in rows]
    inputs.write(room / "t.csv", inputs.table(cells, (*inputs.COLUMNS, "label"), ";"))
    inputs.write(room / "r.yaml", inputs.recipe({"kind": "csv", "path": "t.csv", "delimiter": "semicolon"}))
    return shown(refused(lab.run("train", "r.yaml", "--dry-run", at=room), "decimal").line)


@case("a table of 4 GB and IDX images of 1 GB inside small gzip files", "exit 65 within 20 s and 2 GB")
def bombs(lab):
    room = lab.room("bombs")
    block = gzip.compress(b"1,2,3,a\n" * (1 << 23), 9, mtime=0)
    inputs.write(room / "t.csv.gz", gzip.compress(b"x0,x1,x2,label\n", mtime=0) + gzip.compress(b"1" * (1 << 26), 9, mtime=0) * 64)
    inputs.write(room / "r.yaml", inputs.recipe({"kind": "csv", "path": "t.csv.gz"}))
    first = refused(lab.run("train", "r.yaml", "--dry-run", at=room))
    x, y = inputs.images(lab.random("bombs"), 40, 8, 4)
    inputs.write(room / "x.gz", gzip.compress(x, mtime=0) + block * 16)
    inputs.write(room / "y", y)
    inputs.write(room / "r.yaml", inputs.recipe({"kind": "idx", "images": "x.gz", "labels": "y"}))
    second = refused(lab.run("noise", "r.yaml", at=room))
    return f"{first.seconds:.0f} s and {first.peak / 1e6:.0f} MB, {second.seconds:.0f} s and {second.peak / 1e6:.0f} MB"


@case("import --list of 20,000 tensors, and of a pickle of 200,000 numbers beside a network", "within 20 s and 2 GB")
def large(lab):
    room = lab.room("large")
    inputs.write(room / "w.safetensors", inputs.safetensors({f"t{k}.weight": ((1,), [k]) for k in range(20000)}))
    first = right(lab.run("import", "w.safetensors", "--list", at=room))
    made = inputs.Tensors()
    tensors, _ = inputs.read_safetensors(base(lab)[0] / "run/model.safetensors")
    inputs.write(room / "w.pth", made.file({"state_dict": made.state(tensors), "losses": [0.5 + k for k in range(200000)]}))
    second = tidy(lab.run("import", "w.pth", *FITS, "--out", "o.safetensors", at=room))
    return f"{first.seconds:.1f} s; exit {second.code} after {second.seconds:.1f} s"


@case("a zip bomb under the name of a .pth", "exit 65 within 20 s and 2 GB")
def zip_bomb(lab):
    room = lab.room("zip")
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a/data.pkl", b"\x80\x02}." + bytes(1 << 29))
        archive.writestr("a/version", "3\n")
    inputs.write(room / "w.pth", file.getvalue())
    return f"{refused(lab.run('import', 'w.pth', '--list', at=room)).seconds:.1f} s"


@case("advise and selfdistil on few random features", "an end within 10 s")
def random_features(lab):
    room, random = lab.room("random"), lab.random("random features")
    seconds = []
    for count, side in ((40, 4), (60, 6), (30, 8)):
        pixels = [random.randrange(256) for _ in range(count * side * side)]
        inputs.write(room / "x", inputs.idx((count, side, side), pixels))
        inputs.write(room / "y", inputs.idx((count,), [k % 2 for k in range(count)]))
        inputs.write(room / "r.yaml", inputs.recipe({"kind": "idx", "images": "x", "labels": "y"}))
        right(lab.run("features", "pixels", "--recipe", "r.yaml", "--out", "f.safetensors", "--threads", "1", at=room))
        ran = tidy(lab.run("advise", "f.safetensors", "--threads", "1", "--json", at=room))
        seconds.append(f"{ran.seconds:.1f} s")
    home, _ = base(lab)
    right(lab.run("features", "run", "--out", "few.safetensors", "--threads", "1", at=home))
    ran = tidy(lab.run("advise", home / "few.safetensors", "--threads", "1", "--json", at=home))
    if ran.seconds > 10:
        raise Fault(f"{ran.seconds:.0f} s for 90 samples of 16 features")
    return f"advise after {', '.join(seconds)} and {ran.seconds:.1f} s"


@case("predict and evaluate on the folder of a comparison", "exit 64 or 65 in one line")
def comparison(lab):
    room, _ = base(lab)
    right(lab.run("compare", "r.yaml", "--seeds", "0", "--threads", "1", "--out", "comparison", at=room, wait=60))
    for command in (["predict", "comparison", "plain.csv"], ["evaluate", "comparison"]):
        ran = tidy(lab.run(*command, "--threads", "1", at=room))
        if ran.code not in (64, 65):
            raise Fault(f"{command[0]}: exit {ran.code}: {shown(ran.line)}")
    return shown(ran.line)


@case("a second run of the same recipe and seed", "the same bytes")
def twice(lab):
    room, _ = base(lab)
    accuracy(train(lab, room, "r.yaml", "again"))
    if found := different(bytes_of(room / "run"), bytes_of(room / "again")):
        raise Fault(f"other bytes in {', '.join(found[:3])}")
    return "the same"
