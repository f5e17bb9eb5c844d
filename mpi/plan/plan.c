/* The plan of an experiment: pairs measured on one rank, without encoding anything. */
#include "mpi/plan/plan.h"

#include <assert.h>
#include <math.h>
#include <omp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/base/memory.h"
#include "mpi/analyse/synonyms.h"
#include "mpi/base/device.h"
#include "mpi/encode/classifier.h"
#include "mpi/encode/encoded_unit.h"
#include "mpi/encode/image_source.h"
#include "mpi/encode/precomputed_labels.h"
#include "mpi/experiment/missing_path.h"
#include "mpi/plan/plan_corpora.h"
#include "mpi/plan/plan_time.h"
#include "mpi/evaluate/evaluate.h"
#include "mpi/evaluate/candidates.h"
#include "mpi/plan/stage_memory.h"
#include "mpi/ranks/groups.h"
#include "mpi/ranks/live.h"
#include "mpi/ranks/threads.h"
#include "mpi/retrieve/cross_fit.h"
#include "mpi/run/rates.h"
#include "mpi/run/schedule.h"
#include "shards/files/path.h"
#include "shards/text/label_sets.h"

/* Measured: a rank before it does anything (MPI, libraries, the tokenizer's tables), and what a class takes in the vocabularies'
 * tables. */
enum { PROCESS = 32 << 20, NAME = 400, MEASURING = 20 /* seconds, at most */ };
/* Of OpenCL's driver (measured: PoCL, 77 MB where programs are kept, 258 MB where LLVM compiles them). */
enum { DRIVER = 256 << 20 };

typedef struct plan {
    const vb_experiment *experiment;
    int ranks;
    bool print;
    vb_plan_sizes sizes;
    int64_t *weights;          /* bytes of every model's file */
    int64_t decode;            /* MiB of decoding memory a rank */
    int64_t candidates, names; /* of adversarial vocabularies and of the open curve */
    vb_wordnet *wordnet;       /* for the classes' synonyms; NULL until it is asked for */
    vb_schedule schedule;
    /* Measured where the plan is printed: */
    vb_plan_rates *rates;             /* of every model */
    vb_rates *earlier;                /* of every model on every dataset, by runs that have been; zeros: none */
    int by_runs, by_measurement;      /* pairs */
    const char *latest;               /* when the latest of those runs ended */
    int threads;                      /* of a rank */
    const vb_gpu_device_info *device; /* on which models are measured; NULL: the CPU */
    vb_error no_device;               /* why that is not the one that the experiment asks for */
    bool gpu;                         /* what models are computed on in the run: a device, be it one that is here or not */
    double here;       /* seconds of an operation on this processor, where `rates` are a device's; 0: not measured */
    double crowd;      /* ranks' threads of a machine for each of its cores, or ranks for each device; 1: no more */
    int64_t on_device; /* bytes that a model takes there, at most */
    int lent;          /* threads of ranks that share a device with the one that encodes */
    double measuring;  /* seconds that it took so far */
    double seconds;    /* of one rank, for all the work */
    bool unknown;      /* a model's rates are not known */
} plan;

static int64_t file_size(const char *path) {
    vb_path_facts facts;
    vb_error none;
    return path && !vb_path_stat(path, &facts, &none) ? (int64_t)facts.size : 0;
}

static void amount(char *text, size_t size, double bytes) {
    static const char *const names[] = {"B", "kB", "MB", "GB", "TB"};
    int i = 0;
    for (; bytes >= 1000 && i < 4; i++) bytes /= 1000;
    snprintf(text, size, "%.*f %s", i ? 1 : 0, bytes, names[i]);
}

/* Whether images and texts are read and encoded for this pair: an expansion's are with its datasets, unless it is evaluated
 * alone. */
static bool is_encoded(const vb_dataset_state *data) { return !data->part_count || data->parts[0]->spec->left_out; }

