#!/usr/bin/python3
"""The standard errors and intervals of every figure, by NumPy from the embeddings: `make DIR` writes the experiments of
figures_oracle.py, half of them thinned out, so that classes and vocabularies of a single image occur; `check DIR RESULTS...`
compares results of them. Nothing is taken from the results but what is to be checked: vocabularies are
deleted by doing without them, strata are lists of scores, quantiles come from the density."""
import itertools
import json
import math
import statistics
import sys

import numpy as np

import figures_oracle

KINDS = ("images", "classes", "vocabularies")
wrong, seen = [], 0


def make(folder):
    figures_oracle.make(folder)
    rng = np.random.default_rng(3)
    for d in range(0, figures_oracle.DATASETS, 2):
        lists, labels, images = figures_oracle.lists_of(folder, f"d{d}"), *(np.load(f"{folder}/d{d}-{k}.npy") for k in "yi")
        keep = rng.random(len(labels)) < 0.35
        for own in lists:  # every vocabulary keeps an image
            keep[np.flatnonzero(np.isin(labels, own))[0]] = True
        np.save(f"{folder}/d{d}-y.npy", labels[keep])
        np.save(f"{folder}/d{d}-i.npy", images[keep])


def quantile(df):
    """The 97.5 % quantile of Student's distribution: the density integrated by Gauss and Legendre, bisected."""
    nodes, weights = RULE
    low, high = 0.0, 40.0
    angle = np.arctan(np.inf)
    power = df - 1  # with t = sqrt(df) tan(a) the density is cos(a)^(df - 1), but for a factor
    whole = np.sum(weights * np.cos((nodes + 1) / 2 * angle) ** power) * angle / 2
    for _ in range(80):
        t = (low + high) / 2
        edge = np.arctan(t / np.sqrt(df))
        part = np.sum(weights * np.cos((nodes + 1) / 2 * edge) ** power) * edge / 2
        low, high = (t, high) if part / whole < 0.95 else (low, t)
    return low


RULE = np.polynomial.legendre.leggauss(200)
QUANTILE = {}
NORMAL = statistics.NormalDist().inv_cdf(0.975)


def interval(value, error, units, df):
    """Wilson's bounds are the p at which value is t errors away: (value - p)^2 = t^2 p (1 - p) / draws."""
    if error is None or value is None:
        return None
    df = max(df, 1)
    if df not in QUANTILE:
        QUANTILE[df] = quantile(df)
    t = QUANTILE[df]
    if error < 1e-12:
        return solved(value, NORMAL**2 / units)
    if value * (1 - value) <= 0:
        return 0.0, 1.0
    return solved(value, t * t * error**2 / (value * (1 - value)))


def solved(value, ratio):
    """The roots of (1 + ratio) p^2 - (2 value + ratio) p + value^2."""
    linear = 2 * value + ratio
    upper = (linear + np.sqrt(max(linear**2 - 4 * (1 + ratio) * value**2, 0))) / (2 * (1 + ratio))
    return value**2 / (1 + ratio) / upper, min(upper, 1.0)


def near(name, found, expected):
    global seen
    seen += 1
    if found is None or expected is None:
        if found is not expected:
            wrong.append(f"{name}: {found}, expected {expected}")
    elif not abs(found - expected) <= 1e-9:
        wrong.append(f"{name}: {found!r}, expected {expected!r}")


def both(name, found, expected):
    near(name + " low", found[0], expected and expected[0])
    near(name + " high", found[1], expected and expected[1])


def jackknife(values):
    if len(values) < 2 or any(v is None for v in values):
        return None
    values = np.array(values)
    return np.sqrt((len(values) - 1) / len(values) * np.sum((values - values.mean()) ** 2))


class Vocabulary:
    """The images of one vocabulary, their classes and scores; a figure that is a number: after so many rivals."""

    def __init__(self, its, t, figure, rivals):
        self.images = np.array(its.images_of(its.lists[t]))
        self.labels = np.array([its.labels[i] for i in self.images])
        m, scores = len(rivals), []
        for i in self.images:
            own, b = t not in its.harmful[i], len(its.harmful[i] & set(rivals) - {t})
            if isinstance(figure, int):
                scores.append(own * math.comb(m - b, figure) / math.comb(m, figure) if figure <= m else np.nan)
            elif figure == "acc_s" and not m:
                scores.append(np.nan)
            else:
                scores.append(own * {"acc_c": 1, "acc_e": 1 / (b + 1), "acc_s": (m - b) / (m * (b + 1)) if m else 0}[figure])
        self.scores = np.array(scores, float)
        self.classes = sorted(set(self.labels))
        self.mean = self.scores.mean()


