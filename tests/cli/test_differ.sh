#!/bin/bash
# A short seeded part of the differential campaign (tests/campaigns/differ.py; `make differ` runs it for longer).
. "$(dirname "$0")/../lib.sh"
cd "$scratch" || exit 1
python=/usr/bin/python3
$python -c 'import numpy, PIL' 2>/dev/null || { skip "differences" "no NumPy, or no Pillow"; finish; }
TMPDIR=$scratch $python "$here/tests/campaigns/differ.py" --seed 3 --rounds 6 >out 2>&1
verdict $? "random files are what Pillow, tarfile, NumPy, json, PyYAML, sentencepiece and ftfy make of them" "$(cat out)"
like "they were compared" '^6 rounds, 0 differ$' out
finish
