#!/usr/bin/env python3
"""Exact retrieval against FAISS, side by side: race_retrieval.py [options] BENCH_RETRIEVAL SCRATCH ROWS PYTHON...

Each PYTHON is an interpreter that can import faiss; one that cannot, or crashes, is left out, and a line says why. All runners hold the
same rows; they take turns, so that a slow phase of the machine meets each, and rest while another one runs. Figures are medians; ratios
are of rates, above 1 where vocabench is faster."""
import argparse
import array
import os
import signal
import statistics
import subprocess
import sys
import time

from peers_level import settings
from race_end import keep, stop

K = 100
SECONDS_ENOUGH = 60  # of one case of one runner; the rounds end there


class Gone(Exception):
    """A runner that did not start, or ended."""


class Runner:
    def __init__(self, command, **environment):
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                                        env={"OMP_WAIT_POLICY": "passive", **environment, **os.environ})
        answer = self.process.stdout.readline().split(maxsplit=1)
        if not answer or answer[0] != "ready":
            raise Gone(f"{command[0]} did not start{self.ended()}")
        self.name = answer[1].strip()

    def ended(self):
        code = self.process.wait()
        return f": signal {-code}" if code < 0 else f": code {code}"

    def ask(self, line):
        try:
            self.process.stdin.write(line + "\n")
            self.process.stdin.flush()
        except OSError:
            pass  # it ended: the answer says how
        answer = self.process.stdout.readline()
        if not answer:
            raise Gone(f"{self.name}: ended while it ran {line.split()[0]}{self.ended()}")
        return answer.strip()

    def time(self, kind, queries, threads, ids):
        return float(self.ask(f"{kind} {queries} {threads} {ids}"))

    def close(self):
        try:
            self.process.stdin.close()
        except OSError:
            pass
        try:
            self.process.wait(10)  # it may be at a search that nobody waits for any more
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def lists(path):
    ids = array.array("q")
    with open(path, "rb") as file:
        ids.frombytes(file.read())
    return [ids[at : at + K] for at in range(0, len(ids), K)]


def in_common(ours, theirs):
    """The share of their lists' entries that are in the exact lists."""
    return sum(len(set(a) & set(b)) for a, b in zip(ours, theirs)) / sum(len(a) for a in ours)


def take_turns(ours, runs, case, ids, rounds):
    """Medians of all and what they have in common with the exact lists; the products' rate; why some are out."""
    queries, threads = case
    times, gemm, shares, gone, exact = {}, [], {}, {}, None
    for turn in range(rounds):  # the first one in order, for the exact lists come first; then there and back
        gemm.append(ours.time("gemm", 1, threads, ids))
        for name, runner, kind in runs[::-1] if turn % 2 else runs:
            if runner in gone or sum(times.get(name, [])) > SECONDS_ENOUGH:
                continue
            try:
                times.setdefault(name, []).append(runner.time(kind, queries, threads, ids))
            except Gone as e:
                if runner is ours:
                    raise
                gone[runner] = str(e)
                continue
            if name == "fp32":
                exact = lists(ids)
            elif "reading" not in name:
                shares[name] = in_common(exact, lists(ids))
    return {name: statistics.median(values) for name, values in times.items() if values}, shares, statistics.median(gemm), gone


