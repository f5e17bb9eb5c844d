#!/usr/bin/python3
"""Analyses and adversarial vocabularies by NumPy and enumeration: `make DIR` writes an experiment, `check DIR RESULTS` compares."""
import itertools
import json
import math
import sys

import numpy as np

VOCABULARIES, CLASSES, IMAGES, DIM, CANDIDATES = 6, 24, 900, 24, 60


def make(folder):
    rng = np.random.default_rng(5)
    texts = rng.standard_normal((CLASSES, DIM)) + 0.5
    labels = rng.integers(0, CLASSES, IMAGES)
    images = 0.9 * texts[labels] + rng.standard_normal((IMAGES, DIM)) + 0.5
    candidates = 0.8 * texts[rng.integers(0, CLASSES, CANDIDATES)] + 0.8 * rng.standard_normal((CANDIDATES, DIM))
    names = [f"noun {i * 37 % 61:02d}" for i in range(CANDIDATES)]
    # An empty line, a repetition, and a class of v0: rows that no target v0 may use.
    names.insert(20, "")
    names.insert(30, "NOUN_" + names[3][5:])
    names.insert(40, "C1")
    rows = np.insert(candidates, [20, 29, 38], texts[:3], axis=0)
    for name, array, kind in (("i", images, "f4"), ("t", texts, "f4"), ("y", labels, "i4"), ("c", rows, "f4")):
        np.save(f"{folder}/{name}.npy", array.astype(kind))
    with open(f"{folder}/c.txt", "w", encoding="utf-8") as file:
        file.write("\n".join(names) + "\n")
    with open(f"{folder}/v.yaml", "w", encoding="utf-8") as file:
        file.write("name: v\nvocabularies:\n")
        for v in range(VOCABULARIES):
            file.write(f"  v{v}: [{', '.join(f'c{4 * v + i}' for i in range(4))}]\n")


def load(folder):
    images, texts, rows = (np.load(f"{folder}/{name}.npy").astype(float) for name in "itc")
    unit = [x / np.linalg.norm(x, axis=1, keepdims=True) for x in (images, texts, rows)]
    return unit + [np.load(f"{folder}/y.npy"), open(f"{folder}/c.txt", encoding="utf-8").read().splitlines()]


wrong = []


def close(name, found, expected, tolerance=1e-9):
    if np.shape(found) != np.shape(expected) or not np.allclose(np.array(found, float), expected, rtol=0, atol=tolerance):
        wrong.append(f"{name}: {found}, expected {expected}")


def check_analyses(a, images, texts, labels):
    s = images @ texts.T
    own = s[np.arange(IMAGES), labels]
    others = s.copy()
    others[np.arange(IMAGES), labels] = -2
    margin = own - others.max(1)
    negative = s[others > -2]
    close("margin_median", a["margin_median"], np.median(margin))
    close("margin_mean", a["margin_mean"], margin.mean())
    for q, value in a["margin_quantiles"].items():
        close(f"quantile {q}", value, np.quantile(margin, float(q)))
    close("positive_mean", a["positive_mean"], own.mean())
    close("negative_mean", a["negative_mean"], negative.mean())
    bins = [np.histogram(x, bins=200, range=(-1, 1))[0] for x in (own, negative, margin)]
    for name, expected, values in zip(("positive", "negative", "margin"), bins, (own, negative, margin)):
        close(f"histogram {name}", a["histograms"][name], expected, 0)
        close(f"beyond {name}", a["histograms"]["beyond"][name], (np.abs(values) > 1).sum(), 0)
    close("overlap", a["overlap"], np.minimum(bins[0] / bins[0].sum(), bins[1] / bins[1].sum()).sum())
    close("alignment", a["alignment"], ((images - texts[labels]) ** 2).sum(1).mean())
    close("modality_gap", a["modality_gap"], np.linalg.norm(images.mean(0) - texts.mean(0)))
    for name, x in (("image", images), ("text", texts)):
        pairs = ~np.eye(len(x), dtype=bool)
        distance = ((x[:, None] - x[None]) ** 2).sum(-1)
        close(f"uniformity_{name}", a[f"uniformity_{name}"], np.log(np.exp(-2 * distance[pairs]).mean()))
        values = np.linalg.svd(x, compute_uv=False)
        close(f"spectrum {name}", a["spectrum"][name]["singular_values"], values)
        shares = values / values.sum()
        close(f"effective rank {name}", a["spectrum"][name]["effective_rank"], np.exp(-(shares * np.log(shares)).sum()), 1e-8)


def right_images(v, s, labels):
    own = range(4 * v, 4 * v + 4)
    mine = [i for i in range(IMAGES) if labels[i] in own]
    return mine, [i for i in mine if max(own, key=lambda c: s[i, c]) == labels[i]]


