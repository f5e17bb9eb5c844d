#!/usr/bin/python3
"""Dataset-level expansions by enumeration, and series of checkpoints.

make DIR: three precomputed datasets. check DIR RESULTS EXPANSION...: every figure of the expansions against all orders and all subsets of
their datasets, image by image. far DIR NAMES: the datasets again, of which no shared class can be taken for another. gather DIR NAME IMAGES CLASSES TEXTS...: what `encode` made of a folder of images and of the texts, one
file a template, in the form that check reads. perturb IN OUT SEED: another checkpoint. context OUT WIDTH SEED: CoOp's; contexts OUT
COUNT FIRST SECOND: of COUNT classes, the first such file's for every third class. turns OWN COUNT FIRST SECOND: whether texts of the
first cache are so those of the other two."""
import glob
import itertools
import json
import math
import os
import struct
import sys

import numpy as np

DIM = 12
# Names with spaces or underscores are the same; `bank` of b and c are two things, for their ids differ; `sea lion` and `otaria` have one id.
DATASETS = {
    "a": {"first": ["ant", "maple_tree", "cat"], "second": ["dog", "pond"]},
    "b": {"all": ["maple tree", ("n1", "bank"), "elk", "cat", "fox", ("n7", "sea lion"), "gnu"]},
    "c": {"all": [("n2", "bank"), "hen", "cat", ("n7", "otaria")]},
}
IMAGES = {"a": 90, "b": 301, "c": 41}
# Which classes of the flattened datasets are one thing, by hand.
SAME = {("a", 1): "maple", ("b", 0): "maple", ("a", 2): "cat", ("b", 3): "cat", ("c", 2): "cat", ("b", 5): "otaria", ("c", 3): "otaria"}
RULES = ("same", "different", "merge", "drop")


def listed(name):
    return [c for v in DATASETS[name].values() for c in v]


def make(folder):
    rng = np.random.default_rng(3)
    things = {}
    for name, vocabularies in DATASETS.items():
        lines = [f"name: {name}", "vocabularies:"]
        for vocabulary, classes in vocabularies.items():
            lines.append(f"  {vocabulary}:")
            lines += [f"    - {{id: {c[0]}, name: {c[1]}}}" if isinstance(c, tuple) else f"    - {c}" for c in classes]
        with open(f"{folder}/{name}.yaml", "w", encoding="utf-8") as file:
            file.write("\n".join(lines) + "\n")
        classes = len(listed(name))
        texts = rng.standard_normal((classes, DIM))
        for c in range(classes):  # things of one name look alike, their texts are not the same
            thing = SAME.get((name, c))
            texts[c] = things.setdefault(thing, texts[c]) + 0.3 * rng.standard_normal(DIM) if thing else texts[c]
        labels = np.append(np.arange(classes), rng.integers(-1, classes, IMAGES[name] - classes))
        images = 0.8 * texts[labels] + rng.standard_normal((len(labels), DIM))
        for kind, array in (("i", images), ("t", texts)):
            np.save(f"{folder}/{name}-{kind}.npy", array.astype("f4"))
        np.save(f"{folder}/{name}-y.npy", labels.astype("i4"))
        write_things(folder, name, [SAME.get((name, c), f"{name} {c}") for c in range(classes)])


def write_things(folder, name, things):
    with open(f"{folder}/{name}-things.json", "w", encoding="utf-8") as file:
        json.dump(things, file)


