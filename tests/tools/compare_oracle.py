"""Checks the JSON of `vocabench compare` against SciPy on the same records: compare_oracle.py COMPARISON RECORDS_A RECORDS_B RESULTS.

The records are decompressed JSON lines, RESULTS a results.json of either side (of both: the vocabularies must be the same).
Prints what differs, one line each."""
import json
import sys

import numpy
from scipy import stats

comparison = json.load(open(sys.argv[1], encoding="utf-8"))
records = [[json.loads(line) for line in open(path, encoding="utf-8")] for path in sys.argv[2:4]]
entry = json.load(open(sys.argv[4], encoding="utf-8"))["results"][0]
names = [v["name"] for v in entry["vocabularies"]]
members = [{c["name"] for c in v["classes"]} for v in entry["vocabularies"]]
if [r["image"] for r in records[0]] != [r["image"] for r in records[1]]:
    by_name = {r["image"]: r for r in records[1]}
    records[0] = [r for r in records[0] if r["image"] in by_name]
    records[1] = [by_name[r["image"]] for r in records[0]]
failures = 0


def check(what, found, expected, tolerance):
    global failures
    if found is None and numpy.isnan(expected):
        return
    if found is None or not abs(found - expected) <= tolerance:
        failures += 1
        print(f"{what}: found {found}, expected {expected}")


def scores(record, v):
    beaten = set(record["harmful"]) | (set() if record["own"] else {record["vocabulary"]})
    own = float(names[v] not in beaten)
    b, m = len(beaten - {names[v]}), len(names) - 1
    return own, own / (b + 1), own * (m - b) / (m * (b + 1)) if m else numpy.nan, float(record["predicted_all"] == record["class"])


def sign_flips(differences):
    """The p-value as documented: SciPy's for few, NumPy's words for many."""
    moving = differences[differences != 0]
    if len(moving) <= 20:
        if not len(moving):
            return 1.0
        signs = 1 - 2 * ((numpy.arange(2 ** len(moving))[:, None] >> numpy.arange(len(moving))) & 1)
        sums = abs(signs @ moving)
        return numpy.mean(sums >= abs(moving.sum()) - 1e-12 * abs(moving).sum())
    generator = numpy.random.RandomState(comparison["seed"])
    trials, words, hits = comparison["permutations"], -(-len(moving) // 32), 0
    for _ in range(trials):
        drawn = generator.randint(0, 2**32, words, dtype=numpy.uint32)
        bits = numpy.unpackbits(drawn.astype("<u4").view(numpy.uint8), bitorder="little")[: len(moving)]
        hits += abs(((1 - 2.0 * bits) * moving).sum()) >= abs(moving.sum()) - 1e-12 * abs(moving).sum()
    return (1 + hits) / (1 + trials)


def mcnemar(a, b):
    only_a, only_b = int((a > b).sum()), int((b > a).sum())
    return stats.binomtest(only_a, only_a + only_b, 0.5).pvalue if only_a + only_b else 1.0


keys = ["acc_c", "acc_e", "acc_s", "top1_all"]
share = numpy.zeros((3, len(records[0])))
means, listed = [], {v["name"]: v for v in comparison["vocabularies"]}
for v, name in enumerate(names):
    inside = numpy.array([r["class"] in members[v] for r in records[0]])
    a, b = (numpy.array([scores(r, v) for r, i in zip(side, inside) if i]).T for side in records)
    means.append([(a[k].mean(), b[k].mean(), (b[k] - a[k]).mean(), stats.sem(b[k] - a[k])) for k in range(4)])
    check(name + " images", listed[name]["images"], a.shape[1], 0)
    for k, key in enumerate(keys):
        found = listed[name][key]
        for field, expected in zip(("a", "b", "difference", "difference_se"), means[-1][k]):
            check(f"{name} {key} {field}", found[field], expected, 1e-12)
        if numpy.isnan(means[-1][k][0]):
            continue
        p = mcnemar(a[k], b[k]) if k in (0, 3) else sign_flips(b[k] - a[k])
        check(f"{name} {key} p", found["p"], p, 1e-11)
        if k in (1, 2) and 0 < (a[k] != b[k]).sum() <= 12:
            scipys = stats.permutation_test((b[k], a[k]), lambda x, y, axis: numpy.mean(x - y, axis=axis), permutation_type="samples",
                                            n_resamples=numpy.inf if a.shape[1] <= 12 else 20000, vectorized=True, random_state=1)
            check(f"{name} {key} p by permutation_test", found["p"], scipys.pvalue, 1e-9 if a.shape[1] <= 12 else 0.015)
        if k < 3:
            share[k, inside] += (b[k] - a[k]) / len(a[k])
means = numpy.array(means)
for k, key in enumerate(keys[:3]):
    found = comparison["overall"][key]
    for field, expected in zip(("a", "b", "difference"), means[:, k, :3].mean(axis=0)):
        check(f"{key} {field}", found[field], expected, 1e-12)
    check(f"{key} difference_se", found["difference_se"], numpy.sqrt((means[:, k, 3] ** 2).sum()) / len(names), 1e-12)
    if found["p"] is not None:
        check(f"{key} p", found["p"], sign_flips(share[k]), 1e-11)
for key, k in (("own", 0), ("top1_all", 3)):
    a, b = (numpy.array([float(r["own"]) if key == "own" else scores(r, 0)[3] for r in side]) for side in records)
    found = comparison["overall"][key]
    check(f"{key} a", found["a"], a.mean(), 1e-12)
    check(f"{key} difference_se", found["difference_se"], stats.sem(b - a), 1e-12)
    check(f"{key} p", found["p"], mcnemar(a, b), 1e-11)
    check(f"{key} only_a", found["only_a"], int((a > b).sum()), 0)
    check(f"{key} only_b", found["only_b"], int((b > a).sum()), 0)
sys.exit(failures > 0)
