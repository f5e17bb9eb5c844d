/* A few open files, the oldest closed first. */
#include "shards/datasets/dataset_sources.h"

#include <pthread.h>
#include <string.h>

#include "kernels/base/memory.h"

enum { IDLE_SOURCES = 8 };

struct vb_dataset_sources {
    pthread_mutex_t lock;
    int count; /* the oldest first */
    struct {
        int64_t file;
        vb_source *source;
    } item[IDLE_SOURCES];
};

int vb_dataset_sources_new(vb_dataset_sources **sources, vb_error *err) {
    if (!(*sources = vb_array(1, sizeof **sources, "open files", err))) return -1;
    pthread_mutex_init(&(*sources)->lock, NULL);
    return 0;
}

void vb_dataset_sources_close_idle(vb_dataset_sources *sources) {
    for (int i = 0; i < sources->count; i++) vb_source_close(sources->item[i].source);
    sources->count = 0;
}

void vb_dataset_sources_free(vb_dataset_sources *sources) {
    if (!sources) return;
    vb_dataset_sources_close_idle(sources);
    pthread_mutex_destroy(&sources->lock);
    vb_free(sources);
}

static vb_source *remove_item(vb_dataset_sources *sources, int i) {
    vb_source *source = sources->item[i].source;
    sources->count--;
    memmove(&sources->item[i], &sources->item[i + 1], (size_t)(sources->count - i) * sizeof sources->item[0]);
    return source;
}

int vb_dataset_sources_take(vb_dataset_sources *sources, int64_t file, const char *path, uint64_t offset, vb_source **source,
                            vb_error *err) {
    int best = -1;
    *source = NULL;
    pthread_mutex_lock(&sources->lock);
    for (int i = 0; i < sources->count; i++) {
        if (sources->item[i].file != file || vb_source_position(sources->item[i].source) > offset) continue;
        if (best < 0 || vb_source_position(sources->item[i].source) > vb_source_position(sources->item[best].source)) best = i;
    }
    if (best >= 0) *source = remove_item(sources, best);
    pthread_mutex_unlock(&sources->lock);
    return *source ? 0 : vb_source_open(source, path, err);
}

void vb_dataset_sources_return(vb_dataset_sources *sources, int64_t file, vb_source *source) {
    vb_source *oldest = NULL;
    pthread_mutex_lock(&sources->lock);
    if (sources->count == IDLE_SOURCES) oldest = remove_item(sources, 0);
    sources->item[sources->count].file = file;
    sources->item[sources->count++].source = source;
    pthread_mutex_unlock(&sources->lock);
    vb_source_close(oldest);
}
