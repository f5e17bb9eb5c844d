#!/bin/bash
# `make demo`: the whole job on emoji that Debian ships, and a page of what it found. demo.sh [BINARY]
# Where the shared data folder is (VOCABENCH_SHARED, default ../shared), also Living17 and CIFAR-100.
set -u
fail() { echo "demo: $2" >&2; exit "$1"; }

root=$(cd "$(dirname "$0")/../.." && pwd) || exit 1
binary=${1:-$root/build/vocabench}
[ -x "$binary" ] || fail 4 "$binary: no such program; run make first"
binary=$(cd "$(dirname "$binary")" && pwd)/$(basename "$binary")
emoji=$(dirname "$binary")/tests/demo/emoji
[ -x "$emoji" ] || fail 4 "$emoji: no such program; run make demo"
cd "$root" || exit 1
shared=${VOCABENCH_SHARED:-../shared} output=results/demo pictures=results/demo/emoji-pictures
font=/usr/share/fonts/truetype/noto/NotoColorEmoji.ttf list=/usr/share/unicode/emoji/emoji-test.txt

# Ranks: one a core, and not more than a container may use of them.
cores=$(nproc)
if read -r quota period 2>/dev/null </sys/fs/cgroup/cpu.max && [ "$quota" != max ] && [ $((quota / period)) -lt "$cores" ]; then
  cores=$((quota / period > 0 ? quota / period : 1))
fi
export OMPI_MCA_rmaps_base_oversubscribe=1 OMPI_MCA_hwloc_base_binding_policy=none OMPI_MCA_mpi_yield_when_idle=1
export OMP_WAIT_POLICY=passive
unset OMP_NUM_THREADS # a rank a core needs one thread each

if [ -t 1 ]; then bold=$(printf '\033[1m') plain=$(printf '\033[0m'); else bold='' plain=''; fi
say() { printf '%s\n' "$@"; }
say "${bold}vocabench: how open are CLIP-like models?${plain}" "" \
  "A CLIP model classifies with any list of names. Shown a melon it may be right among the names of nineteen fruits; among the" \
  "names of a thousand other things it has more to take it for. That loss is measured here, on real pictures:" "" \
  "  Acc-C  right among the names of its own vocabulary (closed)" \
  "  Acc-E  right while vocabularies and their pictures are added one after the other, over all orders (extensibility)" \
  "  Acc-S  right while only foreign vocabularies' names are added (stability)" ""
say "$cores MPI rank(s), one a core. Set for Open MPI and OpenMP, so that it runs on any machine: more ranks than slots allowed" \
  "(OMPI_MCA_rmaps_base_oversubscribe=1), no binding to cores, idle ranks yield (OMPI_MCA_mpi_yield_when_idle=1," \
  "OMP_WAIT_POLICY=passive)."
if [ "$(id -u)" = 0 ]; then
  export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
  say "You are root, which Open MPI refuses; it was allowed by OMPI_ALLOW_RUN_AS_ROOT=1 and OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1."
fi

# quoted PATH: as a YAML text, whatever it holds.
quoted() { printf "'%s'" "$(printf '%s' "$1" | sed "s/'/''/g")"; }
# run NAME KEY=PATH...: the experiment of that name with the paths set.
run() {
  local name=$1 setting; shift
  local words=("configs/experiments/$name.yaml" --output "$output/$name")
  for setting in "$@"; do words+=(--set "${setting%%=*}=$(quoted "${setting#*=}")"); done
  say "" "  mpirun -n $cores vocabench run configs/experiments/$name.yaml --output $output/$name"
  for setting in "$@"; do say "    --set $setting"; done
  say ""
  mpirun -n "$cores" "$binary" run "${words[@]}" || fail $? "the run of $name ended with code $?"
}

say "" "${bold}1. Emoji${plain}: Google's drawings (Noto Color Emoji, a font of Debian's), a picture a class, in the" \
  "   subgroups of Unicode's list as vocabularies. The model is a small CLIP, trained on seven sets of other vendors'" \
  "   drawings, never on these." ""
mkdir -p "$output" || fail 7 "$output: cannot be made"
rm -rf "$pictures" || fail 7 "$pictures: cannot be replaced"
"$emoji" "$font" "$list" "$pictures" || fail 4 "no pictures; make demo installs fonts-noto-color-emoji and unicode-data"
run emoji
reports=("$output/emoji")

embeddings=$shared/data/clip-vit-b32-imagenet missing=
for file in data/clip-vit-b32-imagenet/imagenet_{classes.tsv,image_7per_class.npy,image_labels.npy,text_a_photo_of.npy} \
  data/cifar-100-binary/test.bin models/cifar-tiny-rn.safetensors reference/bpe_simple_vocab_16e6.txt.gz; do
  [ -r "$shared/$file" ] || missing=1
done
if [ -z "$missing" ]; then
  ids=$output/wordnet-ids.txt
  tail -n +2 "$embeddings/imagenet_classes.tsv" | cut -f2 >"$ids" || fail 7 "$ids: cannot be written"
  say "" "${bold}2. Living17${plain} (found in $shared): real embeddings of OpenAI's CLIP ViT-B/32; 17 vocabularies of 4 classes."
  run living17 "models.0.image_embeddings=$embeddings/imagenet_image_7per_class.npy" \
    "models.0.labels=$embeddings/imagenet_image_labels.npy" "models.0.label_names=$ids" \
    "models.0.text_embeddings=$embeddings/imagenet_text_a_photo_of.npy" "models.0.text_names=$ids"
  say "" "${bold}3. CIFAR-100${plain} (found in $shared): 10,000 test images, a small ResNet CLIP; 20 vocabularies of 5 classes."
  run cifar100 "datasets.0.images=$shared/data/cifar-100-binary/test.bin" "models.0.name=cifar-tiny-rn" \
    "models.0.weights=$shared/models/cifar-tiny-rn.safetensors" \
    "models.0.tokenizer=$shared/reference/bpe_simple_vocab_16e6.txt.gz"
  reports+=("$output/living17" "$output/cifar100")
fi

"$binary" report "${reports[@]}" --output "$output/report.html" >/dev/null || fail $? "the report ended with code $?"
"$binary" report "$output/emoji" --output "$output/emoji/report.md" >/dev/null || fail $? "the report ended with code $?"

say "" "${bold}What came out${plain}, percent with standard errors." \
  "PE: a prompt ensemble; +REPE: retrieved captions at the setting stated beforehand, and the best of six on these pictures." ""
awk -F' *[|] *' 'NR != 2 {
    gsub(/^[|] | [|]$/, ""); gsub(/ [|] /, "  "); print "  " $0 }' "$output/emoji/table.md"
say "" "${bold}Three adversarial vocabularies${plain}:" \
  "the three names of other emoji that take most pictures from the one on the left." ""
# The first table of the report with the column "names added": one model's.
awk -F' *[|] *' '
  /names added/ { if (seen++) exit; for (i = 2; i < NF; i++) column[$i] = i; next }
  seen && /^$/ { exit }
  seen && ($2 == "food-fruit" || $2 == "animal-bug" || $2 == "arrow") {
    printf "  %-17s %5s %% right, %5s %% with  %s\n", $2, $column["before"], $column["after"], $column["names added"]
  }' "$output/emoji/report.md"
say "" "$output/*/results.json hold every figure (docs/results.md). Your own checkpoint: README.md." "" \
  "${bold}The page${plain} with all of it, figures and pictures: $root/$output/report.html"
