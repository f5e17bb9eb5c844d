/* `vocabench compare`: paired statistics of two results on the same images. */
#include <math.h>
#include <stdio.h>

#include "mpi/base/json.h"
#include "mpi/command/cmd.h"
#include "mpi/figures/grid.h"
#include "mpi/results/compare_pairs.h"

const vb_flag vb_cmd_compare_flags[] = {
    {.name = "model",
     .kind = VB_FLAG_LIST,
     .value = "MODEL",
     .help = "the model, where results hold several; twice: of A, then of B"},
    {.name = "dataset",
     .kind = VB_FLAG_LIST,
     .value = "DATASET",
     .help = "the dataset, where results hold several; twice: of A, then of B"},
    {.name = "allow",
     .kind = VB_FLAG_TEXT,
     .value = "LIST",
     .help = "compare although these differ: data,vocabularies,prompts,preprocessing"},
    {.name = "permutations",
     .kind = VB_FLAG_NUMBER,
     .value = "N",
     .help = "sign vectors drawn for a permutation test [10000]",
     .low = 1,
     .high = 1000000000},
    {.name = "seed", .kind = VB_FLAG_NUMBER, .value = "N", .help = "of that drawing [0]", .high = 0xffffffff},
    {.name = "pairs", .kind = VB_FLAG_SWITCH, .help = "every model of A against every one of B, p by Holm over the pairs"},
    {.name = "json",
     .kind = VB_FLAG_TEXT,
     .value = "FILE",
     .plain = true,
     .help = "write everything, in full precision, as JSON too"},
    {0},
};

const char vb_cmd_compare_details[] =
    "A and B are output folders of `run --per-image`, or their results.json. "
    "Differences are B - A; after +- stands the standard error\n"
    "of the paired difference, classes being clusters. p by images: McNemar's exact test where images are right or "
    "wrong; elsewhere a\npermutation test that flips the signs of the images' differences (all sign vectors up to 20 "
    "differing images, else drawn ones).\np by classes: the same flips of whole classes, whose images err together. Those of "
    "vocabularies are corrected by Holm. All are\ntwo-sided.";

static const char note[] = "±: standard error of the difference by classes as clusters; by images and vocabularies: --json";

static const char *const figure_names[VB_FIGURES] = {"Acc-C", "Acc-E", "Acc-S", "all classes"};

static void p_cell(vb_grid *grid, double p) {
    if (!isfinite(p)) vb_grid_cell(grid, "-");
    else if (p == 0) vb_grid_cell(grid, "<1e-300");
    else if (p < 1e-4) vb_grid_cell(grid, "%.1e", p);
    else vb_grid_cell(grid, "%.4f", p);
}

static void difference_cell(vb_grid *grid, const vb_compared *figure) {
    if (!isfinite(figure->mean.difference)) vb_grid_cell(grid, "-");
    else if (!isfinite(figure->error[VB_SPREAD_CLASSES])) vb_grid_cell(grid, "%+.2f", 100 * figure->mean.difference);
    else vb_grid_cell(grid, "%+.2f ± %.2f", 100 * figure->mean.difference, 100 * figure->error[VB_SPREAD_CLASSES]);
}

static void value_cell(vb_grid *grid, double value) {
    if (isfinite(value)) vb_grid_cell(grid, "%.2f", 100 * value);
    else vb_grid_cell(grid, "-");
}

static void flips_cell(vb_grid *grid, const char *name, const vb_flip_test *test, const char *of) {
    vb_grid_cell(grid, "%s%lld%s of %lld %s", name, (long long)test->trials, test->exact ? ", all," : "", (long long)test->moving,
                 of);
}

static void overall_row(vb_grid *grid, const char *name, const vb_compared *figure) {
    vb_grid_cell(grid, "%s", name);
    value_cell(grid, figure->mean.a);
    value_cell(grid, figure->mean.b);
    difference_cell(grid, figure);
    p_cell(grid, figure->p);
    p_cell(grid, figure->by_class.p);
    if (!isfinite(figure->p)) {
        vb_grid_cell(grid, "-");
        vb_grid_cell(grid, "-");
        return;
    }
    if (figure->flips.trials) flips_cell(grid, "sign flips: ", &figure->flips, "images");
    else vb_grid_cell(grid, "McNemar: %lld in A only, %lld in B only", (long long)figure->only_a, (long long)figure->only_b);
    flips_cell(grid, "", &figure->by_class, "classes");
}

