#!/bin/bash
# Ranks that share a device that OpenCL offers (PoCL here): of each group one has the models there, and decodes with the others'
# threads; the same bytes and counts as without; who fails, who is killed; devices that only look like one.
. "$(dirname "$0")/../lib.sh"
cd "$scratch" || exit 1
need_device "ranks that share a device"
make_data images pics 20 6; make_data model m.safetensors; make_data tokenizer tok
made_vocabularies
printf '%s\n' table train Apple bear lamp whale unicorn 'palm tree' >nouns.txt
for i in {1..300}; do printf 'a bear of %d apples\n' "$i"; done >captions.txt
{ plain_experiment sharing | sed '/^models/,$d'
  cat <<'E'
on_cut: allow
analyses: [open_curve]
open_curve: {names: nouns.txt, exclude: names}
corpora: [{name: words, captions: captions.txt}]
retrieval: {corpus: words, top_k: [2], lambda: [0.25]}
models:
  - {name: plain, family: clip, activation: quick_gelu, weights: m.safetensors, tokenizer: tok, prompts: ["a photo of a {}."]}
  - {name: other, family: clip, activation: gelu, weights: m.safetensors, tokenizer: tok, prompts: ["a {}.", "the {}."]}
E
} >e.yaml
# tells FOLDER: of each rank whether it lends its cores, and to which.
tells() {
  query "$1" '[.run.devices[] | (capture("; by rank (?<r>[0-9]+), to which this one lends its cores").r // "none")] | join(" ")'
}
counts() {
  query "$1" '[.run.pairs[] | [.units_encoded, .units_cached, .images_encoded, .texts_encoded, .texts_cached]] | tostring'
}
# stages FOLDER NAME: of how many pairs there is such a stage.
stages() { query "$1" "[.run.pairs[] | select(any(.stages[]; .stage == \"$2\"))] | length"; }

run e.yaml --output whole || finish
run e.yaml --output alone --device gpu
agree "a device alone" whole alone
equal "encodes and evaluates in one" "$(tells alone), $(stages alone encode)" "none, 0"

# ---- one of them uploads: any buffer of another beyond its start-up check would end the run -----------------------
buffers=$(proof_takes device-alloc)
for ranks in 2 3; do
  VOCABENCH_FAULT=device-alloc:$((buffers + 1))+:ENOMEM@$((ranks - 1)) run_at $ranks e.yaml --output share$ranks --device gpu \
    --ranks-per-model $ranks
  agree "$ranks ranks, one device: the last has nothing there" whole share$ranks
  equal "which the results tell" "$(tells share$ranks)" "none 0$([ $ranks = 2 ] || echo ' 0')"
  equal "units and texts are encoded once" "$(counts share$ranks)" "$(counts alone)"
  equal "before they are evaluated" "$(stages share$ranks encode)" 2
  equal "with the same cache" "$(diff -rq --exclude=rates alone/cache share$ranks/cache 2>&1)" ""
done
VOCABENCH_FAULT=device-alloc:$((buffers + 1))+:ENOMEM@0 mpi 2 timeout 60 "$vocabench" run e.yaml --output little --device gpu \
  --ranks-per-model 2 >stdout 2>stderr; code=$?
equal "the one that has the models fails for both" $code 8 "$(cat stderr)"
like "by its name" 'rank 0: .*CL_MEM_OBJECT_ALLOCATION_FAILURE' stderr
run_at 2 e.yaml --output again --cache share2/cache --device gpu --ranks-per-model 2
agree "all from the cache" whole again
equal "nothing is encoded" "$(query again '[.run.pairs[] | .units_encoded, .texts_encoded] | add')" 0

# ---- groups: once a device and group ------------------------------------------------------------------------------
run_at 4 e.yaml --output groups --device gpu --ranks-per-model 2
agree "two groups of two" whole groups
equal "in each the first has a model there for both" "$(tells groups)" "none 0 none 2"
mpirun --oversubscribe -n 1 "$vocabench" run e.yaml --output mixed --device cpu --ranks-per-model 3 : \
  -n 2 "$vocabench" run e.yaml --output mixed --device gpu --ranks-per-model 3 >stdout 2>stderr
