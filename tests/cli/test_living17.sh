#!/bin/bash
# The figures from given embeddings: a brute force in awk on random ones, and Living17 on real CLIP ViT-B/32 embeddings, to 1e-9.
. "$(dirname "$0")/../lib.sh"
cd "$scratch" || exit 1

# ---- random embeddings against awk ------------------------------------------------------------------------------
# 24 classes in 6 vocabularies of 4, 300 images near their class's text, the counts of images unequal.
must "$tools/npy" random T.npy 24 16 1; must "$tools/npy" random noise.npy 300 16 2
"$tools/npy" print T.npy >T.txt
"$tools/npy" print noise.npy | awk '
  NR == FNR { for (k = 1; k <= NF; k++) t[NR - 1, k] = $k; next }
  { c = (FNR * FNR + 3 * FNR) % 24; print c >"labels"
    for (k = 1; k <= NF; k++) printf "%.9g%s", t[c, k] * 0.9 + $k * 1.1, k < NF ? " " : "\n" }
' T.txt - >I.txt
must "$tools/npy" numbers flat.npy f4 I.txt; must "$tools/npy" fold flat.npy I.npy 16
must "$tools/npy" numbers y.npy i4 labels
"$tools/npy" print I.npy >I.txt # as fp32 rounds them
{ echo "name: v"; echo "vocabularies:"; for v in 0 1 2 3 4 5; do
  echo "  v$v: [c$((4 * v)), c$((4 * v + 1)), c$((4 * v + 2)), c$((4 * v + 3))]"; done; } >"v.yaml"
cat >e.yaml <<'E'
experiment: random
datasets: [{name: d, vocabularies: v.yaml}]
models: [{name: m, family: precomputed, image_embeddings: I.npy, text_embeddings: T.npy, labels: y.npy}]
E
awk '
  FILENAME == "T.txt" { n = 0; for (k = 1; k <= NF; k++) { t[FNR - 1, k] = $k; n += $k * $k }; norm[FNR - 1] = sqrt(n); next }
  FILENAME == "labels" { y[FNR] = $1; next }
  { delete best
    for (c = 0; c < 24; c++) { s = 0; for (k = 1; k <= NF; k++) s += $k * t[c, k]; s /= norm[c]; v = int(c / 4)
      if (c == y[FNR]) mine = s; else if (!(v in best) || s > best[v]) best[v] = s }
    h = int(y[FNR] / 4); b = 0; images[h]++
    if (best[h] < mine) {
      for (v = 0; v < 6; v++) if (v != h && best[v] > mine) { b++; theft[h, v]++ }
      c1[h]++; e[h] += 1 / (b + 1); s1[h] += (5 - b) / 5 / (b + 1); hist[h, b]++; if (!b) all++ } }
  END { for (v = 0; v < 6; v++) { C += c1[v] / images[v] / 6; E += e[v] / images[v] / 6; S += s1[v] / images[v] / 6
      printf "%d %.15g %.15g %.15g", images[v], c1[v] / images[v], e[v] / images[v], s1[v] / images[v]
      for (b = 0; b < 6; b++) printf " %d", hist[v, b]
      for (u = 0; u < 6; u++) printf " %d", theft[v, u]
      print "" }
    printf "%.15g %.15g %.15g %.15g\n", C, E, S, all / 300 }' T.txt labels I.txt >expected
if run e.yaml --output out; then
  jq -r '.results[0] as $r | (range(6) as $v | $r.vocabularies[$v] |
    [.images, .acc_c, .acc_e, .acc_s] + .harm_histogram + $r.theft[$v] | map(tostring) | join(" ")),
    ([$r.acc_c, $r.acc_e, $r.acc_s, $r.top1_all] | map(tostring) | join(" "))' out/results.json >found
  paste -d' ' expected found | awk '{ for (k = 1; k <= NF / 2; k++) { d = $k - $(k + NF / 2)
      if (d > 1e-9 || d < -1e-9) { print NR ": " $k " and " $(k + NF / 2); bad = 1 } } }
    END { exit bad || NR != 7 }' >diff.txt
  verdict $? "brute force: accuracies, histograms, thefts" "$(cat diff.txt)"
  awk 'NR == 7 { exit !($1 > $2 && $2 > $3 && $3 > 0.1 && $1 < 0.95) }' expected
  verdict $? "and the data are worth the trouble" "$(cat expected)"
