/* Class names to text embeddings, distributed over the ranks. */
#include "mpi/encode/classifier.h"
#include "mpi/ranks/progress.h"

#include <stdio.h>
#include <string.h>

#include "kernels/base/memory.h"
#include "kernels/openness/direction.h"
#include "mpi/encode/encode.h"
#include "mpi/encode/image_source.h"
#include "mpi/encode/text_list.h"
#include "mpi/experiment/missing_path.h"
#include "mpi/ranks/cyclic.h"
#include "shards/weights/coop.h"
#include "shards/text/prompts.h"
#include "shards/text/texts.h"

enum { FORGET_ROWS = 4096 };

typedef struct text_work {
    const vb_model *model;
    const vb_name_list *names;
    vb_class_texts texts;
    vb_cache cache;
    vb_coop coop; /* learned context vectors, when the prompts are CoOp's */
    int threads, dim, prompts;
} text_work;

/* Tokens of the class names alone, which CoOp's splice needs. */
static int measure_names(const text_work *work, int first, int n, int context_length, int *lengths, vb_error *err) {
    int32_t *ids = vb_array((size_t)context_length, sizeof *ids, "tokens", err);
    int status = ids ? 0 : -1;
    for (int i = 0; i < n && !status; i++) {
        char *name = vb_prompts_fill("{}", vb_vocabularies_called(&work->names->class[first + i]), err);
        status =
            name ? vb_tokenizer_encode(work->model->tokenizer, name, strlen(name), context_length, ids, &lengths[i], err) : -1;
        lengths[i] -= 2; /* start and end */
        vb_free(name);
    }
    vb_free(ids);
    return status;
}

static int encode_rows(const text_work *work, int first, int n, const int32_t *tokens, const int *lengths, float *rows,
                       vb_error *err) {
    const vb_coop *coop = &work->coop;
    if (!coop->contexts) return vb_model_check(work->model, vb_clip_encode_texts(work->model->clip, tokens, n, rows, err), err);
    size_t skip = coop->classes ? (size_t)first * (size_t)coop->contexts * (size_t)coop->width : 0;
    vb_prompt_context context = {.vectors = coop->context + skip,
                                 .n_ctx = coop->contexts,
                                 .width = coop->width,
                                 .class_specific = coop->classes > 0,
                                 .position = work->model->spec->coop_position,
                                 .name_lengths = lengths};
    return vb_model_check(work->model, vb_clip_encode_prompts(work->model->clip, tokens, &context, n, rows, err), err);
}

/* Everything that the rows of a unit depend on, beside the model. */
static int unit_key(const text_work *work, const int32_t *tokens, size_t token_bytes, const int *lengths, int first, int n,
                    vb_digest *key, vb_error *err) {
    const vb_coop *coop = &work->coop;
    vb_digester *digester;
    if (vb_digest_new(&digester, err)) return -1;
    vb_digest_add(digester, tokens, token_bytes);
    if (coop->contexts) {
        size_t one = (size_t)coop->contexts * (size_t)coop->width;
        vb_digest_add(digester, coop->context + (coop->classes ? (size_t)first * one : 0),
                      (coop->classes ? (size_t)n : 1) * one * sizeof(float));
        vb_digest_add(digester, lengths, (size_t)n * sizeof *lengths);
        vb_digest_add(digester, &work->model->spec->coop_position, sizeof(int));
    }
    *key = vb_digest_finish(digester);
    return 0;
}

