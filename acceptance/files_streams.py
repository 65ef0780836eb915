"""Where results go: streams closed and full, full disks, outputs that are links, devices, inputs or others' folders."""

import os
import pathlib
import shutil
import stat
import subprocess
import threading

import files_inputs as inputs
from files_cases import base, case
from files_lab import Fault, bytes_of, different, ended, refused, right, shown, tidy
from files_networks import FITS, glove
from files_state import copy, kind, resumed, runs

# How a stream fails, as sh says it; the command stands at the @.
OUTPUTS = {"closed": "@ >&-", "full": "@ >/dev/full", "a closed pipe": None}
ERRORS = {"closed": "@ 2>&-", "full": "@ 2>/dev/full", "a closed pipe": None}


def broken():
    """The writing end of a pipe that nobody reads."""
    reading, writing = os.pipe()
    os.close(reading)
    return writing


def streamed(lab, room, arguments, output=None, error=None):
    """Runs a command with a stream, or both, that fails."""
    shell = "@ " + " ".join(
        (kinds[how] or "@")[2:] for how, kinds in ((output, OUTPUTS), (error, ERRORS)) if how)
    pipes = {name: broken() for name, how in (("stdout", output), ("stderr", error)) if how == "a closed pipe"}
    try:
        return lab.run(*arguments, at=room, wait=60, shell=shell, **pipes)
    finally:
        for pipe in pipes.values():
            os.close(pipe)


def commands(lab):
    """Commands that write results to standard output, and a folder they work in."""
    def make(room):
        copy(lab, "whole", room)
        inputs.write(room / "quick.yaml", inputs.recipe({"kind": "csv", "path": "t.csv"}))
        return room
    room = lab.once("commands", make)
    return room, {
        "doctor": ["doctor"], "noise": ["noise", "quick.yaml", "--json"],
        "evaluate": ["evaluate", "run", "--json", "--threads", "1"],
        "predict": ["predict", "run", "t.csv", "--threads", "1"],
        "import --list": ["import", "run/model.safetensors", "--list"], "train --dry-run": ["train", "quick.yaml", "--dry-run"],
        "report --json": ["report", "run", "--json"], "--help": ["--help"], "theory solve": ["theory", "solve", "--help"],
        "demo --print-recipe": ["demo", "--print-recipe"]}


@kind("standard output closed, full or a closed pipe", "no trap; what cannot be written is 74", "streams")
def outputs(lab, random):
    room, known = commands(lab)
    for name, arguments in known.items():
        for how in OUTPUTS:
            def task(_, arguments=arguments, how=how):
                ran = ended(streamed(lab, room, arguments, output=how))
                if "help" in " ".join(arguments):
                    return
                if ran.code == 0 and how != "closed":
                    raise Fault("exit 0 though nothing could be written")
                if ran.code not in (0, 74):
                    raise Fault(f"exit {ran.code} instead of 74: {shown(ran.line)}")
            yield f"{name}, standard output {how}", task


@kind("standard error closed, full or a closed pipe", "no trap; the same exit code and output as ever", "streams")
def errors(lab, random):
    room, known = commands(lab)
    known = {
        **known, "a recipe that is not there": ["train", "nowhere.yaml"], "an option that is not there": ["train", "--nosuch"]}
    for name, arguments in known.items():
        for how in ERRORS:
            def task(_, arguments=arguments, how=how):
                ran, usual = ended(streamed(lab, room, arguments, error=how)), lab.run(*arguments, at=room)
                if (ran.code, ran.out) != (usual.code, usual.out):
                    raise Fault(f"exit {ran.code} instead of {usual.code}, or another output")
            yield f"{name}, standard error {how}", task


@kind("training with a stream or both that fail", "the run ends with the bytes of one whose streams were open", "streams")
def training(lab, random):
    pairs = [(None, how) for how in ERRORS] + [(how, None) for how in OUTPUTS] + [("closed", "closed"), ("full", "full")]
    for output, error in pairs:
        def task(room, output=output, error=error):
            home, untouched = runs(lab)
            for file in ("t.csv", "r.yaml"):
                shutil.copy(home / file, room)
            ran = ended(streamed(lab, room, ["train", "r.yaml", "--threads", "1", "--out", "run"], output, error))
            if ran.code not in ((0, 74) if output else (0,)):
                raise Fault(f"exit {ran.code}")
            if found := different(bytes_of(room / "run"), untouched):
                raise Fault(f"exit {ran.code}, other bytes in {', '.join(found[:3])}")
        yield f"train with standard output {output or 'open'}, standard error {error or 'open'}", task