static int part_count(const vb_dataset_state *data) { return data->part_count ? data->part_count : 1; }
static const vb_dataset_state *part_of(const vb_dataset_state *data, int p) { return data->part_count ? data->parts[p] : data; }

/* What the schedule estimates for the pair. */
static const vb_pair_unit *unit_of(const plan *all, const vb_model_spec *spec, const vb_dataset_spec *data) {
    for (int u = 0; u < all->schedule.count; u++) {
        const vb_pair_unit *unit = &all->schedule.units[u];
        if (&all->experiment->models[unit->model] == spec && &all->experiment->datasets[unit->dataset] == data) return unit;
    }
    return NULL;
}

/* What one pair takes. */
typedef struct pair_sizes {
    int64_t images, units, bytes; /* to read */
    int64_t cached, known;        /* units that lie in the cache, and the images of these */
    int64_t texts, dim;
    int64_t decode; /* MiB for decoding */
    int64_t memory; /* bytes of a rank beside texts and stages */
} pair_sizes;

/* Units of a dataset whose embeddings lie in the cache already: for that, no image is read. */
static int count_cached(const plan *all, const vb_dataset_state *data, const vb_model *model, pair_sizes *sizes, vb_error *err) {
    const vb_encoded_units units = {.data = data,
                                    .cache = {.folder = all->experiment->cache, .key = model->image_key},
                                    .dim = (int)sizes->dim};
    for (int64_t u = 0; u < vb_dataset_units(data->dataset); u++) {
        int images;
        bool found;
        if (vb_encoded_unit_look(&units, u, &images, &found, err)) return -1;
        sizes->cached += found;
        sizes->known += images;
    }
    return 0;
}

/* Weights and work space on the device that is here; 0: none is. */
static int64_t memory_on_device(const plan *all, const vb_model *model, int batch, int64_t texts) {
    const vb_program *image = vb_clip_image_program(model->clip), *text = vb_clip_text_program(model->clip);
    if (!all->device) return 0;
    const int64_t weights = (int64_t)(vb_program_weight_bytes(image) + vb_program_weight_bytes(text)),
                  pictures = (int64_t)vb_gpu_engine_work_bytes(all->device, 1, image, !image->most_patches, batch),
                  words = (int64_t)vb_gpu_engine_work_bytes(all->device, 1, text, false, texts);
    return weights + (pictures > words ? pictures : words);
}

/* Decoding and computing, on the processor or a device. A rank with a device decodes for those that share it with it, too. */
static int64_t memory_of_encoding(plan *all, const vb_model *model, int64_t decode, const pair_sizes *sizes) {
    const vb_experiment *experiment = all->experiment;
    const bool on_device = all->gpu && !model->precision.bf16x3;
    const int threads = (experiment->threads ? (int)experiment->threads : 1) + (on_device ? all->lent : 0),
              batch = on_device && !(all->device && all->device->processor) ? vb_device_batch_on_gpu((int)experiment->batch) :
                                                                              (int)experiment->batch;
    const int64_t texts = sizes->texts < 256 ? sizes->texts : 256,
                  pipeline =
                      vb_pipeline_bytes(&model->facts.preprocess, on_device && !vb_clip_image_program(model->clip)->most_patches,
                                        batch, threads, decode, sizes->bytes);
    if (on_device) {
        const int64_t there = memory_on_device(all, model, batch, texts);
        if (there > all->on_device) all->on_device = there;
        return pipeline + DRIVER +
               (all->device && all->device->processor ? there : 0); /* whose buffers are this machine's memory */
    }
    const int64_t pictures = (int64_t)vb_clip_image_workspace(model->clip, batch),
                  words = (int64_t)vb_clip_text_workspace(model->clip, texts);
    return pipeline + (pictures > words ? pictures : words);
}

