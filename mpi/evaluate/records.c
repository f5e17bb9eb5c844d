/* Per-image records: JSON lines, one zstd frame a unit. */
#include "mpi/evaluate/records.h"

#include <string.h>
#include <unistd.h>

#include "kernels/base/memory.h"
#include "mpi/base/json.h"
#include "mpi/base/strbuf.h"
#include "shards/files/zst.h"
#include "shards/files/file.h"
#include "shards/files/path.h"

static char *part_path(const char *path, int64_t unit, vb_error *err) {
    return vb_format(err, "%s.parts/%09lld.zst", path, (long long)unit);
}

/* The first vocabulary that lists the class: its own one. */
static int own_vocabulary_of(const vb_vocabularies *vocabularies, int class) {
    for (int v = 0; v < vocabularies->count; v++)
        for (int i = vocabularies->offsets[v]; i < vocabularies->offsets[v + 1]; i++)
            if (vocabularies->members[i] == class) return v;
    return -1;
}

int vb_records_name_vocabularies(vb_unit_outcome *outcome, const vb_vocabularies *vocabularies, vb_error *err) {
    vb_unit_views *views = outcome->views;
    if (!views->sets) return 0;
    if (!(outcome->own = vb_array((size_t)views->block.rows, sizeof *outcome->own, "outcome of a unit", err))) return -1;
    for (int64_t k = 0; k < views->block.rows; k++) outcome->own[k] = -1;
    for (int i = 0; i < views->rows->count; i++) {
        int64_t view;
        int class, v = own_vocabulary_of(vocabularies, views->rows->classes[i]);
        if (vb_unit_views_in(views, i, v, &view, &class)) outcome->own[view] = v;
    }
    views->block.own = outcome->own;
    return 0;
}

/* Whether vocabulary u takes the image, right within v (of the view), when it comes alone: it has a wrong class before v's right
 * one, and before its own. */
static bool is_harmful(const vb_unit_outcome *outcome, int vocabularies, int64_t i, int64_t view, int u) {
    const uint8_t *beaten = outcome->beaten;
    int64_t its;
    int class;
    if (!beaten[view * vocabularies + u]) return false;
    return !vb_unit_views_in(outcome->views, i, u, &its, &class) || beaten[its * vocabularies + u];
}

/* Image i. apart: classes of one name are not one class, so that the first-ranked one needs its vocabulary. NULL without
 * memory. */
static char *record_line(const vb_vocabularies *vocabularies, bool apart, const vb_unit_outcome *outcome, int i, vb_error *err) {
    vb_json json = {0};
    const vb_unit_views *views = outcome->views;
    const vb_unit_rows *rows = views->rows;
    const int64_t first = vb_unit_views_first(views, i);
    const vb_verdict *all = &outcome->verdicts[first];
    int own_vocabulary = own_vocabulary_of(vocabularies, rows->classes[i]), class;
    int64_t view = first;
    vb_unit_views_in(views, i, own_vocabulary, &view, &class);
    json_t *record = vb_json_object(&json);
    vb_json_set_text(&json, record, "image", rows->names[i]);
    vb_json_set_text(&json, record, "class", vocabularies->class[rows->classes[i]].name);
    if (views->sets) {
        json_t *classes = vb_json_set_array(&json, record, "classes");
        for (int c = 0; c < views->sets[i].count; c++)
            vb_json_append_text(&json, classes, vocabularies->class[views->sets[i].classes[c]].name);
    }
    vb_json_set_text(&json, record, "vocabulary", vocabularies->names[own_vocabulary]);
    vb_json_set_text(&json, record, "predicted", vocabularies->class[outcome->verdicts[view].predicted_own].name);
    vb_json_set_text(&json, record, "predicted_all", vocabularies->class[all->predicted_all].name);
    vb_json_set_bool(&json, record, "own", !outcome->beaten[view * vocabularies->count + own_vocabulary]);
    json_t *harmful = vb_json_set_array(&json, record, "harmful");
    for (int v = 0; v < vocabularies->count; v++)
        if (v != own_vocabulary && is_harmful(outcome, vocabularies->count, i, view, v))
            vb_json_append_text(&json, harmful, vocabularies->names[v]);
    vb_json_set_real(&json, record, "similarity", all->similarity);
    vb_json_set_real(&json, record, "margin", all->margin);
    if (apart)
        vb_json_set_text(&json, record, "predicted_all_vocabulary",
                         vocabularies->names[own_vocabulary_of(vocabularies, all->predicted_all)]);
    char *line = vb_json_end(&json, "a record", err) ? NULL : vb_json_dump(record, VB_JSON_LINE, "a record", err);
    json_decref(record);
    return line;
}

int vb_records_unit(const char *path, int64_t unit, const vb_vocabularies *vocabularies, bool apart,
                    const vb_unit_outcome *outcome, vb_error *err) {
    char *part = part_path(path, unit, err), *folder = vb_format(err, "%s.parts", path);
    vb_strbuf text = {0};
    void *frame = NULL;
    size_t size;
    int status = -1;
    if (!part || !folder || vb_path_make_folders(folder, err)) goto done;
    for (int i = 0; i < outcome->views->rows->count; i++) {
        char *line = record_line(vocabularies, apart, outcome, i, err);
        if (!line) {
            vb_error_prefix(err, "%s", path);
            goto done;
        }
        vb_strbuf_add(&text, line);
        vb_strbuf_add(&text, "\n");
        vb_free(line);
    }
    if (vb_strbuf_end(&text, path, err) || vb_zst_frame(text.bytes, text.filled, 3, &frame, &size, err)) goto done;
    status = vb_writer_write_whole(part, frame, size, err);
done:
    vb_free(frame);
    vb_strbuf_free(&text);
    vb_free(folder);
    vb_free(part);
    return status;
}

int vb_records_none(const char *path, int64_t unit, vb_error *err) {
    char *part = part_path(path, unit, err), *folder = vb_format(err, "%s.parts", path);
    int status = part && folder && !vb_path_make_folders(folder, err) ? vb_writer_write_whole(part, "", 0, err) : -1;
    vb_free(folder);
    vb_free(part);
    return status;
}

int vb_records_join(const char *path, int64_t units, vb_error *err) {
    enum { LIMIT = 1 << 28 };
    vb_writer *writer;
    if (vb_writer_open(&writer, path, err)) return -1;
    for (int64_t u = 0; u < units; u++) {
        char *part = part_path(path, u, err);
        uint8_t *bytes = NULL;
        size_t size = 0;
        int status = part ? 0 : -1;
        if (!status && !vb_path_exists(part))
            status = vb_errorf(err, VB_EOUTPUT, "%s: the records of unit %lld are gone: who removed them during the run?", part,
                               (long long)u);
        if (!status)
            status = (vb_file_read_whole(part, LIMIT, &bytes, &size, err) || vb_writer_write(writer, bytes, size, err)) ? -1 : 0;
        vb_free(bytes);
        vb_free(part);
        if (status) {
            vb_writer_abandon(writer);
            return -1;
        }
    }
    if (vb_writer_commit(writer, err)) return -1;
    for (int64_t u = 0; u < units; u++) {
        char *part = part_path(path, u, err);
        if (part) unlink(part);
        vb_free(part);
    }
    char *folder = vb_format(err, "%s.parts", path);
    if (folder) rmdir(folder);
    vb_free(folder);
    return 0;
}
