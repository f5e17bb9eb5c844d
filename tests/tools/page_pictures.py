"""Compares the pictures of a report page with the images they are of: page_pictures.py PAGE RESULTS FOLDER. Pillow decodes both.

Every example of results.json must be in the page, in order, with a description that names class and file; FOLDER/NAME is its image
(without one, NAME is a record of FOLDER/test.bin with 1 or 2 label bytes). Prints what is wrong, or the number of pictures."""
import base64
import html.parser
import io
import json
import os
import sys

import numpy as np
from PIL import Image

page, results, folder = sys.argv[1:4]
SIDE = 112
wrong, found = [], []


class Page(html.parser.HTMLParser):
    within = False  # a section of an adversarial target

    def handle_starttag(self, tag, attributes):
        if tag == "section":
            self.within = dict(attributes).get("class") == "target"
        if tag == "img" and self.within:
            found.append(dict(attributes))

    def handle_endtag(self, tag):
        if tag == "section":
            self.within = False


def original(name):
    for suffix in ("", ".jpg", ".png"):
        path = os.path.join(folder, name + suffix)
        if os.path.isfile(path):
            image = Image.open(path)
            if image.mode in ("RGBA", "LA"):
                image = image.convert("RGBA")
                return Image.alpha_composite(Image.new("RGBA", image.size, "white"), image).convert("RGB")
            return image.convert("RGB")
    data = open(os.path.join(folder, "test.bin"), "rb").read()
    size = 3074 if len(data) % 3074 == 0 else 3073
    record = data[int(name) * size :][:size]
    return Image.fromarray(np.frombuffer(record[size - 3072 :], np.uint8).reshape(3, 32, 32).transpose(1, 2, 0))


Page().feed(open(page, encoding="utf-8").read())
document = json.load(open(results, encoding="utf-8"))
examples = [e for r in document["results"] for a in r.get("adversarial", []) for name in a["examples"] for e in name]
if [image["alt"] for image in found] != [f"{e['class']}: {e['image']}" for e in examples]:
    wrong.append(f"descriptions: {[image['alt'] for image in found]}, expected {examples}")
for image, example in zip(found, examples):
    head, _, text = image["src"].partition(",")
    picture = Image.open(io.BytesIO(base64.b64decode(text, validate=True)))
    wanted = original(example["image"])
    longer = max(wanted.size)
    if longer > SIDE:
        wanted = wanted.resize([max(1, int(n * SIDE / longer + 0.5)) for n in wanted.size], Image.BICUBIC)
    if head != "data:image/jpeg;base64" or picture.format != "JPEG" or picture.size != wanted.size:
        wrong.append(f"{example}: {head}, {picture.format} of {picture.size}, expected {wanted.size}")
    elif (int(image["width"]), int(image["height"])) != picture.size:
        wrong.append(f"{example}: said to be {image['width']} x {image['height']}, is {picture.size}")
    else:
        difference = np.abs(np.asarray(picture, float) - np.asarray(wanted, float)).mean()
        if difference > 12:  # of JPEG at quality 82, colours at half the resolution
            wrong.append(f"{example}: differs by {difference:.1f} grey levels")
print("\n".join(wrong) if wrong else len(found))
sys.exit(bool(wrong))