/* Rows of the prompts of `count` classes from `first` on: count * prompts x dim. */
static int encode_unit(const text_work *work, int first, int count, float *rows, vb_classifier *classifier, vb_error *err) {
    int n = count * work->prompts, context = vb_clip_describe(work->model->clip)->context_length, status = -1;
    size_t token_bytes = (size_t)n * (size_t)context * sizeof(int32_t);
    char **texts = vb_array((size_t)n, sizeof *texts, "prompts", err);
    int32_t *tokens = vb_array(token_bytes, 1, "tokens", err);
    int *lengths = vb_array((size_t)n, sizeof *lengths, "tokens", err);
    vb_digest key;
    bool found;
    if (!texts || !tokens || !lengths || vb_class_texts_fill(&work->texts, first, n, texts, err)) goto done;
    if (vb_encode_tokenize(work->model->tokenizer, (const char *const *)texts, n, context, work->threads, tokens, err)) goto done;
    if (work->coop.contexts && measure_names(work, first, n, context, lengths, err)) goto done;
    if (unit_key(work, tokens, token_bytes, lengths, first, n, &key, err)) goto done;
    if (vb_cache_load(&work->cache, &key, n, work->dim, rows, &found, NULL, err)) goto done;
    *(found ? &classifier->cached : &classifier->encoded) += n;
    if (!found && (encode_rows(work, first, n, tokens, lengths, rows, err) ||
                   vb_cache_store(&work->cache, &key, n, work->dim, rows, NULL, err))) {
        vb_error_prefix(err, "prompts of the classes from '%s' on", work->names->class[first].name);
        goto done;
    }
    status = 0;
done:
    for (int i = 0; texts && i < n; i++) vb_free(texts[i]);
    vb_free(texts);
    vb_free(tokens);
    vb_free(lengths);
    return status;
}

/* classes: what the names are; others have none of the contexts that classes have of their own, however many there are. */
static int open_coop(text_work *work, bool classes, vb_error *err) {
    const char *path = work->names->coop;
    if (!path) return 0;
    if (vb_coop_read(&work->coop, path, err)) return -1;
    if (work->coop.contexts > 256)
        return vb_errorf(err, VB_EUNSUPPORTED, "%s: %d context vectors, at most 256 are supported", path, work->coop.contexts);
    if (work->coop.classes && !classes)
        return vb_errorf(err, VB_EMISMATCH, "%s: contexts of %d classes (class-specific), and none for the names of '%s'", path,
                         work->coop.classes, work->names->source);
    if (work->coop.classes && work->coop.classes != work->names->count)
        return vb_errorf(err, VB_EMISMATCH, "%s: contexts of %d classes (class-specific), but '%s' has %d classes", path,
                         work->coop.classes, work->names->source, work->names->count);
    return 0;
}

/* One class from its prompts' rows: the row as it is, or the normalised mean of the normalised rows. */
static int average(const text_work *work, const float *rows, float *out, const char *name, vb_error *err) {
    if (work->prompts == 1) memcpy(out, rows, (size_t)work->dim * sizeof *out);
    else if (vb_direction_ensemble(rows, work->prompts, work->dim, out, err))
        return vb_error_prefix(err, "prompts of class '%s'", name);
    return 0;
}

/* Units [first, first + mine): averaged into `texts`; kept prompt by prompt in prompt_rows when that is not NULL. texts NULL:
 * into the cache alone. */
static int encode_slice(const text_work *work, vb_context *context, int64_t first, int64_t mine, int per_unit, float *texts,
                        vb_classifier *classifier, vb_error *err) {
    const bool ahead = !texts, known = !ahead && vb_model_is_lent_to(work->model, context);
    size_t dim = (size_t)work->dim, class_rows = (size_t)work->prompts * dim;
    int classes = work->names->count, status = 0;
    float *scratch = vb_array((size_t)per_unit * class_rows, sizeof *scratch, "embeddings of prompts", err);
    if (!scratch) return -1;
    vb_progress progress;
    vb_progress_start(&progress, context, known ? "texts from the cache" : "texts", work->names->source, "texts",
                      (int64_t)classes * work->prompts);
    if (ahead) vb_progress_by(&progress, context->encoders);
    for (int64_t u = first; !status && u < first + mine; u++) {
        int start = (int)u * per_unit, count = classes - start < per_unit ? classes - start : per_unit;
        float *rows = !ahead && classifier->prompt_rows ? classifier->prompt_rows + (size_t)start * class_rows : scratch;
        if ((status = vb_context_check_stop(context, err)) || (status = encode_unit(work, start, count, rows, classifier, err)))
            break;
        for (int c = 0; c < count && !status && !ahead; c++)
            status =
                average(work, rows + (size_t)c * class_rows, texts + ((size_t)(u - first) * (size_t)per_unit + (size_t)c) * dim,
                        work->names->class[start + c].name, err);
        vb_progress_step(&progress, (int64_t)count * work->prompts);
    }
    vb_progress_end(&progress);
    vb_free(scratch);
    return status;
}

