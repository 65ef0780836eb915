"""Writes the inputs of the list of files: tables, IDX, safetensors, PyTorch's files, recipes; no package needed."""

import array
import collections
import gzip
import io
import json
import math
import pathlib
import pickle
import struct
import sys
import types
import zipfile

CENTRES = [(0, 4, 8), (4, 8, 0), (8, 0, 4), (8, 8, 8), (0, 0, 0)]
COLUMNS = ("x0", "x1", "x2")


def samples(random, count=90, classes="abc"):
    """Rows (features, class) of clouds so far apart that a small network tells them all, and so placed that
    columns in another order make every class another one."""
    rows = []
    for index in range(count):
        number = index % len(classes)
        centre = CENTRES[number] if number < len(CENTRES) else [random.uniform(-9, 17) for _ in range(3)]
        rows.append((tuple(round(c + random.gauss(0, 0.5), 4) for c in centre), classes[number]))
    random.shuffle(rows)
    return rows


def cell(text, delimiter=","):
    text = str(text)
    return '"' + text.replace('"', '""') + '"' if any(c in text for c in f'"\r\n{delimiter}') else text


def table(rows, header=None, delimiter=",", ending="\n", bom=False, zipped=False):
    """The bytes of a table of rows of cells."""
    lines = ([list(header)] if header else []) + [list(row) for row in rows]
    text = "".join(delimiter.join(cell(c, delimiter) for c in line) + ending for line in lines)
    data = (b"\xef\xbb\xbf" if bom else b"") + text.encode("utf-8", "surrogateescape")
    return gzip.compress(data, mtime=0) if zipped else data


def labelled(rows):
    return [(*features, label) for features, label in rows]


def recipe(data, **changes):
    """A recipe that trains within a tenth of a second; `changes` replace whole parts, None leaves one out."""
    parts = {
        "data": data, "model": {"name": "mlp", "hidden": [16]}, "method": {"name": "cross-entropy"},
        "optimizer": {"kind": "adam", "learning-rate": 0.03}, "training": {"epochs": 6, "batch": 16, "ema": 0}}
    parts.update(changes)
    return "".join(f"{key}: {json.dumps(value)}\n" for key, value in parts.items() if value is not None)


def write(path, content):
    path = pathlib.Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def idx(shape, values, kind=8):
    """An IDX file: kind 8 is unsigned bytes, 12 32-bit integers."""
    body = bytes(values) if kind == 8 else struct.pack(f">{len(values)}i", *values)
    return struct.pack(f">HBB{len(shape)}I", 0, kind, len(shape), *shape) + body


def images(random, count, side, classes, first=0):
    """IDX images and labels: a class is a bright row of pixels."""
    pixels, labels = [], []
    for index in range(count):
        number = index % classes
        for row in range(side):
            bright = row * classes // side == number
            pixels += [(200 if bright else 20) + random.randrange(40) for _ in range(side)]
        labels.append(number + first)
    return idx((count, side, side), pixels), idx((count,), labels)


def safetensors(tensors, metadata=None):
    """`tensors`: name to (shape, numbers); float32."""
    header, body = {}, b""
    if metadata:
        header["__metadata__"] = metadata
    for name, (shape, numbers) in tensors.items():
        data = array.array("f", numbers).tobytes()
        header[name] = {"dtype": "F32", "shape": list(shape), "data_offsets": [len(body), len(body) + len(data)]}
        body += data
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text)) + text + body


def read_safetensors(path):
    """Tensors as `safetensors` takes them, and the metadata."""
    data = pathlib.Path(path).read_bytes()
    size = struct.unpack("<Q", data[:8])[0]
    header, body = json.loads(data[8:8 + size]), data[8 + size:]
    metadata = header.pop("__metadata__", {})
    return {
        name: (tuple(entry["shape"]), array.array("f", body[slice(*entry["data_offsets"])]).tolist())
        for name, entry in sorted(header.items())}, metadata


