#!/bin/bash
# Labels against classes: one rule for every source of labels, what is refused, what is told and counted.
. "$(dirname "$0")/../lib.sh"
cd "$scratch" || exit 1
make_data images pics 1 3; make_data model m.safetensors; make_data tokenizer tok
models='[{name: m, family: clip, activation: quick_gelu, weights: m.safetensors, tokenizer: tok, prompts: ["a {}."]}]'
experiment() { # experiment IMAGES VOCABULARIES [KEYS]
  printf 'experiment: x\ndatasets: [{name: d, images: "%s", vocabularies: %s%s}]\nmodels: %s\n' \
    "$1" "$2" "${3:-}" "$models" >e.yaml
}
# counted: "name images" of every class, in the file's order; kinds: how its labels were resolved.
counted() { query o '[.results[0].vocabularies[].classes[] | "\(.name) \(.images)"] | join(", ")'; }
kinds() { query o '.results[0].data.labels | "\(.by_id) \(.by_name) \(.by_position) \(.unmatched) \(.ambiguous)"'; }

# Digit d has d + 1 images; ids are the digits, in another order than the file's.
cat >digits.yaml <<'E'
name: digits
vocabularies:
  odd: [{id: 1, name: one}, {id: 3, name: three}]
  even: [{id: 0, name: zero}, {id: 2, name: two}]
