#!/usr/bin/env python3
"""Time of `vocabench retrieve` against rows, queries and threads, from memory and from disk.

scan_law.py BENCH_RETRIEVAL VOCABENCH SCRATCH ROWS   (4 x ROWS x 2048 bytes on disk)
Corpora of 1, 2 and 4 times ROWS rows, fp32, in parts; seconds are the program's own, without the start of MPI. Rounds of all sizes take
turns; medians. `from disk` means that the system has dropped the parts from its cache just before."""
import json
import os
import shutil
import statistics
import struct
import subprocess
import sys

DIM, PARTS_A_SIZE, ROUNDS = 512, 4, 3


def npy_header(rows):
    text = f"{{'descr': '<f4', 'fortran_order': False, 'shape': ({rows}, {DIM}), }}".ljust(117) + "\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text.encode()


def write_npy(path, source, rows):
    with open(path, "wb") as out:
        out.write(npy_header(rows))
        left = rows * DIM * 4
        while left:
            piece = source.read(min(left, 16 << 20))
            out.write(piece)
            left -= len(piece)


def make(bench, scratch, rows):
    raw = os.path.join(scratch, "rows.f32")
    worker = subprocess.Popen([bench, "--worker", str(4 * rows), "100", raw], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    if not worker.stdout.readline().startswith(b"ready"):
        raise RuntimeError("bench_retrieval did not write its rows")
    worker.stdin.close()
    worker.wait()
    part_rows, parts = rows // PARTS_A_SIZE, []
    with open(raw, "rb") as source:
        for part in range(4 * PARTS_A_SIZE):
            parts.append(os.path.join(scratch, f"part{part:02}.npy"))
            write_npy(parts[-1], source, part_rows)
        asked = source.read()
    os.remove(raw)
    for queries in (1, 20, 100):
        with open(os.path.join(scratch, f"q{queries}.npy"), "wb") as out:
            out.write(npy_header(queries) + asked[: queries * DIM * 4])
    for times in (1, 2, 4):
        folder = os.path.join(scratch, f"x{times}")
        os.makedirs(folder)
        for part in parts[: times * PARTS_A_SIZE]:
            os.link(part, os.path.join(folder, os.path.basename(part)))
    os.sync()


def drop(folder):
    for name in os.listdir(folder):
        with open(os.path.join(folder, name), "rb") as part:
            os.posix_fadvise(part.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def scan(vocabench, scratch, times, queries, threads, cold):
    folder, output = os.path.join(scratch, f"x{times}"), os.path.join(scratch, "list.jsonl.zst")
    if cold:
        drop(folder)
    subprocess.run([vocabench, "retrieve", "--queries", os.path.join(scratch, f"q{queries}.npy"), "--corpus", folder, "--top-k", "100",
                    "--output", output, "--threads", str(threads)], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    with open(os.path.join(scratch, "list.summary.json"), encoding="utf-8") as file:
        return json.load(file)["run"]["seconds"]


def main():
    bench, vocabench, scratch, rows = sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4])
    shutil.rmtree(scratch, ignore_errors=True)
    os.makedirs(scratch)
    try:
        make(bench, scratch, rows)
        print(f"retrieve, k = 100, fp32, {rows:,} x 1, 2, 4 rows of {DIM}: median seconds; deviation from proportional to rows")
        for cold in (False, True):
            for threads in (1, 2):
                for queries in (1, 20, 100):
                    seconds = {times: [] for times in (1, 2, 4)}
                    scan(vocabench, scratch, 4, queries, threads, False)  # into the cache
                    for _ in range(ROUNDS):
                        for times, values in seconds.items():
                            values.append(scan(vocabench, scratch, times, queries, threads, cold))
                    one, two, four = (statistics.median(values) for values in seconds.values())
                    print(f"  {'from disk  ' if cold else 'from memory'} {threads} thread{'s' if threads > 1 else ' '} {queries:4} queries: "
                          f"{one:8.3f} {two:8.3f} {four:8.3f} s   {100 * (four / (2 * two) - 1):+5.1f} % from 2 to 4, "
                          f"{100 * (four / (4 * one) - 1):+5.1f} % from 1 to 4   {4 * rows * DIM * 4 / four / 1e9:5.2f} GB/s", flush=True)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


if __name__ == "__main__":
    main()
