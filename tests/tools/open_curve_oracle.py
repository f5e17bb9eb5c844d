#!/usr/bin/env python3
"""The open curve by enumeration in exact arithmetic: open_curve_oracle.py make FOLDER | check FOLDER RESULTS.json [WORDNET]

make: random embeddings of 90 images, 12 classes in 4 vocabularies (one class in two of them) and 61 names, some of them classes'.
check: every figure of analyses.open_curve, from the embeddings, by ratios of binomial coefficients as fractions."""
import json
import math
import sys
from fractions import Fraction
from math import comb

import numpy as np

CLASSES = ["bear", "dolphin", "whale", "wolf", "apple", "chair", "lamp", "orange", "train", "forest", "sea", "maple_tree"]
VOCABULARIES = {"animals": [0, 1, 2, 3], "things": [4, 5, 6, 7, 8], "places": [9, 10, 11, 4], "fruit": [4, 7]}
FOREIGN = ["Sea", "whale", "brown bear", "fruit", "animal", "stallion", "grey wolf", "seat", "tree", "abbey", "brook"]


def make(folder):
    rng = np.random.default_rng(5)
    labels = [int(rng.integers(12)) for _ in range(78)] + list(range(12))
    classes = rng.standard_normal((12, 16))
    images = classes[labels] + 1.6 * rng.standard_normal((90, 16))
    names = FOREIGN + ["name %d" % i for i in range(50)]
    np.save(f"{folder}/i.npy", images.astype(np.float32))
    np.save(f"{folder}/t.npy", classes.astype(np.float32))
    np.save(f"{folder}/n.npy", rng.standard_normal((61, 16)).astype(np.float32))
    open(f"{folder}/labels.txt", "w").write("".join(CLASSES[y] + "\n" for y in labels))
    open(f"{folder}/classes.txt", "w").write("".join(c + "\n" for c in CLASSES))
    open(f"{folder}/names.txt", "w").write("".join(n + "\n" for n in names))
    with open(f"{folder}/v.yaml", "w") as out:
        out.write("name: v\nvocabularies:\n")
        for name, members in VOCABULARIES.items():
            out.write(f"  {name}: [{', '.join(CLASSES[c] for c in members)}]\n")


def fold(name):
    return name.lower().replace("_", " ")


def wordnet(folder):
    """lemma -> synsets, synset -> lemmas, synset -> hypernyms."""
    words, parents = {}, {}
    for line in open(f"{folder}/data.noun"):
        if line.startswith("  "):
            continue
        parts = line.split(" ")
        n = int(parts[3], 16)
        words[parts[0]] = [fold(parts[4 + 2 * i]) for i in range(n)]
        at = 4 + 2 * n
        pointers = [parts[at + 1 + 4 * i : at + 5 + 4 * i] for i in range(int(parts[at]))]
        parents[parts[0]] = [p[1] for p in pointers if p[0] in ("@", "@i") and p[2] == "n"]
    return words, parents


def related(name, words, parents, relatives):
    own = [s for s in words if fold(name) in words[s]]
    found = set(own)
    if relatives:
        up = list(own)
        while up:
            up = [p for s in up for p in parents[s] if p not in found]
            found |= set(up)
        children = {}
        for s, above in parents.items():
            for p in above:
                children.setdefault(p, []).append(s)
        below, seen = list(own), set(own)
        while below:
            below = [c for s in below for c in children.get(s, []) if c not in seen]
            seen |= set(below)
        found |= seen
    return {w for s in found for w in words[s]} | {fold(name)}


def close(what, found, expected):
    if found is None or expected is None:
        assert found is None and (expected is None or math.isnan(expected)), (what, found, expected)
    else:
        assert abs(found - float(expected)) < 1e-9, (what, found, float(expected))


def survival(pool, h, n):
    return Fraction(comb(pool - h, n), comb(pool, n))


def area(curve):
    steps = [math.log((n + 1) / n) for n in range(1, len(curve) - 1)]
    return sum(s * float(curve[n] + curve[n + 1]) / 2 for n, s in enumerate(steps, 1)) / sum(steps)


