#!/bin/bash
# Class names in other languages, by id: prompts, results, report; what is refused.
. "$(dirname "$0")/../lib.sh"
cd "$scratch" || exit 1
make_data images pics 4 2; make_data model m.safetensors; make_data tokenizer tok
classes=(pics/*); classes=("${classes[@]#pics/}")
# The same classes: with ids, and with the German names for names.
{ printf 'name: v\nvocabularies:\n'; for c in 0 1 2 3; do
  echo "  v$((c / 2))$c: [{id: ${classes[c]}, name: thing $c}]"; done; } >v.yaml
words=("schwarzer Bär" "Äpfel" "金魚" "lièvre")
for c in 0 1 2 3; do printf '%s\t%s\n' "${classes[c]}" "${words[c]}"; done >de.tsv
{ printf 'name: v\nvocabularies:\n'; for c in 0 1 2 3; do
  echo "  v$((c / 2))$c: [{id: ${classes[c]}, name: \"${words[c]}\"}]"; done; } >own.yaml
cat >e.yaml <<'E'
experiment: e
datasets: [{name: d, images: pics, vocabularies: v.yaml, names: de.tsv, language: de}]
models: [{name: m, family: clip, activation: quick_gelu, weights: m.safetensors, tokenizer: tok,
  prompts: ["ein Foto von {}.", "{}"]}]
E
sed 's/v.yaml, names: de.tsv, language: de/own.yaml/' e.yaml >own-e.yaml
run e.yaml --output named && run own-e.yaml --output own
texts='.results[0].embedding.text_embeddings_digest'
equal "prompts have the names" "$(query named "$texts")" "$(query own "$texts")"
figures_alone='.results[0] | del(.data, .vocabularies[].classes[]["name", "called"])'
equal "and so all figures" "$(query named "$figures_alone")" "$(query own "$figures_alone")"
run e.yaml --output plain --set datasets.d.names= --set datasets.d.language=
equal "which are others without" "$([ "$(query plain "$texts")" = "$(query named "$texts")" ] || echo others)" others
equal "results tell both names" "$(query named '[.results[0].vocabularies[].classes[] | .name, .called] | join("|")')" \
  "thing 0|${words[0]}|thing 1|${words[1]}|thing 2|${words[2]}|thing 3|${words[3]}"
holds "and language, digest and what was not used" \
  '.results[0].data.names | .language == "de" and (.digest | length) == 32 and .unused == 0' named/results.json
must "$vocabench" report named --output report.html
has_text "the report tells" '&quot;language&quot;:&quot;de&quot;' report.html
# A learned context around the name: how long it is, is the name's that is shown.
if /usr/bin/python3 -c 'import numpy' 2>/dev/null; then
  must /usr/bin/python3 "$here/tests/tools/expansion_oracle.py" context context.safetensors 64 1
  for position in end middle front; do
    for name in e own-e; do
      sed "s/^  prompts:.*/  prompts: {coop: context.safetensors, position: $position}}]/" $name.yaml >coop-$name.yaml
      run coop-$name.yaml --output $position-$name
    done
    equal "with a learned context, position $position" "$(query $position-e "$texts")" "$(query $position-own-e "$texts")"
  done
else skip "names and learned contexts" "python3-numpy is not installed"; fi
# REPE asks captions for the words of the name that is shown.
{ for c in 0 1 2 3; do echo "das ist ${words[c]}, links"; echo "some thing $c here"; done; } >captions.txt
for name in e own-e; do
  { cat $name.yaml; printf '%s\n' 'corpora: [{name: words, captions: captions.txt}]' \
    'retrieval: {corpus: words, top_k: 4, lambda: 0.5}'; } >repe-$name.yaml
  run repe-$name.yaml --output repe-$name
