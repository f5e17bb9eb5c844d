/* The analysis `hierarchy`: errors by their way through WordNet, where the ids of classes are its synsets.
 *
 * Everything is an integer count by the length of the way: the same at any number of ranks. Where labels are sets, the way goes
 * to the nearest right class. */
#include <stdlib.h>
#include <string.h>

#include "kernels/base/memory.h"
#include "kernels/openness/shares.h"
#include "mpi/analyse/analysis.h"
#include "mpi/analyse/hierarchy_section.h"
#include "mpi/evaluate/device_products.h"
#include "mpi/evaluate/errors_json.h"
#include "mpi/evaluate/unit_pass.h"
#include "mpi/evaluate/unit_views.h"
#include "shards/text/wordnet.h"

enum { LENGTHS = 64 }; /* of WordNet's nouns no two are farther apart than 2 x 20 */

/* Images by what their prediction is: all integers, sent as they lie in memory. */
typedef struct way_counts {
    int64_t images, right;
    int64_t hypernyms, hyponyms; /* wrong ones: the prediction lies above a right class in WordNet; or below one */
    int64_t wrong[LENGTHS];      /* by the length of the way */
} way_counts;

enum { WAY_COUNTERS = sizeof(way_counts) / sizeof(int64_t) };

typedef struct hierarchy_work {
    const vb_pair *pair;
    const vb_class_sets *sets;
    vb_wordnet_ancestry *above; /* of every class */
    vb_digest wordnet;
    vb_text_bank *bank;
    vb_device_products device; /* of the bank */
    vb_memberships memberships;
    int vocabularies;
    size_t counter_count;
    int64_t *counters;          /* behind the rest */
    way_counts *own, *all;      /* of every vocabulary within itself; of all images among all classes */
    int64_t *thefts, *distance; /* N x N: own-right images of t that u takes, and the lengths of their ways together */
    int64_t *by_length;         /* thefts */
    int64_t *chance;            /* pairs of different classes, and the lengths of their ways together */
    /* With hypernyms forgiven, by entry of the label space: images, and those that count as right; of a class in two vocabularies
     * those that do in both; and by class, each image once. */
    int64_t *entry_images, *entry_right, *both, *class_images, *class_right;
    int64_t *pairs;    /* of `both` */
    uint8_t *forgiven; /* of the image at hand, by vocabulary */
} hierarchy_work;

/* ---- WordNet ---- */

/* Each class' id must be a synset: VB_EMISMATCH names the first that is none. above: one a class, or NULL. */
static int find_classes(vb_wordnet_ancestry *above, vb_digest *digest, const vb_vocabularies *vocabularies, const char *folder,
                        vb_error *err) {
    vb_wordnet *wordnet;
    if (vb_wordnet_open(&wordnet, folder, err)) return -1;
    int status = 0;
    *digest = vb_wordnet_digest(wordnet);
    for (int c = 0; c < vocabularies->classes && !status; c++) {
        const vb_class *class = &vocabularies->class[c];
        if (!class->id)
            status = vb_errorf(err, VB_EMISMATCH, "class '%s' has no id; expected WordNet's, such as n01440764", class->name);
        else if (!vb_wordnet_word_of_id(wordnet, class->id))
            status =
                vb_errorf(err, VB_EMISMATCH,
                          "class '%s': the id '%s' is no synset of %s/data.noun; expected n and the 8 digits of its offset in "
                          "WordNet 3.0",
                          class->name, class->id, folder);
        else if (above) status = vb_wordnet_ancestry_new(&above[c], wordnet, "", class->id, err);
    }
    vb_wordnet_close(wordnet);
    return status;
}

static int check_hierarchy(const vb_analysis_subject *subject, vb_error *err) {
    vb_digest unused;
    return find_classes(NULL, &unused, &subject->data->vocabularies, subject->experiment->hierarchy.wordnet, err);
}

/* ---- counting ---- */