@kind("132 a disk that fills while training", "exit 74, one line; resumed with room, the untouched run's bytes", "streams")
def disk(lab, random):
    small = os.geteuid() == 0
    for size in (16, 40, 64, 96):
        def task(room, size=size):
            home, untouched = runs(lab)
            for file in ("t.csv", "r.yaml"):
                shutil.copy(home / file, room)
            place = room / "disk"
            place.mkdir()
            mounted = small and subprocess.run(
                ["mount", "-t", "tmpfs", "-o", f"size={size}k", "limbeck", place], capture_output=True).returncode == 0
            try:
                # Without the right to mount: no file may grow beyond a limit.
                shell = None if mounted else f"trap '' XFSZ; ulimit -f {size // 8}; @"
                ran = lab.run("train", "r.yaml", "--threads", "1", "--out", "disk/run", at=room, wait=60, shell=shell)
                refused(ran, code=74)
                if mounted:
                    subprocess.run(["mount", "-o", "remount,size=20m", place], check=True)
                if not (place / "run/recipe.yaml").is_file():
                    return
                shutil.copytree(place / "run", room / "run")
                right(resumed(lab, room, untouched))
            finally:
                if mounted:
                    subprocess.run(["umount", place], check=False)
        yield f"{size} kB for a training", task


# Outputs.

def writers(lab):
    """Commands that write a file, without its name, and their inputs: (arguments, option, inputs)."""
    return {
        "predict": (
            ["predict", "run", "t.csv", "--threads", "1"], "--out",
            ["t.csv", "run/model.safetensors"]),
        "noise": (["noise", "r.yaml"], "--out", ["r.yaml", "t.csv"]),
        "import": (["import", "run/model.safetensors", *FITS], "--out", ["run/model.safetensors"]),
        "features": (["features", "run", "--threads", "1"], "--out", ["run/model.safetensors", "run/recipe.yaml"]),
        "report": (["report", "run"], "--out", ["run/result.json", "run/run.json"]),
        "embed-labels": (["embed-labels", "--names", "names.txt", "--glove", "glove"], "--out", ["names.txt", "glove/words.txt"])}


def place(lab, room):
    copy(lab, "whole", room)
    shutil.copytree(glove(lab) / "glove", room / "glove")
    inputs.write(room / "names.txt", "cat\ndog\n")


@kind("an output that is an input", "refused, and the input is as it was", "streams")
def same(lab, random):
    for name, (arguments, option, sources) in writers(lab).items():
        for source in sources:
            for how in ("the same path", "another spelling", "a link", "a hard link"):
                def task(room, arguments=arguments, option=option, source=source, how=how):
                    place(lab, room)
                    path = room / source
                    before = path.read_bytes()
                    target = {"the same path": source, "another spelling": f"./run/../{source}"}.get(how, "other")
                    if how == "a link":
                        (room / "other").symlink_to(path)
                    elif how == "a hard link":
                        os.link(path, room / "other")
                    ran = tidy(lab.run(*arguments, option, target, at=room))
                    if path.read_bytes() != before:
                        raise Fault(f"exit {ran.code}, and the input is overwritten")
                    if ran.code == 0 and how != "a hard link":
                        raise Fault("exit 0")
                yield f"{name} {option} = {source} by {how}", task