def check(folder, path, base):
    images, classes, foreign = (np.load(f"{folder}/{x}.npy").astype(np.float64) for x in "itn")
    labels = [CLASSES.index(line.strip()) for line in open(f"{folder}/labels.txt")]
    names = [line.rstrip("\n") for line in open(f"{folder}/names.txt")]
    document = json.load(open(path))
    curve = document["results"][0]["analyses"]["open_curve"]
    rule = curve["pool"]["excluded_by"]
    unit = lambda x: x / np.linalg.norm(x, axis=1, keepdims=True)
    s, f = unit(images) @ unit(classes).T, unit(images) @ unit(foreign).T
    tables = wordnet(base) if rule in ("synonyms", "related") else None
    out = {}
    for v, members in VOCABULARIES.items():
        gone = set()
        for c in members:
            gone |= {fold(CLASSES[c])} if rule == "names" else set() if rule == "none" else related(CLASSES[c], *tables, rule == "related")
        out[v] = np.array([fold(n) in gone for n in names])
    any_out = np.any(list(out.values()), axis=0)
    points = curve["n"]
    pools = {v: int((~out[v]).sum()) for v in out}
    pool_all = int((~any_out).sum())
    least = min(pools.values())
    expected_points = sorted({0, least, pool_all} | {k * 10**e for k in (1, 2, 3, 5, 7) for e in range(3) if k * 10**e < least})
    assert points == expected_points, (points, expected_points)
    pots = {"own": [], "all": []}  # by vocabulary: {image: names that take it, None: wrong}
    beaten = {i: {v for v, c in VOCABULARIES.items() if any(s[i, k] > s[i, y] for k in c)} for i, y in enumerate(labels)}
    means = {"own": [], "all": []}
    errors = {"own": [], "all": []}
    for entry, (v, members) in zip(curve["vocabularies"], VOCABULARIES.items()):
        mine = [i for i, y in enumerate(labels) if y in members]
        assert entry["name"] == v and entry["images"] == len(mine)
        for scope in ("own", "all"):
            pool = pools[v] if scope == "own" else pool_all
            keep = ~(out[v] if scope == "own" else any_out)
            among = members if scope == "own" else range(12)
            taken = []
            for i in mine:
                y = labels[i]
                right = all(s[i, y] >= s[i, c] for c in among)
                taken.append(int((f[i, keep] > s[i, y]).sum()) if right else None)
            part = entry[scope]
            pots[scope].append(dict(zip(mine, taken)))
            assert part["names"] == pool
            assert part["taken"] == [[h, taken.count(h)] for h in sorted({h for h in taken if h is not None})], part["taken"]
            whole = [sum(survival(pool, h, n) for h in taken if h is not None) / len(mine) for n in range(pool + 1)]
            means[scope].append(whole)
            at = []
            for n, value, error in zip(points, part["accuracy"], part["se"]):
                if n > pool:
                    assert value is None and error is None
                    continue
                close((v, scope, n), value, whole[n])
                scores = [float(survival(pool, h, n)) if h is not None else 0.0 for h in taken]
                at.append(np.std(scores, ddof=1) / math.sqrt(len(mine)))
                close((v, scope, n, "se"), error, at[-1])
            errors[scope].append(at)
            close((v, scope, "area"), part["area"], area(whole))
            halves = [n for n in range(1, pool + 1) if 0 < whole[0] >= 2 * whole[n]]
            assert part["halved_at"] == (halves[0] if halves else None)
    check_errors(curve, points, pots, pools, pool_all, labels, beaten,
                 [int((f[i, ~any_out] > s[i, y]).sum()) for i, y in enumerate(labels)])
    for scope in ("own", "all"):
        least = min(len(w) for w in means[scope])
        mean = [sum(w[n] for w in means[scope]) / len(means[scope]) for n in range(least)]
        assert curve[scope]["names"] == least - 1
        for p, n in enumerate(points):
            if n < least:
                close((scope, n), curve[scope]["accuracy"][p], mean[n])
                close((scope, n, "se"), curve[scope]["se"][p], math.sqrt(sum(e[p] ** 2 for e in errors[scope])) / len(means[scope]))
            else:
                assert curve[scope]["accuracy"][p] is None
        close((scope, "area"), curve[scope]["area"], area(mean))
        halves = [n for n in range(1, least) if 0 < mean[0] >= 2 * mean[n]]
        assert curve[scope]["halved_at"] == (halves[0] if halves else None)
    close("n = 0 is Acc-C", curve["own"]["accuracy"][0], document["results"][0]["acc_c"])
    decades = curve["classes"]["n"]
    for entry in curve["classes"]["list"]:
        c = CLASSES.index(entry["name"])
        v = next(v for v in VOCABULARIES if c in VOCABULARIES[v])
        mine = [i for i, y in enumerate(labels) if y == c]
        assert entry["images"] == len(mine)
        for scope, among, keep in (("own", VOCABULARIES[v], ~out[v]), ("all", range(12), ~any_out)):
            pool = int(keep.sum())
            taken = [int((f[i, keep] > s[i, c]).sum()) for i in mine if all(s[i, c] >= s[i, k] for k in among)]
            for n, value in zip(decades, entry[scope]):
                close((entry["name"], scope, n), value, sum(survival(pool, h, n) for h in taken) / len(mine) if n <= pool else None)
            for p, n in enumerate(decades):
                found = entry["errors"][scope]
                assert found["classes"][p] is None
                if n > pool:
                    assert found["images"][p] is None and found["vocabularies"][p] is None
                    continue

                def score(i, gone, scope=scope, among=among, keep=keep, pool=pool, n=n):
                    y = labels[i]
                    rivals = among if scope == "own" else {k for u, m in VOCABULARIES.items() if u != gone for k in m}
                    ok = all(s[i, y] >= s[i, k] for k in rivals)
                    return float(survival(pool, int((f[i, keep] > s[i, y]).sum()), n)) if ok else 0.0

                scores = [score(i, None) for i in mine]
                close((entry["name"], scope, n, "images"), found["images"][p], np.std(scores, ddof=1) / math.sqrt(len(mine)))
                less = [np.mean([score(i, u) for i in mine]) for u in VOCABULARIES if u != v]
                jackknife = math.sqrt(2 / 3 * sum((x - np.mean(less)) ** 2 for x in less))
                close((entry["name"], scope, n, "vocabularies"), found["vocabularies"][p], jackknife)
    assert [e["name"] for e in curve["classes"]["list"]] == [c for i, c in enumerate(CLASSES) if i in labels]


