/* Finds `ctx` in a checkpoint and copies it out as floats. */
#include "shards/weights/coop.h"

#include <limits.h>
#include <math.h>
#include <string.h>

#include "kernels/base/memory.h"
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
    if (!status) status = copy_context(coop, found, path, err);
    vb_weights_close(&weights);
    return status;
}

void vb_coop_free(vb_coop *coop) {
    vb_free(coop->context);
    *coop = (vb_coop){0};
}
