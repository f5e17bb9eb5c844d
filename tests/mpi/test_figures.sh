#!/bin/bash
# Figures that can be worked out by hand, and all accuracies of small random experiments in rational arithmetic, at 1 and 3 ranks.
. "$(dirname "$0")/../lib.sh"
cd "$scratch" || exit 1
python=/usr/bin/python3
oracle=$here/tests/tools/figures_oracle.py

# given NAME TEXTS IMAGES LABELS COLUMNS: embeddings (numbers) of a precomputed model, and its labels.
given() {
  floats "$1-t.npy" "$5" <<<"$2"; floats "$1-i.npy" "$5" <<<"$3"
  tr ' ' '\n' <<<"$4" >labels; must "$tools/npy" numbers "$1-y.npy" i8 labels
}
# experiment NAME [LINE...]: of those embeddings and NAME.yaml, with more lines of YAML; similarity: $similarity.
similarity=cosine
experiment() {
  printf '%s\n' "experiment: $1" "datasets: [{name: d, vocabularies: $1.yaml}]" "${@:2}" \
    "models: [{name: m, family: precomputed, similarity: $similarity, image_embeddings: $1-i.npy, text_embeddings: $1-t.npy,
      labels: $1-y.npy}]" >"$1-run.yaml"
}
accuracies='[.acc_c, .acc_e, .acc_s] | tojson'

# ---- by hand ----------------------------------------------------------------------------------------------------
given harmed "1 0 1 1 0 1" "1 2 1 1 0 1" "0 1 2" 2
printf '%s\n' 'name: v' 'vocabularies: {a: [c0], b: [c1], c: [c2]}' >harmed.yaml
experiment harmed
run harmed-run.yaml --output harmed
equal "a class that all others harm has an Acc-S of 0, not less" \
  "$(query harmed ".results[0].vocabularies[0].classes[0] | $accuracies")" '[1,0.3333333333333333,0]'

given opposite "1 0 -1 0" "1 0 1 0" "0 1" 2
printf '%s\n' 'name: v' 'vocabularies: {a: [c0], b: [c1]}' >opposite.yaml
experiment opposite 'analyses: [margin, similarity]'
run opposite-run.yaml --output opposite
equal "margins of cosines reach 2: what is cut is counted" "$(query opposite '.results[0].analyses | .margin_quantiles["0", "1"],
  (.histograms | .margin[0], .margin[199], .beyond.margin, .beyond.positive, .beyond.negative)' | tr '\n' ' ')" "-2 2 1 1 2 0 0 "

for n in 9 20 21; do
  ones=$(awk -v n=$n 'BEGIN { for (i = 0; i < n; i++) for (k = 0; k < n; k++) print (i == k) }')
  given ones "$ones" "$ones" "$(seq -s ' ' 0 $((n - 1)))" $n
  { printf '%s\n' 'name: v' 'vocabularies:'; seq 0 $((n - 1)) | sed 's/.*/  t&: [c&]/'; } >ones.yaml
  experiment ones 'per_image: true'
  run ones-run.yaml --output ones-$n
  equal "$n vocabularies, all images right: all figures are 1, and no more" \
    "$(query ones-$n '.results[0] | [.acc_c, .acc_e, .acc_s, .acc_e_union, .top1_all] + (.curve | unique) | tojson')" \
    '[1,1,1,1,1,1]'
  must "$vocabench" compare ones-$n ones-$n --json compared.json
  holds "$n vocabularies, compared: 1 and 1" '[.. | objects | select(has("difference")) | .a, .b] | unique == [1]' compared.json
done

# Equal texts: the class that is first in the file wins, whatever has arrived before.
given equal "1 0 1 0" "1 0 1 0" "0 1" 2
printf '%s\n' 'name: v' 'vocabularies: {a: [c0], b: [c1]}' >equal.yaml
experiment equal 'protocol: sampled'
run equal-run.yaml --output equal
equal "ties are the earlier class's, by the sampled protocol too" "$(query equal ".results[0] | $accuracies")" '[1,0.75,0.5]'

equal "tied images are counted, and their share printed" \
  "$(query equal '.results[0].tied_images') $(awk -F'|' 'NR == 3 { print $(NF - 1) + 0 }' equal/table.md)" "2 100"
for ranks in 1 2; do
  run_at $ranks equal-run.yaml --output equal-$ranks --set similarity_engine=scalapack --ranks-per-model $ranks
  agree "so they are with the classes divided among $ranks ranks" equal equal-$ranks
done

# Of 12 ranks each judges 170 images at once: a unit of 256 is two blocks.
given blocks "1 0 0 1" "$(awk 'BEGIN { for (i = 0; i < 256; i++) print (i < 100 || i > 169 ? "1 1" : i % 2 ? "1 2" : "2 1") }')" \
  "$(awk 'BEGIN { for (i = 0; i < 256; i++) printf "%s%d", i ? " " : "", i % 2 }')" 2
