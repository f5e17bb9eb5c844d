#!/usr/bin/env python3
"""Errors by their way through WordNet, from data.noun itself: hierarchy_oracle.py make FOLDER | check FOLDER SETS RESULTS WORDNET

make: random embeddings of 240 images and 14 classes in 4 vocabularies, some lying above others in WordNet, one in three
vocabularies; single labels and sets. check: every figure of analyses.hierarchy, ways found by breadth-first search."""
import json
import math
import sys

import numpy as np

CLASSES = {"dog": "n02084071", "cat": "n02121620", "poodle": "n02113335", "animal": "n00015388", "robin": "n01558993",
           "bird": "n01503061", "hen": "n01514859", "chair": "n03001627", "furniture": "n03405725", "armchair": "n02738535",
           "table": "n04379243", "tench": "n01440764", "fish": "n02512053", "goldfish": "n01443537"}
VOCABULARIES = {"pets": [0, 1, 2, 3], "birds": [4, 5, 6], "things": [7, 8, 9, 10, 4], "water": [11, 12, 13, 4]}
NAMES = list(CLASSES)


def make(folder):
    rng = np.random.default_rng(3)
    texts = rng.standard_normal((14, 12)).astype(np.float32)
    labels = [i % 14 for i in range(240)]
    images = (texts[labels] + 1.3 * rng.standard_normal((240, 12))).astype(np.float32)
    sets = [[y] + [int(c) for c in rng.permutation(14)[:rng.integers(0, 3)] if c != y] if i % 5 else [] for i, y in
            enumerate(labels)]
    np.save(f"{folder}/i.npy", images)
    np.save(f"{folder}/t.npy", texts)
    np.save(f"{folder}/y.npy", np.array(labels, dtype=np.int64))
    json.dump([[CLASSES[NAMES[c]] for c in s] for s in sets], open(f"{folder}/sets.json", "w"))
    json.dump([[y] for y in labels], open(f"{folder}/single.sets", "w"))
    json.dump(sets, open(f"{folder}/several.sets", "w"))
    with open(f"{folder}/v.yaml", "w") as out:
        out.write("name: v\nvocabularies:\n")
        for name, members in VOCABULARIES.items():
            out.write(f"  {name}: [" + ", ".join(f"{{id: {CLASSES[NAMES[c]]}, name: {NAMES[c]}}}" for c in members) + "]\n")


def parents_of(wordnet):
    parents = {}
    for line in open(f"{wordnet}/data.noun"):
        if line.startswith("  "):
            continue
        f = line.split(" ")
        at = 4 + 2 * int(f[3], 16)
        parents["n" + f[0]] = ["n" + f[at + 2 + 4 * i] for i in range(int(f[at])) if f[at + 1 + 4 * i] in ("@", "@i")]
    return parents


def steps_up(synset, parents):
    steps, edge = {synset: 0}, [synset]
    while edge:
        edge = [p for s in edge for p in parents[s] if steps.setdefault(p, steps[s] + 1) == steps[s] + 1]
    return steps


def close(what, found, wanted):
    if wanted is None or math.isnan(wanted):
        if found is not None:
            sys.exit(f"{what} is {found}, expected null")
    elif found is None or not abs(found - wanted) <= 1e-12:
        sys.exit(f"{what} is {found}, expected {wanted}")


def mean(x):
    return float(np.mean(x)) if len(x) else math.nan


def histogram(lengths):
    return [[int(n), int(c)] for n, c in zip(*np.unique(lengths, return_counts=True))]


