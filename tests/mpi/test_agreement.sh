#!/bin/bash
# What one rank cannot open while the others can: the same bytes as ever, or one line with its code; never a hang, never other
# figures. Files that are not the same on all ranks are told.
. "$(dirname "$0")/../lib.sh"
cd "$scratch" || exit 1

# numbers SEED COUNT: COUNT numbers between -1 and 1.
numbers() { awk -v s="$1" -v n="$2" 'BEGIN { srand(s); for (i = 0; i < n; i++) print 2 * rand() - 1 }'; }
seed=1
for data in a:3:40 b:4:64 c:5:24; do
  IFS=: read -r name classes images <<<"$data"
  numbers $seed $((classes * 8)) | floats "$name-t.npy" 8
  numbers $((seed + 1)) $((images * 8)) | floats "$name-i.npy" 8
  seq 0 $((images - 1)) | awk -v c="$classes" '{ print $1 % c }' >labels
  must "$tools/npy" numbers "$name-y.npy" i8 labels
  { echo "name: $name"; echo 'vocabularies:'; echo "  one-$name: [$name-0]"
    echo "  rest-$name: [$(seq -s, -f "$name-%g" 1 $((classes - 1)))]"; } >"$name.yaml"
  seed=$((seed + 2))
done
embeddings() { echo "image_embeddings: $1-i.npy, text_embeddings: $1-t.npy, labels: $1-y.npy"; }
cat >e.yaml <<E
experiment: agreement
per_image: true
threads: 1
analyses: [margin, alignment]
datasets: [{name: a, vocabularies: a.yaml}, {name: b, vocabularies: b.yaml}, {name: c, vocabularies: c.yaml}]
expansions: [{name: all, datasets: [a, b, c]}]
models:
  - name: whole
    family: precomputed
    embeddings: [{dataset: a, $(embeddings a)}, {dataset: b, $(embeddings b)}, {dataset: c, $(embeddings c)}]
  - {name: part, family: precomputed, dataset: b, $(embeddings b)}
E
run_at 4 e.yaml --output whole || finish

# Every rank's first calls are those of the estimate; the later ones are a unit's own.
for fault in mmap:1:EACCES@0 mmap:1:EACCES@1 mmap:2:EACCES@2 mmap:3:EACCES@3 mmap:4:EACCES@0 mmap:4:EACCES@3 mmap:5:EACCES@1 \
  mmap:6:EACCES@2 mmap:7:EACCES@3 open:6:EACCES@1 open:9:EACCES@2 alloc:60:ENOMEM@3; do
  rm -rf cut
  VOCABENCH_FAULT=$fault mpi 4 timeout -k 5 $minute "$vocabench" run e.yaml --output cut >stdout 2>stderr; code=$?
  case $code in
    0) agree "$fault: nothing is different" whole cut; continue ;;
    4 | 7 | 8) equal "$fault: code $code, one line" "$(grep -c '^vocabench: rank [0-3]: ' stderr)" 1 "$(cat stderr)" ;;
    *) fail "$fault: code $code" "$(cat stderr)"; continue ;;
  esac
  run_at 3 e.yaml --output cut --resume && agree "$fault: and a good rerun" whole cut
done

# ---- two machines whose files are not the same ----------------------------------------------------------------------
mkdir here there
cp ./*.yaml ./*.npy here; cp ./*.yaml ./*.npy there
# apart NAME PATTERN [EXPERIMENT]: rank 1 reads the files in `there`.
apart() {
  local run=("$vocabench" run "${3:-e.yaml}" --output "$scratch/o" --ranks-per-model 2)
  refuses "$1" 6 "rank 1: .*$2.*rank 0" mpirun --oversubscribe -n 1 -wdir here "${run[@]}" : -n 1 -wdir there "${run[@]}"
}
for key in output cache; do
  refuses "a variable that differs between machines: $key" 6 "e.yaml: $key is $scratch/two for rank 1, $scratch/one for rank 0" \
    mpirun --oversubscribe -n 1 env "DIR=$scratch/one" "$vocabench" run e.yaml --set "$key=\${DIR}" : \
    -n 1 env "DIR=$scratch/two" "$vocabench" run e.yaml --set "$key=\${DIR}"
done
refuses "a setting that differs" 6 "e.yaml: rank 1 reads another experiment than rank 0: do files come while it starts\?" \
  mpirun --oversubscribe -n 1 "$vocabench" run e.yaml --output o : -n 1 "$vocabench" run e.yaml --output o --set limit=2
sed -i 's/a-2/a-two/' there/a.yaml; apart "other vocabularies on another rank" a.yaml; cp a.yaml there
numbers 99 32 | floats there/b-t.npy 8; apart "other text embeddings on another rank" b-t.npy; cp b-t.npy there
seq 1 24 | awk '{ print $1 % 5 }' >labels; must "$tools/npy" numbers there/c-y.npy i8 labels
apart "other labels on another rank" c-i.npy
plain_experiment images >here/images.yaml
make_data images here/pics 3 1; make_data model here/m.safetensors; make_data tokenizer here/tok
sed -i 's/v.yaml/w.yaml/' here/images.yaml
printf '%s\n' 'name: w' 'vocabularies: {one: [apple, bear], other: [chair]}' >here/w.yaml
cp -r here/{images.yaml,pics,tok,m.safetensors,w.yaml} there
printf 1234 | dd of=there/m.safetensors bs=1 seek=$(($(stat -c %s there/m.safetensors) - 4)) conv=notrunc status=none
apart "other weights on another rank" m.safetensors images.yaml
finish
