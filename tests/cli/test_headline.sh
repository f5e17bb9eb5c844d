#!/bin/bash
# The answer that a report begins with: the most open model over all datasets, and whether its lead is more than chance
# explains, by the tests of `compare` where there are records.
. "$(dirname "$0")/../lib.sh"
cd "$scratch" || exit 1
command -v gnuplot >/dev/null || { skip "headlines" "gnuplot-nox is not installed"; finish; }

# 24 classes of 12 images. `right` never errs, `near` does in three classes, in all of their images, `twin` is `near` once
# more.
must "$tools/npy" random T.npy 24 16 1
seq 0 287 | awk '{ print $1 % 24 }' >labels; must "$tools/npy" numbers y.npy i8 labels
must "$tools/npy" rows T.npy right.npy labels
awk '{ print $1 < 3 ? $1 + 8 : $1 }' labels >wrong; must "$tools/npy" rows T.npy near.npy wrong
cp near.npy twin.npy
cat >groups.awk <<'E2'
BEGIN {
  print "name: " name "\nvocabularies:"
  for (v = 0; v < 24 / size; v++) {
    printf "  g%d: [", v
    for (c = 0; c < size; c++) printf "%sc%d", c ? ", " : "", v * size + c
    print "]"
  }
}
E2
awk -v size=4 -v name=v -f groups.awk >v.yaml; awk -v size=6 -v name=w -f groups.awk >w.yaml
{
  printf 'experiment: e\nper_image: true\ndatasets:\n'
  printf '  - {name: one, vocabularies: v.yaml}\n  - {name: two, vocabularies: w.yaml}\nmodels:\n'
  for model in near right twin; do
    printf '  - name: %s\n    family: precomputed\n    embeddings:\n' $model
    for data in one two; do
      echo "      - {dataset: $data, image_embeddings: $model.npy, text_embeddings: T.npy, labels: y.npy}"
    done
  done
} >e.yaml
run e.yaml --output r
equal "a note that all models share is told once" "$(grep '^note: .* / one: ' stdout)" \
  "note: near, right and 1 more model / one: labels that are places in the vocabulary file, from 0: 24"
# said FOLDER: the page's first paragraphs.
said() { must "$vocabench" report "$1" --output page.md; sed -n '3,/^!/p' page.md; }
said r >head.md
mean=$(printf %.1f "$(jq '[.results[] | select(.model == "near") | .acc_e] | 100 * (1 - add / 2)' r/results.json)")
sentence='**right** is the most open of 3 models: mean Acc-E 100.0 percent over 2 datasets, first on 2.'
sure='more than chance explains on 2 of the 2 for these classes, on 0 for others, too.' # three that one model misses
has_line "over all datasets: the most open, the next, how sure" "$sentence Next is **near**, $mean points behind: $sure" head.md
run e.yaml --output sampled --set protocol=sampled; said sampled >head.md
like "by exact figures, where orders are drawn" '^\*\*right\*\* is the most open .* behind: by exact Acc-E more than ' head.md
said r >head.md
must "$vocabench" compare r r --model near --model right --dataset one --permutations 1000 --json c.json
read -r difference images classes < <(jq -r '.overall.acc_e | [100 * .difference, .p, .by_class.p] | @tsv' c.json)
has_text "on a dataset: the lead is compare's" "$(printf 'Next is **near**, %.1f ±' "$difference")" head.md
has_text "three classes that one model misses are no lead on others" \
  "on the same images: more than chance explains for these classes, not for others" head.md
has_text "by compare's p" "$(printf 'not for others (p %.2g by images, %.2g by classes).' "$images" "$classes")" head.md
has_text "guessing among 4 names, and among all 24" \
  'Guessing gives 25.0 percent within the own vocabulary, 4.2 among all names.' head.md
has_text "guessing among 6" 'Guessing gives 16.7 percent within the own vocabulary, 4.2 among all names.' head.md
# Drawn orders may have the exact figures' second model first: one order, which brings b before c, and images that b takes of
# one model, c of the other, one image more. What is paired is the exact difference, and the page says so.
floats three.npy 3 <<<"1 0 0 0 1 0 0 0 1"; { printf '0\n%.0s' {1..10}; printf '1\n2\n'; } >label
must "$tools/npy" numbers three-y.npy i8 label
taken() { { for i in {1..10}; do [ "$i" -gt "$1" ] && echo 1 0 0 || echo "1 $2"; done; echo 0 1 0 0 0 1; } | floats "$3" 3; }
taken 8 "2 0" by-b.npy; taken 9 "0 2" by-c.npy
printf 'name: three\nvocabularies: {a: [a], b: [b], c: [c]}\n' >three.yaml
printf '%s\n' 'experiment: drawn' 'per_image: true' 'protocol: sampled' 'trials: 1' \
  'datasets: [{name: three, vocabularies: three.yaml}]' models: >drawn.yaml
