/* Ranked lists with their captions, and what is to be said of captions that are of no use or not there. */
#include "mpi/retrieve/repe_lists.h"

#include <string.h>

#include "kernels/base/memory.h"
#include "shards/files/zst.h"

/* A class and what was retrieved for it; free with vb_free. */
static char *list_line(const vb_repe_work *work, int c, vb_error *err) {
    vb_json json = {0};
    json_t *line = vb_json_object(&json);
    vb_json_set_text(&json, line, "class", work->pair->data->vocabularies.class[c].name);
    json_t *results = vb_json_set_array(&json, line, "results");
    for (int64_t i = 0; i < work->depth; i++) {
        int64_t at = c * work->depth + i;
        json_t *entry = vb_json_object(&json);
        vb_json_set_integer(&json, entry, "id", work->ids[at]);
        vb_json_set_real(&json, entry, "score", work->scores[at]);
        vb_json_set_bool(&json, entry, "kept", work->kept[at]);
        const int64_t place = work->captions ? vb_repe_place(work, work->ids[at]) : 0;
        if (work->captions) vb_json_set_text(&json, entry, "caption", work->captions[place]);
        if (work->captions && work->odd[place]) vb_json_set(&json, entry, "odd", vb_json_text_or(&json, work->odd[place], "?"));
        vb_json_append(&json, results, entry);
    }
    char *text = vb_json_end(&json, "a line of a list", err) ? NULL : vb_json_dump(line, VB_JSON_LINE, "a line of a list", err);
    if (!text) vb_error_prefix(err, "%s", work->job->list);
    json_decref(line);
    return text;
}

int vb_repe_lists_write(const vb_repe_work *work, vb_error *err) {
    vb_zst_writer *writer;
    if (vb_zst_writer_open(&writer, work->job->list, 3, err)) return -1;
    int status = 0;
    for (int c = 0; c < work->classes && !status; c++) {
        char *text = list_line(work, c, err);
        if (!text) status = -1;
        if (!status) status = vb_zst_writer_write(writer, text, strlen(text), err);
        if (!status) status = vb_zst_writer_write(writer, "\n", 1, err);
        vb_free(text);
    }
    if (!status) return vb_zst_writer_commit(writer, NULL, err);
    vb_zst_writer_abandon(writer);
    return -1;
}

/* Listed rows whose captions cannot be used: how many, and the first ones. */
void vb_repe_lists_note_odd(vb_json *json, json_t *object, const vb_repe_work *work) {
    enum { SHOWN = 5 };
    if (!work->odd_count) return;
    json_t *noted = vb_json_set_object(json, object, "odd_captions"), *examples;
    vb_json_set_integer(json, noted, "rows", work->odd_count);
    examples = vb_json_set_array(json, noted, "examples");
    for (int64_t i = 0, n = 0; i < work->unique_count && n < SHOWN; i++)
        if (work->odd[i]) vb_json_append(json, examples, vb_json_text_or(json, work->odd[i], "?")), n++;
}

/* The classes that keep their prompts for want of captions, for every top_k at which there are some. */
void vb_repe_lists_note_captionless(vb_json *json, json_t *object, const vb_repe_work *work) {
    const vb_retrieval_spec *settings = work->settings;
    json_t *list = vb_json_set_array(json, object, "without_captions");
    for (int k = 0; k < settings->top_k_count; k++) {
        json_t *entry = vb_json_object(json), *classes;
        vb_json_set_integer(json, entry, "top_k", settings->top_k[k]);
        classes = vb_json_set_array(json, entry, "classes");
        for (int c = 0; c < work->classes; c++)
            if (!vb_repe_kept_rows(work, c, settings->top_k[k], NULL))
                vb_json_append_text(json, classes, work->pair->data->vocabularies.class[c].name);
        if (json_array_size(classes)) vb_json_append(json, list, entry);
        else json_decref(entry);
    }
}
