#!/bin/bash
# open_set and calibration against NumPy (tests/tools/confidence_oracle.py), with and without foreign names, at any number of
# ranks, for precomputed and for encoding models; what reports show; what is refused.
. "$(dirname "$0")/../lib.sh"
need_oracle "confidence" confidence_oracle.py
cat >e.yaml <<'E'
experiment: confidence
analyses: [open_set, calibration]
open_curve: {names: names.txt, embeddings: n.npy, exclude: names}
datasets: [{name: d, vocabularies: v.yaml}]
models:
  - {name: m, family: precomputed, logit_scale: 10, image_embeddings: i.npy, labels: labels.txt, text_embeddings: t.npy,
     text_names: classes.txt}
E
run e.yaml --output whole && check "the figures are NumPy's" /usr/bin/python3 "$oracle" check . whole/results.json
for ranks in 2 3 5; do
  run_at $ranks e.yaml --output again-$ranks --threads $((ranks % 2 + 1)) && agree "$ranks ranks" whole again-$ranks
done
for level in scalar avx2 avx512; do
  VOCABENCH_ISA=$level run e.yaml --output isa-$level && agree "instruction set level $level" whole isa-$level
done
run e.yaml --output dot --set models.m.similarity=dot --set models.m.logit_scale=1.5 &&
  check "dot products" /usr/bin/python3 "$oracle" check . dot/results.json
run e.yaml --output steep --set models.m.logit_scale=100000 &&
  check "a scale far beyond what exp can take" /usr/bin/python3 "$oracle" check . steep/results.json
run e.yaml --output other --set seed=7 --set trials=1 &&
  check "another seed, one order" /usr/bin/python3 "$oracle" check . other/results.json