def three_errors(pots, deleted, labels):
    """Of the mean over vocabularies of their images' mean scores, by image and class; deleted: that mean less each vocabulary."""
    n, by_image, by_class, alone = len(pots), {}, {}, {}
    for pot in pots:
        m, mean = len(pot), sum(pot.values()) / len(pot)
        classes = {labels[i] for i in pot}
        for c in classes:
            mine = [i for i in pot if labels[i] == c]
            factor = math.sqrt(len(classes) / (len(classes) - 1))
            by_class[c] = by_class.get(c, 0) + factor * sum(pot[i] - mean for i in mine) / m / n
            for i in mine:
                if len(mine) > 1:
                    by_image[i] = by_image.get(i, 0) + pot[i] / m / n
                else:
                    alone[i] = alone.get(i, 0) + math.sqrt(m / (m - 1)) * (pot[i] - mean) / m / n
    variance = sum(x * x for x in alone.values())
    for c in by_class:
        mine = [x for i, x in by_image.items() if labels[i] == c]
        variance += len(mine) * np.var(mine, ddof=1) if mine else 0
    middle = np.mean(deleted)
    jackknife = math.sqrt((len(deleted) - 1) / len(deleted) * sum((x - middle) ** 2 for x in deleted))
    return math.sqrt(variance), math.sqrt(sum(x * x for x in by_class.values())), jackknife


def check_errors(curve, points, pots, pools, pool_all, labels, beaten, taken_of_all):
    names = list(VOCABULARIES)
    for scope in ("own", "all"):
        for p, n in enumerate(points):
            sizes = [pools[v] if scope == "own" else pool_all for v in names]
            scores = [{i: float(survival(size, h, n)) if h is not None else 0.0 for i, h in pot.items()} if n <= size else None
                      for pot, size in zip(pots[scope], sizes)]

            def less(t, u):
                """Vocabulary t's mean when u is gone: among all classes, those that u alone beats are right."""
                values = dict(scores[t])
                for i in values:
                    if scope == "all" and beaten[i] == {names[u]}:
                        values[i] = float(survival(pool_all, taken_of_all[i], n))
                return np.mean(list(values.values()))

            for t, entry in enumerate(curve["vocabularies"]):
                found = [entry[scope]["errors"][k][p] for k in ("images", "classes", "vocabularies")]
                if scores[t] is None:
                    assert found == [None] * 3
                    continue
                wanted = three_errors([scores[t]], [less(t, u) for u in range(4) if u != t], labels)
                for kind, a, b in zip(("images", "classes", "vocabularies"), found, wanted):
                    close((names[t], scope, n, kind), a, b)
            found = [curve[scope]["errors"][k][p] for k in ("images", "classes", "vocabularies")]
            if None in scores:
                assert found == [None] * 3
                continue
            wanted = three_errors(scores, [np.mean([less(t, u) for t in range(4) if t != u]) for u in range(4)], labels)
            for kind, a, b in zip(("images", "classes", "vocabularies"), found, wanted):
                close((scope, n, kind), a, b)


if sys.argv[1] == "make":
    make(sys.argv[2])
else:
    check(sys.argv[2], sys.argv[3], sys.argv[4] if len(sys.argv) > 4 else None)
