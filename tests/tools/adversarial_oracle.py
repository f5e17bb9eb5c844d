#!/usr/bin/python3
"""What adversarial names are to the classes they take, by another reader of WordNet, and that no name takes nothing, by NumPy.

adversarial_oracle.py make FOLDER                     writes an experiment's embeddings, names and vocabularies, and a WordNet
adversarial_oracle.py check FOLDER RESULTS [WORDNET]  compares; without WORDNET all relations must be null
adversarial_oracle.py real FOLDER RESULTS WORDNET     the same for ImageNet's classes (FOLDER/{i,t,y}.npy, names.txt, ids.txt)
"""
import json
import sys

import numpy as np

SYNSETS = """\
00000100 03 n 01 entity 0 000 | all
00000200 03 n 02 animal 0 beast 0 001 @ 00000100 n 0000 | moves
00000300 03 n 01 bear 0 001 @ 00000200 n 0000 | brown
00000400 03 n 01 brown_bear 0 002 @ 00000300 n 0000 @ 00000100 n 0000 | two ways up
00000500 03 n 02 whale 0 giant 0 001 @ 00000200 n 0000 | large
00000600 03 n 02 wolf 0 grey_wolf 0 001 @ 00000200 n 0000 | grey
00000700 03 n 02 whale 1 mogul 0 001 @ 00000100 n 0000 | another sense
00000800 03 n 01 Misha 0 001 @i 00000400 n 0000 | an instance
00000900 03 n 01 void 0 000 | another root
"""
CLASSES = [("seal", "n00000300"), ("whale", None), ("Wolf", None), ("stool", None), ("beast", "x12")]  # the seal is a bear by id
VOCABULARIES = {"water": [0, 1], "land": [2], "rest": [3, 4]}
NAMES = ["Misha", "animal", "bear", "brown_bear", "entity", "grey wolf", "giant", "mogul", "void", "sofa", "nobody", "wolf"]


def fold(name):
    return name.lower().replace("_", " ")


def make(folder):
    rng = np.random.default_rng(16)
    texts = rng.standard_normal((len(CLASSES), 6))
    labels = rng.integers(0, len(CLASSES), 240)
    images = texts[labels] + 0.9 * rng.standard_normal((240, 6))
    names = 0.75 * texts[rng.integers(0, len(CLASSES), len(NAMES))] + 0.5 * rng.standard_normal((len(NAMES), 6))
    names[-3:] = -texts.sum(0)  # take little or nothing
    for name, array, kind in (("i", images, "f4"), ("t", texts, "f4"), ("n", names, "f4"), ("y", labels, "i4")):
        np.save(f"{folder}/{name}.npy", array.astype(kind))
    open(f"{folder}/names.txt", "w").write("".join(n + "\n" for n in NAMES))
    with open(f"{folder}/v.yaml", "w") as out:
        out.write("name: v\nvocabularies:\n")
        for name, members in VOCABULARIES.items():
            classes = ("{" + (f"id: {CLASSES[c][1]}, " if CLASSES[c][1] else "") + f"name: {CLASSES[c][0]}" + "}" for c in members)
            out.write(f"  {name}: [{', '.join(classes)}]\n")
    open(f"{folder}/data.noun", "w").write(SYNSETS)
    lemmas = {}
    for line in SYNSETS.splitlines():
        parts = line.split()
        for i in range(int(parts[3], 16)):
            lemmas.setdefault(parts[4 + 2 * i].lower(), []).append(parts[0])
    open(f"{folder}/index.noun", "w").writelines(
        f"{lemma} n {len(at)} 1 @ {len(at)} 0 {' '.join(at)}\n" for lemma, at in sorted(lemmas.items()))


class WordNet:
    def __init__(self, folder):
        self.senses, self.above = {}, {}
        for line in open(f"{folder}/data.noun", encoding="utf-8"):
            if line.startswith("  "):
                continue
            parts = line.split(" ")
            synset, n = parts[0], int(parts[3], 16)
            for i in range(n):
                self.senses.setdefault(fold(parts[4 + 2 * i]), set()).add(synset)
            at = 4 + 2 * n
            pointers = [parts[at + 1 + 4 * i : at + 5 + 4 * i] for i in range(int(parts[at]))]
            self.above[synset] = {p[1] for p in pointers if p[0] in ("@", "@i") and p[2] == "n"}

    def term(self, name, wnid=None):
        if wnid and wnid[0] == "n" and wnid[1:] in self.above:
            return {wnid[1:]}
        return self.senses.get(fold(name), set())

    def levels(self, synsets):
        """What lies k steps up, for k = 0, 1, ...: every synset at its first."""
        seen, level, all_levels = set(), set(synsets), []
        while level:
            all_levels.append(level)
            seen |= level
            level = {p for s in level for p in self.above[s]} - seen
        return {s: k for k, level in enumerate(all_levels) for s in level}

    def relation(self, of, name):
        """(what `name` is to `of`, steps): each of all pairs of senses by itself."""
        length, ups, downs, sisters = [], [], [], False
        for a in of:
            for b in name:
                up, down = self.levels({a}), self.levels({b})
                length += [up[s] + down[s] for s in up.keys() & down.keys()]
                ups += [up[b]] if b in up else []
                downs += [down[a]] if a in down else []
        if not length:
            return None, None
        parents = lambda synsets: {p for s in synsets for p in self.above[s]}
        sisters = bool(parents(of) & parents(name))
        if of & name:
            return "synonym", min(length)
        if ups or downs:
            return ("hypernym" if min(ups, default=1e9) <= min(downs, default=1e9) else "hyponym"), min(length)
        return ("sister" if sisters else "other"), min(length)


