/* Prompts: templates x class names to embeddings of the classes, as a run makes them: filled in, looked at, cut into tokens,
 * looked for in the cache, encoded by units, kept in the cache, averaged. Each pass has a cache key of its own, so nothing is
 * found. */
#include <string.h>

#include "kernels/base/memory.h"
#include "mpi/encode/classifier.h"
#include "tests/bench/peers_modes.h"

static int open_prompts(peers_runner *r, char **arguments, vb_error *err) {
    r->cache = arguments[2];
    r->spec.tower = VB_TOWER_TEXT;
    r->spec.stated.resolution = VB_FACTS_NO_IMAGES;
    if (vb_prompts_read(&r->templates, arguments[0], err) || vb_vocabularies_read(&r->vocabularies, arguments[1], err) ||
        vb_model_open(&r->model, &r->context, &r->spec, true, r->threads, r->cache, err))
        return -1;
    r->items = (int64_t)r->templates.count * r->vocabularies.classes;
    r->out = vb_array((size_t)(r->items * vb_clip_describe(r->model.clip)->embed_dim), sizeof *r->out, "embeddings", err);
    return r->out ? 0 : -1;
}

static void print_prompts_ready(const peers_runner *r) {
    const vb_clip_info *info = vb_clip_describe(r->model.clip);
    const int unit = vb_classifier_classes_a_unit(r->templates.count) * r->templates.count;
    printf("%lld %d %.9g %d %d\n", (long long)r->items, info->embed_dim,
           vb_program_flops(vb_clip_text_program(r->model.clip), info->context_length), info->context_length, unit);
}

static int encode(peers_runner *r, bool keep, vb_error *err) {
    r->passes++;
    r->model.text_key = vb_digest_bytes(&r->passes, sizeof r->passes);
    const vb_encoding how = {.context = &r->context,
                             .model = &r->model,
                             .cache = r->cache,
                             .batch = 1,
                             .threads = r->threads,
                             .text_rules = {VB_ON_FAULT_UNSAID, VB_ON_FAULT_UNSAID}};
    const vb_name_list names = {.source = "prompts",
                                .count = r->vocabularies.classes,
                                .class = r->vocabularies.class,
                                .prompts = &r->templates};
    vb_classifier classifier;
    if (vb_classifier_encode_names(&classifier, &how, &names, keep, err)) return -1;
    int status = 0;
    if (classifier.cached)
        status =
            vb_errorf(err, VB_EDATA, "%s: expected an empty cache, found %lld texts", r->cache, (long long)classifier.cached);
    if (!status && keep) memcpy(r->out, classifier.prompt_rows, (size_t)r->items * (size_t)classifier.dim * sizeof *r->out);
    vb_classifier_free(&classifier);
    return status;
}

static int all_of_them(const peers_runner *r, int64_t items, vb_error *err) {
    if (items == r->items) return 0;
    return vb_errorf(err, VB_EUSAGE, "expected all %lld prompts, found %lld", (long long)r->items, (long long)items);
}

static int run_prompts(peers_runner *r, int64_t items, vb_error *err) {
    return all_of_them(r, items, err) ? -1 : encode(r, false, err);
}

static int save_prompts(peers_runner *r, int64_t items, vb_error *err) {
    return all_of_them(r, items, err) ? -1 : encode(r, true, err);
}

static int no_more(peers_runner *r, const char *line, vb_error *err) {
    (void)r, (void)line, (void)err;
    return 1;
}

static void close_prompts(peers_runner *r) {
    vb_prompts_free(&r->templates);
    vb_vocabularies_free(&r->vocabularies);
}

const peers_mode peers_prompts = {.name = "prompts",
                                  .arguments = "TEMPLATES VOCABULARIES CACHE",
                                  .count = 3,
                                  .open = open_prompts,
                                  .print_ready = print_prompts_ready,
                                  .run = run_prompts,
                                  .save = save_prompts,
                                  .more = no_more,
                                  .close = close_prompts};
