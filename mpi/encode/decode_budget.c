/* A counter of bytes under a lock, with tickets. */
#include "mpi/encode/decode_budget.h"

#include <assert.h>

void vb_decode_budget_open(vb_decode_budget *budget, int64_t mebibytes) {
    assert(mebibytes > 0);
    *budget = (vb_decode_budget){.total = (uint64_t)mebibytes << 20};
    pthread_mutex_init(&budget->lock, NULL);
    pthread_cond_init(&budget->freed, NULL);
}

void vb_decode_budget_close(vb_decode_budget *budget) {
    assert(!budget->used);
    pthread_mutex_destroy(&budget->lock);
    pthread_cond_destroy(&budget->freed);
}

int vb_decode_budget_take(vb_decode_budget *budget, uint64_t bytes, const char *name, int width, int height, vb_error *err) {
    if (bytes > budget->total)
        return vb_errorf(err, VB_EMEMORY,
                         "%s: decoding its %dx%d pixels takes %llu MiB of memory, decode_memory allows a rank %llu MiB: raise it",
                         name, width, height, (unsigned long long)((bytes + (1 << 20) - 1) >> 20),
                         (unsigned long long)(budget->total >> 20));
    pthread_mutex_lock(&budget->lock);
    const uint64_t ticket = budget->asked++;
    while (ticket != budget->served || bytes > budget->total - budget->used) pthread_cond_wait(&budget->freed, &budget->lock);
    budget->served++;
    budget->used += bytes;
    if (budget->used > budget->most) budget->most = budget->used;
    pthread_cond_broadcast(&budget->freed); /* the next in line may fit too */
    pthread_mutex_unlock(&budget->lock);
    return 0;
}

void vb_decode_budget_give(vb_decode_budget *budget, uint64_t bytes) {
    pthread_mutex_lock(&budget->lock);
    assert(bytes <= budget->used);
    budget->used -= bytes;
    pthread_cond_broadcast(&budget->freed);
    pthread_mutex_unlock(&budget->lock);
}
