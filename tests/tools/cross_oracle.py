#!/usr/bin/env python3
"""REPE beside sets of labels that cross vocabularies, by runs that know no retrieval: cross_oracle.py make | follow RUN | check RUN FOLLOWED APART

follow, followed.yaml: for each setting a model of its blended texts, on all images and on those outside of each fold; apart.yaml: one whose images are in
the dimensions of their fold, its texts there being those of the setting that was chosen for the fold. check: RUN's settings, choices
and cross-fitted figures are those models'."""
import json
import os
import re
import sys

import numpy as np

FOLDS, DIM, ROWS = 3, 10, 8
# dove and rose are in several vocabularies. Synsets 100, 200 and 300 are above all, animals and plants.
CLASSES = ["ape", "bat", "cat", "dove", "elk", "fern", "gum", "holly", "iris", "jute", "kelp", "rose"]
VOCABULARIES = {"a": [0, 1, 2, 3], "b": [4, 3, 5, 11], "c": [6, 7, 8], "d": [9, 3, 10, 11]}


def make():
    rng = np.random.default_rng(2)
    count = len(CLASSES)
    with open("v.yaml", "w", encoding="utf-8") as file:
        file.write("name: v\nvocabularies:\n")
        for name, classes in VOCABULARIES.items():
            file.write(f"  {name}: [{', '.join(f'{{id: n{1000 + c:08d}, name: {CLASSES[c]}}}' for c in classes)}]\n")
    order = list(dict.fromkeys(c for v in VOCABULARIES.values() for c in v))
    texts = rng.standard_normal((count, DIM)) * rng.uniform(0.5, 2, (count, 1))
    y = np.concatenate([np.arange(count), rng.integers(0, count, 140)])
    sets = []
    for i, c in enumerate(y):
        more = [int(x) for x in rng.integers(0, count, 2)][:i % 3]
        sets.append([CLASSES[k] for k in dict.fromkeys((more + [int(c)])[::1 if i % 2 else -1])] if i % 29 != 28 else [])
    with open("sets.json", "w", encoding="utf-8") as file:
        json.dump(sets, file)
    np.save("t.npy", texts[order].astype("f4"))
    np.save("i.npy", (texts[y] + 1.3 * rng.standard_normal((len(y), DIM))).astype("f4"))
    for folder in ("img_emb", "text_emb", "metadata"):
        os.makedirs(f"corpus/{folder}")
    rows = np.repeat(texts, ROWS, 0) + 0.8 * rng.standard_normal((ROWS * count, DIM))
    np.save("corpus/img_emb/0.npy", rows.astype("f4"))
    np.save("corpus/text_emb/0.npy", (rows + rng.standard_normal(rows.shape)).astype("f4"))
    with open("corpus/metadata/0.txt", "w", encoding="utf-8") as file:  # no caption of jute's is kept
        file.writelines(f"{'a ' + CLASSES[i // ROWS] if i % 3 and i // ROWS != 9 else 'thing'} {i}\n" for i in range(ROWS * count))
    names = ["animal", "rose"] + [f"name {i}" for i in range(20)]
    with open("names.txt", "w", encoding="utf-8") as file:
        file.write("\n".join(names) + "\n")
    np.save("n.npy", rng.standard_normal((len(names), DIM)).astype("f4"))
    nouns = {100: ("entity", None), 200: ("animal", 100), 300: ("plant", 100)}
    nouns.update({1000 + c: (name, 200 if c < 5 else 300) for c, name in enumerate(CLASSES)})
    with open("data.noun", "w", encoding="utf-8") as file:
        for at, (name, above) in nouns.items():
            file.write(f"{at:08d} 03 n 01 {name} 0 " + (f"001 @ {above:08d} n 0000" if above else "000") + " | what\n")
    with open("index.noun", "w", encoding="utf-8") as file:
        file.writelines(f"{name} n 1 1 @ 1 0 {at:08d}\n" for at, (name, _) in sorted(nouns.items(), key=lambda n: n[1][0]))


def entries_of(run):
    with open(f"{run}/results.json", encoding="utf-8") as file:
        return json.load(file)["results"]


def name_of(row):
    return f"k{row['top_k']}-l{row['lambda']:g}"


def folds(sets):
    """Of each image; -1 where none counts. Classes are numbered as the vocabulary file has them first."""
    order = list(dict.fromkeys(CLASSES[c] for v in VOCABULARIES.values() for c in v))
    seen, of = {}, []
    for labels in sets:
        c = order.index(labels[0]) if labels else None
        of.append((c + seen.get(c, 0)) % FOLDS if labels else -1)
        seen[c] = seen.get(c, 0) + 1
    return of