def check_order(a, images, texts, labels):
    s = images @ texts.T
    for v in range(VOCABULARIES):
        mine, right = right_images(v, s, labels)
        beaten = np.array([[s[i, 4 * u : 4 * u + 4].max() > s[i, labels[i]] for u in range(VOCABULARIES)] for i in right])
        for k in range(VOCABULARIES):
            stay = [(~beaten[:, list(c)].any(1)).sum() / len(mine)
                    for c in itertools.combinations([u for u in range(VOCABULARIES) if u != v], k)]
            close(f"worst {v} {k}", a["order"]["vocabularies"][v]["worst"][k], min(stay))
            close(f"best {v} {k}", a["order"]["vocabularies"][v]["best"][k], max(stay))
    if a["order"]["exact"] is not True:
        wrong.append("the order's envelope is not exact")


def check_adversarial(entries, k, method, images, texts, rows, labels, names):
    fold, pool = (lambda name: name.lower().replace("_", " ")), {}
    for i, name in enumerate(names):
        if name:
            pool.setdefault(fold(name), (name, i))
    s, q = images @ texts.T, images @ rows.T
    for v, entry in enumerate(entries):
        mine, right = right_images(v, s, labels)
        allowed = sorted(p for f, p in pool.items() if f not in {f"c{c}" for c in range(4 * v, 4 * v + 4)})
        takes = np.array([[q[x, i] > s[x, labels[x]] for x in right] for _, i in allowed])
        accuracy = lambda chosen: (len(right) - takes[list(chosen)].any(0).sum()) / len(mine)
        order = lambda before: lambda c: (accuracy(before + [c]), allowed[c][0])
        count, chosen = range(len(allowed)), []
        close(f"before {v}", entry["accuracy_before"], len(right) / len(mine))
        if method == "exact":
            close(f"exact {v}", entry["accuracy"][-1], min(accuracy(c) for c in itertools.combinations(count, k)))
            if not entry["proven"] or entry["gap"]:
                wrong.append(f"{v}: not proven")
            chosen = [[name for name, _ in allowed].index(name) for name in entry["names"]]
        elif method == "single":
            chosen = [c for c in sorted(count, key=order([]))[:k] if takes[c].any()]
        else:
            while len(chosen) < k:
                best = min((c for c in count if c not in chosen), key=order(chosen))
                if accuracy(chosen + [best]) == accuracy(chosen):
                    break
                chosen.append(best)
        if entry["names"] != [allowed[c][0] for c in chosen]:
            wrong.append(f"{method} {v}: {entry['names']}, expected {[allowed[c][0] for c in chosen]}")
        close(f"{method} {v}", entry["accuracy"], [accuracy(chosen[: i + 1]) for i in range(len(chosen))])
        close(f"{method} alone {v}", entry["accuracy_alone"], [accuracy([c]) for c in chosen])
        pools, hit = len(allowed), takes.sum(0)
        close(f"{method} random {v}", entry["accuracy_random"],
              [sum(math.comb(pools - int(h), n) / math.comb(pools, n) for h in hit) / len(mine) for n in range(1, len(chosen) + 1)])
        taken = np.zeros(len(right), bool)
        for c, found, examples in zip(chosen, entry["takes"], entry["examples"]):
            fresh = takes[c] & ~taken
            taken |= fresh
            expected = {}
            for i in np.flatnonzero(fresh):
                expected[f"c{labels[right[i]]}"] = expected.get(f"c{labels[right[i]]}", 0) + 1
            if found != expected:
                wrong.append(f"{method} {v} takes {found}, expected {expected}")
            # The first image of every class, then the second ones: six in all, by their rows.
            seen, order_of = {}, []
            for i in np.flatnonzero(fresh):
                number = seen.setdefault(labels[right[i]], 0)
                seen[labels[right[i]]] += 1
                order_of.append((number, right[i]))
            expected = [{"image": f"row {x}", "class": f"c{labels[x]}", "place": int(x)} for _, x in sorted(order_of)[:6]]
            if examples != expected:
                wrong.append(f"{method} {v} examples {examples}, expected {expected}")


def check(folder, path):
    document = json.load(open(path, encoding="utf-8"))
    result, asked = document["results"][0], document["configuration"].get("adversarial")
    images, texts, rows, labels, names = load(folder)
    if "analyses" in result:
        check_analyses(result["analyses"], images, texts, labels)
        check_order(result["analyses"], images, texts, labels)
    if asked:
        check_adversarial(result["adversarial"], asked["k"], asked["method"], images, texts, rows, labels, names)
        pool = result["adversarial_pool"]
        if (pool["candidates"], pool["empty_lines"], pool["repeated_names"]) != (61, 1, 1):
            wrong.append(f"pool: {pool}")
    print("\n".join(wrong))
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(make(sys.argv[2]) if sys.argv[1] == "make" else check(*sys.argv[2:4]))