/* The way from a wrong prediction to the nearest of the right classes; -1 with an error where there is none. */
static int find_way(const hierarchy_work *work, int predicted, const vb_class_set *right, bool *hypernym, bool *hyponym,
                    vb_error *err) {
    int least = -1;
    *hypernym = *hyponym = false;
    for (int i = 0; i < right->count; i++) {
        const vb_wordnet_path path = vb_wordnet_path_between(&work->above[right->classes[i]], &work->above[predicted]);
        if (path.length >= 0 && (least < 0 || path.length < least)) least = path.length;
        *hypernym |= path.up >= 0;
        *hyponym |= path.down >= 0;
    }
    if (least >= 0 && least < LENGTHS) return least;
    const vb_class *class = work->pair->data->vocabularies.class;
    return vb_errorf(err, VB_EDATA, "WordNet has no way of less than %d steps from '%s' to '%s'", LENGTHS,
                     class[right->classes[0]].name, class[predicted].name);
}

/* predicted: -1 where the image is right. forgiven: whether it counts as right when hypernyms do. */
static int count_prediction(const hierarchy_work *work, way_counts *counts, int predicted, const vb_class_set *right,
                            uint8_t *forgiven, vb_error *err) {
    bool hypernym, hyponym;
    counts->images++;
    counts->right += predicted < 0;
    *forgiven = predicted < 0;
    if (predicted < 0) return 0;
    int length = find_way(work, predicted, right, &hypernym, &hyponym, err);
    if (length < 0) return -1;
    counts->wrong[length]++;
    counts->hypernyms += hypernym;
    *forgiven = hypernym;
    counts->hyponyms += hyponym && !hypernym;
    return 0;
}

/* Image i in vocabulary t, in which it is right by its view: who takes it. A vocabulary takes it when it has a wrong class before
 * the view's, and before its own right ones; the prediction is then that class. */
static int count_thefts(const hierarchy_work *work, const vb_unit_views *views, int64_t i, int t, int64_t view, const int *takers,
                        vb_error *err) {
    const int64_t n = work->vocabularies;
    const vb_class_set right = vb_unit_views_right(views, i);
    for (int u = 0; u < n; u++) {
        const int taker = takers[view * n + u];
        int64_t its;
        int class;
        bool hypernym, hyponym;
        if (u == t || taker < 0 || (vb_unit_views_in(views, i, u, &its, &class) && takers[its * n + u] < 0)) continue;
        int length = find_way(work, taker, &right, &hypernym, &hyponym, err);
        if (length < 0) return -1;
        work->thefts[t * n + u]++;
        work->distance[t * n + u] += length;
        work->by_length[length]++;
    }
    return 0;
}

/* Where vocabulary t lists the class. */
static int slot_of(const vb_memberships *memberships, int class, int t) {
    int h = memberships->offsets[class];
    while (memberships->vocabularies[h] != t) h++;
    return memberships->slots[h];
}

/* An image of this class alone, in the vocabularies that hold it. */
static void count_both(const hierarchy_work *work, int class) {
    const int first = work->memberships.offsets[class], count = work->memberships.offsets[class + 1] - first,
              *of = work->memberships.vocabularies + first;
    for (int j = 1; j < count; j++)
        for (int i = 0; i < j; i++)
            work->both[vb_label_space_pair(work->pairs, class, i, j)] += work->forgiven[of[i]] && work->forgiven[of[j]];
}

static int count_image(const hierarchy_work *work, const vb_unit_views *views, int64_t i, const int *takers,
                       const vb_verdict *verdicts, vb_error *err) {
    const int64_t n = work->vocabularies, first = vb_unit_views_first(views, i);
    const vb_class_set right = vb_unit_views_right(views, i);
    const vb_verdict *best = &verdicts[first];
    const int once = views->rows->classes[i];
    uint8_t among_all;
    int status =
        count_prediction(work, work->all, best->predicted_all == best->label ? -1 : best->predicted_all, &right, &among_all, err);
    if (status) return -1;
    work->class_images[once]++;
    work->class_right[once] += among_all;
    for (int t = 0; t < n && !status; t++) {
        int64_t view;
        int class;
        if (!vb_unit_views_in(views, i, t, &view, &class)) continue;
        const int predicted = takers[view * n + t], entry = slot_of(&work->memberships, class, t);
        status = count_prediction(work, &work->own[t], predicted, &right, &work->forgiven[t], err);
        work->entry_images[entry]++;
        work->entry_right[entry] += !status && work->forgiven[t];
        if (!status && predicted < 0) status = count_thefts(work, views, i, t, view, takers, err);
    }
    if (!status && !work->sets) count_both(work, once);
    return status;
}

