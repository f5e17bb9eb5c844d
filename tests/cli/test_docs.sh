#!/bin/bash
# The documents against the tree: links and anchors, quoted messages, targets of make, variables; and `make help`.
. "$(dirname "$0")/../lib.sh"
python=/usr/bin/python3
[ -x $python ] || { skip "the documents" "python3 is not installed"; finish; }
out=$($python "$here/tests/tools/check_docs.py" "$here" 2>&1)
verdict $? "$(tail -n 1 <<<"$out")" "$out"
# The check finds what it promises to find.
mkdir "$scratch/house"
must cp -r "$here"/{docs,kernels,shards,mpi,slurm,.ci,Makefile,configs,tests,LICENSE,CITATION.cff} "$here"/*.md "$scratch/house/"
spoil() { # NAME FILE SED PATTERN
  cp "$scratch/house/$2" "$scratch/kept" && sed -i "$3" "$scratch/house/$2"
  out=$($python "$here/tests/tools/check_docs.py" "$scratch/house" 2>&1)
  like "a check finds $1" "$4" <<<"$out"
  cp "$scratch/kept" "$scratch/house/$2"
}
spoil "a dead link" docs/performance.md 's/(scaling.md)/(scalling.md)/' 'scalling.md leads nowhere'
spoil "a dead anchor" docs/performance.md 's/#it-is-slow/#it-is-fast/' 'no such heading'
spoil "a message of nobody's" docs/troubleshooting.md 's/has no images/has no pictures/' "nothing prints 'has no pictures'"
spoil "a target that is none" \
  docs/performance.md 's/make bench-retrieval/make bench-retreval/' 'make bench-retreval: no such target'
spoil "a variable that is none" docs/performance.md 's/VOCABENCH_ISA/VOCABENCH_A''SI/' 'VOCABENCH_A''SI is read nowhere'
rows=$($python "$here/tests/campaigns/mutations.py" --table 2>&1)
verdict $? "the text of every planted defect is in its file" "$(grep -v '^|' <<<"$rows")"
# shellcheck disable=SC2016 # Markdown's
equal "TESTING.md lists them" "$(grep -E '^\| [0-9]+ \| .* \| `tests/' "$here/TESTING.md")" "$rows"
list=$(make -s -C "$here" help)
for target in all demo test lint bench install deb uninstall clean; do
  like "make help lists $target" "^  make $target +[a-z]" <<<"$list"
done
finish