/* Where ranks share devices, those that encode do so for all, into the cache, where the others find it. Collective. */
static int encode_ahead(const text_work *work, vb_context *context, int64_t units, int per_unit, vb_classifier *classifier,
                        vb_error *err) {
    int number, count;
    int64_t first = 0;
    if (!vb_model_is_lent_to(work->model, context)) return 0;
    const int64_t mine =
        vb_model_encodes(work->model, context, &number, &count) ? vb_comm_range_of_rank(units, number, count, &first) : 0;
    const int status = mine ? encode_slice(work, context, first, mine, per_unit, NULL, classifier, err) : 0;
    classifier->cached = -classifier->encoded; /* all are found there afterwards */
    return vb_context_barrier(context, status, err);
}

/* Unit by unit from the rank that encoded it to all, which keep what is theirs. The digest is that of all rows in class order. */
static int divide_units(vb_classifier *classifier, vb_comm *comm, const float *slice, int64_t units, int per_unit,
                        vb_error *err) {
    size_t dim = (size_t)classifier->dim;
    vb_digester *digester = NULL;
    float *unit = vb_array((size_t)per_unit * dim, sizeof *unit, "a unit of text embeddings", err);
    int status = unit ? vb_digest_new(&digester, err) : -1;
    status = vb_comm_agree(comm, status, err);
    for (int64_t first = 0, u = 0; u < units && !status; u++) {
        int owner = 0, start = (int)u * per_unit,
            count = classifier->classes - start < per_unit ? classifier->classes - start : per_unit;
        while (vb_comm_range_of_rank(units, owner, comm->size, &first) + first <= u) owner++;
        if (owner == comm->rank) memcpy(unit, slice + (size_t)((u - first) * per_unit) * dim, (size_t)count * dim * sizeof *unit);
        status = vb_comm_broadcast_from(comm, owner, unit, (size_t)count * dim * sizeof *unit, err);
        for (int c = 0; c < count && !status; c++) {
            int whose, place = vb_cyclic_place(start + c, comm->size, &whose);
            if (whose == comm->rank) memcpy(classifier->texts + (size_t)place * dim, unit + (size_t)c * dim, dim * sizeof *unit);
        }
        if (!status) vb_digest_add_piece(digester, unit, (size_t)count * dim * sizeof *unit);
    }
    if (digester) classifier->digest = vb_digest_finish(digester);
    vb_free(unit);
    return status;
}

static text_work begin_work(const vb_encoding *how, const vb_name_list *names) {
    return (text_work){.model = how->model,
                       .names = names,
                       .cache = {.folder = how->cache, .key = how->model->text_key},
                       .threads = how->threads,
                       .dim = vb_clip_describe(how->model->clip)->embed_dim,
                       .prompts = names->coop ? 1 : names->prompts->count};
}

static vb_name_list names_of(const vb_model *model, const vb_dataset_state *data) {
    const char *source = data->part_count ? data->spec->name : data->spec->vocabularies;
    return (vb_name_list){source, data->space.classes, data->vocabularies.class, vb_experiment_prompts(model->spec, data->spec),
                          model->spec->coop};
}

/* Collective. `equal`: of classes; other lists may hold the same twice. */
static int look_at_texts(text_work *work, const vb_encoding *how, bool equal, vb_text_faults *faults, vb_error *err) {
    work->texts = (vb_class_texts){.model = work->model,
                                   .names = work->names,
                                   .contexts = work->coop.contexts,
                                   .own_contexts = work->coop.classes > 0,
                                   .prompts = work->prompts,
                                   .threads = work->threads};
    if (vb_class_texts_look(&work->texts, equal, &how->context->comm, faults, err)) return -1;
    const vb_on_fault unsaid = equal ? VB_ON_FAULT_ERROR : VB_ON_FAULT_ALLOW;
    return vb_class_texts_judge(faults, &how->text_rules, unsaid, work->model->spec->name, work->names->source, err);
}

int vb_classifier_classes_a_unit(int prompts) { return VB_TEXT_UNIT / prompts > 1 ? VB_TEXT_UNIT / prompts : 1; }

