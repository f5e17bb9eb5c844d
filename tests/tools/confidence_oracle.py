#!/usr/bin/env python3
"""The analyses open_set and calibration by NumPy: confidence_oracle.py make FOLDER | check FOLDER RESULTS.json

make: random embeddings of 120 images, 12 classes in 4 vocabularies (one class in two of them) and 61 names; some images occur
twice, as other classes', so that scores tie; of a name that stands there twice the first line counts. check: every figure,
from the embeddings, over all pairs and thresholds; orders of names by numpy.random.RandomState. v.yaml: a vocabulary a line,
as JSON."""
import json
import math
import sys

import numpy as np

CLASSES = ["bear", "dolphin", "whale", "wolf", "apple", "chair", "lamp", "orange", "train", "forest", "sea", "maple_tree"]
VOCABULARIES = {"animals": [0, 1, 2, 3], "things": [4, 5, 6, 7, 8], "places": [9, 10, 11, 4], "fruit": [4, 7]}
FOREIGN = ["Sea", "whale", "brown bear", "sea", "Zebra", "zebra"]
BINS = 15


def make(folder):
    rng = np.random.default_rng(9)
    labels = [int(rng.integers(12)) for _ in range(108)] + list(range(12))
    classes = rng.standard_normal((12, 16))
    images = classes[labels] + 1.8 * rng.standard_normal((120, 16))
    for i in range(0, 30, 2):
        images[i + 1] = images[i] * (1 if i % 4 else 4)
    np.save(f"{folder}/i.npy", images.astype(np.float32))
    np.save(f"{folder}/t.npy", classes.astype(np.float32))
    np.save(f"{folder}/n.npy", rng.standard_normal((61, 16)).astype(np.float32))
    names = FOREIGN + ["name %d" % i for i in range(55)]
    write = lambda name, lines: open(f"{folder}/{name}", "w").write("".join(line + "\n" for line in lines))
    write("labels.txt", [CLASSES[y] for y in labels])
    write("classes.txt", CLASSES)
    write("names.txt", names)
    write("v.yaml", ["name: v", "vocabularies:"] + ["  %s: %s" % (json.dumps(v), json.dumps([CLASSES[c] for c in m]))
                                                     for v, m in VOCABULARIES.items()])


def lines(path):
    return [line.rstrip("\n") for line in open(path)]


def fold(name):
    return name.lower().replace("_", " ")


def close(what, found, expected, tolerance=1e-9):
    if expected is None or math.isnan(expected):
        assert found is None, (what, found, expected)
    else:
        assert found is not None and abs(found - expected) <= tolerance, (what, found, expected)


def separation(present, absent):
    """AUROC as halves of pairs, FPR at 95 %: of scores that are equal within 1e-12 as ties."""
    if not len(present) or not len(absent):
        return math.nan, math.nan
    present, absent = np.round(present, 12), np.sort(np.round(absent, 12))
    low, high = np.searchsorted(absent, present, "left"), np.searchsorted(absent, present, "right")
    reached = [t for t in np.unique(present) if 100 * int((present >= t).sum()) >= 95 * len(present)]
    return int((low + high).sum()) / (2 * len(present) * len(absent)), int((absent >= max(reached)).sum()) / len(absent)


def calibration(confidence, right):
    if not len(confidence):
        return math.nan, math.nan, math.nan
    edges = np.arange(1, BINS) / BINS
    bins = np.searchsorted(edges, confidence, "left")
    ece = sum(abs(confidence[bins == b].sum() - right[bins == b].sum()) for b in range(BINS)) / len(confidence)
    return ece, confidence.mean(), right.mean()


def read(folder):
    data = {x: np.load(f"{folder}/{x}.npy").astype(np.float64) for x in "itn"}
    data["classes"] = lines(f"{folder}/classes.txt")
    vocabularies = [json.loads("{" + line + "}") for line in lines(f"{folder}/v.yaml")[2:]]
    data["vocabularies"] = {v: [data["classes"].index(c) for c in m] for one in vocabularies for v, m in one.items()}
    members = [c for m in data["vocabularies"].values() for c in m]
    labels = np.array([data["classes"].index(c) for c in lines(f"{folder}/labels.txt")])
    data["i"], data["labels"] = data["i"][np.isin(labels, members)], labels[np.isin(labels, members)]
    data["members"] = sorted(set(members))
    seen, keep = {fold(data["classes"][c]) for c in members}, {}
    for k, name in enumerate(lines(f"{folder}/names.txt")):
        if fold(name) not in seen and fold(name) not in keep:
            keep[fold(name)] = (name.encode(), k)
    data["pool"] = [k for name, k in sorted(keep.values())]
    return data


class Scores:
    def __init__(self, data, figures):
        unit = lambda x: x / np.linalg.norm(x, axis=1, keepdims=True)
        text = unit if data["similarity"] == "cosine" else lambda x: x
        self.classes = unit(data["i"]) @ text(data["t"]).T
        self.names = (unit(data["i"]) @ text(data["n"]).T)[:, data["pool"]]
        self.scale = figures["logit_scale"]
        self.labels = data["labels"]
        self.true = self.classes[np.arange(len(self.labels)), self.labels]
        generator = np.random.RandomState(figures.get("seed", 0))
        self.orders = [generator.permutation(len(data["pool"])) for _ in range(figures.get("draws", 0))]
        self.draws = lambda n: self.orders if 0 < n < len(data["pool"]) and "draws" in figures else [np.arange(len(data["pool"]))]

    def among(self, classes, names):
        s = np.hstack([self.classes[:, classes], self.names[:, names]])
        top = s.max(axis=1)
        confidence = 1 / np.exp(self.scale * (s - top[:, None])).sum(axis=1) if self.scale else None
        rivals = np.hstack([np.where(np.array(classes) == self.labels[:, None], -np.inf, self.classes[:, classes]), self.names[:, names]])
        return top, confidence, self.true >= rivals.max(axis=1)


