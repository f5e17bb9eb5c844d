#!/usr/bin/env python3
"""The demo model's training pictures: seven free sets of emoji drawings, rendered from their SVG; none of them is Noto's.

  npm install @iconify-json/twemoji@1.2.5 @iconify-json/openmoji@1.2.29 @iconify-json/fluent-emoji@1.2.7 \\
    @iconify-json/fluent-emoji-flat@1.2.6 @iconify-json/emojione@1.2.3 @iconify-json/emojione-v1@1.2.3 @iconify-json/fxemoji@1.2.2
  pip install resvg-py==0.5.0 numpy pillow          # and Debian's unicode-data, unicode-cldr-core
  pictures.py node_modules/@iconify-json pictures.npz

Writes one .npz: `pictures` (n x 96 x 96 x 4, RGBA), `vendor`, `name` (of each), and `names`, `keywords` (of each emoji).
"""
import io
import json
import os
import re
import sys
import unicodedata
import xml.etree.ElementTree as ElementTree
from multiprocessing import Pool

import numpy as np
from PIL import Image
import resvg_py

VENDORS = ["twemoji", "openmoji", "fluent-emoji", "fluent-emoji-flat", "emojione", "emojione-v1", "fxemoji"]
SVG = '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" viewBox="%g %g %g %g">%s</svg>'
SIZE, MARGIN = 96, 2
CODES = "/usr/share/unicode/emoji/emoji-test.txt"
ANNOTATIONS = ["/usr/share/unicode/cldr/common/annotations/en.xml", "/usr/share/unicode/cldr/common/annotationsDerived/en.xml"]


def emojis():
    """{code points without the variation selector: name}, of every emoji but those with a skin tone."""
    found = {}
    for line in open(CODES, encoding="utf-8"):
        match = re.match(r"([0-9A-F ]+?)\s*; fully-qualified\s*# \S+ E[\d.]+ (.*)", line)
        if match and "skin tone" not in match[2]:
            found[tuple(int(c, 16) for c in match[1].split() if c != "FE0F")] = match[2]
    return found


def keywords():
    words = {}
    for path in ANNOTATIONS:
        for a in ElementTree.parse(path).getroot().iter("annotation"):
            if a.get("type") is None:
                words[tuple(ord(c) for c in a.get("cp") if c != "\ufe0f")] = [w.strip() for w in a.text.split("|")]
    return words


def slug(name):
    return re.sub(r"[^a-z0-9]+", "-", name.lower().replace("’", "").replace("'", "").replace("ñ", "n")).strip("-")


def names_of(code, name, aliases):
    """The names under which a vendor may file an emoji: Unicode's of today, of the character, and other sets' older ones."""
    yield slug(name)
    if len(code) == 1:
        yield slug(unicodedata.name(chr(code[0]), name))
    yield from aliases.get(code, ())


def render(job):
    svg = job
    png = bytes(resvg_py.svg_to_bytes(svg_string=svg, width=192))
    picture = Image.open(io.BytesIO(png)).convert("RGBA")
    box = picture.getchannel("A").point(lambda a: 255 if a > 8 else 0).getbbox()
    if not box:
        return None
    picture = picture.crop(box)
    scale = (SIZE - 2 * MARGIN) / max(picture.size)
    size = [max(1, round(s * scale)) for s in picture.size]
    premultiplied = picture.convert("RGBa").resize(size, Image.LANCZOS).convert("RGBA")
    out = Image.new("RGBA", (SIZE, SIZE))
    out.paste(premultiplied, ((SIZE - size[0]) // 2, (SIZE - size[1]) // 2))
    return np.asarray(out)


def main():
    folder, output = sys.argv[1:]
    known, words = emojis(), keywords()
    aliases = {}
    for vendor in VENDORS:
        path = os.path.join(folder, vendor, "chars.json")
        for code, icon in (json.load(open(path)) if os.path.exists(path) else {}).items():
            aliases.setdefault(tuple(int(c, 16) for c in code.split("-") if c != "fe0f"), []).append(icon)
    jobs, vendor_of, name_of = [], [], []
    for v, vendor in enumerate(VENDORS):
        icons = json.load(open(os.path.join(folder, vendor, "icons.json")))
        parents = {a: d["parent"] for a, d in icons.get("aliases", {}).items()}
        squashed = {i.replace("-", ""): i for i in list(icons["icons"]) + list(parents)}
        width, height = icons.get("width", 16), icons.get("height", 16)
        for n, (code, name) in enumerate(known.items()):
            tried = [c.replace("-", "") for c in names_of(code, name, aliases)]
            icon = next((squashed[t] for t in tried if t in squashed), None)
            if icon is None:
                continue
            entry = icons["icons"][parents.get(icon, icon)]
            jobs.append(SVG % (
                entry.get("left", 0), entry.get("top", 0), entry.get("width", width), entry.get("height", height), entry["body"]))
            vendor_of.append(v)
            name_of.append(n)
    with Pool(2) as pool:
        drawn = pool.map(render, jobs, 64)
    kept = [i for i, d in enumerate(drawn) if d is not None]
    for v, vendor in enumerate(VENDORS):
        print("%s: %d pictures" % (vendor, sum(vendor_of[i] == v for i in kept)))
    np.savez(output, pictures=np.stack([drawn[i] for i in kept]), vendor=np.array([vendor_of[i] for i in kept]),
             name=np.array([name_of[i] for i in kept]), names=np.array(list(known.values())),
             keywords=np.array(["|".join(words.get(c, [])) for c in known]), single=np.array([len(c) == 1 for c in known]),
             vendors=np.array(VENDORS))


if __name__ == "__main__":
    main()
