"""Features that meet in one experiment, by NumPy from the definitions: sets of labels in several vocabularies, a limit, rows in
another order and of several types, a corpus of parts whose captions and embeddings are numbered in another way, a depth,
duplicates, lengths that count, folds.

usage: meeting_oracle.py make DIR | meeting_oracle.py pictures DIR | meeting_oracle.py check DIR RESULTS.json BLEND_PREFIX
"""
import glob
import itertools
import json
import os
import struct
import subprocess
import sys

import numpy as np

IMAGES, DIM = 110, 12
# Of every class the vocabularies, by their numbers; in the order of first occurrence in the file.
CLASSES = {"red fox": [0], "owl": [0, 1], "grey_wolf": [0], "oak": [1], "sea": [1, 2], "elm tree": [1], "lamp": [2], "table": [2]}
NAMES, HOLDS = list(CLASSES), list(CLASSES.values())
LABELS = ["moose", "lamp", "sea", "oak", "red fox", "table", "elm_tree", "owl", "grey wolf", "bus"]
PARTS = {0: 23, 1: 17, 10: 19, 2: 21}  # in the order of their names as bytes
unit = lambda x: x / np.linalg.norm(x, axis=-1, keepdims=True)


def bf16(x):
    return (np.asarray(x, "<f4").view("<u4") + 0x8000 >> 16).astype("<u2")


def make(folder):
    os.makedirs(folder + "/corpus/img_emb"), os.makedirs(folder + "/texts"), os.makedirs(folder + "/captions")
    path = lambda name: os.path.join(folder, name)
    rng = np.random.default_rng(11)
    classes = rng.standard_normal((len(NAMES), DIM))
    sets = []
    for x in range(IMAGES):
        own = [LABELS.index(NAMES[x % 8].replace("_", " ") if NAMES[x % 8] != "elm tree" else "elm_tree")]
        more = [int(l) for l in rng.permutation(len(LABELS))[:rng.integers(0, 3)] if int(l) not in own]
        sets.append([] if x % 13 == 5 else more[:1] + own + more[1:] if x % 3 else own + more)
    json.dump(sets, open(path("sets.json"), "w"))
    open(path("labels.txt"), "w").write("\n".join(LABELS) + "\n")
    shown = [NAMES.index(LABELS[s[0]].replace("grey wolf", "grey_wolf").replace("elm_tree", "elm tree"))
             if s and LABELS[s[0]] not in ("moose", "bus") else x % 8 for x, s in enumerate(sets)]
    np.save(path("i.npy"), classes[shown] + 1.1 * rng.standard_normal((IMAGES, DIM)))
    order = [4, 8, 0, 7, 2, 5, 1, 6, 3]  # 8: of no class
    texts = np.vstack([classes + 0.7 * rng.standard_normal(classes.shape), rng.standard_normal((1, DIM))])
    texts *= rng.uniform(0.8, 1.25, (9, 1))
    np.save(path("t.npy"), texts[order].astype("f2"))
    called = ["n-fox", "owl", "grey wolf", "oak", "sea", "elm_tree", "n-lamp", "table", "unicorn"]
    open(path("rows.txt"), "w").write("".join(called[i] + "\n" for i in order))
    open(path("v.yaml"), "w").write("name: v\nvocabularies:\n"
                                    "  a: [{id: n-fox, name: red fox}, owl, grey_wolf]\n  b: [oak, owl, sea, elm tree]\n"
                                    "  c: [{id: n-lamp, name: lamp}, table, sea]\n")
    words = ["A red dress", "OWL", "the Wolf", "oak leaves", "by the sea", "a Tree", "lamp", "Tables", "nothing"]
    for number, (part, rows) in enumerate(PARTS.items()):
        about = rng.integers(0, 9, rows)
        near = np.vstack([classes, np.zeros((1, DIM))])[about] + rng.standard_normal((rows, DIM))
        index = near * rng.uniform(0.5, 2, (rows, 1))
        if number == 1:
            index[3], index[8] = np.nan, 0
        name = path(f"corpus/img_emb/e_{part}")
        if number == 2:
            head = json.dumps({"x": {"dtype": "BF16", "shape": [rows, DIM], "data_offsets": [0, 2 * rows * DIM]}}).encode()
            open(name + ".safetensors", "wb").write(struct.pack("<Q", len(head)) + head + bf16(index).tobytes())
        else:
            np.save(name + ".npy", index.astype("f2" if number == 3 else "f4"))
        np.save(path(f"texts/t_{part:03d}.npy"), (near + rng.standard_normal((rows, DIM))).astype("f2" if part else "f4"))
        lines = ["id\tthe text\tsize"]
        for r, w in enumerate(about):
            # Of three numbers: captions that are equal are many.
            text = f'{words[w]} "{r % 3}"' if r % 4 else f"{words[w]}, number {r % 3}"
            quoted = '"' + text.replace('"', '""') + '"'
            lines.append(f"{r}" if r % 11 == 9 else f"{r}\t{quoted if chr(34) in text else text}\t7")
        plain = path(f"captions/c{part:05d}.tsv")
        open(plain, "w").write("\n".join(lines) + "\n")
        subprocess.run(["zstd", "-q", "--rm", plain], check=True)