def check(folder, labels, results, wordnet):
    parents = parents_of(wordnet)
    up = [steps_up(CLASSES[n], parents) for n in NAMES]
    way = [[min(up[a][s] + up[b][s] for s in up[a] if s in up[b]) for b in range(14)] for a in range(14)]
    above = [[CLASSES[NAMES[b]] in up[a] for b in range(14)] for a in range(14)]  # b lies above a, or is a

    sets = json.load(open(f"{folder}/{labels}"))
    x, t = np.load(f"{folder}/i.npy").astype(float), np.load(f"{folder}/t.npy").astype(float)
    scores = (x @ t.T) / np.linalg.norm(t, axis=1)
    kept = [i for i, s in enumerate(sets) if s]
    members = list(VOCABULARIES.values())
    found = json.load(open(results))["results"][0]
    its = found["analyses"]["hierarchy"]

    def prediction(i, vocabularies):
        classes = sorted({c for v in vocabularies for c in members[v]})
        return classes[int(np.argmax(scores[i, classes]))]

    def count(images, vocabularies):
        right, hyper, hypo, lengths = 0, 0, 0, []
        for i in images:
            p = prediction(i, vocabularies)
            if p in sets[i]:
                right += 1
                continue
            lengths.append(min(way[y][p] for y in sets[i]))
            h = any(above[y][p] for y in sets[i])
            hyper += h
            hypo += not h and any(above[p][y] for y in sets[i])
        n = len(images)
        p = (right + hyper) / n
        return {"accuracy": right / n, "hypernyms": p, "hypernyms_se": math.sqrt(p * (1 - p) / (n - 1)),
                "hyponyms_too": (right + hyper + hypo) / n, "lengths": lengths}

    def compare(what, entry, wanted):
        for key in ("accuracy", "hypernyms", "hypernyms_se", "hyponyms_too"):
            close(f"{what}.{key}", entry[key], wanted[key])
        close(f"{what}.mean_path", entry["mean_path"], mean(wanted["lengths"]))
        if entry["paths"] != histogram(wanted["lengths"]):
            sys.exit(f"{what}.paths is {entry['paths']}, expected {histogram(wanted['lengths'])}")

    def forgiven(i, vocabularies):
        p = prediction(i, vocabularies)
        return float(p in sets[i] or any(above[y][p] for y in sets[i]))

    def class_in(i, v):
        return next(c for c in sets[i] if c in members[v])

    def errors_of(pots):
        """pots: {image: (class, score)} by vocabulary; of the mean of their means, an image's classes drawn together if one."""
        n, by_image, by_class, alone = len(pots), {}, {}, {}
        for v, pot in enumerate(pots):
            m, middle = len(pot), mean([s for _, s in pot.values()])
            classes = {c for c, _ in pot.values()}
            for c in classes:
                mine = [i for i, (y, _) in pot.items() if y == c]
                off = sum(pot[i][1] - middle for i in mine)
                by_class[c] = by_class.get(c, 0) + math.sqrt(len(classes) / (len(classes) - 1)) * off / m / n
                for i in mine:
                    if len(mine) > 1:
                        stratum = c if single else (c, v)
                        by_image.setdefault(stratum, {}).setdefault(i, 0)
                        by_image[stratum][i] += pot[i][1] / m / n
                    else:
                        alone[i] = alone.get(i, 0) + math.sqrt(m / (m - 1)) * off / m / n
        images = sum(len(s) * np.var(list(s.values()), ddof=1) for s in by_image.values()) + sum(x * x for x in alone.values())
        return math.sqrt(images), math.sqrt(sum(x * x for x in by_class.values()))

    def jackknife(x):
        return math.sqrt((len(x) - 1) / len(x) * sum((y - mean(x)) ** 2 for y in x))

    def compare_errors(what, part, pots, less):
        entry = part["errors"]["hypernyms"]
        for kind, error in zip(("images", "classes"), errors_of(pots)):
            close(f"{what} errors by {kind}", entry[kind], error)
        close(f"{what} errors by vocabularies", entry["vocabularies"], less)

    single = all(len(s) <= 1 for s in sets)
    everything = range(len(members))
    compare("all", its["all"], count(kept, everything))
    close("accuracy among all", its["all"]["accuracy"], found["top1_all"])
    first = {i: next(c for c in sets[i]) for i in kept}
    compare_errors("all", its["all"], [{i: (first[i], forgiven(i, everything)) for i in kept}], None)
    parts, thefts, pots = [], [], []
    for v, m in enumerate(members):
        images = [i for i in kept if set(sets[i]) & set(m)]
        parts.append(count(images, [v]))
        compare(list(VOCABULARIES)[v], its["vocabularies"][v], parts[-1])
        pots.append({i: (class_in(i, v), forgiven(i, [v])) for i in images})
        compare_errors(list(VOCABULARIES)[v], its["vocabularies"][v], pots[-1:], 0)
        close("Acc-C", its["vocabularies"][v]["accuracy"], found["vocabularies"][v]["acc_c"])
        for u in everything:
            lengths = []
            for i in images if u != v else []:
                p = prediction(i, [u, v])
                if prediction(i, [v]) in sets[i] and p not in sets[i]:
                    lengths.append(min(way[y][p] for y in sets[i]))
            if len(lengths) != found["theft"][v][u]:
                sys.exit(f"theft[{v}][{u}] is {found['theft'][v][u]}, expected {len(lengths)}")
            close(f"theft.mean_paths[{v}][{u}]", its["theft"]["mean_paths"][v][u], mean(lengths))
            thefts += lengths
    wanted = {key: mean([p[key] for p in parts]) for key in ("accuracy", "hypernyms", "hyponyms_too")}
    wanted["hypernyms_se"] = math.sqrt(sum(p["hypernyms_se"] ** 2 for p in parts)) / len(parts)
    wanted["lengths"] = [n for p in parts for n in p["lengths"]]
    compare("own", its["own"], wanted)
    shares = [p["hypernyms"] for p in parts]
    compare_errors("own", its["own"], pots, jackknife([mean(shares[:u] + shares[u + 1:]) for u in everything]))
    close("theft.mean_path", its["theft"]["mean_path"], mean(thefts))
    if its["theft"]["paths"] != histogram(thefts):
        sys.exit(f"theft.paths is {its['theft']['paths']}, expected {histogram(thefts)}")
    close("chance", its["chance"], mean([way[a][b] for a in range(14) for b in range(a)]))
    if not (its["all"]["hypernyms"] > its["all"]["accuracy"] and its["all"]["hyponyms_too"] > its["all"]["hypernyms"]):
        sys.exit("nothing is forgiven")


if sys.argv[1] == "make":
    make(sys.argv[2])
else:
    check(*sys.argv[2:6])
