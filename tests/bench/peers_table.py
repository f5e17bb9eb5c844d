#!/usr/bin/env python3
"""The race's JSON as the tables of docs/measurements.md: peers_table.py [results.json] [retrieval.json]

A file that is not there is left out."""
import json
import os
import sys


def table(head, rows):
    if not rows:
        return
    print("|" + "|".join(f" {title} " for title in head) + "|")
    print("|" + "---|" * len(head))
    for row in rows:
        print("|" + "|".join(f" {value} " if value else " " for value in row) + "|")
    print()


def percent(share):
    return f"{100 * share:.0f} %" if share is not None else ""


def threads_of(case):
    return f"{case['processes']} x {case['threads']}" if case.get("processes", 1) > 1 else str(case["threads"])


def runner(case, name):
    return next((row for row in case["runners"] if row["runner"] == name), {})


def ratio(row):
    """Ours against a peer; one with other results says nothing."""
    return f"{row['vocabench_times_as_fast']:.2f}" if row.get("agrees") else "other results" if row else ""


def least(case, peers):
    ratios = [runner(case, peer)["vocabench_times_as_fast"] for peer in peers if runner(case, peer).get("agrees")]
    return f"{min(ratios):.2f}" if ratios else ""


def images(results, peers):
    rows = []
    for case in results["cases"]:
        ours, files = case["runners"][0], runner(case, "vocabench, JPEG")
        rows.append([case["tower"], str(case["batch"]), threads_of(case), f"{ours['images_per_second']:.2f}",
                     percent(ours["share_of_peak"]), percent(ours["share_of_gemm"]),
                     *(ratio(runner(case, peer)) for peer in peers), least(case, peers),
                     f"{files['of_encoding_alone']:.3f}" if files else ""])
    table(["tower", "batch", "threads", "images/s", "of the peak", "of GEMM", *(f"times {peer}" for peer in peers),
           "times the best", "from JPEG files, of encoding alone"], rows)


def padded(row):
    if not row:
        return ""
    share = percent(row["share_of_peak"])
    return f"{ratio(row)} ({row['prompts_per_second']:.1f}/s, batch {row['batch']}, {share} of the peak)"


def prompts(results, peers):
    rows = []
    for case in results["prompts"]:
        ours, counted = case["runners"][0], case["rows_a_prompt"]
        rows.append([str(case["threads"]), f"{ours['prompts_per_second']:.1f}",
                     f"{counted['computed']:.2f} of {counted['padded']:.0f}", percent(ours["share_of_peak"]),
                     *(padded(runner(case, peer)) for peer in peers)])
    table(["threads", "prompts/s", "rows a prompt", "of the peak", *(f"times {peer}" for peer in peers)], rows)


def retrieval(results):
    rows = []
    for case in results["cases"]:
        fp32, copy = runner(case, "fp32"), runner(case, "int8")
        flats = [row for row in case["runners"] if " flat-" in row["runner"]]
        best = min(flats, key=lambda row: row["seconds"]) if flats else None
        against = [f"{best[f'{kind}_times_as_fast']:.2f}" for kind in ("fp32", "int8")] + [best["runner"]] if best else [""] * 3
        rows.append([f"{results['rows']:,}", str(case["queries"]), str(case["threads"]), f"{1e3 * fp32['seconds']:.1f}",
                     percent(fp32["of_reading"]), percent(fp32["of_gemm"]), f"{1e3 * copy['seconds']:.1f}",
                     f"{fp32['seconds'] / copy['seconds']:.2f}", *against])
    table(["rows", "queries", "threads", "fp32: ms", "of reading", "of GEMM", "copy: ms", "copy, times fp32", "fp32, times FAISS",
           "copy, times FAISS", "the faster FAISS Flat"], rows)


def main():
    for path in sys.argv[1:]:
        if not os.path.exists(path):
            continue
        with open(path, encoding="utf-8") as file:
            results = json.load(file)
        held = results.get("held", {})
        load = f"load {results['load'][0]:.1f} at the start"
        if results["schema"].startswith("vocabench.retrieval-peers/"):
            print(f"{results['date']}, level {results['level']}, {load}; {', '.join(f'{peer} with {held[peer]}' for peer in results['peers'])}\n")
            retrieval(results)
            continue
        versions = results["versions"]
        peers = [peer for peer in ("onnxruntime", "openvino", "torch") if peer in versions]
        print(f"{results['date']}, {results['processor']}, {results['cores']} cores, level {results['level']}, {load}; "
              f"medians of {results['rounds']} rounds; {', '.join(versions[peer] for peer in peers)}\n")
        prompts(results, peers)
        images(results, peers)
        for entry in held:
            print(f"- {entry['tower']}: {entry['runner']}: {entry['reach']}")
        for skipped in results["skipped"]:
            print(f"- {skipped['tower']}, {threads_of(skipped) if 'threads' in skipped else 'all'}: {skipped['why']}")


if __name__ == "__main__":
    main()