/* Images and texts that a model encodes. */
static int measure_encoded(plan *all, const vb_dataset_state *data, const vb_model *model, pair_sizes *sizes, vb_error *err) {
    const vb_clip_info *info = vb_clip_describe(model->clip);
    const vb_experiment *experiment = all->experiment;
    vb_dataset_sizes data_sizes = vb_dataset_state_measure(data);
    *sizes = (pair_sizes){.images = data_sizes.images - data->outside,
                          .units = data_sizes.units,
                          .bytes = data_sizes.bytes,
                          .dim = info->embed_dim};
    for (int p = 0; p < part_count(data); p++) {
        const vb_dataset_state *part = part_of(data, p);
        const int prompts = vb_experiment_prompts(model->spec, part->spec)->count;
        if (is_encoded(data) && count_cached(all, part, model, sizes, err)) return -1;
        sizes->texts += (int64_t)part->space.classes * (prompts ? prompts : 1);
    }
    /* Records are small, and all of one size: the least that there is. */
    const int64_t decode = data->dataset && vb_dataset_records(data->dataset) ? 1 : experiment->decode_memory;
    sizes->decode = decode;
    const int64_t copies =
                      (int64_t)(vb_clip_image_program(model->clip)->owned_bytes + vb_clip_text_program(model->clip)->owned_bytes),
                  unit = data_sizes.unit_images * sizes->dim * 4 + sizes->bytes / (sizes->units ? sizes->units : 1);
    sizes->memory = copies + unit + memory_of_encoding(all, model, decode, sizes);
    return 0;
}

/* Other names that prompt_spread encodes. */
static int count_synonyms(plan *all, const vb_dataset_state *data, int64_t *count, vb_error *err) {
    const vb_prompt_spread_spec *spec = &all->experiment->prompt_spread;
    vb_synonyms synonyms = {0};
    *count = 0;
    if (!spec->asked || !spec->synonyms || data->part_count) return 0;
    int status = all->wordnet ? 0 : vb_wordnet_open(&all->wordnet, spec->wordnet, err);
    if (!status) status = vb_synonyms_find(&synonyms, all->wordnet, &data->vocabularies, err);
    *count = synonyms.count;
    vb_synonyms_free(&synonyms);
    return status;
}

/* Whether a precomputed model's labels are sets, and the bytes that these take. */
static int measure_sets(const vb_model_spec *spec, const vb_dataset_state *data, bool *are_sets, int64_t *bytes, vb_error *err) {
    const vb_embeddings_spec *embeddings = data->part_count ? NULL : vb_experiment_embeddings(spec, data->spec);
    vb_label_sets sets = {0};
    *are_sets = false;
    if (!embeddings) return 0;
    int status = vb_label_sets_read(&sets, are_sets, embeddings->labels, err);
    if (*are_sets) *bytes += (int64_t)((sets.count + 1) * sizeof(int64_t) + sets.offsets[sets.count] * sizeof(int));
    vb_label_sets_free(&sets);
    return status;
}

/* Embeddings of a precomputed model. */
static int measure_precomputed(const vb_model_spec *spec, const vb_dataset_state *data, pair_sizes *sizes, vb_error *err) {
    int64_t all_rows = 0; /* with those of no class, and beyond the limit */
    *sizes = (pair_sizes){0};
    for (int p = 0; p < part_count(data); p++) {
        const vb_embeddings_spec *embeddings = vb_experiment_embeddings(spec, part_of(data, p)->spec);
        vb_npy npy;
        if (vb_npy_open(&npy, embeddings->image_embeddings, err)) return vb_missing_path_key("image_embeddings", err);
        int64_t images, rows = npy.tensor.ndim ? npy.tensor.shape[0] : 0;
        all_rows += rows;
        sizes->units += (rows + VB_UNIT_SAMPLES - 1) / VB_UNIT_SAMPLES;
        sizes->dim = npy.tensor.ndim == 2 ? npy.tensor.shape[1] : 0;
        vb_npy_close(&npy);
        sizes->bytes += file_size(embeddings->image_embeddings) + file_size(embeddings->text_embeddings);
        if (vb_precomputed_labels_check(part_of(data, p), embeddings, &images, err)) return -1;
        sizes->images += images;
    }
    sizes->memory = VB_UNIT_SAMPLES * sizes->dim * 4 + all_rows * 4;
    return 0;
}

