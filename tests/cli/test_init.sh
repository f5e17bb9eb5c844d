#!/bin/bash
# A stranger's three commands: init, check, run. What init guesses, what it refuses, and that it overwrites nothing.
. "$(dirname "$0")/../lib.sh"
cd "$scratch" || exit 1

# ---- three commands ---------------------------------------------------------------------------------------------
# A repository folder as it is downloaded: weights and tokenizer together; pictures in a folder whose name has a space.
mkdir "my work" && cd "my work" || exit 1
make_data images "my pictures" 20 3; make_data tokenizer tiny-clip; make_data model tiny-clip/model.safetensors
"$vocabench" init "my pictures" tiny-clip >init.out 2>init.err; verdict $? "init" "$(cat init.err)"
"$vocabench" init "my pictures" tiny-clip --output 'my own.yaml' >own.out 2>&1
has_line "and what to type next" "next: vocabench check 'my own.yaml' && vocabench run 'my own.yaml'" own.out
has_line "init says what it wrote" "my-pictures.yaml: 60 images of 20 classes, one model" init.out
"$vocabench" check my-pictures.yaml >check.out 2>&1; verdict $? "check passes what init wrote" "$(cat check.out)"
like "check finds no error" "[0-9]+ ok, [0-9]+ notes?, 0 errors" check.out
run my-pictures.yaml; results=results/my-pictures/results.json
holds "the run judged every image of every class" \
  '.results[0] | .images == 60 and ([.vocabularies[].classes[].images] | length == 20 and all(. == 3))' \
  $results
equal "the classes are the folders" "$(jq -r '.results[0].vocabularies[].classes[].name' $results | sort)" "$(ls "my pictures")"
like "the guesses stand in the experiment" "# guessed: the prompt" my-pictures.yaml
like "and what nothing told, with the key" "# guessed: what nothing beside the weights tells: .*activation" my-pictures.yaml
like "a guess of the groups says whose they are" "# guessed: .*configs/vocabularies/cifar100.yaml, which has all labels" \
  my-pictures-vocabularies.yaml
# The groups are CIFAR-100's own.
found=$(jq -r '.results[0].vocabularies[].name' $results | sort)
equal "shipped groups" "$found" "$(grep -E '^  [a-z]' "$here/configs/vocabularies/cifar100.yaml" |
  sed -E 's/^  ([^:]*):.*/\1/; s/"//g' | sort | grep -xFf <(echo "$found"))"
equal "twelve of them" "$(wc -l <<<"$found")" 12
cp my-pictures.yaml before.yaml; cp my-pictures-vocabularies.yaml before-v.yaml
refuses "a second time" 7 "my-pictures.yaml: is there already, and is not overwritten" "$vocabench" init "my pictures" tiny-clip
rm my-pictures.yaml
refuses "the vocabulary file alone is there" 7 "my-pictures-vocabularies.yaml: is there already" \
  "$vocabench" init "my pictures" tiny-clip
same "nothing was overwritten" my-pictures-vocabularies.yaml before-v.yaml
check "and nothing half written" test ! -e my-pictures.yaml
check "another name" "$vocabench" init tiny-clip "my pictures" --output other.yaml
check "either order of the two: the same entry" \
  diff <(sed 's/other-v/my-pictures-v/' other.yaml | grep -v '^#') <(grep -v '^#' before.yaml)
rm other*.yaml before*.yaml my-pictures*.yaml
check "without arguments, what is alone there is taken" "$vocabench" init
must rm my-pictures.yaml my-pictures-vocabularies.yaml; mkdir second; cp -r "my pictures" second/pictures
refuses "two that could be meant" 2 "init: folder of class folders, or shards,: there are 'my pictures' and 'second'" \
  "$vocabench" init
cd .. || exit 1

