/* Work space that runs of the engine take and give back. */
#include "kernels/towers/engine_work.h"

#include <omp.h>

#include "kernels/base/memory.h"

void vb_engine_work_free(vb_engine_work *work) {
    vb_scratch *const all[] = {&work->values, &work->lists, &work->rows, &work->out, &work->tiles, &work->marks};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) vb_scratch_free(all[i]);
    vb_text_order_free(&work->order);
}

struct vb_engine_works {
    omp_lock_t lock;
    vb_engine_work *idle; /* the one that was given back last comes first */
};

int vb_engine_work_open(vb_engine_works **works, vb_error *err) {
    if (!(*works = vb_array(1, sizeof **works, "work spaces", err))) return -1;
    omp_init_lock(&(*works)->lock);
    return 0;
}

static vb_engine_work *take_idle(vb_engine_works *works) {
    omp_set_lock(&works->lock);
    vb_engine_work *work = works->idle;
    if (work) works->idle = work->next;
    omp_unset_lock(&works->lock);
    return work;
}

vb_engine_work *vb_engine_work_take(vb_engine_works *works, vb_error *err) {
    vb_engine_work *work = take_idle(works);
    return work ? work : vb_array(1, sizeof *work, "encoder's work space", err);
}

void vb_engine_work_give(vb_engine_works *works, vb_engine_work *work) {
    omp_set_lock(&works->lock);
    work->next = works->idle;
    works->idle = work;
    omp_unset_lock(&works->lock);
}

void vb_engine_work_rest(vb_engine_works *works) {
    for (vb_engine_work *work; (work = take_idle(works));) {
        vb_engine_work_free(work);
        vb_free(work);
    }
}

void vb_engine_work_close(vb_engine_works *works) {
    if (!works) return;
    vb_engine_work_rest(works);
    omp_destroy_lock(&works->lock);
    vb_free(works);
}