static int encode_names(vb_classifier *classifier, const vb_encoding *how, const vb_name_list *names, bool keep_prompts,
                        bool divide, bool equal, vb_error *err) {
    vb_comm *comm = &how->context->comm;
    text_work work = begin_work(how, names);
    int classes = names->count, per_unit = vb_classifier_classes_a_unit(work.prompts);
    int64_t units = (classes + per_unit - 1) / per_unit, first,
            mine = vb_comm_range_of_rank(units, comm->rank, comm->size, &first);
    *classifier = (vb_classifier){.classes = classes, .dim = work.dim, .prompts = work.prompts, .divided = divide};
    /* Rows are exchanged by whole units: the last one is padded. */
    size_t unit_bytes = (size_t)per_unit * (size_t)work.dim * sizeof(float);
    float *slice = NULL;
    if (divide) {
        slice = vb_array((size_t)mine, unit_bytes, "text embeddings", err);
        classifier->texts = vb_array((size_t)vb_cyclic_count(classes, comm->rank, comm->size), (size_t)work.dim * sizeof(float),
                                     "text embeddings", err);
    } else if ((classifier->texts = vb_array((size_t)units, unit_bytes, "text embeddings", err)))
        slice = classifier->texts + (size_t)first * (size_t)per_unit * (size_t)work.dim;
    if (keep_prompts)
        classifier->prompt_rows = vb_array((size_t)units * (size_t)work.prompts, unit_bytes, "embeddings of prompts", err);
    int status = slice && classifier->texts && (!keep_prompts || classifier->prompt_rows) ? open_coop(&work, equal, err) : -1;
    if (names->coop) {
        const vb_coop *coop = &work.coop;
        size_t vectors = (size_t)(coop->classes ? coop->classes : 1) * (size_t)coop->contexts * (size_t)coop->width;
        vb_digest digest = {""};
        if (!status) digest = vb_digest_bytes(coop->context, vectors * sizeof *coop->context);
        status = vb_comm_agree_same(comm, status, digest.hex, names->coop, err);
    }
    if (!(status = vb_comm_agree(comm, status, err))) status = look_at_texts(&work, how, equal, &classifier->faults, err);
    if (!status) status = encode_ahead(&work, how->context, units, per_unit, classifier, err);
    if (!status) status = encode_slice(&work, how->context, first, mine, per_unit, slice, classifier, err);
    vb_coop_free(&work.coop);
    status = vb_context_barrier(how->context, status, err);
    if (!status && divide) status = divide_units(classifier, comm, slice, units, per_unit, err);
    if (!status && !divide) {
        status = vb_comm_allgather_rows(comm, classifier->texts, units, unit_bytes, err);
        classifier->digest = vb_digest_bytes(classifier->texts, (size_t)classes * (size_t)work.dim * sizeof(float));
    }
    if (!status && keep_prompts)
        status = vb_comm_allgather_rows(comm, classifier->prompt_rows, units, unit_bytes * (size_t)work.prompts, err);
    if (divide) vb_free(slice);
    if (status) vb_classifier_free(classifier);
    return status;
}

int vb_classifier_encode(vb_classifier *classifier, const vb_encoding *how, const vb_dataset_state *data, bool keep_prompts,
                         bool divide, vb_error *err) {
    const vb_name_list names = names_of(how->model, data);
    return encode_names(classifier, how, &names, keep_prompts, divide, true, err);
}

int vb_classifier_encode_names(vb_classifier *classifier, const vb_encoding *how, const vb_name_list *names, bool keep_prompts,
                               vb_error *err) {
    return encode_names(classifier, how, names, keep_prompts, false, false, err);
}

int vb_classifier_check_names(const char *coop, const char *source, vb_error *err) {
    const vb_name_list names = {source, 0, NULL, NULL, coop};
    text_work work = {.names = &names};
    const int status = open_coop(&work, false, err);
    vb_coop_free(&work.coop);
    return status;
}

int vb_classifier_look(const vb_encoding *how, const vb_dataset_state *data, vb_text_faults *faults, vb_error *err) {
    const vb_name_list names = names_of(how->model, data);
    text_work work = begin_work(how, &names);
    *faults = (vb_text_faults){0};
    int status = vb_comm_agree(&how->context->comm, open_coop(&work, true, err), err);
    if (!status) status = look_at_texts(&work, how, true, faults, err);
    vb_coop_free(&work.coop);
    return status;
}

/* ---- precomputed ---- */

