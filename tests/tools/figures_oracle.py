#!/usr/bin/python3
"""Every accuracy of small random experiments in rational arithmetic: `make DIR` writes d0.yaml .. and an experiment, `check DIR
RESULTS...` compares results of it, exact or sampled. Embeddings are small integers, so that who is ranked before whom is exact
here too; sets and orders of vocabularies are enumerated."""
import itertools
import json
import math
import sys
from fractions import Fraction

import numpy as np

DATASETS, DIM = 11, 5
SEED, TRIALS = 42, 3


def make(folder):
    rng = np.random.default_rng(8)
    datasets, embeddings = [], []
    for d in range(DATASETS):
        n = d % 7 + 1
        lists, classes = [], 0
        for _ in range(n):
            own = list(range(classes, classes + int(rng.integers(1, 4))))
            classes += len(own)
            guest = [int(rng.integers(0, own[0]))] if own[0] and rng.integers(0, 3) == 0 else []
            if d == 10 and own[0]:  # a class that is in all of four vocabularies
                guest = [0]
            lists.append(own + guest)
        texts = rng.integers(-3, 4, (classes, DIM))
        texts[~texts.any(1)] = 1
        # Every vocabulary has images; the last class of some has none.
        labels = np.concatenate([rng.permutation([c for c in own if c == own[0] or rng.integers(0, 4)]) for own in lists] * 4)
        images = texts[labels] + rng.integers(-2, 3, (len(labels), DIM)) * rng.integers(0, 2, (len(labels), 1))
        images[~images.any(1)] = 1
        if d % 5 == 4:  # all right everywhere, as many images each
            texts = np.eye(classes, dtype=int)
            labels = np.arange(classes)
            images = texts
        for name, array, kind in (("t", texts, "f4"), ("i", images, "f4"), ("y", labels, "i4")):
            np.save(f"{folder}/d{d}-{name}.npy", array.astype(kind))
        with open(f"{folder}/d{d}.yaml", "w", encoding="utf-8") as file:
            file.write(f"name: d{d}\nvocabularies:\n")
            file.writelines(f"  v{v}: [{', '.join(f'c{c}' for c in own)}]\n" for v, own in enumerate(lists))
        datasets.append(f"  - {{name: d{d}, vocabularies: d{d}.yaml}}\n")
        embeddings.append(
            f"      - {{dataset: d{d}, image_embeddings: d{d}-i.npy, text_embeddings: d{d}-t.npy, labels: d{d}-y.npy}}\n"
        )
    with open(f"{folder}/figures.yaml", "w", encoding="utf-8") as file:
        file.write(f"experiment: figures\nseed: {SEED}\ntrials: {TRIALS}\ndatasets:\n" + "".join(datasets) + "models:\n")
        for similarity in ("cosine", "dot"):
            file.write(f"  - name: {similarity}\n    family: precomputed\n    similarity: {similarity}\n    embeddings:\n")
            file.writelines(embeddings)


wrong, seen = [], 0


def number(name, found, expected):
    """The double nearest to the fraction, give or take the last bits; an accuracy is never outside of 0 to 1."""
    global seen
    seen += 1
    if expected is None or found is None:
        if expected is not found:
            wrong.append(f"{name}: {found}, expected {expected}")
    elif not 0 <= found <= 1 or abs(Fraction(found) - expected) > Fraction(1, 2**50):
        wrong.append(f"{name}: {found!r}, expected {float(expected)!r}")


def equal(name, found, expected):
    global seen
    seen += 1
    if found != expected:
        wrong.append(f"{name}: {found!r}, expected {expected!r}")


def mean(values):
    values = list(values)
    return Fraction(sum(values)) / len(values) if values else None


def lists_of(folder, dataset):
    lines = open(f"{folder}/{dataset}.yaml", encoding="utf-8").read().splitlines()[2:]
    return [[int(c[1:]) for c in line.split("[")[1][:-1].split(", ")] for line in lines]


class Experiment:
    def __init__(self, folder, dataset, similarity):
        texts, images = ([[int(v) for v in row] for row in np.load(f"{folder}/{dataset}-{k}.npy")] for k in "ti")
        self.labels = [int(v) for v in np.load(f"{folder}/{dataset}-y.npy")]
        self.lists = lists_of(folder, dataset)
        self.n = len(self.lists)
        self.harmful = []  # by image: the vocabularies with a class that is ranked before its own
        for x, y in zip(images, self.labels):
            keys = []
            for t in texts:
                dot = sum(a * b for a, b in zip(x, t))
                square = sum(a * a for a in t) if similarity == "cosine" else 1
                keys.append(Fraction(dot * abs(dot), square))
            before = [c for c, key in enumerate(keys) if key > keys[y] or (key == keys[y] and c < y)]
            self.harmful.append({v for v, own in enumerate(self.lists) if set(own) & set(before)})

    def images_of(self, classes):
        return [i for i, y in enumerate(self.labels) if y in classes]

    def scores(self, i, v):
        """Acc-C, Acc-E, Acc-S and the curve of image i in vocabulary v: means over all sets of others that can have arrived."""
        others, curve = [u for u in range(self.n) if u != v], []
        for k in range(self.n):
            sets = list(itertools.combinations(others, k))
            curve.append(mean(not self.harmful[i] & {v, *s} for s in sets))
        return curve[0], mean(curve), mean(curve[1:]), curve

    def union(self, vocabularies):
        own = self.images_of({c for v in vocabularies for c in self.lists[v]})
        return mean(not self.harmful[i] & set(vocabularies) for i in own)

    def union_of_all_sets(self):
        sizes = range(1, self.n + 1)
        return mean(mean(self.union(s) for s in itertools.combinations(range(self.n), k)) for k in sizes)

    def sampled(self):
        """main.py's incremental_evaluation."""
        rng, result = np.random.RandomState(SEED), []
        for v in range(self.n):
            e, s = [], []
            for _ in range(TRIALS):
                order = [v] + [int(u) for u in rng.permutation([str(u) for u in range(self.n) if u != v])]
                e.append(mean(self.union(order[:k]) for k in range(1, self.n + 1)))
                steps = []
                for k in range(2, self.n + 1):
                    classes = [self.images_of({c}) for c in self.lists[v]]
                    steps.append(mean(mean(not self.harmful[i] & set(order[:k]) for i in own) for own in classes if own))
                s.append(mean(steps))
            result.append((mean(e), None if None in s else mean(s)))
        return result