static void print_pair(const plan *all, const vb_model_spec *spec, const vb_dataset_state *data, const pair_sizes *sizes,
                       int64_t sent) {
    char read[32], send[32];
    amount(read, sizeof read, (double)sizes->bytes);
    amount(send, sizeof send, (double)sent);
    printf("  %-20s %-20s %9lld %7lld %9lld %8lld %10s %10s %9.3g\n", spec->name, data->spec->name, (long long)sizes->images,
           (long long)sizes->units, (long long)sizes->cached, (long long)sizes->texts, read, send,
           unit_of(all, spec, data->spec) ? unit_of(all, spec, data->spec)->cost * 1e-12 : 0);
}

/* cached: the share of the pair's images that need not be encoded. */
static void add_seconds(plan *all, const vb_pair_unit *unit, bool encoded, double cached) {
    const vb_rates *earlier = &all->earlier[unit->model * all->experiment->dataset_count + unit->dataset];
    const bool known = earlier->image > 0 && earlier->text > 0;
    vb_plan_rates own = all->rates[unit->model];
    const vb_plan_rates *rates = &own;
    if (known) own.image = earlier->image, own.text = earlier->text;
    if (known && strcmp(earlier->finished, all->latest) > 0) all->latest = earlier->finished;
    if (encoded) *(known ? &all->by_runs : &all->by_measurement) += 1;
    all->seconds += unit->images * (1 - cached) * rates->image + unit->texts * rates->text +
                    unit->operations * (all->here > 0 ? all->here : rates->operation);
    all->unknown |= (unit->images * (1 - cached) > 0 && !(rates->image > 0)) || (unit->texts > 0 && !(rates->text > 0));
}

/* What earlier runs of the model took on this kind of machine, by dataset; whether all of its datasets are known. */
static bool recall_rates(plan *all, int m, const vb_model *model, const vb_dataset_state *datasets) {
    const vb_experiment *experiment = all->experiment;
    const vb_model_spec *spec = &experiment->models[m];
    vb_model_sizes sizes;
    vb_error ignored;
    bool whole = true;
    for (int d = 0; d < experiment->dataset_count; d++) {
        if (!vb_experiment_covers(experiment, spec, datasets[d].spec) || !is_encoded(&datasets[d])) continue;
        vb_rates *its = &all->earlier[m * experiment->dataset_count + d];
        const vb_rates_of of = {.cache = experiment->cache,
                                .model = model,
                                .dataset = datasets[d].spec->name,
                                .threads = all->threads,
                                .gpu = all->gpu};
        vb_rates_find(&of, its);
        if (!(its->image > 0) || !(its->text > 0)) whole = false;
        else all->rates[m] = (vb_plan_rates){.image = its->image, .text = its->text};
    }
    if (all->rates[m].image > 0 && !vb_model_measure(spec, VB_MODEL_PROMPT_TOKENS, &sizes, &ignored) && sizes.image_flops > 0)
        all->rates[m].operation = all->rates[m].image / sizes.image_flops;
    return whole && all->rates[m].image > 0;
}

/* What a model's images and texts take, as far as MEASURING goes; of models beyond that by their operations, at the rate of one
 * that was measured. */