/* The row of every class when text_names names the rows. */
static int rows_by_name(const vb_dataset_state *data, const vb_embeddings_spec *spec, int64_t rows, int64_t *row_of,
                        vb_error *err) {
    vb_texts names = {0};
    if (vb_texts_read_names(&names, spec->text_names, err)) return vb_missing_path_key("text_names", err);
    int status = 0;
    if ((int64_t)names.count != rows)
        status = vb_errorf(err, VB_EMISMATCH, "%s: %zu names, but %s has %lld rows", spec->text_names, names.count,
                           spec->text_embeddings, (long long)rows);
    for (int c = 0; c < data->space.classes; c++) row_of[c] = -1;
    for (int64_t i = 0; i < rows && !status; i++) {
        int class = vb_vocabularies_find(&data->vocabularies, names.items[i]);
        if (class >= 0 && row_of[class] >= 0)
            status = vb_errorf(err, VB_EMISMATCH, "%s: rows %lld and %lld are both of class '%s': which of them is it?",
                               spec->text_names, (long long)row_of[class], (long long)i, data->vocabularies.class[class].name);
        else if (class >= 0) row_of[class] = i;
    }
    for (int c = 0; c < data->space.classes && !status; c++) {
        const vb_class *class = &data->vocabularies.class[c];
        if (row_of[c] < 0)
            status = vb_errorf(err, VB_EMISMATCH, "%s: no row for class '%s'%s%s", spec->text_names, class->name,
                               class->id ? ", id " : "", class->id ? class->id : "");
    }
    vb_texts_free(&names);
    return status;
}

/* Rank 0: classes whose rows are the same, which are a fault where the rules say so. */
static int judge_rows(vb_classifier *classifier, const vb_encoding *how, const vb_digest *rows, const vb_dataset_state *data,
                      const char *model, vb_error *err) {
    if (vb_class_texts_equal(rows, classifier->classes, data->vocabularies.class, &classifier->faults, err)) return -1;
    const vb_on_fault unsaid = how->model ? VB_ON_FAULT_ERROR : VB_ON_FAULT_ALLOW;
    return vb_class_texts_judge(&classifier->faults, &how->text_rules, unsaid, model, data->spec->name, err);
}

static int read_precomputed(vb_classifier *classifier, const vb_encoding *how, const vb_model_spec *model,
                            const vb_dataset_state *data, bool divide, vb_error *err) {
    const vb_comm *comm = &how->context->comm;
    const vb_embeddings_spec *spec = vb_experiment_embeddings(model, data->spec);
    vb_digest *digests = NULL;
    vb_npy npy;
    int64_t *row_of = NULL, classes = data->space.classes;
    float *row = NULL;
    vb_digester *digester = NULL;
    int status = -1;
    if (vb_npy_open(&npy, spec->text_embeddings, err)) return vb_missing_path_key("text_embeddings", err);
    const vb_tensor *tensor = &npy.tensor;
    if (tensor->ndim != 2 || tensor->shape[1] < 1 || tensor->shape[1] > 65536 ||
        (tensor->dtype != VB_F32 && tensor->dtype != VB_F16 && tensor->dtype != VB_F64)) {
        vb_errorf(err, VB_EMISMATCH, "%s: expected classes x dimensions of fp16, fp32 or fp64, found %d dimension(s) of %s",
                  spec->text_embeddings, tensor->ndim, vb_dtype_name(tensor->dtype));
        goto done;
    }
    if (!spec->text_names && tensor->shape[0] != classes) {
        vb_errorf(err, VB_EMISMATCH, "%s: %lld rows, but %s has %lld classes; name the rows with text_names",
                  spec->text_embeddings, (long long)tensor->shape[0], data->spec->vocabularies, (long long)classes);
        goto done;
    }
    *classifier = (vb_classifier){.classes = (int)classes, .dim = (int)tensor->shape[1], .divided = divide};
    size_t dim = (size_t)classifier->dim,
           kept = divide ? (size_t)vb_cyclic_count((int)classes, comm->rank, comm->size) : (size_t)classes;
    classifier->texts = vb_array(kept * dim, sizeof(float), "text embeddings", err);
    row_of = vb_array((size_t)classes, sizeof *row_of, "text rows", err);
    row = vb_array(dim, sizeof *row, "text row", err);
    digests = vb_array(comm->rank ? 0 : (size_t)classes, sizeof *digests, "text rows", err);
    if (!classifier->texts || !row_of || !row || !digests || vb_digest_new(&digester, err)) goto done;
    for (int64_t c = 0; c < classes; c++) row_of[c] = c;
    if (spec->text_names && rows_by_name(data, spec, tensor->shape[0], row_of, err)) goto done;
    /* Rank 0 reads all rows, for the digest. The file's pages are let go on the way: the rows are needed once. */
    for (int c = 0, read = 0; c < classes; c++) {
        int owner, place = divide ? vb_cyclic_place(c, comm->size, &owner) : c;
        bool mine = !divide || owner == comm->rank;
        if (!mine && comm->rank) continue;
        if (vb_image_source_float_rows(&npy, spec->text_embeddings, row_of[c], 1, row, err)) goto done;
        vb_digest_add_piece(digester, row, dim * sizeof *row);
        if (!comm->rank) digests[c] = vb_digest_bytes(row, dim * sizeof *row);
        if (mine) memcpy(classifier->texts + (size_t)place * dim, row, dim * sizeof *row);
        if (++read % FORGET_ROWS == 0) vb_map_drop_pages(&npy.map);
    }
    status = comm->rank ? 0 : judge_rows(classifier, how, digests, data, model->name, err);
done:
    status = vb_map_judge(&npy.map, status, err);
    if (digester) classifier->digest = vb_digest_finish(digester);
    vb_free(row_of);
    vb_free(row);
    vb_free(digests);
    vb_npy_close(&npy);
    return status;
}