fi
for type in f2 f8; do
  # fp16 values are a model of their own: the same file widened to fp64 must give the same integers.
  "$tools/npy" cast I.npy I2.npy f2 && "$tools/npy" cast T.npy T2.npy f2 && "$tools/npy" cast I2.npy I3.npy $type &&
    "$tools/npy" cast T2.npy T3.npy $type
  run e.yaml --output "out-$type" --set models.m.image_embeddings=I3.npy --set models.m.text_embeddings=T3.npy
done
# measured FOLDER: its figures, less all that says where they come from.
measured() {
  jq 'del(.run, .configuration, .configuration_digest) | del(.results[].data, .results[].embedding, .results[].model)' \
    "$1/results.json"
}
same_figures() { same "$1" <(measured "$2") <(measured "$3"); } # same_figures NAME A B
same_figures "fp16 and the same values as fp64" out-f2 out-f8
# Shuffled text rows with their names; labels by name; labels through label_names; images of no vocabulary.
seq 23 -1 0 >order && sed 's/^/c/' order >order.txt && "$tools/npy" rows T.npy T4.npy order
run e.yaml --output out-names --set models.m.text_embeddings=T4.npy --set models.m.text_names=order.txt &&
  same_figures "text_names" out out-names
sed 's/^/c/' labels >labels.txt
run e.yaml --output out-labels --set models.m.labels=labels.txt && same_figures "labels by name" out out-labels
awk '{ print 23 - $1 }' labels >reversed && "$tools/npy" numbers y2.npy i2 reversed
run e.yaml --output out-ln --set models.m.labels=y2.npy --set models.m.label_names=order.txt &&
  same_figures "label_names" out out-ln
{ cat labels; printf '%s\n' -1 -1 -1; } >'more' && "$tools/npy" numbers y3.npy i8 more &&
  { seq 0 299; echo 5; echo 6; echo 7; } >'pick' && "$tools/npy" rows I.npy I4.npy pick
run e.yaml --output out-more --set models.m.image_embeddings=I4.npy --set models.m.labels=y3.npy &&
  same_figures "images of no vocabulary are left out" out out-more
equal "and counted" "$(jq .results[0].data.images_of_no_vocabulary out-more/results.json)" 3

need_shared data/clip-vit-b32-imagenet "Living17 on real embeddings"

# ---- Living17 ---------------------------------------------------------------------------------------------------
imagenet=$shared/data/clip-vit-b32-imagenet truth=$shared/reference/living17-clip-vit-b32.expected.json
cut -f2 "$imagenet/imagenet_classes.tsv" | tail -n +2 >wnids.txt
cat >living.yaml <<E
experiment: living17
datasets: [{name: living17, vocabularies: configs/vocabularies/living17.yaml}]
models:
  - name: vit-b32
    family: precomputed
    image_embeddings: $imagenet/imagenet_image_7per_class.npy
    text_embeddings: $imagenet/imagenet_text_a_photo_of.npy
    labels: $imagenet/imagenet_image_labels.npy
    text_names: wnids.txt
    label_names: wnids.txt
E
cat >compare.jq <<'E'
# Every number of the expected file that a run gives, as "name found expected" where they differ by more than 1e-9.
def close($name; $a; $b): if ($a | type) == "number" and (($a - $b) | fabs) <= 1e-9 then empty
  else "\($name): \($a) and \($b)" end;
def lists($name; $a; $b): if ($a | length) != ($b | length) then "\($name): lengths"
  else range($b | length) as $i | close("\($name)[\($i)]"; $a[$i]; $b[$i]) end;
$truth[0] as $e | .results[0] as $r |
if $r.protocol == "sampled" then
  $e.sampled_3_42 as $s | ("acc_c", "acc_e", "acc_s") as $k | close($k; $r[$k]; $s[$k]),
  lists("per_vocabulary_e"; [$r.vocabularies[].acc_e_union]; $s.per_vocabulary_e),
  lists("per_vocabulary_s"; [$r.vocabularies[].acc_s]; $s.per_vocabulary_s)
