#!/bin/bash
# vocabench retrieve: lists against brute force by NumPy, the same bytes on any number of ranks, interrupted scans, bad input.
# shellcheck disable=SC2317 # functions are called through check
. "$(dirname "$0")/../lib.sh"
python=
for candidate in python3 /usr/bin/python3; do "$candidate" -c 'import numpy' 2>/dev/null && { python=$candidate; break; }; done
[ -n "$python" ] || { skip "retrieval" "no Python with NumPy"; finish; }
cd "$scratch" || exit 1

# Integers, so that sums in fp64 are exact and most scores are tied; with duplicates, NaN, infinities and rows of zeros.
cat >make.py <<'PY'
import numpy, os
r = numpy.random.default_rng(0)
x = r.integers(-3, 4, (9001, 37)).astype("f4")
x[4000:4500] = x[:500]; x[100] = 0; x[8000, 3] = numpy.nan; x[9000, 0] = numpy.inf; x[7] = x[6]
for folder, dtype, cuts in (("f4", "f4", [1, 700, 700, 5003]), ("f2", "f2", [4000]), ("mixed", None, [250, 3000]),
                            ("clean", "f4", [30])):
    at = folder + "/img_emb" if folder == "f2" else folder
    os.makedirs(at)
    rows = numpy.nan_to_num(x, posinf=0)[:240] if folder == "clean" else x
    for i, part in enumerate(numpy.split(rows, cuts)):
        numpy.save(f"{at}/part_{i:04d}.npy", part.astype(dtype or ("f4", "f2")[i % 2]))
numpy.save("q.npy", r.integers(-3, 4, (23, 37)).astype("f4"))
numpy.save("q2.npy", r.integers(-3, 4, (23, 37)).astype("f2"))
q = numpy.zeros((3, 37), "f4"); q[2, 5] = numpy.nan
numpy.save("bad_q.npy", q); numpy.save("wide_q.npy", numpy.ones((2, 38), "f4")); numpy.save("flat.npy", numpy.ones(5, "f4"))
numpy.save("int_q.npy", numpy.ones((2, 37), "i4")); numpy.save("no_q.npy", numpy.ones((0, 37), "f4"))
numpy.save("long.npy", r.standard_normal((40, 17000)).astype("f2"))
numpy.save("long_q.npy", r.standard_normal((3, 17000)).astype("f4"))
PY
cat >brute.py <<'PY'
import glob, json, numpy, subprocess, sys
queries, corpus, k, ids, lines, similarity = sys.argv[1:7]
q = numpy.load(queries).astype("f8")
x = numpy.concatenate([numpy.load(p) for p in sorted(glob.glob(corpus + "/*.npy"))]).astype("f8")
fine = numpy.isfinite(x).all(1)
if similarity == "cosine": fine &= (x != 0).any(1)
x = numpy.where(fine[:, None], x, 0)
s = q @ x.T
if similarity == "cosine": s = s / numpy.where(fine, numpy.sqrt((x * x).sum(1)), 1) / numpy.sqrt((q * q).sum(1))[:, None]
s[:, ~fine] = -numpy.inf
k = min(int(k), int(fine.sum()))
want = numpy.argsort(-s, axis=1, kind="stable")[:, :k]
got = numpy.load(ids)
assert got.dtype == numpy.int64 and got.shape == (len(q), k), (got.dtype, got.shape)
assert (got == want).all(), "row numbers differ in %d places" % (got != want).sum()
text = subprocess.run(["zstd", "-dcq", lines], capture_output=True, check=True).stdout.decode()
records = [json.loads(line) for line in text.splitlines()]
assert [r["query"] for r in records] == list(range(len(q)))
for i, r in enumerate(records):
    assert [e["id"] for e in r["results"]] == want[i].tolist()
    error = numpy.abs(numpy.array([e["score"] for e in r["results"]]) - s[i, want[i]]).max() if k else 0
    assert error <= (1e-15 if similarity == "cosine" else 0), error
PY
"$python" make.py || { fail "the corpora are made"; finish; }
retrieve() { "$vocabench" retrieve "$@"; }
brute() { "$python" brute.py "$@"; }

