#!/usr/bin/python3
"""Evaluation in integers: `make DIR KIND` writes an experiment with ties of every sort, `check DIR RESULTS` compares its counts."""
import json
import sys

import numpy as np

# kind: classes, dimensions, images, vocabularies
KINDS = {"many": (700, 8, 900, 7), "few": (3, 5, 2, 2), "one": (1, 3, 4, 1), "odd": (130, 16, 300, 5)}


def make(folder, kind):
    classes, dim, images, vocabularies = KINDS[kind]
    rng = np.random.default_rng(3)
    texts = rng.integers(-3, 4, (classes, dim))
    texts[:, 0] = 1 + np.abs(texts[:, 0])
    if classes > 99:  # equal texts, within a block of 64 classes, across blocks, across vocabularies; the same direction
        for copy, of in ((50, 3), (90, 4), (129, 1), (128, 64), (65, 64)):
            texts[copy] = texts[of]
        texts[70] = 2 * texts[5]
    labels = rng.integers(0, classes, images)
    if classes > 99:
        labels[: images // 6] = rng.choice([50, 3, 90, 4, 129, 128, 64, 65, 70, 5], images // 6)
    pictures = texts[labels] * 2 + rng.integers(-3, 4, (images, dim))
    pictures[:, 0] |= 1
    for name, array, form in (("t", texts, "f4"), ("i", pictures, "f4"), ("y", labels, "i4")):
        np.save(f"{folder}/{name}.npy", array.astype(form))
    cuts = np.linspace(0, classes, vocabularies + 1).astype(int)
    with open(f"{folder}/v.yaml", "w", encoding="utf-8") as file:
        file.write("name: v\nvocabularies:\n")
        for v in range(vocabularies):
            file.write(f"  v{v}: [{', '.join(f'c{c}' for c in range(cuts[v], cuts[v + 1]))}]\n")


def counts(folder, vocabularies, dot):
    texts, images, labels = (np.load(f"{folder}/{name}.npy").astype(np.int64) for name in "tiy")
    home = np.zeros(len(texts), int)
    for v, members in enumerate(vocabularies):
        home[members] = v
    histogram = np.zeros((len(vocabularies), len(vocabularies)), int)
    theft = np.zeros_like(histogram)
    square = (texts**2).sum(1)
    for x, y in zip(images, labels):
        s = texts @ x
        if dot:
            order = np.sign(s - s[y])
        else:  # of s / |t|: signs, then squares
            order = np.sign(np.sign(s) * s**2 * square[y] - np.sign(s[y]) * s[y] ** 2 * square)
        ahead = (order > 0) | ((order == 0) & (np.arange(len(texts)) < y))
        beaten = np.array([ahead[members].any() for members in vocabularies])
        if beaten[home[y]]:
            continue
        histogram[home[y], beaten.sum()] += 1
        theft[home[y]] += beaten
    return histogram.tolist(), theft.tolist()


def check(folder, path):
    wrong = []
    for result in json.load(open(path, encoding="utf-8"))["results"]:
        vocabularies = [[int(c["name"][1:]) for c in v["classes"]] for v in result["vocabularies"]]
        histogram, theft = counts(folder, vocabularies, result["model"] == "dot")
        for name, found, expected in (
            ("harm_histogram", [v["harm_histogram"] for v in result["vocabularies"]], histogram),
            ("theft", result["theft"], theft),
        ):
            if found != expected:
                wrong.append(f"{result['model']}: {name}: {found}, expected {expected}")
    print("\n".join(wrong))
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(make(*sys.argv[2:4]) if sys.argv[1] == "make" else check(*sys.argv[2:4]))