def follow(run):
    with open("sets.json", encoding="utf-8") as file:
        sets = json.load(file)
    retrieval, fold = entries_of(run)[0]["retrieval"], folds(sets)
    for f in range(FOLDS):
        with open(f"outside-{f}.json", "w", encoding="utf-8") as file:
            json.dump([s if fold[i] != f else [] for i, s in enumerate(sets)], file)
    images = np.load("i.npy")
    apart = np.zeros((len(images), FOLDS, DIM), "f4")
    apart[np.arange(len(images)), np.maximum(fold, 0)] = images
    np.save("apart-i.npy", apart.reshape(len(images), -1))
    np.save("apart-t.npy", np.concatenate([np.load(f"{run}/retrieval/m--d-{name_of(c)}.npy") for c in retrieval["cross"]["choices"]], 1))
    sets_of = {"d": "sets.json", **{f"d{f}": f"outside-{f}.json" for f in range(FOLDS)}}
    head = "family: precomputed, similarity: dot, logit_scale: 2"
    with open("top.yaml", encoding="utf-8") as file:
        top = file.read()
    with open("followed.yaml", "w", encoding="utf-8") as file:
        print(f"{top}datasets: [{', '.join(f'{{name: {d}, vocabularies: v.yaml}}' for d in sets_of)}]\nmodels:", file=file)
        for row in retrieval["results"]:
            text = f"{run}/retrieval/m--d-{name_of(row)}.npy"
            entries = [f"{{dataset: {d}, image_embeddings: i.npy, text_embeddings: {text}, labels: {labels}}}" for d, labels in sets_of.items()]
            print(f"  - {{name: {name_of(row)}, {head}, embeddings: [{', '.join(entries)}]}}", file=file)
    with open("apart.yaml", "w", encoding="utf-8") as file:  # names and hierarchy have other dimensions, or none
        print(re.sub("(?m)^(analyses|hierarchy|open_curve):.*\n", "", top) + "datasets: [{name: d, vocabularies: v.yaml}]", file=file)
        print(f"models: [{{name: m, {head}, image_embeddings: apart-i.npy, text_embeddings: apart-t.npy, labels: sets.json}}]", file=file)


wrong = []


def same(name, found, expected, less=()):
    if isinstance(found, dict) and isinstance(expected, dict):
        for key in found:
            if key not in less:
                same(f"{name}.{key}", found[key], expected.get(key, "nothing"))
    elif isinstance(found, float) and isinstance(expected, float):
        if abs(found - expected) > 1e-12:
            wrong.append(f"{name}: {found}, expected {expected}")
    elif isinstance(found, list) and isinstance(expected, list) and len(found) == len(expected):
        for i, (one, other) in enumerate(zip(found, expected)):
            same(f"{name}[{i}]", one, other)
    elif found != expected:
        wrong.append(f"{name}: {found}, expected {expected}")


def check(run, followed, apart):
    by = {(entry["model"], entry["dataset"]): entry for entry in entries_of(followed)}
    retrieval = entries_of(run)[0]["retrieval"]
    rows, cross = retrieval["results"], retrieval["cross"]
    own = ("top_k", "lambda", "gain", "stated", "best", "selected_on", "classes_without_captions", "similarity", "text_embeddings_digest")
    for row in rows:
        same(name_of(row), row, by[name_of(row), "d"], own)
        missing = {"open_curve", "open_set", "calibration"} - set(row["analyses"])
        if bool(missing) == bool(row.get("stated")) or "hierarchy" not in row["analyses"]:
            wrong.append(f"{name_of(row)}: analyses {sorted(row['analyses'])}")
    chosen = []
    for f in range(FOLDS):
        scores = [by[name_of(row), f"d{f}"]["exact"]["acc_e"] for row in rows]
        chosen.append(name_of(rows[int(np.argmax(scores))]))
    same("choices", [name_of(c) for c in cross["choices"]], chosen)
    if len(set(chosen)) < 2:
        wrong.append(f"one choice for all: {chosen}")
    same("cross", cross, entries_of(apart)[0], ("choices", "folds", "gain"))
    print("\n".join(wrong) if wrong else f"{len(rows)} settings, and {chosen}")
    return bool(wrong)


if __name__ == "__main__":
    if sys.argv[1] == "make":
        os.chdir(sys.argv[2])
    sys.exit({"make": make, "follow": follow, "check": check}[sys.argv[1]](*sys.argv[2 + (sys.argv[1] == "make"):]))
