/* Units of a run, their estimated cost, and the order of the queue. */
#include "mpi/run/schedule.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/base/memory.h"
#include "mpi/adversarial/adversarial.h"
#include "mpi/evaluate/candidates.h"
#include "mpi/analyse/analyses.h"
#include "mpi/encode/model.h"
#include "shards/embeddings/npy.h"
#include "shards/files/path.h"

static bool same_text(const char *a, const char *b) { return a == b || (a && b && !strcmp(a, b)); }

bool vb_schedule_same_encoder(const vb_model_spec *a, const vb_model_spec *b) {
    return a->family != VB_PRECOMPUTED && a->family == b->family && same_text(a->weights, b->weights) &&
           same_text(a->tokenizer, b->tokenizer) && !memcmp(&a->stated, &b->stated, sizeof a->stated);
}

int vb_schedule_list(vb_schedule *schedule, const vb_experiment *experiment, vb_error *err) {
    assert(experiment->model_count > 0 && experiment->dataset_count > 0);
    *schedule = (vb_schedule){0};
    size_t most = (size_t)experiment->model_count * (size_t)experiment->dataset_count;
    schedule->units = vb_array(most, sizeof *schedule->units, "units", err);
    schedule->bundle = vb_array(most, sizeof *schedule->bundle, "units", err);
    schedule->order = vb_array(most, sizeof *schedule->order, "units", err);
    schedule->items = vb_array(most + 1, sizeof *schedule->items, "units", err);
    schedule->item_costs = vb_array(most, sizeof *schedule->item_costs, "units", err);
    schedule->item_parts = vb_array(most, sizeof *schedule->item_parts, "units", err);
    if (!schedule->units || !schedule->bundle || !schedule->order || !schedule->items || !schedule->item_costs ||
        !schedule->item_parts)
        return -1;
    for (int m = 0; m < experiment->model_count; m++)
        for (int d = 0; d < experiment->dataset_count; d++) {
            const vb_model_spec *model = &experiment->models[m];
            if (!model->left_out && vb_experiment_covers(experiment, model, &experiment->datasets[d]))
                schedule->units[schedule->count++] = (vb_pair_unit){.model = m, .dataset = d, .parts = 1};
        }
    return 0;
}

void vb_schedule_free(vb_schedule *schedule) {
    vb_free(schedule->units);
    vb_free(schedule->bundle);
    vb_free(schedule->order);
    vb_free(schedule->items);
    vb_free(schedule->item_costs);
    vb_free(schedule->item_parts);
    *schedule = (vb_schedule){0};
}

/* ---- estimates ---- */

/* A model's sizes, as far as the estimate needs them; numbers alone, so that ranks can exchange them. */
typedef struct model_cost {
    int64_t image, text; /* operations each */
    int64_t dim;
} model_cost;

static model_cost cost_of_model(const vb_model_spec *spec) {
    model_cost cost = {0};
    vb_error ignored;
    if (spec->family == VB_PRECOMPUTED) return cost;
    vb_model_sizes sizes;
    if (!vb_model_measure(spec, VB_MODEL_PROMPT_TOKENS, &sizes, &ignored)) {
        cost.image = (int64_t)sizes.image_flops;
        cost.text = (int64_t)sizes.text_flops;
        cost.dim = sizes.embed_dim;
        return cost;
    }
    vb_path_facts file;
    const uint64_t most = INT64_MAX / 50; /* a sparse file may state more */
    cost.image = vb_path_stat(spec->weights, &file, &ignored) ? 1 : 50 * (int64_t)(file.size < most ? file.size : most);
    cost.text = cost.image / 4;
    cost.dim = 512;
    return cost;
}

/* Rows and columns of a precomputed dataset's embeddings; 0 when they cannot be read: the unit will say why. Rank 0 only. */
static void measure_embeddings(const vb_embeddings_spec *spec, int64_t *rows, int64_t *dim) {
    vb_npy npy;
    vb_error ignored;
    if (!spec || vb_npy_open(&npy, spec->image_embeddings, &ignored)) return;
    if (npy.tensor.ndim == 2) {
        *rows += npy.tensor.shape[0];
        *dim = npy.tensor.shape[1];
    }
    vb_npy_close(&npy);
}

