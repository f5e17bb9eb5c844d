#!/usr/bin/env python3
"""One runner of race_retrieval.py: FAISS on the rows of a file.  faiss_worker.py ROWS QUERIES FILE

Answers each line "flat|sq8 QUERIES THREADS IDS" with the seconds of one search (of the processor for one thread, of the clock for more,
as bench_retrieval counts them), and writes the row numbers to the file IDS.
"level" is answered with the instruction set that FAISS uses, where it says so, and the processor that OpenBLAS takes this one for.
Flat runs at its best setting: both of FAISS's routes (its own loops, BLAS) are open to the racer, as flat-blas and flat-loops."""
import ctypes
import re
import sys
import time

import faiss
import numpy as np

DIM, K = 512, 100
rows, most_queries, path = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
with open(path, "rb") as file:
    corpus = np.empty((rows, DIM), np.float32)  # large arrays of NumPy's ask for huge pages, FAISS's own copy would not
    file.readinto(corpus)
    queries = np.fromfile(file, np.float32).reshape(most_queries, DIM)
index = None


def limit_blas(threads):
    """OpenBLAS may have threads of its own, which FAISS's setting does not reach."""
    with open("/proc/self/maps", encoding="utf-8") as maps:
        for path in set(re.findall(r"\S*openblas\S*", maps.read())):
            function = getattr(ctypes.CDLL(path), "openblas_set_num_threads", None)
            if function:
                function(threads)


def level():
    simd = getattr(faiss, "SIMDConfig", None)
    blas = []
    with open("/proc/self/maps", encoding="utf-8") as maps:
        for path in sorted(set(re.findall(r"\S*openblas\S*", maps.read()))):
            function = getattr(ctypes.CDLL(path), "openblas_get_corename", None)
            if function:
                function.restype = ctypes.c_char_p
                blas.append("OpenBLAS's " + function().decode())
    return ", ".join([simd.get_level_name() if simd else "loops of unknown level", *blas])


print("ready FAISS", faiss.__version__, flush=True)
for line in sys.stdin:
    if line.strip() == "level":
        print(level(), flush=True)
        continue
    kind, count, threads, ids_path = line.split()
    wanted = queries[: int(count)]
    faiss.omp_set_num_threads(int(threads))
    limit_blas(int(threads))
    if kind == "sq8" and index is None:
        index = faiss.IndexScalarQuantizer(DIM, faiss.ScalarQuantizer.QT_8bit, faiss.METRIC_INNER_PRODUCT)
        index.train(corpus[:20000])
        for at in range(0, rows, 100000):
            index.add(corpus[at : at + 100000])
    faiss.cvar.distance_compute_blas_threshold = 1 if kind == "flat-blas" else 1 << 30
    clock = time.process_time if int(threads) == 1 else time.perf_counter
    start = clock()
    if kind == "sq8":
        _, ids = index.search(wanted, K)
    else:
        _, ids = faiss.knn(wanted, corpus, K, metric=faiss.METRIC_INNER_PRODUCT)
    seconds = clock() - start
    np.ascontiguousarray(ids, np.int64).tofile(ids_path)
    print(f"{seconds:.9g}", flush=True)