for model in by-b by-c; do echo "  - {name: $model, family: precomputed, image_embeddings: $model.npy,
    text_embeddings: three.npy, labels: three-y.npy}"; done >>drawn.yaml
run drawn.yaml --output drawn --set seed=1
equal "drawn orders have the other model first" "$(query drawn '[.results[] | .acc_e, .exact.acc_e] |
  [.[0] < .[2], .[1] > .[3]] | tojson')" '[true,true]'
must "$vocabench" compare drawn drawn --model by-b --model by-c --json c.json
said drawn >head.md
has_text "the exact difference is called so" "$(jq -r '.overall.acc_e | -100 * .difference' c.json |
  awk '{ printf "Next is **by-b**, %.1f ± ", $1 }')" head.md
like "and its sign" "Next is [*][*]by-b[*][*], [0-9.]+ . [0-9.]+ points ahead by exact Acc-E on the same images: " head.md
for model in by-b by-c; do
  has_text "errors are of the exact figure, which stands before them: $model" "$(jq -r --arg model $model '.results[] |
    select(.model == $model) | [.exact.acc_e, .exact.errors.acc_e.classes] | @tsv' drawn/results.json |
    awk '{ printf "Acc-E, exact | %.2f | – | %.2f |", 100 * $1, 100 * $2 }')" <(tr -s ' ' <page.md)
done
run drawn.yaml --output all-orders --set protocol=exact
must "$vocabench" report drawn all-orders --output page.md
equal "drawn and exact figures do not stand together" "$(grep '^## three' page.md | paste -sd'|')" \
  "## three (protocol: sampled)|## three"
like "nor are they two datasets" '^[*][*]by-.[*][*] .* over 2 evaluations of 1 dataset, first on [12]\. ' page.md
unlike "nor is the one's lead over the other" ' 0[.]0 ± 0[.]0 points' page.md
# Numbers are rounded to the nearest, in every table.
cp -r r rounded
changed() { echo "(.results[] | select(.model == \"near\" and .dataset == \"$1\")) |= (.acc_e = $2 | .acc_c = $3)"; }
jq "$(changed one 0.5 0.25)" r/results.json | jq '.results[] |= select(.model == "near")' >rounded/results.json
said rounded >head.md; has_text "more with foreign names than without" 'percent, 25.0 points above its Acc-C of 25.0.' head.md
jq '.results[].data.classes = 1' r/results.json >rounded/results.json; said rounded >head.md
has_text "guessing among one name" ', 100 among all names.' head.md
jq "$(changed one 0.86254 0.87294) | $(changed two 0.79951 0.81011)" r/results.json >rounded/results.json
must "$vocabench" report rounded --output page.md
like "the table of all: differences, too" '^\| near +\| +86\.3 \(-1\.0\) \| +80\.0 \(-1\.1\) \|$' page.md
like "the first dataset's" '^\| near +\| +86\.25 [^|]*\| +87\.29 [^|]*\| +-1\.04 \|' page.md
like "the second one's" '^\| near +\| +79\.95 [^|]*\| +81\.01 [^|]*\| +-1\.06 \|' page.md
sed '/right/,/twin/{/twin/!d}' e.yaml >equal.yaml
run equal.yaml --output equal; said equal >head.md
has_text "equal models are not told apart" \
  '0.0 ± 0.0 points behind on the same images: not told apart (p 1 by images, 1 by classes).' head.md
like "nor over all" \
  '^\*\*near\*\* is the most open of 2 models: .*, 0.0 points behind: no more than chance explains on any of the 2\.$' head.md
cp -r r sets && jq '.results[].data.label_sets = {images_with_several_classes: 2, images_of_several_vocabularies: 1}' \
  r/results.json >sets/results.json; said sets >head.md