def none_if_nan(value):
    return None if value is None or np.isnan(value) else float(value)


def errors_of(vocabularies):
    """Errors, units and degrees of freedom of the mean of the vocabularies' means: by image and by class, how far each moves it."""
    n = len(vocabularies)
    overall = np.mean([v.mean for v in vocabularies])
    by_image, by_class, own_mean = {}, {}, {}
    images_df = classes_df = single = 0
    undefined = {"images": False, "classes": n == 1 and len(vocabularies[0].classes) == 1}
    for v in vocabularies:
        m, k = len(v.images), len(v.classes)
        undefined["images"] |= m < 2
        alone = 0
        for c in v.classes:
            inside = v.labels == c
            if inside.sum() == 1:
                alone += 1
            else:
                images_df += inside.sum() - 1
            if k > 1:
                moved = np.sqrt(k / (k - 1)) * np.sum(v.scores[inside] - v.mean) / m / n
            else:
                moved = np.sqrt(n / (n - 1)) * (v.mean - overall) / n if n > 1 else np.nan
            by_class[c] = by_class.get(c, 0) + moved
        images_df += max(alone - 1, 0)
        classes_df += k - 1
        single += k == 1
        for i, y, score in zip(v.images, v.labels, v.scores):
            if np.sum(v.labels == y) > 1:
                by_image[i, y] = by_image.get((i, y), 0) + score / m / n
            elif m > 1:
                own_mean[i] = own_mean.get(i, 0) + np.sqrt(m / (m - 1)) * (score - v.mean) / m / n
    classes_df += max(single - 1, 0)
    variance = sum(moved**2 for moved in own_mean.values())
    for c in by_class:
        values = [moved for (_, y), moved in by_image.items() if y == c]
        if values:
            variance += len(values) * np.var(values, ddof=1)
    images = None if undefined["images"] else none_if_nan(np.sqrt(variance))
    classes = None if undefined["classes"] else none_if_nan(np.sqrt(sum(moved**2 for moved in by_class.values())))
    return (images, classes), (len({i for v in vocabularies for i in v.images}), len(by_class)), (images_df, classes_df)


def check_figure(name, found, value, errors, units, dfs, wilson=None):
    for kind, error, unit, df in zip(KINDS, errors, units, dfs):
        near(f"{name} {kind}", found[kind], error)
        both(f"{name} {kind} interval", found["interval"][kind] or [None, None], interval(value, error, unit, df))
    if (wilson is None) != ("wilson" not in found["interval"]):
        wrong.append(f"{name}: wilson {found['interval']}")
    elif wilson:
        right, count = wilson
        both(f"{name} wilson", found["interval"]["wilson"], solved(right / count, NORMAL**2 / count))


class Less(figures_oracle.Experiment):
    """An experiment without one of its vocabularies: its lists and its place among the harmful ones are gone."""

    def __init__(self, its, u):  # pylint: disable=super-init-not-called
        keep = [t for t in range(its.n) if t != u]
        self.lists = [its.lists[t] for t in keep]
        self.n = its.n - 1
        self.labels = its.labels
        self.harmful = [{keep.index(t) for t in harmful if t != u} for harmful in its.harmful]


