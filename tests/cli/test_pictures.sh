#!/bin/bash
# Pictures in the report: the images that adversarial names take, from class folders, shards and CIFAR binaries; what is said
# without.
# shellcheck disable=SC2016 # programs stand in single quotes
. "$(dirname "$0")/../lib.sh"
cd "$scratch" || exit 1
python=/usr/bin/python3
command -v gnuplot >/dev/null || { skip "pictures" "gnuplot-nox is not installed"; finish; }
$python -c 'import numpy, PIL' 2>/dev/null || { skip "pictures" "python3-pil or python3-numpy is not installed"; finish; }

make_data images pics 6 8; make_data model m.safetensors; make_data tokenizer tok
# Modes that a thumbnail must cope with: transparency, grey, palette, a large one, a thin one.
must $python - <<'P'
import numpy as np
from PIL import Image
noise = np.random.RandomState(1).randint(0, 256, (7, 9, 4)).astype(np.uint8)
soft = Image.fromarray(noise).resize((300, 200), Image.BICUBIC)
soft.save("pics/bear/rgba.png")
soft.convert("LA").save("pics/bear/la.png")
soft.convert("L").save("pics/dolphin/grey.png")
soft.convert("RGB").quantize(32).save("pics/chair/palette.png")
soft.convert("RGB").resize((1500, 40)).save("pics/chair/thin.jpg", quality=95)
P
cat >words.yaml <<'E'
name: v
vocabularies:
  animals: [bear, dolphin]
  things: [apple, chair, forest]
E
printf '%s\n' '<b>table' '<b>train' '<b>lamp' '<b>whale' '<b>wolf' >nouns.txt # some take images
cat >e.yaml <<'E'
experiment: pictures
adversarial: {candidates: nouns.txt, k: 3, exclude: names}
datasets: [{name: d, images: pics, vocabularies: words.yaml}]
models: [{name: m, family: clip, activation: quick_gelu, weights: m.safetensors, tokenizer: tok/vocab.json, prompts: ['a {}']}]
E
# shows NAME FOLDER RUN-ARGUMENT...: a run, its report, and every picture compared.
shows() {
  local name=$1 folder=$2 out n; shift 2
  "$vocabench" run e.yaml --output "r-$name" "$@" >log 2>err || { fail "$name: run" "$(cat err)"; return; }
  "$vocabench" report "r-$name" --output "$name.html" >log 2>err || { fail "$name: report" "$(cat err)"; return; }
  n=$(jq '[.results[].adversarial[].examples[][]] | length' "r-$name/results.json")
  out=$($python "$here/tests/tools/page_pictures.py" "$name.html" "r-$name/results.json" "$folder" 2>&1)
  [ "$n" -gt 5 ] && [ "$out" = "$n" ]
  verdict $? "$name: $n pictures, each the image it says" "$n in the results" "$out"
  check "$name: the page is whole" $python "$here/tests/tools/check_page.py" "$name.html" .
}
shows folders pics
"$vocabench" pack --input pics --output tars --samples-per-shard 20 >log 2>err || fail "pack" "$(cat err)"
mkdir unpacked && for tar in tars/*.tar.zst; do zstd -dcq "$tar" | tar x -C unpacked; done
shows shards unpacked --set 'datasets.0.images=tars/*.tar.zst'
mkdir c && "$tools/make_data" cifar c/test.bin 5 300 &&
  shows CIFAR c --set datasets.0.images=c/test.bin --set datasets.0.on_unmatched=skip
grep -qE '&lt;b&gt;(table|train|lamp|whale|wolf)' folders.html && ! grep -qE '<b>(table|train|lamp|whale|wolf)' folders.html
verdict $? "names are escaped"
# Stolen images, by vocabulary, class and name, as the records have them.
"$vocabench" run e.yaml --output stolen --per-image >log 2>err || fail "with records" "$(cat err)"
"$vocabench" report stolen --output stolen.html >log 2>err; verdict $? "a report with records" "$(cat err)"
check "it is whole" $python "$here/tests/tools/check_page.py" stolen.html .
zstdcat stolen/records/*.zst | jq -rs '[.[] | select(.own and .predicted_all != .class)] |
  group_by([.class, .predicted_all])[] | "\(.[0].class): \(length) taken by \(.[0].predicted_all)"' >wanted
[ -s wanted ] && check "every theft of the records" diff <(LC_ALL=C sort wanted) <(sed -n '/class="stolen"/,$p' stolen.html |
  sed -n 's/^<p>\(.*: [0-9]* taken by \)<b>\(.*\)<\/b><\/p>$/\1\2/p' | LC_ALL=C sort)
zstdcat stolen/records/*.zst | jq -r 'select(.own and .predicted_all != .class) | "\(.class): \(.image)"' | LC_ALL=C sort >all
sed -n '/class="stolen"/,$p' stolen.html | grep -o 'alt="[^"]*"' | sed 's/alt="//; s/"$//' | LC_ALL=C sort >shown
[ -s shown ] && [ -z "$(LC_ALL=C comm -13 all shown)" ]
verdict $? "with pictures of images that are stolen" "$(cat shown)"
unlike "nothing of it without records" 'class="stolen"' folders.html
cp -r stolen later; must "$vocabench" run e.yaml --output later --set 'models.m.prompts=["the {}"]'
must cp -r stolen/records later # as earlier versions have left them
must "$vocabench" report later later/results.*.json --output later.html
equal "records that an earlier run left are no run's" \
  "$(grep -c 'Stolen images are missing here: the records are of another run' later.html)" 2
unlike "and are not shown" 'class="stolen"' later.html
cp -r stolen torn
echo '{"image": ' | zstd -qf -o torn/records/m--d.jsonl.zst
refuses "a torn record" 5 'torn/records/m--d.jsonl.zst: line 1' "$vocabench" report torn --output torn.html
cp folders.html before.html && "$vocabench" report r-folders --output folders.html >/dev/null
same "the same run gives the same pictures" folders.html before.html
mpi 3 "$vocabench" run e.yaml --output three >log 2>err || fail "3 ranks" "$(cat err)"
same "3 ranks choose the same" <(jq .results three/results.json) <(jq .results r-folders/results.json)
# The parts of a merged result know where the images lie, too.
"$vocabench" merge merged r-folders >log 2>err && "$vocabench" report merged --output merged.html >log 2>err &&
  $python "$here/tests/tools/page_pictures.py" merged.html merged/results.json pics >out 2>&1
verdict $? "a merged result" "$(cat err out)"

# ---- where there is nothing to show ---------------------------------------------------------------------------------
# missing NAME FOLDER REASON: the report is made, without pictures, and says why.
missing() {
  "$vocabench" report "$2" --output missing.html >log 2>err || { fail "$1: report" "$(cat err)"; return; }
  grep -q "Pictures of taken images are missing here: $3" missing.html && ! grep -q '<img' missing.html
  verdict $? "$1 is said" "$(grep -o 'Pictures of taken.*' missing.html)"
}
cp -r r-folders old && jq 'del(.run.sources)' r-folders/results.json >old/results.json
missing "an older result" old "the results do not say where the images lie"
mv pics elsewhere && missing "data that is gone" r-folders ".*pics.*" && mv elsewhere pics
cp -r r-folders renamed &&
  jq '.results[].adversarial[].examples[][].image |= "x" + .' r-folders/results.json >renamed/results.json
missing "data that has changed" renamed "the data has changed: image [0-9]* is &#39;[a-z]*/.*, it was &#39;x"
cp -r stolen others && zstdcat stolen/records/*.zst | sed 's/"image":"/&x/' | zstd -qf -o others/records/m--d.jsonl.zst
"$vocabench" report others --output others.html >log 2>err; verdict $? "records of other images" "$(cat err)"
like "are said to be" \
  "Pictures of stolen images are missing here: the data has changed: it has no image &#39;x[a-z]*/.*&#39; where there was one" \
  others.html
