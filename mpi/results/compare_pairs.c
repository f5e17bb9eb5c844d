/* All pairs of two folders' results, one after the other, and Holm's correction over them. */
#include "mpi/results/compare_pairs.h"

#include <math.h>
#include <string.h>

#include "kernels/base/memory.h"
#include "shards/files/path.h"

static int compare_pair(vb_compare_pairs *all, size_t *capacity, const vb_compare_request *request, const json_t *a,
                        const json_t *b, vb_error *err) {
    vb_compare_request one = *request;
    vb_compare_runs runs;
    const json_t *const entries[] = {a, b};
    if (vb_grow((void **)&all->pair, capacity, (size_t)all->count + 1, sizeof *all->pair, "pairs of models", err)) return -1;
    vb_compared_pair *its = &all->pair[all->count++];
    *its = (vb_compared_pair){.dataset = vb_strdup(vb_json_text(a, "dataset"), err)};
    for (int s = 0; s < 2; s++) {
        one.models[s] = vb_json_text(entries[s], "model");
        one.datasets[s] = vb_json_text(entries[s], "dataset");
        its->models[s] = vb_strdup(one.models[s], err);
    }
    if (!its->dataset || !its->models[0] || !its->models[1]) return -1;
    int status = vb_compare_runs_open(&runs, &one, err);
    if (status) vb_error_prefix(err, "'%s' and '%s' on '%s'", its->models[0], its->models[1], its->dataset);
    its->images = runs.pairing.count;
    if (!status) memcpy(its->figure, runs.result.figure, sizeof its->figure);
    vb_compare_runs_close(&runs);
    return status;
}

/* By Holm over the pairs: each figure, and each of its two tests, is a family. */
static int correct_pairs(vb_compare_pairs *all, vb_error *err) {
    double *p = vb_array((size_t)all->count, sizeof *p, "p-values", err),
           *holm = p ? vb_array((size_t)all->count, sizeof *holm, "p-values", err) : NULL;
    int status = holm ? 0 : -1;
    for (int k = 0; k < 2 * VB_FIGURES && !status; k++) {
        for (int i = 0; i < all->count; i++) {
            const vb_compared *figure = &all->pair[i].figure[k / 2];
            p[i] = k % 2 ? figure->by_class.p : figure->p;
        }
        status = vb_clustered_holm(holm, p, all->count, err);
        for (int i = 0; i < all->count && !status; i++) all->pair[i].figure[k / 2].holm[k % 2] = holm[i];
    }
    vb_free(p);
    vb_free(holm);
    return status;
}

int vb_compare_pairs_open(vb_compare_pairs *all, const vb_compare_request *request, vb_error *err) {
    vb_result_folder folders[2] = {{0}};
    size_t capacity = 0;
    *all = (vb_compare_pairs){.trials = request->trials, .seed = request->seed};
    int status = vb_result_folder_open(&folders[0], request->paths[0], err);
    if (!status) status = vb_result_folder_open(&folders[1], request->paths[1], err);
    all->one_folder = !status && vb_path_is_same(folders[0].path, folders[1].path);
    const json_t *a = json_object_get(folders[0].document, "results"), *b = json_object_get(folders[1].document, "results");
    for (size_t i = 0; i < json_array_size(a) && !status; i++)
        for (size_t j = all->one_folder ? i + 1 : 0; j < json_array_size(b) && !status; j++) {
            const json_t *of_a = json_array_get(a, i), *of_b = json_array_get(b, j);
            const char *dataset = vb_json_text(of_a, "dataset");
            if (strcmp(dataset, vb_json_text(of_b, "dataset"))) continue;
            if (request->datasets[0] && strcmp(dataset, request->datasets[0])) continue;
            status = compare_pair(all, &capacity, request, of_a, of_b, err);
        }
    if (!status && !all->count)
        status =
            vb_errorf(err, VB_EUSAGE, "%s and %s have no pair of results on one dataset%s%s", folders[0].path, folders[1].path,
                      request->datasets[0] ? " of the name " : "", request->datasets[0] ? request->datasets[0] : "");
    if (!status) status = correct_pairs(all, err);
    vb_result_folder_close(&folders[0]);
    vb_result_folder_close(&folders[1]);
    return status;
}

void vb_compare_pairs_close(vb_compare_pairs *all) {
    for (int i = 0; i < all->count; i++) {
        vb_free(all->pair[i].models[0]);
        vb_free(all->pair[i].models[1]);
        vb_free(all->pair[i].dataset);
    }
    vb_free(all->pair);
    *all = (vb_compare_pairs){0};
}

int vb_compare_pairs_write(const vb_compare_pairs *all, const char *path, vb_error *err) {
    vb_json json = {0};
    json_t *document = vb_json_object(&json);
    vb_json_set_text(&json, document, "schema", "vocabench.compare_pairs/1");
    vb_json_set_integer(&json, document, "permutations", all->trials);
    vb_json_set_integer(&json, document, "seed", all->seed);
    json_t *list = vb_json_set_array(&json, document, "pairs");
    for (int i = 0; i < all->count; i++) {
        const vb_compared_pair *its = &all->pair[i];
        json_t *entry = vb_json_object(&json);
        vb_json_set_text(&json, entry, "a", its->models[0]);
        vb_json_set_text(&json, entry, "b", its->models[1]);
        vb_json_set_text(&json, entry, "dataset", its->dataset);
        vb_json_set_integer(&json, entry, "images", its->images);
        vb_compare_runs_put_figures(&json, entry, its->figure, true);
        vb_json_append(&json, list, entry);
    }
    int status = vb_json_end(&json, "the comparison", err);
    if (!status) status = vb_json_write(document, path, err);
    json_decref(document);
    return status;
}
