#!/usr/bin/env python3
"""Images with sets of right labels, by the definition: label_sets_oracle.py make FOLDER | check FOLDER RESULTS RECORDS.jsonl

make: random embeddings of 150 images, 15 classes in 5 vocabularies (one class in two of them) and 40 names; sets of labels in
several vocabularies, empty ones, and labels of no class. check: all accuracies over all orders of arrival and all unions, the
open curve over the names that take each image, what adversarial names take, and every record."""
import itertools
import json
import math
import sys

import numpy as np

VOCABULARIES = {"a": [0, 1, 2, 3], "b": [4, 5, 6], "c": [7, 8, 4], "d": [9, 10, 11], "e": [12, 13, 14]}
NAMES = ["class %d" % c for c in range(15)]
NONE = ["stranger", "nobody"]  # labels of no class


def make(folder):
    rng = np.random.default_rng(11)
    classes = rng.standard_normal((15, 10)).astype(np.float32)
    sets = []
    for i in range(150):
        first = i % 15
        near = list(range(first, min(first + 3, 15)))
        size = int(rng.integers(0, 4)) if i >= 15 else 1
        chosen = [first] if i < 15 else [int(c) for c in rng.permutation(near + list(rng.integers(0, 17, 2)))][:size]
        sets.append(list(dict.fromkeys(chosen)))
    pull = [[c for c in s if c < 15] for s in sets]
    images = np.array([classes[s].mean(0) if s else classes[i % 15] for i, s in enumerate(pull)])
    images = (images + 0.5 * rng.standard_normal(images.shape)).astype(np.float32)
    np.save(f"{folder}/i.npy", images)
    np.save(f"{folder}/t.npy", classes)
    np.save(f"{folder}/n.npy", rng.standard_normal((40, 10)).astype(np.float32))
    names = NAMES + NONE
    json.dump([[names[c] for c in s] for s in sets], open(f"{folder}/names.json", "w"))
    json.dump(sets, open(f"{folder}/numbers.json", "w"))
    open(f"{folder}/label_names.txt", "w").write("".join(n + "\n" for n in names))
    open(f"{folder}/pool.txt", "w").write("".join("name %d\n" % i for i in range(40)))
    with open(f"{folder}/v.yaml", "w") as out:
        out.write("name: v\nvocabularies:\n")
        for name, members in VOCABULARIES.items():
            out.write(f"  {name}: [{', '.join(NAMES[c] for c in members)}]\n")


def unit(rows):
    rows = rows.astype(np.float64)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def close(what, found, wanted):
    if found is None or not abs(found - wanted) <= 1e-9:
        sys.exit(f"{what} is {found}, expected {wanted}")


def equal(what, found, wanted):
    if found != wanted:
        sys.exit(f"{what} is {found}, expected {wanted}")


def error_of(x):
    return np.std(x, ddof=1) / math.sqrt(len(x))


def jackknife(x):
    return math.sqrt((len(x) - 1) / len(x) * sum((v - np.mean(x)) ** 2 for v in x))


def factor(n):
    return n / (n - 1)


def check_classes(result, figure, score, sets, of, n):
    """In a vocabulary an image is of the first class of its set that is listed there; a class's figures are those of the first
    vocabulary that holds it."""
    members, seen = list(VOCABULARIES.values()), set()
    for t in range(n):
        for c in set(members[t]) - seen:
            seen.add(c)
            its = [x for x in of[t] if next(y for y in sets[x] if y in members[t]) == c]
            rivals = [u for u in range(n) if u != t]
            found = next(e for e in result["vocabularies"][t]["classes"] if e["name"] == NAMES[c])
            equal(f"images of class {c}", found["images"], len(its))
            scores = [score(x, t, rivals, figure) for x in its]
            close(f"{figure} of class {c}", found[figure], np.mean(scores))
            close(f"{figure} of class {c}, images", found["errors"][figure]["images"], error_of(scores))
            less = [np.mean([score(x, t, [r for r in rivals if r != u], figure) for x in its]) for u in rivals]
            close(f"{figure} of class {c}, rivals", found["errors"][figure]["vocabularies"], jackknife(less))