cp -r r-folders shorter && jq '.results[].adversarial[].examples[][].place += 1000' r-folders/results.json >shorter/results.json
missing "data that has become shorter" shorter "the data has changed: it ends before image 10"
must "$tools/npy" random I.npy 40 8 1; must "$tools/npy" random T.npy 5 8 2; must "$tools/npy" random C.npy 5 8 3
for i in {0..39}; do echo $((i % 5)); done >labels; must "$tools/npy" numbers y.npy i8 labels
sed 's/images: pics, //; s/exclude: names/embeddings: C.npy, exclude: names/; /^models/d' e.yaml >p.yaml
echo 'models: [{name: p, family: precomputed, image_embeddings: I.npy, text_embeddings: T.npy, labels: y.npy}]' >>p.yaml
run p.yaml --output given
missing "precomputed embeddings" given "the embeddings were made elsewhere, nothing is known of the images"
# A broken image costs its picture, not the page.
first=$(jq -r '[.results[0].adversarial[].examples[][]][0].image' r-folders/results.json)
cp "pics/$first" kept && head -c 100 kept >"pics/$first"
gone=$(jq --arg f "$first" '[.results[].adversarial[].examples[][] | select(.image == $f)] | length' r-folders/results.json)
"$vocabench" report r-folders --output broken.html >log 2>err && grep -q "missing here: .*$first" broken.html &&
  [ "$(grep -c '<img' broken.html)" = $(($(grep -c '<img' folders.html) - gone)) ]
verdict $? "a broken image" "$(cat err)" "$(grep -o 'missing here.*' broken.html)"
cp kept "pics/$first"
for n in 40 120 400 700; do
  VOCABENCH_FAULT=alloc:$n:ENOMEM "$vocabench" report r-folders --output memory.html >log 2>err; code=$?
  [ $code = 8 ] || { [ $code = 0 ] && cmp -s <(sed s/memory-data/folders-data/g memory.html) folders.html; }
  verdict $? "no memory at allocation $n" "code $code" "$(cat err)"
done
finish
