#!/usr/bin/env python3
"""Exact retrieval against FAISS, side by side: race_retrieval.py BENCH_RETRIEVAL SCRATCH ROWS PYTHON...

Each PYTHON is an interpreter that can import faiss. All runners hold the same rows; they take turns, so that a slow phase of the machine
meets each, and rest while another one runs. Figures are medians; ratios are of rates, above 1 where vocabench is faster."""
import array
import os
import statistics
import subprocess
import sys

COUNTS, K = (1, 20, 100, 1000), 100
SECONDS_ENOUGH = 60  # of one case of one runner; the rounds end there


class Runner:
    def __init__(self, command, **environment):
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                                        env={**os.environ, "OMP_WAIT_POLICY": "passive", **environment})
        answer = self.process.stdout.readline().split(maxsplit=1)
        if not answer or answer[0] != "ready":
            raise RuntimeError(f"{command[0]} did not start")
        self.name = answer[1].strip()

    def time(self, kind, queries, threads, ids):
        self.process.stdin.write(f"{kind} {queries} {threads} {ids}\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        if not answer:
            raise RuntimeError(f"{self.name}: ended while it ran {kind}")
        return float(answer)

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def lists(path):
    ids = array.array("q")
    with open(path, "rb") as file:
        ids.frombytes(file.read())
    return [ids[at : at + K] for at in range(0, len(ids), K)]


def in_common(ours, theirs):
    """The share of their lists' entries that are in the exact lists."""
    return sum(len(set(a) & set(b)) for a, b in zip(ours, theirs)) / sum(len(a) for a in ours)


def race(ours, peers, rows, queries, threads, scratch, rounds):
    ids = os.path.join(scratch, "ids")
    times, gemm = {}, []
    runs = [("fp32", ours, "fp32"), ("int8", ours, "int8"), ("reading", ours, "reading"), ("reading8", ours, "reading8")]
    for peer in peers:
        for kind in ("flat-blas", "flat-loops", "sq8"):
            if (kind == "flat-loops" and queries > 1) or (kind == "sq8" and queries > 1):
                continue  # they fall behind by factors there, for minutes
            runs.append((f"{peer.name} {kind}", peer, kind))
    exact, shares = None, {}
    for _ in range(rounds):
        gemm.append(ours.time("gemm", 1, threads, ids))
        for name, runner, kind in runs:
            if sum(times.get(name, [])) > SECONDS_ENOUGH:
                continue
            times.setdefault(name, []).append(runner.time(kind, queries, threads, ids))
            if name == "fp32":
                exact = lists(ids)
            elif "reading" not in name:
                shares[name] = in_common(exact, lists(ids))
    median = {name: statistics.median(values) for name, values in times.items()}
    flop = 2 * rows * 512 * queries
    print(f"\n{rows:,} rows x 512, k = {K}, {queries} quer{'y' if queries == 1 else 'ies'}, {threads} thread{'s' * (threads > 1)}: "
          f"GEMM {statistics.median(gemm):.0f} GFLOP/s, reading {rows * 2048 / median['reading'] / 1e9:.1f} GB/s")
    for name, seconds in median.items():
        if "reading" in name:
            continue
        size, reading = (2048, "reading") if name == "fp32" else (524, "reading8")
        notes = ""
        if name in ("fp32", "int8"):
            of_gemm = flop / seconds / 1e9 / statistics.median(gemm)
            notes = f"{100 * median[reading] / seconds:4.0f} % of reading, {100 * of_gemm:4.0f} % of GEMM"
        else:
            notes = f"fp32 is {seconds / median['fp32']:.2f} times as fast, int8 {seconds / median['int8']:.2f} times"
        if name == "int8":
            notes += f", {median['fp32'] / seconds:.2f} times fp32"
        if name in shares:
            notes += f"; {100 * shares[name]:.2f} % of the exact lists"
        print(f"  {name:28} {1e3 * seconds:10.1f} ms {queries / seconds:10.2f} queries/s {flop / seconds / 1e9:8.1f} GFLOP/s   {notes}")
    sys.stdout.flush()


def main():
    bench, scratch, rows, pythons = sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4:]
    os.makedirs(scratch, exist_ok=True)
    path, most = os.path.join(scratch, "rows.f32"), max(COUNTS)
    ours, peers = Runner([bench, "--worker", str(rows), str(most), path]), []
    here = os.path.dirname(os.path.abspath(__file__))
    try:
        for python in pythons:
            # Debian's OpenBLAS does not know newer processors and would fall back to a kernel that is five times slower.
            peers.append(Runner([python, os.path.join(here, "faiss_worker.py"), str(rows), str(most), path], OPENBLAS_CORETYPE="SkylakeX"))
        print(f"vocabench at level {ours.name} against {', '.join(p.name for p in peers)} (OPENBLAS_CORETYPE=SkylakeX)")
        for threads in (1, 2):
            for queries in COUNTS:
                race(ours, peers, rows, queries, threads, scratch, 5 if rows <= 1000000 else 3)
    finally:
        for runner in [ours, *peers]:
            runner.close()
        for name in ("rows.f32", "ids"):
            if os.path.exists(os.path.join(scratch, name)):
                os.remove(os.path.join(scratch, name))


if __name__ == "__main__":
    main()
