/* Work space that is kept. */
#include "kernels/base/scratch.h"

#include <assert.h>

#include "kernels/base/memory.h"

void *vb_scratch_take(vb_scratch *kept, size_t count, size_t size, const char *what, vb_error *err) {
    if (!kept) return vb_buffer(count, size, what, err);
    assert(size && !kept->taken);
    if (!kept->data || count > kept->bytes / size) {
        vb_scratch_free(kept);
        if (!(kept->data = vb_buffer(count, size, what, err))) return NULL;
        kept->bytes = count * size;
    }
    kept->taken = true;
    return kept->data;
}

void vb_scratch_give(vb_scratch *kept, void *work) {
    if (!kept) vb_free(work);
    else if (work) kept->taken = false;
}

void vb_scratch_free(vb_scratch *kept) {
    assert(!kept->taken);
    vb_free(kept->data);
    *kept = (vb_scratch){0};
}
