"""What the acceptance lists share: running a program, judging a figure, the order of the whole."""

import argparse
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
PROGRAM = ROOT / ".build/release/limbeck"


class Checker:
    def __init__(self, folder):
        self.folder = folder
        self.missed = 0
        self.runs = 0
        # What a list keeps for a picture.
        self.figures = []

    def say(self, ok, name, figure, bar):
        self.missed += not ok
        print(f"{'ok    ' if ok else 'MISSED'}  {name}: {figure} (bar: {bar})", flush=True)

    def run(self, name, command, cwd=ROOT, timeout=None, **variables):
        """Runs a command to its end, or interrupts it after `timeout` seconds: exit code, standard
        output, both outputs, seconds."""
        environment = {k: v for k, v in os.environ.items() if not k.startswith("LIMBECK_")}
        environment.update(variables)
        self.runs += 1
        stem = self.folder / f"{self.runs:02d}-{name}"
        began = time.monotonic()
        with open(f"{stem}.out", "wb") as out, open(f"{stem}.err", "wb") as err:
            try:
                process = subprocess.Popen(
                    [str(c) for c in command], cwd=cwd, env=environment, stdin=subprocess.DEVNULL,
                    stdout=out, stderr=err)
                try:
                    code = process.wait(timeout)
                except subprocess.TimeoutExpired:
                    process.send_signal(signal.SIGINT)
                    code = process.wait()
            except OSError as error:
                err.write(str(error).encode())
                code = 127
        seconds = time.monotonic() - began
        texts = [pathlib.Path(f"{stem}.{kind}").read_text(errors="replace") for kind in ("out", "err")]
        return code, texts[0], "\n".join(texts), seconds

    def tests(self, name, filter, **variables):
        """`swift test` of some suites: whether all passed, and how many cases each test had."""
        flags = ["-Xlinker", "-rpath", "-Xlinker", str(ROOT / ".torch/lib")]
        paths = [str(ROOT / ".torch")] + [p for p in [os.environ.get("PKG_CONFIG_PATH")] if p]
        code, _, text, seconds = self.run(
            name, ["swift", "test", *flags, "--filter", filter], PKG_CONFIG_PATH=":".join(paths), **variables)
        ran = re.search(r"Test run with (\d+) tests?\b.* passed", text)
        cases = [int(n) for n in re.findall(r"Test \S+ with (\d+) test cases passed", text)]
        return code == 0 and ran is not None and int(ran[1]) > 0, sum(cases), seconds


def one_object(text):
    """The one JSON object of --json, or nothing."""
    try:
        value = json.loads(text)
    except ValueError:
        return None
    return value if isinstance(value, dict) and text.count("\n") == 1 else None


def fashion_folder(check):
    if folder := os.environ.get("FASHION_MNIST"):
        return pathlib.Path(folder)
    target = check.folder / "fashion-mnist"
    if not target.exists():
        target.mkdir()
        check.run("fetch", ["apt-get", "download", "dataset-fashion-mnist"], cwd=target)
    for package in target.glob("*.deb"):
        check.run("unpack", ["dpkg-deb", "-x", package, target])
    for file in target.rglob("train-images-idx3-ubyte*"):
        return file.parent
    return None


def run_list(doc, steps, duration, options=()):
    """Runs an acceptance list: `steps` by name, in order. `options` are (flag, keywords) for its
    command line; their values come as `check.options`."""
    parser = argparse.ArgumentParser(
        description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", help=f"some of: {', '.join(steps)}")
    for flag, keywords in options:
        parser.add_argument(flag, **keywords)
    options = parser.parse_args()
    wanted = options.only.split(",") if options.only else list(steps)
    if unknown := [name for name in wanted if name not in steps]:
        parser.error(f"no criterion {unknown[0]}; there are: {', '.join(steps)}")
    check = Checker(pathlib.Path(tempfile.mkdtemp(prefix="limbeck-acceptance-")))
    check.options = options
    began = time.monotonic()
    print(f"{len(wanted)} groups of criteria; {duration}", flush=True)
    code, _, _, seconds = check.run("build", ["make", "build"])
    check.say(code == 0, "make build", f"exit {code} after {seconds:.0f} s", "0")
    if code == 0:
        for name in wanted:
            steps[name](check)
    minutes = (time.monotonic() - began) / 60
    print(f"{check.missed} missed; {minutes:.0f} minutes; outputs are in {check.folder}")
    if not check.missed:
        # The copies are large; what was said is kept.
        for name in ("clone", "fashion-mnist"):
            shutil.rmtree(check.folder / name, ignore_errors=True)
    sys.exit(1 if check.missed else 0)
