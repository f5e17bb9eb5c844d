#!/bin/bash
# When the scalapack engine of similarities pays: time and memory a rank beside the replicated engine's, 82,000 classes of 512
# dimensions.
# CLASSES= IMAGES= DIM= RANKS= change the case, VOCABENCH_BUILD the build folder; python3-numpy makes the data.
# shellcheck disable=SC2015 # either branch may print
set -u
cd "$(dirname "$0")/../.." || exit 1
vocabench=$PWD/${VOCABENCH_BUILD:-build}/vocabench python=/usr/bin/python3
classes=${CLASSES:-82000} images=${IMAGES:-4100} dim=${DIM:-512} ranks=${RANKS:-1 2 4}
if ! [ -x "$vocabench" ] || ! $python -c 'import numpy' 2>/dev/null; then
  echo "needs a build and python3-numpy: left out"
  exit 0
fi
scratch=$(mktemp -d "${TMPDIR:-/tmp}/vocabench-bench.XXXXXX")
trap 'rm -rf "$scratch"' EXIT
cd "$scratch" || exit 1
export OMPI_MCA_mpi_yield_when_idle=1 OMPI_MCA_rmaps_base_oversubscribe=1 OMPI_MCA_hwloc_base_binding_policy=none
export OMP_WAIT_POLICY=passive OPENBLAS_NUM_THREADS=1 BLIS_NUM_THREADS=1

# Directions around a common one, as CLIP's are; every 20th class has images.
$python - "$classes" "$images" "$dim" <<'P'
import sys
import numpy as np
classes, images, dim = map(int, sys.argv[1:])
rng = np.random.default_rng(7)
texts = rng.standard_normal((classes, dim), "f4") + 1.5
labels = np.arange(images) * (classes // images)
pictures = texts[labels] + 4 * rng.standard_normal((images, dim), "f4")
for name, array in (("t", texts), ("x", pictures), ("y", labels.astype("i4"))):
    np.save(f"{name}.npy", array)
size = classes // 10
with open("v.yaml", "w", encoding="utf-8") as file:
    file.write("name: v\nvocabularies:\n")
    for v in range(10):
        file.write(f"  v{v}: [{', '.join(f'c{c}' for c in range(v * size, (v + 1) * size if v < 9 else classes))}]\n")
P
cat >e.yaml <<'E2'
experiment: engines
threads: 1
datasets: [{name: d, vocabularies: v.yaml}]
models: [{name: m, family: precomputed, image_embeddings: x.npy, text_embeddings: t.npy, labels: y.npy}]
E2
run() { # run RANKS ENGINE
  rm -rf out
  mpirun -n "$1" "$vocabench" run e.yaml --output out --ranks-per-model "$1" --set similarity_engine="$2" >log 2>&1 ||
    { cat log; exit 1; }
}
blas=$(ldd "$vocabench" | grep -oE '/[^ ]*lib(openblas|blis|blas|mkl_rt)\.so[^ ]*' | xargs -r -n 1 readlink -f | sort -u |
  paste -sd' ')
echo "$classes classes x $dim dimensions x $images images, 1 thread a rank, medians of 3 runs; BLAS: $blas"
# OpenBLAS picks its kernels by the processor's model, and takes slow ones for a model that it does not know.
kinds='as-it-is'
case $blas in *openblas*)
  kinds='unset'
  if grep -q avx512bw /proc/cpuinfo; then kinds="$kinds SkylakeX"
  elif grep -q avx2 /proc/cpuinfo; then kinds="$kinds Haswell"; fi ;;
esac
printf '%5s  %-38s %10s %8s %10s %14s\n' ranks engine seconds ratio MB/rank rescored
median() { sort -n | sed -n 2p; }
measure() { # measure RANKS ENGINE NAME
  for _ in 1 2 3; do
    run "$1" "$2"
    jq '.run.pairs[0].seconds' out/results.json >>"$1-$3"
  done
  jq 'del(.run)' out/results.json >"$1-$3.json"
  jq -r '[(.run.peak_memory_a_rank / 1e6 | round), .run.pairs[0].similarity.rescored // 0] | @tsv' out/results.json >"$1-$3.facts"
}
line() { # line RANKS NAME TITLE
  local seconds base memory rescored
  seconds=$(median <"$1-$2") base=$(median <"$1-replicated")
  read -r memory rescored <"$1-$2.facts"
  awk -v r="$1" -v t="$3" -v s="$seconds" -v b="$base" -v m="$memory" -v n="$rescored" \
    'BEGIN { printf "%5d  %-38s %10.2f %8.2f %10d %14d\n", r, t, s, s / b, m, n }'
  cmp -s "$1-$2.json" "$1-replicated.json" || { echo "the engines disagree"; exit 1; }
}
for r in $ranks; do
  measure "$r" replicated replicated; line "$r" replicated replicated
  for kind in $kinds; do
    case $kind in
      as-it-is) title='scalapack' ;;
      unset) unset OPENBLAS_CORETYPE; title='scalapack, OPENBLAS_CORETYPE unset' ;;
      *) export OPENBLAS_CORETYPE=$kind; title="scalapack, OPENBLAS_CORETYPE=$kind" ;;
    esac
    measure "$r" scalapack "$kind"
    line "$r" "$kind" "$title"
  done
done
