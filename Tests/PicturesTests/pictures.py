#!/usr/bin/env python3
"""Writes Fixtures: small pictures, and beside each (.ppm or .pgm) what it has to be decoded to.

    python3 -m venv venv && venv/bin/pip install pillow numpy && venv/bin/python pictures.py

What Pillow decodes and resamples is Pillow's; where it rounds or reads otherwise than we do (16 bits, CMYK without
Adobe's marker, shares of pixels of an area), the expected pixels are computed here.
"""
import io
import pathlib
import struct
import zlib

import numpy as np
from PIL import Image, ImageOps

out = pathlib.Path(__file__).parent / "Fixtures"
out.mkdir(exist_ok=True)
random = np.random.default_rng(7)


def scene(width, height, channels=3):
    """Smooth colours, an edge and a little noise."""
    y, x = np.mgrid[0:height, 0:width]
    planes = [127 + 90 * np.sin(x / (5 + c) + c) * np.cos(y / (4 + c)) + 60 * (x * (c + 1) > y * 2) - 30
              for c in range(channels)]
    values = np.stack(planes, -1) + random.normal(0, 6, (height, width, channels))
    return values.clip(0, 255).round().astype(np.uint8)


def expect(name, pixels):
    pixels = np.asarray(pixels, np.uint8)
    grey = pixels.ndim == 2
    head = b"P%d %d %d 255\n" % (5 if grey else 6, pixels.shape[1], pixels.shape[0])
    (out / f"{name}.{'pgm' if grey else 'ppm'}").write_bytes(head + pixels.tobytes())


def save(name, content):
    (out / name).write_bytes(content)


def jpeg(image, **options):
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", **options)
    return buffer.getvalue()


def decoded(content, mode=None):
    image = Image.open(io.BytesIO(content))
    return np.asarray(image.convert(mode) if mode else image)


rgb, grey = scene(29, 18), scene(29, 18, 1)[:, :, 0]
for name, content in {
    "plain.jpg": jpeg(Image.fromarray(rgb), quality=85),
    "full-chroma.jpg": jpeg(Image.fromarray(rgb), quality=90, subsampling=0),
    "progressive.jpg": jpeg(Image.fromarray(rgb), quality=85, progressive=True),
    "grey.jpg": jpeg(Image.fromarray(grey), quality=85),
}.items():
    save(name, content)
    expect(name, decoded(content))

# Pillow writes Adobe's marker and inverted values, and takes every CMYK file for such a one.
inks = jpeg(Image.fromarray(scene(16, 9, 4), "CMYK"), quality=92)
adobe = inks.index(b"\xff\xee")
length = struct.unpack(">H", inks[adobe + 2:adobe + 4])[0]


def of_inks(cmyk):
    light = 255 - cmyk.astype(int)
    return (light[..., :3] * light[..., 3:] + 127) // 255


save("cmyk-adobe.jpg", inks)
expect("cmyk-adobe.jpg", of_inks(decoded(inks)))
ycck = bytearray(inks)
ycck[adobe + 15] = 2
save("ycck-adobe.jpg", bytes(ycck))
expect("ycck-adobe.jpg", of_inks(decoded(bytes(ycck))))
plain = inks[:adobe] + inks[adobe + 2 + length:]
save("cmyk-plain.jpg", plain)
expect("cmyk-plain.jpg", of_inks(255 - decoded(plain)))

turned = Image.fromarray(scene(12, 7))
for orientation in range(1, 9):
    exif = Image.Exif()
    exif[0x0112] = orientation
    content = jpeg(turned, quality=95, subsampling=0, exif=exif)
    save(f"turned-{orientation}.jpg", content)
    expect(f"turned-{orientation}.jpg", np.asarray(ImageOps.exif_transpose(Image.open(io.BytesIO(content)))))


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(samples, bits, kind, interlaced=False, extra=b""):
    """samples: [H, W, C] whole numbers of `bits` bits."""
    height, width, channels = samples.shape

    def rows(part):
        lines = b""
        for row in part:
            flat = row.reshape(-1)
            if bits == 16:
                data = flat.astype(">u2").tobytes()
            elif bits == 8:
                data = flat.astype(np.uint8).tobytes()
            else:
                digits = "".join(format(v, f"0{bits}b") for v in flat)
                digits += "0" * (-len(digits) % 8)
                data = bytes(int(digits[i:i + 8], 2) for i in range(0, len(digits), 8))
            lines += b"\0" + data
        return lines

    if interlaced:
        passes = [(0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2), (1, 0, 2, 1)]
        raw = b"".join(rows(samples[y::dy, x::dx]) for y, x, dy, dx in passes if samples[y::dy, x::dx].size)
    else:
        raw = rows(samples)
    head = struct.pack(">IIBBBBB", width, height, bits, kind, 0, 0, int(interlaced))
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + extra + chunk(b"IDAT", zlib.compress(raw, 9))
            + chunk(b"IEND", b""))