cp equal.yaml blocks.yaml; experiment blocks
run blocks-run.yaml --output blocks
run_at 12 blocks-run.yaml --output blocks-12 --set similarity_engine=scalapack --ranks-per-model 12
equal "tied images of every block" "$(query blocks '.results[0].tied_images') $(query blocks-12 '.results[0].tied_images')" \
  "186 186"

# Of several right classes each counts: the second image's better one, c2, ties with no class, its other one, c0, with c1.
given sets "1 0 0 1 1 1 -1 -1" "5 1 1 1 -1 -5" "0 0 0" 2
printf '%s\n' 'name: v' 'vocabularies: {a: [c0, c1], b: [c2, c3]}' >sets.yaml; echo '[["c0"], ["c2", "c0"], ["c3"]]' >sets.json
experiment sets
run sets-run.yaml --output sets --set models.m.labels=sets.json
equal "an image is tied where one of its right classes is" "$(query sets '.results[0].tied_images')" 1

# ---- names that are one -----------------------------------------------------------------------------------------
printf '%s\n' 'Ärger' 'ärger' 'ÄRGER' $'A\u0308rger' 'ОСА' 'оса' >names.txt
floats names.npy 2 <<<"1 1 1 2 1 3 1 4 1 5 1 6"
experiment equal 'adversarial: {candidates: names.txt, embeddings: names.npy, k: 1, exclude: names}'
sed 's/c0/ЁЖ/; s/c1/Оса/' equal.yaml >named.yaml
run equal-run.yaml --output names --set datasets.0.vocabularies=named.yaml
equal "names that differ in case are one, in any script, and so is a class'" \
  "$(query names '.results[0] | [.adversarial_pool.repeated_names, .adversarial[].excluded] | tojson')" '[4,0,1]'

# ---- by fractions -----------------------------------------------------------------------------------------------
if $python -c 'import numpy' 2>/dev/null; then
  must $python "$oracle" make .
  for protocol in exact sampled; do
    for ranks in 1 3; do run_at $ranks figures.yaml --output $protocol-$ranks --set protocol=$protocol; done
    check "protocol: $protocol: every figure is the fraction's double" $python "$oracle" check . $protocol-1/results.json
    agree "protocol: $protocol: 3 ranks, the same" $protocol-1 $protocol-3
  done
else skip "figures by fractions" "python3-numpy is not installed"; fi

# ---- retrieval where the length of a text counts ------------------------------------------------------------------
mkdir -p corpus/img_emb corpus/text_emb corpus/metadata
floats corpus/img_emb/0.npy 2 <<<"1 0 0 1"; floats corpus/text_emb/0.npy 2 <<<"3 4 0 1"
printf '%s\n' '{"caption": "cat"}' '{"caption": "fish"}' >corpus/metadata/0.jsonl
given repe "2 0 0 3" "2 1 1 2" "0 1" 2
printf '%s\n' 'name: v' 'vocabularies: {a: [cat], b: [dog]}' >repe.yaml
# blended NAME: the texts at lambda 0.5. The caption of cat has the direction (0.6, 0.8), that of dog is filtered out.
blended() { "$tools/npy" print "repe-$1/retrieval/m--d-k1-l0.5.npy" | awk '{ printf "%.6g %.6g;", $1, $2 }'; }
# shellcheck disable=SC2016 # jq's variable
as_plain='.results[0] as $r | [$r.retrieval.results[] | select(.lambda == 0) |
  [.acc_c, .acc_e, .acc_s, .top1_all, .similarity, .text_embeddings_digest] ==
  [$r.acc_c, $r.acc_e, $r.acc_s, $r.top1_all, $r.embedding.similarity, $r.embedding.text_embeddings_digest]] | tojson'
for similarity in cosine dot; do
  for renormalize in official true false; do
    experiment repe 'corpora: [{name: c, embeddings: corpus}]' \
      "retrieval: {corpus: c, top_k: 1, lambda: [0, 0.5], renormalize: $renormalize}"
    run repe-run.yaml --output repe-$similarity-$renormalize
    equal "$similarity, renormalize: $renormalize: lambda 0 is the plain row, in all it says" \
      "$(query repe-$similarity-$renormalize "$as_plain")" '[true]'
  done
done
equal "cosine: a blend of unit texts" "$(blended cosine-official)" "0.8 0.4;0 1;"
equal "cosine, normalised: a unit vector; without captions the text as it is" "$(blended cosine-true)" "0.894427 0.447214;0 3;"
equal "dot: the same, as long as the text" "$(blended dot-official)" "1.6 0.8;0 3;"
equal "dot, normalised: as long as the text" "$(blended dot-true)" "1.78885 0.894427;0 3;"
# A folder's name is no pattern.
must mv corpus 'corpus[1]'
run repe-run.yaml --output repe-brackets --set 'corpora.c.embeddings="corpus[1]"'
equal "what lies beside parts in a folder with brackets in its name" "$(blended brackets)" "$(blended dot-false)"
finish
