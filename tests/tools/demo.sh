#!/bin/bash
# The main job on real data, for `make demo`: Living17 and CIFAR-100 from the shared data folder. demo.sh [BINARY]
set -u
fail() { echo "demo: $2" >&2; exit "$1"; }

root=$(cd "$(dirname "$0")/../.." && pwd) || exit 1
binary=${1:-$root/build/vocabench}
[ -x "$binary" ] || fail 4 "$binary: no such program; run make first"
binary=$(cd "$(dirname "$binary")" && pwd)/$(basename "$binary")
cd "$root" || exit 1
shared=${VOCABENCH_SHARED:-../shared} output=results/demo

embeddings=$shared/data/clip-vit-b32-imagenet
missing=
for file in data/clip-vit-b32-imagenet/imagenet_{classes.tsv,image_7per_class.npy,image_labels.npy,text_a_photo_of.npy} \
  data/cifar-100-binary/test.bin models/cifar-tiny-rn.safetensors reference/bpe_simple_vocab_16e6.txt.gz; do
  [ -r "$shared/$file" ] || missing="$missing
  $file"
done
if [ -n "$missing" ]; then
  cat >&2 <<EOF
demo: the data for the demo is not in '$shared'. Missing:$missing
Name the folder that holds these files, and run it again:
  make demo VOCABENCH_SHARED=/path/to/shared
With data of your own no demo is needed: README.md, "Your own checkpoint".
EOF
  exit 4
fi

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
say "${bold}vocabench: how open are CLIP-like models?${plain}" ""
say "  Acc-C  an image's class is found among the classes of its own vocabulary" \
  "  Acc-E  ... of all images, while vocabularies are added one after the other, over all orders" \
  "  Acc-S  ... of the first vocabulary's images alone, while foreign ones are added" ""
say "$cores MPI rank(s), one a core. Set for Open MPI and OpenMP, so that it runs on any machine: more ranks than slots allowed" \
  "(OMPI_MCA_rmaps_base_oversubscribe=1), no binding to cores, idle ranks yield (OMPI_MCA_mpi_yield_when_idle=1, OMP_WAIT_POLICY=passive)."
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

mkdir -p "$output" || fail 7 "$output: cannot be made"
ids=$output/wordnet-ids.txt
tail -n +2 "$embeddings/imagenet_classes.tsv" | cut -f2 >"$ids" || fail 7 "$ids: cannot be written"

say "" "${bold}1. Living17${plain}: real embeddings of OpenAI's CLIP ViT-B/32, made elsewhere; 17 vocabularies of 4 ImageNet classes."
run living17 "models.0.image_embeddings=$embeddings/imagenet_image_7per_class.npy" \
  "models.0.labels=$embeddings/imagenet_image_labels.npy" "models.0.label_names=$ids" \
  "models.0.text_embeddings=$embeddings/imagenet_text_a_photo_of.npy" "models.0.text_names=$ids"

say "" "${bold}2. CIFAR-100${plain}: all 10,000 test images encoded with a small ResNet CLIP; 20 vocabularies of 5 classes." \
  "   (A second run takes the embeddings from $output/cifar100/cache and encodes nothing.)"
run cifar100 "datasets.0.images=$shared/data/cifar-100-binary/test.bin" "models.0.name=cifar-tiny-rn" \
  "models.0.weights=$shared/models/cifar-tiny-rn.safetensors" "models.0.tokenizer=$shared/reference/bpe_simple_vocab_16e6.txt.gz"

say "" "${bold}Results${plain}: $output/living17/results.json and $output/cifar100/results.json hold all figures, also by vocabulary" \
  "and class; table.md and table.csv lie beside them. docs/results.md explains every field, docs/protocol.md the figures."
