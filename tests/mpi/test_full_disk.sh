#!/bin/bash
# A disk that fills at five moments of a run of six models on three datasets, 8 ranks in 3 groups: a clear error and code 7 on
# every rank, nobody left waiting; with room again the same bytes, and nothing that was finished is encoded twice.
. "$(dirname "$0")/../lib.sh"
cd "$scratch" || exit 1
mkdir -p cifar small
make_data images pics 20 13; make_data cifar cifar/test.bin 20 300; make_data images five 5 4
make_data model m.safetensors; make_data tokenizer tok
made_vocabularies
cat >e.yaml <<'E'
experiment: full
per_image: true
threads: 1
ranks_per_model: 3
datasets:
  - {name: folder, images: pics, vocabularies: v.yaml}
  - {name: cifar, images: cifar/test.bin, vocabularies: v.yaml}
  - {name: five, images: five, vocabularies: five.yaml}
E
five_encoders >>e.yaml
limit=300
run_at 1 e.yaml --output whole
images=$(jq '[.run.pairs[].units_encoded] | add' whole/results.json)
equal "eighteen pairs, $images units of images" "$(jq '.results | length' whole/results.json)" 18
# every_rank FOLDER: runs on 8 ranks; code.R gets what rank R ended with. Its own code is that of the launcher: 0, or 124 when
# it hung.
# shellcheck disable=SC2016 # expanded by each rank's shell
every_rank() {
  rm -f code.*
  mpi 8 timeout -k 5 $((2 * minute)) \
    sh -c '"$0" run e.yaml --output "$1" --resume; echo $? >"code.$OMPI_COMM_WORLD_RANK"' "$vocabench" "$1" \
    >stdout 2>stderr
}
# fills NAME FOLDER: the run meets a full disk.
fills() {
  local name=$1 folder=$2
  every_rank "$folder" || { fail "$name: hung" "$(cat stderr)"; return; }
  equal "$name: all eight ranks end with code 7" \
    "$(cat code.* | sort | uniq -c | tr -s ' ')" " 8 7" "$(cat code.*)" "$(cat stderr)"
  [ "$(grep -c '^vocabench: ' stderr)" = 1 ] && grep -qE "^vocabench: rank [0-7]: .*$folder/.*: No space left on device" stderr
  verdict $? "$name: one line names file and reason" "$(cat stderr)"
  [ ! -e "$folder/results.json" ] && [ -z "$(find "$folder" -name '*.tmp')" ]
  verdict $? "$name: nothing half-written is left" "$(find "$folder" -name '*.tmp' -o -name results.json)"
}
seen=""
# goes_on NAME FOLDER: with room again.
goes_on() {
  local name=$1 folder=$2 before kept
  before=$(units_cached "$folder") kept=$(find "$folder/pairs" -name '*.json' ! -name '.*' 2>/dev/null | wc -l)
  seen="$seen $before"
  if ! every_rank "$folder" || [ "$(cat code.* | sort -u)" != 0 ]; then fail "$name: rerun" "$(cat code.* stderr)"; return; fi
  agree "$name: the same bytes ($kept of 18 results, $before of $images units were kept)" whole "$folder"
  equal "$name: nothing is done twice" \
    "$(query "$folder" '.run.pairs | "\(length) \([.[].units_encoded] | add // 0)"')" "$((18 - kept)) $((images - before))" \
    "$kept results, $before units were there" "$(query "$folder" '.run.pairs | tojson')"
}

# ---- every rank's writes fail from one on ------------------------------------------------------------------------
for n in 1 4 9 17 30; do
  rm -rf cut
  VOCABENCH_FAULT=write:$n+:ENOSPC fills "full from every rank's write $n on" cut
  goes_on "full from every rank's write $n on" cut
done

# ---- a disk that is really full ----------------------------------------------------------------------------------
if mount -t tmpfs -o size=64m none small 2>/dev/null; then
  trap 'umount "$scratch/small"; chmod -R u+w "$scratch"; rm -rf "$scratch"' EXIT
  every_rank small/cut; pages=$(df -k --output=used small | tail -1 | tr -d " ")
  umount small
  for part in 1 3 5 7 9; do
    size=$((pages * part / 10))
    mount -t tmpfs -o size=${size}k none small || { fail "a disk of $size kB"; continue; }
    fills "a disk of $size of $pages kB" small/cut
    mount -o remount,size=64m small
    goes_on "a disk of $size of $pages kB" small/cut
    umount small
  done
  trap 'chmod -R u+w "$scratch"; rm -rf "$scratch"' EXIT
else
  skip "a disk that is really full, five times" "A TMPFS CANNOT BE MOUNTED HERE (not root?): only injected faults were tried"
fi
[ "$(tr ' ' '\n' <<<"$seen" | sort -un | wc -l)" -ge 4 ]
verdict $? "the moments were different ones: units kept:$seen" "$seen"
finish