static int count_unit(void *context, int64_t unit, const vb_unit_rows *rows, vb_error *err) {
    (void)unit;
    const hierarchy_work *work = context;
    if (!rows->count) return 0;
    vb_unit_views views;
    int status = vb_unit_views_open(&views, rows, work->sets, work->bank, &work->memberships, err);
    const size_t count = status ? 0 : (size_t)views.block.rows, n = (size_t)work->vocabularies;
    uint8_t *beaten = vb_array(count * n, 1, "outcome of a unit", err);
    int *takers = vb_array(count * n, sizeof *takers, "outcome of a unit", err);
    vb_verdict *verdicts = vb_array(count, sizeof *verdicts, "outcome of a unit", err);
    views.block.takers = takers;
    if (!beaten || !takers || !verdicts) status = -1;
    if (!status)
        status =
            vb_similarity_judge(work->bank, &work->pair->data->space, &views.block, beaten, verdicts, work->pair->threads, err);
    for (int i = 0; i < rows->count && !status; i++) status = count_image(work, &views, i, takers, verdicts, err);
    vb_free(beaten);
    vb_free(takers);
    vb_free(verdicts);
    vb_unit_views_close(&views);
    return status;
}

/* The ways between all pairs of different classes, each rank its share of them. */
static void count_chance(const hierarchy_work *work, const vb_comm *comm) {
    const vb_label_space *space = &work->pair->data->space;
    for (int c = comm->rank; c < space->classes; c += comm->size)
        for (int d = 0; d < c; d++) {
            if (vb_label_space_same(space->equivalence, c, d)) continue;
            const vb_wordnet_path path = vb_wordnet_path_between(&work->above[c], &work->above[d]);
            if (path.length < 0) continue;
            work->chance[0]++;
            work->chance[1] += path.length;
        }
}

/* ---- figures, on rank 0 ---- */

/* [[length, count], ...] of those that occur; *mean: NaN for none. */
static json_t *lengths_json(vb_json *json, const int64_t *counts, double *mean) {
    json_t *list = vb_json_array(json);
    int64_t count = 0, sum = 0;
    for (int i = 0; i < LENGTHS; i++) {
        const int64_t pair[2] = {i, counts[i]};
        if (!counts[i]) continue;
        count += counts[i];
        sum += i * counts[i];
        vb_json_append(json, list, vb_json_integer_list(json, pair, 2));
    }
    *mean = count ? (double)sum / (double)count : NAN;
    return list;
}

/* Accuracies, and what they are sums of; `squares` of the standard error with hypernyms forgiven. */
typedef struct forgiven {
    double accuracy, hypernyms, hyponyms_too, square;
} forgiven;

static forgiven accuracies_of(const way_counts *counts) {
    const double n = (double)counts->images, share = (double)(counts->right + counts->hypernyms) / n;
    return (forgiven){(double)counts->right / n, share, (double)(counts->right + counts->hypernyms + counts->hyponyms) / n,
                      counts->images > 1 ? share * (1 - share) / (n - 1) : NAN};
}

static void set_ways(vb_json *json, json_t *to, const forgiven *its, const int64_t *wrong) {
    double mean;
    json_t *paths = lengths_json(json, wrong, &mean);
    vb_json_set_real(json, to, "accuracy", its->accuracy);
    vb_json_set_real(json, to, "hypernyms", its->hypernyms);
    vb_json_set_real(json, to, "hypernyms_se", sqrt(its->square));
    vb_json_set_real(json, to, "hyponyms_too", its->hyponyms_too);
    vb_json_set_real(json, to, "mean_path", mean);
    vb_json_set(json, to, "paths", paths);
}