def far(folder, names):
    """By dot products: a dimension for each shared class, in which its text is far below, and images of its equivalents far above. These are
    two things then that no image is mistaken for. Also foreign names, which have zeros there."""
    shared = sorted(SAME)
    for name in DATASETS:
        texts, images, labels = (np.load(f"{folder}/{name}-{kind}.npy") for kind in "tiy")
        more, above = np.zeros((len(texts), len(shared)), "f4"), np.zeros((len(images), len(shared)), "f4")
        for d, key in enumerate(shared):
            if key[0] == name:
                more[key[1], d] = -64
            else:
                above[[SAME.get((name, c)) == SAME[key] for c in labels], d] = 64
        np.save(f"{folder}/far-{name}-t.npy", np.hstack([texts, more]))
        np.save(f"{folder}/far-{name}-i.npy", np.hstack([images, above]))
    rows = np.random.default_rng(4).standard_normal((30, DIM)).astype("f4")
    np.save(f"{folder}/n.npy", rows)
    np.save(f"{folder}/far-n.npy", np.hstack([rows, np.zeros((30, len(shared)), "f4")]))
    with open(names, "w", encoding="utf-8") as file:
        file.writelines(f"name {i}\n" for i in range(30))


def gather(folder, name, images, class_list, templates):
    """Rows of `encode images` are in the order of the paths; classes are things by their names."""
    with open(class_list, encoding="utf-8") as file:
        names = file.read().splitlines()
    labels = [names.index(c.replace("_", " ")) for c in sorted(os.listdir(images)) for _ in os.listdir(f"{images}/{c}")]
    texts = [np.load(path).astype(float) for path in templates]
    if len(texts) > 1:
        texts = [sum(t / np.linalg.norm(t, axis=1, keepdims=True) for t in texts)]
    np.save(f"{folder}/{name}-t.npy", texts[0])
    np.save(f"{folder}/{name}-y.npy", np.array(labels, "i4"))
    write_things(folder, name, names)


def read_tensors(path):
    with open(path, "rb") as file:
        data = file.read()
    size = struct.unpack("<Q", data[:8])[0]
    return json.loads(data[8:8 + size]), bytearray(data[8 + size:])


def write_tensors(path, header, data):
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + data)


def perturb(source, target, seed):
    header, data = read_tensors(source)
    rng = np.random.default_rng(seed)
    for key in ("visual.proj", "text_projection"):
        begin, end = header[key]["data_offsets"]
        kind = {"F32": "f4", "F16": "f2"}[header[key]["dtype"]]
        values = np.frombuffer(data[begin:end], kind)
        data[begin:end] = (values + 0.3 * values.std() * rng.standard_normal(len(values))).astype(kind).tobytes()
    write_tensors(target, header, data)


def context(target, width, seed):
    values = np.random.default_rng(seed).standard_normal((4, width)).astype("f4")
    write_tensors(target, {"ctx": {"dtype": "F32", "shape": [4, width], "data_offsets": [0, values.nbytes]}}, values.tobytes())


def contexts(target, count, *paths):
    """The data of a tensor are all behind the header."""
    header, _ = read_tensors(paths[0])
    data = b"".join(bytes(read_tensors(paths[c % 3 > 0])[1]) for c in range(count))
    shape = [count, *header["ctx"]["shape"]]
    write_tensors(target, {"ctx": {"dtype": "F32", "shape": shape, "data_offsets": [0, len(data)]}}, data)


def turns(own, count, *others):
    """Texts are in units of 256, the last one of what is left: no other unit here has so many rows."""
    found = []
    for cache in (own, *others):
        units = [np.load(path) for path in glob.glob(f"{cache}/*/*.npy")]
        found.append(np.concatenate([next(u for u in units if len(u) == rows) for rows in (256, count - 256)]))
    for c in range(count):
        for k in range(2):
            if (found[0][c] == found[1 + k][c]).all() != ((c % 3 > 0) == k):
                sys.exit(f"class {c} and context {k}")


wrong = []


def close(name, found, expected, tolerance=1e-9):
    if np.shape(found) != np.shape(expected) or not np.allclose(np.array(found, float), expected, rtol=0, atol=tolerance):
        wrong.append(f"{name}: {found}, expected {expected}")


def same(name, found, expected):
    if found != expected:
        wrong.append(f"{name}: {found}, expected {expected}")