def race(ours, peers, rows, case, scratch, rounds):
    """One case, (queries, threads): prints it and returns it for JSON. A peer that ends is taken out of `peers`."""
    queries, threads = case
    runs = [("fp32", ours, "fp32"), ("int8", ours, "int8"), ("reading", ours, "reading"), ("reading8", ours, "reading8")]
    for peer in peers:  # loops of its own and 8-bit indices fall behind by factors at many queries, for minutes
        runs += [(f"{peer.name} {kind}", peer, kind) for kind in (("flat-blas",) if queries > 1 else ("flat-blas", "flat-loops", "sq8"))]
    median, shares, gemm, gone = take_turns(ours, runs, case, os.path.join(scratch, "ids"), rounds)
    flop = 2 * rows * 512 * queries
    print(f"\n{rows:,} rows x 512, k = {K}, {queries} quer{'y' if queries == 1 else 'ies'}, {threads} thread{'s' * (threads > 1)}: "
          f"GEMM {gemm:.0f} GFLOP/s, reading {rows * 2048 / median['reading'] / 1e9:.1f} GB/s")
    entry = {"queries": queries, "threads": threads, "gemm_gflops": gemm, "reading_seconds": median["reading"], "runners": []}
    for name, seconds in median.items():
        if "reading" in name:
            continue
        row = {"runner": name, "seconds": seconds, "exact": shares.get(name, 1.0)}
        if name in ("fp32", "int8"):
            row.update(of_reading=median["reading" if name == "fp32" else "reading8"] / seconds, of_gemm=flop / seconds / 1e9 / gemm)
            notes = f"{100 * row['of_reading']:4.0f} % of reading, {100 * row['of_gemm']:4.0f} % of GEMM"
        else:
            row.update(fp32_times_as_fast=seconds / median["fp32"], int8_times_as_fast=seconds / median["int8"])
            notes = f"fp32 is {seconds / median['fp32']:.2f} times as fast, int8 {seconds / median['int8']:.2f} times"
        if name == "int8":
            notes += f", {median['fp32'] / seconds:.2f} times fp32"
        if name in shares:
            notes += f"; {100 * shares[name]:.2f} % of the exact lists"
        print(f"  {name:28} {1e3 * seconds:10.1f} ms {queries / seconds:10.2f} queries/s {flop / seconds / 1e9:8.1f} GFLOP/s   {notes}")
        entry["runners"].append(row)
    for peer, why in gone.items():
        print(f"  {why}: skipped")
        peer.close()
        peers.remove(peer)
    entry["skipped"] = list(gone.values())
    sys.stdout.flush()
    return entry


def numbers(text):
    return list(dict.fromkeys(int(word) for word in text.replace(",", " ").split()))


def read_options():
    parser = argparse.ArgumentParser()
    parser.add_argument("bench")
    parser.add_argument("scratch")
    parser.add_argument("rows", type=int)
    parser.add_argument("pythons", nargs="+")
    parser.add_argument("--queries", type=numbers, default=[1, 20, 100, 1000])
    parser.add_argument("--threads", type=numbers, default=[1, 2])
    parser.add_argument("--rounds", type=int, default=None, help="5 up to a million rows, 3 beyond")
    parser.add_argument("--json", help="a file for the same as JSON")
    return parser.parse_args()


def main():
    options = read_options()
    signal.signal(signal.SIGTERM, stop)
    os.makedirs(options.scratch, exist_ok=True)
    path, most = os.path.join(options.scratch, "rows.f32"), str(max(options.queries))
    rounds = options.rounds or (5 if options.rows <= 1000000 else 3)
    here = os.path.dirname(os.path.abspath(__file__))
    ours, peers = None, []
    try:
        ours = Runner([options.bench, "--worker", str(options.rows), most, path])
        told = settings(ours.name, "faiss")
        results = {"schema": "vocabench.retrieval-peers/1", "date": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), "level": ours.name,
                   "rows": options.rows, "dimensions": 512, "k": K, "load": os.getloadavg(), "rounds": rounds, "settings": told, "held": {},
                   "cases": [], "skipped": []}
        for python in options.pythons:
            try:
                peer = Runner([python, os.path.join(here, "faiss_worker.py"), str(options.rows), most, path], **told)
                results["held"][peer.name] = peer.ask("level")
                peers.append(peer)
            except Gone as e:
                print(f"{e}: skipped")
                results["skipped"].append(str(e))
        results["peers"] = [peer.name for peer in peers]
        print(f"vocabench at level {ours.name} against {', '.join(results['peers']) or 'nobody'} "
              f"({' '.join(f'{key}={value}' for key, value in told.items())})")
        for name, level in results["held"].items():
            print(f"  {name} runs with {level}")
        for threads in options.threads:
            for queries in options.queries:
                results["cases"].append(race(ours, peers, options.rows, (queries, threads), options.scratch, rounds))
                if options.json:
                    keep(results, options.json)
    except KeyboardInterrupt:
        print("interrupted: the cases that are complete are kept")
        sys.exit(130)
    finally:
        for runner in [*peers, ours] if ours else []:
            runner.close()
        for name in ("rows.f32", "ids"):
            if os.path.exists(os.path.join(options.scratch, name)):
                os.remove(os.path.join(options.scratch, name))


if __name__ == "__main__":
    main()
