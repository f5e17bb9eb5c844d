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


def figures(e):
    s = x @ e.T
    n, m = len(vocabularies), len(vocabularies) - 1
    true = s[np.arange(len(y)), y][:, None]
    beats = (s > true) | ((s == true) & (np.arange(len(classes))[None] < y[:, None]))
    beaten = np.stack([beats[:, home == v].any(axis=1) for v in range(n)], axis=1)
    t = home[y]
    own = ~beaten[np.arange(len(y)), t]
    b = beaten.sum(axis=1) - beaten[np.arange(len(y)), t]
    mean = lambda score: np.mean([score[t == v].mean() for v in range(n)])
    return {"acc_c": mean(own.astype(float)), "acc_e": mean(own / (b + 1)), "acc_s": mean(own * (m - b) / (m * (b + 1)))}


worst_blend = worst_figure = 0.0
for row in retrieval["results"]:
    k, l = row["top_k"], row["lambda"]
    blends = []
    for c, name in enumerate(classes):
        words = [w.lower() for w in name.replace(" ", "_").split("_") if w]
        kept = [i for i in order[c, :k] if any(w in captions[i].lower() for w in words)]
        blend = prompts[c] if not kept else (1 - l) * prompts[c] + l * rows[kept].mean(axis=0)
        blends.append(blend[0] if len(blend) == 1 else unit(unit(blend).mean(axis=0)))
    blends = np.array(blends)
    stored = raw[:, 0] if l == 0 and raw.shape[1] == 1 else blends  # at lambda 0 a single prompt's text is left as it is
    worst_blend = max(worst_blend, np.abs(stored - np.load(f"{prefix}-k{k}-l{l:g}.npy")).max())
    worst_figure = max(worst_figure, max(abs(v - row[key]) for key, v in figures(blends).items()))
print(f"blended embeddings differ by {worst_blend:.2g}, figures by {worst_figure:.2g}")
sys.exit(int(worst_blend > 1e-6 or worst_figure > 1e-6))
