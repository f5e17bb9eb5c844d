/* Sets of labels to sets of classes. */
#include "mpi/encode/class_sets.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "kernels/base/memory.h"

/* What each distinct label stands for: the name that it indexes, or itself. */
static int find_meanings(const char **meant, const vb_label_sets *labels, const vb_class_sets_rules *rules, vb_error *err) {
    for (size_t i = 0; i < labels->distinct.count; i++) {
        int64_t value;
        meant[i] = labels->distinct.items[i];
        if (!rules->label_names || !vb_label_match_integer(meant[i], &value)) continue;
        if (value >= (int64_t)rules->label_names->count)
            return vb_errorf(err, VB_EMISMATCH, "%s: label %s, expected 0 to %lld (rows of label_names)", rules->path, meant[i],
                             (long long)rules->label_names->count - 1);
        meant[i] = rules->label_names->items[value];
    }
    return 0;
}

static int refuse_beyond(const vb_label_match *match, const vb_label_sets *labels, const vb_class_sets_rules *rules,
                         vb_error *err) {
    size_t at = 0, image = 0; /* of the first one */
    while (labels->of[at] != match->beyond) at++;
    while (labels->offsets[image + 1] <= at) image++;
    return vb_errorf(err, VB_EMISMATCH,
                     "%s: image %zu (from 0): label %s, expected 0 to %d (classes of the vocabulary file); no label is a class' "
                     "id or name%s",
                     rules->path, image, labels->distinct.items[match->beyond], rules->vocabularies->classes - 1,
                     match->from_one ? "; do they count from 1?" : "");
}

static void fill(vb_class_sets *sets, int64_t *class_images, int64_t *images, const vb_label_sets *labels,
                 const vb_label_match *match) {
    int64_t filled = 0;
    for (int64_t x = 0; x < sets->images; x++) {
        const int64_t first = filled;
        sets->empty += labels->offsets[x] == labels->offsets[x + 1];
        for (size_t i = labels->offsets[x]; i < labels->offsets[x + 1]; i++) {
            const int class = match->class_of[labels->of[i]];
            const vb_class_set so_far = {sets->classes + first, (int)(filled - first)};
            images[labels->of[i]]++;
            if (class < 0 || vb_label_space_holds(&so_far, class)) continue;
            class_images[class]++;
            sets->classes[filled++] = class;
        }
        sets->several += filled - first > 1;
        sets->offsets[x + 1] = filled;
    }
}

int vb_class_sets_make(vb_class_sets *sets, vb_label_report *report, int64_t *class_images, const vb_label_sets *labels,
                       const vb_class_sets_rules *rules, vb_error *err) {
    const size_t distinct = labels->distinct.count;
    vb_label_match match = {0};
    const char **meant = vb_array(distinct, sizeof *meant, "labels", err);
    int64_t *images = vb_array(distinct, sizeof *images, "label counts", err);
    int status = -1;
    *sets = (vb_class_sets){.images = (int64_t)labels->count};
    *report = (vb_label_report){0};
    sets->offsets = vb_array(labels->count + 1, sizeof *sets->offsets, "labels", err);
    sets->classes = vb_array(labels->offsets[labels->count], sizeof *sets->classes, "labels", err);
    if (!meant || !images || !sets->offsets || !sets->classes) goto done;
    if (find_meanings(meant, labels, rules, err) || vb_label_match_find(&match, rules->vocabularies, meant, (int)distinct, err))
        goto done;
    if (match.beyond >= 0) {
        refuse_beyond(&match, labels, rules, err);
        goto done;
    }
    fill(sets, class_images, images, labels, &match);
    const vb_label_survey survey = {rules->vocabularies, &match, meant, images, 0};
    status = vb_label_report_make(report, &survey, err);
    if (!status && sets->empty) {
        char *note = vb_format(err, "%lld image%s a set of labels without any: %s left out", (long long)sets->empty,
                               sets->empty == 1 ? " has" : "s have", sets->empty == 1 ? "it is" : "they are");
        status = vb_strings_take(&report->notes, note, err);
    }
done:
    vb_label_match_free(&match);
    vb_free(meant);
    vb_free(images);
    return status;
}

void vb_class_sets_free(vb_class_sets *sets) {
    vb_free(sets->offsets);
    vb_free(sets->classes);
    *sets = (vb_class_sets){0};
}

vb_digest vb_class_sets_digest(const vb_class_sets *sets) {
    vb_digest none = {""};
    if (!sets->offsets) return none;
    const vb_digest classes = vb_digest_bytes(sets->classes, (size_t)sets->offsets[sets->images] * sizeof *sets->classes),
                    offsets = vb_digest_bytes(sets->offsets, ((size_t)sets->images + 1) * sizeof *sets->offsets);
    char both[2 * sizeof none.hex];
    snprintf(both, sizeof both, "%s%s", classes.hex, offsets.hex);
    return vb_digest_bytes(both, strlen(both));
}

json_t *vb_class_sets_json(vb_json *json, const vb_class_sets *sets) {
    json_t *object = vb_json_object(json);
    vb_json_set_integer(json, object, "images_with_several_classes", sets->several);
    vb_json_set_integer(json, object, "images_with_an_empty_set", sets->empty);
    return object;
}
