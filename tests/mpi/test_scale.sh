#!/bin/bash
# 1 to 64 ranks on one machine: they finish and agree, send and receive to the byte what docs/scaling.md says, and start in
# linear time.
. "$(dirname "$0")/../lib.sh"
cd "$scratch" || exit 1
mkdir -p cifar few
make_data cifar cifar/test.bin 20 3000; make_data cifar few/test.bin 20 300
make_data images five 5 1; make_data model m.safetensors; make_data tokenizer tok
made_vocabularies
cat >one.yaml <<'E'
experiment: one
threads: 1
datasets: [{name: cifar, images: cifar/test.bin, vocabularies: v.yaml}]
models: [{name: plain, family: clip, activation: quick_gelu, weights: m.safetensors, tokenizer: tok,
     prompts: ["a photo of a {}."]}]
E
limit=200
# at RANKS EXPERIMENT FOLDER [FLAGS]
at() { run_at "$1" "$2" --output "$3" "${@:4}"; }

# ---- communication: docs/scaling.md, "Communication" ------------------------------------------------------------
classes=19 labels=100 entries=19 vocabularies=3 dim=32 units=94
texts=$((256 * dim * 4)) # one unit of 256 prompts holds all classes
tally=$((8 * (classes + 3 * entries * vocabularies + vocabularies ** 2 + vocabularies + 1 + vocabularies ** 3)))
tally=$((tally + (8 << vocabularies)))
reduced=$((tally + 8 * 11 + 8 * (labels + 1) + 8))
maxima=$((8 * 3 + 8 * 3 + 8))
notes() { # bytes of the notes of units that ranks 1 to P - 1 send: "[{"unit":U,"digest":"32 digits"},...]"
  awk -v p="$1" -v units=$units 'BEGIN { for (u = 0; u < units; u++) if (u % p) { n += 53 + length(u ""); has[u % p]++ }
    for (r = 1; r < p; r++) n += 2 + (has[r] > 1 ? has[r] - 1 : 0); print n + 0 }'
}
# harm RANKS: bytes of the tables of classes and the vocabularies that harm them, which ranks 1 to P - 1 send: 28 for each
# kind of image that a rank has.
at 1 one.yaml told --set per_image=true
zstdcat told/records/* | jq -r '[(.image | tonumber), ([.class, .own, .harmful] | tojson)] | @tsv' >kinds
harm() {
  awk -F '\t' -v p="$1" -v unit=32 '{ r = int($1 / unit) % p } r && !((r, $2) in has) { has[r, $2]; n += 28 }
    END { print n + 0 }' kinds
}
at 1 one.yaml c01 # folders of equal length: ranks agree on their paths
traffic() { query "$1" '.run.communication | [.sent, .received] | tojson'; }
equal "one rank sends nothing" "$(traffic c01)" '[0,0]'
at 2 one.yaml c02
# What rank 0 gives to all: the list of files, the schedule, the digests of inputs on which ranks agree; the same at any number.
given=$(($(jq .run.communication.sent c02/results.json) - texts - reduced - 2 * maxima - $(notes 2) - $(harm 2)))
[ $given -gt 0 ] && [ $given -lt 5000 ]
verdict $? "rank 0 gives $given bytes to each"
for ranks in 2 3 5 8 13 64; do
  folder=c$(printf %02d "$ranks")
  [ "$ranks" = 2 ] || at "$ranks" one.yaml "$folder"
  agree "$ranks ranks agree with one" c01 "$folder"
  sent=$((texts + given + (ranks - 1) * reduced + ranks * maxima + $(notes "$ranks") + $(harm "$ranks")))
  received=$(((ranks - 1) * (texts + given) + reduced + ranks * maxima + $(notes "$ranks") + $(harm "$ranks")))
  equal "$ranks ranks: $sent bytes sent, $received received" "$(traffic "$folder")" "[$sent,$received]"
  jq -e --argjson tables "$(($(harm "$ranks") - $(harm 2)))" \
    --slurpfile two c02/results.json '.run.communication as $c | $two[0].run.communication as $t |
    $c.sent_by_one_rank <= $t.sent_by_one_rank + 800 and
    $c.received_by_one_rank <= $t.received_by_one_rank + 800 + $tables' "$folder/results.json" >/dev/null
  verdict $? "$ranks ranks: no rank has more to do than at two, but for the tables" \
    "$(jq -c .run.communication c02/results.json "$folder/results.json")"
done

# ---- 32 ranks in groups, most of them without any data ------------------------------------------------------------
cat >many.yaml <<'E'
experiment: many
threads: 1
analyses: [margin, similarity, alignment, uniformity]
datasets:
  - {name: cifar, images: few/test.bin, vocabularies: v.yaml}
  - {name: five, images: five, vocabularies: five.yaml}
models:
  - {name: plain, family: clip, activation: quick_gelu, weights: m.safetensors, tokenizer: tok, prompts: ["a photo of a {}."]}
  - {name: gelu, family: clip, weights: m.safetensors, tokenizer: tok, activation: gelu, prompts: ["a photo of a {}.", "the {}"]}
E
at 1 many.yaml m1
for size in 32 1; do
  rm -rf m32; at 32 many.yaml m32 --ranks-per-model $size
  agree "32 ranks, $size a model: groups: $(jq '.run.groups | length' m32/results.json)" m1 m32
done
at 32 many.yaml m32 --resume
agree "32 ranks with nothing left to do" m1 m32

# ---- starting ---------------------------------------------------------------------------------------------------
cat >small.yaml <<'E'
experiment: small
threads: 1
datasets: [{name: five, images: five, vocabularies: five.yaml}]
models: [{name: plain, family: clip, activation: quick_gelu, weights: m.safetensors, tokenizer: tok,
     prompts: ["a photo of a {}."]}]
E
# While MPI starts, each rank looks some hundred times a second whether all have come, so that many ranks on few cores, or beside
# other work, take more than linear time. What a run takes itself is what it takes beyond a command that starts MPI and does
# nothing. Other work only adds: the cheapest of as many turns as it needs, three at most.
TIMEFORMAT='%U %S'
declare -A bare=() whole=() # by ranks: milliseconds of the processors' time
cheaper() { # cheaper LEAST COMMAND...: milliseconds, or LEAST where that is less
  local least=$1; shift
  { time "$@" >stdout 2>stderr || fail "$*" "$(cat stderr)"; } 2>timed
  tail -n 1 timed | awk -v least="$least" '{ took = int(1000 * ($1 + $2)); print took < least ? took : least }'
}
starts_at() {
  bare[$1]=$(cheaper "${bare[$1]-999999}" mpi "$1" "$vocabench" version)
  whole[$1]=$(cheaper "${whole[$1]-999999}" mpi "$1" timeout -k 5 $limit "$vocabench" run small.yaml --output start)
}
# Four times the ranks are four times the work (0.6 s and 2.5 s were seen), twice that for the waiting of ranks that share a core
# and some seconds for what disturbs: by the square they would take 16 times, 10 s.
linear() { [ $((whole[64] - bare[64])) -le $((8 * (whole[16] - bare[16]) + 3000)) ]; }
for turn in 1 2 3; do
  starts_at 16; starts_at 64
  ! linear || break
done
linear
verdict $? "start-up is linear: beyond MPI's ${bare[16]} ms 16 ranks take $((whole[16] - bare[16])) ms of the processors, 64 \
$((whole[64] - bare[64])) beyond ${bare[64]}" "$turn turns"
finish