def spread(what, part, key, p, values):
    close((what, key), part[key][p], np.mean(values) if len(values) else math.nan, 1e-12 if "auroc" in key or "fpr" in key else 1e-9)
    if key + "_sd" in part:
        close((what, key, "sd"), part[key + "_sd"][p], np.std(values, ddof=1) if len(values) > 1 else math.nan)


def check_head(figures, data):
    n = figures["n"]
    if "pool" not in figures:
        assert n == [0] and "draws" not in figures
        return
    pool = len(data["pool"])
    assert figures["pool"]["names"] == pool and figures["pool"]["excluded_by"] == "names"
    assert n == [0] + [10**e for e in range(6) if 10**e < pool] + [pool], n


def check_open_set(figures, data):
    check_head(figures, data)
    scores = Scores(data, figures)
    exact = 0
    for p, n in enumerate(figures["n"]):
        means = {}
        for draw, order in enumerate(scores.draws(n)):
            for entry, (v, members) in zip(figures["vocabularies"], data["vocabularies"].items()):
                here = np.isin(scores.labels, members)
                assert (entry["name"], entry["images"], entry["others"]) == (v, int(here.sum()), int((~here).sum()))
                values = dict(zip(("similarity", "softmax"), scores.among(members, order[:n])))
                for score, value in values.items():
                    if value is None:
                        assert entry[score] is None and figures[score] is None
                        continue
                    found = separation(value[here], value[~here])
                    for key, one in zip(("auroc", "fpr95"), found):
                        means.setdefault((score, key), {}).setdefault(draw, []).append(one)
                        if len(scores.draws(n)) == 1:
                            close((v, score, key, n), entry[score][key][p], one, 0)
                            exact += 1
        for (score, key), by_draw in means.items():
            values = [np.mean([x for x in one if not math.isnan(x)]) for one in by_draw.values() if not all(map(math.isnan, one))]
            spread((score, n), figures[score], key, p, values)
            for k, entry in enumerate(figures["vocabularies"]):
                values = [one[k] for one in by_draw.values()]
                same = len(set(values)) == 1  # whose mean is not off by a rounding
                close((entry["name"], score, key, n), entry[score][key][p], values[0] if same else np.mean(values), 0 if same else 1e-12)
    print("open_set: %d figures to the last bit" % exact)


def check_calibration(figures, data):
    check_head(figures, data)
    assert figures["bins"] == BINS
    scores = Scores(data, figures)
    keys = ("ece", "confidence", "accuracy")
    for p, n in enumerate(figures["n"]):
        found = {scope: {None: []} | {v: [] for v in data["vocabularies"]} for scope in ("own", "all")}
        for order in scores.draws(n):
            _, among_all, right_all = scores.among(data["members"], order[:n])
            pooled = []
            for v, members in data["vocabularies"].items():
                here = np.isin(scores.labels, members)
                _, confidence, right = scores.among(members, order[:n])
                pooled.append((confidence[here], right[here]))
                found["own"][v].append(calibration(confidence[here], right[here]))
                found["all"][v].append(calibration(among_all[here], right_all[here]))
            pooled = [np.concatenate(x) for x in zip(*pooled)]
            found["own"][None].append(calibration(*pooled))
            found["all"][None].append(calibration(among_all, right_all))
            for scope, (confidence, right) in (("own", pooled), ("all", (among_all, right_all))):
                if n not in (0, len(data["pool"])):
                    continue
                entry = next(e for e in figures[scope]["reliability"] if e["n"] == n)
                bins = np.searchsorted(np.arange(1, BINS) / BINS, confidence, "left")
                assert entry["images"] == [int((bins == b).sum()) for b in range(BINS)]
                assert entry["right"] == [int(right[bins == b].sum()) for b in range(BINS)]
                for b in range(BINS):
                    close(("bin", b), entry["confidence"][b], confidence[bins == b].mean() if (bins == b).any() else math.nan)
        for scope in ("own", "all"):
            for k, key in enumerate(keys):
                spread((scope, n), figures[scope], key, p, [x[k] for x in found[scope][None]])
                for entry in figures["vocabularies"]:
                    close((entry["name"], scope, key, n), entry[scope][key][p], np.mean([x[k] for x in found[scope][entry["name"]]]))
    for entry, members in zip(figures["vocabularies"], data["vocabularies"].values()):
        assert entry["images"] == int(np.isin(scores.labels, members).sum())


if sys.argv[1] == "make":
    make(sys.argv[2])
else:
    inputs = read(sys.argv[2])
    result = json.load(open(sys.argv[3]))["results"][0]
    inputs["similarity"], analyses = result["embedding"]["similarity"], result["analyses"]
    if "open_set" in analyses:
        check_open_set(analyses["open_set"], inputs)
    if "calibration" in analyses:
        check_calibration(analyses["calibration"], inputs)