static void put_heads(vb_strbuf *out, const vb_compared_run *it) {
    vb_strbuf_format(out, "%c  '%s' on '%s'  %s\n", it->letter, vb_json_text(it->entry, "model"),
                     vb_json_text(it->entry, "dataset"), it->folder.path);
}

/* Rows of differences and of the p-values of both tests, each behind the cells that name them. */
typedef struct pair_of_grids {
    vb_grid differences, tests;
} pair_of_grids;

static void begin_grids(pair_of_grids *grids, const char *const *names, int count) {
    *grids = (pair_of_grids){{.columns = count + 1 + VB_FIGURES, .left = (1u << count) - 1, .note = note},
                             {.columns = count + 2 * VB_FIGURES, .left = (1u << count) - 1}};
    for (int c = 0; c < count; c++) {
        vb_grid_cell(&grids->differences, "%s", names[c][0] ? names[c] : "B-A");
        vb_grid_cell(&grids->tests, "%s", names[c][0] ? names[c] : "p by Holm");
    }
    vb_grid_cell(&grids->differences, "images");
    for (int f = 0; f < VB_FIGURES; f++) {
        vb_grid_cell(&grids->differences, "%s", figure_names[f]);
        vb_grid_cell(&grids->tests, "%s", figure_names[f]);
        vb_grid_cell(&grids->tests, "by classes");
    }
}

static void add_row(pair_of_grids *grids, const char *const *names, int count, int64_t images, const vb_compared *figure) {
    for (int c = 0; c < count; c++) {
        vb_grid_cell(&grids->differences, "%s", names[c]);
        vb_grid_cell(&grids->tests, "%s", names[c]);
    }
    vb_grid_cell(&grids->differences, "%lld", (long long)images);
    for (int f = 0; f < VB_FIGURES; f++) {
        difference_cell(&grids->differences, &figure[f]);
        for (int k = 0; k < 2; k++) p_cell(&grids->tests, figure[f].holm[k]);
    }
}

static void put_grids(pair_of_grids *grids, vb_strbuf *out, int count, const char *of) {
    vb_strbuf_add(out, "\n");
    vb_grid_put(&grids->differences, VB_GRID_TERMINAL, out);
    vb_strbuf_add(out, "\n");
    vb_grid_put(&grids->tests, VB_GRID_TERMINAL, out);
    vb_strbuf_format(out, "p: of %d %s, corrected by Holm; as they are: --json\n", count, of);
    vb_grid_free(&grids->differences);
    vb_grid_free(&grids->tests);
}

static void put_vocabularies(vb_strbuf *out, const vb_comparison *result) {
    pair_of_grids grids;
    begin_grids(&grids, (const char *const[]){""}, 1);
    for (int v = 0; v < result->vocabularies; v++)
        add_row(&grids, &result->vocabulary[v].name, 1, result->vocabulary[v].images, result->vocabulary[v].figure);
    put_grids(&grids, out, result->vocabularies, "vocabularies");
}

static int print_pairs(const vb_compare_pairs *all, vb_error *err) {
    vb_strbuf out = {0};
    pair_of_grids grids;
    vb_strbuf_add(&out, "means over vocabularies, accuracy among all classes over images; differences in points\n");
    begin_grids(&grids, (const char *const[]){"B", "less A", "dataset"}, 3);
    for (int i = 0; i < all->count; i++)
        add_row(&grids, (const char *const[]){all->pair[i].models[1], all->pair[i].models[0], all->pair[i].dataset}, 3,
                all->pair[i].images, all->pair[i].figure);
    put_grids(&grids, &out, all->count, "pairs");
    int status = vb_strbuf_end(&out, "the table", err);
    if (!status) printf("%s", out.bytes);
    vb_strbuf_free(&out);
    return status;
}

