#!/bin/bash
# Class folders as datasets are published: GIF and BMP under .jpg, damaged JPEGs, files that are no images. What Pillow reads is read,
# and what was passed over or damaged stands in the results, from the cache too.
. "$(dirname "$0")/../lib.sh"
cd "$scratch" || exit 1
python=/usr/bin/python3
$python -c 'import numpy, PIL' 2>/dev/null || { skip "image files" "python3-pil or python3-numpy is not installed"; finish; }
make_data images pics 5 3; make_data model m.safetensors; make_data tokenizer tok
must $python - <<'P'
from PIL import Image
for name, form in ("apple/gif.jpg", "GIF"), ("bear/bmp.jpg", "BMP"), ("bear/tiff.png", "TIFF"), ("chair/ppm.jpeg", "PPM"):
    Image.open("pics/bear/000.jpg").convert("P" if form == "GIF" else "RGB").save("pics/" + name, form)
data = open("pics/bear/000.jpg", "rb").read()
tables, scan = data.find(b"\xff\xdb"), data.find(b"\xff\xda")
open("pics/chair/stray.jfif", "wb").write(data[:tables] + b"\x22" + data[tables:])
open("pics/chair/hit.jpe", "wb").write(data[:-40] + b"\xff\xd9")
open("pics/apple/sos.jpg", "wb").write(data[:scan + 11] + b"\0\0" + data[scan + 13:])
P
echo text >pics/bear/notes.txt; echo x >pics/list.csv; : >pics/bear/Thumbs.db; : >pics/.DS_Store
cat >v.yaml <<'E'
name: v
vocabularies: {a: [apple, bear], b: [chair, dolphin, elephant]}
E
cat >e.yaml <<'E'
experiment: e
cache: cache
datasets: [{name: d, images: pics, vocabularies: v.yaml}]
models: [{name: m, family: clip, activation: quick_gelu, weights: m.safetensors, tokenizer: tok, prompts: ["a {}."]}]
E
for time in first second; do # the second finds its units in the cache
  "$vocabench" run e.yaml --output "$time" >"$time.out" 2>&1
  holds "$time run: every image is evaluated, damage and other files are listed" '.results[0] | .images == 22 and
    .data.images_skipped == 0 and .data.images_damaged == 3 and
    ([.data.damaged[].sample] | sort) == ["apple/sos.jpg", "chair/hit.jpe", "chair/stray.jfif"] and
    (.data.damaged[0].remark | test("^JPEG: Invalid SOS")) and
    .data.files_passed_over == {"count": 2, "examples": ["bear/notes.txt", "list.csv"]}' "$time/results.json" "$(cat "$time.out")"
done
passed="2 files passed over, no images by their names, such as 'bear/notes.txt', 'list.csv'"
has_line "files of other names are told" "note: d: $passed" first.out
has_line "and damaged images" "note: m / d: images read although damaged, as Pillow reads them, listed in results.json: 3" first.out
"$vocabench" inspect pics >inspect.out
has_line "inspect tells them, too" "note: $passed" inspect.out

# What preprocess makes of them is what torchvision's Resize, CenterCrop and ToTensor make of Pillow's images.
must "$vocabench" preprocess --resolution 32 --rgb-first --mean "[0, 0, 0]" --std "[1, 1, 1]" --input pics --output p.npy
if out=$($python - 2>&1 <<'P'
import glob
import numpy as np
from PIL import Image
names = sorted(p for p in glob.glob("pics/*/*") if not p.endswith((".txt", ".db")))
found = np.load("p.npy")
assert len(names) == len(found) == 22, (len(names), len(found))
for name, pixels in zip(names, found):
    image = Image.open(open(name, "rb")).convert("RGB")
    w, h = image.size
    image = image.resize((32, int(32 * h / w)) if w <= h else (int(32 * w / h), 32), Image.BICUBIC)
    left, top = round((image.width - 32) / 2), round((image.height - 32) / 2)
    true = np.asarray(image.crop((left, top, left + 32, top + 32)), np.float32).transpose(2, 0, 1) / np.float32(255)
    assert (true == pixels).all(), name
P
); then pass "pixels are Pillow's"; else fail "pixels are Pillow's" "$out"; fi

cp -r pics lost; printf 'II*\0' >lost/bear/lost.tif
refuses "a file that is no image is an error under every image's name" 5 "dataset 'd': bear/lost.tif: TIFF: truncated" \
  "$vocabench" run e.yaml --output o --set datasets.0.images=lost
finish