def pictures(folder):
    """Of made images in `pics` sets by name, captions, and which images a limit of 4 a class leaves, without the broken one."""
    os.chdir(folder)
    files, sets, seen, rows = sorted(glob.glob("pics/*/*")), {}, {}, []
    classes = sorted({f.split("/")[1] for f in files})
    for i, file in enumerate(files):
        own, other = file.split("/")[1], classes[(i * 5 + 3) % len(classes)]
        sets[file[5:]] = [] if i % 11 == 4 else [own] if i % 3 or other == own else [other, own]
    json.dump(dict(reversed(sets.items())), open("sets.json", "w"))
    for file in files:
        own = sets[file[5:]]
        seen[own[0] if own else ""] = count = seen.get(own[0] if own else "", 0) + 1
        if own and count <= 4 and file != "pics/chair/002.png":
            os.makedirs(os.path.dirname(file).replace("pics", "few"), exist_ok=True)
            os.link(file, file.replace("pics", "few"))
            rows.append(own)
    json.dump(rows, open("rows.json", "w"))
    words = ["una mela rossa", "un ORSO", "sedia", "Delfino", "elefante", "bosco", "ragazza", "criceto", "niente"]
    captions = [{"testo": f"{words[i * 7 % 9]} {i % 4}" if i % 13 != 6 else 5} for i in range(60)]
    json.dump({"annotations": captions}, open("words.json", "w"))
    open("words.txt", "w").writelines(("" if c["testo"] == 5 else c["testo"]) + "\n" for c in captions)
    open("texts.txt", "w").writelines("ecco " + line.split("\t")[1].strip() + ".\n" for line in open("it.tsv"))


def read(folder):
    """Images, sets, texts; the corpus: rows, captions (None: none that can be used), their embeddings."""
    path = lambda name: os.path.join(folder, name)
    images = unit(np.load(path("i.npy")).astype("f4").astype("f8"))
    plain = lambda name: {"n-fox": "red fox", "n-lamp": "lamp"}.get(name, name).replace("_", " ")
    number = {plain(name): c for c, name in enumerate(NAMES)}
    names = [plain(line) for line in open(path("labels.txt")).read().split("\n")[:-1]]
    sets = [[number[names[l]] for l in s if names[l] in number] for s in json.load(open(path("sets.json")))]
    rows = [plain(line) for line in open(path("rows.txt")).read().split("\n")[:-1]]
    texts = np.load(path("t.npy")).astype("f8")[[rows.index(plain(name)) for name in NAMES]]
    index, captions, embeddings = [], [], []
    for part in PARTS:
        name = path(f"corpus/img_emb/e_{part}")
        if os.path.exists(name + ".npy"):
            index.append(np.load(name + ".npy").astype("f8"))
        else:
            raw = open(name + ".safetensors", "rb").read()
            raw = np.frombuffer(raw[8 + struct.unpack("<Q", raw[:8])[0]:], "<u2").astype("<u4") << 16
            index.append(raw.view("<f4").reshape(-1, DIM).astype("f8"))
        embeddings.append(unit(np.load(path(f"texts/t_{part:03d}.npy")).astype("f8")))
        table = subprocess.run(["zstd", "-dcq", path(f"captions/c{part:05d}.tsv.zst")], check=True, stdout=subprocess.PIPE)
        for line in table.stdout.decode().split("\n")[1:-1]:
            text = line.split("\t")[1] if "\t" in line else None
            captions.append(text[1:-1].replace('""', '"') if text and text[0] == '"' else text)
    return images, sets, texts, np.vstack(index), captions, np.vstack(embeddings)


def outcomes(similarities, sets):
    """Of every image and vocabulary that holds one of its classes: right with i others, the mean over all such, i = 0 .. M.
    And whether it is right among all classes."""
    others = {v: [[s for s in itertools.combinations([u for u in range(3) if u != v], i)] for i in range(3)] for v in range(3)}
    by, right = {}, np.zeros(len(sets), bool)
    for x, own in enumerate(sets):
        first = lambda of: next(c for c in np.argsort(-similarities[x], kind="stable") if set(HOLDS[c]) & set(of)) in own
        right[x] = first(range(3))
        for v in sorted({v for c in own for v in HOLDS[c]}):
            by[x, v] = [np.mean([first((v, *some)) for some in others[v][i]]) for i in range(3)]
    return by, right


def figures(by, counted):
    means = [np.mean([curve for (x, v), curve in by.items() if v == u and counted(x)], axis=0) for u in range(3)
             if any(v == u and counted(x) for x, v in by)]
    curve = np.mean(means, axis=0)
    return {"acc_c": curve[0], "acc_e": curve.mean(), "acc_s": curve[1:].mean()}