# ---- brute force ----------------------------------------------------------------------------------------------------
for corpus in f4 f2 mixed; do
  for similarity in dot cosine; do
    queries=q.npy; [ $corpus = f2 ] && queries=q2.npy
    folder=$corpus; [ $corpus = f2 ] && folder=f2/img_emb
    must retrieve --queries $queries --corpus $corpus --top-k 60 --similarity $similarity --output one.jsonl.zst --ids one.npy
    check "$corpus, $similarity: NumPy's lists" brute $queries $folder 60 one.npy one.jsonl.zst $similarity
    [ $similarity = dot ] || continue
    for ranks in 2 3 5 8; do
      mpi $ranks "$vocabench" retrieve --queries $queries --corpus $corpus --top-k 60 --output many.jsonl.zst \
        --ids many.npy --threads 1 >out 2>err
      same "$corpus: the list of $ranks ranks" one.jsonl.zst many.jsonl.zst
      same "$corpus: the row numbers of $ranks ranks" one.npy many.npy
    done
  done
done
must retrieve --queries q.npy --corpus mixed --top-k 60 --similarity cosine --output plain.jsonl
same "a list whose name does not end in .zst is not packed" plain.jsonl <(zstd -dcq one.jsonl.zst)
check "its summary" test -s plain.summary.json
VOCABENCH_FAULT=write:1+:ENOSPC refuses "and cannot be written" 7 "lost.jsonl: cannot write: No space left" \
  "$vocabench" retrieve --queries q.npy --corpus mixed --top-k 6 --output lost.jsonl --checkpoint-seconds 1000
equal "nothing of it is left" "$(compgen -G '*lost.jsonl*' || compgen -G '.lost*')" ""
equal "the summary counts rows that are not finite and rows of zeros" \
  "$(jq -c '[.queries, .listed, .rows, .parts, .rows_not_finite, .rows_zero, .exact]' one.summary.json)" \
  '[23,60,9001,3,2,1,"proven"]' "$(cat one.summary.json)"

# The queries in a glob's parts; more rows wanted than there are; isa levels; a small budget.
for isa in scalar avx2 avx512; do
  VOCABENCH_ISA=$isa retrieve --queries q.npy --corpus 'f4/*.npy' --top-k 60 \
    --output isa.jsonl.zst --threads 3 --memory 2MiB >out 2>err
  retrieve --queries q.npy --corpus f4 --top-k 60 --output one.jsonl.zst >out 2>&1
  same "the list at the level $isa" one.jsonl.zst isa.jsonl.zst
done
mpi 3 "$vocabench" retrieve --queries q.npy --corpus clean --top-k 1000 --output few.jsonl.zst --ids few.npy >out 2>err
check "a corpus smaller than K is listed whole" brute q.npy clean 1000 few.npy few.jsonl.zst dot
check "and that is said" grep -q 'note: clean has 240 rows to list, fewer than --top-k 1000' err
# Lists of all rows, longer than any block or part, of which the first of 8 ranks takes 19 queries at once, and one alone all 23.
all=(--queries q.npy --corpus f4 --top-k 9001 --similarity cosine --threads 1)
mpi 8 "$vocabench" retrieve "${all[@]}" --output parts.jsonl >out 2>err
must retrieve "${all[@]}" --output whole.jsonl
same "lists that come in batches of queries" parts.jsonl whole.jsonl

# ---- 8-bit codes ----------------------------------------------------------------------------------------------------
for corpus in f4 f2 mixed; do
  for similarity in dot cosine; do
    queries=q.npy; [ $corpus = f2 ] && queries=q2.npy
    copy=codes-$corpus-$similarity
    mpi 3 "$vocabench" pack --quantize int8 --input $corpus --output $copy --similarity $similarity --threads 2 >out 2>err ||
      fail "codes of $corpus for $similarity" "$(cat err)"
    retrieve --queries $queries --corpus $corpus --top-k 60 --similarity $similarity \
      --output one.jsonl.zst --ids one.npy >out 2>&1
    for ranks in 1 3 8; do
      mpi $ranks "$vocabench" retrieve --queries $queries --corpus $corpus --quantized $copy --top-k 60 --similarity $similarity \
        --output codes.jsonl.zst --ids codes.npy >out 2>err
      same "$corpus, $similarity: the list through codes on $ranks ranks" one.jsonl.zst codes.jsonl.zst
      same "$corpus, $similarity: the row numbers through codes on $ranks ranks" one.npy codes.npy
    done
  done
done
equal "and the same counts" "$(jq -c 'del(.run)|del(.engine)' codes.summary.json)" \
  "$(jq -c 'del(.run)|del(.engine)' one.summary.json)"
