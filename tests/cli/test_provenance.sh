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
floats T.npy 2 <<<"1 0 0 1 1 1 -1 -1"; floats I.npy 2 <<<"5 1  1 5  3 2.9  1 -9"
printf '0\n1\n2\n3\n' >labels; must "$tools/npy" numbers y.npy i8 labels
printf 'name: v\nvocabularies: {a: [east, north], b: [ne, sw]}\n' >v.yaml
run p.yaml --output p
equal "precomputed embeddings have no published files" "$(query p '.run.models | length')" 0
finish
