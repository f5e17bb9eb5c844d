/* Where results come from, as tables of names and values. */
#include "mpi/report/provenance_tables.h"

#include <string.h>

#include "kernels/base/memory.h"
#include "mpi/base/json.h"

static void add_fact(vb_grid *grid, const char *name, const json_t *value) {
    if (!value) return;
    vb_error ignored; /* the grid says it again */
    char *text = NULL;
    vb_grid_cell(grid, "%s", name);
    if (json_is_string(value)) vb_grid_cell(grid, "%s", json_string_value(value));
    else if (json_is_integer(value)) vb_grid_cell(grid, "%lld", (long long)json_integer_value(value));
    else if (json_is_real(value)) vb_grid_cell(grid, "%.6g", json_real_value(value));
    else if ((text = vb_json_dump(value, VB_JSON_LINE, "a table", &ignored))) vb_grid_cell(grid, "%s", text);
    else grid->failed = true;
    vb_free(text);
}

/* Hosts once each, with the number of ranks there. */
static void add_hosts(vb_grid *grid, const json_t *hosts) {
    vb_strbuf text = {0};
    for (size_t i = 0; i < json_array_size(hosts); i++) {
        const char *host = json_string_value(json_array_get(hosts, i));
        int before = 0, all = 0;
        for (size_t k = 0; host && k < json_array_size(hosts); k++) {
            const char *other = json_string_value(json_array_get(hosts, k));
            all += other && !strcmp(host, other);
            before += k < i && other && !strcmp(host, other);
        }
        if (host && !before) vb_strbuf_format(&text, "%s%s (%d)", text.filled ? ", " : "", host, all);
    }
    if (text.filled) {
        vb_grid_cell(grid, "hosts (ranks)");
        vb_grid_cell(grid, "%s", text.bytes);
    }
    grid->failed = grid->failed || text.failed;
    vb_strbuf_free(&text);
}

/* A file of a model, and whether it is the one that was published. */
static void put_file(vb_grid *grid, const json_t *file) {
    const char *name = vb_json_text(file, "name"), *sum = vb_json_text(file, "sha256"), *by = vb_json_text(file, "published_by");
    const long long bytes = (long long)vb_json_integer(file, "bytes");
    if (!*by) vb_grid_cell(grid, "%s, %lld bytes, SHA-256 %s", name, bytes, sum);
    else if (!strcmp(vb_json_text(file, "published"), "match"))
        vb_grid_cell(grid, "%s, %lld bytes, SHA-256 %s, as published (%s)", name, bytes, sum, by);
    else
        vb_grid_cell(grid, "%s, %lld bytes, SHA-256 %s, NOT as published (%s: %s)", name, bytes, sum, by,
                     vb_json_text(file, "published_sha256"));
}

/* The files of models, as hubs publish them. */
static void add_models(vb_grid *grid, const json_t *models) {
    size_t m, f;
    json_t *model, *file;
    json_array_foreach((json_t *)(uintptr_t)models, m, model) {
        json_array_foreach(json_object_get(model, "files"), f, file) {
            vb_grid_cell(grid, "%s: %s", vb_json_text(model, "model"), vb_json_text(file, "role"));
            put_file(grid, file);
        }
    }
}

vb_grid vb_provenance_tables_run(const json_t *document) {
    vb_grid grid = {.columns = 2, .left = 3, .caption = "Run"};
    const json_t *run = json_object_get(document, "run");
    vb_grid_heads(&grid, (const char *const[]){"what", "value"});
    add_fact(&grid, "experiment", json_object_get(document, "experiment"));
    add_fact(&grid, "configuration_digest", json_object_get(document, "configuration_digest"));
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)run, key, value) {
        if (!strcmp(key, "hosts")) add_hosts(&grid, value);
        else if (!strcmp(key, "models")) add_models(&grid, value);
        else if (strcmp(key, "pairs") && strcmp(key, "sources")) add_fact(&grid, key, value);
    }
    return grid;
}

vb_grid vb_provenance_tables_input(const json_t *entry) {
    vb_grid grid = {.columns = 2, .left = 3, .caption = "Data, model and what was checked"};
    static const char *const parts[] = {"data", "embedding", "adversarial_pool", "validation"};
    vb_grid_heads(&grid, (const char *const[]){"what", "value"});
    add_fact(&grid, "protocol", json_object_get(entry, "protocol"));
    add_fact(&grid, "acc_e_union", json_object_get(entry, "acc_e_union"));
    add_fact(&grid, "acc_e_union_method", json_object_get(entry, "acc_e_union_method"));
    const char *key;
    json_t *value;
    for (int p = 0; p < 4; p++) {
        json_object_foreach(json_object_get(entry, parts[p]), key, value) {
            if (!json_is_array(value) || json_array_size(value)) add_fact(&grid, key, value);
        }
    }
    return grid;
}
