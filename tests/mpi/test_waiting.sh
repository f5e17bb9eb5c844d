#!/bin/bash
# How ranks wait: asleep where they are more than cores or where VOCABENCH_WAIT says so, with the same bytes; and a process alone,
# which does without MPI. With Open MPI's own choices, where the other tests have those of tests/environment.sh.
. "$(dirname "$0")/../lib.sh"
unset VOCABENCH_WAIT OMPI_MCA_pml OMPI_MCA_mpi_yield_when_idle HWLOC_PLUGINS_PATH
cd "$scratch" || exit 1
make_data images pics 20 8; make_data model m.safetensors; make_data tokenizer tok
made_vocabularies
plain_experiment waiting >e.yaml

# ---- a process alone ---------------------------------------------------------------------------------------------
# No component by this name can be had: wherever MPI starts, it fails.
OMPI_MCA_pml=none run e.yaml --output alone
verdict $? "a process alone needs no MPI"
check_not "where MPI is asked for, it is started" \
  env OMPI_MCA_pml=none VOCABENCH_MPI=1 "$vocabench" run e.yaml --output none
check_not "and under a launcher" env OMPI_MCA_pml=none mpirun --oversubscribe -n 1 "$vocabench" run e.yaml --output none
export VOCABENCH_MPI=1
run e.yaml --output started
agree "alone with MPI: the same bytes" alone started
unset VOCABENCH_MPI
run_at 1 e.yaml --output launched
agree "one launched rank: the same bytes" alone launched
equal "one rank, one host" "$(query alone '.run | [.ranks, (.hosts | length)] | tojson')" '[1,1]'
# ScaLAPACK is made of MPI, which starts when it is met.
sed '/per_image/d' e.yaml >divided.yaml
run divided.yaml --output divided-alone --set similarity_engine=scalapack --cache alone/cache
run_at 1 divided.yaml --output divided --set similarity_engine=scalapack --cache alone/cache
agree "ScaLAPACK alone" divided-alone divided
check_not "starts MPI" env OMPI_MCA_pml=none "$vocabench" run divided.yaml --output none --set similarity_engine=scalapack \
  --cache alone/cache

# ---- while MPI starts --------------------------------------------------------------------------------------------
# Open MPI itself would look thousands of times in a second whether the other rank has come: each look leaves the core once.
left() { # left SECONDS: how often two ranks leave their cores when the second starts so much later
  /usr/bin/python3 - "$1" "$vocabench" <<'P'
import resource, subprocess, sys
late = '[ "$OMPI_COMM_WORLD_RANK" = 0 ] || sleep "$0"; exec "$1" version'
subprocess.run(["mpirun", "--oversubscribe", "-n", "2", "sh", "-c", late, *sys.argv[1:]], check=True, stdout=subprocess.DEVNULL)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_nvcsw)
P
}
at_once=$(left 0) later=$(left 1)
verdict $((later - at_once > 1500)) \
  "a rank that waits for MPI's start looks $((later - at_once)) times in a second" "$at_once and $later times"

# ---- asleep and spinning -----------------------------------------------------------------------------------------
for ranks in 2 5; do
  run_at $ranks e.yaml --output own-$ranks --ranks-per-model 2
  agree "$ranks ranks that wait as they choose: the same bytes" alone own-$ranks
  for wait in sleep spin; do
    export VOCABENCH_WAIT=$wait
    run_at $ranks e.yaml --output $wait-$ranks --ranks-per-model 2
    agree "$ranks ranks that $wait: the same bytes" alone $wait-$ranks
  done
done
unset VOCABENCH_WAIT
refuses "neither" 2 "VOCABENCH_WAIT='doze': expected spin or sleep" env VOCABENCH_WAIT=doze VOCABENCH_MPI=1 "$vocabench" version
refuses "nor by a process alone" 2 "vocabench: VOCABENCH_WAIT='doze': expected spin or sleep" \
  env VOCABENCH_WAIT=doze "$vocabench" run e.yaml --output none
check "sleep is one" env VOCABENCH_WAIT=sleep "$vocabench" version
check "and so is nothing" env VOCABENCH_WAIT= "$vocabench" version
# One rank takes a tenth of a second more for each of its units; what the other one computes meanwhile is waiting.
TIMEFORMAT='%U %S'
# took NAME=VALUE...: milliseconds of the processors' time of two ranks.
took() {
  rm -rf slow
  { time env "$@" mpirun --oversubscribe -n 2 "$vocabench" run e.yaml --output slow >stdout 2>stderr; } 2>timed ||
    fail "$*" "$(cat stderr)"
  tail -n 1 timed | awk '{ print int(1000 * ($1 + $2)) }'
}
for _ in 1 2 3; do # other work only adds
  quick=$(took VOCABENCH_WAIT=sleep)
  asleep=$(took VOCABENCH_WAIT=sleep VOCABENCH_FAULT=unit:1+:slow@0)
  waited=$(query slow '.run.seconds * 1000 | floor')
  [ $((asleep - quick)) -gt $((waited / 4)) ] || break
done
verdict $((asleep - quick > waited / 4)) \
  "a rank that waits for $waited ms leaves its core: $asleep ms of the processors' time, $quick without the wait"

# Much that two ranks add up (the figures of 100 vocabularies, 8 MB): MPI moves it by pieces, each of which needs a look of both.
must "$tools/npy" random t.npy 200 12 1; must "$tools/npy" random i.npy 400 12 2
seq 0 399 | awk '{ print $1 % 200 }' >labels; must "$tools/npy" numbers y.npy i8 labels
jq -rn '"name: many", "vocabularies:", (range(100) | "  v\(.): [a\(.), b\(.)]")' >many.yaml
cat >sums.yaml <<'E'
experiment: sums
threads: 1
datasets: [{name: d, vocabularies: many.yaml}]
models: [{name: one, family: precomputed, image_embeddings: i.npy, text_embeddings: t.npy, labels: y.npy}]
E
# sums WAY: milliseconds of a run of two ranks.
sums() {
  VOCABENCH_WAIT=$1 run_at 2 sums.yaml --output sums-"$1"
  query sums-"$1" '.run.seconds * 1000 | floor'
}
for _ in 1 2 3; do # other work only adds
  spinning=$(sums spin) asleep=$(sums sleep)
  [ "$asleep" -gt $((2 * spinning + 1500)) ] || break
done
verdict "$((asleep > 2 * spinning + 1500))" "bytes are moved without long sleeps: $asleep ms, $spinning spinning"
agree "with the same bytes" sums-spin sums-sleep
finish