def check_deletions(result, right, of, n, sets):
    """A vocabulary less is an experiment without it: its names, its images, and it as a rival."""
    everything = range(n)

    def score(x, t, rivals, figure):
        steps = [np.mean([right[tuple(sorted(a + (t,)))][x] for a in itertools.combinations(rivals, i)])
                 for i in range(len(rivals) + 1)]
        return {"acc_c": steps[0], "acc_e": np.mean(steps), "acc_s": np.mean(steps[1:])}[figure]

    for figure in ("acc_c", "acc_e", "acc_s"):
        means = {(t, u): np.mean([score(x, t, [r for r in everything if r not in (t, u)], figure) for x in of[t]])
                 for t in everything for u in everything if u != t}
        whole = jackknife([np.mean([means[t, u] for t in everything if t != u]) for u in everything])
        close(f"{figure} vocabularies", result["errors"][figure]["vocabularies"], whole)
        for t in everything:
            rivals = jackknife([means[t, u] for u in everything if u != t])
            close(f"{figure} rivals of {t}", result["vocabularies"][t]["errors"][figure]["vocabularies"], rivals)
        check_classes(result, figure, score, sets, of, n)
    for i in everything:
        def after(t, without):
            """t's accuracy after i others, none of them among those without."""
            rivals = [r for r in everything if r != t and r not in without]
            if i > len(rivals):
                return None
            return np.mean([np.mean([right[tuple(sorted(a + (t,)))][x] for a in itertools.combinations(rivals, i)]) for x in of[t]])

        means = {(t, u): after(t, [u]) for t in everything for u in everything if u != t}
        found = result["errors"]["curve"]["vocabularies"][i]
        if i == n - 1:
            equal("the last point of the curve by vocabularies", found, None)
            continue
        close("curve vocabularies", found, jackknife([np.mean([means[t, u] for t in everything if t != u]) for u in everything]))
        for t in everything:
            found = result["vocabularies"][t]["errors"]["curve"]["vocabularies"][i]
            close(f"curve of {t}, rivals", found, jackknife([means[t, u] for u in everything if u != t]))
    tops, unions = [], []
    for u in everything:
        left = tuple(v for v in everything if v != u)
        tops.append(np.mean([right[left][x] for x in sorted({x for v in left for x in of[v]})]))
        by_size = [[np.mean([right[s][x] for x in sorted({x for v in s for x in of[v]})])
                    for s in itertools.combinations(left, size)] for size in range(1, n)]
        unions.append(np.mean([np.mean(shares) for shares in by_size]))
    close("top1_all vocabularies", result["errors"]["top1_all"]["vocabularies"], jackknife(tops))
    close("acc_e_union vocabularies", result["errors"]["acc_e_union"]["vocabularies"], jackknife(unions))


def strata_errors(score, weight, strata, classes):
    """Images and classes: `score` counts for `weight`, strata are drawn from alone, an image is of one class."""
    overall, count = np.sum(score * weight), len(set(strata))
    images, clusters = 0.0, {}
    for h in sorted(set(strata)):
        inside = np.array([s == h for s in strata])
        m, mean, part = inside.sum(), score[inside].mean(), weight[inside].sum()
        only = math.sqrt(factor(count)) * (mean - overall) * part if count > 1 else math.nan
        here = sorted(set(classes[inside]))
        for c in here:
            its = score[inside & (classes == c)]
            off = np.sum(its - mean)
            if len(its) > 1:
                images += (part / m) ** 2 * len(its) * np.var(its, ddof=1)
            else:
                images += (part / m * off) ** 2 * factor(m) if m > 1 else only**2
            moved = math.sqrt(factor(len(here))) * off * part / m if len(here) > 1 else only
            clusters[c] = clusters.get(c, 0) + moved
    return math.sqrt(images), math.sqrt(sum(x * x for x in clusters.values()))


