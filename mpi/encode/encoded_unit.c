/* The way of a unit to its rows: the cache, or its bytes, decoded and encoded, and then the cache. */
#include "mpi/encode/encoded_unit.h"

#include <math.h>

#include "kernels/base/memory.h"
#include "mpi/base/json.h"
#include "shards/files/path.h"

/* The unit's key in the cache: its content and which of its samples are encoded. */
static int key_of(const vb_digest *digest, const int *picked, int n, vb_digest *key, vb_error *err) {
    vb_digester *digester;
    if (vb_digest_new(&digester, err)) return -1;
    vb_digest_add_text(digester, digest->hex);
    vb_digest_add(digester, picked, (size_t)n * sizeof *picked);
    *key = vb_digest_finish(digester);
    return 0;
}

/* Rows of images that were skipped are NaN: take them out, and note their classes and places. */
static int drop_skipped(vb_unit_rows *rows, vb_error *err) {
    int kept = 0;
    size_t i;
    json_t *entry;
    vb_json json = {0};
    json_array_foreach(rows->skipped, i, entry) {
        int64_t row = vb_json_integer(entry, "row");
        if (row < 0 || row >= rows->count) continue;
        vb_json_set_integer(&json, entry, "class", rows->classes[row]);
        vb_json_set_integer(&json, entry, "place", rows->places[row]);
    }
    for (int r = 0; r < rows->count; r++) {
        if (isnan(rows->rows[(size_t)r * (size_t)rows->dim])) vb_unit_rows_drop(rows, r);
        else vb_unit_rows_move(rows, kept++, r);
    }
    rows->count = kept;
    return vb_json_end(&json, "the list of skipped samples", err);
}

/* Of the unit's samples, those whose class is in a vocabulary. */
static int pick(vb_encoded_unit *unit, const vb_encoded_units *units, vb_error *err) {
    const vb_dataset_state *state = units->data;
    vb_unit_rows *rows = &unit->rows;
    vb_unit_data labels = {0};
    const int64_t start = vb_dataset_unit(state->dataset, unit->unit).first;
    int status = vb_dataset_read_unit_labels(state->dataset, unit->unit, &labels, err), n = 0;
    if (!status && !(unit->picked = vb_array((size_t)labels.count, sizeof *unit->picked, "unit", err))) status = -1;
    if (!status) status = vb_unit_rows_allocate(rows, labels.count, units->dim, err);
    for (int i = 0; i < labels.count && !status; i++) {
        const int class = vb_dataset_state_class(state, start + i, labels.samples[i].label);
        rows->outside += class < 0;
        if (class < 0 || (state->kept && !state->kept[start + i])) continue;
        if (!(rows->names[n] = vb_strdup(labels.samples[i].name, err))) {
            status = -1;
            continue;
        }
        rows->classes[n] = class;
        rows->places[n] = start + i;
        unit->picked[n++] = i;
    }
    if (!status) rows->count = n;
    vb_dataset_unit_free(&labels);
    return status;
}

/* Reads the unit, whose bytes may be known under another path or time stamp. */
static int read_unit(vb_encoded_unit *unit, const vb_encoded_units *units, vb_error *err) {
    vb_unit_rows *rows = &unit->rows;
    bool found = false;
    if (vb_dataset_read_unit(units->data->dataset, unit->unit, &unit->data, err)) return -1;
    rows->digest = unit->data.digest;
    if (key_of(&rows->digest, unit->picked, rows->count, &unit->key, err) ||
        vb_encode_cached(&units->cache, &unit->key, rows->count, rows->dim, rows->rows, &found, &rows->skipped, err))
        return -1;
    unit->missing = !found;
    if (!found) return 0;
    vb_encoded_unit_release(unit);
    return vb_cache_note(&units->cache, &unit->signature, &rows->digest, err);
}