static int measure_model(plan *all, int m, const vb_model *model, vb_context *alone, const vb_dataset_state *datasets,
                         vb_error *err) {
    const vb_model_spec *spec = &all->experiment->models[m];
    vb_plan_rates *rates = &all->rates[m];
    int d = 0;
    if (!all->print || recall_rates(all, m, model, datasets)) return 0;
    for (int k = 0; k < m; k++)
        if (vb_schedule_same_encoder(&all->experiment->models[k], spec) && all->rates[k].image > 0) {
            *rates = all->rates[k];
            return 0;
        }
    while (d < all->experiment->dataset_count &&
           (!vb_experiment_covers(all->experiment, spec, datasets[d].spec) || !is_encoded(&datasets[d])))
        d++;
    if (d == all->experiment->dataset_count) return 0;
    if (all->measuring < MEASURING) {
        const double began = vb_live_now();
        const int status =
            vb_plan_time_measure(alone, all->experiment, model, part_of(&datasets[d], 0), all->threads, rates, err);
        all->measuring += vb_live_now() - began;
        return status;
    }
    vb_model_sizes sizes;
    vb_error ignored;
    for (int k = 0; k < m && !(rates->operation > 0); k++) rates->operation = all->rates[k].operation;
    if (vb_model_measure(spec, VB_MODEL_PROMPT_TOKENS, &sizes, &ignored)) return 0;
    rates->image = sizes.image_flops * rates->operation;
    rates->text = sizes.text_flops * rates->operation;
    return 0;
}

/* model: opened, or NULL of a precomputed one. */
static int plan_pair(plan *all, const vb_model_spec *spec, const vb_dataset_state *data, const vb_model *model, vb_error *err) {
    pair_sizes sizes;
    if (model ? measure_encoded(all, data, model, &sizes, err) : measure_precomputed(spec, data, &sizes, err)) return -1;
    const vb_experiment *experiment = all->experiment;
    if (sizes.decode > all->decode) all->decode = sizes.decode;
    int64_t classes = data->space.classes, vocabularies = data->space.vocabularies, orders, tally;
    vb_label_space space = data->space;
    space.sets = data->sets.offsets;
    if (!model && measure_sets(spec, data, &space.sets, &sizes.memory, err)) return -1;
    if (vb_evaluate_counts_bytes(experiment, &space, &tally, &orders, err)) return -1;
    const int templates = vb_experiment_prompts(spec, data->spec)->count;
    int64_t synonyms = 0;
    if (model && count_synonyms(all, data, &synonyms, err)) return -1;
    if (model && !data->part_count) sizes.texts += (synonyms + all->candidates + all->names) * (templates ? templates : 1);
    vb_pair_shape shape = {.images = sizes.images,
                           .classes = classes,
                           .vocabularies = vocabularies,
                           .dim = sizes.dim,
                           .candidates = data->part_count ? 0 : all->candidates,
                           .names = vb_experiment_name_prompts(experiment, spec, data->spec) ? all->names : 0,
                           .trials = experiment->trials,
                           .prompts = templates ? templates : 1,
                           .synonyms = synonyms,
                           .sets = space.sets,
                           .variants =
                               data->part_count ? 0 : vb_prompt_spread_spec_variants(&experiment->prompt_spread, templates),
                           .ranks = all->ranks,
                           .threads = experiment->threads ? (int)experiment->threads : 1,
                           .encoded = model != NULL};
    int64_t memory = sizes.memory + vb_evaluate_texts_bytes(experiment, &shape) + vb_stage_memory(experiment, &shape) + tally +
                     orders + NAME * classes + PROCESS,
            sent = all->ranks > 1 ? (model ? classes * sizes.dim * 4 / all->ranks : 0) + tally : 0;
    if (!data->part_count) memory += vb_cross_fit_bytes(vb_experiment_retrieval(experiment, spec), &shape, tally + orders);
    if (memory > all->sizes.memory_a_rank) all->sizes.memory_a_rank = memory;
    const bool encoded = is_encoded(data);
    if (!encoded) {
        sizes.texts = sizes.bytes = 0;
        if (model) sizes.cached = sizes.units, sizes.known = sizes.images;
    }
    const vb_pair_unit *unit = unit_of(all, spec, data->spec);
    if (all->print) print_pair(all, spec, data, &sizes, sent);
    if (unit) add_seconds(all, unit, encoded, sizes.images ? (double)sizes.known / (double)sizes.images : 0);
    if (encoded) all->sizes.units += sizes.units;
    if (sizes.units > all->sizes.pair_units) all->sizes.pair_units = sizes.units;
    if (model && encoded) all->sizes.write_bytes += (sizes.texts + sizes.images - sizes.known) * sizes.dim * 4;
    all->sizes.read_bytes += sizes.bytes;
    all->sizes.sent_bytes += sent;
    return 0;
}

