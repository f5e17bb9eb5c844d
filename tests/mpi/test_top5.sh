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
def figures(keep):
    s = X[keep] @ T.T; own = s[numpy.arange(len(keep)), y[keep]]
    before = ((s > own[:, None]) | ((s == own[:, None]) & (numpy.arange(12) < y[keep][:, None]))).sum(1)
    recall = [[(before[y[keep] == c] < k).mean() for c in numpy.unique(y[keep])] for k in (1, 5)]
    p = (before < 5).mean()
    return {"top5_all": p, "top5_all_se": (p * (1 - p) / (len(keep) - 1)) ** 0.5, "class_recall": numpy.mean(recall[0]),
            "class_recall_at_5": numpy.mean(recall[1])}
first = [i for i in range(600) if (y[:i] == y[i]).sum() < 7]
json.dump({"all": figures(numpy.arange(600)), "first": figures(numpy.array(first))}, open("expected.json", "w"))
PY
printf 'name: v\nvocabularies: {a: [c0, c1, c2, c3], b: [c4, c5, c6], c: [c7, c8, c9, c10, c11]}\n' >v.yaml
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
    '$r[0].results[0].analyses as $a | [$e[0][$k] | to_entries[] | select((.value - $a[.key] | fabs) > 1e-15) |
     [.key, .value, $a[.key]]]')
  equal "$1" "$(jq -r length <<<"$out")" 0 "$out"
}
compared "figures of all images" one all
compared "figures of the first 7 of each class" seven first
holds "a class of one image has no standard error, nor has the mean" \
  '.results[0].analyses.class_recall_se == null' one/results.json
"$vocabench" report one --output page.md
like "reports show them" '^\| +model +\|.* accuracy at 5 +\| +mean recall of classes +\|' page.md
finish
