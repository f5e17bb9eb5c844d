#!/usr/bin/env python3
# Writes tests/golden/resize.h: digests of what Pillow 9.4 makes of images that a formula generates (tests/unit/kernels/test_preprocess.c
# has the same formula). Run it from the repository's root with Debian 12's python3-pil and python3-numpy.
import numpy as np
import PIL
from PIL import Image

CHANNELS = {"1": 1, "L": 1, "LA": 2, "P": 1, "RGB": 3, "RGBA": 4, "CMYK": 4, "I": 1}
LATER = {"F": 1, "PA": 2}  # seeds of the others stay as they are
MEAN = np.array((0.48145466, 0.4578275, 0.40821073), np.float32)[:, None, None]
STD = np.array((0.26862954, 0.26130258, 0.27577711), np.float32)[:, None, None]


def scramble(values, seed):
    h = (np.asarray(values, np.uint64) + np.uint64(seed * 40503)) * np.uint64(2654435761) & np.uint64(0xFFFFFFFF)
    h ^= h >> np.uint64(15)
    h = h * np.uint64(2246822519) & np.uint64(0xFFFFFFFF)
    return h ^ h >> np.uint64(13)


def samples(mode, width, height, seed):
    """Seed modulo 3 picks the kind: noise, extremes only (overshoot is clipped), a gradient with a little noise."""
    channels = {**CHANNELS, **LATER}[mode]
    h = scramble(np.arange(width * height * channels), seed)
    if mode == "I":
        return (h >> np.uint64(16)).astype(np.int32)
    if mode == "F":
        return ((h >> np.uint64(16)).astype(np.float32) - np.float32(9000)) / np.float32(64)
    if mode == "1":
        return ((h >> np.uint64(31)) * np.uint64(255)).astype(np.uint8)
    i = np.arange(width * height * channels)
    x, y, c = i // channels % width, i // channels // width, i % channels
    if seed % 3 == 0:
        return (h >> np.uint64(24)).astype(np.uint8)
    if seed % 3 == 1:
        return ((h >> np.uint64(31)) * np.uint64(255)).astype(np.uint8)
    return ((x * 5 + y * 3 + c * 60) // 2 + (h >> np.uint64(28)).astype(np.int64) & 255).astype(np.uint8)


def picture(mode, width, height, seed):
    data = samples(mode, width, height, seed)
    if mode == "1":
        return Image.frombytes("L", (width, height), data.tobytes()).convert("1", dither=0)
    image = Image.frombytes(mode, (width, height), data.tobytes())
    if mode in ("P", "PA"):
        image.putpalette((scramble(np.arange(768), 99) >> np.uint64(24)).astype(np.uint8).tobytes())
    return image


def digest(values):
    """Sum of value[i] * (i * odd constant + 1) modulo 2^64."""
    v = np.ascontiguousarray(values).reshape(-1).astype(np.uint64)
    return int((v * (np.arange(v.size, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15) + np.uint64(1))).sum(dtype=np.uint64))


def pixels(image):
    if image.mode == "F":
        return np.asarray(image).view(np.uint32)
    return np.asarray(image, np.uint8) * 255 if image.mode == "1" else np.asarray(image)


def preprocess(image, r, rgb_first, resize_to=None, squash=False, floor=False):
    """OpenAI's transform, as torchvision does it on Pillow images; with a resize to more, or to a square, and a crop as Hugging Face's."""
    side = resize_to or r
    if rgb_first:
        image = image.convert("RGB")
    width, height = image.size
    short, long = min(image.size), max(image.size)
    longer = int(side * long / short)
    if squash:
        image = image.resize((side, side), Image.BICUBIC)
    elif short != side:
        image = image.resize((side, longer) if width <= height else (longer, side), Image.BICUBIC)
    width, height = image.size
    left, top = ((width - r) // 2, (height - r) // 2) if floor else (int(round((width - r) / 2.0)), int(round((height - r) / 2.0)))
    rgb = np.asarray(image.crop((left, top, left + r, top + r)).convert("RGB"))
    out = (rgb.transpose(2, 0, 1).astype(np.float32) / np.float32(255) - MEAN) / STD
    assert out.dtype == np.float32
    return out.view(np.uint32) if out.flags.c_contiguous else np.ascontiguousarray(out).view(np.uint32)


SIZES = [  # width, height, to width, to height
    (64, 48, 32, 24), (37, 53, 90, 11), (1, 1, 7, 5), (1, 40, 3, 9), (500, 375, 298, 224), (33, 20, 33, 50), (20, 33, 50, 33)]
SQUARES = [  # width, height, resolution
    (97, 45, 32), (45, 98, 33), (32, 32, 32), (31, 40, 224), (700, 9, 16), (1, 300, 8)]

print_to = open("tests/golden/resize.h", "w")
print("/* Digests of Pillow %s's results. Made by tests/golden/make_resize.py; do not edit. */" % PIL.__version__, file=print_to)
print("static const struct resize_case { vb_mode mode; int width, height, seed, to_width, to_height; vb_filter filter; uint64_t digest; } "
      "resize_cases[] = {", file=print_to)
seed = 0
for name, kernel in ("BICUBIC", Image.BICUBIC), ("BILINEAR", Image.BILINEAR):
    for number, (mode, (width, height, to_width, to_height)) in enumerate((mode, size) for mode in {**CHANNELS, **LATER}
                                                                          for size in SIZES):
        result = pixels(picture(mode, width, height, number + 1).resize((to_width, to_height), kernel))
        print("    {VB_MODE_%s, %d, %d, %d, %d, %d, VB_FILTER_%s, 0x%016x}," %
              (mode, width, height, number + 1, to_width, to_height, name, digest(result)), file=print_to)
        seed = max(seed, number + 1 if mode in CHANNELS else 0)
print("};\n\nstatic const struct square_case { vb_mode mode; int width, height, seed, resolution, rgb_first; uint64_t digest; } "
      "square_cases[] = {", file=print_to)
for mode in {**CHANNELS, **LATER}:
    for n, (width, height, resolution) in enumerate(SQUARES):
        seed += 1
        first = int(n % 3 == 1)
        result = preprocess(picture(mode, width, height, seed), resolution, first)
        print("    {VB_MODE_%s, %d, %d, %d, %d, %d, 0x%016x}," % (mode, width, height, seed, resolution, first, digest(result)),
              file=print_to)
print("};", file=print_to)
print("\nstatic const struct crop_case { vb_mode mode; int width, height, seed, resize_to, resolution, squash, floor, rgb_first; "
      "uint64_t digest; } crop_cases[] = {", file=print_to)
for n, (width, height, resize_to, resolution) in enumerate(
        [(97, 45, 40, 33), (45, 98, 40, 33), (40, 61, 40, 32), (300, 200, 47, 24), (31, 40, 64, 56), (56, 56, 56, 51), (20, 90, 37, 36), (90, 20, 37, 1)]):
    for mode in ("RGB", "P", "RGBA", "L"):
        for squash, floor, first in ((0, 0, 0), (0, 1, 1), (1, 1, 0), (1, 0, 1)):
            result = preprocess(picture(mode, width, height, n + 900), resolution, first, resize_to, squash, floor)
            print("    {VB_MODE_%s, %d, %d, %d, %d, %d, %d, %d, %d, 0x%016x}," %
                  (mode, width, height, n + 900, resize_to, resolution, squash, floor, first, digest(result)), file=print_to)
print("};", file=print_to)
