#!/usr/bin/env python3
"""Writes tests/golden/pictures.h and pictures.z: small files of picture_files.py, and the mode, the size and digests of the pixels that
Pillow 9.4 decodes, or that it refuses them (tests/unit/shards/test_pictures.c compares). Run it from the repository's root with Debian
12's python3-pil and python3-numpy."""
import io
import logging
import sys
import warnings
import zlib

import numpy as np
import PIL
from PIL import Image

sys.path.insert(0, "tests/golden")
from picture_files import files  # noqa: E402

warnings.simplefilter("ignore")
logging.disable(logging.CRITICAL)

# Where we differ on purpose, and why.
REFUSED = {
    "ppm plain cut": "Pillow repeats the last sample of a plain file that is cut",
    "tiff II planes of 16 bits": "Pillow takes uncompressed planes of 16 bits for planes of 8",
    "tiff MM planes of 16 bits": "the same",
    "tiff MM deflate of 32 bits": "Pillow swaps the bytes twice",
    "tiff MM deflate of reals": "the same",
    "tiff planes, compression 8, 1 of 2 [2]": "Pillow puts alpha where it does not belong",
    "tiff tiles in four planes, compression 1": "Pillow gets the length of rows at the right edge wrong",
    "tiff Lab": "needs colour management",
    "tiff YCbCr": "Pillow takes three bytes a pixel for four",
    "png cut in the checksum of its stream": "libpng wants the whole stream",
}
READ = {
    "tiff MM BigTIFF": "later versions of Pillow read it",
}
OTHER_MODE = {
    "gif local ramp": "Pillow says L, and means P",
}


def digest(values):
    """Sum of value[i] * (i * odd constant + 1) modulo 2^64."""
    v = np.ascontiguousarray(values).reshape(-1)
    v = v.view(np.uint32) if v.dtype == np.float32 else v
    v = v.astype(np.int64).astype(np.uint64)
    return int((v * (np.arange(v.size, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15) + np.uint64(1))).sum(dtype=np.uint64))


def decode(data):
    with Image.open(io.BytesIO(data)) as image:
        image.load()
        rgb = np.asarray(image.convert("RGB"))
        pixels = np.asarray(image)
        mode = image.mode
        if mode == "1":
            pixels = pixels.astype(np.uint8) * 255
        elif mode == "RGBX":
            mode, pixels = "RGB", rgb
        return mode.replace("I;16B", "I;16").replace("I;16", "I16"), image.size, digest(pixels), digest(rgb)


def main():
    names, rows, blob = set(), [], b""
    for name, data in files():
        assert name not in names, name
        names.add(name)
        try:
            mode, size, own, rgb = decode(data)
        except Exception:
            mode, size, own, rgb = None, (0, 0), 0, 0
        if name in REFUSED:
            assert mode, name
            mode, size, own, rgb = None, (0, 0), 0, 0
        if name in READ:
            assert not mode, name
            size = (-1, -1)
        if name in OTHER_MODE:
            mode, own = "P", own
        rows.append('    {"%s", %s, %d, %d, 0x%016x, 0x%016x, %d},' %
                    (name, "VB_MODE_" + mode if mode else -1, *size, own, rgb, len(data)))
        blob += data
    with open("tests/golden/pictures.z", "wb") as out:
        out.write(zlib.compress(blob, 9))
    with open("tests/golden/pictures.h", "w") as out:
        print("/* What Pillow %s makes of the files in pictures.z, one behind the other; mode -1: it refuses them; height -1: we read them\n"
              " * all the same. Made by tests/golden/make_pictures.py; do not edit. */" % PIL.__version__, file=out)
        print("enum { PICTURE_BYTES = %d };" % len(blob), file=out)
        print("static const struct picture_case { const char *name; int mode, width, height; uint64_t digest, rgb_digest; size_t size; }\n"
              "picture_cases[] = {", file=out)
        print("\n".join(rows), file=out)
        print("};", file=out)


main()