def load(folder, names):
    """Texts and images of all, each with its dataset and class."""
    texts, classes, images, labels, same_as = [], [], [], [], {}
    for name in names:
        with open(f"{folder}/{name}-things.json", encoding="utf-8") as file:
            same_as.update({(name, c): thing for c, thing in enumerate(json.load(file))})
        t, i, y = (np.load(f"{folder}/{name}-{kind}.npy") for kind in "tiy")
        texts.append(t)
        classes += [(name, c) for c in range(len(t))]
        images.append(i[y >= 0])
        labels += [(name, int(c)) for c in y[y >= 0]]
    return np.concatenate(texts).astype(float), classes, np.concatenate(images).astype(float), labels, same_as


def join(classes, labels, same_as, rule):
    """Vocabularies as lists of text rows; images with the row of their class and their vocabularies; rows that cannot be wrong for them."""
    things = {}
    for row, key in enumerate(classes):
        things.setdefault(same_as[key], []).append(row)
    thing_of = {row: thing for thing, rows in things.items() for row in rows}
    shared = {thing for thing, rows in things.items() if len(rows) > 1}
    row_of = {key: row for row, key in enumerate(classes)}
    kept, row_at, homes = [], [], []
    for x, key in enumerate(labels):
        row = row_of[key]
        thing = thing_of[row]
        if rule == "drop" and thing in shared:
            continue
        merged = rule == "merge" and thing in shared
        kept.append(x)
        row_at.append(things[thing][0] if merged else row)
        homes.append([classes[r][0] for r in things[thing]] if merged else [key[0]])
    names = list(dict.fromkeys(name for name, _ in classes))
    vocabularies = {}
    for name in names:
        rows = []
        for row, key in enumerate(classes):
            if key[0] != name or (rule == "drop" and thing_of[row] in shared):
                continue
            rows.append(things[thing_of[row]][0] if rule == "merge" else row)
        vocabularies[name] = rows
    forgiven = [set(things[thing_of[r]]) if rule == "same" else {r} for r in row_at]
    return names, vocabularies, kept, row_at, homes, forgiven, sorted(shared, key=lambda t: things[t][0]), things