else
  (("images", "acc_c", "acc_e", "acc_s", "top1_all") as $k | close($k; $r[$k]; $e[$k])),
  (if ($r.vocabularies | length) == 17 then empty else "not 17 vocabularies" end),
  (range(17) as $v | $r.vocabularies[$v] as $f | $e.per_vocabulary[$v] as $p |
    (("acc_c", "acc_e", "acc_s") as $k | close("\($v).\($k)"; $f[$k]; $p[$k])), close("\($v).images"; $f.images; $p.n),
    lists("\($v).harm_histogram"; $f.harm_histogram; $p.harm_histogram), lists("\($v).curve"; $f.curve; $p.curve),
    lists("\($v).theft"; $r.theft[$v]; $p.theft))
end
E
living() { # living NAME RUN_FLAGS...
  local name=$1 out; shift
  run living.yaml --output living "$@" || return
  out=$(jq -r --slurpfile truth "$truth" -f compare.jq living/results.json 2>&1 || echo "jq failed")
  equal "$name" "$out" ""
}
living "Living17, exact, all of ImageNet's images and texts"
equal "images of other classes are counted" \
  "$(jq -c '.results[0].data | [.images_of_no_vocabulary, .classes, .classes_without_images]' living/results.json)" \
  "[6524,68,0]" "$(jq -c '.results[0].data' living/results.json)"
living "Living17, sampled with 3 trials and seed 42" --set protocol=sampled --set trials=3 --set seed=42
living "Living17 on 3 threads" --threads 3
mpi 5 "$vocabench" run living.yaml --output living5 >/dev/null 2>err || fail "5 ranks" "$(cat err)"
"$vocabench" run living.yaml --output living1 >/dev/null
same "Living17 on 5 ranks" <(figures living1) <(figures living5)
# The form of the issue: arrays of the subset alone, texts in the order of the vocabulary file, labels as its indices, as names
# and as ids.
sed -nE 's/.*\{id: (n[0-9]+), name: "?([^"]*)"?\}.*/\1\t\2/p' "$here/configs/vocabularies/living17.yaml" >classes.tsv
"$tools/npy" print "$imagenet/imagenet_image_labels.npy" >labels.all
awk -F'\t' 'FILENAME == "classes.tsv" { place[$1] = FNR - 1; name[$1] = $2; next }
  FILENAME == "wnids.txt" { wnid[FNR - 1] = $1; row[$1] = FNR - 1; next }
  { w = wnid[$1]
    if (w in place) { print FNR - 1 >"picked"; print place[w] >"places"; print w >"ids.txt"; print name[w] >"names.txt" } }
  END { for (w in place) order[place[w]] = row[w]; for (i = 0; i < 68; i++) print order[i] >"text_rows" }' \
  classes.tsv wnids.txt labels.all
must "$tools/npy" rows "$imagenet/imagenet_image_7per_class.npy" LI.npy picked
must "$tools/npy" rows "$imagenet/imagenet_text_a_photo_of.npy" LT.npy text_rows; must "$tools/npy" numbers Ly.npy i8 places
sed -i "s|image_embeddings:.*|image_embeddings: LI.npy|; s|text_embeddings:.*|text_embeddings: LT.npy|; /_names:/d" living.yaml
for labels in Ly.npy ids.txt names.txt; do
  sed -i "s|labels:.*|labels: $labels|" living.yaml
  living "Living17, subset arrays, labels in $labels"
done
"$tools/npy" cast LI.npy LI8.npy f8 && "$tools/npy" cast LT.npy LT8.npy f8
living "Living17, fp64 arrays" --set models.vit-b32.image_embeddings=LI8.npy --set models.vit-b32.text_embeddings=LT8.npy
"$tools/npy" cast LI.npy LI2.npy f2 && "$tools/npy" cast LT.npy LT2.npy f2
run living.yaml --output living16 --set models.vit-b32.image_embeddings=LI2.npy --set models.vit-b32.text_embeddings=LT2.npy &&
  jq -e --slurpfile t "$truth" '.results[0] | (.acc_c - $t[0].acc_c | fabs) < 0.01 and (.acc_e - $t[0].acc_e | fabs) < 0.01' \
    living16/results.json >/dev/null
verdict $? "Living17, fp16 arrays: within a point"
finish
