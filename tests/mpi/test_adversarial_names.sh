#!/bin/bash
# What adversarial names are to the classes they take, against another reader of WordNet; no name that takes nothing.
. "$(dirname "$0")/../lib.sh"
need_oracle "names by NumPy" adversarial_oracle.py
cat >e.yaml <<'E'
experiment: e
adversarial: {candidates: names.txt, embeddings: n.npy, k: 8, exclude: none, wordnet: .}
datasets: [{name: d, vocabularies: v.yaml}]
models: [{name: m, family: precomputed, image_embeddings: i.npy, text_embeddings: t.npy, labels: y.npy}]
E
for method in greedy single exact; do
  run e.yaml --output $method --set adversarial.method=$method &&
    check "$method: relations, and nothing that takes nothing" /usr/bin/python3 "$oracle" check . $method/results.json .
done
holds "every relation occurs, and what WordNet has no way to" '[.results[0].adversarial[].relations[][].relation] | unique ==
  [null, "hypernym", "hyponym", "other", "sister", "synonym"]' greedy/results.json
holds "fewer names than asked for, and why" '.results[0].adversarial | any(.[]; (.names | length) < 8 and .right > 0 and
  .proven and (.note | test("no other candidate")) and (.examples | length) == (.names | length))' greedy/results.json
holds "WordNet is named" '.results[0].adversarial_pool | .excluded_by == "none" and
  (.wordnet_digest | length) == 32' greedy/results.json
for ranks in 2 3; do
  for method in greedy exact; do
    rm -rf again
    run_at $ranks e.yaml --output again --set adversarial.method=$method && agree "$method at $ranks ranks" $method again
  done
done
must "$vocabench" report greedy --format md --output page.md
like "the table has the relations" '(synonym|hypernym|hyponym|sister|other), [0-9]+\)' page.md
equal "and the accuracies" "$(sed -n '/^| target /,/^$/p' page.md | awk -F ' *[|] *' 'NR > 2 && NF { print $2, $4, $5, $6 }')" \
  "$(jq -r '.results[0].adversarial[] | [.target, .accuracy_before, .accuracy_random[-1], .accuracy[-1]] | @tsv' \
    greedy/results.json | awk -F '\t' '{ printf "%s %.2f %.2f %.2f\n", $1, 100 * $2, 100 * $3, 100 * $4 }')"
has_text "who takes most from whom" "The largest theft: $(jq -r '.results[0] as $r | [$r.vocabularies | keys[] as $t |
  keys[] as $u | [$r.theft[$t][$u] / $r.vocabularies[$t].images, $r.vocabularies[$u].name, $r.vocabularies[$t].name]] |
  sort_by(-.[0])[0] |
  "\(.[1]) takes \(1000 * .[0] | round / 10) percent of the images of \(.[2])."' greedy/results.json)" page.md
like "and why names are missing" '[0-9] of 8: no other takes an image' page.md
# Of many classes those that it takes most of, wherever they stand.
mkdir many; jq '.results[0].adversarial[0].takes[0] = ([range(70) | {"c\(.)": 1}] | add + {c2: 4, c65: 4, c69: 9})' \
  greedy/results.json >many/results.json
must "$vocabench" report many --format md --output many.md
like "the classes that a name takes most of" ': 9 c69, 4 c2, 4 c65 …' many.md

# Without a WordNet nothing is known; another one is another question for --resume.
run e.yaml --output without --set adversarial.wordnet=nowhere --set adversarial.exclude=names &&
  check "without WordNet" /usr/bin/python3 "$oracle" check . without/results.json
run e.yaml --output greedy --resume
holds "resume takes the pair" '.run.pairs | length == 0' greedy/results.json
sed -i 's/^00000500 03 n 02 whale 0 giant 0 001 @ 00000200/00000500 03 n 02 whale 0 giant 0 001 @ 00000100/' data.noun
run e.yaml --output greedy --resume
holds "but not with another WordNet" '.run.pairs | length == 1' greedy/results.json
check "which gives other relations" /usr/bin/python3 "$oracle" check . greedy/results.json .
sed -i 's/^00000300 03 n 01 bear/00000300 03 n 01 baer/' data.noun
refuses "a broken WordNet" 5 'data.noun:3: expected words that are in index.noun' "$vocabench" run e.yaml --output o

# Entity13 on real embeddings, ImageNet's names as candidates, Debian's WordNet.
data=$shared/data/clip-vit-b32-imagenet
if [ -e "$data" ] && [ -e /usr/share/wordnet/data.noun ]; then
  tail -n +2 "$data/imagenet_classes.tsv" | cut -f2 >ids.txt; tail -n +2 "$data/imagenet_classes.tsv" | cut -f3 >names.txt
  cp "$data/imagenet_image_7per_class.npy" i.npy; cp "$data/imagenet_text_a_photo_of.npy" t.npy
  cp "$data/imagenet_image_labels.npy" y.npy; chmod u+w ./*.npy
  cat >real.yaml <<E
experiment: real
adversarial: {candidates: names.txt, embeddings: t.npy, exclude: names}
datasets: [{name: entity13, vocabularies: $here/configs/vocabularies/entity13.yaml}]
models: [{name: m, family: precomputed, image_embeddings: i.npy, text_embeddings: t.npy, labels: y.npy, label_names: ids.txt,
  text_names: ids.txt}]
E
  run real.yaml --output real && check "Entity13" /usr/bin/python3 "$oracle" real . real/results.json /usr/share/wordnet
else skip "Entity13" "no embeddings or no WordNet"; fi
finish