def check(folder, entry, names, rule):
    texts, classes, images, labels, same_as = load(folder, names)
    names, vocabularies, kept, row_at, homes, forgiven, shared, things = join(classes, labels, same_as, rule)
    texts /= np.linalg.norm(texts, axis=1, keepdims=True)
    images = images[kept] / np.linalg.norm(images[kept], axis=1, keepdims=True)
    scores = images @ texts.T
    n, count = len(names), len(kept)

    def beats(x, name):  # of equal texts the first one
        own = row_at[x]
        return any((scores[x, r], own) > (scores[x, own], r) for r in vocabularies[name] if r not in forgiven[x])

    beaten = [{name for name in names if beats(x, name)} for x in range(count)]
    label = f"{entry['dataset']} ({rule})"
    same(f"{label}: vocabularies", [v["name"] for v in entry["vocabularies"]], names)
    same(f"{label}: images", entry["images"], count)
    same(f"{label}: rule", entry["expansion"]["shared_names"], rule)
    same(f"{label}: shared", [list(s) for s in entry["expansion"]["shared"]],
         [[classes[r][0] for r in things[thing]] for thing in shared])
    curves, theft = [], []
    for t, name in enumerate(names):
        mine = [x for x in range(count) if name in homes[x]]
        others = [u for u in names if u != name]
        figures = entry["vocabularies"][t]
        same(f"{label}: images of {name}", figures["images"], len(mine))
        # Every order of arrival, every image.
        steps = np.zeros(n)
        orders = list(itertools.permutations(others))
        for order in orders:
            for i in range(n):
                there = {name, *order[:i]}
                steps[i] += sum(not beaten[x] & there for x in mine) / len(mine) / len(orders)
        curves.append(steps)
        close(f"{label}: curve of {name}", figures["curve"], steps)
        close(f"{label}: acc_c of {name}", figures["acc_c"], steps[0])
        close(f"{label}: acc_e of {name}", figures["acc_e"], steps.mean())
        close(f"{label}: acc_s of {name}", figures["acc_s"], steps[1:].mean())
        right = [x for x in mine if name not in beaten[x]]
        theft.append([sum(u in beaten[x] for x in right) if u != name else 0 for u in names])
        histogram = [sum(len(beaten[x] - {name}) == b for x in right) for b in range(n)]
        same(f"{label}: harm histogram of {name}", figures["harm_histogram"], histogram)
    same(f"{label}: theft", entry["theft"], theft)
    close(f"{label}: curve", entry["curve"], np.mean(curves, axis=0))
    for key, values in (("acc_c", [c[0] for c in curves]), ("acc_e", [c.mean() for c in curves]), ("acc_s", [c[1:].mean() for c in curves])):
        close(f"{label}: {key}", entry[key], np.mean(values))
    # Every set of datasets with the union of its images.
    by_size = []
    for i in range(1, n + 1):
        accuracies = []
        for names_there in itertools.combinations(names, i):
            there = set(names_there)
            inside = [x for x in range(count) if there & set(homes[x])]
            accuracies.append(sum(not beaten[x] & there for x in inside) / len(inside))
        by_size.append(np.mean(accuracies))
    close(f"{label}: acc_e_union", entry["acc_e_union"], np.mean(by_size))
    same(f"{label}: union method", entry["acc_e_union_method"], "subsets")
    close(f"{label}: top1_all", entry["top1_all"], sum(not b for b in beaten) / count)
    analyses = entry.get("analyses", {})
    used = sorted({r for rows in vocabularies.values() for r in rows})
    if "margin_median" in analyses:
        rivals = [[r for r in used if r not in forgiven[x]] for x in range(count)]
        margins = [scores[x, row_at[x]] - scores[x, rivals[x]].max() for x in range(count)]
        close(f"{label}: margin", analyses["margin_median"], np.median(margins))
        close(f"{label}: negatives", analyses["negative_mean"], np.mean(np.concatenate([scores[x, rivals[x]] for x in range(count)])))
    if "alignment" in analyses:
        close(f"{label}: alignment", analyses["alignment"], np.mean([2 - 2 * scores[x, row_at[x]] for x in range(count)]))
        for kind, rows in (("text", texts[used]), ("image", images)):
            gauss = np.exp(-2 * ((rows[:, None] - rows[None]) ** 2).sum(-1))
            m = len(rows)
            value = math.log((gauss.sum() - m) / (m * (m - 1)))
            close(f"{label}: uniformity_{kind}", analyses[f"uniformity_{kind}"], value, 1e-7)


def main():
    arguments = sys.argv[2:]
    if sys.argv[1] == "make":
        return make(*arguments)
    if sys.argv[1] == "far":
        return far(*arguments)
    if sys.argv[1] == "gather":
        return gather(*arguments[:4], arguments[4:])
    if sys.argv[1] == "perturb":
        return perturb(*arguments[:2], int(arguments[2]))
    if sys.argv[1] == "context":
        return context(arguments[0], int(arguments[1]), int(arguments[2]))
    if sys.argv[1] in ("contexts", "turns"):
        return {"contexts": contexts, "turns": turns}[sys.argv[1]](arguments[0], int(arguments[1]), *arguments[2:])
    folder, path = sys.argv[2:4]
    with open(path, encoding="utf-8") as file:
        results = {entry["dataset"]: entry for entry in json.load(file)["results"] if "expansion" in entry}
    for entry in results.values():
        names = [d["name"] for d in entry["expansion"]["datasets"]]
        check(folder, entry, names, entry["expansion"]["shared_names"])
    same("expansions", sorted(results), sorted(sys.argv[4:]))
    print("\n".join(wrong) if wrong else f"{len(results)} expansions are the enumeration's")
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())
