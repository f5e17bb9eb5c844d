#!/bin/bash
# Retrieval with a device that OpenCL offers (PoCL here): the lists and counts of the CPU at few and many queries, for every
# element type, ties, several ranks, little memory, a device that fails, kills; REPE.
# shellcheck disable=SC2317 # functions are called through check
. "$(dirname "$0")/../lib.sh"
cd "$scratch" || exit 1
need_device "retrieval with a device"
python=/usr/bin/python3
$python -c 'import numpy' 2>/dev/null || { skip "retrieval with a device" "python3-numpy is not installed"; finish; }

# Small integers and copies of rows, so that most scores are tied; NaN, an infinity, rows of zeros, a row beyond fp32's sums.
cat >make.py <<'PY'
import json, numpy, os, struct
r = numpy.random.default_rng(0)
x = r.integers(-3, 4, (4001, 36)).astype("f4")
x[2000:2500] = x[:500]; x[100] = 0; x[3000, 3] = numpy.nan; x[4000, 0] = numpy.inf; x[7] = x[6]
os.makedirs("f4"); os.makedirs("f2")
for i, part in enumerate(numpy.split(x, [1, 700, 1900])): numpy.save(f"f4/part_{i}.npy", part)
x[3500] *= 2.0**10
numpy.save("f2/all.npy", x.astype("f2"))
bits = (x.view("u4") >> 16).astype("u2")
head = json.dumps({"rows": {"dtype": "BF16", "shape": list(x.shape), "data_offsets": [0, bits.nbytes]}}).encode()
with open("b2.safetensors", "wb") as f: f.write(struct.pack("<Q", len(head)) + head + bits.tobytes())
for n in (1, 20, 100): numpy.save(f"q{n}.npy", r.integers(-3, 4, (n, 36)).astype("f4"))
PY
must $python make.py
# search OUTPUT QUERIES CORPUS ARGUMENT...
search() { "$vocabench" retrieve --output "$1.jsonl.zst" --ids "$1.npy" --queries "$2" --corpus "$3" "${@:4}" >"$1.log" 2>&1; }
# alike NAME A B: lists, row numbers and counts.
alike() {
  same "$1: the list" "$2.jsonl.zst" "$3.jsonl.zst"; same "$1: the row numbers" "$2.npy" "$3.npy"
  equal "$1: the counts" "$(jq -c 'del(.run)' "$3.summary.json")" "$(jq -c 'del(.run)' "$2.summary.json")"
}
searched() { jq .run.rows_on_device "$1.summary.json"; }

k=40
for what in "1 f4 dot" "20 f4 cosine" "100 f4 dot" "20 f2 dot" "100 f2 cosine" "20 b2.safetensors dot"; do
  read -r n corpus similarity <<<"$what"
  must search cpu "q$n.npy" "$corpus" --top-k "$k" --similarity "$similarity"
  must search gpu "q$n.npy" "$corpus" --top-k "$k" --similarity "$similarity" --device gpu --threads 1
  alike "$n queries, $corpus, $similarity" cpu gpu
  equal "$what: the device has searched all rows" "$(searched gpu)" 4001 "$(cat gpu.log)"
done
must search whole q20.npy f4 --top-k $k
equal "without a device none is used" "$(searched whole)" 0
mpi 3 "$vocabench" retrieve --queries q20.npy --corpus f4 --top-k $k --output three.jsonl.zst --ids three.npy --device gpu \
  --threads 1 >out 2>err
verdict $? "3 ranks share a device" "$(cat err)"
alike "3 ranks" whole three
equal "each has searched its part" "$(searched three)" 4001
must search threads q20.npy f4 --top-k $k --device gpu --threads 3
alike "beside other threads" whole threads
must search all q20.npy f4 --top-k 5000
must search more q20.npy f4 --top-k 5000 --device gpu --threads 1
alike "more rows wanted than there are" all more
must search little q20.npy f4 --top-k $k --device gpu --threads 1 --memory 1200KiB
alike "little memory" whole little
must search auto q20.npy f4 --top-k $k --device auto
alike "auto takes no processor" whole auto
equal "and says so" "$(searched auto)" 0
VOCABENCH_FAULT=device-launch:1:short refuses "a device that differs is refused" 11 'gives other bits' \
  "$vocabench" retrieve --queries q20.npy --corpus f4 --top-k $k --output bad.jsonl.zst --device gpu

# ---- what fails, behind the start-up check ----------------------------------------------------------------------
buffers=$(proof_takes device-alloc)
VOCABENCH_FAULT=device-alloc:$((buffers + 2))+:ENOMEM must search failed q20.npy f4 --top-k $k --device gpu --threads 1
alike "no memory on the device" whole failed
launches=$(proof_takes device-launch)
VOCABENCH_FAULT=device-launch:$((launches + 20))+:EIO must search failed q20.npy f4 --top-k $k --device gpu --threads 1
alike "a device that fails" whole failed
check "which searched some rows first" test "$(searched failed)" -gt 0 -a "$(searched failed)" -lt 4001
like "and it is told" 'note: rank 0 searches on with the CPU: .*CL_OUT_OF_RESOURCES' failed.log
for fault in unit:3:kill unit:9:kill; do
  VOCABENCH_FAULT=$fault search cut q20.npy f4 --top-k $k --device gpu --threads 1 --checkpoint-seconds 0
  verdict "$((! $?))" "killed: $fault"
done
must search cut q20.npy f4 --top-k $k
alike "the CPU goes on" whole cut
check "with what was finished" test "$(jq .run.blocks_resumed cut.summary.json)" -gt 0
VOCABENCH_FAULT=unit:4:kill search back q20.npy f4 --top-k $k --threads 1 --checkpoint-seconds 0
must search back q20.npy f4 --top-k $k --device gpu --threads 1
alike "and a device after the CPU" whole back
check "with what that had finished" test "$(jq .run.blocks_resumed back.summary.json)" -gt 0
finish