def over(colours, alpha, background=255):
    alpha = alpha.astype(int)
    return (colours.astype(int) * alpha + background * (255 - alpha) + 127) // 255


def eight(values):
    return (values.astype(int) * 255 + 32767) // 65535


deep = random.integers(0, 65536, (7, 11, 4))
colours = random.integers(0, 256, (16, 3))
indices = random.integers(0, 16, (7, 11, 1))
clear = np.array([0, 128, 255, 40])
entries = np.concatenate([clear, np.full(12, 255)])[indices[..., 0]][..., None]
palette = chunk(b"PLTE", colours.astype(np.uint8).tobytes())
mixed = scene(11, 7, 4)
tiny = random.integers(0, 4, (7, 11, 1))
for name, content, pixels in [
    ("rgb.png", png(rgb, 8, 2), rgb),
    ("grey.png", png(grey[..., None], 8, 0), grey),
    ("interlaced.png", png(rgb, 8, 2, True), rgb),
    ("alpha.png", png(mixed, 8, 6), over(mixed[..., :3], mixed[..., 3:])),
    ("grey-alpha.png", png(mixed[..., 2:], 8, 4), over(mixed[..., 2], mixed[..., 3])),
    ("deep.png", png(deep[..., :3], 16, 2), eight(deep[..., :3])),
    ("deep-grey.png", png(deep[..., :1], 16, 0), eight(deep[..., 0])),
    ("deep-alpha.png", png(deep, 16, 6), over(eight(deep[..., :3]), eight(deep[..., 3:]))),
    ("palette.png", png(indices, 4, 3, extra=palette), colours[indices[..., 0]]),
    ("palette-clear.png", png(indices, 4, 3, True, palette + chunk(b"tRNS", clear.astype(np.uint8).tobytes())),
     over(colours[indices[..., 0]], entries)),
    ("two-bits.png", png(tiny, 2, 0), tiny[..., 0] * 85),
    ("one-colour-clear.png", png(tiny, 2, 0, extra=chunk(b"tRNS", struct.pack(">H", 1))),
     np.where(tiny[..., 0] == 1, 255, tiny[..., 0] * 85)),
]:
    save(name, content)
    expect(name, pixels)
exif = struct.pack(">2sHIHHHIHHI", b"MM", 42, 8, 1, 0x0112, 3, 1, 6, 0, 0)
save("turned-6.png", png(mixed[..., :3], 8, 2, extra=chunk(b"eXIf", exif)))
expect("turned-6.png", np.rot90(mixed[..., :3], -1))

for name, image in {
    "rgb.bmp": Image.fromarray(rgb),
    "palette.bmp": Image.fromarray(rgb).quantize(40),
    "one-bit.bmp": Image.fromarray(grey).convert("1"),
}.items():
    buffer = io.BytesIO()
    image.save(buffer, "BMP")
    save(name, buffer.getvalue())
    expect(name, np.asarray(image.convert("RGB")))

# Resampling: Pillow's BILINEAR, and means over areas.
large = scene(61, 47)
expect("large", large)


def area(values, new):
    """Along the first axis: the mean over the area of each new pixel, rounded."""
    old = len(values)
    edges = np.arange(new + 1) * old / new
    weights = np.zeros((new, old))
    for i in range(new):
        for p in range(old):
            weights[i, p] = max(0, min(p + 1, edges[i + 1]) - max(p, edges[i]))
        weights[i] /= weights[i].sum()
    return np.floor(np.tensordot(weights, values.astype(float), 1) + 0.5)


for width, height in [(32, 32), (8, 13), (90, 70), (61, 20), (1, 1)]:
    expect(f"large-bilinear-{width}x{height}",
           np.asarray(Image.fromarray(large).resize((width, height), Image.BILINEAR)))
    narrow = area(large.transpose(1, 0, 2), width).transpose(1, 0, 2)
    expect(f"large-area-{width}x{height}", area(narrow, height))
expect("large-bilinear-crop-20x20",
       np.asarray(Image.fromarray(large).resize((20, 20), Image.BILINEAR, box=(7, 0, 54, 47))))

# A JPEG that is decoded at a smaller size. Pillow's reducing draft mode is another path: this is the whole picture.
photograph = Image.fromarray(scene(400, 300)).resize((200, 150), Image.BILINEAR)
content = jpeg(photograph, quality=80)
save("photograph.jpg", content)
expect("photograph-16x12", np.asarray(Image.open(io.BytesIO(content)).resize((16, 12), Image.BILINEAR)))
print(sum(path.stat().st_size for path in out.iterdir()), "bytes")
