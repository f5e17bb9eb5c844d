#!/bin/bash
# What the results' run block tells a stranger: SHA-256 as hubs publish it, command line, machine, libraries.
. "$(dirname "$0")/../lib.sh"
cd "$scratch" || exit 1
made_vocabularies; short_experiments
make_data images pics 20 2; make_data model m.safetensors; make_data tokenizer tok
run e.yaml --output r --set 'models.0.prompts=["the {}."]'
while read -r sum path; do
  equal "SHA-256 of $path" "$(query r ".run.models[0].files[] | select(.path == \"$PWD/$path\") | .sha256")" "$sum"
done < <(sha256sum m.safetensors tok/*)
equal "no file more" "$(query r '.run.models | map(.files | length)' | jq -c .)" "[3]"
equal "roles" "$(query r '[.run.models[0].files[].role] | unique | join(" ")')" "tokenizer weights"
run e.yaml --output stated --set 'models.0.prompts=["the {}."]' --set models.0.tokenizer=tok/vocab.json
equal "merges are read with a vocabulary that is stated" "$(query stated '.run.models')" "$(query r '.run.models')"
equal "bytes" "$(query r '.run.models[0].files[0].bytes')" "$(stat -c %s m.safetensors)"
equal "the command line, word for word" "$(query r '.run.command | @json')" \
  "$(jq -nc --arg v "$vocabench" '[$v, "run", "e.yaml", "--output", "r", "--set", "models.0.prompts=[\"the {}.\"]"] | @json' -r)"
equal "where it was given" "$(query r .run.folder)" "$PWD"
like "started" '^20[0-9-]+T[0-9:]+Z$' <<<"$(query r .run.started)"
holds "started before finished" '.run.started <= .run.finished' r/results.json
. /etc/os-release
has_text "the operating system" "$PRETTY_NAME, Linux $(uname -r)" <<<"$(query r .run.system)"
like "the compiler" '^(gcc|clang) [0-9]' <<<"$(query r .run.compiler)"
model=$(sed -n 's/^model name\s*: //p' /proc/cpuinfo | head -n 1 | sed 's/ *$//')
[ -z "$model" ] || equal "the processor" "$(query r .run.processor)" "$model"
for pair in zlib:zlib libpng:libpng libwebp:libwebp libtiff:libtiff-4 yaml:yaml-0.1 zstd:libzstd jansson:jansson; do
  name=${pair%%:*} package=${pair#*:}; [ "$name" != yaml ] || name=libyaml
  wanted=$(pkg-config --modversion "$package" 2>/dev/null) || { skip "version of $name" "no pkg-config"; continue; }
  equal "version of $name" "$(query r ".run.libraries[\"$name\"]")" "$wanted"
done
like "BLAS" '.' <<<"$(query r .run.libraries.BLAS)"
like "MPI" '^Open MPI' <<<"$(query r .run.libraries.MPI)"
holds "no rank had more than its machine" '.run.peak_memory_a_node >= .run.peak_memory_a_rank' r/results.json
like "version tells it, too" "libpng $(query r .run.libraries.libpng);" <<<"$("$vocabench" version)"
# Computed once: the next run takes it from the cache; a file that changed is another one.
equal "the sums are kept" "$(find r/cache/sha256 -type f | wc -l)" 3
kept=$(grep -l "$(sha256sum <m.safetensors | cut -d' ' -f1)" r/cache/sha256/*)
printf '%064d\n' 7 >"$kept"
run e.yaml --output r
equal "and taken from there" "$(query r '.run.models[0].files[0].sha256')" "$(printf '%064d' 7)"
echo damaged >"$kept"; run e.yaml --output r
equal "unless they are none" "$(query r '.run.models[0].files[0].sha256')" "$(sha256sum <m.safetensors | cut -d' ' -f1)"
printf '%064d\n' 7 >"$kept"; touch m.safetensors; run e.yaml --output r
equal "a file that was touched is hashed again" \
  "$(query r '.run.models[0].files[0].sha256')" "$(sha256sum <m.safetensors | cut -d' ' -f1)"
"$vocabench" report r --output page.md
like "reports have them" "m: weights .*SHA-256 $(sha256sum <m.safetensors | cut -d' ' -f1)" page.md

# ---- corpora ------------------------------------------------------------------------------------------------------
mkdir words; seq -f 'a photo of thing %g' 30 >words/a.txt; seq -f 'a thing %g' 10 >'words/b\c.txt' # sha256sum escapes that name
{
  sed '/^models/,$d' e.yaml
  printf 'corpora: [{name: words, captions: "words/*.txt"}, {name: unused, captions: nowhere.txt}]\n'
  printf 'retrieval: {corpus: words, top_k: 2}\non_cut: allow\n'
  sed -n '/^models/,$p' e.yaml
} >c.yaml
run c.yaml --output c
sum=$( (cd words && sha256sum -- *.txt) | sha256sum | cut -c1-64)
equal "a corpus that is searched has a sum, which sha256sum gives" \
  "$(query c '.run.corpora[] | [.corpus, .files, .bytes, .sha256] | @tsv')" \
  "words"$'\t2\t'"$(cat words/*.txt | wc -c)"$'\t'"$sum"
equal "and a list of its files" "$(query c '.run.corpora[0].list[] | "\(.sha256) \(.bytes) \(.path)"')" \
  "$(for file in words/*.txt; do echo "$(sha256sum <"$file" | cut -c1-64) $(stat -c %s "$file") $PWD/$file"; done)"
sed -i 's,captions: "words/\*.txt",captions: words/a.txt,' c.yaml
must "$vocabench" check c.yaml --sums --output other --cache sums
equal "check --sums leaves them to the run" "$(find sums/sha256 -type f | wc -l)" 4
holds "without one there is none" '.run | has("corpora") | not' r/results.json
"$vocabench" report c --output page.md; has_text "the page has it" "$sum" page.md

# The table of known files is the one of docs/models.md.
missing=$("$vocabench" models --published | while read -r known file address; do
  grep -qF "$file" <<<"$address" && grep -F "$file" "$here/docs/models.md" | grep -qF "$known" || echo "$known $file $address"
  case $address in https://huggingface.co/*) # the repository stands on the line, too
    repository=${address#https://huggingface.co/}
    grep -F "$known" "$here/docs/models.md" | grep -qF "\`${repository%%/resolve/*}\`" || echo "$address" ;;
  esac
done)
equal "docs/models.md has every known file" "$missing" ""
equal "OpenAI's nine among them" "$("$vocabench" models --published | grep -cE '^([0-9a-f]{64})  .*/clip/models/\1/')" 9
"$vocabench" check c.yaml --sums --cache sums >out 2>err; verdict $? "check --sums" "$(cat out err)"
weights=$(sha256sum <m.safetensors | cut -c1-64)
like "check --sums: a file" "^ok +model 'm' +m.safetensors: SHA-256 $weights; nothing here tells" out
like "check --sums: a corpus" \
  "^ok +corpus 'words' +1 files, $(stat -c %s words/a.txt) bytes: SHA-256 of their list [0-9a-f]{64}$" out
mkdir parts; must "$tools/npy" random parts/0.npy 30 64 1; cp words/a.txt parts/0.txt
"$vocabench" check c.yaml --sums --cache sums --set corpora.words.embeddings=parts --set 'corpora.words.captions=parts/*.txt' >out
sum=$( (cd parts && sha256sum 0.npy 0.txt) | sha256sum | cut -c1-64)
like "captions among the embeddings are listed once" \
  "^ok +corpus 'words' +2 files, $(cat parts/* | wc -c) bytes: SHA-256 of their list $sum$" out

# ---- the published files -----------------------------------------------------------------------------------------
sum=$(sha256sum <m.safetensors | cut -d' ' -f1) other=$(printf '%064d' 8)
# published FOLDER: verdict, sum and teller of the weights in it.
published() {
  run e.yaml --output r --set "models.0.weights=$1/m.safetensors"
  query r '.run.models[0].files[0] | .published, .published_sha256, .published_by' | paste -sd'|'
}
equal "no hub tells anything" "$(published .)" "not known|null|null"
mkdir -p hub/blobs hub/snapshots/abc; cp m.safetensors "hub/blobs/$sum"; ln -s "../../blobs/$sum" hub/snapshots/abc/m.safetensors
equal "a hub's cache: the blob's name" "$(published hub/snapshots/abc)" "match|$sum|hub cache"
like "the page says so" "SHA-256 $sum, as published .hub cache" <<<"$("$vocabench" report r --output page.md; cat page.md)"
mv "hub/blobs/$sum" "hub/blobs/$other"; ln -sf "../../blobs/$other" hub/snapshots/abc/m.safetensors
equal "a blob of other bytes" "$(published hub/snapshots/abc)" "differs|$other|hub cache"
like "is warned of" \
  "^warning: m: hub/.*/m.safetensors is not the published file: SHA-256 $sum, by the hub cache $other" stdout
"$vocabench" check e.yaml --sums --set models.0.weights=hub/snapshots/abc/m.safetensors >out 2>&1
like "check --sums says so before" \
  "^note +model 'm' +m.safetensors is not the published file: SHA-256 $sum, by the hub cache $other" out
like "inspect, too" \
  "^SHA-256: $sum, NOT as published \(hub cache: $other\)$" <<<"$("$vocabench" inspect hub/snapshots/abc/m.safetensors 2>&1)"
cp m.safetensors "m-${sum:0:8}.safetensors"
like "a name that ends in the sum's first digits" "^SHA-256: $sum, as published \(the file's name\)$" \
  <<<"$("$vocabench" inspect "m-${sum:0:8}.safetensors" 2>&1)"
like "nothing is known" "^SHA-256: $sum$" <<<"$("$vocabench" inspect m.safetensors 2>&1)"
"$vocabench" verify r >out 2>err; verdict $? "the results hold all the same" "$(cat out err)"
like "verify says what it is not" 'as stated; not as published .hub cache' out
mkdir -p down/.cache/huggingface/download/part down/part; cp m.safetensors down/part
meta=down/.cache/huggingface/download/part/m.safetensors.metadata
printf '%040d\n%s\n1712656091.123\n' 1 "$sum" >$meta
equal "a download's metadata, of a file in a folder" "$(published down/part)" "match|$sum|hub download"
printf '%040d\n%s\n1712656091.123\n' 1 "$other" >$meta
equal "of another file" "$(published down/part)" "differs|$other|hub download"
printf '%040d\n%040d\n1712656091.123\n' 1 2 >$meta
equal "a Git hash is no SHA-256" "$(published down/part)" "not known|null|null"
mkdir -p clone/.git/lfs/objects/"${sum:0:2}/${sum:2:2}" clone/.git/lfs/objects/00/00; cp m.safetensors clone
cp m.safetensors clone/.git/lfs/objects/"${sum:0:2}/${sum:2:2}"/"$sum"; cp m.safetensors clone/.git/lfs/objects/00/00/"$other"
equal "Git LFS: the object of that name" "$(published clone)" "match|$sum|Git LFS"
rm -r clone/.git/lfs/objects/"${sum:0:2}"
equal "another object of that size" "$(published clone)" "differs|$other|Git LFS"
echo more >>clone/.git/lfs/objects/00/00/"$other"
equal "of another size: nothing is known" "$(published clone)" "not known|null|null"
floats T.npy 2 <<<"1 0 0 1 1 1 -1 -1"; floats I.npy 2 <<<"5 1  1 5  3 2.9  1 -9"
printf '0\n1\n2\n3\n' >labels; must "$tools/npy" numbers y.npy i8 labels
printf 'name: v\nvocabularies: {a: [east, north], b: [ne, sw]}\n' >v.yaml
run p.yaml --output p
equal "precomputed embeddings have no published files" "$(query p '.run.models | length')" 0
# What was not stated stands there with its default, as docs/experiment.md has it: up to per_image in the configuration.
awk -F ' *[|] *' '/^## / { top = $0 == "## Top level"; block = "configuration" } $2 == "`per_image`" { block = "run" }
  top && $2 ~ /^`[a-z_]+`$/ && $4 ~ /^([0-9]+|`[a-z]+`)$/ { print $2, $4, block }' "$here/docs/experiment.md" |
  tr -d '`' >defaults
check "defaults are known" test "$(wc -l <defaults)" -ge 13
while read -r key value block; do
  found=$(jq -r --arg key "$key" 'if .configuration | has($key) then "configuration \(.configuration[$key])"
    else "run \(.run.options[$key])" end' p/results.json)
  equal "the default of $key" "$found" "$block $value"
done <defaults
finish