has_text "of sets of labels errors are taken as independent" 'points behind: ' head.md
unlike "whether there are records or not, and what guessing gives is not known" 'per_image|same images|Guessing' head.md
rm -r r/records; said r >head.md
has_text "without records the errors are taken as independent" 'points behind: ' head.md
unlike "and nothing is paired" 'same images' head.md
awk '{ print ($1 > 11 && $1 < 18 ? $1 - 8 : $1) }' labels >wrong; must "$tools/npy" rows T.npy wide.npy wrong
sed '/per_image/d; s/right/wide/; /twin/,$d' e.yaml >both.yaml; run both.yaml --output both; said both >head.md
for data in one two; do
  has_text "of two that err, on '$data': the root of both errors' squares" "$(query both "[.results[] |
    select(.dataset == \"$data\")] | sort_by(-.acc_e) | .[0].acc_e - .[1].acc_e, (.[].errors.acc_e.classes)" | paste -sd' ' |
    awk '{ printf ", %.1f ± %.1f points behind: ", 100 * $1, 100 * sqrt($2 * $2 + $3 * $3) }')" head.md
done
must "$vocabench" run e.yaml --output half --only-model near
must "$vocabench" run e.yaml --output part --only-dataset one --only-model right
must "$vocabench" report half part --output page.md
# Behind on one dataset, and surely: that is no lead.
{
  printf 'experiment: crossed\nper_image: true\ndatasets:\n'
  printf '  - {name: one, vocabularies: v.yaml}\n  - {name: two, vocabularies: w.yaml}\nmodels:\n'
  while read -r model first second; do
    printf '  - name: %s\n    family: precomputed\n    embeddings:\n' "$model"
    echo "      - {dataset: one, image_embeddings: $first, text_embeddings: T.npy, labels: y.npy}"
    echo "      - {dataset: two, image_embeddings: $second, text_embeddings: T.npy, labels: y.npy}"
  done <<<$'a right.npy near.npy\nb wide.npy right.npy'
} >crossed.yaml
run crossed.yaml --output crossed; said crossed >head.md
like "a dataset on which it is behind is none of a model's lead" \
  '^\*\*a\*\* is the most open of 2 models: .*, first on 1\. Next is .*: more than chance explains on 1 of the 2\.$' head.md
# In every class one wrong image more, of others: by classes a lead, by images none.
awk '{ j = int((NR - 1) / 24); print (j < 4 ? ($1 + 8) % 24 : $1) }' labels >wrong
must "$tools/npy" rows T.npy four.npy wrong
awk '{ j = int((NR - 1) / 24); print (j > 3 && j < 9 ? ($1 + 8) % 24 : $1) }' labels >wrong
must "$tools/npy" rows T.npy five.npy wrong
printf 'experiment: classes\nper_image: true\ndatasets: [{name: one, vocabularies: v.yaml}]\nmodels:\n' >classes.yaml
for model in four five; do
  echo "  - {name: $model, family: precomputed, image_embeddings: $model.npy, text_embeddings: T.npy, labels: y.npy}"
done >>classes.yaml
run classes.yaml --output classes; said classes >head.md
like "a lead by classes alone is none" \
  'on the same images: not told apart \(p 0\.[01][0-9]* by images, 0\.00[0-9]* by classes\)' head.md
# Of other images, though the dataset and its vocabularies are the same.
head -n 240 labels >first; must "$tools/npy" numbers few-y.npy i8 first; must "$tools/npy" rows T.npy few.npy first
sed '/five/d; s/four.npy/few.npy/; s/ y.npy/ few-y.npy/; s/: four/: few/' classes.yaml >few.yaml
run few.yaml --output few; must "$vocabench" report classes few --output page.md
sed -n '3,/^!/p' page.md >head.md
like "results on other images are not paired" \
  'the most open of 3 models is [*][*]few.* points behind: .* errors were independent' head.md
unlike "whatever of them are the same" 'same images' head.md
must "$vocabench" report half part --output page.md
unlike "a model without a result on some dataset: no mean is compared" 'is the most open of' <(sed -n 3p page.md)
like "nor by the overview" '^Where intervals part.* The means are of different datasets: ' page.md
# On the first four datasets, those that are drawn, another model is ahead than over all five.
mkdir five; jq '[.results[] | select(.dataset == "one")] as $one | .results = [range(5) as $d | $one[] | .dataset = "d\($d)" |
  .acc_e = {near: (if $d < 4 then 0.8 else 0.1 end), right: 0.79, twin: 0.5}[.model]]' r/results.json >five/results.json
must "$vocabench" report five --output page.md
like "the most open over all datasets" '^[*]{2}right[*]{2} is the most open of 3 models: mean Acc-E 79.0 percent' page.md
has_text "is the overview's, too" "Most open is right, mean 79.0 percent, least twin, 50.0." page.md
equal "in whose order the overview has its rows, as the table" "$(awk -F, '$1 == 0 { print $NF }' page-data/01-overview.csv |
  tr -d '"' | paste -sd' '), $(sed -n 's/^| \([a-z]*\) .*(.*$/\1/p' page.md | head -n 3 | paste -sd' ')" \
  "right near twin, right near twin"