for isa in scalar avx2; do
  VOCABENCH_ISA=$isa retrieve --queries q.npy --corpus mixed --quantized codes-mixed-cosine --similarity cosine --top-k 60 \
    --output isa.jsonl.zst --threads 3 >out 2>err
  same "the list through codes at the level $isa" one.jsonl.zst isa.jsonl.zst
done
# Rows of which 16 in codes are more than a thread reads at once.
must "$vocabench" pack --quantize int8 --input long.npy --output codes-long
must retrieve --queries long_q.npy --corpus long.npy --top-k 5 --output long.jsonl
must retrieve --queries long_q.npy --corpus long.npy --quantized codes-long --top-k 5 --output long-codes.jsonl
same "the list of long rows through codes" long.jsonl long-codes.jsonl
retrieve --queries q.npy --corpus f4 --top-k 60 --output whole.jsonl.zst >out 2>&1
for fault in unit:5:kill@1 unit:2:kill@0; do
  VOCABENCH_FAULT=$fault mpi 3 "$vocabench" retrieve --queries q.npy --corpus f4 --quantized codes-f4-dot --top-k 60 \
    --output cut8.jsonl.zst --checkpoint-seconds 0 --threads 1 >out 2>&1
done
mpi 2 "$vocabench" retrieve --queries q.npy --corpus f4 --quantized codes-f4-dot --top-k 60 --output cut8.jsonl.zst >out 2>err
same "a scan of codes goes on, too" whole.jsonl.zst cut8.jsonl.zst
check "without scanning again what was finished, too" test "$(jq .run.blocks_resumed cut8.summary.json)" -gt 0
retrieve --queries q.npy --corpus f4 --quantized codes-f4-dot --top-k 60 --output often.jsonl.zst --checkpoint-seconds 0 >out 2>&1
same "nor do checkpoints on the way change a list" whole.jsonl.zst often.jsonl.zst
holds "each candidate is counted once, when it is scored" '.run.candidates == .run.rescored' often.summary.json
codes_of() {
  refuses "$1" "$2" "$3" \
    mpirun --oversubscribe -n 2 "$vocabench" retrieve --queries q.npy --top-k 5 --output bad.jsonl.zst "${@:4}"
}
codes_of "codes of another corpus" 6 'codes-f4-dot: a copy of 5 parts of 37 dimensions, mixed has 3' \
  --corpus mixed --quantized codes-f4-dot
codes_of "codes for another similarity" 6 'codes for the similarity cosine, asked for is dot' \
  --corpus f4 --quantized codes-f4-cosine
codes_of "no codes" 4 'nothing/manifest.json' --corpus f4 --quantized nothing
cp -r codes-f4-dot short-codes; truncate -s -1 short-codes/000004.vbq
codes_of "truncated codes" 5 '000004.vbq: truncated' --corpus f4 --quantized short-codes
# Codes exclude rows without looking at them: what changes in them, or in what they are read with, is refused.
# damaged WHAT EXPECTED COMMAND: the copy after the command, which runs in its folder
damaged() {
  rm -rf hurt bad.jsonl.zst*; cp -r codes-f4-dot hurt; (cd hurt && eval "$3") || fail "$1" "$3"
  codes_of "$1" 5 "$2" --corpus f4 --quantized hurt
}
# flip FILE OFFSET: another lowest bit in the byte there, counted from the end when negative
flip() {
  "$python" -c 'import sys
b = bytearray(open(sys.argv[1], "rb").read()); b[int(sys.argv[2])] ^= 1; open(sys.argv[1], "wb").write(b)' "$@"
}
damaged "a flipped bit in a code" '000003.vbq: the codes of rows 0 to 15 have another checksum than was written' \
  'flip 000003.vbq 64'
damaged "in a residual" '000003.vbq: the codes of rows 0 to 15 have another' 'flip 000003.vbq 1152'
damaged "in a checksum" '000003.vbq: the codes of rows [0-9]+ to [0-9]+ have another' 'flip 000003.vbq -1'
damaged "in the mean" '00000[0-4].vbq: the codes of rows [0-9]+ to [0-9]+ have .* mean.npy or manifest.json have changed' \
  'flip mean.npy -4'
damaged "another seed" '00000[0-4].vbq: the codes of rows [0-9]+ to [0-9]+ have another' \
  'sed -i "s/20220701/20220700/" manifest.json'