/* Of weights in the kernels' layout, which the ranks of a machine share (vb_model_expect). */
static int64_t kept_bytes(const plan *all, const vb_model *model) {
    if (all->gpu && !model->precision.bf16x3) return 0; /* the run's: this machine may have none */
    return (int64_t)(vb_clip_kept_floats(model->clip, all->experiment->batch) * sizeof(float));
}

static int plan_models(plan *all, vb_context *context, const vb_dataset_state *datasets, vb_error *err) {
    const vb_experiment *experiment = all->experiment;
    if (all->print)
        printf("  %-20s %-20s %9s %7s %9s %8s %10s %10s %9s\n", "model", "dataset", "images", "units", "in cache", "texts",
               "to read", "to send", "TFLOP");
    for (int m = 0; m < experiment->model_count; m++) {
        const vb_model_spec *spec = &experiment->models[m];
        vb_model model = {0};
        bool encoded = spec->family != VB_PRECOMPUTED;
        if (spec->left_out) continue;
        if (encoded) {
            if (vb_model_open(&model, context, spec, true, 1, NULL, err)) return -1;
            all->weights[m] = model.weights.bytes + kept_bytes(all, &model);
            all->sizes.all_weights += all->weights[m];
            if (all->weights[m] > all->sizes.largest_model) all->sizes.largest_model = all->weights[m];
            all->sizes.read_bytes += model.weights.bytes;
        }
        int status = encoded ? measure_model(all, m, &model, context, datasets, err) : 0;
        if (!encoded && all->print) all->rates[m].operation = vb_plan_time_operation(all->threads);
        for (int d = 0; d < experiment->dataset_count && !status; d++) {
            if (!vb_experiment_covers(experiment, spec, datasets[d].spec)) continue;
            status = plan_pair(all, spec, &datasets[d], encoded ? &model : NULL, err);
        }
        if (encoded) vb_model_close(&model);
        if (status) return -1;
    }
    return 0;
}

static int plan_corpora(plan *all, const vb_dataset_state *datasets, vb_error *err) {
    const vb_experiment *experiment = all->experiment;
    vb_corpora_sizes sizes = {0};
    int64_t *classes = vb_array((size_t)experiment->dataset_count, sizeof *classes, "datasets", err);
    for (int d = 0; classes && d < experiment->dataset_count; d++) classes[d] = datasets[d].space.classes;
    const vb_corpora_request request = {classes, all->rates, all->ranks, all->print};
    int status = classes ? vb_plan_corpora(experiment, &request, &sizes, err) : -1;
    all->seconds += sizes.seconds;
    all->sizes.read_bytes += (int64_t)sizes.read_bytes;
    all->sizes.memory_a_rank += sizes.memory_a_rank; /* beside what the pair needs */
    all->sizes.scan_pieces = sizes.pieces;
    vb_free(classes);
    return status;
}

static int larger_first(const void *a, const void *b) {
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x < y) - (x > y);
}

/* The work of all, divided among the ranks. */
static void print_time(const plan *all, double idle) {
    char text[32];
    if (all->unknown) {
        printf("time: not known, nothing could be encoded here\n");
        return;
    }
    vb_plan_time_text(all->seconds * all->crowd / all->ranks / (idle < 0.99 ? 1 - idle : 0.01), text);
    if (all->by_measurement && all->no_device.code)
        fprintf(stderr, "vocabench: note: the time%s is the CPU's, not a device's: %s\n",
                all->by_runs ? " of what no run with a device has done yet" : "", all->no_device.text);
    printf("time: %s at %d rank%s of %d thread%s, by ", text, all->ranks, all->ranks == 1 ? "" : "s", all->threads,
           all->threads == 1 ? "" : "s");
    if (all->by_runs)
        printf("what earlier runs took on such a processor%s (the latest ended %s)", all->gpu ? " with a device" : "",
               all->latest);
    if (all->by_runs && all->by_measurement)
        printf(" for %d of %d pairs, and ", all->by_runs, all->by_runs + all->by_measurement);
    if (all->by_measurement)
        printf("what was measured here just now%s%s", all->device ? " on " : "", all->device ? all->device->name : "");
    printf(", while nothing else runs and texts are not in the cache\n");
}