E
right="one 2, three 4, zero 1, two 3" pictures=(pics/*/*)
picture=${pictures[0]} suffix=${pictures[0]##*.}
mkdir -p folders/{0..3} cls float json reals
for d in 0 1 2 3; do
  for ((i = 0; i <= d; i++)); do
    for to in cls/$d$i float/$d$i json/$d$i reals/$d$i folders/$d/$i; do ln "$picture" "$to.$suffix"; done
    printf '\357\273\277%d\r\n' $d >cls/$d$i.cls; printf '%d.0\n' $d >float/$d$i.cls
    echo "{\"label\": \"$d\"}" >json/$d$i.json; echo "{\"label\": $d.0}" >reals/$d$i.json
  done
done
archive() { tar --hard-dereference -C "$1" --sort=name -cf "$1.tar" .; }
for source in cls float json reals; do archive $source; done
for source in folders cls.tar float.tar json.tar reals.tar; do
  experiment $source digits.yaml
  run e.yaml --output o && equal "ids, from $source" "$(counted) by $(kinds)" "$right by 4 0 0 0 4"
done
has_text "that the integers could be places is told" \
  "note: d: 4 labels could mean two classes, by id, name or place, in this order: '0' is 'zero', not 'one'" stdout
must "$vocabench" pack --input folders --output packed; experiment 'packed/*.tar.zst' digits.yaml
run e.yaml --output o && equal "ids, from shards that pack wrote" "$(counted)" "$right"
# The same labels of precomputed embeddings.
for d in 0 1 2 3; do for ((i = 0; i <= d; i++)); do echo $d; done; done >numbers
sed 's/$/.0  \r/' numbers >labels.txt; jq -R . numbers | jq -s . >labels.json
"$tools/npy" numbers y.npy i8 numbers; "$tools/npy" numbers yf.npy f4 numbers
must "$tools/npy" random I.npy 10 8 1; must "$tools/npy" random T.npy 4 8 1
cat >p.yaml <<'E'
experiment: p
datasets: [{name: d, vocabularies: digits.yaml}]
models: [{name: m, family: precomputed, image_embeddings: I.npy, text_embeddings: T.npy, labels: y.npy}]
E
for labels in y.npy yf.npy labels.txt labels.json; do
  run p.yaml --output o --set models.m.labels=$labels && equal "ids, from $labels" "$(counted) by $(kinds)" "$right by 4 0 0 0 4"
done
has_text "and told, of precomputed embeddings too" "note: m / d: labels that could mean two classes" stdout
# Large ones of each type: none is taken for another number.
for type in i1:100 u1:200 i2:30000 i4:70000 i8:5000000000 f8:5000000000; do
  base=${type#*:}
  printf 'name: large\nvocabularies: {odd: [{id: %d, name: one}, {id: %d, name: three}], even: [{id: %d, name: zero},
    {id: %d, name: two}]}\n' $((base + 1)) $((base + 3)) "$base" $((base + 2)) >large.yaml
  while read -r digit; do echo $((base + digit)); done <numbers >large; must "$tools/npy" numbers large.npy "${type%:*}" large
  run p.yaml --output o --set models.m.labels=large.npy --set datasets.d.vocabularies=large.yaml &&
    equal "labels of type ${type%:*}" "$(counted)" "$right"
done
sed '10s/.*/0.5/' numbers >half; "$tools/npy" numbers half.npy f4 half
refuses "half a label" 6 "half.npy: row 9: label 0.5, expected an integer" \
  "$vocabench" run p.yaml --output o --set models.m.labels=half.npy
sed '10s/.*//' numbers >empty.txt
refuses "an empty label" 5 "empty.txt: row 9: expected a label, found an empty text" \
  "$vocabench" run p.yaml --output o --set models.m.labels=empty.txt

# Without ids the integers are places, from every source.
cat >places.yaml <<'E'
name: places
vocabularies: {low: [zero, one], high: [two, three]}
E
for source in folders cls.tar; do
  experiment $source places.yaml
  run e.yaml --output o && equal "places, from $source" "$(counted) by $(kinds)" "zero 1, one 2, two 3, three 4 by 0 0 4 0 0"
done
has_text "that they are places is told" "note: d: 4 labels are integers and no class' id or name: they are places" stdout
sed 's/, three//' places.yaml >three.yaml; experiment cls.tar three.yaml
refuses "a place beyond the last class" 6 "label 3, but '.*three.yaml' has 3 classes \(places from 0\)" \
  "$vocabench" run e.yaml --output o

# ---- what is refused -----------------------------------------------------------------------------------------------
mkdir -p zoo/{airplanes,Faces,bonsai,leg}; for class in airplanes Faces bonsai leg; do cp "$picture" zoo/$class/; done
cat >zoo.yaml <<'E'
name: zoo
vocabularies: {a: [airplane, face, bonsai]}
E
experiment zoo zoo.yaml; rm -rf o
refuses "labels that match no class, and classes without images" 6 \
  "'d' and .*zoo.yaml: 2 classes have no images: 'airplane' \(label 'airplanes'\?\), 'face' \(label 'Faces'\?\); 3 labels" \
  "$vocabench" run e.yaml --output o
check_not "before anything is encoded" compgen -G 'o/cache/*/*.npy'
mpi 3 "$vocabench" run e.yaml --output o >stdout 2>stderr; has_text "at three ranks too" "2 classes have no images" stderr
refuses "plan refuses it" 6 "2 classes have no images" "$vocabench" plan e.yaml --output o
run e.yaml --output o --set datasets.d.on_unmatched=skip && equal "skip leaves them out, counted" \
  "$(counted) by $(kinds), $(query o .results[0].data.images_of_no_vocabulary)" "airplane 0, face 0, bonsai 1 by 0 1 0 3 0, 3"
has_text "and told with the names" "note: d: 3 labels (3 images) match no class: 'Faces' (1 image; class 'face'?)" stdout
sed 's/airplane, face/{name: airplane, aliases: [airplanes]}, {name: face, aliases: [Faces]}/' zoo.yaml >aliases.yaml
experiment zoo aliases.yaml
run e.yaml --output o && equal "aliases mend it; a folder beyond the vocabulary is no fault" \
  "$(counted) by $(kinds)" "airplane 1, face 1, bonsai 1 by 0 3 0 1 0"
mkdir zoo/Bonsai; cp "$picture" zoo/Bonsai/
refuses "a label that is a class but for its case" 6 "'Bonsai' \(1 image; class 'bonsai'\?\)" "$vocabench" run e.yaml --output o
rm cls/33.cls; archive cls; experiment cls.tar digits.yaml
refuses "an image without a label among others" 6 "digits.yaml: 1 image has no label \(.cls, .*; mend the data, or" \
  "$vocabench" run e.yaml --output o
sed 's/^3/9/' numbers >nine; "$tools/npy" numbers y.npy i8 nine
refuses "precomputed labels that match no class while a class has no images" 6 \
  "1 class has no images: 'three'; 1 label \(4 images\) matches no class: '9' \(4 images\)" "$vocabench" run p.yaml --output o
cat >both.yaml <<'E'
experiment: both
datasets: [{name: d, images: folders, vocabularies: digits.yaml}]
models:
  - {name: a, family: clip, activation: quick_gelu, weights: m.safetensors, tokenizer: tok, prompts: ["a {}."]}
  - {name: b, family: precomputed, image_embeddings: I.npy, text_embeddings: T.npy, labels: y.npy}
E
rm -rf o; refuses "and before another model is encoded" 6 "1 class has no images: 'three'" "$vocabench" run both.yaml --output o
check_not "nothing of it is in the cache" compgen -G 'o/cache/*/*.npy'
mkdir one; for d in 0 1 2 3; do mv folders/$d one/$((d + 1)); done; experiment one places.yaml
refuses "places that count from 1" 6 "label 4, but .* has 4 classes .*; do they count from 1\\?" \
  "$vocabench" run e.yaml --output o

cat >five.yaml <<'E'
name: five
vocabularies: {low: [zero, one], high: [two, three, four]}
E
experiment one five.yaml; rm -rf o
refuses "also where the vocabulary file is longer" 6 \
  "five.yaml: labels are places in the vocabulary file and no label is 0, 'zero': do they count from 1\? state class_names" \
  "$vocabench" run e.yaml --output o
run e.yaml --output o --set datasets.d.on_unmatched=skip &&
  equal "unless it is meant" "$(counted)" "zero 0, one 1, two 2, three 3, four 4"
has_text "and told" "from 0; no label is 0: do they count from 1?" stdout
printf '%s\n' none zero one two three >names.txt; experiment one five.yaml ', class_names: names.txt'
run e.yaml --output o && equal "or named" "$(counted)" "zero 1, one 2, two 3, three 4, four 0"

# ---- a vocabulary that broken images leave empty ---------------------------------------------------------------------
mkdir -p broken/cat broken/dog; head -c 60 "$picture" >"broken/cat/1.$suffix"; cp "$picture" broken/dog/
cat >pets.yaml <<'E'
name: pets
vocabularies: {cats: [cat], dogs: [dog]}
E
experiment broken pets.yaml ', on_error: skip'
refuses "no images left: the vocabulary's name, how many were skipped, and why" 5 \
  "model 'm' on dataset 'd': vocabulary 'cats' has no images left: 1 was skipped, the first: cat/1.$suffix: " \
  "$vocabench" run e.yaml --output o
# Of an expansion: the class of an image that was skipped has another number there.
mkdir cats dogs; cp -r broken/cat cats; cp -r broken/dog dogs
for pet in cat dog; do printf 'name: %ss\nvocabularies: {all: [%s]}\n' $pet $pet >${pet}s.yaml; done
printf '%s\n' 'experiment: x' 'only_dataset: both' 'datasets:' '  - {name: dogs, images: dogs, vocabularies: dogs.yaml}' \
  '  - {name: cats, images: cats, vocabularies: cats.yaml, on_error: skip}' \
  'expansions: [{name: both, datasets: [dogs, cats]}]' "models: $models" >e.yaml
refuses "nor of a dataset in an expansion" 5 \
  "model 'm' on dataset 'both': vocabulary 'cats' has no images left: 1 was skipped, the first: cat/1.$suffix: " \
  "$vocabench" run e.yaml --output o
cp "$picture" "cats/cat/2.$suffix"; rm -rf o; run e.yaml --output o
equal "a skipped image of an expansion is listed by its dataset" \
  "$(query o '.results[0] | [.images, .data.images_skipped, .data.skipped[].sample] | join(" ")')" "2 1 cats/cat/1.$suffix"
finish
