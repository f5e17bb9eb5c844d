#!/usr/bin/env python3
"""The analysis prompt_spread by NumPy: prompt_spread_oracle.py texts FOLDER WORDNET | check FOLDER WORDNET RESULTS.json

texts: what is to be encoded, all names in all templates, into FOLDER/texts.txt, from v.json {vocabulary: [[class, id or null]]},
templates.txt and WordNet's files. check: every figure, from FOLDER/texts.npy, images.npy and labels.txt (a class a line)."""
import json
import math
import sys

import numpy as np

KEYS = ("acc_c", "acc_e", "acc_s", "top1_all")


def lines(path):
    return [line.rstrip("\n") for line in open(path)]


def fold(name):
    return name.lower().replace("_", " ")


def read_wordnet(folder):
    words, senses = {}, {}
    for line in lines(f"{folder}/data.noun"):
        if not line.startswith("  "):
            parts = line.split(" ")
            words[parts[0]] = [fold(parts[4 + 2 * i]) for i in range(int(parts[3], 16))]
    for line in lines(f"{folder}/index.noun"):
        if not line.startswith("  "):
            parts = line.split()
            senses[fold(parts[0])] = parts[-int(parts[2]):]
    return words, senses


def read(folder, wordnet):
    vocabularies = json.load(open(f"{folder}/v.json"))
    classes, ids = [], {}
    for members in vocabularies.values():
        for name, number in members:
            if name not in classes:
                classes.append(name)
            ids[name] = number
    words, senses = read_wordnet(wordnet)
    ambiguous, lemmas = 0, {}
    for c in classes:
        found = senses.get(fold(c), [])
        synset = ids[c][1:] if ids[c] and ids[c][1:] in words else found[0] if len(found) == 1 else None
        ambiguous += synset is None and len(found) > 1
        lemmas[c] = sorted({w for w in words[synset] if w != fold(c)} if synset else set())
    meant = [w for c in classes for w in lemmas[c]]
    own = {fold(c) for c in classes}
    kept = {c: [w for w in lemmas[c] if w not in own and meant.count(w) == 1] for c in classes}
    dropped = len(meant) - sum(map(len, kept.values()))
    members = {v: [classes.index(n) for n, _ in m] for v, m in vocabularies.items()}
    return classes, members, kept, ambiguous, dropped, lines(f"{folder}/templates.txt")


def openness(images, labels, texts, members):
    s = images @ (texts / np.linalg.norm(texts, axis=1, keepdims=True)).T
    true = s[np.arange(len(labels)), labels]
    beaten = np.zeros((len(labels), len(members)), bool)
    for u, classes in enumerate(members.values()):
        for c in classes:
            beaten[:, u] |= (c != labels) & ((s[:, c] > true) | ((s[:, c] == true) & (c < labels)))
    m = len(members) - 1
    out = []
    for t, classes in enumerate(members.values()):
        here = np.isin(labels, classes)
        own, b = ~beaten[here, t], np.delete(beaten[here], t, axis=1).sum(axis=1)
        out.append([own.mean(), (own / (b + 1)).mean(), (own * (m - b) / (m * (b + 1))).mean()])
    return list(np.mean(out, axis=0)) + [(~beaten.any(axis=1)).mean()]


def close(what, found, expected):
    assert found is not None and abs(found - expected) < 1e-9, (what, found, expected)


def check_part(part, expected, names):
    assert len(part["list"]) == len(expected)
    for k, figures in enumerate(expected):
        if names:
            assert part["list"][k]["template"] == names[k]
        for key, value in zip(KEYS, figures):
            close((k, key), part["list"][k][key], value)
    for f, key in enumerate(KEYS):
        values = np.array([e[f] for e in expected])
        for what, value in (("mean", values.mean()), ("sd", values.std(ddof=1)), ("min", values.min()), ("max", values.max())):
            close((key, what), part[key][what], value)
        if names:
            assert (part[key]["least"], part[key]["most"]) == (names[int(values.argmin())], names[int(values.argmax())])


def check(folder, wordnet, path):
    classes, members, kept, ambiguous, dropped, templates = read(folder, wordnet)
    spread = json.load(open(path))["results"][0]["analyses"]["prompt_spread"]
    unit = lambda x: x / np.linalg.norm(x, axis=-1, keepdims=True)
    images = unit(np.load(f"{folder}/images.npy").astype(np.float64))
    labels = np.array([classes.index(c) for c in lines(f"{folder}/labels.txt")])
    rows = np.load(f"{folder}/texts.npy").astype(np.float64).reshape(-1, len(templates), images.shape[1])
    own, others = rows[: len(classes)], rows[len(classes):]
    if len(templates) > 1:
        check_part(spread["templates"], [openness(images, labels, own[:, k], members) for k in range(len(templates))], templates)
    else:
        assert spread["templates"] is None
    ensemble = lambda x: unit(unit(x).mean(axis=1)).astype(np.float32).astype(np.float64) if len(templates) > 1 else x[:, 0]
    own, others, at, start = ensemble(own), ensemble(others) if len(others) else others, 0, {}
    for c in classes:
        start[c] = at
        at += len(kept[c])
    part = spread["synonyms"]
    assert (part["names"], part["ambiguous_classes"], part["shared_names"]) == (at, ambiguous, dropped), part
    assert part["classes"] == [{"name": c, "synonyms": kept[c]} for c in classes if kept[c]], part["classes"]
    assert part["classes_with_synonyms"] == len(part["classes"])
    generator, expected = np.random.RandomState(part["seed"]), []
    for _ in range(part["draws"]):
        texts = own.copy()
        for k, c in enumerate(classes):
            choice = generator.randint(len(kept[c]) + 1) if kept[c] else 0
            if choice:
                texts[k] = others[start[c] + choice - 1]
        expected.append(openness(images, labels, texts, members))
    check_part(part, expected, None)
    assert len({tuple(e) for e in expected}) > 1 and all(map(math.isfinite, expected[0]))


if sys.argv[1] == "texts":
    names, _, synonyms, _, _, prompts = read(sys.argv[2], sys.argv[3])
    with open(f"{sys.argv[2]}/texts.txt", "w") as out:
        for name in names + [w for c in names for w in synonyms[c]]:
            out.writelines(p.replace("{}", name.replace("_", " ")) + "\n" for p in prompts)
else:
    check(*sys.argv[2:])