@kind("outputs that are links, pipes and devices", "written through, and what they were before", "streams")
def special(lab, random):
    for name, (arguments, option, _) in writers(lab).items():
        for how in ("a link to a file", "a link to nothing", "a pipe", "the null device", "the full device", "a folder"):
            def task(room, arguments=arguments, option=option, how=how):
                place(lab, room)
                target = room / "target"
                if "link" in how:
                    target.symlink_to(room / "real")
                    if "file" in how:
                        inputs.write(room / "real", "before")
                elif how == "a pipe":
                    os.mkfifo(target)
                    got = []
                    reader = threading.Thread(target=lambda: got.append(target.read_bytes()), daemon=True)
                    reader.start()
                elif "device" in how:
                    try:
                        os.mknod(target, stat.S_IFCHR | 0o666, os.makedev(1, 3 if "null" in how else 7))
                        open(target, "wb").close()
                    except OSError:
                        return  # Only root may make one.
                else:
                    target.mkdir()
                kind_before = stat.S_IFMT(os.lstat(target).st_mode)
                ran = tidy(lab.run(*arguments, option, "target", at=room))
                if stat.S_IFMT(os.lstat(target).st_mode) != kind_before:
                    raise Fault(f"exit {ran.code}, and it is no longer {how}")
                if how in ("the full device", "a folder"):
                    if ran.code == 0:
                        raise Fault("exit 0 though nothing can be written there")
                elif ran.code != 0 and how != "a link to nothing":
                    raise Fault(f"exit {ran.code}: {shown(ran.line)}")
                elif "link" in how and ran.code == 0 and (room / "real").read_bytes() in (b"", b"before"):
                    raise Fault("exit 0, and the file that it links to is as it was")
                elif how == "a pipe":
                    reader.join(5)
                    if not got or not got[0]:
                        raise Fault("exit 0, and nothing came through the pipe")
            yield f"{name} {option} = {how}", task


@kind("links where temporary names are guessed", "the file that they lead to is as it was", "streams")
def guessed(lab, random):
    for name, (arguments, option, _) in writers(lab).items():
        def task(room, arguments=arguments, option=option):
            place(lab, room)
            inputs.write(room / "victim", "before")
            for guess in ("out.partial", "out.tmp", ".out.tmp", "out~", ".out.partial", "out.new"):
                (room / guess).symlink_to(room / "victim")
            tidy(lab.run(*arguments, option, "out", at=room))
            if (room / "victim").read_text() != "before":
                raise Fault("the file behind the link is overwritten")
        yield f"{name}", task


@kind("folders of others as --out", "refused, and nothing in them changed", "streams")
def foreign(lab, random):
    home, _ = base(lab)
    commands = {
        "train": ["train", home / "r.yaml", "--threads", "1"],
        "compare": ["compare", home / "r.yaml", "--threads", "1", "--seeds", "0"],
        "train --resume": ["train", "--resume", "--threads", "1"]}
    contents = {
        "a letter": {"letter.txt": "dear"}, "a report of somebody": {"report.html": "mine", "notes/a.txt": "b"},
        "a folder phases with other files": {"phases/photo.jpg": "jpg"},
        "a recipe.yaml of somebody": {"recipe.yaml": "flour: 500 g\n"},
        "a result.json of somebody": {"result.json": "{}"}, "a hidden file": {".gitignore": "*"}}
    for name, arguments in commands.items():
        for what, files in contents.items():
            def task(room, arguments=arguments, files=files):
                shutil.copy(home / "t.csv", room)
                for file, content in files.items():
                    inputs.write(room / "out" / file, content)
                ran = tidy(lab.run(*arguments, "--out", "out", at=room))
                after = {str(p.relative_to(room / "out")): p.read_text(errors="replace")
                         for p in (room / "out").rglob("*") if p.is_file() and "lock" not in p.name}
                if ran.code == 0 or after != files:
                    raise Fault(f"exit {ran.code}, and the folder now has {', '.join(sorted(after)[:4])}")
            yield f"{name}, a folder with {what}", task


@case("an --out that is a file, for a folder", "exit 64, 65 or 74, and the file is as it was")
def file_for_folder(lab):
    room = lab.room("file")
    shutil.copy(base(lab)[0] / "t.csv", room), shutil.copy(base(lab)[0] / "r.yaml", room)
    for command in ("train", "compare"):
        inputs.write(room / "out", "mine")
        ran = tidy(lab.run(command, "r.yaml", "--threads", "1", "--out", "out", at=room))
        if ran.code == 0 or pathlib.Path(room / "out").read_text() != "mine":
            raise Fault(f"{command}: exit {ran.code}")
    return "as it was"
