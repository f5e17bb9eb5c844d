/* The one option table: each row is a YAML key, a command line flag, a default, bounds, a unit and a line of help.
 *
 * Every reader, the generated help, the man page and the effective configuration in the results come from it. */
#ifndef VB_OPTIONS_H
#define VB_OPTIONS_H

#include "mpi/base/json.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kernels/base/error.h"
#include "shards/text/yaml.h"

typedef enum vb_option_kind {
    VB_OPTION_TEXT,
    VB_OPTION_PATH,
    VB_OPTION_INTEGER,
    VB_OPTION_REAL,
    VB_OPTION_BOOLEAN,
    VB_OPTION_CHOICE,
    VB_OPTION_TRIPLE,
    VB_OPTION_CUSTOM
} vb_option_kind;

#define VB_OPTION_NONE INT64_MIN

typedef struct vb_option {
    const char *key; /* YAML key; the flag, for commands that take it (mpi/command/arguments.h), is --key with dashes */
    vb_option_kind kind;
    size_t offset; /* of the field: char * (text, path), int64_t, double, bool, int (choice: index into choices), double[3] */
    bool required;
    bool unset;                 /* no default: until it is given, a choice is -1, an integer VB_OPTION_NONE, a real NaN */
    bool machine;               /* concerns the machine, not the result: shown under `run`, not in the configuration's digest */
    const char *fallback;       /* default as YAML text; NULL: unset (NULL, or the lower bound for numbers) */
    double low, high;           /* bounds of numbers */
    const char *const *choices; /* NULL-terminated */
    const char *unit;           /* "bytes", "images", ...; may be NULL */
    const char *help;           /* of the key */
    const char *flag;           /* placeholder of the flag's value: "DIR", "N"; NULL for booleans, whose flag is a switch */
    const char *flag_help;      /* where the flag's help is shorter than the key's; NULL: the same */
} vb_option;

/* A table ends with a row whose key is NULL. */

/* The row of a key; NULL: there is none. */
const vb_option *vb_options_find(const vb_option *table, const char *key);

/* Whether the command line set the key to nothing (--set KEY=): it is as if it were not given. */
bool vb_options_unset(const vb_yaml *value);
/* Reads a YAML map into *fields by the table: unknown keys (with a "did you mean"), wrong types, values out of bounds and missing
 * required keys are VB_ECONFIG with name:line:column. What the command line sets to nothing is as if it were not given.
 * VB_OPTION_CUSTOM rows are accepted and left to the caller. Text fields are allocated (vb_free). */
int vb_options_read(const vb_option *table, void *fields, const vb_yaml *map, const char *name, const char *where, vb_error *err);
/* Puts the key between the place and what is wrong there: "e.yaml:2:9: trials: expected an integer ...". Returns -1. For what
 * readers of values say. */
int vb_options_wrong(const char *key, const vb_yaml *node, const char *name, vb_error *err);
/* Every field as it is when nothing is given: its default, or unset. Fails only for lack of memory. */
int vb_options_defaults(const vb_option *table, void *fields, vb_error *err);
/* Replaces the paths among the fields, as they stand in the file `beside`, by where they lie (vb_resolve); folders of the
 * machine's options lie under the current folder, and are expanded only. Once. VB_ECONFIG: of vb_path_expand. */
int vb_options_resolve(const vb_option *table, void *fields, const char *beside, vb_error *err);
void vb_options_free(const vb_option *table, void *fields);

/* The effective values as a JSON object, machine rows or the others. NULL without memory. */
json_t *vb_options_json(vb_json *json, const vb_option *table, const void *fields, bool machine);

/* What a line of help adds to an option's text: " (exact|sampled) [exact]", " 1..100000 permutations [3]", " (required)". */
void vb_options_remark(const vb_option *option, char *text, int size);
/* One line an option: for --help. Custom rows are listed too. */
void vb_options_help(const vb_option *table);

/* The tables of an experiment file, under headings: "keys of a dataset". A list ends with a row without a title. */
typedef struct vb_option_group {
    const char *title;
    const vb_option *(*table)(void);
} vb_option_group;

/* "512MiB", "2GiB", "1e9"... as bytes. VB_ECONFIG when it is no size. */
int vb_options_parse_size(const char *text, int64_t *bytes, vb_error *err);

#endif
