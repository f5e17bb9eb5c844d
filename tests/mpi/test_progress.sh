#!/bin/bash
# Never silent: the live line at a terminal, also under mpirun; stamped lines elsewhere; what status tells of a run that goes on;
# the stages of a pair in the results.
. "$(dirname "$0")/../lib.sh"
cd "$scratch" || exit 1
made_vocabularies; short_experiments
make_data images pics 20 100; make_data model m.safetensors; make_data tokenizer tok
images=$(find pics -type f | wc -l) kept=$(find pics -type f ! -path '*/girl/*' | wc -l)
sed -i 's/^experiment: e$/experiment: e\nthreads: 1/' e.yaml

# Each unit takes a tenth of a second more: the stage is seen on any machine.
# ---- without a terminal -------------------------------------------------------------------------------------------
VOCABENCH_FAULT=unit:1+:slow "$vocabench" run e.yaml --output quiet >out 2>err & job=$!
for _ in $(seq 150); do # its first note comes two seconds after the pair's beginning
  marker=$(compgen -G 'quiet/pairs/*.running'); [ -n "$marker" ] && [ -s "$marker" ] && break
  kill -0 $job 2>/dev/null || break
  sleep 0.2
done
"$vocabench" status quiet >status.txt 2>&1
wait $job; verdict $? "a run" "$(cat err)"
stamp='^20[0-9-]+T[0-9:]+Z '
like "a stage of more than two seconds says what it did, with the time" "${stamp}evaluate m / d: $images images in [0-9.]+ s$" err
unlike "no line rewrites itself" $'\r|\033' err
unlike "stages of less say nothing" 'texts|labels' err
like "status: the stage in hand, done of all, rate, time to go" \
  "^ +evaluate +[0-9]+ of $images images in [0-9]+ s, [0-9.]+/s, [0-9]+ s to go \([0-9]+ s ago\)$" status.txt
like "status: the stages before" '^ +texts +19 of 19 texts in 0 s$' status.txt
like "status: the time left, by measured rates" '^time left: about [0-9]+ s$' status.txt
like "status: the pair runs" '^  m +d +running$' status.txt
"$vocabench" status quiet >status.txt 2>&1
units=$(query quiet '.run.pairs[0].units_encoded')
like "status afterwards: units of images, of all that there are, and other files" \
  "^cache .*: $units unit.s. of images; this experiment makes [0-9]+ at most; 1 file.s. of texts and corpora" status.txt
holds "the results keep the stages, whose counts are the table's" '.run.pairs[0].stages | map({(.stage): .}) | add |
  .evaluate.done == '"$images"' and .evaluate.total == .evaluate.done and .evaluate.seconds > 2 and .texts.done == 19' \
  quiet/results.json "$(query quiet '.run.pairs[0].stages')"
equal "images of the table" "$(query quiet '.results[0].images')" "$kept"

# ---- at a terminal ------------------------------------------------------------------------------------------------
at_terminal() { # at_terminal COMMAND: its terminal's lines in `seen`, one a line
  script -qec "$1" /dev/null </dev/null 2>&1 | tr '\r' '\n' | sed 's/\x1b\[K//' >seen
}
line="^evaluate m / d: [0-9]+ of $images images, [0-9.]+/s, [0-9]+:[0-9]{2} to go, run [0-9]+:[0-9]{2} to go$"
if command -v script >/dev/null; then
  at_terminal "stty cols 120; VOCABENCH_FAULT=unit:1+:slow '$vocabench' run e.yaml --output alone"
  like "a live line: done of all, rate, time to go of stage and run" "$line" seen
  has_line "and its end, without the time of day" "$(grep -oE "^evaluate m / d: $images images in [0-9.]+ s$" seen)" seen
  at_terminal "stty cols 30; '$vocabench' run e.yaml --output narrow"
  empty "a narrow terminal cuts it" <(grep -E '^evaluate.* to go' seen)
  at_terminal "stty cols 120; VOCABENCH_FAULT=unit:1+:slow mpirun --oversubscribe -n 2 '$vocabench' run e.yaml --output both"
  like "under mpirun, too" "$line" seen
  equal "by one rank" "$(grep -cE "^evaluate m / d: $images images in" seen)" 1
  at_terminal "VOCABENCH_FAULT=unit:1+:slow mpirun --oversubscribe -n 2 '$vocabench' run e.yaml --output aside 2>err"
  unlike "not where mpirun's standard error is a file" 'to go|images in' seen
  like "which gets the stamped line" "${stamp}evaluate m / d: $images images in" err
  agree "the results are the same" alone both
else skip "the live line" "no script"; fi