wrong = []


def expect(what, found, expected):
    same = abs(found - expected) < 1e-12 if isinstance(found, float) and isinstance(expected, float) else found == expected
    if not same:
        wrong.append(f"{what}: {found}, expected {expected}")


def check_relations(entry, ids, tables):
    taken = right = 0
    for name, takes, relations, share in zip(entry["names"], entry["takes"], entry["relations"], entry["true_share"], strict=True):
        term, mine = tables.term(name) if tables else set(), 0
        for cls, images in takes.items():
            word, path = tables.relation(tables.term(cls, ids[cls]), term) if tables else (None, None)
            expect(f"{name} to {cls}", relations[cls], {"relation": word, "path": path})
            mine += images * (word in ("synonym", "hypernym", "hyponym"))
        expect(f"classes of {name}", list(relations), list(takes))
        total = sum(takes.values())
        expect(f"true share of {name}", share, mine / total if term and total else None)
        taken, right = taken + total, right + mine
    expect(f"true share of {entry['target']}", entry["taken_true_share"], right / taken if tables and taken else None)


def check_fillers(entry, k, takes):
    """takes: name -> which right images it takes. Each name takes something, and where there are fewer than k, no other does."""
    taken = np.zeros_like(next(iter(takes.values())))
    alone = entry["method"] == "single"
    for name, found in zip(entry["names"], entry["takes"]):
        fresh = takes[name] & ~taken
        expect(f"{name} takes", sum(found.values()), int(fresh.sum()))
        if not (takes[name] if alone else fresh).any():
            wrong.append(f"{entry['target']}: {name} takes nothing")
        taken |= takes[name]
    rest = any((t if alone else t & ~taken).any() for n, t in takes.items() if n not in entry["names"])
    expect(f"names of {entry['target']}", len(entry["names"]), len(entry["names"]) if len(entry["names"]) == k or not rest else "more")
    expect("k", entry["k"], k)
    expect(f"note on {entry['target']}", "note" in entry, len(entry["names"]) < k)


def check(folder, path, base, real):
    document = json.load(open(path))
    result, k = document["results"][0], document["configuration"]["adversarial"]["k"]
    tables = WordNet(base) if base else None
    unit = lambda f: (lambda x: x / np.linalg.norm(x, axis=1, keepdims=True))(np.load(f"{folder}/{f}.npy").astype(np.float64))
    images, texts, labels = unit("i"), unit("t"), np.load(f"{folder}/y.npy")
    if real:
        names, wnids = ([l.rstrip("\n") for l in open(f"{folder}/{f}.txt")] for f in ("names", "ids"))
        ids = {c["name"]: c["id"] for v in result["vocabularies"] for c in v["classes"]}
        rows = [wnids.index(w) for w in ids.values()]
        number = {w: i for i, w in enumerate(ids.values())}
        labels = np.array([number.get(wnids[y], -1) for y in labels])
        members = {v["name"]: [list(ids).index(c["name"]) for c in v["classes"]] for v in result["vocabularies"]}
        foreign, texts = texts, texts[rows]
    else:
        names, ids, members, foreign = NAMES, dict(CLASSES), VOCABULARIES, unit("n")
    s, f = images @ texts.T, images @ foreign.T
    for entry in result["adversarial"]:
        own = members[entry["target"]]
        mine = [i for i, y in enumerate(labels) if y in own and s[i, y] == max(s[i, c] for c in own)]
        expect(f"right images of {entry['target']}", entry["right"], len(mine))
        first = {fold(n): i for i, n in reversed(list(enumerate(names)))}
        left = {names[i] for i in first.values()}
        if document["configuration"]["adversarial"]["exclude"] == "names":
            left -= {n for n in left if fold(n) in {fold(list(ids)[c]) for c in own}}
        takes = {names[i]: np.array([f[x, i] > s[x, labels[x]] for x in mine]) for i in first.values() if names[i] in left}
        check_fillers(entry, k, takes)
        check_relations(entry, ids, tables)
    if real:
        print("true names by hierarchy:", sum(sum(t.values()) for e in result["adversarial"] for t in e["takes"]), "taken")
    print("\n".join(wrong))
    return bool(wrong)


if __name__ == "__main__":
    command, folder, *rest = sys.argv[1:]
    sys.exit(make(folder) if command == "make" else check(folder, rest[0], rest[1] if len(rest) > 1 else None, command == "real"))
