#!/bin/bash
# Huge images beside tiny ones, at any number of threads, ranks and any batch: the same results, of Pillow's pixels; the first
# broken image in order; decoding within its memory; faults of decoders.
. "$(dirname "$0")/../lib.sh"
cd "$scratch" || exit 1
python=/usr/bin/python3
$python -c 'import numpy, PIL' 2>/dev/null || { skip "a pipeline" "python3-pil is not installed"; finish; }
make_data images pics 20 6; make_data model m.safetensors; make_data tokenizer tok
# Beside the tiny ones: JPEG, baseline and progressive, and PNG, of up to 26 megapixels.
cat >make.py <<'P'
import numpy, sys
from PIL import Image
def picture(width, height, mode="RGB"):
    y, x = numpy.mgrid[0:height:1, 0:width:1].astype(numpy.uint16)
    planes = [(x // 7 + y // 3) % 256, (x // 5) % 256, (y // 11) % 256, (x // 2) % 256][: len(mode)]
    return Image.fromarray(numpy.dstack(planes).astype(numpy.uint8) if len(mode) > 1 else planes[0].astype(numpy.uint8), mode)
picture(6000, 4400, "L").save("pics/bear/huge.jpg", quality=60)
picture(3000, 2500).save("pics/chair/large.jpg", quality=60, progressive=True)
picture(3600, 3000, "RGBA").save("pics/apple/huge.png", compress_level=1)
P
must $python make.py
cat >v.yaml <<'E'
name: v
vocabularies: {animals: [bear, dolphin, elephant], things: [apple, chair], places: [forest, sea]}
E
cat >e.yaml <<'E'
experiment: pipeline
datasets: [{name: folder, images: pics, vocabularies: v.yaml}]
models: [{name: plain, family: clip, activation: quick_gelu, weights: m.safetensors, tokenizer: tok, prompts: ["a {}"]}]
E
limit=150
sums() { (cd "$1" && jq 'del(.run)' results.json && cd cache && find . -name '*.npy' | LC_ALL=C sort | xargs md5sum); }

# ---- the same bytes ---------------------------------------------------------------------------------------------
run_at 1 e.yaml --output one --threads 1 --batch 1
sums one >truth
for shape in "1 5 64" "3 2 7"; do
  read -r ranks threads batch <<<"$shape"
  run_at "$ranks" e.yaml --output "o$ranks$threads" --threads "$threads" --batch "$batch" --decode-memory 64
  sums "o$ranks$threads" | cmp -s - truth
  verdict $? "$ranks ranks, $threads threads, batch $batch: the same results and embeddings"
done
# The PNG's plane would be 43 MB, and as much again with its alpha multiplied in.
jq -e '.run.peak_memory_a_rank < 130e6' one/results.json >found
fits "the huge images' planes were never in memory" $? "$(jq .run.peak_memory_a_rank one/results.json)"

# The pixels are Pillow's: short side to 32, bicubic, centre crop.
mkdir huge; cp pics/bear/huge.jpg huge/a.jpg; cp pics/chair/large.jpg huge/b.jpg; cp pics/apple/huge.png huge/c.png
must "$vocabench" preprocess --resolution 32 --input huge --output p.npy
cat >compare.py <<'P'
import numpy, sys
from PIL import Image
Image.MAX_IMAGE_PIXELS = None
mean = numpy.array([0.48145466, 0.4578275, 0.40821073], numpy.float32)
std = numpy.array([0.26862954, 0.26130258, 0.27577711], numpy.float32)
def half_to_even(d): return int(round(d / 2))
found = numpy.load("p.npy")
for row, name in zip(found, ("a.jpg", "b.jpg", "c.png")):
    image = Image.open("huge/" + name)
    w, h = image.size
    size = (32, int(32 * h / w)) if w <= h else (int(32 * w / h), 32)
    image = image.resize(size, Image.BICUBIC)
    left, top = half_to_even(size[0] - 32), half_to_even(size[1] - 32)
    rgb = numpy.asarray(image.crop((left, top, left + 32, top + 32)).convert("RGB"), numpy.float32)
    expected = ((rgb / numpy.float32(255) - mean) / std).transpose(2, 0, 1)
    if not numpy.array_equal(row, expected): sys.exit(f"{name}: differs from Pillow")
P
check "rows that stream give Pillow's pixels" $python compare.py

# ---- memory for decoding ----------------------------------------------------------------------------------------
run_at 1 e.yaml --output tight --threads 3 --decode-memory 40
sums tight | cmp -s - truth
verdict $? "40 MiB are enough for a progressive JPEG of 7.5 megapixels, and for the huge ones"
refuses "an image beyond the memory for decoding" 8 \
  'chair/large.jpg: decoding its 3000x2500 pixels takes 2[0-9] MiB of memory, decode_memory allows a rank 20 MiB: raise it' \
  "$vocabench" run e.yaml --output small --threads 2 --decode-memory 20
sed 's/images: pics/images: pics, on_error: skip/' e.yaml >skip.yaml
refuses "such an image is not skipped" 8 'chair/large.jpg: decoding its' \
  "$vocabench" run skip.yaml --output small --decode-memory 20
mkdir -p alone/chair; cp pics/chair/large.jpg alone/chair
printf 'name: c\nvocabularies: {things: [chair]}\n' >chair.yaml
sed 's/images: pics/images: alone/; s/v.yaml/chair.yaml/' e.yaml >alone.yaml
refuses "plan measures with the run's memory" 8 'chair/large.jpg: decoding its .*decode_memory allows a rank 20 MiB' \
  "$vocabench" plan alone.yaml --decode-memory 20
mkdir flag
for bad in 0 x 1048577; do
  refuses "preprocess: --decode-memory $bad" 2 "decode_memory: expected an integer from 1 to 1048576" \
    "$vocabench" preprocess --resolution 32 --input huge --output flag/p.npy --decode-memory $bad
done
refuses "preprocess: an image beyond --decode-memory" 8 'decode_memory allows a rank 20 MiB' \
  "$vocabench" preprocess --resolution 32 --input huge --output flag/p.npy --decode-memory 20
refuses "encode: an image beyond --decode-memory" 8 'decode_memory allows a rank 20 MiB' \
  "$vocabench" encode images --weights m.safetensors --activation quick_gelu --input huge --output flag/e.npy --decode-memory 20
check "encode: memory enough" "$vocabench" encode images --weights m.safetensors --activation quick_gelu --input huge \
  --output flag/e.npy --decode-memory 40 --resize shortest
"$vocabench" plan e.yaml --decode-memory 700 >plan.700; "$vocabench" plan e.yaml --decode-memory 100 >plan.100
has_text "plan says what decoding may take" "at most 700 MiB (decode_memory)" plan.700
memory() { sed -nE 's/.*memory: about ([0-9.]+) MB a rank.*/\1/p' "$1"; }
check "plan counts it" awk -v a="$(memory plan.700)" -v b="$(memory plan.100)" \
  'BEGIN { d = a - b; exit !(d > 620 && d < 640) }' # MB

# ---- failures, in order -----------------------------------------------------------------------------------------
cp -r pics cut
printf 'no image' >cut/dolphin/zz.png
head -c 3000 pics/bear/huge.jpg >cut/bear/huge.jpg
head -c 40 pics/apple/huge.png >cut/sea/a.png
sed 's/images: pics/images: cut/' e.yaml >broken.yaml
for threads in 1 5; do
  refuses "the first broken image, $threads threads" 5 "dataset 'folder': bear/huge.jpg: JPEG: truncated" \
    "$vocabench" run broken.yaml --output b --threads $threads
done
sed 's/images: cut/images: cut, on_error: skip/' broken.yaml >skipped.yaml
for threads in 1 4; do run_at 1 skipped.yaml --output s$threads --threads $threads --batch $((5 * threads)); done
equal "broken images are skipped in their order" "$(jq -c '[.. | .skipped? // empty | arrays | .[].sample]' s1/results.json)" \
  '["bear/huge.jpg","dolphin/zz.png","sea/a.png"]'
sums s1 >skipped; sums s4 | cmp -s - skipped
verdict $? "broken images: the same results with one thread and four"
for threads in 1 4; do
  VOCABENCH_FAULT=decode:1+:EIO refuses "a fault of every decoder, $threads threads" 1 \
    "dataset 'folder': apple/0000.png: injected fault while decoding|dataset 'folder': apple/[^:]*: injected fault" \
    "$vocabench" run skip.yaml --output f --threads $threads
done
finish