def check_result(folder, result):
    its = figures_oracle.Experiment(folder, result["dataset"], result["model"])
    name = f"{result['model']} {result['dataset']}"
    sampled = result["protocol"] == "sampled"
    for figure in ("acc_c", "acc_e", "acc_s"):
        place = result["exact"] if sampled and figure != "acc_c" else result
        vocabularies = [Vocabulary(its, t, figure, [u for u in range(its.n) if u != t]) for t in range(its.n)]
        errors, units, dfs = errors_of(vocabularies)
        value = none_if_nan(np.mean([v.mean for v in vocabularies]))
        less = {(t, u): none_if_nan(Vocabulary(its, t, figure, [r for r in range(its.n) if r not in (t, u)]).mean)
                for t in range(its.n) for u in range(its.n) if u != t}
        means = [[less[t, u] for t in range(its.n) if t != u] for u in range(its.n)]
        deleted = jackknife([None if None in values or not values else np.mean(values) for values in means])
        if value is None:
            errors = (None, None)
        check_figure(f"{name} {figure}", place["errors"][figure], value, (*errors, deleted), (*units, its.n), (*dfs, its.n - 1))
        if figure == "acc_e" and result["acc_e_union_method"] == "closed form":
            check_figure(f"{name} union", result["errors"]["acc_e_union"], value, (*errors, deleted), (*units, its.n),
                         (*dfs, its.n - 1))
        for t, v in enumerate(vocabularies):
            entry = result["vocabularies"][t]
            place = entry["exact"] if sampled and figure != "acc_c" else entry
            errors, units, dfs = errors_of([v])
            value = none_if_nan(v.mean)
            if value is None:
                errors = (None, None)
            rivals = [less[t, u] for u in range(its.n) if u != t]
            wilson = (v.scores.sum(), len(v.scores)) if figure == "acc_c" else None
            check_figure(f"{name} v{t} {figure}", place["errors"][figure], value, (*errors, jackknife(rivals)),
                         (*units, its.n - 1), (*dfs, its.n - 2), wilson)
    check_classes(its, result, name)
    check_curve(its, result, name)
    whole = Vocabulary(its, 0, "acc_c", [])
    whole.images = np.array(its.images_of({c for own in its.lists for c in own}))
    whole.labels = np.array([its.labels[i] for i in whole.images])
    whole.scores = np.array([float(not its.harmful[i]) for i in whole.images])
    whole.classes, whole.mean = sorted(set(whole.labels)), whole.scores.mean()
    errors, units, dfs = errors_of([whole])
    less = [Less(its, u) for u in range(its.n)]
    without = []
    for left in less:
        rest = left.images_of({c for own in left.lists for c in own})
        without.append(np.mean([not left.harmful[i] for i in rest]) if rest else None)
    check_figure(f"{name} top1_all", result["errors"]["top1_all"], whole.mean, (*errors, jackknife(without)), (*units, its.n),
                 (*dfs, its.n - 1), (whole.scores.sum(), len(whole.scores)))
    if result["acc_e_union_method"] == "subsets":
        without = [float(left.union_of_all_sets()) for left in less] if its.n > 1 else []
        if its.n == 1:
            check_figure(f"{name} union", result["errors"]["acc_e_union"], result["acc_e_union"], (None,) * 3, (1,) * 3, (1,) * 3)
            return
        errors, units, dfs = union_errors(its)
        check_figure(f"{name} union", result["errors"]["acc_e_union"], result["acc_e_union"], (*errors, jackknife(without)),
                     (*units, its.n), (*dfs, its.n - 1))


def check_classes(its, result, name):
    """Of a class: its images' scores in the first vocabulary that lists it, with all rivals and with each of them gone."""
    first = {}
    for t, own in enumerate(its.lists):
        for c in own:
            first.setdefault(c, t)
    for entry in result["vocabularies"]:
        for its_class in entry["classes"]:
            c = int(its_class["name"][1:])
            t = first[c]
            rivals = [u for u in range(its.n) if u != t]
            for figure in ("acc_c", "acc_e", "acc_s"):
                found = its_class["errors"][figure]

                def scores(left):
                    vocabulary = Vocabulary(its, t, figure, left)  # pylint: disable=cell-var-from-loop
                    return vocabulary.scores[vocabulary.labels == c]  # pylint: disable=cell-var-from-loop

                whole = scores(rivals)
                spread = none_if_nan(whole.std(ddof=1) / np.sqrt(len(whole))) if len(whole) > 1 else None
                less = [none_if_nan(scores([r for r in rivals if r != u]).mean()) if len(whole) else None for u in rivals]
                for kind, error in zip(KINDS, (spread, None, jackknife(less))):
                    near(f"{name} class {c} {figure} {kind}", found[kind], error)
                if (figure == "acc_c") != ("interval" in found):
                    wrong.append(f"{name} class {c} {figure}: {found}")
            wilson = its_class["errors"]["acc_c"]["interval"]["wilson"]
            bounds = solved(its_class["acc_c"], NORMAL**2 / its_class["images"]) if its_class["images"] else None
            both(f"{name} class {c} wilson", wilson or [None, None], bounds)