# ---- one model's name in several folders --------------------------------------------------------------------------
mkdir a b; cp -r r a/out; cp -r part b/out; must "$vocabench" report a/out/ b/out --output page.md
like "folders of one name are told apart by their paths" '^\| right \(b/out\) +\| +100\.0 \(\+0\.0\) \| +– \|$' page.md
like "and a model has one label on every dataset" '^\| right \(a/out\) +\| +100\.0 [^|]*\| +100\.0 [^|]*\|$' page.md
must "$vocabench" report a/out/ half --output page.md
like "what only one folder has keeps its name" '^\| right +\| +100\.0 ' page.md
like "a folder's name, whether or not a slash ends it" '^\| near \(out\) ' page.md
refuses "results that are given twice" 2 "report: half/results.json and [^ ]*/half/results.json are the same file" \
  "$vocabench" report half "$PWD/half" --output page.md
# Results that another configuration has replaced are kept in their folder, and are no others because of that.
must "$vocabench" run e.yaml --output kept --only-dataset one --only-model near
sed 's/- name: near/&\n    similarity: dot/; s/image_embeddings: near.npy/image_embeddings: wide.npy/' e.yaml >replaced.yaml
must "$vocabench" run replaced.yaml --output kept --only-dataset one --only-model near
must "$vocabench" report kept kept/results.*.json --output page.md
lead=$(jq -r '.results[0].acc_e' kept/results.json kept/results.*.json | paste -sd' ' | awk '{ printf "%.1f", 100 * ($2 - $1) }')
like "kept results are compared as they are" "Next is [*]{2}near [^,]*, $lead ± " page.md
must "$vocabench" report r --output page.html
like "the page has it, too" 'class="answer"><strong>right</strong> is the most open' page.html

# ---- twelve models on three datasets ------------------------------------------------------------------------------
mkdir zoo && cd zoo || exit 1
{
  printf 'experiment: zoo\nper_image: true\ndatasets:\n'
  for groups in 13 17 30; do
    { printf 'name: v\nvocabularies:\n'
      for ((g = 0; g < groups; g++)); do echo "  group $g: [name $((2 * g)), name $((2 * g + 1))]"; done
    } >v$groups.yaml
    must "$tools/npy" random T$groups.npy $((2 * groups)) 16 $groups
    must "$tools/npy" random I$groups.npy $((6 * groups)) 16 $((groups + 100))
    for ((i = 0; i < 6 * groups; i++)); do echo $((i % (2 * groups))); done >labels
    must "$tools/npy" numbers y$groups.npy i4 labels
    echo "  - {name: of $groups, vocabularies: v$groups.yaml}"
  done
  # Each model sees images as near to their texts as its number says.
  echo models:
  for m in {1..12}; do
    printf '  - {name: model %d, family: precomputed, embeddings: [' "$m"
    for groups in 13 17 30; do
      paste -d' ' <("$tools/npy" print I$groups.npy) <("$tools/npy" print T$groups.npy; "$tools/npy" print T$groups.npy
        "$tools/npy" print T$groups.npy) | awk -v m="$m" '{ for (k = 1; k <= 16; k++) print $k + m / 10 * $(k + 16) }' >flat
      must "$tools/npy" numbers flat.npy f4 flat; must "$tools/npy" fold flat.npy "I$groups-$m.npy" 16
      printf '{dataset: of %d, image_embeddings: I%d-%d.npy, text_embeddings: T%d.npy, labels: y%d.npy}, ' \
        "$groups" "$groups" "$m" "$groups" "$groups"
    done
    echo ']}'
  done
} >zoo.yaml
run zoo.yaml --output r; must "$vocabench" report r --output page.html
best=$(jq -r '[.results | group_by(.model)[] | {m: .[0].model, e: (map(.acc_e) | add)}] | max_by(.e).m' r/results.json)
like "which of twelve models is most open: the page's first sentence" \
  "class=\"answer\"><strong>$best</strong> is the most open of 12 models: mean Acc-E .* over 3 datasets" page.html
browser=$(command -v chromium || command -v chromium-browser || true)
[ -n "$browser" ] || { skip "its height" "chromium is not installed"; finish; }
for width in 1600 400; do # headless windows are not narrower than 500: a frame is
  echo "<!DOCTYPE html><iframe src=page.html style='border:0;width:${width}px;height:900px' onload='document.body.dataset.tall =
    this.contentDocument.documentElement.scrollHeight'></iframe>" >frame.html
  tall=$(timeout 60 "$browser" --headless --no-sandbox --disable-gpu --no-first-run --user-data-dir="$scratch/profile" \
    --allow-file-access-from-files --window-size=1700,1000 --virtual-time-budget=3000 --dump-dom "file://$PWD/frame.html" 2>log |
    sed -n 's/.*data-tall="\([0-9]*\)".*/\1/p')
  [ "${tall:-0}" -gt 3000 ] && [ "$tall" -lt 25000 ]; verdict $? "folded, $width wide: $tall px, of 25,000" "$(tail -n 3 log)"
done
finish
