#!/bin/bash
# What several starts of a run have used, and the way of a notice to stop where a library takes its signals: a rank says so and
# takes them back; a job's script reaches the ranks although mpirun does not pass anything on.
. "$(dirname "$0")/../lib.sh"
cd "$scratch" || exit 1
make_data images pics 20 40; make_data model m.safetensors; make_data tokenizer tok
made_vocabularies
plain_experiment notice | sed 's/^threads: 1/threads: 1\nbatch: 1/' >e.yaml
run e.yaml --output truth

# ---- a rank whose handlers are replaced, as LLVM replaces them inside of an OpenCL driver -----------------------
cat >take.c <<'C'
#define _GNU_SOURCE
#include <dlfcn.h>
#include <signal.h>
#include <stdlib.h>
static void ignore(int number) { (void)number; }
int fsync(int fd) {
    static int taken;
    if (!taken++) signal(SIGUSR1, ignore), signal(SIGTERM, ignore);
    return ((int (*)(int))dlsym(RTLD_NEXT, "fsync"))(fd);
}
C
must cc -shared -fPIC -o take.so take.c -ldl
# stopped COMMAND...: starts it on units that are slow, and sends it SIGUSR1 once some are done; its code is in $code.
stopped() {
  VOCABENCH_FAULT=unit:1+:slow "$@" >out 2>&1 & job=$!
  for ((i = 0; i < 600; i++)); do [ "$(cached cut)" -lt 3 ] || break; sleep 0.1; done
  kill -USR1 $job; stops $job
}
LD_PRELOAD=$PWD/take.so stopped "$vocabench" run e.yaml --output cut
equal "a rank whose handlers were taken is stopped by SIGUSR1 all the same" "$code" 75 "$(cat out)"
like "it says that they were" \
  '^vocabench: note: rank 0: a library had taken signal [0-9]+, with which a job is told to stop: taken back$' out
has_line "and that the notice has come" "vocabench: note: rank 0: the notice to stop, SIGUSR1, has come" out
"$vocabench" status cut >used
like "status counts what a stopped start has used" '^used: 0\.[0-9]{4} node-hours in 1 start\(s\), 1 stopped$' used

# ---- what several starts have used ------------------------------------------------------------------------------
VOCABENCH_FAULT=unit:3:kill "$vocabench" run e.yaml --output cut --resume >out 2>&1 # a second start, lost without a word
"$vocabench" status cut >used
like "and of one that was lost" ' node-hours in 2 start\(s\), 1 stopped, 1 lost$' used
before=$EPOCHREALTIME
run_at 2 e.yaml --output cut --resume && agree "the rerun has the right bytes" truth cut
took=$(awk "BEGIN { print $EPOCHREALTIME - $before }")
holds "results tell of all starts" '.run.starts | [.[] | [.code, .lost, .ranks, .nodes]] ==
  [[75, null, 1, 1], [null, true, 1, 1], [0, null, 2, 1]]' cut/results.json "$(jq .run.starts cut/results.json)"
holds "their seconds make the node-hours" '.run | .starts[2].seconds >= .seconds and .seconds > 0.1 and
  .starts[2].seconds <= '"$took"' and
  (([.starts[] | .seconds * .nodes] | add) / 3600 - .node_hours | fabs) < 1e-12' cut/results.json "$(jq .run cut/results.json)"
run e.yaml --output cut
holds "without --resume the count begins anew" '.run.starts | length == 1' cut/results.json

# ---- mpirun into which hwloc loads such a driver ----------------------------------------------------------------
if ! compgen -G '/etc/OpenCL/vendors/pocl*.icd' >/dev/null || ! compgen -G '/usr/lib/*/hwloc/hwloc_opencl.so' >/dev/null; then
  skip "mpirun with PoCL inside" "PoCL (pocl-opencl-icd) and libhwloc-plugins are not both installed"; finish
fi
unset HWLOC_PLUGINS_PATH # the tests' own, without which mpirun would load no driver
# shellcheck disable=SC2016 # the pretend command expands
mkdir bin && printf '#!/bin/sh\necho "$@" >>queued; kill -9 $PPID\n' >bin/scontrol && chmod +x bin/scontrol
sed 's,@LAUNCH@,mpirun --oversubscribe -n 2,; s,@CPUS@,1,' "$here/slurm/run.sh" >script
# job NAME COMPONENTS SECONDS: the script with these components of hwloc and so long between notices; told as Slurm tells it.
job() {
  rm -rf cut queued
  HWLOC_COMPONENTS=$2 VOCABENCH_NOTICE_AGAIN=$3 SLURM_JOB_ID=7 PATH=$PWD/bin:$PATH \
    stopped bash script "$vocabench" run e.yaml --output cut --resume
  equal "$1: the job queues itself again" "$(cat queued 2>&1)" "requeue 7" "code $code" "$(cat out)"
  like "$1: the notice has reached a rank" '^vocabench: note: rank [01]: the notice to stop, SIGUSR1, has come$' out
  has_line "$1: the ranks have ended by it" "the ranks have ended with code 75" out
}
job "PoCL inside of mpirun" pci 1 # first that one, then all others
unlike "it passes nothing on" 'Forwarding signal' out
like "the ranks were told by themselves" '^notice 2 to the rank of process [0-9]+$' out
job "no OpenCL, as the script has it" '' 30
unlike "the first notice was enough" '^notice 2' out
run_at 3 e.yaml --output cut --resume && agree "and the rerun has the right bytes" truth cut
finish