int vb_encoded_unit_look(const vb_encoded_units *units, int64_t number, int *images, bool *found, vb_error *err) {
    vb_encoded_unit unit = {.unit = number};
    vb_digest *digest = &unit.rows.digest;
    bool known = false;
    *images = 0;
    *found = false;
    int status = vb_dataset_unit_signature(units->data->dataset, number, &unit.signature, err) ||
                         vb_cache_recall(&units->cache, &unit.signature, digest, &known, err) ||
                         (known && pick(&unit, units, err)) ?
                     -1 :
                     0;
    if (!status && unit.rows.count) {
        char *path =
            key_of(digest, unit.picked, unit.rows.count, &unit.key, err) ? NULL : vb_cache_path(&units->cache, &unit.key, err);
        *found = path && vb_path_exists(path);
        if (*found) *images = unit.rows.count;
        if (!path) status = -1;
        vb_free(path);
    }
    vb_encoded_unit_free(&unit);
    return status;
}

int vb_encoded_unit_prepare(vb_encoded_unit *unit, const vb_encoded_units *units, int64_t number, vb_error *err) {
    *unit = (vb_encoded_unit){.unit = number};
    vb_unit_rows *rows = &unit->rows;
    bool known = false, found = false;
    if (pick(unit, units, err)) return -1;
    if (!rows->count) return 0;
    if (vb_dataset_unit_signature(units->data->dataset, number, &unit->signature, err) ||
        vb_cache_recall(&units->cache, &unit->signature, &rows->digest, &known, err))
        return -1;
    if (known && (key_of(&rows->digest, unit->picked, rows->count, &unit->key, err) ||
                  vb_encode_cached(&units->cache, &unit->key, rows->count, rows->dim, rows->rows, &found, &rows->skipped, err)))
        return -1;
    return found ? 0 : read_unit(unit, units, err);
}

void vb_encoded_unit_ask(vb_encoded_unit *unit, const vb_encoded_units *units, vb_pipeline_unit *asked) {
    *asked = (vb_pipeline_unit){.images = unit->rows.count, .rows = unit->rows.rows, .owner = unit};
    if (!unit->missing) return;
    asked->samples = unit->data.samples;
    asked->picked = unit->picked;
    asked->names = (const char *const *)unit->rows.names;
    asked->count = unit->rows.count;
    asked->skip_broken = units->how.skip_broken;
    for (int i = 0; i < unit->data.count; i++) asked->bytes += unit->data.samples[i].size;
}

void vb_encoded_unit_release(vb_encoded_unit *unit) { vb_dataset_unit_free(&unit->data); }

/* What was encoded goes to the cache. */
static int keep(vb_encoded_unit *unit, const vb_encoded_units *units, const vb_pipeline_unit *passed, vb_error *err) {
    vb_unit_rows *rows = &unit->rows;
    const vb_cache *cache = &units->cache;
    if (vb_encode_note_outcomes(passed, 0, &rows->skipped, err) || vb_model_check(units->how.model, 0, err) ||
        vb_dataset_unit_check(units->data->dataset, unit->unit, &unit->signature, err) ||
        vb_cache_store(cache, &unit->key, rows->count, rows->dim, rows->rows, rows->skipped, err))
        return -1;
    rows->encoded = true;
    return vb_cache_note(cache, &unit->signature, &rows->digest, err);
}

int vb_encoded_unit_finish(vb_encoded_unit *unit, const vb_encoded_units *units, const vb_pipeline_unit *passed, vb_error *err) {
    if (unit->missing && keep(unit, units, passed, err)) return -1;
    if (vb_encode_allow(&units->how, unit->rows.skipped, err)) return -1;
    return drop_skipped(&unit->rows, err);
}

void vb_encoded_unit_free(vb_encoded_unit *unit) {
    vb_unit_rows_free(&unit->rows);
    vb_free(unit->picked);
    vb_encoded_unit_release(unit);
    *unit = (vb_encoded_unit){0};
}
