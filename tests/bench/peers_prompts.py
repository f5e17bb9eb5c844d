"""The race of prompts: templates x class names through a text tower, ours as a run encodes a dataset's classes (equal texts and
beginnings once, texts up to their end), the others' on the same tokens padded to the tower's context, in the best batch."""
import json
import os
import shutil
import subprocess
import sys
import tempfile

import numpy as np

from peers_runner import Entry, Gone, Runner, compare, last_line, off, print_row, row_of, take_turns, word_of

HERE = os.path.dirname(os.path.abspath(__file__))
CONFIGS = os.path.join(HERE, "..", "..", "configs")
TEMPLATES, NAMES = (os.path.join(CONFIGS, kind, "cifar100.yaml") for kind in ("prompts", "vocabularies"))
BATCHES = (1, 4, 16, 64)  # padded prompts at once that are tried with each peer
COMPARED = 64  # prompts whose embeddings are compared, picked at random from all


def tokens_of(folder, model):
    """All prompts as open_clip's own tokenizer cuts them, in the order of ours: names, and each name's templates."""
    path = os.path.join(folder, "prompts.npy")
    command = [sys.executable, os.path.join(HERE, "peers_tokens.py"), model, TEMPLATES, NAMES, path]
    with open(f"{path}.log", "wb") as log:
        try:
            code = subprocess.run(command, stdout=log, stderr=log, timeout=300, check=False).returncode
        except subprocess.TimeoutExpired:
            raise Gone("prompts: not cut into tokens in 300 s") from None
    if code:
        raise Gone(f"prompts: code {code}: {last_line(f'{path}.log')}")
    return np.load(path)


def count_rows(tokens, unit):
    """Rows of the tower a prompt, counted from the tokens by brute force: padded, up to the end token, and distinct beginnings of
    `unit` prompts each, which is what is computed where a row sees those before it alone."""
    ends = tokens.argmax(1) + 1
    beginnings = 0
    for first in range(0, len(tokens), unit):
        some = [tuple(row[:end]) for row, end in zip(tokens[first : first + unit], ends[first : first + unit])]
        beginnings += len({row[:length] for row in some for length in range(1, len(row) + 1)})
    return {"padded": float(tokens.shape[1]), "to_end": float(ends.mean()), "computed": beginnings / len(tokens)}


def best_batch(runner, threads):
    """The batch of least seconds a prompt (of the processor with one thread, else of the clock), and these by batch: the second
    time of each."""
    tried = {}
    for batch in BATCHES:
        for _ in range(2):
            tried[batch] = float(runner.ask(f"time {batch} 1").split()[0 if threads == 1 else 1]) / batch
    return min(tried, key=tried.get), tried


def start_peers(tower, folder, options, threads, expected, results, notes):
    """Entries of the peers that start, each with what is known of it for JSON."""
    scratch = os.path.join(folder, "prompts.f32")
    for peer in options.peers:
        if peer != "torch" and "text_onnx_error" in tower:
            notes.append(f"{peer}: the text tower cannot be exported: {tower['text_onnx_error'][:200]}")
            continue
        runner = None
        try:
            worker = os.path.join(HERE, "peers_worker.py")
            command = [sys.executable, worker, peer, folder, "texts", str(len(expected)), str(threads)]
            runner = Runner(peer, command, threads, options.limit, os.path.join(folder, f"{peer}.log"), results["level"])
            error = off(runner.save(COMPARED, scratch), expected[:COMPARED].ravel())
            runner.find_reach(results["level"], "prompts", results)
            batch, tried = best_batch(runner, threads)
            yield Entry(runner, f"time {batch}", batch), {"batch": batch, "seconds_per_prompt_by_batch": tried, "error": error}
        except Gone as e:
            notes.append(str(e))
            if runner:
                runner.close()


def report(case, entries, ceilings, flops, known):
    """Prints the lines of a case, whose runners it fills in."""
    shape, rows = (1, case["threads"]), case["rows_a_prompt"]
    for entry in entries:
        mine = entry is entries[0]
        row = row_of(entry, shape, flops * (rows["computed"] / rows["padded"] if mine else 1), ceilings, "prompt")
        note = f"   {rows['computed']:.2f} rows a prompt"
        if not mine:
            its = known[entry.name]
            row.update(batch=its["batch"], seconds_per_prompt_by_batch=its["seconds_per_prompt_by_batch"])
            compare(row, case["runners"][0], "prompt", its["error"])
            note = f"   {rows['padded']:.0f} rows a prompt"
        place = f"{'prompts':14} {row.get('batch', 'all'):>5} {word_of(shape):>7}"
        print_row(place, row, "prompt", note)
        case["runners"].append(row)


def race_at(threads, tower, folder, tokens, options, results, notes):
    cache = tempfile.mkdtemp(prefix="cache-", dir=folder)
    command = [options.ours, folder, str(threads), "prompts", TEMPLATES, NAMES, cache]
    entries, known = [], {}
    try:
        ours = Runner("vocabench", command, threads, options.limit, os.path.join(folder, "vocabench.log"))
        entries.append(Entry(ours, f"time {len(tokens)}", len(tokens)))
        results["level"], items, columns, flops, context, unit = ours.ready.split()
        if (int(items), int(context)) != tokens.shape:
            raise Gone(f"vocabench: {items} prompts of {context} tokens, but open_clip's tokenizer makes {tokens.shape}")
        expected = ours.save(len(tokens), os.path.join(folder, "prompts.f32")).reshape(-1, int(columns))
        order = np.random.default_rng(11).permutation(len(tokens))  # of the peers: a sample of them is compared
        np.save(os.path.join(folder, "tokens.npy"), tokens[order].astype(np.int64))
        for entry, its in start_peers(tower, folder, options, threads, expected[order], results, notes):
            entries.append(entry)
            known[entry.name] = its
            results["versions"][entry.name] = entry.runner.ready
        ceilings = take_turns(entries, options, notes)
        case = {"tower": os.path.basename(folder), "prompts": len(tokens), "prompts_a_unit": int(unit), "threads": threads,
                "peak_gflops": ceilings["peak"], "gemm_gflops": ceilings["gemm"], "gflop_per_padded_prompt": float(flops) / 1e9,
                "rows_a_prompt": count_rows(tokens, int(unit)), "runners": [], "notes": list(notes)}
        report(case, entries, ceilings, float(flops), known)
        results["prompts"].append(case)
    finally:
        for entry in entries:
            entry.runner.close()
        shutil.rmtree(cache, ignore_errors=True)


def race(folder, options, results):
    with open(os.path.join(folder, "tower.json"), encoding="utf-8") as file:
        tower = json.load(file)
    tokens = tokens_of(folder, tower["model"])
    results["versions"]["open_clip"] = tower["open_clip"]
    results["exported"]["prompts"] = tower.get("text_onnx", tower.get("text_onnx_error"))
    for threads in dict.fromkeys(threads for processes, threads in options.threads if processes == 1):
        notes = []
        try:
            race_at(threads, tower, folder, tokens, options, results, notes)
        finally:
            for note in notes:
                print(f"{'prompts':14} {'':5} {threads:>7}  {note}: skipped", flush=True)
                results["skipped"].append({"tower": "prompts", "processes": 1, "threads": threads, "why": note})
