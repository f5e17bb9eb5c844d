#!/usr/bin/python3
"""Foreign names beside an expansion: expansion_names_oracle.py make FOLDER | check FOLDER RESULTS

make: embeddings of datasets p, q, r (p and q share a name), of 40 names, and of single datasets in which p and q are vocabularies:
two things of the shared name (apart), one (one), or without it (without); and p and r (far). check: the open curve by rule `same`, for whose
images the other dataset's class of that name is no rival, from the embeddings."""
import json
import sys
from math import comb

import numpy as np

CLASSES = {"p": ["apple", "pear", "orange", "bear"], "q": ["sky", "orange", "red"], "r": ["bus", "car", "van"]}
JOINED = {"apart": ("p", "q"), "one": ("p", "q"), "without": ("p", "q"), "far": ("p", "r")}


def put(folder, name, vocabularies, texts, images):
    """images: rows and the place of their class in the list of texts, a dict by name."""
    names = list(texts)
    np.save(f"{folder}/{name}-t.npy", np.array([texts[n] for n in names], "f4"))
    np.save(f"{folder}/{name}-i.npy", np.array([x for x, _ in images], "f4"))
    np.save(f"{folder}/{name}-y.npy", np.array([names.index(y) for _, y in images], "i4"))
    with open(f"{folder}/{name}.yaml", "w", encoding="utf-8") as file:
        file.write(f"name: {name}\nvocabularies:\n")
        file.writelines(f"  {v}: [{', '.join(own)}]\n" for v, own in vocabularies.items())


def make(folder):
    rng = np.random.default_rng(17)
    data = {}
    for name, classes in CLASSES.items():
        texts = {c: rng.standard_normal(8) for c in classes}
        data[name] = texts, [(texts[c] + rng.standard_normal(8), c) for c in classes for _ in range(6)]
    data["q"][0]["orange"] = data["p"][0]["orange"] + 0.3 * rng.standard_normal(8)
    for name, (texts, images) in data.items():
        put(folder, name, {"all": CLASSES[name]}, texts, images)
    np.save(f"{folder}/n.npy", rng.standard_normal((40, 8)).astype("f4"))
    with open(f"{folder}/names.txt", "w", encoding="utf-8") as file:
        file.writelines(f"name {i}\n" for i in range(40))
    for joined, parts in JOINED.items():
        texts, images, vocabularies = {}, [], {}
        for part in parts:
            called = {c: f"{c} of {part}" if joined == "apart" and part == "q" and c == "orange" else c for c in CLASSES[part]}
            kept = [c for c in CLASSES[part] if joined != "without" or c != "orange"]
            vocabularies[part] = [called[c] for c in kept]
            for c in kept:
                texts.setdefault(called[c], data[part][0][c])
            images += [(x, called[c]) for x, c in data[part][1] if c in kept]
        put(folder, joined, vocabularies, texts, images)


def unit(x):
    return x / np.linalg.norm(x, axis=1, keepdims=True)


def check(folder, path):
    load = {k: [unit(np.load(f"{folder}/{p}-{k}.npy").astype(float)) for p in "pq"] for k in "it"}
    names = unit(np.load(f"{folder}/n.npy").astype(float))
    result = next(r for r in json.load(open(path, encoding="utf-8"))["results"] if r["dataset"] == "same")
    curve, seen = result["analyses"]["open_curve"], 0
    for t in range(2):
        labels = np.load(f"{folder}/{'pq'[t]}-y.npy")
        for scope in ("own", "all"):
            taken = []
            for x, y in zip(load["i"][t], labels):
                own, name = load["t"][t] @ x, CLASSES["pq"[t]][y]
                rivals = [s for c, s in enumerate(own) if c != y]
                if scope == "all":
                    rivals += [s for c, s in zip(CLASSES["pq"[1 - t]], load["t"][1 - t] @ x) if c != name]
                taken.append(int((names @ x > own[y]).sum()) if own[y] > max(rivals) else None)
            part = curve["vocabularies"][t][scope]
            for n, found in zip(curve["n"], part["accuracy"]):
                expected = sum(comb(40 - h, n) / comb(40, n) for h in taken if h is not None) / len(taken)
                seen += 1
                if abs(found - expected) > 1e-12:
                    sys.exit(f"{'pq'[t]} {scope} {n}: {found}, expected {expected}")
    # A rule that makes no difference would show nothing.
    beaten = sum(load["t"][1][1] @ x > load["t"][0][2] @ x for x, y in zip(load["i"][0], np.load(f"{folder}/p-y.npy")) if y == 2)
    if not beaten:
        sys.exit("the other dataset's class of that name is nearer to no image")
    print(f"{seen} figures")


if sys.argv[1] == "make":
    make(sys.argv[2])
else:
    check(sys.argv[2], sys.argv[3])