verdict $? "a rank without a device beside two with one" "$(cat stderr)"
agree "the same bytes" whole mixed
equal "it encodes its part, as does one of the two" "$(tells mixed)" "none none 1"
equal "and all is encoded once" "$(counts mixed)" "$(counts alone)"
run_at 2 e.yaml --output bf16 --device gpu --ranks-per-model 2 --set models.plain.precision=bf16x3 \
  --set models.other.precision=bf16x3
equal "products of bf16 are the processors': all ranks encode" "$(stages bf16 encode)" 0

# ---- encode -------------------------------------------------------------------------------------------------------
head -n 290 captions.txt >texts.txt
for what in images texts; do
  input=pics; [ $what = images ] || input=texts.txt
  encode=("$vocabench" encode "$what" --weights m.safetensors --tokenizer tok --activation quick_gelu --input "$input")
  must "${encode[@]}" --output $what.npy
  VOCABENCH_FAULT=device-alloc:$((buffers + 1))+:ENOMEM@2 mpi 3 "${encode[@]}" --output $what-3.npy --device gpu >out 2>err
  verdict $? "encode $what: rank 2 of 3 has nothing there" "$(cat err)"
  same "encode $what: the same bytes" $what.npy $what-3.npy
done

# ---- what is lent -------------------------------------------------------------------------------------------------
# threads RANKS: how many threads rank 0 has, most of the time, while images are decoded, slowly: between the 5th and the 12th of
# the 15 units of images, beside that of texts.
exec {never}<> <(:)
threads() {
  local pid='' now units most=0 n
  local -A seen=([0]=0)
  rm -rf slow
  VOCABENCH_FAULT=decode:33+:slow mpirun --oversubscribe -n "$1" "$vocabench" run slow.yaml --output slow --device gpu \
    --ranks-per-model 4 >stdout 2>stderr </dev/null & job=$!
  while kill -0 $job 2>/dev/null; do
    [ -n "$pid" ] || pid=$(pgrep -P $job -x vocabench | while read -r rank; do
      ! grep -qz '^OMPI_COMM_WORLD_RANK=0$' "/proc/$rank/environ" 2>/dev/null || echo "$rank"; done)
    now=(/proc/"${pid:-0}"/task/*) # no process is made to count them: on a busy machine it would be a turn late
    n=${#now[@]}
    units=(slow/cache/*/*.npy)
    [ -z "$pid" ] || [ ${#units[@]} -lt 6 ] || [ ${#units[@]} -gt 13 ] || seen[$n]=$((${seen[$n]:-0} + 1))
    read -rt 0.02 -u "$never"
  done
  for n in "${!seen[@]}"; do [ "${seen[$n]}" -le "${seen[$most]}" ] || most=$n; done
  wait $job && echo "$most"
}
plain_experiment slow >slow.yaml
alone=$(threads 1) together=$(threads 3)
equal "two ranks lend a thread each" "$together" $((alone + 2))

# ---- killed, stopped ----------------------------------------------------------------------------------------------
for fault in unit:2:kill@1 unit:2:kill@0; do
  rm -rf cut
  VOCABENCH_FAULT=$fault mpi 2 timeout 60 "$vocabench" run e.yaml --output cut --device gpu --ranks-per-model 2 >stdout 2>stderr
  verdict "$((! $?))" "killed: $fault"
  run_at 3 e.yaml --output cut --resume --device gpu --ranks-per-model 3
  agree "more ranks go on" whole cut
done
VOCABENCH_FAULT=decode:5:EIO@0 mpi 3 timeout 60 "$vocabench" run e.yaml --output broken --device gpu --ranks-per-model 3 \
  >stdout 2>stderr; code=$?
# One of the first: the ranks' threads decode as they come.
equal "an image that cannot be read ends all" $code 1 "$(cat stderr)"
like "by its name" "rank 0: dataset .folder.: apple/00[0-9].(jpg|png): injected fault while decoding" stderr

# ---- devices that are not one -------------------------------------------------------------------------------------
mpirun --oversubscribe -n 1 -x CUDA_VISIBLE_DEVICES=0 "$vocabench" run e.yaml --output own --device gpu --ranks-per-model 2 : \
  -n 1 -x CUDA_VISIBLE_DEVICES=1 "$vocabench" run e.yaml --output own --device gpu --ranks-per-model 2 >stdout 2>stderr
verdict $? "ranks that see a device each, by the variables that a launcher sets" "$(cat stderr)"
agree "the same bytes again" whole own
equal "none lends, though both call theirs the first" "$(tells own)" "none none"
finish
