#!/bin/bash
# Clocks that differ between ranks, that jump during a run, and that are far from those of the files: the same bytes, nobody's
# files taken away, and times that are what passed. Files keep their true times, as those of a file server do.
. "$(dirname "$0")/../lib.sh"
cd "$scratch" || exit 1
library=$(compgen -G '/usr/lib/*/faketime/libfaketimeMT.so.1' | head -n 1)
[ -n "$library" ] || { skip "clocks that differ" "libfaketime is not installed"; finish; }
cat >clocks.sh <<E
export LD_PRELOAD=$library NO_FAKE_STAT=1 FAKETIME_DONT_FAKE_MONOTONIC=1 FAKETIME_NO_CACHE=1
FAKETIME_TIMESTAMP_FILE=$scratch/clock.\${OMPI_COMM_WORLD_RANK:-0} exec "\$@"
E
# clock OFFSET...: of each rank, from now on.
clock() {
  local rank=0 offset
  for offset; do echo "$offset" >clock.new; mv clock.new clock.$rank; rank=$((rank + 1)); done
}
# until_there PATTERN: some file, within a minute.
until_there() {
  local n
  for ((n = 0; n < 10 * minute; n++)); do
    [ -z "$(compgen -G "$1")" ] || return 0
    sleep 0.1
  done
  fail "no $1 within a minute"
}
make_data images pics 20 40; make_data model m.safetensors; make_data tokenizer tok
made_vocabularies
plain_experiment clocks >e.yaml
run e.yaml --output whole
jq -S 'del(.run)' whole/results.json >truth
# agrees NAME FOLDER
agrees() {
  same "$1" truth <(jq -S 'del(.run)' "$2/results.json")
  same "$1: its records" <(zstdcat whole/records/*.zst) <(zstdcat "$2"/records/*.zst)
}

clock -20y +30y
VOCABENCH_FAULT=unit:1+:slow mpi 2 timeout -k 5 $((2 * minute)) sh clocks.sh "$vocabench" run e.yaml --output jump \
  >stdout 2>stderr & job=$!
until_there 'jump/cache/*/*'
clock +40y -90000
wait $job
verdict $? "clocks of two ranks that differ and jump" "$(cat stderr)"
agrees "the same bytes" jump
holds "hours of what passed" '.run.node_hours < 0.2' jump/results.json

# A start that fails after the clock was put forward has taken as long as it did.
clock -20y
VOCABENCH_FAULT=unit:2+:slow sh clocks.sh "$vocabench" run e.yaml --output late >stdout 2>stderr & job=$!
until_there late/state.json
clock +30y
kill -USR1 $job; wait $job
equal "a run whose clock jumps is stopped" $? 75 "$(cat stderr)"
"$vocabench" status late >told; like "and has not used years" '^used: 0[.]0[0-9]+ node-hours in 1 start' told
# So has one that is killed, by the clock of its files.
must rm -f late/pairs/*.running
VOCABENCH_FAULT=unit:2+:slow sh clocks.sh "$vocabench" run e.yaml --output late --resume >stdout 2>stderr & job=$!
until_there 'late/pairs/*.running'
kill -KILL $job; wait $job 2>/dev/null
"$vocabench" status late >told; like "nor the one behind it" '^used: 0[.]0[0-9]+ node-hours in 2 start' told
run e.yaml --output late --resume
holds "the results count all three" '.run.node_hours < 0.2 and (.run.starts | length) == 3' late/results.json
agrees "it goes on to the same bytes" late

# What is being written on another machine is a day old by the clock of its files, not by ours.
clock +30y
other=.x.npy.0123abcd.00000001.4711.tmp
must touch whole/cache/$other
sh clocks.sh "$vocabench" run e.yaml --output whole --resume >stdout 2>stderr
verdict $? "a run of thirty years later" "$(cat stderr)"
check "takes no file away that somebody writes" test -e whole/cache/$other
must touch -d '2 days ago' whole/cache/$other
clock -20y
sh clocks.sh "$vocabench" run e.yaml --output whole --resume >stdout 2>stderr
verdict $? "a run of twenty years before" "$(cat stderr)"
check_not "sweeps what nobody has written to for two days" test -e whole/cache/$other
check_not "and leaves nothing of its own" compgen -G 'whole/cache/.*.tmp'
finish