# exchange FILE: its first two groups, of 37 dimensions
exchange() {
  "$python" -c 'import sys
b = bytearray(open(sys.argv[1], "rb").read()); n = 16 * 64 + 192
b[64:64 + 2 * n] = b[64 + n:64 + 2 * n] + b[64:64 + n]; open(sys.argv[1], "wb").write(b)' "$1"
}
damaged "two groups that are exchanged" '000001.vbq: the codes of rows 0 to 15 have another' 'exchange 000001.vbq'
damaged "a copy of an earlier version" 'manifest.json: schema vocabench.quantized/1, whose codes have no checksums, expected' \
  'sed -i s:quantized/2:quantized/1: manifest.json'
must "$vocabench" pack --quantize int8 --input f4 --output hurt
same "which is made again in its place" hurt/manifest.json codes-f4-dot/manifest.json
# Codes of another part of as many rows.
mkdir equal-parts; must "$tools/npy" random equal-parts/0.npy 40 37 1; must "$tools/npy" random equal-parts/1.npy 40 37 2
must "$vocabench" pack --quantize int8 --input equal-parts --output codes-f4-equal
mv codes-f4-equal/000000.vbq x; mv codes-f4-equal/000001.vbq codes-f4-equal/000000.vbq; mv x codes-f4-equal/000001.vbq
codes_of "codes of another part" 5 '00000[01].vbq: the codes of rows [0-9]+ to [0-9]+ have another' --corpus equal-parts \
  --quantized codes-f4-equal