mkdir alike && cp ./*.npy labels.txt classes.txt names.txt v.yaml e.yaml alike
/usr/bin/python3 -c 'import numpy; n = numpy.load("n.npy"); n[:] = n[7]; numpy.save("alike/n.npy", n)'
run alike/e.yaml --output alike/out --set trials=7 &&
  check "seven orders of names that are all alike" /usr/bin/python3 "$oracle" check alike alike/out/results.json
equal "one order has no spread" "$(query other '.results[0].analyses | [.open_set.similarity.auroc_sd, .calibration.own.ece_sd] |
  flatten | unique | tojson')" '[null]'
sed '/^open_curve/d' e.yaml >few.yaml
run few.yaml --output few && check "without foreign names" /usr/bin/python3 "$oracle" check . few/results.json
equal "they are not guessed" "$(query few '.results[0].analyses | [.open_set.n, .calibration.n, has("open_curve")] | tojson')" \
  '[[0],[0],false]'
sed -i 's/logit_scale: 10, //' few.yaml
run few.yaml --output unscaled --set 'analyses=[open_set]' &&
  check "without a logit scale" /usr/bin/python3 "$oracle" check . unscaled/results.json
equal "softmax is then null" "$(query unscaled '.results[0].analyses.open_set | [.logit_scale, .softmax] | tojson')" '[null,null]'
refuses "calibration needs it" 3 "model 'm' is precomputed: the analysis 'calibration' needs its key 'logit_scale'" \
  "$vocabench" run few.yaml --output o
# As many vocabularies as a word has bits: those of all classes together are in a word of their own.
mkdir many && cp ./*.npy labels.txt classes.txt names.txt e.yaml many
/usr/bin/python3 - >many/v.yaml <<'PY'
import itertools, json
classes = [line.rstrip("\n") for line in open("classes.txt")]
print("name: many\nvocabularies:")
for k, pair in zip(range(64), itertools.combinations(classes, 2)):
    print("  %s: %s" % (json.dumps("v%d" % k), json.dumps(pair)))
PY
run many/e.yaml --output many/out --set trials=1 &&
  check "64 vocabularies" /usr/bin/python3 "$oracle" check many many/out/results.json
# A vocabulary of all classes there are: no image is another's, and it is in no mean.
mkdir all && cp ./*.npy labels.txt classes.txt names.txt e.yaml all
/usr/bin/python3 - >all/v.yaml <<'PY'
import json
lines = [line.rstrip("\n") for line in open("v.yaml")]
listed = [json.loads("{" + line + "}") for line in lines[2:]]
everything = sorted({c for one in listed for members in one.values() for c in members})
print("\n".join(lines), json.dumps("everything") + ": " + json.dumps(everything), sep="\n  ")
PY
run all/e.yaml --output all/out && check "a vocabulary of everything" /usr/bin/python3 "$oracle" check all all/out/results.json
holds "has no others" '.results[0].analyses.open_set.vocabularies[-1] | .others == 0 and .similarity.auroc[0] == null' \
  all/out/results.json
refuses "a logit scale is above zero" 3 "logit_scale: expected" "$vocabench" run e.yaml --output o --set models.m.logit_scale=0
refuses "names without an analysis of theirs" 3 "open_curve: its names serve the analyses open_curve, open_set and calibration" \
  "$vocabench" run e.yaml --output o --set 'analyses=[margin]'
printf 'bear\nsea\n' >own.txt
/usr/bin/python3 -c 'import numpy; numpy.save("own.npy", numpy.load("n.npy")[:2])'
run e.yaml --output none --set open_curve.names=own.txt --set open_curve.embeddings=own.npy
equal "names that are all kept out are none" "$(query none '.results[0].analyses.calibration | [.n, .pool.names] | tojson')" \
  '[[0],0]'

for fault in alloc:650:ENOMEM@0 alloc:620:ENOMEM@1 mpi:80:EIO@1; do
  VOCABENCH_FAULT=$fault mpi 2 timeout 60 "$vocabench" run e.yaml --output faulty >stdout 2>err
  code=$?
  [ $code != 0 ] && [ $code -lt 100 ] && grep -q "^vocabench: rank ${fault#*@}: " err
  verdict $? "$fault ends the run everywhere" "code $code" "$(cat err)"
done

# ---- REPE's row beside the plain one: what its blended texts give when they are a model's texts ----------------------
mkdir -p corpus/img_emb corpus/text_emb corpus/metadata
/usr/bin/python3 - <<'PY'
import numpy
rng, t = numpy.random.default_rng(3), numpy.load("t.npy")
classes = [line.strip() for line in open("classes.txt")]
rows = numpy.repeat(t, 5, 0) + 0.7 * rng.standard_normal((60, 16))
numpy.save("corpus/img_emb/img_emb_0.npy", rows.astype("f4"))
numpy.save("corpus/text_emb/text_emb_0.npy", (rows + rng.standard_normal(rows.shape)).astype("f4"))
open("corpus/metadata/metadata_0.txt", "w").write("".join(f"a {classes[i // 5]} number {i}\n" for i in range(60)))
PY
sed 's/\[open_set, calibration\]/[open_curve, open_set, calibration]/' e.yaml >repe.yaml
printf 'corpora: [{name: c, embeddings: corpus}]\nretrieval: {corpus: c, top_k: 4, lambda: [0, 0.5], filter: none}\n' >>repe.yaml
run repe.yaml --output repe
equal "only the row that is stated beforehand has them" "$(query repe '.results[0].retrieval.results |
  map([.lambda, .stated, (.analyses | keys | join(" "))]) | tojson')" \
  '[[0,null,""],[0.5,true,"calibration open_curve open_set"]]'
run_at 3 repe.yaml --output repe-3 && agree "REPE at 3 ranks" repe repe-3
blend=repe/retrieval/m--d-k4-l0.5.npy
sed "/^corpora/d; /^retrieval/d; s,t.npy,$blend,; s/^ *text_names: classes.txt/    /" repe.yaml >blend.yaml
run blend.yaml --output blend
equal "its texts as a model's own give the same curve, separation and calibration" \
  "$(query repe '.results[0].retrieval.results[] | select(.stated) | .analyses')" "$(query blend '.results[0].analyses')"
must "$vocabench" report repe --format md --output page.md
equal "reports have the row, in the tables of all three" "$(grep -c '^| m + REPE ' page.md)" 3
unlike "and not those of the plain texts" "^same$" \
  <<<"$([ "$(query repe '.results[0].analyses')" != "$(query blend '.results[0].analyses')" ] || echo same)"

# ---- plan and reports ---------------------------------------------------------------------------------------------
"$vocabench" plan e.yaml >planned 2>&1
like "plan knows the pair" ' m +d +120 ' planned
"$vocabench" help run >helped
like "help knows the analyses" '^ *calibration: +whether confidence is accuracy' helped
rm -rf page-data # figures of the other report have other numbers
must "$vocabench" report whole --output page.html
has_text "the page has the separation" "A vocabulary&#39;s images against all others" page.html
has_text "and the calibration" "expected error (ECE)" page.html
must "$vocabench" report whole --format md --output page.md
equal "the tables' figures are the results'" \
  "$(awk -F '|' '/^\| m / && NF == 12 { gsub(/ /, ""); if ($3 ~ /^0[.][0-9][0-9][0-9][0-9]$/) print $3, $6, $10 }' page.md)" \
  "$(query whole '.results[0].analyses.open_set | [.similarity.auroc[0], .softmax.auroc[0], .similarity.auroc[-1]] |
    map(tostring) | join(" ")' | awk '{ printf "%.4f %.4f %.4f\n", $1, $2, $3 }')"
equal "the worst vocabularies, too" \
  "$(awk -F '|' '/^\| m / && NF == 12 { gsub(/ /, ""); if ($3 ~ /^0[.][0-9][0-9][0-9][0-9]$/) print $5, $8 }' page.md)" \
  "$(query whole '.results[0].analyses.open_set.vocabularies | [map(.similarity.auroc[0]), map(.softmax.auroc[0])] |
    map(min | tostring) | join(" ")' | awk '{ printf "%.4f %.4f\n", $1, $2 }')"
equal "and those of the calibration" \
  "$(awk -F '|' '/^\| m / && NF == 14 { gsub(/ /, ""); print $4, $5, $6, $7, $8, $9, $11, $12, $13 }' page.md)" \
  "$(query whole '.results[0].analyses.calibration | [(.own, .all | .ece[0], .confidence[0], .accuracy[0]),
    (.own | .ece[-1], .confidence[-1], .accuracy[-1])] | map(tostring) | join(" ")' |
    awk '{ for (k = 1; k <= NF; k++) printf "%.2f%s", 100 * $k, k < NF ? " " : "\n" }')"
equal "the figure's data are the results'" "$(awk -F, '$2 == 57 { printf "%.9f\n", $3 }' page-data/*-open-set-*.csv)" \
  "$(query whole '.results[0].analyses.open_set.similarity.auroc[-1]' | awk '{ printf "%.9f\n", $1 }')"
equal "and those of the bins" "$(awk -F, '$2 == "own" && $3 == 0 { n += $5 } END { print n }' page-data/*-calibration-*.csv)" \
  "$(query whole '.results[0].analyses.calibration.own.reliability[0].images | add')"

# ---- a model that encodes -----------------------------------------------------------------------------------------
make_data images pics 20 3; make_data model m.safetensors; make_data tokenizer tok
made_vocabularies
plain_experiment encoded >p.yaml
printf 'analyses: [calibration, open_set]\nopen_curve: {names: names.txt, exclude: none}\n' >>p.yaml
run p.yaml --output encoded
scale=$("$vocabench" inspect m.safetensors | sed -n 's/.*logit scale \([0-9.]*\).*/\1/p')
[ -n "$scale" ] && query encoded '.results[0].analyses | [.calibration.logit_scale, .open_set.logit_scale][]' |
  awk -v scale="$scale" '{ n += $1 > scale - 0.1 && $1 < scale + 0.1 } END { exit n != 2 }'
verdict $? "the weights tell the logit scale" "$scale $(query encoded '.results[0].analyses.calibration.logit_scale')"
for ranks in 2 3; do run_at $ranks p.yaml --output encoded-$ranks && agree "$ranks ranks encode" encoded encoded-$ranks; done
run p.yaml --output encoded --resume
holds "resume takes the pair" '.run.pairs | length == 0' encoded/results.json
run p.yaml --output encoded --resume --set 'models.plain.logit_scale=5'
holds "but not with another scale" \
  '(.run.pairs | length) == 1 and .results[0].analyses.calibration.logit_scale == 5' encoded/results.json
finish
