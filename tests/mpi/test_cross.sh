#!/bin/bash
# REPE where much else is asked for (sets of labels that cross vocabularies, dot products, the sampled protocol, all analyses, a
# cross-fitted choice, adversarial names): its figures are those of models that have its blended texts.
. "$(dirname "$0")/../lib.sh"
need_oracle "a cross-fitted choice" cross_oracle.py
cat >top.yaml <<'E'
experiment: cross
threads: 1
protocol: sampled
trials: 4
seed: 9
analyses: [margin, similarity, alignment, open_curve, open_set, calibration, top5, hierarchy]
hierarchy: {wordnet: .}
open_curve: {names: names.txt, embeddings: n.npy, exclude: related, wordnet: .}
E
cat top.yaml - >e.yaml <<'E'
adversarial: {candidates: names.txt, embeddings: n.npy, exclude: names, k: 2, targets: [d, a]}
datasets: [{name: d, vocabularies: v.yaml}]
corpora: [{name: c, embeddings: corpus}]
retrieval: {corpus: c, top_k: [3, 6], lambda: [0.15, 0.3], select: cross, folds: 3}
models:
  - {name: m, family: precomputed, similarity: dot, logit_scale: 2, image_embeddings: i.npy, text_embeddings: t.npy,
     labels: sets.json}
E
run e.yaml --output whole --per-image
must "$python" "$oracle" follow whole
run followed.yaml --output followed; run apart.yaml --output apart
check "settings, choices and the cross-fitted figures are those of models of these texts" \
  "$python" "$oracle" check whole followed apart
run_at 3 e.yaml --output three --per-image; agree "3 ranks, the same" whole three
"$vocabench" verify whole >told 2>&1
verdict $? "and they are verified" "$(cat told)"
# shellcheck disable=SC2016 # jq's variables
holds "each row says how its figure over the union came about" '.results[0] as $r | $r.retrieval | [.results[], .cross] |
  length == 5 and all(.acc_e_union_se == $r.acc_e_union_se and .acc_e_union_method == $r.acc_e_union_method)' whole/results.json
finish
