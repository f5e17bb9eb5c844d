/* Opening a model: weights, encoder, tokenizer and the keys of its cached work. */
#include "mpi/encode/model.h"

#include <stdio.h>
#include <string.h>

#include "kernels/base/memory.h"
#include "mpi/base/device.h"
#include "mpi/encode/text_convention.h"
#include "mpi/experiment/missing_path.h"
#include "mpi/ranks/byte_progress.h"
#include "shards/text/tokenizer_file.h"
#include "shards/weights/learned_parts.h"

/* To be raised when a change of the kernels changes embeddings: old cached units are then not found. */
static const char encoder_revision[] = "encoder/1";

/* "clipa, openvision": the families that fit; false when none does. */
static bool list_fitting(const vb_tensor_set *weights, char *names, size_t size) {
    size_t used = 0;
    for (int i = 0; i < VB_FAMILY_COUNT && used < size; i++)
        if (vb_family_fits(vb_family_at(i), weights))
            used += (size_t)snprintf(names + used, size - used, "%s%s", used ? ", " : "", vb_family_at(i)->name);
    return used > 0;
}

int vb_model_family(const vb_weights *weights, int stated, const vb_family **family, vb_error *err) {
    const vb_family *hint = weights->family_hint ? vb_family_find(weights->family_hint) : NULL;
    const char *path = weights->where.file;
    if (weights->architecture)
        return vb_errorf(err, VB_EUNSUPPORTED, "%s: this is %s (by the tensor %s%s%s), which is not encoded here", path,
                         weights->architecture->name, weights->architecture->present,
                         weights->architecture->absent ? " without " : "",
                         weights->architecture->absent ? weights->architecture->absent : "");
    if (vb_learned_parts_refuse(&weights->unused, false, path, err)) return -1;
    *family = stated == VB_FAMILY_FOUND ? hint : vb_family_at(stated);
    /* Names of a text tower are those of many families; an image tower's tell. */
    if (hint && *family != hint && vb_tensor_has_prefix(&weights->set, "visual.") && !vb_family_fits(*family, &weights->set))
        return vb_errorf(err, VB_EMISMATCH, "%s: family %s was stated, but the names of the tensors are %s's: write family: %s",
                         path, (*family)->name, weights->naming, hint->name);
    char names[256];
    if (!*family && list_fitting(&weights->set, names, sizeof names))
        return vb_errorf(err, VB_ECONFIG,
                         "%s: the tensors are of one of the families %s, which nothing in them tells apart: state family", path,
                         names);
    if (!*family)
        return vb_errorf(err, VB_EMISMATCH, "%s: the tensors are of no family known here (%s)", path,
                         vb_family_names(names, sizeof names, ", "));
    return 0;
}

int vb_model_check(const vb_model *model, int status, vb_error *err) {
    vb_error why;
    /* Of the tokenizer's tables in the cache another run may put a copy in their place. */
    bool fine = !vb_weights_check(&model->weights, &why) && !vb_map_check_whole(&model->tokenizer_map, &why);
    if (fine || (status && err && err->code == VB_EINCOMPLETE)) return status;
    if (err) *err = why;
    return -1;
}

/* The digest of all bytes, which takes as long as reading them does. `context` NULL: nobody is told. */
static int digest_weights(const vb_model *model, vb_context *context, vb_digest *digest, vb_error *err) {
    vb_byte_progress progress;
    vb_digest_watch watch = {0};
    if (context) {
        vb_byte_progress_start(&progress, context, "weights", model->spec->name ? model->spec->name : model->spec->weights,
                               model->weights.bytes);
        watch = vb_byte_progress_watch(&progress);
    }
    const int status = vb_weights_digest(&model->weights, &watch, digest, err);
    if (context) vb_byte_progress_end(&progress);
    return status;
}

static int look_for_stop(void *context, vb_error *err) { return vb_context_check_stop(context, err); }

