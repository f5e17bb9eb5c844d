/* Sets of labels, and names of classes by id: what is read is bounded, whole UTF-8 and as the headers promise. The first byte
 * chooses the form. */
#include <stdio.h>
#include <unistd.h>

#include "kernels/base/memory.h"
#include "kernels/base/utf8.h"
#include "shards/files/json_parse.h"
#include "shards/text/label_sets.h"
#include "shards/text/names_by_id.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/touch.h"

static void check_label_text(const char *text) {
    if (!*text || !vb_utf8_is_text(text, strlen(text), NULL)) abort();
}

static void read_label_sets(const char *path) {
    vb_label_sets sets;
    vb_error err = {0};
    bool known;
    if (vb_label_sets_read(&sets, &known, path, &err)) touch_error(&err);
    else if (known) {
        if (!sets.count || sets.offsets[0] || (sets.names.count && sets.names.count != sets.count)) abort();
        for (size_t i = 0; i < sets.count; i++) {
            if (sets.offsets[i + 1] < sets.offsets[i]) abort();
            for (size_t k = sets.offsets[i]; k < sets.offsets[i + 1]; k++) {
                if (sets.of[k] < 0 || (size_t)sets.of[k] >= sets.distinct.count) abort();
                for (size_t j = sets.offsets[i]; j < k; j++)
                    if (sets.of[j] == sets.of[k]) abort(); /* no label twice in a set */
            }
        }
        for (size_t i = 0; i < sets.distinct.count; i++) {
            check_label_text(sets.distinct.items[i]);
            if (i && strcmp(sets.distinct.items[i - 1], sets.distinct.items[i]) >= 0) abort();
        }
    } else if (sets.count) abort();
    vb_label_sets_free(&sets);
}

static void read_class_names(const char *path) {
    vb_names_by_id names;
    vb_error err = {0};
    if (vb_names_by_id_read(&names, path, &err)) touch_error(&err);
    else {
        if (!names.count) abort();
        for (size_t i = 0; i < names.count; i++) {
            check_label_text(names.items[i].id);
            check_label_text(names.items[i].name);
            if (i && strcmp(names.items[i - 1].id, names.items[i].id) >= 0) abort();
        }
    }
    vb_names_by_id_free(&names);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    char path[64];
    vb_json_parse_setup();
    if (!size) return 0;
    snprintf(path, sizeof path, "/tmp/vb-fuzz-labels-%d.%s", (int)getpid(), data[0] % 2 ? "tsv" : "json");
    FILE *file = fopen(path, "wb");
    if (!file) return 0;
    const size_t written = fwrite(data + 1, 1, size - 1, file);
    if (fclose(file) || written != size - 1) return 0;
    read_label_sets(path);
    read_class_names(path);
    unlink(path);
    return 0;
}