static void set_thefts(vb_json *json, json_t *to, const hierarchy_work *its) {
    double mean;
    const int n = its->vocabularies;
    json_t *paths = lengths_json(json, its->by_length, &mean), *matrix = vb_json_array(json);
    for (int t = 0; t < n; t++) {
        json_t *row = vb_json_array(json);
        for (int u = 0; u < n; u++) {
            const int64_t count = its->thefts[t * n + u];
            vb_json_append_real(json, row, count ? (double)its->distance[t * n + u] / (double)count : NAN);
        }
        vb_json_append(json, matrix, row);
    }
    vb_json_set_real(json, to, "mean_path", mean);
    vb_json_set(json, to, "paths", paths);
    vb_json_set(json, to, "mean_paths", matrix);
}

/* Under the key `errors` of each part. */
static int set_errors(const vb_analysis_work *work, const hierarchy_work *its, vb_error *err) {
    static const char key[] = "hypernyms";
    vb_json *json = work->json;
    const vb_label_space *space = &its->pair->data->space;
    const int n = its->vocabularies;
    json_t *to = json_object_get(work->figures, "hierarchy");
    const vb_share_counts counts = {.space = space,
                                    .memberships = &its->memberships,
                                    .images = its->entry_images,
                                    .right = its->entry_right,
                                    .pairs = its->pairs,
                                    .both = its->sets ? NULL : its->both};
    vb_spread own, all, *each = vb_array((size_t)n, sizeof *each, "standard errors", err);
    int status = each ? vb_shares_errors(&own, each, &counts, err) : -1;
    if (!status) status = vb_shares_of_images(&all, its->class_images, its->class_right, space->classes, err);
    if (!status) {
        double wilson[2];
        vb_errors_json_set(json, vb_json_set_object(json, json_object_get(to, "own"), "errors"), key, &own, NULL);
        vb_spread_wilson(its->all->right + its->all->hypernyms, its->all->images, wilson);
        vb_errors_json_set(json, vb_json_set_object(json, json_object_get(to, "all"), "errors"), key, &all, wilson);
    }
    for (int t = 0; t < n && !status; t++) {
        double wilson[2];
        json_t *entry = json_array_get(json_object_get(to, "vocabularies"), (size_t)t);
        vb_spread_wilson(its->own[t].right + its->own[t].hypernyms, its->own[t].images, wilson);
        vb_errors_json_set(json, vb_json_set_object(json, entry, "errors"), key, &each[t], wilson);
    }
    vb_free(each);
    return status;
}

static void set_figures(const vb_analysis_work *work, const hierarchy_work *its) {
    vb_json *json = work->json;
    const int n = its->vocabularies;
    json_t *object = vb_json_set_object(json, work->figures, "hierarchy"), *own = vb_json_set_object(json, object, "own"),
           *all = vb_json_set_object(json, object, "all"), *theft = vb_json_set_object(json, object, "theft"),
           *list = vb_json_array(json);
    forgiven mean = {0};
    int64_t wrong[LENGTHS] = {0};
    for (int t = 0; t < n; t++) {
        const forgiven one = accuracies_of(&its->own[t]);
        json_t *entry = vb_json_object(json);
        vb_json_set_text(json, entry, "name", its->pair->data->vocabularies.names[t]);
        vb_json_set_integer(json, entry, "images", its->own[t].images);
        set_ways(json, entry, &one, its->own[t].wrong);
        vb_json_append(json, list, entry);
        mean.accuracy += one.accuracy;
        mean.hypernyms += one.hypernyms;
        mean.hyponyms_too += one.hyponyms_too;
        mean.square += one.square;
        for (int i = 0; i < LENGTHS; i++) wrong[i] += its->own[t].wrong[i];
    }
    mean = (forgiven){mean.accuracy / n, mean.hypernyms / n, mean.hyponyms_too / n, mean.square / n / n};
    const forgiven among_all = accuracies_of(its->all);
    set_ways(json, own, &mean, wrong);
    set_ways(json, all, &among_all, its->all->wrong);
    set_thefts(json, theft, its);
    vb_json_set_real(json, object, "chance", its->chance[0] ? (double)its->chance[1] / (double)its->chance[0] : NAN);
    vb_json_set(json, object, "vocabularies", list);
    vb_json_set_text(json, object, "wordnet_digest", its->wordnet.hex);
}

/* ---- the row ---- */