/* Groups that one machine holds ranks of, at most: they are numbered on over the machines, and may begin on one and end on
 * another. */
static int groups_on_node(int ranks, int groups, int64_t ranks_a_node) {
    int most = 0, on = 0;
    int64_t node = -1;
    for (int g = 0; g < groups; g++) {
        int first;
        const int64_t last = vb_groups_ranks(ranks, groups, g, &first) + first - 1;
        on = first / ranks_a_node == node ? on + 1 : 1;
        if (on > most) most = on;
        if (last / ranks_a_node > first / ranks_a_node) on = 1;
        node = last / ranks_a_node;
    }
    return most;
}

static int plan_groups(plan *all, int64_t ranks_a_node, vb_error *err) {
    const vb_schedule *schedule = &all->schedule;
    const vb_experiment *experiment = all->experiment;
    double idle;
    int stated = experiment->ranks_per_model ? vb_groups_of_size(all->ranks, experiment->ranks_per_model) : 0;
    int groups = vb_groups_plan(schedule->item_costs, schedule->item_parts, schedule->item_count, all->ranks, stated, &idle, err),
        first;
    if (groups < 0) return -1;
    int most = vb_groups_ranks(all->ranks, groups, 0, &first), fewest = vb_groups_ranks(all->ranks, groups, groups - 1, &first);
    /* On one machine there may be as many models at once as it holds groups: at worst the largest. */
    const int at_once = groups_on_node(all->ranks, groups, ranks_a_node);
    qsort(all->weights, (size_t)experiment->model_count, sizeof *all->weights, larger_first);
    for (int m = 0; m < experiment->model_count && m < at_once; m++) all->sizes.node_weights += all->weights[m];
    if (!all->print) return 0;
    char range[32], read[32], send[32], memory[32], weights[32], node[32];
    snprintf(range, sizeof range, fewest < most ? "%d to %d" : "%d", fewest, most);
    printf("%d group%s of %s rank%s (%s), longest units first; idle: about %.0f%%\n", groups, groups == 1 ? "" : "s", range,
           most == 1 ? "" : "s", stated ? "as stated" : "chosen", 100 * idle);
    const int64_t together = all->sizes.node_weights;
    amount(read, sizeof read, (double)all->sizes.read_bytes);
    amount(send, sizeof send, (double)all->sizes.sent_bytes);
    amount(memory, sizeof memory, (double)all->sizes.memory_a_rank);
    amount(weights, sizeof weights, (double)together);
    amount(node, sizeof node, (double)(together + ranks_a_node * all->sizes.memory_a_rank));
    printf("%lld units; to read: %s; to send: %s a rank; memory: about %s a rank, and weights of up to %s mapped once a node\n",
           (long long)all->sizes.units, read, send, memory, weights);
    if (all->decode)
        printf("of that decoding images: at most %lld MiB (decode_memory), by %s a rank\n", (long long)all->decode,
               experiment->threads ? "as many threads as encode" : "a thread, or as many as encode,");
    if (all->device) {
        char there[32], whole[32];
        amount(there, sizeof there, (double)all->on_device);
        amount(whole, sizeof whole, (double)all->device->memory);
        printf("memory on %s: about %s of %s for each group of ranks that uses it\n", all->device->name, there, whole);
    }
    printf("memory of a node with %lld rank%s: about %s\n", (long long)ranks_a_node, ranks_a_node == 1 ? "" : "s", node);
    print_time(all, idle);
    return 0;
}

