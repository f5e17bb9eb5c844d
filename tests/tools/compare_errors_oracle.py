#!/usr/bin/python3
"""The errors by images, classes and vocabularies of `vocabench compare`, its tests by classes and Holm's p-values, by NumPy from the
records: compare_errors_oracle.py COMPARISON RECORDS_A RECORDS_B RESULTS_A RESULTS_B. Prints what differs."""
import itertools
import json
import sys

import numpy as np

comparison = json.load(open(sys.argv[1], encoding="utf-8"))
records = [[json.loads(line) for line in open(path, encoding="utf-8")] for path in sys.argv[2:4]]
entries = [json.load(open(path, encoding="utf-8"))["results"][0] for path in sys.argv[4:6]]
names = [[v["name"] for v in entry["vocabularies"]] for entry in entries]
members = [{v["name"]: {c["name"] for c in v["classes"]} for v in entry["vocabularies"]} for entry in entries]
by_name = {r["image"]: r for r in records[1]}
pairs = [(r, by_name[r["image"]]) for r in records[0] if r["image"] in by_name]
if [r["image"] for r in records[0]] == [r["image"] for r in records[1]]:
    pairs = list(zip(*records))
compared = [v["name"] for v in comparison["vocabularies"]]
order = {}
for record in records[0]:
    order.setdefault(record["class"], len(order))
KEYS = ("acc_c", "acc_e", "acc_s", "top1_all")
wrong, seen = [], 0


def near(name, found, expected):
    global seen
    seen += 1
    if expected is None or np.isnan(expected):
        if found is not None:
            wrong.append(f"{name}: {found}, expected null")
    elif found is None or not abs(found - expected) <= 1e-9:
        wrong.append(f"{name}: {found}, expected {expected}")


def score(side, record, v, key, gone=None):
    """Without vocabulary `gone`; v: the vocabulary; key all classes: v does not matter."""
    beaten = (set(record["harmful"]) | (set() if record["own"] else {record["vocabulary"]})) - {gone}
    rest = [u for u in names[side] if u not in (gone, v)]
    if key == "top1_all":
        return float(not beaten)
    b, m, own = len(beaten - {v}), len(rest), v not in beaten
    if key == "acc_s" and not m:
        return np.nan
    return own * {"acc_c": 1, "acc_e": 1 / (b + 1), "acc_s": (m - b) / (m * (b + 1)) if m else 0}[key]


def inside(v):
    return [i for i, (a, b) in enumerate(pairs) if a["class"] in members[0][v] and b["class"] in members[1][v]]


def differences(v, key, gone=None):
    return {i: score(1, pairs[i][1], v, key, gone) - score(0, pairs[i][0], v, key, gone) for i in inside(v)}


def jackknife(values):
    values = np.array(values, float)
    n = len(values)
    return np.sqrt((n - 1) / n * np.sum((values - values.mean()) ** 2)) if n > 1 else np.nan


def errors_of(pots):
    """pots: {image: difference} by vocabulary, for the mean of their means."""
    n = len(pots)
    means = [np.mean(list(pot.values())) for pot in pots]
    by_class, by_image, alone = {}, {}, {}
    for pot, mean in zip(pots, means):
        classes = {}
        for i, d in pot.items():
            classes.setdefault(pairs[i][0]["class"], []).append((i, d))
        m, k = len(pot), len(classes)
        for c, its in classes.items():
            if k > 1:
                moved = np.sqrt(k / (k - 1)) * sum(d - mean for _, d in its) / m / n
            else:
                moved = np.sqrt(n / (n - 1)) * (mean - np.mean(means)) / n if n > 1 else np.nan
            by_class[c] = by_class.get(c, 0) + moved
            for i, d in its:
                if len(its) > 1:
                    by_image.setdefault(c, {}).setdefault(i, 0)
                    by_image[c][i] += d / m / n
                else:
                    alone[i] = alone.get(i, 0) + (np.sqrt(m / (m - 1)) * (d - mean) / m / n if m > 1 else np.nan)
    images = sum(len(its) * np.var(list(its.values()), ddof=1) for its in by_image.values()) + sum(r * r for r in alone.values())
    return np.sqrt(images), np.sqrt(sum(r * r for r in by_class.values()))