def near(name, found, scores):
    """A standard error: the sample standard deviation over the root of n."""
    global seen
    seen += 1
    n = len(scores)
    expected = None
    if n > 1 and None not in scores:
        expected = math.sqrt(sum((s - mean(scores)) ** 2 for s in scores) / (n - 1) / n)
    if (found is None) != (expected is None) or (found is not None and abs(found - expected) > 1e-14):
        wrong.append(f"{name}: {found}, expected {expected}")


def over_vocabularies(values):
    return None if None in values else mean(values)


def of_rows(rows, k):
    return over_vocabularies([row[k] for row in rows]) if rows else None


def check_vocabulary(name, found, its, v, drawn):
    own = its.images_of(its.lists[v])
    scores = [its.scores(i, v) for i in own]
    c, e, s = (over_vocabularies([row[k] for row in scores]) for k in range(3))
    exact = found["exact"] if drawn else found
    number(f"{name} acc_c", found["acc_c"], c)
    number(f"{name} acc_e", exact["acc_e"], e)
    number(f"{name} acc_s", exact["acc_s"], s)
    for k, where in enumerate((found, exact, exact)):
        near(f"{name} {'ces'[k]} error", where[f"acc_{'ces'[k]}_se"], [row[k] for row in scores])
    for i in range(its.n):
        number(f"{name} curve {i}", found["curve"][i], mean(row[3][i] for row in scores))
    equal(f"{name} acc_c and curve", found["acc_c"], found["curve"][0])
    if drawn:
        number(f"{name} sampled acc_e", found["acc_e_union"], drawn[v][0])
        equal(f"{name} has no acc_e of another quantity", "acc_e" in found, False)
        number(f"{name} sampled acc_s", found["acc_s"], drawn[v][1])
    right = [its.harmful[i] for i in own if v not in its.harmful[i]]
    equal(f"{name} harm_histogram", found["harm_histogram"], [sum(len(h) == b for h in right) for b in range(its.n)])
    for entry, c_index in zip(found["classes"], its.lists[v]):
        home = next(u for u, classes in enumerate(its.lists) if c_index in classes)
        rows = [its.scores(i, home) for i in its.images_of({c_index})]
        equal(f"{name} {entry['name']} images", entry["images"], len(rows))
        for k, letter in enumerate("ces"):
            number(f"{name} {entry['name']} acc_{letter}", entry[f"acc_{letter}"], of_rows(rows, k))
    return c, e, s, [sum(u in h for h in right) for u in range(its.n)]


def check_result(folder, result):
    its = Experiment(folder, result["dataset"], result["model"])
    drawn = its.sampled() if result["protocol"] == "sampled" else None
    name = f"{result['model']} {result['dataset']}"
    exact = result["exact"] if drawn else result
    rows = [check_vocabulary(f"{name} v{v}", found, its, v, drawn) for v, found in enumerate(result["vocabularies"])]
    number(f"{name} acc_c", result["acc_c"], over_vocabularies([row[0] for row in rows]))
    number(f"{name} acc_e", exact["acc_e"], over_vocabularies([row[1] for row in rows]))
    number(f"{name} acc_s", exact["acc_s"], over_vocabularies([row[2] for row in rows]))
    number(f"{name} acc_e_union", result["acc_e_union"], its.union_of_all_sets())
    number(f"{name} top1_all", result["top1_all"], mean(not h for h in its.harmful))
    if drawn:
        number(f"{name} sampled acc_e", result["acc_e"], over_vocabularies([row[0] for row in drawn]))
        number(f"{name} sampled acc_s", result["acc_s"], over_vocabularies([row[1] for row in drawn]))
    equal(f"{name} acc_c and curve", result["acc_c"], result["curve"][0])
    equal(f"{name} theft", result["theft"], [row[3] for row in rows])


def check(folder, files):
    for file in files:
        for result in json.load(open(file, encoding="utf-8"))["results"]:
            check_result(folder, result)
    print(*wrong[:20], sep="\n")
    print(f"{seen} figures, {len(wrong)} wrong")
    return 1 if wrong or not seen else 0


if __name__ == "__main__":
    if sys.argv[1] == "make":
        make(sys.argv[2])
    else:
        sys.exit(check(sys.argv[2], sys.argv[3:]))