static int print_tables(const vb_compare_runs *work, vb_error *err) {
    const vb_comparison *result = &work->result;
    vb_strbuf out = {0};
    put_heads(&out, &work->a);
    put_heads(&out, &work->b);
    vb_strbuf_format(&out, "%lld images in both, %d vocabularies; percent, differences in points\n",
                     (long long)work->pairing.count, result->vocabularies);
    size_t i;
    json_t *difference;
    json_array_foreach(work->differences, i, difference) {
        vb_strbuf_format(&out, "note: %s (allowed)\n", vb_json_text(difference, "what"));
    }
    if (vb_compare_runs_precomputed(&work->a) && vb_compare_runs_precomputed(&work->b))
        vb_strbuf_add(
            &out, "note: of precomputed embeddings, prompts, preprocessing and images cannot be compared: only labels were\n");
    if (work->pairing.only_a || work->pairing.only_b)
        vb_strbuf_format(&out, "note: left out: %lld images only in A, %lld only in B\n", (long long)work->pairing.only_a,
                         (long long)work->pairing.only_b);

    vb_grid overall = {.columns = 8, .left = 1 | 3 << 6, .note = note};
    vb_grid_heads(&overall,
                  (const char *const[]){"", "A", "B", "B-A", "p by images", "by classes", "test by images", "by classes"});
    for (int f = 0; f < VB_FIGURES; f++) overall_row(&overall, figure_names[f], &result->figure[f]);
    overall_row(&overall, "own, by image", &result->own);
    vb_strbuf_add(&out, "\n");
    vb_grid_put(&overall, VB_GRID_TERMINAL, &out);
    vb_grid_free(&overall);
    put_vocabularies(&out, result);
    int status = vb_strbuf_end(&out, "the table", err);
    if (!status) printf("%s", out.bytes);
    vb_strbuf_free(&out);
    return status;
}

/* The value for side n, 0 or 1, of a flag that may be given twice: once serves both sides. */
static const char *of_side(const vb_arguments *arguments, const char *name, int n) {
    const char *first = vb_arguments_list(arguments, name, 0), *second = vb_arguments_list(arguments, name, 1);
    return n && second ? second : first;
}

static int compare_pairs(const vb_arguments *arguments, const vb_compare_request *request, vb_error *err) {
    const char *path = vb_arguments_text(arguments, "json");
    if (request->models[0])
        return vb_errorf(err, VB_EUSAGE, "compare: --pairs takes all models, --model two; expected one of them");
    if (vb_arguments_list(arguments, "dataset", 1))
        return vb_errorf(err, VB_EUSAGE,
                         "compare: --pairs compares on datasets of one name; expected --dataset once, or not at all");
    vb_compare_pairs pairs;
    int status = vb_compare_pairs_open(&pairs, request, err);
    if (!status && path) status = vb_compare_pairs_write(&pairs, path, err);
    if (!status) status = print_pairs(&pairs, err);
    vb_compare_pairs_close(&pairs);
    return status;
}

static int compare(const vb_arguments *arguments, vb_error *err) {
    const char *path = vb_arguments_text(arguments, "json");
    vb_compare_request request = {.allow = vb_arguments_text(arguments, "allow"),
                                  .trials = vb_arguments_number(arguments, "permutations", 10000),
                                  .seed = (uint32_t)vb_arguments_number(arguments, "seed", 0)};
    for (int n = 0; n < 2; n++) {
        request.paths[n] = arguments->positional[n];
        request.models[n] = of_side(arguments, "model", n);
        request.datasets[n] = of_side(arguments, "dataset", n);
    }
    if (vb_arguments_given(arguments, "pairs")) return compare_pairs(arguments, &request, err);
    vb_compare_runs runs;
    int status = vb_compare_runs_open(&runs, &request, err);
    if (!status && path) status = vb_compare_runs_write(&runs, path, err);
    if (!status) status = print_tables(&runs, err);
    vb_compare_runs_close(&runs);
    return status;
}

int vb_cmd_compare(vb_context *context, const vb_arguments *arguments, vb_error *err) {
    return vb_comm_agree(&context->comm, context->comm.rank ? 0 : compare(arguments, err), err);
}
