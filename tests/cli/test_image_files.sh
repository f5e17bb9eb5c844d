#!/bin/bash
# Class folders as datasets are published: GIF and BMP under .jpg, damaged JPEGs, files that are no images. What Pillow reads is
# read, and what was passed over or damaged stands in the results, from the cache too.
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
echo text >pics/bear/notes.txt; echo x >pics/list.csv; : >pics/bear/Thumbs.db; : >pics/.DS_Store; mkdir -p pics/none/deeper
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
    .data.files_passed_over == {"count": 3, "examples": ["bear/notes.txt", "list.csv", "none/"]}' \
    "$time/results.json" "$(cat "$time.out")"
done
mpi 3 "$vocabench" run e.yaml --output three --set cache=other >three.out 2>&1
same "3 ranks list the same" <(jq '.results[0].data' three/results.json) <(jq '.results[0].data' first/results.json)
passed="3 files passed over, no images by their names, such as 'bear/notes.txt', 'list.csv', 'none/'"
has_line "files of other names are told" "note: d: $passed" first.out
has_line "and damaged images" \
  "note: m / d: images read although damaged, as Pillow reads them, listed in results.json: 3" first.out
"$vocabench" inspect pics >inspect.out
has_line "inspect tells them, too" "note: $passed" inspect.out
rm -r pics/none

# What preprocess makes of them is what torchvision's and Hugging Face's Resize, CenterCrop and ToTensor make of Pillow's images.
pixels() { # pixels NAME RESIZE CROP FLOOR FLAG...
  must "$vocabench" preprocess --resolution "$3" --rgb-first --mean "[0, 0, 0]" --std "[1, 1, 1]" \
    --input pics --output p.npy "${@:5}"
  if out=$($python - "$2" "$3" "$4" 2>&1 <<'P'
import glob
import sys
import numpy as np
from PIL import Image
side, r, floor = map(int, sys.argv[1:])
names = sorted(p for p in glob.glob("pics/*/*") if not p.endswith((".txt", ".db")))
found = np.load("p.npy")
assert len(names) == len(found) == 22, (len(names), len(found))
for name, pixels in zip(names, found):
    image = Image.open(open(name, "rb")).convert("RGB")
    w, h = image.size
    image = image.resize((side, int(side * h / w)) if w <= h else (int(side * w / h), side), Image.BICUBIC)
    left, top = [n // 2 if floor else round(n / 2) for n in (image.width - r, image.height - r)]
    true = np.asarray(image.crop((left, top, left + r, top + r)), np.float32).transpose(2, 0, 1) / np.float32(255)
    assert (true == pixels).all(), name
P
  ); then pass "$1"; else fail "$1" "$out"; fi
}
pixels "pixels are Pillow's" 32 32 0
pixels "and from a side of 45 a crop to 32 as Hugging Face's" 45 32 1 --resize-to 45 --crop floor

cp -r pics lost; printf 'II*\0' >lost/bear/lost.tif
refuses "a file that is no image is an error under every image's name" 5 "dataset 'd': bear/lost.tif: TIFF: truncated" \
  "$vocabench" run e.yaml --output o --set datasets.0.images=lost

# A preprocessor that resizes to more than it crops to.
if [ -d "$shared/zoo/repos/hf-clip-bin" ]; then
  cp -r "$shared/zoo/repos/hf-clip-bin" repo; chmod -R u+w repo
  jq '.size.shortest_edge = 56' "$shared/zoo/repos/hf-clip-bin/preprocessor_config.json" >repo/preprocessor_config.json
  "$vocabench" inspect repo >inspect.out
  like "inspect tells the side before the crop" '^  resize_to +56 +preprocessor_config.json$' inspect.out
  encode=("$vocabench" encode images --input pics --raw)
  must "${encode[@]}" --weights repo --output told.npy
  must "${encode[@]}" --weights "$shared/zoo/repos/hf-clip-bin" --resize-to 56 --output stated.npy
  must "${encode[@]}" --weights "$shared/zoo/repos/hf-clip-bin" --output other.npy
  check "a side that is told is one that is stated" cmp told.npy stated.npy
  check_not "and another one makes other embeddings" cmp told.npy other.npy
  refuses "a side that is less than the crop" 6 "resize_to 40 \(experiment\): expected the images' side or more" \
    "${encode[@]}" --weights repo --resize-to 40 --output o.npy
  refuses "another crop, without its side" 6 "preprocessor_config.json resizes images to 56 and crops them to 47, but \
resolution 50 is stated: state resize_to" "${encode[@]}" --weights repo --resolution 50 --output o.npy
  jq '.crop_size = {height: 32, width: 32}' repo/preprocessor_config.json >other.json
  mv other.json repo/preprocessor_config.json
  refuses "a crop that is not the model's side" 6 "preprocessor_config.json resizes images to 32, but the model's side is 47 by" \
    "${encode[@]}" --weights repo --output o.npy
else skip "a preprocessor with a crop of its own" "the shared data is not there"; fi
finish
