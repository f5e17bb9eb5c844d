/* Which images are among the first of their class. */
#include "mpi/encode/image_limit.h"

#include "kernels/base/memory.h"

static int choose(vb_dataset_state *state, uint8_t *kept, int64_t *seen, vb_error *err) {
    for (int64_t u = 0; u < vb_dataset_units(state->dataset); u++) {
        vb_unit_data data = {0};
        const int64_t first = vb_dataset_unit(state->dataset, u).first;
        if (vb_dataset_read_unit_labels(state->dataset, u, &data, err))
            return vb_error_prefix(err, "dataset '%s'", state->spec->name);
        for (int i = 0; i < data.count; i++) {
            const int class = vb_dataset_state_class(state, first + i, data.samples[i].label);
            kept[first + i] = class < 0 || seen[class]++ < state->limit;
        }
        vb_dataset_unit_free(&data);
    }
    return 0;
}

/* Where labels are sets, the images of a vocabulary may all be of other classes first. */
static int check_left(const vb_dataset_state *state, const int64_t *class_images, vb_error *err) {
    const vb_label_space *space = &state->space;
    for (int v = 0; v < space->vocabularies; v++) {
        int64_t images = 0;
        for (int i = space->offsets[v]; i < space->offsets[v + 1]; i++) images += class_images[space->members[i]];
        if (images) continue;
        return vb_errorf(err, VB_EMISMATCH,
                         "dataset '%s': limit: vocabulary '%s' has no images among the first %lld of each class, by the first "
                         "label of their sets",
                         state->spec->name, state->vocabularies.names[v], (long long)state->limit);
    }
    return 0;
}

/* The counts of what is kept, where an image may count for several classes. */
static void count_sets(vb_dataset_state *state) {
    for (int c = 0; c < state->space.classes; c++) state->class_images[c] = 0;
    for (int64_t x = 0; x < state->sets.images; x++) {
        const vb_class_set set = vb_class_sets_at(&state->sets, x);
        state->beyond += !state->kept[x];
        for (int i = 0; state->kept[x] && i < set.count; i++) state->class_images[set.classes[i]]++;
    }
}

int vb_image_limit_apply(vb_dataset_state *state, vb_context *context, int64_t limit, vb_error *err) {
    vb_comm *comm = &context->comm;
    state->limit = limit > 0 ? limit : 0;
    if (!state->limit || !state->dataset) return 0;
    const size_t samples = (size_t)vb_dataset_samples(state->dataset);
    int64_t *seen = vb_array((size_t)state->space.classes, sizeof *seen, "class counts", err);
    state->kept = vb_array(samples, 1, "images that are kept", err);
    int status = seen && state->kept ? 0 : -1;
    if (!status && !comm->rank) status = choose(state, state->kept, seen, err);
    status = vb_comm_agree(comm, status, err);
    if (!status) status = vb_comm_broadcast(comm, state->kept, samples, err);
    state->beyond = 0;
    if (!status && state->sets.offsets) {
        count_sets(state);
        status = check_left(state, state->class_images, err);
    }
    for (int c = 0; !status && !state->sets.offsets && c < state->space.classes; c++) {
        const int64_t images = state->class_images[c], kept = images < state->limit ? images : state->limit;
        state->beyond += images - kept;
        state->class_images[c] = kept;
    }
    vb_free(seen);
    return status;
}

int vb_image_limit_rows(int *classes, const vb_class_sets *sets, int64_t rows, const vb_dataset_state *state, vb_error *err) {
    if (!state->limit) return 0;
    const size_t count = (size_t)state->space.classes;
    int64_t *seen = vb_array(count, sizeof *seen, "class counts", err),
            *kept = vb_array(count, sizeof *kept, "class counts", err);
    int status = seen && kept ? 0 : -1;
    for (int64_t i = 0; !status && i < rows; i++) {
        if (classes[i] < 0) continue;
        if (seen[classes[i]]++ >= state->limit) {
            classes[i] = VB_IMAGE_LIMIT_BEYOND;
            continue;
        }
        const vb_class_set set = sets->offsets ? vb_class_sets_at(sets, i) : (vb_class_set){&classes[i], 1};
        for (int k = 0; k < set.count; k++) kept[set.classes[k]]++;
    }
    if (!status && sets->offsets) status = check_left(state, kept, err);
    vb_free(seen);
    vb_free(kept);
    return status;
}