def check_union_and_top1(result, right, of, n, first):
    images = len(first)
    held = [frozenset(t for t in range(n) if x in of[t]) for x in range(images)]
    score, weight = np.zeros(images), np.zeros(images)
    for union, ok in right.items():
        here = sorted({x for v in union for x in of[v]})
        share = 1 / n / math.comb(n, len(union)) / len(here)
        for x in here:
            weight[x] += share
            score[x] += share * ok[x]
    close("acc_e_union is linear", result["acc_e_union"], score.sum())
    strata = [tuple(sorted(h)) for h in held]
    for kind, error in zip(("images", "classes"), strata_errors(score / weight, weight, strata, first)):
        close("acc_e_union " + kind, result["errors"]["acc_e_union"][kind], error)
    ok = np.array(right[tuple(range(n))], float)
    every = np.full(images, 1 / images)
    for kind, error in zip(("images", "classes"), strata_errors(ok, every, [0] * images, first)):
        close("top1_all " + kind, result["errors"]["top1_all"][kind], error)


def check_confidence(analyses, sets, members, scores, pool, of):
    """Right: the first-ranked name is of the image's set; absent: no class of the set is among the names."""
    separated, calibrated = analyses["open_set"], analyses["calibration"]
    scale, points = separated["logit_scale"], separated["n"]
    generator = np.random.RandomState(separated["seed"])
    orders = [generator.permutation(40) for _ in range(separated["draws"])]
    n = len(members)
    equal("points of confidence", points, [0, 1, 10, 40])
    # Names stand in the pool by name, bytewise: "name 0", "name 1", "name 10", ...
    pool = pool[:, sorted(range(40), key=lambda k: "name %d" % k)]

    def among(classes, names):
        s = np.hstack([scores[:, classes], pool[:, names]])
        top = s.argmax(1)  # of equal ones the first, and classes stand in front
        confidence = 1 / np.exp(scale * (s - s.max(1)[:, None])).sum(1)
        return s.max(1), confidence, np.array([t < len(classes) and classes[t] in sets[x] for x, t in enumerate(top)])

    def ece(confidence, right):
        bins = np.searchsorted(np.arange(1, 15) / 15, confidence, "left")
        return sum(abs(confidence[bins == b].sum() - right[bins == b].sum()) for b in range(15)) / len(right)

    for p, k in enumerate(points):
        draws = orders if 0 < k < 40 else orders[:1]
        found = {"auroc": [], "own": [], "all": []}
        for order in draws:
            aurocs, pooled = [], []
            for t in range(n):
                top, confidence, right = among(members[t], order[:k])
                here = np.array([x in of[t] for x in range(len(sets))])
                a, b = np.round(top[here], 12), np.round(top[~here], 12)
                aurocs.append(np.mean((a[:, None] > b) + (a[:, None] == b) / 2))
                pooled.append((confidence[here], right[here]))
            found["auroc"].append(np.mean(aurocs))
            confidence, right = (np.concatenate(part) for part in zip(*pooled))
            found["own"].append((ece(confidence, right), confidence.mean(), right.mean()))
            _, confidence, right = among(list(range(15)), order[:k])
            found["all"].append((ece(confidence, right), confidence.mean(), right.mean()))
        close(f"AUROC at {k}", separated["similarity"]["auroc"][p], np.mean(found["auroc"]))
        for scope in ("own", "all"):
            for key, value in zip(("ece", "confidence", "accuracy"), np.mean(found[scope], axis=0)):
                close(f"{scope} {key} at {k}", calibrated[scope][key][p], value)
    for t, entry in enumerate(separated["vocabularies"]):
        equal("images with a class there", [entry["images"], entry["others"]], [len(of[t]), len(sets) - len(of[t])])


