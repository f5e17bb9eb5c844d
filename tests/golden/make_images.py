#!/usr/bin/env python3
# Writes tests/golden/images.h: small image files of every kind, with the mode, the size and a digest of the pixels that Pillow 9.4
# decodes (tests/unit/shards/test_image.c compares). Run it from the repository's root with Debian 12's python3-pil and python3-numpy.
import io
import struct
import zlib

import numpy as np
import PIL
from PIL import Image

random = np.random.default_rng(20221)
files = []


def digest(values):
    """Sum of value[i] * (i * odd constant + 1) modulo 2^64."""
    v = np.ascontiguousarray(values).reshape(-1).astype(np.uint64)
    return int((v * (np.arange(v.size, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15) + np.uint64(1))).sum(dtype=np.uint64))


def add(name, data):
    image = Image.open(io.BytesIO(data))
    pixels = np.asarray(image)
    if image.mode == "1":
        pixels = pixels.astype(np.uint8) * 255
    files.append((name, image.mode, image.size, digest(pixels), digest(np.asarray(image.convert("RGB"))), data))


def smooth(width, height, channels):
    y, x, c = np.mgrid[:height, :width, :channels]
    return ((x * 9 + y * 6 + c * 70 + random.integers(0, 8, (height, width, channels))) % 256).astype(np.uint8)


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def rows(samples, depth):
    """Filter 0 and 2 in turn, on rows packed to `depth` bits a sample."""
    out, before = b"", None
    for n, row in enumerate(samples):
        if depth == 16:
            packed = np.frombuffer(row.astype(">u2").tobytes(), np.uint8)
        elif depth == 8:
            packed = row.astype(np.uint8).reshape(-1)
        else:
            packed = np.packbits((row.reshape(-1, 1) >> np.arange(depth - 1, -1, -1) & 1).astype(np.uint8).reshape(-1))
        up = n % 2 and before is not None
        out += bytes([2 if up else 0]) + (packed - before if up else packed).tobytes()
        before = packed
    return out


def png(kind, depth, interlaced, extra=b"", width=11, height=9, entries=None):
    channels = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}[kind]
    samples = random.integers(0, 1 << depth, (height, width, channels))
    if interlaced:
        passes = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))
        raw = b"".join(rows(samples[y::dy, x::dx], depth) for x, y, dx, dy in passes)
    else:
        raw = rows(samples, depth)
    palette = b""
    if kind == 3:
        palette = chunk(b"PLTE", random.integers(0, 256, 3 * (entries or 1 << depth), dtype=np.uint8).tobytes())
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, kind, 0, 0, interlaced)) +
            chunk(b"gAMA", struct.pack(">I", 30000)) + palette + extra + chunk(b"IDAT", zlib.compress(raw, 9)) + chunk(b"IEND", b""))


def saved(form, mode, width=21, height=18, data=None, **options):
    channels = {"L": 1, "RGB": 3, "RGBA": 4, "CMYK": 4}[mode]
    image = Image.frombytes(mode, (width, height), (smooth(width, height, channels) if data is None else data).tobytes())
    out = io.BytesIO()
    image.save(out, form, **options)
    return out.getvalue()


for kind, depths in ((0, (1, 2, 4, 8, 16)), (2, (8, 16)), (3, (1, 2, 4)), (4, (8, 16)), (6, (8, 16))):
    for depth in depths:
        for interlaced in (0, 1):
            clear = {0: chunk(b"tRNS", b"\0\1"), 2: chunk(b"tRNS", b"\0\1\0\2\0\3"), 3: chunk(b"tRNS", b"\x10\xf0")}.get(kind, b"")
            add("png type %d depth %d interlaced %d" % (kind, depth, interlaced), png(kind, depth, interlaced, clear))
add("png palette of 5 with indices beyond", png(3, 8, 0, width=5, height=4, entries=5))
add("png one pixel", png(6, 8, 1, width=1, height=1))
add("jpeg grey", saved("JPEG", "L", quality=60, optimize=True))
for subsampling in (0, 1, 2):
    add("jpeg RGB subsampling %d" % subsampling, saved("JPEG", "RGB", quality=70, optimize=True, subsampling=subsampling))
add("jpeg progressive", saved("JPEG", "RGB", quality=50, progressive=True))
rgb = bytearray(saved("JPEG", "RGB", quality=50, optimize=True))
at = rgb.find(b"JFIF") - 4
add("jpeg stored as RGB", bytes(rgb[:at] + b"\xff\xee\0\x0eAdobe\0d\0\0\0\0\0" + rgb[at + 18:]))
exif = Image.Exif()
exif[0x112] = 6
add("jpeg turned by EXIF", saved("JPEG", "RGB", quality=50, optimize=True, exif=exif.tobytes()))
cmyk = bytearray(saved("JPEG", "CMYK", quality=50, optimize=True))
add("jpeg CMYK", bytes(cmyk))
cmyk[cmyk.find(b"Adobe") + 11] = 2
add("jpeg YCCK", bytes(cmyk))
add("webp lossy", saved("WEBP", "RGB", quality=60))
add("webp lossy with alpha", saved("WEBP", "RGBA", quality=60))
add("webp lossless", saved("WEBP", "RGB", lossless=True))
hidden = smooth(13, 7, 4)
hidden[::2, ::3, 3] = 0
add("webp lossless with alpha", saved("WEBP", "RGBA", 13, 7, hidden, lossless=True, exact=True))
add("webp of two frames", saved("WEBP", "RGB", save_all=True, lossless=True,
                                append_images=[Image.frombytes("RGB", (21, 18), smooth(21, 18, 3).tobytes())]))
frame = saved("WEBP", "RGBA", 6, 5, lossless=True)[12:]
box = lambda kind, data: kind + struct.pack("<I", len(data)) + data + b"\0" * (len(data) % 2)
u24 = lambda value: struct.pack("<I", value)[:3]
for flags in (2, 18):
    body = (b"WEBP" + box(b"VP8X", bytes([flags, 0, 0, 0]) + u24(12) + u24(9)) + box(b"ANIM", bytes([9, 8, 7, 255, 0, 0])) +
            box(b"ANMF", u24(1) + u24(2) + u24(5) + u24(4) + u24(100) + b"\0" + frame))
    add("webp with a first frame smaller than the canvas, flags %d" % flags, b"RIFF" + struct.pack("<I", len(body)) + body)

with open("tests/golden/images.h", "w") as out:
    print("/* Small image files and what Pillow %s decodes. Made by tests/golden/make_images.py; do not edit. */" % PIL.__version__, file=out)
    for n, (_, _, _, _, _, data) in enumerate(files):
        print("static const uint8_t image_%d[] = {" % n, file=out)
        for at in range(0, len(data), 40):
            print("    " + ",".join("%d" % byte for byte in data[at:at + 40]) + ",", file=out)
        print("};", file=out)
    print("static const struct image_case { const char *name; vb_mode mode; int width, height; uint64_t digest, rgb_digest; size_t size; "
          "const uint8_t *bytes; } image_cases[] = {", file=out)
    for n, (name, mode, size, own, rgb, data) in enumerate(files):
        print('    {"%s", VB_MODE_%s, %d, %d, 0x%016x, 0x%016x, %d, image_%d},' % (name, mode, *size, own, rgb, len(data), n), file=out)
    print("};", file=out)