/* `context` NULL: nothing will be encoded, or nothing that takes long. */
static int open_encoder(vb_model *model, vb_context *context, bool digest, int threads, vb_error *err) {
    const vb_model_spec *spec = model->spec;
    if (vb_weights_open(&model->weights, spec->weights, false, err)) return vb_missing_path_key("weights", err);
    vb_weights_keep_tower(&model->weights, spec->tower);
    if (vb_model_family(&model->weights, spec->family, &model->family, err) ||
        vb_facts_of_towers(&model->facts, &spec->stated, &model->weights, model->family, err))
        return -1;
    vb_clip_options options = {.family = model->family,
                               .stated = model->facts.towers,
                               .threads = threads,
                               .watch = {context ? look_for_stop : NULL, context}};
    if (context && context->device && context->device->gpu) {
        if (vb_gpu_engine_open(&model->engine, context->device->gpu, context->device->share, err)) return -1;
        options.device = vb_gpu_engine_interface(model->engine);
    }
    if (vb_clip_open(&model->clip, &model->weights.set, &options, err)) return vb_weights_blame(&model->weights, err);
    /* That there are texts is asked of the tokenizer. */
    if (spec->tower == VB_TOWER_BOTH && !vb_clip_describe(model->clip)->tower)
        return vb_errorf(err, VB_EMISMATCH, "%s: no image tower in these weights", spec->weights);
    if (vb_facts_of_pixels(&model->facts, &spec->stated, &model->weights, model->family, vb_clip_describe(model->clip), err))
        return -1;
    return digest ? digest_weights(model, context, &model->weights.digest, err) : 0;
}

static int read_tokenizer(vb_model *model, vb_error *err) {
    const char *stated = model->spec->tokenizer;
    if (!model->tokenizer_path)
        model->tokenizer_path = stated ? vb_strdup(stated, err) : vb_tokenizer_file_in(model->weights.where.folder, err);
    if (!model->tokenizer_path) return -1;
    const int status = vb_tokenizer_file_read(&model->tokenizer, model->tokenizer_path, model->family->mask_token,
                                              &model->tokenizer_digest, err);
    return status && stated ? vb_missing_path_key("tokenizer", err) : status;
}

/* OpenAI's tokenizers have as many tokens as the model has rows; others may have somewhat fewer (CLIPA 30522 of 32000), much
 * fewer where their file is cut. */
static int check_tokenizer(vb_model *model, vb_error *err) {
    const char *path = model->tokenizer_path ? model->tokenizer_path : model->weights.where.folder;
    if (vb_text_convention_use(model->tokenizer, &model->facts, &model->spec->stated, model->family, path, err)) return -1;
    const vb_clip_info *info = vb_clip_describe(model->clip);
    int32_t size = vb_tokenizer_size(model->tokenizer);
    const bool all = vb_tokenizer_kind_of(model->tokenizer) == VB_TOKENIZER_OPENAI;
    if (all ? size != info->vocabulary_size : size > info->vocabulary_size || 10LL * size < 9LL * info->vocabulary_size)
        return vb_errorf(err, VB_EMISMATCH, "%s: a tokenizer of %d tokens, but token_embedding.weight of %s has %d rows", path,
                         size, model->weights.where.file, info->vocabulary_size);
    const int32_t around[] = {vb_tokenizer_start(model->tokenizer), vb_tokenizer_end(model->tokenizer),
                              vb_tokenizer_pad(model->tokenizer)};
    for (size_t i = 0; i < sizeof around / sizeof *around; i++)
        if (around[i] >= info->vocabulary_size)
            return vb_errorf(
                err, VB_EMISMATCH,
                "%s: token %d stands around texts by the convention %s, but token_embedding.weight of %s has %d rows: "
                "state convention or start_token",
                path, around[i], model->facts.convention, model->weights.where.file, info->vocabulary_size);
    return 0;
}