# PyTorch's files. A pickle names functions by module and name, so that modules of these names are all it takes.

def _module(name, **members):
    module = types.ModuleType(name)
    for key, member in members.items():
        member.__module__, member.__qualname__, member.__name__ = name, key, key
        setattr(module, key, member)
    return module


FloatStorage, dtype = type("FloatStorage", (), {}), type("dtype", (), {})
rebuild, scalar, parameter = (lambda *a: a), (lambda *a: a), (lambda *a: a)
MODULES = {
    "torch": _module("torch", FloatStorage=FloatStorage),
    "torch._utils": _module("torch._utils", _rebuild_tensor_v2=rebuild, _rebuild_parameter=parameter),
    "numpy": _module("numpy", dtype=dtype),
    "numpy.core.multiarray": _module("numpy.core.multiarray", scalar=scalar),
}


class Reduced:
    """An object that pickles as a call and, if any, a state to set."""

    def __init__(self, function, arguments, *state):
        self.call = (function, arguments, *state)

    def __reduce__(self):
        return self.call


class Storage:
    def __init__(self, key, numbers):
        self.key, self.numbers = str(key), numbers


class Tensors:
    """Makes tensors and remembers their storages."""

    def __init__(self):
        self.storages = []

    def tensor(self, shape, numbers):
        storage = Storage(len(self.storages), list(numbers))
        self.storages.append(storage)
        strides = tuple(math.prod(shape[i + 1:]) for i in range(len(shape)))
        return Reduced(rebuild, (storage, 0, tuple(shape), strides, False, collections.OrderedDict()))

    def parameter(self, shape, numbers):
        return Reduced(parameter, (self.tensor(shape, numbers), True, collections.OrderedDict()))

    def state(self, tensors, prefix="", make=None):
        return collections.OrderedDict(
            (prefix + name, (make or self.tensor)(shape, numbers)) for name, (shape, numbers) in tensors.items())

    def pickled(self, value, legacy):
        """The bytes of the pickle, and the storages that it names."""
        used = {}

        class Pickler(pickle.Pickler):
            def persistent_id(self, item):
                if isinstance(item, Storage):
                    used[item.key] = item
                    place = ("storage", FloatStorage, item.key, "cpu", len(item.numbers))
                    return (*place, None) if legacy else place
                return None

        sys.modules.update(MODULES)
        file = io.BytesIO()
        Pickler(file, protocol=2).dump(value)
        return file.getvalue(), list(used.values())

    def file(self, value, name="archive", zipped=True):
        """What torch.save writes: a zip archive, or the bare pickles of before 1.6."""
        data, storages = self.pickled(value, not zipped)
        if not zipped:
            keys = [s.key for s in storages]
            return (
                b"".join(pickle.dumps(v, protocol=2) for v in (
                    0x1950A86A20F9469CFC6C, 1001, {"protocol_version": 1001, "little_endian": True}))
                + data + pickle.dumps(keys, protocol=2)
                + b"".join(struct.pack("<q", len(s.numbers)) + array.array("f", s.numbers).tobytes() for s in storages))
        file = io.BytesIO()
        with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
            archive.writestr(f"{name}/data.pkl", data)
            archive.writestr(f"{name}/byteorder", "little")
            for storage in storages:
                archive.writestr(f"{name}/data/{storage.key}", array.array("f", storage.numbers).tobytes())
            archive.writestr(f"{name}/version", "3\n")
        return file.getvalue()


def numpy_scalar(number):
    """numpy.float64(number), as numpy pickles it."""
    kind = Reduced(dtype, ("f8", False, True), (3, "<", None, None, None, -1, -1, 0))
    return Reduced(scalar, (kind, struct.pack("<d", number)))


def npy(shape, numbers):
    """A NumPy file of float32."""
    text = f"{{'descr': '<f4', 'fortran_order': False, 'shape': {tuple(shape)}, }}"
    text += " " * (-(len(text) + 11) % 64) + "\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text.encode() + array.array("f", numbers).tobytes()