static int plan_alone(plan *all, vb_context *alone, int64_t ranks_a_node, vb_error *err) {
    const vb_experiment *experiment = all->experiment;
    vb_dataset_state *datasets = NULL;
    all->weights = vb_array((size_t)experiment->model_count, sizeof *all->weights, "models", err);
    all->rates = vb_array((size_t)experiment->model_count, sizeof *all->rates, "models", err);
    all->earlier =
        vb_array((size_t)experiment->model_count * (size_t)experiment->dataset_count, sizeof *all->earlier, "models", err);
    int status = all->weights && all->rates && all->earlier ? 0 : -1;
    if (!status) status = vb_dataset_state_open_all(&datasets, alone, experiment, err);
    if (!status) status = vb_schedule_list(&all->schedule, experiment, err);
    if (!status) status = vb_schedule_order(&all->schedule, experiment, datasets, &alone->comm, err);
    if (!status) {
        if (all->print) printf("experiment %s at %d rank%s:\n", experiment->name, all->ranks, all->ranks == 1 ? "" : "s");
        status = plan_models(all, alone, datasets, err);
        if (!status) status = plan_corpora(all, datasets, err);
    }
    if (!status) status = plan_groups(all, ranks_a_node < all->ranks ? ranks_a_node : all->ranks, err);
    vb_dataset_state_close_all(datasets, experiment);
    vb_free(all->weights);
    vb_wordnet_close(all->wordnet);
    vb_free(all->rates);
    vb_free(all->earlier);
    vb_schedule_free(&all->schedule);
    return status;
}

/* The device that models are measured on, where the experiment names one and a plan is printed. Where there is none, on a login
 * node say, the CPU's time is told of what no earlier run with a device has done. Of ranks that would share one, one encodes,
 * with the others' threads beside its own. */
static void open_device(plan *all, vb_device *device, vb_context *alone, double together) {
    const vb_experiment *experiment = all->experiment;
    *device = (vb_device){0};
    all->gpu = experiment->device == VB_DEVICE_GPU;
    if (!all->print || experiment->device == VB_DEVICE_CPU) return;
    if (vb_device_open(device, alone, (vb_device_kind)experiment->device, (vb_device_check)experiment->device_check,
                       &all->no_device))
        vb_device_close(device, alone); /* nor is one used that is there and was refused */
    all->gpu = all->gpu || device->gpu;
    if (all->gpu) all->here = vb_plan_time_operation(all->threads);
    if (!device->gpu) return;
    const double crowd = vb_device_crowd(device, together);
    all->device = vb_gpu_device_facts(device->gpu);
    if (crowd > 1) {
        alone->encoders = 1;
        alone->lent = all->lent = all->threads * ((int)ceil(crowd) - 1);
    }
    all->crowd = fmax(all->crowd, crowd);
}

int vb_plan(const vb_experiment *experiment, int ranks, int64_t ranks_a_node, bool print, vb_plan_sizes *sizes, vb_error *err) {
    assert(ranks > 0 && ranks_a_node > 0);
    vb_context alone = {.started = vb_live_now()};
    plan all = {.experiment = experiment, .ranks = ranks, .print = print, .latest = ""};
    all.candidates = vb_candidates_lines(&experiment->adversarial.pool);
    all.names = vb_candidates_lines(&experiment->open_curve.pool);
    if (vb_comm_open_alone(&alone.comm, err)) return -1;
    const double cores = omp_get_num_procs(), together = (double)(ranks_a_node < ranks ? ranks_a_node : ranks);
    all.threads = experiment->threads ? (int)experiment->threads :
                  vb_threads_stated() ? vb_threads_stated() :
                  cores > together    ? (int)(cores / together) :
                                        1;
    all.crowd = fmax(1, all.threads * together / cores);
    vb_device device;
    open_device(&all, &device, &alone, together);
    int status = plan_alone(&all, &alone, ranks_a_node, err);
    vb_device_close(&device, &alone);
    vb_comm_close(&alone.comm);
    *sizes = all.sizes;
    return status;
}