/* With a cache the first rank alone reads the tokenizer's files, and all map the tables that it leaves there. Collective. */
static int open_tokenizer(vb_model *model, vb_comm *comm, const char *cache, vb_error *err) {
    const vb_clip_info *info = vb_clip_describe(model->clip);
    int status = 0;
    if (!info->context_length) status = vb_errorf(err, VB_EMISMATCH, "%s: no text tower in these weights", model->spec->weights);
    if (!status && (!cache || !comm->rank)) status = read_tokenizer(model, err);
    if (!status && model->tokenizer) status = check_tokenizer(model, err);
    if (cache) {
        vb_digest digests[2] = {model->tokenizer_digest, {""}}; /* of the tokenizer, and of its tables */
        if (!status && !comm->rank)
            status = vb_tokenizer_file_share(&model->tokenizer, &model->tokenizer_map, cache, &digests[0], &digests[1], err);
        if (vb_comm_agree(comm, status, err)) return -1;
        if (vb_comm_broadcast(comm, digests, sizeof digests, err)) return -1;
        if (comm->rank)
            status = vb_tokenizer_file_find(&model->tokenizer, &model->tokenizer_map, cache, &digests[0], &digests[1], err);
        model->tokenizer_digest = digests[0];
        /* Network file systems may show a new file late. */
        if (!status && !model->tokenizer) status = read_tokenizer(model, err);
        /* The one from the cache has no convention yet. */
        if (!status) status = check_tokenizer(model, err);
    }
    return vb_comm_agree_same(comm, status, model->tokenizer_digest.hex,
                              model->spec->tokenizer ? model->spec->tokenizer : model->weights.where.folder, err);
}

static int make_keys(vb_model *model, const vb_context *context, vb_error *err) {
    vb_preprocess_describe(&model->facts.preprocess, model->preprocess_text, sizeof model->preprocess_text);
    char facts[256];
    for (int text = 0; text < 2; text++) {
        vb_digester *digester;
        if (vb_digest_new(&digester, err)) return -1;
        vb_digest_add_text(digester, encoder_revision);
        vb_digest_add_text(digester, text ? "text" : "image");
        vb_digest_add_text(digester, model->weights.digest.hex);
        vb_facts_key(&model->facts, model->family, vb_clip_describe(model->clip), text, facts, sizeof facts);
        vb_digest_add_text(digester, facts);
        if (!text) vb_digest_add_text(digester, model->preprocess_text);
        /* Units that were cached when these layers were computed in another way are not those of today. */
        const vb_program *program = text ? vb_clip_text_program(model->clip) : vb_clip_image_program(model->clip);
        if (vb_program_has_winograd(program)) vb_digest_add_text(digester, "convolution 2");
        /* Nor are those of a device whose bits are others. */
        if (*vb_device_tolerated(context)) vb_digest_add_text(digester, vb_device_tolerated(context));
        *(text ? &model->text_key : &model->image_key) = vb_digest_finish(digester);
    }
    return 0;
}

/* Units are kept under rank 0's digest: a rank whose file is another one (a copy on its machine, a file that was replaced since)
 * looks at the bytes itself. Collective. */
static int check_same_weights(vb_model *model, vb_context *context, vb_error *err) {
    vb_comm *comm = &context->comm;
    vb_digest first = {0}, here = {0}, own;
    int status = vb_weights_identity(&model->weights, &here, err);
    first = here;
    if (vb_comm_broadcast(comm, &first, sizeof first, err)) status = -1;
    if (!status && strcmp(first.hex, here.hex)) {
        status = digest_weights(model, context, &own, err);
        if (!status && strcmp(own.hex, model->weights.digest.hex))
            status =
                vb_errorf(err, VB_EMISMATCH, "%s: this rank finds %s, rank 0 found %s: did the file change while it was read?",
                          model->spec->weights, own.hex, model->weights.digest.hex);
    }
    return vb_comm_agree(comm, vb_model_check(model, status, err), err);
}