# ---- other data -------------------------------------------------------------------------------------------------
make_data images plain 20 2; make_data tokenizer tok; make_data model m.safetensors
mkdir -p data/animal data/big_tree ids words numbers empty
cp plain/bear/* data/animal; cp plain/forest/* data/big_tree; cp plain/sea/*.* data/animal 2>/dev/null
for name in oak-3 "it's: one" 'a "b"' pile; do mkdir "data/$name"; cp plain/lamp/* "data/$name"; done
init() { "$vocabench" init "$1" m.safetensors --tokenizer tok "${@:2}" >out 2>err; }
init data; verdict $? "labels that no shipped file has" "$(cat err)"
like "are cut into equal parts, and it is said" "# guessed: the groups" data-vocabularies.yaml
has_line "names with quotes are quoted" '    - "a \"b\""' data-vocabularies.yaml
has_line "names with colons, too" "    - \"it's: one\"" data-vocabularies.yaml
check "and read back" "$vocabench" check data.yaml --set on_cut=allow
for id in n01440764 n01443537 n01484850 n01531178; do mkdir ids/$id; cp plain/whale/* ids/$id; done
init ids; verdict $? "ImageNet's folders" "$(cat err)"
has_line "are named as the shipped file has them" "    - {id: n01484850, name: great white shark}" ids-vocabularies.yaml
if [ -e /usr/share/wordnet/data.noun ]; then
  for id in n01440764 n02084071 n02121620; do mkdir words/$id; cp plain/wolf/* words/$id; done
  init words; verdict $? "WordNet's ids beyond ImageNet" "$(cat err)"
  has_line "are named by WordNet" "    - {id: n02084071, name: dog}" words-vocabularies.yaml
  mkdir none; for id in n01440764 n02084072; do mkdir none/$id; cp plain/wolf/* none/$id; done
  refuses "an id that WordNet does not have" 6 "none: label n02084072 looks like a WordNet id, but WordNet 3.0 has no such noun" \
    "$vocabench" init none m.safetensors --tokenizer tok
else skip "WordNet's ids beyond ImageNet" "no WordNet"; fi
for i in 0 1 2; do mkdir numbers/$i; cp plain/worm/* numbers/$i; done
refuses "numbers without names" 6 "numbers: the labels are numbers \(0 to 2\), .*--class-names FILE" \
  "$vocabench" init numbers m.safetensors --tokenizer tok
printf 'ant\nbee\nfly\n' >insects.txt
init numbers --class-names insects.txt; verdict $? "numbers with names" "$(cat err)"
has_line "the names are the classes" "    - bee" numbers-vocabularies.yaml
like "class_names stands in the dataset" "^    class_names: insects.txt" numbers.yaml
check "which check takes" "$vocabench" check numbers.yaml
must "$vocabench" pack --input plain --output shards --samples-per-shard 9
init 'shards/*.tar.zst'; verdict $? "shards by a pattern" "$(cat err)"
like "are named by their folder" "^experiment: shards$" shards.yaml
check "and checked" "$vocabench" check shards.yaml
# A dataset of the hub: shards and the number of them in test/, the names of .cls above.
mkdir -p hub/wds_four/test wds; i=0
for label in 0 1 2 3 3 1; do
  printf %s $label >wds/s$i.cls; cp "$(find plain -type f -name '*.png' | sed -n $((i + 1))p)" wds/s$i.png; i=$((i + 1))
done
(cd wds && tar cf ../hub/wds_four/test/0.tar s[0-2].* && tar cf ../hub/wds_four/test/1.tar s[3-5].*)
echo 2 >hub/wds_four/test/nshards.txt; printf 'ant\nbee\nfly\nmoth\n' >hub/wds_four/classnames.txt
init hub/wds_four; verdict $? "a dataset of the hub" "$(cat err)"
has_line "all shards, labels by name" "wds_four.yaml: 6 images of 4 classes, one model" out
like "the names are those above" '^    class_names: hub/wds_four/classnames.txt' wds_four.yaml
check "which check takes" "$vocabench" check wds_four.yaml
mv wds_four.yaml by-folder.yaml; rm wds_four-vocabularies.yaml
for folder in hub/wds_four/test hub/wds_four/test/ hub/wds_four//; do
  rm -f wds_four*.yaml; init "$folder"; verdict $? "by $folder" "$(cat err)"; same "the same" wds_four.yaml by-folder.yaml
done
# Names that stand twice are one class, as a run takes them; folders, too.
printf 'ant\nbee\nant\nmoth\n' >hub/wds_four/classnames.txt; rm wds_four*.yaml
init hub/wds_four; verdict $? "a name that stands twice" "$(cat err)"
has_line "is one class" "wds_four.yaml: 6 images of 3 classes, one model" out
equal "in one group" "$(grep -c '    - ant$' wds_four-vocabularies.yaml)" 1
like "which is said" "^# guessed: labels of one name, .* are one class: 1 have the name of an earlier one, the first 'ant'" \
  wds_four-vocabularies.yaml
run wds_four.yaml --output four
holds "with the images of both" '[.results[0].vocabularies[].classes[] | [.name, .images]] | sort ==
  [["ant", 2], ["bee", 2], ["moth", 2]]' four/results.json "$(jq -c '.results[0].vocabularies' four/results.json)"
mkdir -p two/big_cat "two/big cat" two/dog; for folder in two/*; do cp plain/bear/* "$folder"; done
init two; has_line "folders of one name, too" "two.yaml: 6 images of 2 classes, one model" out
check "which check takes" "$vocabench" check two.yaml
mkdir -p elsewhere; init plain --output elsewhere/plain.yaml; verdict $? "a file in another folder" "$(cat err)"
(cd / && "$vocabench" check "$scratch/elsewhere/plain.yaml" --output "$scratch/o") >out 2>&1
verdict $? "works from anywhere" "$(cat out)"

# ---- refusals ---------------------------------------------------------------------------------------------------
refuses "no tokenizer anywhere" 4 "no tokenizer of the kind of openai.* in the folder of the weights, .*--tokenizer FILE" \
  "$vocabench" init plain m.safetensors
refuses "a folder that is not there" 4 "nowhere" "$vocabench" init nowhere m.safetensors --tokenizer tok
refuses "an empty folder" 4 "empty: no images and no shards" "$vocabench" init empty m.safetensors --tokenizer tok
refuses "pictures without classes" 6 "without labels" "$vocabench" init plain/sea m.safetensors --tokenizer tok
for name in $'tab\tx' $'caf\xe9' ' fir' '_'; do
  mkdir -p "odd/$name" && cp plain/sea/* "odd/$name"
  case $name in
    ' '*) why='has white space around it' ;; _) why='is blank: underscores are spaces' ;; caf*) why='is no UTF-8' ;;
    *) why='has control characters' ;;
  esac
  refuses "a class folder whose name no vocabulary can hold: it $why" 6 \
    "odd: the label '.*' can be no class: it $why; give it another name in the data" \
    "$vocabench" init odd m.safetensors --tokenizer tok
  rm -r odd
done
cp m.safetensors m-00001-of-00002.safetensors
refuses "a part of weights" 2 "init: m-00001-of-00002.safetensors: a part of a model's weights: expected its index" \
  "$vocabench" init plain m-00001-of-00002.safetensors --tokenizer tok
mkdir parts && cp -r plain m.safetensors m-00001-of-00002.safetensors parts
check "which is none of the checkpoints in a folder" env -C parts "$vocabench" init --tokenizer ../tok
refuses "no weights" 10 "insects.txt" "$vocabench" init plain insects.txt --tokenizer tok
refuses "two checkpoints" 2 "are both checkpoints" "$vocabench" init m.safetensors m.safetensors
refuses "nothing to begin with" 4 "init: no folder of class folders, or shards, in the current folder: expected FOLDER" \
  env -C empty "$vocabench" init
refuses "three arguments" 2 "unexpected argument" "$vocabench" init a b c
check "refusals leave nothing" test ! -e plain.yaml -a ! -e plain-vocabularies.yaml -a ! -e empty.yaml
VOCABENCH_FAULT=write:1+:ENOSPC refuses "a full disk" 7 "No space left" "$vocabench" init plain m.safetensors --tokenizer tok
check "leaves nothing either" test ! -e plain.yaml -a ! -e plain-vocabularies.yaml
finish
