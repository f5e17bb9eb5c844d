/* Finds `ctx` in a checkpoint and copies it out as floats. */
#include "shards/weights/coop.h"

#include <limits.h>
#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "kernels/base/memory.h"
#include "shards/weights/learned_parts.h"
#include "shards/weights/weights.h"

static int copy_context(vb_coop *coop, const vb_named_tensor *item, const char *path, vb_error *err) {
    const vb_tensor *ctx = &item->tensor;
    if (ctx->dtype != VB_F32 && ctx->dtype != VB_F16 && ctx->dtype != VB_BF16 && ctx->dtype != VB_F64)
        return vb_errorf(err, VB_EDATA, "%s: tensor '%s' is %s, a floating-point type expected", path, item->name,
                         vb_dtype_name(ctx->dtype));
    if (ctx->ndim != 2 && ctx->ndim != 3)
        return vb_errorf(err, VB_EDATA,
                         "%s: tensor '%s' has %d dimensions; [contexts, width] or [classes, contexts, width] expected", path,
                         item->name, ctx->ndim);
    for (int i = 0; i < ctx->ndim; i++)
        if (ctx->shape[i] < 1 || ctx->shape[i] > INT_MAX)
            return vb_errorf(err, VB_EDATA, "%s: tensor '%s': dimension %d is %lld", path, item->name, i,
                             (long long)ctx->shape[i]);
    const int64_t *last = ctx->shape + ctx->ndim - 2;
    int64_t count = vb_tensor_count(ctx);
    *coop = (vb_coop){.classes = ctx->ndim == 3 ? (int)ctx->shape[0] : 0, .contexts = (int)last[0], .width = (int)last[1]};
    if (!(coop->context = vb_array((size_t)count, sizeof *coop->context, "context vectors", err))) return -1;
    for (int64_t i = 0; i < count; i++) {
        coop->context[i] = vb_tensor_at(ctx, i);
        if (isfinite(coop->context[i])) continue;
        vb_errorf(err, VB_EDATA, "%s: tensor '%s': element %lld is not finite", path, item->name, (long long)i);
        vb_coop_free(coop);
        return -1;
    }
    return 0;
}

/* What a checkpoint of CoOp may hold beside its contexts: embeddings of the words around them, which the model has, and the state
 * of training. */
static bool is_beside_the_point(const char *name) {
    static const char *const buffers[] = {"token_prefix", "token_suffix", "token_midfix"};
    static const char *const training[] = {"optim", "sched", "lr_sched", "scaler", "grad_scaler"};
    const char *dot = strrchr(name, '.'), *last = dot ? dot + 1 : name;
    for (size_t i = 0; i < sizeof buffers / sizeof *buffers; i++)
        if (!strcmp(last, buffers[i])) return true;
    for (const char *at = name; at; at = strchr(at, '.') ? strchr(at, '.') + 1 : NULL)
        for (size_t i = 0; i < sizeof training / sizeof *training; i++)
            if (!strncmp(at, training[i], strlen(training[i]))) return true;
    return false;
}

/* Contexts that other methods learn together with other parts are no contexts of CoOp. */
static int check_others(const vb_tensor_set *set, const vb_named_tensor *ctx, const char *path, vb_error *err) {
    size_t others = 0;
    const char *first = NULL;
    for (size_t i = 0; i < set->count; i++) {
        if (&set->items[i] == ctx || is_beside_the_point(set->items[i].name)) continue;
        if (!others++) first = set->items[i].name;
    }
    if (!others) return 0;
    if (vb_learned_parts_refuse(set, true, path, err)) return -1;
    return vb_errorf(
        err, VB_EUNSUPPORTED,
        "%s: %zu tensors beside '%s', such as %.100s: of another method than CoOp, or of a whole model; expected the prompt "
        "learner's alone",
        path, others, ctx->name, first);
}

int vb_coop_read(vb_coop *coop, const char *path, vb_error *err) {
    *coop = (vb_coop){0};
    vb_weights weights;
    if (vb_weights_open_raw(&weights, path, false, err)) return -1;
    const vb_named_tensor *found = NULL;
    int status = 0;
    for (size_t i = 0; i < weights.set.count && !status; i++) {
        const char *name = weights.set.items[i].name, *dot = strrchr(name, '.');
        if (strcmp(dot ? dot + 1 : name, "ctx")) continue;
        if (found)
            status = vb_errorf(err, VB_EDATA, "%s: both '%s' and '%s'; one tensor 'ctx' expected", path, found->name, name);
        found = &weights.set.items[i];
    }
    if (!status && !found)
        status = vb_errorf(err, VB_EMISMATCH, "%s: no tensor 'ctx' among %zu; a checkpoint of CoOp's prompt learner expected",
                           path, weights.set.count);
    if (!status) status = check_others(&weights.set, found, path, err);
    if (!status) status = copy_context(coop, found, path, err);
    vb_weights_close(&weights);
    return status;
}

void vb_coop_free(vb_coop *coop) {
    vb_free(coop->context);
    *coop = (vb_coop){0};
}
