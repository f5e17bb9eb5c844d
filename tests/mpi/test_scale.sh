#!/bin/bash
# 1 to 64 ranks on one machine: they finish and agree, send and receive to the byte what docs/scaling.md says, and start in
# linear time.
. "$(dirname "$0")/../lib.sh"
cd "$scratch" || exit 1
mkdir -p cifar
make_data cifar cifar/test.bin 20 3000; make_data images five 5 1; make_data model m.safetensors; make_data tokenizer tok
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
tally=$((8 * (classes + entries * vocabularies + 3 * vocabularies ** 2 + vocabularies + 1 + vocabularies ** 3)))
tally=$((tally + (8 << vocabularies)))
reduced=$((tally + 8 * 11 + 8 * (labels + 1) + 8))
maxima=$((8 * 3 + 8 * 3))
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

# ---- 64 ranks in groups, most of them without any data ------------------------------------------------------------
cat >many.yaml <<'E'
experiment: many
threads: 1
analyses: [margin, similarity, alignment, uniformity]
datasets:
  - {name: cifar, images: cifar/test.bin, vocabularies: v.yaml}
  - {name: five, images: five, vocabularies: five.yaml}
models:
  - {name: plain, family: clip, activation: quick_gelu, weights: m.safetensors, tokenizer: tok, prompts: ["a photo of a {}."]}
  - {name: gelu, family: clip, weights: m.safetensors, tokenizer: tok, activation: gelu, prompts: ["a photo of a {}.", "the {}"]}
E
at 1 many.yaml m1
for size in 64 16 1; do
  rm -rf m64; at 64 many.yaml m64 --ranks-per-model $size
  agree "64 ranks, $size a model: groups: $(jq '.run.groups | length' m64/results.json)" m1 m64
done
at 64 many.yaml m64 --resume
agree "64 ranks with nothing left to do" m1 m64

# ---- starting ---------------------------------------------------------------------------------------------------
cat >small.yaml <<'E'
experiment: small
threads: 1
datasets: [{name: five, images: five, vocabularies: five.yaml}]
models: [{name: plain, family: clip, activation: quick_gelu, weights: m.safetensors, tokenizer: tok,
     prompts: ["a photo of a {}."]}]
E
# $cheaper: milliseconds of processor time of the cheaper of two runs at so many ranks: other work counts less than by the clock.
TIMEFORMAT='%U %S'
starts_at() {
  local took
  cheaper=999999
  for _ in 1 2; do
    { time at "$1" small.yaml start; } 2>timed
    took=$(tail -n 1 timed | awk '{ print int(1000 * ($1 + $2)) }')
    [ "$took" -ge "$cheaper" ] || cheaper=$took
  done
}
starts_at 16; few=$cheaper
starts_at 64; many=$cheaper
# Four times the ranks are four times the work, twice that for the waiting of ranks that share a core; by the square, 16 times.
check "start-up is linear: 16 ranks take $few ms of the processors, 64 ranks $many ms" test "$many" -le $((8 * few + 1000))
finish