def flips(sums):
    """Sign flips of the classes' sums, in the order of the classes' first images in A."""
    moving = np.array([s for s in sums if s != 0])
    if len(moving) <= 20:
        signs = np.array(list(itertools.product((1, -1), repeat=len(moving))))
        return np.mean(abs(signs @ moving) >= abs(moving.sum()) - 1e-12 * abs(moving).sum()) if len(moving) else 1.0
    generator = np.random.RandomState(comparison["seed"])
    trials, words, hits = comparison["permutations"], -(-len(moving) // 32), 0
    for _ in range(trials):
        drawn = generator.randint(0, 2**32, words, dtype=np.uint32)
        bits = np.unpackbits(drawn.astype("<u4").view(np.uint8), bitorder="little")[: len(moving)]
        hits += abs(((1 - 2.0 * bits) * moving).sum()) >= abs(moving.sum()) - 1e-12 * abs(moving).sum()
    return (1 + hits) / (1 + trials)


def class_sums(pots):
    sums, sizes = np.zeros(len(order)), np.zeros(len(order))
    for pot in pots:
        for i, d in pot.items():
            sums[order[pairs[i][0]["class"]]] += d / len(pot)
            sizes[order[pairs[i][0]["class"]]] += abs(d / len(pot))
    return np.where(abs(sums) < 1e-12 * sizes, 0, sums)


def check(name, found, pots, without):
    undefined = any(np.isnan(d) for pot in pots for d in pot.values())
    images, classes = (np.nan, np.nan) if undefined else errors_of(pots)
    near(name + " images", found["errors"]["images"], images)
    near(name + " classes", found["errors"]["classes"], classes)
    near(name + " vocabularies", found["errors"]["vocabularies"], jackknife(without))
    near(name + " p by class", found["by_class"]["p"], np.nan if undefined else flips(class_sums(pots)))


def holm(p):
    ranks = np.argsort(p)
    adjusted, highest = np.empty(len(p)), 0
    for place, i in enumerate(ranks):
        highest = max(highest, min(1, (len(p) - place) * p[i]))
        adjusted[i] = highest
    return adjusted


for key in KEYS:
    pots = [differences(v, key) for v in compared]
    for v, pot in zip(compared, pots):
        others = [] if key == "top1_all" else [np.mean(list(differences(v, key, u).values())) for u in compared if u != v]
        check(f"{v} {key}", next(x for x in comparison["vocabularies"] if x["name"] == v)[key], [pot], others)
    if key == "top1_all":
        pots = [{i: score(1, b, None, key) - score(0, a, None, key) for i, (a, b) in enumerate(pairs)}]
        without = []
        for u in compared:
            homes = [{v for v in names[0] if a["class"] in members[0][v]} for a, _ in pairs]
            rest = [i for i in range(len(pairs)) if homes[i] != {u}]
            moved = [score(1, pairs[i][1], None, key, u) - score(0, pairs[i][0], None, key, u) for i in rest]
            without.append(np.mean(moved) if moved else np.nan)
    else:
        without = [np.mean([np.mean(list(differences(v, key, u).values())) for v in compared if v != u]) if len(compared) > 1 else np.nan
                   for u in compared]
    check(f"mean {key}", comparison["overall"][key], pots, without)
    for field in (lambda x: x, lambda x: x["by_class"]):
        listed = [field(v[key]) for v in comparison["vocabularies"]]
        if all(x["p"] is not None for x in listed):
            for x, expected in zip(listed, holm(np.array([x["p"] for x in listed]))):
                near(f"{key} Holm", x["p_holm"], expected)
own = {i: float(b["own"]) - float(a["own"]) for i, (a, b) in enumerate(pairs)}
check("own", comparison["overall"]["own"], [own], [])
print(*wrong[:20], sep="\n")
print(f"{seen} figures, {len(wrong)} wrong")
sys.exit(1 if wrong or not seen else 0)