def check(folder, results, records):
    members = [sorted(m) for m in VOCABULARIES.values()]
    keys = list(VOCABULARIES)
    n = len(members)
    # Classes are numbered as they occur: class 4 comes with b, so file order is numeric order here.
    listed = [[c for c in s if c < 15] for s in json.load(open(f"{folder}/numbers.json"))]
    kept = [i for i, s in enumerate(listed) if s]
    sets = [listed[i] for i in kept]
    f = unit(np.load(f"{folder}/i.npy"))[kept]
    scores, pool = f @ unit(np.load(f"{folder}/t.npy")).T, f @ unit(np.load(f"{folder}/n.npy")).T
    result = json.load(open(results))["results"][0]

    def prediction(x, union):
        classes = sorted({c for v in union for c in members[v]})
        return classes[int(np.argmax(scores[x, classes]))]

    right = {}
    for size in range(1, n + 1):
        for union in itertools.combinations(range(n), size):
            right[union] = [prediction(x, union) in s for x, s in enumerate(sets)]
    of = [[x for x, s in enumerate(sets) if set(s) & set(m)] for m in members]
    equal("images", result["images"], len(sets))
    data = result["data"]
    empty = sum(not s for s in json.load(open(f"{folder}/numbers.json")))
    equal("empty", data["label_sets"]["images_with_an_empty_set"], empty)
    equal("left out", data["images_of_no_vocabulary"], len(listed) - len(sets))
    equal("several", data["label_sets"]["images_with_several_classes"], sum(len(s) > 1 for s in sets))
    shared = sum(sum(x in o for o in of) > 1 for x in range(len(sets)))
    equal("shared", data["label_sets"]["images_of_several_vocabularies"], shared)
    if not shared:
        sys.exit("no set crosses vocabularies")
    close("top1_all", result["top1_all"], np.mean(right[tuple(range(n))]))
    unions = []
    for size in range(1, n + 1):
        means = []
        for union in itertools.combinations(range(n), size):
            here = sorted({x for v in union for x in of[v]})
            means.append(np.mean([right[union][x] for x in here]))
        unions.append(np.mean(means))
    close("acc_e_union", result["acc_e_union"], np.mean(unions))
    all_c, all_e, all_s, curves = [], [], [], []
    for t in range(n):
        v = result["vocabularies"][t]
        others = [u for u in range(n) if u != t]
        curve = np.array([
            np.mean([[right[tuple(sorted(arrived + (t,)))][x] for x in of[t]]
                     for arrived in itertools.combinations(others, i)], axis=0) for i in range(n)])
        c, e, s = curve[0], curve.mean(0), curve[1:].mean(0)
        equal("images of " + keys[t], v["images"], len(of[t]))
        for name, score in (("acc_c", c), ("acc_e", e), ("acc_s", s)):
            close(f"{name} of {keys[t]}", v[name], score.mean())
            close(f"{name}_se of {keys[t]}", v[name + "_se"], error_of(score))
        there = np.array([next(y for y in sets[x] if y in members[t]) for x in of[t]])
        alike, several = np.full(len(there), 1 / len(there)), len(set(there)) > 1
        for name, score in [("acc_c", c), ("acc_e", e), ("acc_s", s)] + [(i, curve[i]) for i in range(n)]:
            images, classes = strata_errors(score, alike, [0] * len(there), there)
            point = v["errors"]["curve"] if isinstance(name, int) else v["errors"][name]
            at = (lambda kind, p=point, i=name: p[kind][i]) if isinstance(name, int) else (lambda kind, p=point: p[kind])
            if several:
                close(f"{name} of {keys[t]} by classes", at("classes"), classes)
            if not isinstance(name, int) or not name or at("images") is not None:
                close(f"{name} of {keys[t]} by images", at("images"), images)
        for i in range(n):
            close(f"curve[{i}] of {keys[t]}", v["curve"][i], curve[i].mean())
        lost = [sum(not right[tuple(sorted((t, u)))][x] for u in others) if right[(t,)][x] else -1 for x in of[t]]
        equal("harm_histogram", v["harm_histogram"], [lost.count(b) for b in range(n)])
        for u in others:
            taken = sum(right[(t,)][x] and not right[tuple(sorted((t, u)))][x] for x in of[t])
            equal("theft", result["theft"][t][u], taken)
        # From the listed counts, by the formulas of docs/protocol.md.
        harm = np.array(v["harm_histogram"]) + np.array(v["kept"])
        b = np.arange(n)
        by_counts = (harm / (b + 1)).sum() + (np.array(v["rescued"]) / ((b + 1) * (b + 2))).sum()
        close("Acc-E by counts", v["acc_e"], by_counts / v["images"])
        for entry in v["classes"]:
            k = NAMES.index(entry["name"])
            if keys.index(next(key for key in keys if k in VOCABULARIES[key])) != t:
                continue
            its = [i for i, x in enumerate(of[t]) if next(y for y in sets[x] if y in members[t]) == k]
            equal("images of " + entry["name"], entry["images"], len(its))
            close("acc_e of " + entry["name"], entry["acc_e"], e[its].mean())
        all_c.append(c.mean()), all_e.append(e.mean()), all_s.append(s.mean()), curves.append(curve.mean(1))
    close("acc_c", result["acc_c"], np.mean(all_c))
    close("acc_e", result["acc_e"], np.mean(all_e))
    close("acc_s", result["acc_s"], np.mean(all_s))
    for i in range(n):
        close("curve", result["curve"][i], np.mean(curves, axis=0)[i])

    check_deletions(result, right, of, n, sets)
    check_union_and_top1(result, right, of, n, np.array([s[0] for s in sets]))

    # Foreign names: an image in vocabulary t against the best of its right classes there; in all, of all.
    best = [[max((scores[x, c] for c in s if c in members[t]), default=None) for t in range(n)] for x, s in enumerate(sets)]
    opened = result["analyses"]["open_curve"]
    equal("points", opened["n"][:3], [0, 1, 2])
    means = {"own": [], "all": []}
    for t in range(n):
        its = {"own": [], "all": []}
        for x in of[t]:
            ok = {"own": right[(t,)][x], "all": right[tuple(range(n))][x]}
            top = {"own": best[x][t], "all": max(scores[x, c] for c in sets[x])}
            for scope in its:
                h = int((pool[x] > top[scope]).sum())
                its[scope].append([ok[scope] * math.comb(40 - h, k) / math.comb(40, k) for k in opened["n"]])
        for scope in its:
            found = opened["vocabularies"][t][scope]["accuracy"]
            for k in range(len(opened["n"])):
                close(f"open curve, {scope}, {keys[t]}, n = {opened['n'][k]}", found[k], np.mean(its[scope], axis=0)[k])
            means[scope].append(np.mean(its[scope], axis=0))
    for scope in means:
        for k in range(len(opened["n"])):
            close("open curve, " + scope, opened[scope]["accuracy"][k], np.mean(means[scope], axis=0)[k])
    for p, k in enumerate(opened["n"]):
        chance = [math.comb(40 - h, k) / math.comb(40, k) for h in range(41)]

        def among(t, u):
            """t's accuracy among all classes but those of u alone, and k names."""
            left = tuple(v for v in range(n) if v != u)
            held = {c for v in left for c in members[v]}
            return np.mean([right[left][x] * chance[int((pool[x] > max(scores[x, c] for c in sets[x] if c in held)).sum())]
                            for x in of[t]])

        without = {(t, u): among(t, u) for t in range(n) for u in range(n) if u != t}
        found = opened["all"]["errors"]["vocabularies"][p]
        close("open curve without", found, jackknife([np.mean([without[t, u] for t in range(n) if t != u]) for u in range(n)]))
        for t in range(n):
            found = opened["vocabularies"][t]["all"]["errors"]["vocabularies"][p]
            close("open curve, rivals", found, jackknife([without[t, u] for u in range(n) if u != t]))
    for t, attack in enumerate(result["adversarial"]):
        equal("images of the target", attack["images"], len(of[t]))
        ok = [x for x in of[t] if right[(t,)][x]]
        equal("right of the target", attack["right"], len(ok))
        left = set(ok)
        for name, after, by, shown in zip(attack["names"], attack["accuracy"], attack["takes"], attack["examples"]):
            fresh = sorted(x for x in left if pool[x, int(name.split()[1])] > best[x][t])
            left -= set(fresh)
            close("accuracy after " + name, after, len(left) / len(of[t]))
            its = [NAMES[next(c for c in sets[x] if c in members[t])] for x in fresh]  # by class: the first one listed there
            equal("what it takes", by, {c: its.count(c) for c in its})
            equal("an example's class", [e["class"] for e in shown], [its[fresh.index(kept.index(e["place"]))] for e in shown])
            equal("an example's name", [e["image"] for e in shown], ["row %d" % e["place"] for e in shown])

    # The first-ranked right class stands for the image.
    text = unit(np.load(f"{folder}/t.npy"))
    top = [max(s, key=lambda c, x=x: scores[x, c]) for x, s in enumerate(sets)]
    wrong = [[c for c in range(15) if c not in s] for s in sets]
    margins = [scores[x, top[x]] - max(scores[x, c] for c in wrong[x]) for x in range(len(sets))]
    its = result["analyses"]
    close("margin_mean", its["margin_mean"], np.mean(margins))
    close("margin_median", its["margin_median"], np.median(margins))
    close("positive_mean", its["positive_mean"], np.mean([scores[x, y] for x, y in enumerate(top)]))
    close("negative_mean", its["negative_mean"], np.mean([scores[x, c] for x in range(len(sets)) for c in wrong[x]]))
    close("alignment", its["alignment"], np.mean([((f[x] - text[y]) ** 2).sum() for x, y in enumerate(top)]))
    before = [sum(scores[x, c] > scores[x, y] for c in wrong[x]) for x, y in enumerate(top)]
    close("top5_all", its["top5_all"], np.mean(np.array(before) < 5))
    first = np.array([s[0] for s in sets])
    close("class_recall", its["class_recall"], np.mean([np.mean(np.array(before)[first == c] < 1) for c in set(first)]))

    less = {"top5_all": [], "class_recall": [], "class_recall_at_5": []}
    for u in range(n):
        held = {c for v in range(n) if v != u for c in members[v]}
        there = [x for x, s in enumerate(sets) if held & set(s)]
        of_class = first[there]
        top = [max(scores[x, y] for y in sets[x] if y in held) for x in there]
        before = np.array([sum(scores[x, c] > best for c in held - set(sets[x])) for x, best in zip(there, top)])
        less["top5_all"].append(np.mean(before < 5))
        for key, k in (("class_recall", 1), ("class_recall_at_5", 5)):
            less[key].append(np.mean([np.mean(before[of_class == c] < k) for c in set(of_class)]))
    for key, values in less.items():
        close(key + " without a vocabulary", its["top5_errors"][key]["vocabularies"], jackknife(values))

    check_confidence(its, sets, members, scores, pool, of)
    lines = [json.loads(line) for line in open(records)]
    equal("records", len(lines), len(sets))
    for x, (s, line) in enumerate(zip(sets, lines)):
        t = next(v for v in range(n) if s[0] in members[v])
        everything = tuple(range(n))
        wrong = max(scores[x, c] for c in range(15) if c not in s)
        equal("class", line["class"], NAMES[s[0]])
        equal("classes", line["classes"], [NAMES[c] for c in s])
        equal("vocabulary", line["vocabulary"], keys[t])
        equal("own", line["own"], bool(right[(t,)][x]))
        equal("predicted", line["predicted"], NAMES[prediction(x, (t,))])
        equal("predicted_all", line["predicted_all"], NAMES[prediction(x, everything)])
        close("similarity", line["similarity"], max(scores[x, c] for c in s))
        close("margin", line["margin"], max(scores[x, c] for c in s) - wrong)
        if line["own"]:
            lost = [keys[u] for u in range(n) if u != t and not right[tuple(sorted((t, u)))][x]]
            equal("harmful", line["harmful"], lost)


if sys.argv[1] == "make":
    make(sys.argv[2])
else:
    check(*sys.argv[2:5])