static void estimate(vb_pair_unit *unit, const vb_experiment *experiment, const vb_dataset_state *data, const model_cost *model,
                     bool images_too, int64_t candidates, int64_t names) {
    const vb_model_spec *spec = &experiment->models[unit->model];
    vb_pair_shape shape = {.classes = data->space.classes,
                           .dim = model->dim,
                           .candidates = data->part_count ? 0 : candidates,
                           .names = vb_experiment_name_prompts(experiment, spec, data->spec) ? names : 0};
    double classes = data->space.classes;
    int prompts = vb_experiment_prompts(spec, data->spec)->count;
    if (!data->part_count) shape.variants = vb_prompt_spread_spec_variants(&experiment->prompt_spread, prompts);
    const double templates = prompts ? prompts : 1;
    unit->images = unit->texts = 0;
    if (spec->family != VB_PRECOMPUTED) {
        vb_dataset_sizes sizes = vb_dataset_state_measure(data);
        shape.images = sizes.images - data->outside;
        unit->parts = sizes.units;
        if (!data->part_count || data->parts[0]->spec->left_out) unit->texts = classes * templates;
        if (images_too) unit->images = (double)shape.images;
    } else {
        int64_t rows = 0, columns = 0;
        if (!data->part_count) measure_embeddings(vb_experiment_embeddings(spec, data->spec), &rows, &columns);
        for (int p = 0; p < data->part_count; p++)
            measure_embeddings(vb_experiment_embeddings(spec, data->parts[p]->spec), &rows, &columns);
        shape.images = rows;
        shape.dim = columns;
        unit->parts = (rows + VB_UNIT_SAMPLES - 1) / VB_UNIT_SAMPLES;
    }
    const bool encodes = spec->family != VB_PRECOMPUTED && !data->part_count;
    if (encodes) unit->texts += (double)(candidates + names) * templates;
    /* A class has about one other name in WordNet. */
    if (encodes && experiment->prompt_spread.synonyms) unit->texts += classes * templates;
    unit->operations = 2 * (double)shape.images * classes * (double)shape.dim +
                       vb_analyses_operations(experiment->analyses, &shape) +
                       vb_adversarial_operations(&experiment->adversarial, &shape);
    unit->cost = 1 + unit->images * (double)model->image + unit->texts * (double)model->text + unit->operations;
    if (unit->parts < 1) unit->parts = 1;
}

/* ---- items and their order ---- */

/* The model that encodes the corpus of a model's retrieval; NULL without retrieval, and where the corpus has its embeddings. */
static const vb_model_spec *corpus_encoder(const vb_experiment *experiment, const vb_model_spec *model,
                                           const vb_corpus_spec **corpus) {
    const vb_retrieval_spec *retrieval = vb_experiment_retrieval(experiment, model);
    *corpus = retrieval ? vb_experiment_find_corpus(experiment, retrieval->corpus) : NULL;
    return *corpus && !(*corpus)->embeddings ? vb_experiment_index_model(experiment, model) : NULL;
}

/* Whether an expansion has a dataset, or what both are is the same. */
static bool holds(const vb_dataset_spec *data, int d, int wanted) {
    for (int p = 0; p < data->part_count; p++)
        if (data->parts[p] == wanted) return true;
    return d == wanted;
}

/* Whether two datasets or expansions have images in common. */
static bool share_images(const vb_experiment *experiment, int a, int b) {
    const vb_dataset_spec *one = &experiment->datasets[a], *other = &experiment->datasets[b];
    for (int p = 0; p < one->part_count; p++)
        if (holds(other, b, one->parts[p])) return true;
    return holds(other, b, a) || holds(one, a, b);
}

/* Whether two units would encode the same images or the same corpus. */
static bool share_work(const vb_experiment *experiment, const vb_pair_unit *a, const vb_pair_unit *b) {
    const vb_model_spec *first = &experiment->models[a->model], *second = &experiment->models[b->model];
    if (share_images(experiment, a->dataset, b->dataset) && vb_schedule_same_encoder(first, second)) return true;
    const vb_corpus_spec *corpus, *other;
    const vb_model_spec *encoder = corpus_encoder(experiment, first, &corpus), *its = corpus_encoder(experiment, second, &other);
    return encoder && its && corpus == other && vb_schedule_same_encoder(encoder, its);
}

/* Bundles are the connected parts: each is named after its first unit. */
static void make_bundles(vb_schedule *schedule, const vb_experiment *experiment) {
    for (int u = 0; u < schedule->count; u++) {
        schedule->bundle[u] = u;
        for (int i = 0; i < u && !schedule->units[u].finished; i++) {
            int one = schedule->bundle[i], other = schedule->bundle[u], low = one < other ? one : other;
            if (one == other || schedule->units[i].finished || !share_work(experiment, &schedule->units[i], &schedule->units[u]))
                continue;
            for (int k = 0; k <= u; k++)
                if (schedule->bundle[k] == one || schedule->bundle[k] == other) schedule->bundle[k] = low;
        }
    }
}