# ---- large files that are hashed ----------------------------------------------------------------------------------
# Weights of eight more megabytes, which belong to no tower; every piece of 256 KiB takes a tenth of a second more.
/usr/bin/python3 - m.safetensors big.safetensors <<'P' || fail "weights of 9 MB"
import json, struct, sys
data = open(sys.argv[1], 'rb').read()
n = struct.unpack('<Q', data[:8])[0]
head, body, more = json.loads(data[8:8 + n]), data[8 + n:], 8 << 20
head['optimiser'] = {'dtype': 'U8', 'shape': [more], 'data_offsets': [len(body), len(body) + more]}
text = json.dumps(head).encode()
open(sys.argv[2], 'wb').write(struct.pack('<Q', len(text)) + text + body + bytes(more))
P
sed 's/m.safetensors/big.safetensors/' e.yaml >big.yaml; megabytes=$(($(stat -c %s big.safetensors) / 1000000))
# slowly FOLDER MARKER ARGUMENT...: a run whose hashing is slow, and what status said in the middle of it.
slowly() {
  local folder=$1 marker=$2; shift 2
  VOCABENCH_FAULT=hash:1+:slow "$vocabench" run big.yaml --output "$folder" "$@" >out 2>err & job=$!
  for _ in $(seq 150); do
    found=$(compgen -G "$folder/$marker.running") && [ -s "$found" ] && break
    kill -0 $job 2>/dev/null || break
    sleep 0.1
  done
  "$vocabench" status "$folder" >status.txt 2>&1
  wait $job; verdict $? "a run that hashes slowly" "$(cat err)"
}
slowly hashed 'pairs/*'
like "the digest of weights is a stage: bytes done" "${stamp}weights m: $megabytes MB in [0-9.]+ s$" err
like "status: of all, rate, time to go" \
  "^ +weights +[0-9]+ of $megabytes MB in [0-9]+ s, [0-9.]+/s, [0-9]+ s to go \([0-9]+ s ago\)$" status.txt
holds "and the results keep it" ".run.pairs[0].stages[0] | .stage == \"weights\" and .done == $megabytes" hashed/results.json
rm -r hashed/cache/sha256
slowly hashed around --resume
like "SHA-256, for which the end waits, is a stage" "${stamp}SHA-256 of models and corpora: [0-9]+ MB in [0-9.]+ s$" err
like "status tells it, too" '^ +SHA-256 +[0-9]+ of [0-9]+ MB in [0-9]+ s, [0-9.]+/s, [0-9]+ s to go' status.txt
equal "nothing of it stays" "$(compgen -G 'hashed/*.running')" ""
rm -r hashed/cache/sha256
VOCABENCH_FAULT=hash:1+:slow "$vocabench" run big.yaml --output hashed --resume >out 2>err & job=$!
for _ in $(seq 100); do [ ! -e hashed/around.running ] || break; sleep 0.1; done
kill -s TERM $job; stops $job
equal "a run that only hashes stops when it is told to" $code 75 "$(cat err)"
run big.yaml --output hashed --resume
equal "and goes on" "$(query hashed '.run.models[0].files[0].sha256')" "$(sha256sum <big.safetensors | cut -d' ' -f1)"
VOCABENCH_FAULT=hash:3:EIO refuses "what cannot be hashed is an error" 5 \
  'big.safetensors: cannot be hashed: Input/output error' "$vocabench" inspect big.safetensors

# ---- every stage --------------------------------------------------------------------------------------------------
seq -f 'a photo of thing %g' 300 >captions.txt; seq -f 'candidate %g' 40 >names.txt
cat >all.yaml <<'E'
experiment: all
limit: 2
analyses: [margin, uniformity, spectrum, order, top5]
adversarial: {candidates: names.txt, k: 1, exclude: names}
on_cut: allow
corpora: [{name: words, captions: captions.txt}]
retrieval: {corpus: words, top_k: [2], lambda: [0.5]}
datasets: [{name: d, images: pics, vocabularies: v.yaml}]
models: [{name: m, family: clip, activation: quick_gelu, weights: m.safetensors, tokenizer: tok, prompts: ["a {}."]}]
E
run all.yaml --output all
for stage in texts evaluate analyses uniformity spectrum order top5 adversarial 'adversarial names' \
  'corpus captions' retrieve captions; do
  holds "a stage of its own: $stage" "[.run.pairs[0].stages[].stage] | index(\"$stage\")" all/results.json \
    "$(query all '[.run.pairs[0].stages[].stage]')"
done
holds "each is done" '.run.pairs[0].stages | all(.total == null or .done == .total)' all/results.json \
  "$(query all '.run.pairs[0].stages')"
mpi 2 "$vocabench" run all.yaml --output all2 >out 2>err; verdict $? "two ranks" "$(cat err)"
holds "what all ranks do together is counted once" \
  '[.run.pairs[0].stages[] | select(.stage == "adversarial names") | .done, .total] ==
  [3, 3]' all2/results.json "$(query all2 '.run.pairs[0].stages')"
holds "captions are counted though nobody knew how many" \
  '[.run.pairs[0].stages[] | select(.stage == "corpus captions") | .done] == [300]' \
  all/results.json
finish
