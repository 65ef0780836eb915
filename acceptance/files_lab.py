"""What the list of files shares: running the program under watch, and judging an answer."""

import concurrent.futures
import csv
import io
import json
import os
import pathlib
import random
import re
import shutil
import signal
import subprocess
import tempfile
import threading
import time

from checker import PROGRAM

SECONDS = 20
MEMORY = 2_000_000_000
REFUSALS = (64, 65, 74, 130)
TRAPS = {128 + number for number in (signal.SIGILL, signal.SIGTRAP, signal.SIGABRT, signal.SIGBUS, signal.SIGSEGV)}
# Control characters but tab and line break, and those that turn the direction of writing around.
CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


class Fault(Exception):
    """What is wrong with an answer of the program, in words."""


class Ran:
    def __init__(self, command, code, out, err, seconds, peak, hung):
        self.command, self.code, self.seconds, self.peak, self.hung = command, code, seconds, peak, hung
        self.out, self.err = out, err

    @property
    def text(self):
        return self.out.decode(errors="replace")

    @property
    def said(self):
        return self.err.decode(errors="replace")

    @property
    def line(self):
        """The line of a refusal, or the last one that was said."""
        lines = [line for line in self.said.split("\n") if line.strip()]
        ours = [line for line in lines if line.startswith("limbeck: ")]
        return (ours or lines or ["nothing said"])[-1]

    def rows(self):
        """The CSV on standard output, as Python's reader sees it."""
        return list(csv.reader(io.StringIO(self.text, newline="")))

    def object(self):
        try:
            return json.loads(self.text)
        except ValueError:
            raise Fault(f"no JSON object on standard output: {self.text[:80]!r}") from None


class Lab:
    """A folder to work in, the program, and the seed of everything that is drawn."""

    def __init__(self, check):
        self.folder = check.folder / "files"
        self.folder.mkdir(exist_ok=True)
        self.seed, self.jobs = int(check.options.seed), int(check.options.jobs)
        self.program = os.environ.get("LIMBECK_PROGRAM") or PROGRAM
        self.made = {}
        self.lock = threading.RLock()

    def random(self, *purpose):
        return random.Random("/".join([str(self.seed), *map(str, purpose)]))

    def room(self, name):
        """A new folder of its own."""
        return pathlib.Path(tempfile.mkdtemp(prefix=re.sub(r"\W+", "-", name)[:40] + "-", dir=self.folder))

    def once(self, name, make):
        """What `make(folder)` returns, made on the first call and kept."""
        with self.lock:
            if name not in self.made:
                self.made[name] = make(self.room(name))
            return self.made[name]

    def start(self, *arguments, at, stdout=None, stderr=None, shell=None):
        """A running program. `shell` stands before or behind it in a command of sh: `ulimit -f 8;` or `>&-`."""
        command = [str(a) for a in (self.program, *arguments)]
        if shell:
            before, _, behind = shell.partition("@")
            command = ["sh", "-c", f'{before} exec "$@" {behind}', "sh", *command]
        environment = {k: v for k, v in os.environ.items() if not k.startswith("LIMBECK_")}
        # A trap is a trap without the page that describes it, which takes seconds.
        environment["SWIFT_BACKTRACE"] = "enable=no"
        return subprocess.Popen(
            command, cwd=at, env=environment, stdin=subprocess.DEVNULL, stdout=stdout, stderr=stderr)

    def run(self, *arguments, at, wait=SECONDS, stdout=None, stderr=None, shell=None, until=None, send=signal.SIGINT):
        """Runs the program to its end; ends it after `wait` seconds of a processor, thrice as many by the clock (other
        programs may be at work), or above twice the memory allowed. When `until()` holds, it is sent the signal `send`."""
        with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
            process = self.start(
                *arguments, at=at, shell=shell, stdout=out if stdout is None else stdout,
                stderr=err if stderr is None else stderr)
            code, peak, seconds, hung = watch(process, wait, until, send)
            out.seek(0)
            err.seek(0)
            return Ran([str(a) for a in arguments], code, out.read(), err.read(), seconds, peak, hung)

    def each(self, tasks):
        """What every task returns, `jobs` at a time, in their order."""
        with concurrent.futures.ThreadPoolExecutor(self.jobs) as pool:
            return list(pool.map(lambda task: task(), tasks))


