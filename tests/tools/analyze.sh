#!/bin/bash
# gcc -fanalyzer and clang-tidy (bugprone, cert) over the sources, given the compiler's flags: analyze.sh JOBS FLAG...
# What analyze.txt beside it names, with a reason, is left out; anything else, what cannot be compiled too, is a finding, and the
# code is 1.
set -u
cd "$(dirname "$0")/../.." || exit 2
list=tests/tools/analyze.txt jobs=$1; shift
found=$(mktemp); trap 'rm -f "$found"' EXIT
# What the Makefile defines for single files.
defined=(-DVB_PREFIX=\"\" -DVB_VERSION=\"\" -DVB_DATE=\"\" -DVB_GIT=\"\")
sources() { find kernels shards mpi -name '*.c' | LC_ALL=C sort; }
tidy=$(command -v clang-tidy || command -v clang-tidy-14) || { echo "clang-tidy is not installed"; exit 2; }
off=$(awk '!/^#/ && NF && $2 == "*" { printf ",-%s", $1 }' $list)
# Files of an instruction set get its flag from their suffix, as in the Makefile; there is no more to see in them than in others.
sources | grep -vE '_(avx2|avx512|vnni|bf16|amx)\.c$' | xargs -P "$jobs" -I{} \
  gcc "$@" "${defined[@]}" -O1 -fanalyzer -c -o /dev/null {} 2>&1 | grep -E 'warning: .*\[-Wanalyzer|error: ' >"$found"
sources | grep -vE '_(avx2|avx512|vnni|bf16|amx)\.c$' | xargs -P "$jobs" -I{} \
  "$tidy" --quiet --checks="-*,bugprone-*,cert-*$off" {} -- "$@" "${defined[@]}" 2>/dev/null |
  grep -E ' (warning|error): .*\]$' >>"$found"
# One line of the list for a check in one file: "CHECK FILE reason".
left=$(LC_ALL=C sort -u "$found" | awk 'NR == FNR { if (!/^#/ && NF && $2 != "*") known[$1 " " $2] = 1; next }
  { file = $0; sub(/:.*/, "", file); sub(/^.*\/(kernels|shards|mpi)\//, "&", file)
    check = $0; sub(/.*\[/, "", check); sub(/\]$/, "", check); split(check, one, ",")
    for (k in known) { split(k, part, " "); if (part[1] == one[1] && index(file, part[2])) next }
    print }' $list -)
[ -z "$left" ] || echo "$left"
echo "$(sources | wc -l) files, $(grep -c . <<<"$left") findings, $(grep -cvE '^(#|$)' $list) lines of suppressions"
[ -z "$left" ]
