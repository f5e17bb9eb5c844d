#!/bin/bash
# The analysis top5 against NumPy's integers: ranks of classes with ties, recall by class, at several rank counts, with a limit.
. "$(dirname "$0")/../lib.sh"
cd "$scratch" || exit 1
python=/usr/bin/python3
$python -c 'import numpy' 2>/dev/null || { skip "top5" "no NumPy"; finish; }
$python - <<'PY'
import json, numpy
rng = numpy.random.default_rng(5)
# Small integers and dot products: many exact ties, which the lower class index wins. Class 3 has one image, class 11 none.
T = rng.integers(-2, 3, (12, 6)); T[T.sum(1) == 0, 0] += 7; T[7] = T[2]
y = numpy.concatenate([rng.choice([0, 1, 2, 4, 5, 6, 7, 8, 9, 10], 599), [3]])
X = T[y] + rng.integers(-2, 3, (600, 6)); X[~X.any(1)] = 1
numpy.save("T.npy", T.astype("f4")); numpy.save("I.npy", X.astype("f4")); numpy.save("y.npy", y)
V = [range(4), [4, 5, 6, 2], range(7, 12)]  # class 2 is in two
def values(keep, names):
    keep = keep[numpy.isin(y[keep], names)]
    s = X[keep] @ T.T; own = s[numpy.arange(len(keep)), y[keep]]
    before = ((s > own[:, None]) | ((s == own[:, None]) & (numpy.arange(12) < y[keep][:, None])))[:, names].sum(1)
    recall = [[(before[y[keep] == c] < k).mean() for c in numpy.unique(y[keep])] for k in (1, 5)]
    return [(before < 5).mean(), numpy.mean(recall[0]), numpy.mean(recall[1])], before, y[keep]
def figures(keep):
    names = list(range(12)); value, before, of = values(keep, names); out = {}
    less = [values(keep, sorted({c for t in range(3) if t != u for c in V[t]}))[0] for u in range(3)]
    classes = numpy.unique(of); n = numpy.array([(of == c).sum() for c in classes]); C = len(classes); m = len(of)
    for f, key in enumerate(["top5_all", "class_recall", "class_recall_at_5"]):
        p = numpy.array([(before[of == c] < (1 if f == 1 else 5)).mean() for c in classes])
        with numpy.errstate(divide="ignore", invalid="ignore"):
            within = numpy.where(n > 1, n * n * p * (1 - p) / (n - 1), 0)
            alone = (n == 1) * (p - value[f]) ** 2 * m / (m - 1)
        images = (within + alone).sum() ** 0.5 / m if f == 0 else None if 1 in n else (within / n**2).sum() ** 0.5 / C
        clusters = (C / (C - 1) * ((n * (p - value[0])) ** 2).sum()) ** 0.5 / m if f == 0 else p.std(ddof=1) / C**0.5
        d = [l[f] for l in less]
        out[key] = value[f]
        out[key + ".images"], out[key + ".classes"] = images, clusters
        out[key + ".vocabularies"] = (2 / 3 * sum((x - numpy.mean(d)) ** 2 for x in d)) ** 0.5
    return out
first = [i for i in range(600) if (y[:i] == y[i]).sum() < 7]
json.dump({"all": figures(numpy.arange(600)), "first": figures(numpy.array(first))}, open("expected.json", "w"))
PY
printf 'name: v\nvocabularies: {a: [c0, c1, c2, c3], b: [c4, c5, c6, c2], c: [c7, c8, c9, c10, c11]}\n' >v.yaml
cat >p.yaml <<'E'
experiment: p
analyses: [top5]
on_equal: allow
datasets: [{name: d, vocabularies: v.yaml}]
models: [{name: m, family: precomputed, similarity: dot, image_embeddings: I.npy, text_embeddings: T.npy, labels: y.npy}]
E
run p.yaml --output one; run_at 3 p.yaml --output three; agree "three ranks give the same bytes" one three
run p.yaml --output seven --limit 7
compared() { # compared NAME RESULTS KEY
  local out
  out=$(jq -n --slurpfile r "$2/results.json" --slurpfile e expected.json --arg k "$3" \
    '$r[0].results[0].analyses as $its | ($its + ([$its.top5_errors | to_entries[] | .key as $f | .value | to_entries[] |
       {key: ($f + "." + .key), value}] | from_entries)) as $a |
     [$e[0][$k] | to_entries[] | select(if .value == null then $a[.key] != null else (.value - $a[.key] | fabs) > 1e-14 end) |
     [.key, .value, $a[.key]]]')
  equal "$1" "$(jq -r length <<<"$out")" 0 "$out"
}
compared "figures of all images" one all
compared "figures of the first 7 of each class" seven first
holds "with a class of one image recall has no error of images" \
  '.results[0].analyses.top5_errors | .class_recall.images == null and (.top5_all.interval.wilson | length) == 2' one/results.json
"$vocabench" report one --output page.md
like "reports show them" '^\| +model +\|.* accuracy at 5 +\| +mean recall of classes +\|' page.md
finish