def check_curve(its, result, name):
    """The curve's points are figures like any others; without a vocabulary there is one point less."""
    everything = range(its.n)
    for point in everything:
        vocabularies = [Vocabulary(its, t, point, [u for u in everything if u != t]) for t in everything]
        less = {(t, u): none_if_nan(Vocabulary(its, t, point, [r for r in everything if r not in (t, u)]).mean)
                for t in everything for u in everything if u != t}
        means = [[less[t, u] for t in everything if t != u] for u in everything]
        deleted = jackknife([None if None in values or not values else np.mean(values) for values in means])
        for kind, error in zip(KINDS, (*errors_of(vocabularies)[0], deleted)):
            near(f"{name} curve {point} {kind}", result["errors"]["curve"][kind][point], error)
        for t, v in enumerate(vocabularies):
            found = result["vocabularies"][t]["errors"]["curve"]
            rivals = jackknife([less[t, u] for u in everything if u != t])
            for kind, error in zip(KINDS, (*errors_of([v])[0], rivals)):
                near(f"{name} v{t} curve {point} {kind}", found[kind][point], error)


def union_errors(its):
    """Over all sets of vocabularies: an image's score is the share of the sets' weights in which it is right."""
    images = np.array(its.images_of({c for own in its.lists for c in own}))
    of = {i: frozenset(t for t in range(its.n) if its.labels[i] in its.lists[t]) for i in images}
    score, weight = dict.fromkeys(images, 0.0), dict.fromkeys(images, 0.0)
    for size in range(1, its.n + 1):
        sets = list(itertools.combinations(range(its.n), size))
        for chosen in map(set, sets):
            here = [i for i in images if of[i] & chosen]
            for i in here:
                weight[i] += 1 / its.n / len(sets) / len(here)
                score[i] += (not its.harmful[i] & chosen) / its.n / len(sets) / len(here)
    strata = {}
    for i in images:
        strata.setdefault(tuple(sorted(of[i])), []).append(i)
    overall, h = sum(score.values()), len(strata)
    variance, moved, images_df, classes_df, single = 0.0, {}, 0, 0, 0
    for pot in strata.values():
        m, part = len(pot), sum(weight[i] for i in pot)
        mean = np.mean([score[i] / weight[i] for i in pot])
        only = np.sqrt(h / (h - 1)) * (mean - overall) * part if h > 1 else np.nan
        classes = {}
        for i in pot:
            classes.setdefault(its.labels[i], []).append(score[i] / weight[i])
        k, alone = len(classes), 0
        for c, scores in classes.items():
            off, n = sum(scores) - len(scores) * mean, len(scores)
            if n > 1:
                variance += (part / m) ** 2 * n * np.var(scores, ddof=1)
                images_df += n - 1
            else:
                variance += (part / m * off) ** 2 * m / (m - 1) if m > 1 else only**2
                alone += 1
            moved[c] = moved.get(c, 0) + (np.sqrt(k / (k - 1)) * off * part / m if k > 1 else only)
        images_df += max(alone - 1, 0)
        classes_df += k - 1
        single += k == 1
    classes_df += max(single - 1, 0)
    return ((none_if_nan(np.sqrt(variance)), none_if_nan(np.sqrt(sum(x * x for x in moved.values())))), (len(images), len(moved)),
            (images_df, classes_df))


if __name__ == "__main__":
    if sys.argv[1] == "make":
        make(sys.argv[2])
        sys.exit(0)
    for file in sys.argv[3:]:
        for its_result in json.load(open(file, encoding="utf-8"))["results"]:
            check_result(sys.argv[2], its_result)
    print(*wrong[:20], sep="\n")
    print(f"{seen} figures, {len(wrong)} wrong")
    sys.exit(1 if wrong or not seen else 0)