/* Whether a unit before this one encodes the images of dataset d with its model. */
static bool dataset_is_known(const vb_schedule *schedule, const vb_experiment *experiment, int u, int d) {
    for (int i = 0; i < u; i++) {
        const vb_pair_unit *unit = &schedule->units[i];
        if (!unit->finished && holds(&experiment->datasets[unit->dataset], unit->dataset, d) &&
            vb_schedule_same_encoder(&experiment->models[unit->model], &experiment->models[schedule->units[u].model]))
            return true;
    }
    return false;
}

static bool images_are_known(const vb_schedule *schedule, const vb_experiment *experiment, int u) {
    int d = schedule->units[u].dataset;
    const vb_dataset_spec *data = &experiment->datasets[d];
    bool known = data->part_count || dataset_is_known(schedule, experiment, u, d);
    for (int p = 0; p < data->part_count; p++) known = known && dataset_is_known(schedule, experiment, u, data->parts[p]);
    return known;
}

typedef struct item {
    int first; /* unit */
    double cost;
    int64_t parts;
} item;

static int longest_first(const void *a, const void *b) {
    const item *x = a, *y = b;
    if (x->cost != y->cost) return x->cost < y->cost ? 1 : -1;
    return x->first - y->first;
}

static int as_listed(const void *a, const void *b) { return ((const item *)a)->first - ((const item *)b)->first; }

static int make_items(vb_schedule *schedule, int (*compare)(const void *, const void *), vb_error *err) {
    item *items = vb_array((size_t)schedule->count + 1, sizeof *items, "units", err);
    if (!items) return -1;
    const int *bundle = schedule->bundle;
    int count = 0, filled = 0;
    for (int u = 0; u < schedule->count; u++) {
        const vb_pair_unit *unit = &schedule->units[u];
        if (unit->finished) continue;
        int i = 0;
        while (i < count && items[i].first != bundle[u]) i++;
        if (i == count) items[count++] = (item){.first = bundle[u], .parts = 1};
        items[i].cost += unit->cost;
        if (unit->parts > items[i].parts) items[i].parts = unit->parts;
    }
    qsort(items, (size_t)count, sizeof *items, compare);
    for (int i = 0; i < count; i++) {
        schedule->items[i] = filled;
        schedule->item_costs[i] = items[i].cost;
        schedule->item_parts[i] = items[i].parts;
        for (int u = 0; u < schedule->count; u++)
            if (!schedule->units[u].finished && bundle[u] == items[i].first) schedule->order[filled++] = u;
    }
    assert(filled <= schedule->count);
    schedule->items[count] = filled;
    schedule->item_count = count;
    vb_free(items);
    return 0;
}

int vb_schedule_order(vb_schedule *schedule, const vb_experiment *experiment, const vb_dataset_state *datasets, vb_comm *comm,
                      vb_error *err) {
    size_t models = (size_t)experiment->model_count;
    model_cost *costs = vb_array(models, sizeof *costs, "models", err);
    int status = vb_comm_agree(comm, costs ? 0 : -1, err);
    if (status) goto done;
    /* Each rank looks at some of the files. */
    for (size_t m = (size_t)comm->rank; m < models; m += (size_t)comm->size) costs[m] = cost_of_model(&experiment->models[m]);
    if ((status = vb_comm_max(comm, (int64_t *)costs, models * sizeof *costs / sizeof(int64_t), err))) goto done;
    /* What rank 0 sees of the files decides for all: a rank that could not open one would order the items by itself. */
    const int64_t candidates = comm->rank ? 0 : vb_candidates_lines(&experiment->adversarial.pool),
                  names = comm->rank ? 0 : vb_candidates_lines(&experiment->open_curve.pool);
    make_bundles(schedule, experiment);
    for (int u = 0; !comm->rank && u < schedule->count; u++) {
        vb_pair_unit *unit = &schedule->units[u];
        bool images_too = !images_are_known(schedule, experiment, u);
        estimate(unit, experiment, &datasets[unit->dataset], &costs[unit->model], images_too, candidates, names);
    }
    if ((status = vb_comm_broadcast(comm, schedule->units, (size_t)schedule->count * sizeof *schedule->units, err))) goto done;
    status = vb_comm_agree(comm, make_items(schedule, longest_first, err), err);
done:
    vb_free(costs);
    return status;
}

int vb_schedule_as_listed(vb_schedule *schedule, vb_error *err) { return make_items(schedule, as_listed, err); }
