#!/bin/bash
# inspect of what runs, reports and comparisons leave; and what the message of a missing file tells: key, line, places looked at.
. "$(dirname "$0")/../lib.sh"
cd "$scratch" || exit 1
made_vocabularies
make_data images pics 20 3; make_data model m.safetensors; make_data tokenizer tok
plain_experiment e >e.yaml
run e.yaml --output r; run e.yaml --output few --limit 2
must "$vocabench" compare r r --json c.json; must "$vocabench" report r --output page.html
sed 's/plain/other/' e.yaml >o.yaml; run o.yaml --output o; must "$vocabench" compare r o --pairs --json pairs.json
says() { # says NAME PATTERN PATH
  "$vocabench" inspect "$3" >out 2>err; verdict $? "inspect $3" "$(cat err)"
  like "$1" "$2" out
}
says "a folder of results" "^results of experiment 'e': 1 result, finished 20" r
like "every result is listed" '^  plain +on folder +57 images  Acc-C [0-9.]+  Acc-E [0-9.]+$' out
says "their file" "^results of experiment 'e'" r/results.json
says "a quick look says so" '38 images \(the first 2 a class\)' few
says "records, which are held against the results" \
  "^records of 'plain' on 'folder': 57 images, [0-9]+ right among all 19 classes; they give" r/records/plain--folder.jsonl.zst
equal "right ones as the results have them" \
  "$(grep -oE '[0-9]+ right' out)" "$(query r '.results[0] | .top1_all * .images | round') right"
says "a finished pair" "^finished result of 'plain' on 'folder', for run --resume: 57 images" r/pairs/plain--folder.json
says "a state" "^  vocabench status r/$" r/state.json
# What is to be typed next is a command, whatever the folder is called.
# shellcheck disable=SC2016 # a name
odd='it'"'"'s $5 #1'; cp -r r "$odd"; cp e.yaml "$odd"; odd=${odd/\$/\$\$} word="'it'\\''s \$\$5 #1"
says "an experiment in a folder of such a name" '^run it: ' "$odd/e.yaml"
has_line "to be run" "run it: vocabench run $word/e.yaml'" out
says "its state" '^state of a run' "$odd/state.json"; has_line "to be read" "  vocabench status $word/'" out
says "its results" '^results of' "$odd"; has_line "to be shown" "  vocabench report $word' --output page.html" out
has_line "and compared" "  vocabench compare $word' OTHER" out
says "a comparison" "^comparison of 'plain' on 'folder'" c.json
says "a comparison of pairs" '^comparison of 1 pairs of models' pairs.json
like "with each pair" "^  'other' less 'plain' on 'folder': acc_e [+]0.00 points, p by images 1, by classes 1$" out
says "a page" '^page of results, made by vocabench' page.html
says "its data" '^data of a page: [1-9][0-9]* figures' page-data
figure=$(basename "$(compgen -G 'page-data/01-*.csv')" .csv)
says "a figure's numbers" "^numbers of figure '$figure'" "page-data/$figure.csv"
like "with their columns" '^columns: foreign_vocabularies,' out
mkdir other && cp r/records/*.zst other/
says "records alone" "^records of images, one a line; no results.json" other/plain--folder.jsonl.zst
cp -r r changed && cp few/records/* changed/records/
refuses "records of another run" 6 "38 records, the result of 'plain' on 'folder' has 57 images" \
  "$vocabench" inspect changed/records/plain--folder.jsonl.zst
echo '{"schema": "vocabench.results/1"' >cut.json
refuses "results cut short" 5 "cut.json" "$vocabench" inspect cut.json
echo '{"schema": "of another/1"}' >another.json
refuses "another program's JSON" 5 "another.json" "$vocabench" inspect another.json

# ---- what is missing ----------------------------------------------------------------------------------------------
cat >x.yaml <<'E'
experiment: x
datasets: [{name: folder, images: pics, vocabularies: v.yaml}]
models:
  - name: plain
    family: clip
    activation: quick_gelu
    weights: m.safetensors
    tokenizer: merges.txt.gz
    prompts: ["a {}."]
E
refuses "a tokenizer: model, key, line and the places" 4 \
  "x.yaml:8:.*: model 'plain': tokenizer: merges.txt.gz: .*\(looked for beside x.yaml and in the current folder\)" \
  "$vocabench" run x.yaml
sed 's/m.safetensors/nowhere.pt/; s/merges.txt.gz/tok/' x.yaml >y.yaml
refuses "weights" 4 "y.yaml:7:.*: model 'plain': weights: .*nowhere.pt: .*\(looked for beside y.yaml" "$vocabench" run y.yaml
refuses "an absolute path was looked for there alone" 4 "model 'plain': weights: /nowhere.pt: [^(]*$" \
  "$vocabench" run y.yaml --set models.plain.weights=/nowhere.pt
sed 's/images: pics/images: pictures/; s/merges.txt.gz/tok/' x.yaml >z.yaml
refuses "images" 4 "z.yaml:2:.*dataset 'folder': .*images: .*pictures: .*\(looked for" "$vocabench" run z.yaml
refuses "vocabularies, which may lie in the installed configs" 4 \
  "vocabularies: .*configs/vocabularies/none.yaml: .*\(looked for beside z.yaml, in the current folder and in .*/configs\)" \
  "$vocabench" run z.yaml --set datasets.0.images=pics --set datasets.0.vocabularies=configs/vocabularies/none.yaml
"$vocabench" check x.yaml >out 2>&1
like "check tells as much" "^error +model 'plain' .*x.yaml:8:.*tokenizer: merges.txt.gz: .*looked for" out
# Several keys of one path: the one whose value cannot be what it stands for.
sed 's/merges.txt.gz/tok/' x.yaml >same.yaml
mkdir repository; cp m.safetensors repository/model.safetensors
key() { refuses "$1" 4 "^vocabench: same.yaml:$2:.*: $3: $4: " "$vocabench" run same.yaml "${@:5}"; }
sed -i 's/m.safetensors/pics/' same.yaml; key "weights beside images" 7 "model 'plain': weights" pics
"$vocabench" check same.yaml >out 2>&1
like "by check, too" "^error +model 'plain' +same.yaml:7:.*: weights: pics: a folder without" out
sed -i 's/pics/repository/2; s/weights: pics/weights: repository/; s/tokenizer: tok/tokenizer: repository/' same.yaml
key "a tokenizer beside weights" 8 "model 'plain': tokenizer" repository
sed -i 's/vocabularies: v.yaml/vocabularies: pics/' same.yaml
key "vocabularies beside images" 2 "dataset 'folder': vocabularies" pics
sed -i 's/vocabularies: pics/vocabularies: v.yaml, names: pics/' same.yaml
key "names beside images" 2 "dataset 'folder': names" pics
cat >same.yaml <<'E'
experiment: same
datasets: [{name: folder, images: pics, vocabularies: v.yaml}]
models:
  - name: plain
    family: precomputed
    image_embeddings: I.npy
    text_embeddings: I.npy
    labels: pics
E
"$tools/npy" random I.npy 19 8 1
key "labels beside images" 8 "model 'plain': labels" pics
sed -i 's/labels: pics/labels: I.npy/; s/image_embeddings: I.npy/image_embeddings: pics/' same.yaml
key "embeddings beside images" 6 "model 'plain': image_embeddings" pics
echo "# a text" >notes.md
refuses "a file that is none of all that it knows" 10 \
  "notes.md: begins with .*, expected weights .*, a tokenizer, .npy, .yaml, a dataset, or what vocabench writes" \
  "$vocabench" inspect notes.md
finish
