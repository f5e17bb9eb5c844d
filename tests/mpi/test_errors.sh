#!/bin/bash
# The three standard errors and the intervals of every figure, against NumPy, at 1 and 3 ranks, exact and sampled.
. "$(dirname "$0")/../lib.sh"
cd "$scratch" || exit 1
export OPENBLAS_NUM_THREADS=1
oracle() { check "$1" /usr/bin/python3 "$here/tests/tools/errors_oracle.py" "${@:2}"; }

oracle "experiments" make .
run figures.yaml --output exact
run_at 3 figures.yaml --output ranks
run figures.yaml --output sampled --set protocol=sampled
agree "three ranks: equal bytes" exact ranks
oracle "every standard error and interval is NumPy's" check . exact/results.json sampled/results.json
finish
