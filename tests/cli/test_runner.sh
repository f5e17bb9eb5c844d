#!/bin/bash
# What tests/run.sh promises of tests that pass, fail, die, say nothing, cannot be executed, leave processes, are interrupted.
. "$(dirname "$0")/../lib.sh"
mkdir -p "$scratch/toy/tests/cli" "$scratch/toy/build/tests/tools" "$scratch/folders"; cd "$scratch/toy" || exit 1
cp "$tools/deadline" build/tests/tools/
cp "$here"/tests/{run,lib,environment}.sh tests/
toy() { { echo '#!/bin/bash'; cat; } >"tests/cli/test_$1.sh"; chmod +x "tests/cli/test_$1.sh"; } # toy NAME: a test, from stdin
runs() { TMPDIR=$scratch/folders tests/run.sh build cli >out 2>&1; }
# alive PID: it runs, and is not only waited for.
alive() { ps -o stat= -p "$1" | grep -qv '^Z'; }
last() { tail -n 1 out; }

runs; equal "a run without a test is a failure" "$? $(last)" "1 0 passed, 1 failed, 0 skipped"
toy good <<<'echo "ok 1 - one"; echo "ok 2 - two # SKIP none"'
runs; equal "a good run" "$? $(last)" "0 1 passed, 0 failed, 1 skipped"
TMPDIR=$scratch/folders tests/run.sh build cli/test_good >out 2>&1
equal "a test by its name" "$? $(last)" "0 1 passed, 0 failed, 1 skipped"
TMPDIR=$scratch/folders tests/run.sh build cli/test_good cli/test_none >out 2>&1
equal "a name without a test is a failure" "$? $(last)" "1 1 passed, 1 failed, 1 skipped"
toy bad <<<'echo "ok 1 - one"; echo "not ok 2 - two"; exit 1'
toy dies <<<'echo "ok 1 - one"; kill -9 $$'
toy silent <<<'exit 0'
toy unmarked <<<'echo "ok 1 - one"'; chmod -x tests/cli/test_unmarked.sh
runs; equal "one failure each: said, died, silent, not executable" "$? $(last)" "1 3 passed, 4 failed, 1 skipped"
like "a failure is shown" '^    not ok 2 - two$' out
like "the death of a test, with its code" '^    not ok - cli/test_dies ended with code 137$' out
has_line "the file that cannot be executed" "not ok - tests/cli/test_unmarked.sh cannot be executed" out

rm tests/cli/*
toy leaves <<E
sleep 300 & echo \$! >$scratch/left; echo "ok 1 - one"
E
runs; check_not "what a test leaves behind is killed" alive "$(cat "$scratch/left")"

# Ranks have process groups of their own, take a while to end, and write until then.
rm tests/cli/*
toy ranks <<E
. "\$(dirname "\$0")/../lib.sh"; cd "\$scratch" || exit 1
printf '%s\n' '#!/bin/bash' 'trap "sleep 0.5; mkdir -p \$PWD/late; exit 1" TERM' \
  'echo \$\$ >>$scratch/ranks; while :; do sleep 0.1; done' >rank; chmod +x rank
mpi 3 ./rank
E
for signal in INT TERM; do
  rm -f "$scratch/ranks"
  # Job control: an interrupt is ignored by what a script has put into the background.
  set -m; TMPDIR=$scratch/folders tests/run.sh build cli >out 2>&1 & set +m
  group=$!
  for ((i = 0; i < 100; i++)); do [ "$(grep -c . "$scratch/ranks" 2>/dev/null)" = 3 ] && break; sleep 0.1; done
  kill -"$signal" -- "-$group"; wait "$group"
  equal "$signal: the code of an interrupted run" $? 130 "$(cat out)"
  equal "$signal: three ranks had begun" "$(wc -l <"$scratch/ranks")" 3
  equal "$signal: none is left" "$(while read -r rank; do ! alive "$rank" || echo "$rank"; done <"$scratch/ranks")" ""
  equal "$signal: no folder is left" "$(find "$scratch/folders" -name 'vocabench-test.*')" ""
done

# An mpirun that stands still before it has ranks; one that does not end when it is told to; one that ends by itself.
mkdir bin && cat >bin/mpirun <<'E'
#!/bin/bash
case ${!#} in
  deaf) trap '' TERM ;;
  7) exit 7 ;;
esac
exec sleep 300
E
chmod +x bin/mpirun
ends() { (deadline=1; PATH=$PWD/bin:$PATH mpi 2 "$1") >out 2>err </dev/null; } # ends WORD
ends still; equal "mpirun that stands still is ended" $? 124 "$(cat err)"
has_text "and that is said" "deadline: mpirun has not ended after 1 s" err
ends deaf; equal "whatever it does with the signal" $? 124 "$(cat err)"
ends 7; equal "other codes are its own" $? 7
empty "without a word" err
finish