static int prepare(hierarchy_work *its, const vb_context *context, vb_error *err) {
    const vb_pair *pair = its->pair;
    const vb_classifier *classifier = pair->classifier;
    const size_t n = (size_t)its->vocabularies, classes = (size_t)classifier->classes,
                 entries = (size_t)pair->data->space.offsets[n];
    if (vb_label_space_memberships_new(&its->memberships, &pair->data->space, err)) return -1;
    if (!(its->pairs = vb_label_space_pairs_new(&its->memberships, (int)classes, err))) return -1;
    if (!(its->forgiven = vb_array(n, 1, "outcome of an image", err))) return -1;
    const size_t pairs = (size_t)its->pairs[classes];
    its->counter_count = (n + 1) * WAY_COUNTERS + 2 * n * n + LENGTHS + 2 + 2 * entries + pairs + 2 * classes;
    its->above = vb_array((size_t)classifier->classes, sizeof *its->above, "WordNet", err);
    its->counters = vb_array(its->counter_count, sizeof *its->counters, "counts of ways", err);
    if (!its->above || !its->counters) return -1;
    its->own = (way_counts *)its->counters;
    its->all = its->own + n;
    its->thefts = (int64_t *)(its->all + 1);
    its->distance = its->thefts + n * n;
    its->by_length = its->distance + n * n;
    its->chance = its->by_length + LENGTHS;
    its->entry_images = its->chance + 2;
    its->entry_right = its->entry_images + entries;
    its->both = its->entry_right + entries;
    its->class_images = its->both + pairs;
    its->class_right = its->class_images + classes;
    if (find_classes(its->above, &its->wordnet, &pair->data->vocabularies, pair->experiment->hierarchy.wordnet, err)) return -1;
    return vb_device_products_bank(&its->device, &its->bank, context, pair, classifier->texts, classifier->classes,
                                   classifier->dim, err);
}

static int run_hierarchy(vb_analysis_work *work, vb_error *err) {
    vb_comm *comm = &work->context->comm;
    hierarchy_work its = {.pair = work->pair,
                          .sets = vb_image_source_sets(work->pair->source),
                          .vocabularies = work->pair->data->space.vocabularies};
    const int classes = work->pair->classifier->classes;
    int status = prepare(&its, work->context, err);
    /* With another WordNet on one machine its ranks would find other ways. */
    status = vb_comm_agree_same(comm, status, its.wordnet.hex, work->pair->experiment->hierarchy.wordnet, err);
    if (!status) {
        count_chance(&its, comm);
        status = vb_unit_pass(work->context, work->pair->source, count_unit, &its, err);
        status = vb_context_barrier(work->context, status, err);
    }
    if (!status) status = vb_comm_sum_to_root(comm, its.counters, its.counter_count, err);
    if (!status && !comm->rank) {
        set_figures(work, &its);
        status = set_errors(work, &its, err);
    }
    status = vb_comm_agree(comm, status, err);
    for (int c = 0; its.above && c < classes; c++) vb_wordnet_ancestry_free(&its.above[c]);
    vb_free(its.above);
    vb_free(its.counters);
    vb_free(its.pairs);
    vb_free(its.forgiven);
    vb_label_space_memberships_free(&its.memberships);
    vb_similarity_bank_free(its.bank);
    vb_device_products_close(&its.device);
    return status;
}

/* What judging takes, WordNet while it is read (measured: 30 MiB), and what lies above the classes. */
static int64_t hierarchy_bytes(const vb_pair_shape *s) {
    return vb_similarity_judge_bytes(s->classes, VB_UNIT_SAMPLES) + ((int64_t)30 << 20) + s->classes * 320 +
           s->vocabularies * (VB_UNIT_SAMPLES * 5 + (int64_t)sizeof(way_counts) + 16 * s->vocabularies);
}

static double hierarchy_operations(const vb_pair_shape *s) {
    return 2.0 * (double)s->images * (double)s->classes * (double)s->dim;
}

const vb_analysis vb_analysis_hierarchy = {.check = check_hierarchy,
                                           .run = run_hierarchy,
                                           .bytes = hierarchy_bytes,
                                           .operations = hierarchy_operations,
                                           .section = &vb_hierarchy_section};