/* Collective. */
static int decide_precision(vb_model *model, vb_comm *comm, vb_error *err) {
    const int stated = model->spec->stated.precision;
    const vb_precision_model parts = {.clip = model->clip,
                                      .tokenizer = model->tokenizer,
                                      .preprocess = &model->facts.preprocess,
                                      .name = model->spec->name};
    if (vb_precision_decide(&model->precision, (vb_stated_precision)stated, &parts, comm, err)) return -1;
    model->facts.bf16x3 = model->precision.bf16x3;
    if (stated >= 0) model->facts.source[VB_FACT_PRECISION] = stated == VB_PRECISION_FASTEST ? "start-up check" : "experiment";
    return 0;
}

int vb_model_open(vb_model *model, vb_context *context, const vb_model_spec *spec, bool texts, int threads, const char *cache,
                  vb_error *err) {
    vb_comm *comm = &context->comm;
    *model = (vb_model){.spec = spec};
    int status = open_encoder(model, context, !comm->rank, threads, err);
    if (vb_comm_agree(comm, status, err) || (texts && open_tokenizer(model, comm, cache, err)) ||
        vb_comm_broadcast(comm, &model->weights.digest, sizeof model->weights.digest, err)) {
        vb_model_close(model);
        return -1;
    }
    if (check_same_weights(model, context, err) || decide_precision(model, comm, err)) {
        vb_model_close(model);
        return -1;
    }
    status = vb_comm_agree(comm, make_keys(model, context, err), err);
    if (status) vb_model_close(model);
    return status;
}

int vb_model_expect(vb_model *model, vb_context *context, int batch, vb_error *err) {
    int number, count;
    vb_clip_use_kept(model->clip, batch, NULL);
    vb_node_memory_close(&model->kept);
    const bool encodes = vb_model_encodes(model, context, &number, &count);
    const size_t bytes = encodes ? vb_clip_kept_floats(model->clip, batch) * sizeof(float) : 0;
    if (vb_node_memory_open(&model->kept, &context->comm, bytes, vb_gemm_kept_columns(), "weights in the kernels' layout", err))
        return -1;
    float *floats = model->kept.data;
    int status = !floats ? 0 : vb_clip_fill_kept(model->clip, batch, floats, model->kept.part, model->kept.parts, err);
    status = vb_comm_agree(&context->comm, status, err); /* and all parts are there */
    if (!status) vb_clip_use_kept(model->clip, batch, floats);
    return status;
}

bool vb_model_is_lent_to(const vb_model *model, const vb_context *context) {
    return context->encoders && !model->precision.bf16x3;
}

bool vb_model_encodes(const vb_model *model, const vb_context *context, int *number, int *count) {
    const bool some = vb_model_is_lent_to(model, context);
    *count = some ? context->encoders : context->comm.size;
    *number = some ? context->encoder : context->comm.rank;
    return *number >= 0;
}

int vb_model_batch(const vb_model *model, const vb_context *context, int batch) {
    return model->precision.bf16x3 ? batch : vb_device_batch(context, batch);
}

void vb_model_close(vb_model *model) {
    vb_gpu_engine_close(model->engine);
    vb_clip_close(model->clip);
    vb_node_memory_close(&model->kept);
    vb_tokenizer_close(model->tokenizer);
    if (model->tokenizer_map.size) vb_map_close(&model->tokenizer_map);
    vb_weights_close(&model->weights);
    vb_free(model->tokenizer_path);
    *model = (vb_model){0};
}

int vb_model_measure(const vb_model_spec *spec, int tokens, vb_model_sizes *sizes, vb_error *err) {
    vb_model model = {.spec = spec};
    int status = open_encoder(&model, NULL, false, 1, err);
    if (!status)
        *sizes = (vb_model_sizes){.image_flops = vb_program_flops(vb_clip_image_program(model.clip),
                                                                  vb_clip_image_program(model.clip)->text_rows),
                                  .text_flops = vb_program_flops(vb_clip_text_program(model.clip), tokens),
                                  .embed_dim = vb_clip_describe(model.clip)->embed_dim};
    vb_model_close(&model);
    return status;
}