done
blends='.results[0].retrieval.results | map([.lambda, .acc_e, .text_embeddings_digest]) | tojson'
equal "REPE has them" "$(query repe-e "$blends")" "$(query repe-own-e "$blends")"
# JSON, with a name that no class has; CR LF, a mark, blanks and empty lines.
jq -Rn '[inputs / "\t" | {(.[0]): .[1]}] | add + {none: "nichts"}' de.tsv >de.json
run e.yaml --output json --set datasets.d.names=de.json
equal "a .json object is the same" "$(query json "$texts")" "$(query named "$texts")"
equal "names of no class are counted" "$(query json '.results[0].data.names.unused')" 1
sed 's/\t/ \t  /; s/$/ \r\n\r/; 1s/^/\xef\xbb\xbf/' de.tsv >windows.tsv
run e.yaml --output windows --set datasets.d.names=windows.tsv
equal "as Windows writes it, too" "$(query windows "$texts")" "$(query named "$texts")"
# Another file of the same name: nothing is resumed.
run e.yaml --output named --resume
sed 's/lièvre/lapin/' de.tsv >other.tsv; mv other.tsv de.tsv
run e.yaml --output named --resume
equal "a changed file is read again" "$(query named '.results[0].vocabularies[-1].classes[0].called')" lapin
# Classes without ids: by their names.
{ printf 'name: v\nvocabularies:\n'; for c in 0 1 2 3; do echo "  v$((c / 2))$c: [${classes[c]}]"; done; } >bare.yaml
run e.yaml --output bare --set datasets.d.vocabularies=bare.yaml
equal "without ids, by the classes' names" "$(query bare "$texts")" "$(query named "$texts")"

# What is a class' name in the other language is no foreign name of its vocabulary, whatever its case; nor is its own name.
printf '%s\n' 'SCHWARZER_BÄR' 'äpfel' 'thing 2' Haus Baum >pool.txt
pools='[.results[0].analyses.open_curve | .vocabularies[].own.names, .all.names] | join(" ")'
run e.yaml --output pool --set 'analyses=[open_curve]' --set 'open_curve={names: pool.txt, exclude: names}'
equal "a class' name in another language is kept out" "$(query pool "$pools")" "4 4 4 5 2"
run e.yaml --output pool --set 'analyses=[open_curve]' --set 'open_curve={names: pool.txt, exclude: none}'
equal "unless nothing is" "$(query pool "$pools")" "5 5 5 5 5"

# Of an expansion, too: beside classes of other names, and merged with the same ones, whose names are others.
sed 's/thing/bar/' v.yaml >bars.yaml
{ printf 'name: v\nvocabularies:\n  all:\n'
  for c in 0 1 2 3; do echo "    - {name: folder $c, aliases: [\"${classes[c]}\"]}"; done; } >folders.yaml
for c in 0 1 2 3; do printf '%s\tmot %d\n' "${classes[c]}" $c; done >fr.tsv
cat >x.yaml <<'E'
experiment: x
analyses: [open_curve]
open_curve: {names: pool.txt, exclude: names}
datasets:
  - {name: de, images: pics, vocabularies: v.yaml, names: de.tsv, language: de}
  - {name: folders, images: pics, vocabularies: folders.yaml}
  - {name: fr, images: pics, vocabularies: bars.yaml, names: fr.tsv, language: fr}
expansions: [{name: beside, datasets: [folders, de]}, {name: merged, datasets: [de, fr], shared_names: merge}]
models: [{name: m, family: clip, activation: quick_gelu, weights: m.safetensors, tokenizer: tok, prompts: ["{}"]}]
E
printf '%s\n' 'mot 3' 'Bar 0' >>pool.txt
of() { query x ".results[] | select(.dataset == \"$1\") | $2"; } # of EXPANSION JQ
pools='.analyses.open_curve | [.vocabularies[].own.names, .all.names] | join(" ")'
run x.yaml --output x
equal "out of the pool of an expansion's vocabulary, too" "$(of beside "$pools")" "7 4 4"
equal "which tells it" "$(of beside '[.vocabularies[].classes[] | (.called // "-")] | join("|")')" \
  "-|-|-|-|${words[0]}|${words[1]}|${words[2]}|lapin"