def check(folder, results, prefix):
    results = json.load(open(results))
    found, configuration = results["results"][0], results["configuration"]
    retrieval, limit = found["retrieval"], configuration.get("limit", IMAGES)
    settings, dot = retrieval["settings"], configuration["models"][0]["similarity"] == "dot"
    images, sets, texts, index, captions, embeddings = read(folder)
    wrong, worst, seen, kept = [], 0.0, {}, []
    for x, own in enumerate(sets):
        if own:
            seen[own[0]] = seen.get(own[0], 0) + 1
        if own and seen[own[0]] <= limit:
            kept.append(x)
    images, sets, dealt, fold = images[kept], [sets[x] for x in kept], {}, []
    for own in sets:
        fold.append((own[0] + dealt.get(own[0], 0)) % settings["folds"])
        dealt[own[0]] = dealt.get(own[0], 0) + 1
    usable = np.isfinite(index).all(axis=1) & np.any(index != 0, axis=1)
    scores = unit(texts) @ (index if settings["similarity"] == "dot" else unit(index)).T
    order = [[i for i in np.argsort(-np.where(usable, row, -np.inf), kind="stable") if usable[i]] for row in scores]
    given = settings.get("depth")
    depth = given or max(settings["top_k"])
    listed = {i for row in order for i in row[:depth]}
    expected = [int((~np.isfinite(index).all(axis=1)).sum()), int((~np.any(index != 0, axis=1)).sum()),
                sum(captions[i] is None for i in listed)]
    counts = [retrieval["rows_not_finite"], retrieval["rows_zero"], retrieval.get("odd_captions", {"rows": 0})["rows"]]
    if counts != expected:
        wrong.append(f"rows not finite, zero, odd: {counts}, expected {expected}")
    plain = outcomes(images @ (texts if dot else unit(texts)).T, sets)
    compare = lambda row, expected: max(abs(row[key] - value) for key, value in expected.items())
    whole = figures(plain[0], lambda x: True)
    worst = max(worst, compare(found, {**whole, "top1_all": plain[1].mean()}))
    if found["images"] != len(kept):
        wrong.append(f"{found['images']} images, expected {len(kept)}")
    all_outcomes = []
    for row in retrieval["results"]:
        k, l, blends, without = row["top_k"], row["lambda"], [], 0
        for c, name in enumerate(NAMES):
            chosen, texts_seen = [], set()
            for i in order[c][:depth if given else k]:
                text = captions[i]
                if text is None or (settings["filter"] == "class-word" and
                                    not any(w in text.lower() for w in name.replace("_", " ").split())):
                    continue
                if settings["deduplicate"] and text in texts_seen:
                    continue
                texts_seen.add(text)
                chosen.append(i)
            chosen, without = chosen[:k], without + (not chosen)
            length = np.linalg.norm(texts[c]) if dot else 1
            text = unit(texts[c])
            if chosen and l:
                text = (1 - l) * text + l * embeddings[chosen].mean(axis=0)
                text = unit(text) if settings["renormalize"] == "true" else text
            blends.append(length * text)
        stored = np.load(f"{prefix}-k{k}-l{l:g}.npy")
        # Where cosines are compared the length of a plain text is its own.
        compared = stored if dot or (settings["renormalize"] != "true" and l) else unit(stored.astype("f8"))
        worst = max(worst, np.abs(compared - np.array(blends)).max())
        its = outcomes(images @ np.array(blends).T, sets)
        all_outcomes.append(its)
        expected = figures(its[0], lambda x: True)
        worst = max(worst, compare(row, {**expected, "top1_all": its[1].mean(), "gain": expected["acc_e"] - whole["acc_e"]}))
        if row["classes_without_captions"] != without:
            wrong.append(f"k {k}, lambda {l}: {row['classes_without_captions']} without captions, expected {without}")
    chosen = []
    for f in range(settings["folds"]):
        chosen.append(int(np.argmax([round(figures(by, lambda x: fold[x] != f)["acc_e"], 12) for by, _ in all_outcomes])))
    by = {(x, v): all_outcomes[chosen[fold[x]]][0][x, v] for x, v in plain[0]}
    expected = figures(by, lambda x: True)
    expected.update(gain=expected["acc_e"] - whole["acc_e"],
                    top1_all=np.mean([all_outcomes[chosen[f]][1][x] for x, f in enumerate(fold)]))
    rows = retrieval["results"]
    if retrieval["cross"]["choices"] != [{"top_k": rows[s]["top_k"], "lambda": rows[s]["lambda"]} for s in chosen]:
        wrong.append(f"choices: {retrieval['cross']['choices']}, expected settings {chosen}")
    worst = max(worst, compare(retrieval["cross"], expected))
    print(f"{len(kept)} images, choices {chosen}, counts {counts}, without captions "
          f"{[row['classes_without_captions'] for row in rows]}, the largest difference {worst:.2g}", *wrong, sep="\n")
    return int(worst > 1e-6 or bool(wrong))


if __name__ == "__main__":
    sys.exit({"make": make, "pictures": pictures, "check": check}[sys.argv[1]](*sys.argv[2:]))