int vb_classifier_precomputed(vb_classifier *classifier, const vb_encoding *how, const vb_model_spec *model,
                              const vb_dataset_state *data, bool divide, vb_error *err) {
    vb_comm *comm = &how->context->comm;
    *classifier = (vb_classifier){0};
    int status = read_precomputed(classifier, how, model, data, divide, err);
    char seen[128];
    snprintf(seen, sizeof seen, "%d x %d numbers%s%s", classifier->classes, classifier->dim, divide ? "" : " of the digest ",
             divide ? "" : classifier->digest.hex);
    if (!vb_comm_agree_same(comm, status, seen, vb_experiment_embeddings(model, data->spec)->text_embeddings, err)) return 0;
    vb_classifier_free(classifier);
    return -1;
}

int vb_classifier_joined(vb_classifier *classifier, const vb_encoding *how, const char *model, const vb_dataset_state *data,
                         const vb_classifier *parts, vb_error *err) {
    int classes = data->space.classes;
    size_t dim = (size_t)parts->dim;
    *classifier = (vb_classifier){.classes = classes, .dim = parts->dim, .prompts = parts->prompts};
    for (int p = 0; p < data->part_count; p++) {
        if (parts[p].dim != parts->dim)
            return vb_errorf(err, VB_EMISMATCH, "text embeddings of dataset '%s' have %d dimensions, those of '%s' %d",
                             data->parts[p]->spec->name, parts[p].dim, data->parts[0]->spec->name, parts->dim);
        if (parts[p].prompts != parts->prompts) classifier->prompts = -1;
        classifier->encoded += parts[p].encoded;
        classifier->cached += parts[p].cached;
        const vb_text_faults *its = &parts[p].faults;
        classifier->faults.texts += its->texts;
        if (its->cut && !classifier->faults.cut) strcpy(classifier->faults.cut_example, its->cut_example);
        classifier->faults.cut += its->cut;
        classifier->faults.cut_classes += its->cut_classes;
    }
    if (!(classifier->texts = vb_array((size_t)classes * dim, sizeof(float), "text embeddings", err))) return -1;
    for (int c = 0; c < classes; c++) {
        const vb_classifier *part = &parts[data->joined.part_of[c]];
        memcpy(classifier->texts + (size_t)c * dim, part->texts + (size_t)data->joined.origin[c] * dim, dim * sizeof(float));
    }
    classifier->digest = vb_digest_bytes(classifier->texts, (size_t)classes * dim * sizeof(float));
    vb_digest *digests = vb_array((size_t)classes, sizeof *digests, "classes", err);
    for (int c = 0; digests && c < classes; c++)
        digests[c] = vb_digest_bytes(classifier->texts + (size_t)c * dim, dim * sizeof(float));
    int status = digests ? judge_rows(classifier, how, digests, data, model, err) : -1;
    vb_free(digests);
    return status;
}

void vb_classifier_free(vb_classifier *classifier) {
    vb_free(classifier->texts);
    vb_free(classifier->prompt_rows);
    *classifier = (vb_classifier){0};
}