equal "and so are the names of what is merged" "$(of merged "$pools")" "2 2 2"
# What its classes are called is part of what is compared.
plain_names=(--set datasets.de.names= --set datasets.de.language=)
run x.yaml --output called --per-image --only-dataset beside
run x.yaml --output uncalled --per-image --only-dataset beside "${plain_names[@]}"
equal "an expansion has the digest of its datasets' names" \
  "$(query called '.results[0].data.names | [(.digest | length), .unused, has("language")] | tojson')" '[32,0,false]'
holds "or none" '.results[0].data | has("names") | not' uncalled/results.json
refuses "and without names it is not the same" 6 "prompts: names of classes [0-9a-f]{8} of A, its own of B; .* --allow prompts$" \
  "$vocabench" compare called uncalled
sed 's/schwarzer/brauner/' de.tsv >brown.tsv
run x.yaml --output brown --per-image --only-dataset beside --set datasets.de.names=brown.tsv
refuses "nor with others" 6 "prompts: names of classes [0-9a-f]{8} of A, [0-9a-f]{8} of B; .* --allow prompts$" \
  "$vocabench" compare called brown

wrong() { # wrong NAME CODE PATTERN: of wrong.tsv
  refuses "$1" "$2" "dataset 'd': wrong.$3" "$vocabench" run e.yaml --output x --set "datasets.d.names=wrong.${3%%:*}"
}
sed 2d de.tsv >wrong.tsv
wrong "a missing id" 6 "tsv: no name for the id '${classes[1]}', class 'thing 1' \(1 of 4 classes have none\)"
sed '2s/\t/ /' de.tsv >wrong.tsv; wrong "no tab" 5 'tsv: line 2: expected an id, a tab and a name'
sed '2s/$/\tx/' de.tsv >wrong.tsv; wrong "two tabs" 5 'tsv: line 2: expected an id, a tab and a name'
sed '3s/\t.*/\t /' de.tsv >wrong.tsv; wrong "an empty name" 5 'tsv: line 3: expected a name, found an empty text'
sed '3s/^[a-z]*//' de.tsv >wrong.tsv; wrong "an empty id" 5 'tsv: line 3: expected an id, found an empty text'
sed '3p' de.tsv >wrong.tsv; wrong "an id twice" 5 "tsv: lines 3 and 4: the id '${classes[2]}' stands there twice"
iconv -t UTF-16 de.tsv >wrong.tsv; wrong "UTF-16" 5 'tsv: .*UTF-16'
iconv -t LATIN1//TRANSLIT de.tsv >wrong.tsv; wrong "Latin-1" 5 'tsv:1: .*is not UTF-8'
: >wrong.tsv
refuses "an empty file" 4 "dataset 'd': names: wrong.tsv: no names" \
  "$vocabench" run e.yaml --output x --set datasets.d.names=wrong.tsv
echo '["a"]' >wrong.json; wrong "a list" 5 'json: expected an object of names by id'
echo '{"a": 1}' >wrong.json; wrong "a number for a name" 5 "json: id 'a': expected a name, a text"
echo '{"a": "x", "a": "y"}' >wrong.json; wrong "a key twice" 5 'json:1:[0-9]+: '
refuses "a file that is not there" 4 "none.tsv" "$vocabench" run e.yaml --output x --set datasets.d.names=none.tsv
refuses "a language of nothing" 3 "dataset 'd': 'language' tells of what 'names' are" \
  "$vocabench" run e.yaml --output x --set datasets.d.names=
awk -F'\t' '{ print $1 "\tdasselbe" }' de.tsv >wrong.tsv
refuses "WordNet's synonyms of them" 10 "'prompt_spread': synonyms are WordNet's, and the classes have the names of de.tsv" \
  "$vocabench" run e.yaml --output x --set 'analyses=[prompt_spread]'
refuses "classes of one name" 6 "equal|same" "$vocabench" run e.yaml --output x --set datasets.d.names=wrong.tsv
finish