def watch(process, wait, until, send):
    """Waits for a process: exit code (negative: a signal), largest memory, processor seconds, whether it was ended."""
    hung, peak, pause, used, began = False, 0, 0.005, 0, time.monotonic()
    while True:
        pid, status, usage = os.wait4(process.pid, os.WNOHANG)
        if pid:
            process.returncode = os.waitstatus_to_exitcode(status)
            return process.returncode, max(peak, usage.ru_maxrss * 1024), usage.ru_utime + usage.ru_stime, hung
        try:
            pages = pathlib.Path(f"/proc/{process.pid}/statm").read_text().split()
            peak = max(peak, int(pages[1]) * os.sysconf("SC_PAGE_SIZE")) if pages else peak
            ticks = pathlib.Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()
            used = (int(ticks[11]) + int(ticks[12])) / os.sysconf("SC_CLK_TCK")
        except (OSError, ValueError, IndexError):
            pass
        if until and until():
            until = None
            process.send_signal(send)
        if used > wait or time.monotonic() - began > 3 * wait or peak > 2 * MEMORY:
            hung = hung or peak <= 2 * MEMORY
            process.kill()
        time.sleep(pause)
        pause = min(pause * 1.3, 0.05)


def ended(ran):
    """Refuses a trap, an end that did not come, too much memory, and an exit code that no table of ours names."""
    if ran.hung:
        raise Fault(f"no end after {ran.seconds:.0f} s of a processor")
    if ran.peak > MEMORY:
        raise Fault(f"{ran.peak / 1e9:.1f} GB of memory")
    if ran.code < 0 or ran.code in TRAPS:
        name = signal.Signals(-ran.code if ran.code < 0 else ran.code - 128).name
        raise Fault(f"trap, {name}")
    if ran.code != 0 and ran.code not in REFUSALS:
        raise Fault(f"exit {ran.code}: {shown(ran.line)}")
    return ran


def tidy(ran, streams=True):
    """`ended`, and what was said: no raw control characters, and a refusal is one line that begins with the name.
    Without `streams` the two streams were closed or full, and nothing is asked of them."""
    ended(ran)
    if not streams:
        return ran
    # A carriage return may stand in a quoted cell of a CSV.
    for name, text in (("output", ran.text.replace("\r", "")), ("error", ran.said)):
        if found := CONTROL.search(text):
            raise Fault(f"raw {ascii(found[0])} on standard {name}: {shown(text[max(0, found.start() - 30):][:80])}")
    lines = ran.said.rstrip("\n").split("\n")
    usage = ran.code == 64 and lines[0].startswith("Error: ")
    if ran.code not in (0, 130) and not usage:
        ours = [line for line in lines if line.startswith("limbeck: ") and not line.startswith("limbeck: warning")]
        if len(ours) != 1 or lines[-1] != ours[0]:
            raise Fault(f"exit {ran.code}, and not one line that begins with limbeck: {shown(lines[-1])}")
    return ran


def refused(ran, *words, code=65):
    """A refusal with this exit code, whose line has one of each group of words (a|b)."""
    tidy(ran)
    if ran.code != code:
        raise Fault(f"exit {ran.code} instead of {code}" + (f": {shown(ran.line)}" if ran.code else ""))
    for group in words:
        if not any(word.lower() in ran.line.lower() for word in group.split("|")):
            raise Fault(f'the refusal does not say "{group}": {shown(ran.line)}')
    return ran


def right(ran):
    """Exit 0, tidy."""
    tidy(ran)
    if ran.code != 0:
        raise Fault(f"exit {ran.code}: {shown(ran.line)}")
    return ran


def shown(text, most=150):
    """Text for a line of the list: short, and without anything a terminal would act on."""
    text = re.sub(r"[^ -~\xa1-\u02ff\u2010-\u201f\u2026]", lambda found: ascii(found[0])[1:-1], text)
    return text if len(text) <= most else text[:most] + "…"


def accuracy(ran):
    """Test accuracy of the selected weights, of `train --json`; or that of `evaluate --json`."""
    value = right(ran).object()
    return value["accuracy"] if "accuracy" in value else value["rows"][0]["selected"]["mean"]


def bytes_of(folder):
    """Every file of a run folder that does not depend on the clock."""
    folder = pathlib.Path(folder)
    return {
        str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name not in ("timing.json", "report.html") and ".lock" not in path.name
        and path.name != "lock"}


def different(a, b):
    """The names of the files in which two folders differ."""
    return sorted(name for name in a.keys() | b.keys() if a.get(name) != b.get(name))


def judged(task):
    """Runs a task that raises what is wrong: nothing, or the fault in words."""
    try:
        task()
    except Fault as fault:
        return str(fault)
    except (OSError, KeyError, IndexError, TypeError, ValueError, UnicodeError) as error:
        return f"cannot be judged: {type(error).__name__} {shown(str(error))}"
    return None


def forget(folder):
    shutil.rmtree(folder, ignore_errors=True)
