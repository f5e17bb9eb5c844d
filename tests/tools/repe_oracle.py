"""REPE and the openness figures by NumPy in fp64, from embeddings alone: what `vocabench run` must agree with.

usage: repe_oracle.py RESULTS.json BLEND_PREFIX IMAGES.npy LABELS.txt TEXTS.npy VOCABULARIES.json INDEX.npy CAPTIONS.txt CAPTION_EMBEDDINGS.npy
Texts are classes x dim, in class order; with several prompts classes*prompts x dim. Captions are one a line, rows as in the index.
Prints the largest differences of blended embeddings and of figures, and exits with 1 when one is over 1e-6.
"""
import json
import sys

import numpy as np

results, prefix, images, labels, texts, vocabularies, index, captions, caption_rows = sys.argv[1:10]
unit = lambda x: x / np.linalg.norm(x, axis=-1, keepdims=True)
vocabularies = json.load(open(vocabularies))
classes = [c for v in vocabularies.values() for c in v]
home = np.array([i for i, v in enumerate(vocabularies.values()) for _ in v])
number = {c: i for i, c in enumerate(classes)}
y = np.array([number[line.rstrip("\n")] for line in open(labels)])
x, index, rows = (unit(np.load(f).astype(np.float64)) for f in (images, index, caption_rows))
captions = [line.rstrip("\n") for line in open(captions, encoding="utf-8")]
retrieval = json.load(open(results))["results"][0]["retrieval"]
raw = np.load(texts).astype(np.float64).reshape(len(classes), -1, x.shape[1])
prompts = unit(raw)
query = unit(prompts.mean(axis=1))
order = np.argsort(-(query @ index.T), axis=1, kind="stable")


def outcome(e):
    """Of every image: right within its own vocabulary; how many others beat it."""
    s = x @ e.T
    n = len(vocabularies)
    true = s[np.arange(len(y)), y][:, None]
    beats = (s > true) | ((s == true) & (np.arange(len(classes))[None] < y[:, None]))
    beaten = np.stack([beats[:, home == v].any(axis=1) for v in range(n)], axis=1)
    own = ~beaten[np.arange(len(y)), home[y]]
    return own, beaten.sum(axis=1) - beaten[np.arange(len(y)), home[y]]


def figures(own, b, counted=None):
    """Means over the vocabularies of the counted images (all); those without any are passed over."""
    m, t = len(vocabularies) - 1, home[y]
    counted = np.ones(len(y), bool) if counted is None else counted
    mean = lambda score: np.mean([score[counted & (t == v)].mean() for v in range(m + 1) if (counted & (t == v)).any()])
    return {"acc_c": mean(own.astype(float)), "acc_e": mean(own / (b + 1)), "acc_s": mean(own * (m - b) / (m * (b + 1)))}


worst_blend = worst_figure = 0.0
wrong, outcomes, captionless = [], [], {}
renormalize = retrieval["settings"]["renormalize"]
plain = json.load(open(results))["results"][0]
for row in retrieval["results"]:
    k, l = row["top_k"], row["lambda"]
    blends = []
    for c, name in enumerate(classes):
        words = [w.lower() for w in name.replace(" ", "_").split("_") if w]
        kept = [i for i in order[c, :k] if any(w in captions[i].lower() for w in words)]
        blend = prompts[c] if not kept else (1 - l) * prompts[c] + l * rows[kept].mean(axis=0)
        one = unit(blend[0]) if renormalize == "true" else blend[0]
        blends.append(one if len(blend) == 1 else unit(unit(blend).mean(axis=0)))
        if not kept:
            captionless.setdefault(k, {})[name] = c
    blends = np.array(blends)
    stored = blends.copy()
    if raw.shape[1] == 1:  # a single prompt's text is left as it is where no caption has a weight and lengths do not count
        as_it_is = range(len(classes)) if l == 0 else captionless.get(k, {}).values() if renormalize == "true" else []
        stored[list(as_it_is)] = raw[list(as_it_is), 0]
    worst_blend = max(worst_blend, np.abs(stored - np.load(f"{prefix}-k{k}-l{l:g}.npy")).max())
    worst_figure = max(worst_figure, max(abs(v - row[key]) for key, v in figures(*outcome(blends)).items()))
    outcomes.append(outcome(blends))
    worst_figure = max(worst_figure, abs(row["gain"] - (row["acc_e"] - plain["acc_e"])))
    if row["classes_without_captions"] != len(captionless.get(k, {})):
        wrong.append(f"classes without captions at {k}")

listed = [{"top_k": k, "classes": [c for c in classes if c in names]} for k, names in captionless.items()]
if [{"top_k": e["top_k"], "classes": e["classes"]} for e in retrieval["without_captions"]] != listed:
    wrong.append(f"without_captions: {retrieval['without_captions']}, expected {listed}")
settings = [(row["top_k"], row["lambda"]) for row in retrieval["results"]]
stated = [s for s, row in zip(settings, retrieval["results"]) if row.get("stated")]
if stated != [(100, 0.25)]:
    wrong.append(f"stated: {stated}")
best = max(range(len(settings)), key=lambda s: figures(*outcomes[s])["acc_e"])
if [i for i, row in enumerate(retrieval["results"]) if row.get("best")] != [best]:
    wrong.append("best")

# Every image under the setting that is best on the images outside of its fold.
if retrieval["settings"]["select"] == "cross":
    folds, seen, fold = retrieval["settings"]["folds"], {}, []
    for c in y:
        fold.append((c + seen.get(c, 0)) % folds)
        seen[c] = seen.get(c, 0) + 1
    fold, own, b, chosen = np.array(fold), np.zeros(len(y), bool), np.zeros(len(y), int), []
    for f in range(folds):
        scores = [figures(*o, counted=fold != f)["acc_e"] for o in outcomes]
        chosen.append(int(np.argmax(scores)))
        for whole, part in ((own, outcomes[chosen[f]][0]), (b, outcomes[chosen[f]][1])):
            whole[fold == f] = part[fold == f]
    cross = retrieval["cross"]
    if [(c["top_k"], c["lambda"]) for c in cross["choices"]] != [settings[s] for s in chosen]:
        wrong.append(f"choices: {cross['choices']}, expected {[settings[s] for s in chosen]}")
    expected = figures(own, b)
    expected["gain"] = expected["acc_e"] - plain["acc_e"]
    expected["top1_all"] = (own & (b == 0)).mean()
    worst_figure = max(worst_figure, max(abs(v - cross[key]) for key, v in expected.items()))
    print(f"cross-fitted: {[settings[s] for s in chosen]}, gain {expected['gain']:.4f}, of the best {max(figures(*o)['acc_e'] for o in outcomes) - plain['acc_e']:.4f}")
print(f"blended embeddings differ by {worst_blend:.2g}, figures by {worst_figure:.2g}")
print("\n".join(wrong))
sys.exit(int(worst_blend > 1e-6 or worst_figure > 1e-6 or bool(wrong)))