mkdir changed; cp f4/* changed
"$python" -c 'import numpy; x = numpy.load("changed/part_0004.npy"); x += 1; numpy.save("changed/part_0004.npy", x)'
touch -d 2001-01-01 changed/*
codes_of "codes of rows that have changed" 6 'row [0-9]+ scores .* the quantised copy is not of this corpus' --corpus changed \
  --quantized codes-f4-dot
# A row that is best of all now, and that its code excludes.
cp f4/* changed; touch -r f4 changed/*
"$python" -c 'import numpy
x = numpy.load("changed/part_0004.npy"); x[3] = 9 * numpy.load("q.npy")[0]; numpy.save("changed/part_0004.npy", x)'
codes_of "codes of one row that has changed" 6 \
  'part_0004.npy: written after its codes in codes-f4-dot, with another content: the quantised copy is not of this corpus' \
  --corpus changed --quantized codes-f4-dot
cp f4/* changed
mpi 2 "$vocabench" retrieve --queries q.npy --corpus changed --quantized codes-f4-dot --top-k 60 --output new.jsonl.zst >out 2>&1
same "but a corpus that was written again is the same" whole.jsonl.zst new.jsonl.zst
# A copy that is made again and does not come to its end.
cp -r codes-f4-dot again
VOCABENCH_FAULT=fsync:1:EIO "$vocabench" pack --quantize int8 --input f4 --output again >out 2>&1
check "no manifest stands beside codes of two corpora" test -e again/000000.vbq -a ! -e again/manifest.json
mkdir shards; echo '{"schema": "vocabench.shards/1"}' >shards/manifest.json
refuses "another manifest is left alone" 7 'shards: holds a manifest.json of something else' \
  "$vocabench" pack --quantize int8 --input f4 --output shards
mkdir latin; cp f4/part_0000.npy latin; cp f4/part_0001.npy "latin/$(printf 'caf\xe9.npy')"
refuses "a part whose name no manifest can hold" 10 'part caf.*: its name is not UTF-8' \
  "$vocabench" pack --quantize int8 --input latin --output latin-codes
check "before anything is coded" test ! -e latin-codes/000000.vbq
refuses "a copy among the parts" 2 "changed/: the folder of the corpus' parts" \
  "$vocabench" pack --quantize int8 --input 'changed/*.npy' --output changed/
refuses "an unknown code" 2 "quantize: expected int8, found 'int4'" "$vocabench" pack --quantize int4 --input f4 --output none

# ---- interruptions --------------------------------------------------------------------------------------------------
retrieve --queries q.npy --corpus f4 --top-k 60 --output whole.jsonl.zst --ids whole.npy >out 2>&1
rm -rf cut.*
for fault in unit:5:kill@1 unit:2:kill@0; do
  VOCABENCH_FAULT=$fault mpi 3 "$vocabench" retrieve --queries q.npy --corpus f4 --top-k 60 --output cut.jsonl.zst --ids cut.npy \
    --checkpoint-seconds 0 --threads 1 >out 2>&1
  check "$fault stops the scan" test ! -e cut.jsonl.zst
  check "$fault leaves a checkpoint" test -d cut.jsonl.zst.checkpoint
done
# Parts that were written anew in between, of the same names and sizes: nothing of the old ones is taken over.
cp -r f4 anew
VOCABENCH_FAULT=unit:5:kill "$vocabench" retrieve --queries q.npy --corpus anew --top-k 60 --output anew.jsonl.zst \
  --checkpoint-seconds 0 --threads 1 >out 2>&1
check "a checkpoint of parts that will change" test -d anew.jsonl.zst.checkpoint
"$python" -c 'import glob, numpy
for part in glob.glob("anew/*"): numpy.save(part, -numpy.load(part))'
retrieve --queries q.npy --corpus anew --top-k 60 --output anew.jsonl.zst >out 2>&1
retrieve --queries q.npy --corpus anew --top-k 60 --output fresh.jsonl.zst >out 2>&1
same "a scan of changed parts begins anew" fresh.jsonl.zst anew.jsonl.zst
equal "with no block of the old ones" 0 "$(jq .run.blocks_resumed anew.summary.json)"
# So does one that asks otherwise, of the same rows and for the same output.
while read -r before after; do
  # shellcheck disable=SC2086 # words
  VOCABENCH_FAULT=unit:5:kill "$vocabench" retrieve --corpus f4 --top-k 60 --output asked.jsonl --checkpoint-seconds 0 \
    --threads 1 ${before//+/ } >out 2>&1
  check "a checkpoint of $before" test -d asked.jsonl.checkpoint
  # shellcheck disable=SC2086
  for name in asked fresh; do must retrieve --corpus f4 --top-k 60 --output $name.jsonl ${after//+/ }; done
  same "then $after has its own lists" fresh.jsonl asked.jsonl
  equal "and counts, without any of the other's blocks" "$(jq -c 'del(.run), .run.blocks_resumed' asked.summary.json)" \
    "$(jq -c 'del(.run), .run.blocks_resumed' fresh.summary.json)"
  rm -rf asked.*
done <<'ASKED'
--queries+q.npy --queries+q2.npy
--queries+q.npy --queries+q.npy+--similarity+cosine
--queries+q.npy+--quantized+codes-f4-dot --queries+q.npy
ASKED
# The number in a checkpoint's name is anybody's: the next one does not run over.
one_block() {
  VOCABENCH_FAULT=unit:2:kill "$vocabench" retrieve --queries q.npy --corpus f4 --top-k 60 --output far.jsonl.zst \
    --checkpoint-seconds 0 --threads 1 >out 2>&1
}
one_block
for far in far.jsonl.zst.checkpoint/*.scan; do must mv "$far" "${far%.*.*.scan}.2147483647.000000.scan"; done
one_block
check "generations stay above zero" compgen -G 'far.jsonl.zst.checkpoint/*.0000[0-9].000000.scan'
# A damaged checkpoint is no checkpoint.
victim=$(find cut.jsonl.zst.checkpoint -name '*.scan' | sort | head -n 1)
printf 'x' | dd of="$victim" bs=1 seek=300 conv=notrunc 2>/dev/null
(VOCABENCH_FAULT=fsync:1:kill "$vocabench" retrieve --queries q.npy --corpus f4 --top-k 60 --output cut.jsonl.zst --ids cut.npy \
  --checkpoint-seconds 1000; true) >out 2>&1
left=$(find . -maxdepth 2 -name '.cut.*.tmp' | wc -l)
mpi 2 "$vocabench" retrieve --queries q.npy --corpus f4 --top-k 60 --output cut.jsonl.zst --ids cut.npy --threads 2 >out 2>err
check "what a killed one left ($left files) is swept away" test "$left" -gt 0 -a -z "$(find . -maxdepth 2 -name '.*.tmp')"
same "the scan goes on, on 2 ranks, to the same list" whole.jsonl.zst cut.jsonl.zst
same "and the same row numbers" whole.npy cut.npy
check "without scanning again what was finished" test "$(jq .run.blocks_resumed cut.summary.json)" -gt 0
check "the counts are those of the whole" test "$(jq -c 'del(.run)' cut.summary.json)" = "$(jq -c 'del(.run)' whole.summary.json)"
check "the checkpoint is gone" test ! -e cut.jsonl.zst.checkpoint
# What was found in rows that others are in the place of by now is no part of their scan.
for times in "" --preserve=timestamps; do
  rm -rf other; must mkdir other; must cp f4/part_0004.npy other/0.npy
  "$python" -c 'import numpy; numpy.save("rows.npy", -numpy.load("other/0.npy"))'; must touch -r other/0.npy rows.npy
  VOCABENCH_FAULT=unit:9:kill "$vocabench" retrieve --queries q.npy --corpus other --top-k 9 --output other.jsonl \
    --checkpoint-seconds 0 --threads 1 >out 2>&1
  check "a checkpoint of rows that will change" compgen -G 'other.jsonl.checkpoint/*.scan'
  must cp ${times:+"$times"} rows.npy other/0.npy
  must retrieve --queries q.npy --corpus other --top-k 9 --output fresh.jsonl
  must retrieve --queries q.npy --corpus other --top-k 9 --output other.jsonl
  same "cp $times: the list of the rows that are there" fresh.jsonl other.jsonl
  rm -rf other.jsonl.checkpoint
done
VOCABENCH_FAULT=unit:3:EIO@1 mpi 3 "$vocabench" retrieve --queries q.npy --corpus f4 --top-k 60 --output stop.jsonl.zst >out 2>&1
code=$?
check "a stopped scan ends with 75 on all ranks" test $code = 75
mpi 5 "$vocabench" retrieve --queries q.npy --corpus f4 --top-k 60 --output stop.jsonl.zst >out 2>&1
same "and goes on" whole.jsonl.zst stop.jsonl.zst
check "with its finished blocks" test "$(jq .run.blocks_resumed stop.summary.json)" -gt 0

# ---- bad input, on several ranks ------------------------------------------------------------------------------------
bad() {
  local name=$1 code=$2 pattern=$3; shift 3
  refuses "$name" "$code" "$pattern" mpirun --oversubscribe -n 3 "$vocabench" retrieve --output bad.jsonl.zst "$@"
}
bad "queries of another width" 6 'wide_q.npy: queries of 38 dimensions, the rows of f4/part_0000.npy have 37' \
  --queries wide_q.npy --corpus f4 --top-k 5
bad "a NaN among the queries" 5 'query row 2: element 5 is NaN' --queries bad_q.npy --corpus f4 --top-k 5
bad "queries that are no matrix" 5 'flat.npy: an array of 1 dimension' --queries flat.npy --corpus f4 --top-k 5
bad "queries of integers" 10 'int_q.npy: elements of type int32' --queries int_q.npy --corpus f4 --top-k 5
bad "no queries" 5 'no_q.npy: no queries' --queries no_q.npy --corpus f4 --top-k 5
bad "a zero query for cosines" 5 'query row 0: all elements are zero' \
  --queries bad_q.npy --corpus f4 --top-k 5 --similarity cosine
bad "a missing corpus" 4 'nowhere' --queries q.npy --corpus nowhere --top-k 5
mkdir empty; bad "an empty folder" 4 'empty: no embedding parts' --queries q.npy --corpus empty --top-k 5
mkdir cut unequal; cp f4/* cut; truncate -s -5 cut/part_0003.npy
bad "a truncated part" 5 'part_0003.npy: truncated' --queries q.npy --corpus cut --top-k 5
cp f4/part_0001.npy unequal/a.npy; cp wide_q.npy unequal/b.npy
bad "parts of different dimensions" 6 'unequal/b.npy: rows of 38 dimensions, those of unequal/a.npy have 37' \
  --queries q.npy --corpus unequal --top-k 5
bad "an unknown similarity" 2 "similarity: expected dot or cosine, found 'l2'" \
  --queries q.npy --corpus f4 --top-k 5 --similarity l2
bad "a budget that is none" 2 "memory: expected a size" --queries q.npy --corpus f4 --top-k 5 --memory 12MB3
bad "a budget that is too small" 8 'the budget is 0.1 MiB' --queries q.npy --corpus f4 --top-k 60 --memory 100KiB
bad "an output that cannot be written" 7 'none/l.jsonl.zst' --queries q.npy --corpus f4 --top-k 5 --output none/l.jsonl.zst
for fault in read:9:EIO@1 open:1:EIO@2 alloc:40:ENOMEM@1 mpi:9:EIO@2; do
  VOCABENCH_FAULT=$fault timeout -k 5 $minute mpirun --oversubscribe -n 3 "$vocabench" retrieve \
    --queries q.npy --corpus f4 --top-k 60 --output fault.jsonl.zst --threads 1 >out 2>err
  code=$?
  [ $code -gt 0 ] && [ $code -lt 124 ] && grep -q '^vocabench: rank' err && ! [ -e fault.jsonl.zst ]
  verdict $? "$fault ends all ranks" "code $code" "$(cat err)"
done
finish
