/* The table of what a job asks for, and its layers: site files, command line. */
#include "mpi/cluster/site.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/base/memory.h"
#include "mpi/base/strbuf.h"
#include "shards/files/path.h"

static const char *const launchers[] = {"srun", "mpirun", NULL}, *const gpu_requests[] = {"gpus-per-node", "gres", NULL},
                         *const containers[] = {"apptainer", "singularity", "charliecloud", "slurm", NULL},
                         *const tasks[] = {"model", "pair", NULL};

#define TEXT(name) .key = #name, .kind = VB_OPTION_TEXT, .offset = offsetof(vb_site, name)
#define NUMBER(name, least, most)                                                                                                \
    .key = #name, .kind = VB_OPTION_INTEGER, .offset = offsetof(vb_site, name), .unset = true, .low = least, .high = most,       \
    .flag = "N"
#define WORD(name, words)                                                                                                        \
    .key = #name, .kind = VB_OPTION_CHOICE, .offset = offsetof(vb_site, name), .unset = true, .choices = words
#define LIST(name) .key = #name, .kind = VB_OPTION_CUSTOM

static const vb_option options[] = {
    {TEXT(partition), .help = "Slurm partition", .flag = "NAME"},
    {TEXT(account), .help = "Slurm account", .flag = "NAME"},
    {NUMBER(nodes, 1, 1000000), .help = "nodes of the job, or of every task of an array"},
    {TEXT(time), .help = "limit, as Slurm writes it: 30, 4:00:00, 1-12", .flag = "TIME"},
    {NUMBER(ntasks_per_node, 1, 4096), .help = "ranks a node [what cores, memory and work allow]"},
    {NUMBER(cpus_per_task, 1, 4096), .help = "cores, and threads, a rank [1]"},
    {NUMBER(gpus_per_node, 1, 1024), .help = "GPUs a node, which the ranks compute on [none]"},
    {TEXT(gpu_type), .help = "their type, as the site's Slurm names it: a100 [any]", .flag = "NAME"},
    {WORD(gpu_request, gpu_requests), .help = "the option of sbatch that asks for them [gpus-per-node]",
     .flag = "gpus-per-node|gres"},
    {WORD(by, tasks), .help = "an array has a task a model, or one for each pair of model and dataset [model]",
     .flag = "model|pair"},
    {NUMBER(at_once, 1, 1000000), .help = "tasks of an array that run at the same time [all]"},
    {WORD(launcher, launchers), .help = "what starts the ranks [srun]", .flag = "srun|mpirun"},
    {TEXT(mpi), .help = "how srun starts them: a name of 'srun --mpi=list' [pmix]", .flag = "NAME"},
    {NUMBER(notice, 1, 65535), .help = "seconds before the limit at which the ranks are asked to stop [120]"},
    {LIST(option), .help = "another #SBATCH line, in all jobs: --option=--qos=long", .flag = "--name=value"},
    {LIST(run_option), .help = "one in the jobs that run ranks: --run-option=--constraint=zen4", .flag = "--name=value"},
    {LIST(merge_option), .help = "one in the job that merges an array: --merge-option=--partition=small", .flag = "--name=value"},
    {.key = "setup",
     .kind = VB_OPTION_PATH,
     .offset = offsetof(vb_site, setup),
     .help = "shell lines to run before the ranks start: module load ...",
     .flag = "FILE"},
    {TEXT(scratch), .help = "folder on a disk of every node for copies of weights and shards, named there: $TMPDIR",
     .flag = "PLACE"},
    {TEXT(container), .help = "run vocabench of this image, an OCI bundle with Slurm's own containers", .flag = "IMAGE"},
    {WORD(container_through, containers), .help = "what runs the image [apptainer]",
     .flag = "apptainer|singularity|charliecloud|slurm"},
    {TEXT(container_program), .help = "vocabench's name or path in the image [vocabench]", .flag = "NAME"},
    {LIST(container_option), .help = "for apptainer exec, ch-run: --container-option=--bind=/data", .flag = "--name=value"},
    {0},
};
enum { ROWS = sizeof options / sizeof *options - 1 };

const vb_option *vb_site_options(void) { return options; }

static vb_strings *list_of(vb_site *site, const char *key) {
    const struct {
        const char *key;
        vb_strings *list;
    } lists[] = {{"option", &site->option},
                 {"run_option", &site->run_option},
                 {"merge_option", &site->merge_option},
                 {"container_option", &site->container_option}};
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++)
        if (!strcmp(lists[i].key, key)) return lists[i].list;
    assert(!"a list of the table without a field");
    return NULL;
}

/* ---- one layer ---- */

typedef struct layer {
    const char *name; /* of the file; NULL: the command line */
    vb_site values;
    bool given[ROWS];
} layer;

/* A text, or a list of texts. */
static int read_list(vb_strings *list, const vb_yaml *node, const char *name, const char *key, vb_error *err) {
    const vb_yaml *alone = node;
    const vb_yaml *const *items = node->kind == VB_YAML_LIST ? (const vb_yaml *const *)node->items : &alone;
    size_t count = node->kind == VB_YAML_LIST ? node->count : 1;
    for (size_t i = 0; i < count; i++) {
        if (items[i]->kind != VB_YAML_SCALAR || vb_yaml_is_null(items[i]))
            return vb_yaml_errorf(items[i], name, err, "%s: expected a text, or a list of texts", key);
        if (vb_strings_add(list, items[i]->text, err)) return -1;
    }
    return 0;
}

static int read_layer(layer *from, const vb_yaml *map, const char *name, vb_error *err) {
    if (vb_options_read(options, &from->values, map, name, from->name ? "a site file" : "the command line", err)) return -1;
    for (size_t i = 0; i < map->count; i++)
        for (int row = 0; row < ROWS; row++) {
            const char *key = options[row].key;
            if (strcmp(map->keys[i]->text, key)) continue;
            from->given[row] = true;
            if (options[row].kind == VB_OPTION_CUSTOM && read_list(list_of(&from->values, key), map->items[i], name, key, err))
                return -1;
        }
    return 0;
}

static int read_file(layer *from, vb_error *err) {
    vb_yaml *root = NULL;
    int status = vb_yaml_read(&root, from->name, err);
    if (!status) status = read_layer(from, root, from->name, err);
    if (!status) status = vb_options_resolve(options, &from->values, from->name, err);
    vb_yaml_free(root);
    return status;
}

static int read_flags(layer *from, const vb_override *flags, int count, vb_error *err) {
    vb_yaml *nodes = vb_array(2 * (size_t)count + 1, sizeof *nodes, "flags", err),
            **pointers = vb_array(2 * (size_t)count + 1, sizeof *pointers, "flags", err);
    int status = nodes && pointers ? 0 : -1;
    vb_yaml map = {.kind = VB_YAML_MAP, .keys = pointers, .items = pointers ? pointers + count : NULL};
    for (int i = 0; i < count && !status; i++) {
        nodes[i] = (vb_yaml){.kind = VB_YAML_SCALAR, .quoted = true, .text = (char *)(uintptr_t)flags[i].path};
        nodes[count + i] = (vb_yaml){.kind = VB_YAML_SCALAR, .text = (char *)(uintptr_t)flags[i].value};
        map.keys[i] = &nodes[i];
        map.items[i] = &nodes[count + i];
        map.count++;
    }
    if (!status) status = read_layer(from, &map, "submit", err);
    if (status && err && err->code == VB_ECONFIG) err->code = VB_EUSAGE;
    vb_free(nodes);
    vb_free(pointers);
    return status;
}

/* ---- all layers ---- */

static void take_value(const vb_option *row, vb_site *site, vb_site *from) {
    char *to = (char *)site + row->offset, *value = (char *)from + row->offset;
    if (row->kind == VB_OPTION_INTEGER) *(int64_t *)to = *(int64_t *)value;
    else if (row->kind == VB_OPTION_CHOICE) *(int *)to = *(int *)value;
    else {
        vb_free(*(char **)to);
        *(char **)to = *(char **)value;
        *(char **)value = NULL;
    }
}

static int take_list(vb_strings *list, const vb_strings *from, vb_error *err) {
    for (size_t i = 0; i < from->count; i++)
        if (vb_strings_add(list, from->items[i], err)) return -1;
    return 0;
}

static void show(vb_strbuf *text, const vb_option *row, vb_site *from) {
    const char *value = (const char *)from + row->offset;
    vb_strbuf_format(text, "%s ", row->key);
    if (row->kind == VB_OPTION_INTEGER) vb_strbuf_format(text, "%lld", (long long)*(const int64_t *)value);
    else if (row->kind == VB_OPTION_CHOICE) vb_strbuf_add(text, row->choices[*(const int *)value]);
    else if (row->kind != VB_OPTION_CUSTOM) vb_strbuf_add(text, *(char *const *)value ? *(char *const *)value : "");
    else
        for (size_t i = 0; i < list_of(from, row->key)->count; i++)
            vb_strbuf_format(text, "%s%s", i ? " " : "", list_of(from, row->key)->items[i]);
}

/* "site file /etc/vocabench/site.yaml: partition main, account physics": what of it no later layer replaces. */
static int tell(vb_site *site, layer *layers, int count, int which, vb_error *err) {
    vb_strbuf text = {0};
    bool any = false;
    vb_strbuf_format(&text, "site file %s: ", layers[which].name);
    for (int row = 0; row < ROWS; row++) {
        bool used = layers[which].given[row];
        for (int l = which + 1; l < count; l++) used = used && (options[row].kind == VB_OPTION_CUSTOM || !layers[l].given[row]);
        if (!used) continue;
        vb_strbuf_add(&text, any ? ", " : "");
        show(&text, &options[row], &layers[which].values);
        any = true;
    }
    vb_strbuf_add(&text, any ? "" : "nothing of it is used");
    for (size_t i = 0; text.bytes && i < text.filled; i++) /* it becomes a line of a script, too */
        if ((unsigned char)text.bytes[i] < 0x20) text.bytes[i] = ' ';
    int status = vb_strbuf_end(&text, "site file", err) ? -1 : vb_strings_add(&site->told, text.bytes, err);
    vb_strbuf_free(&text);
    return status;
}

/* The site files that there are, in the order in which they are read. */
static int list_files(vb_strings *files, vb_error *err) {
    const char *named = getenv("VOCABENCH_SITE"), *home = getenv("HOME"), *configs = getenv("XDG_CONFIG_HOME");
    if (named) {
        for (const char *at = named; *at;) {
            size_t n = strcspn(at, ":");
            if (n && vb_strings_add_n(files, at, n, err)) return -1;
            at += n + (at[n] == ':');
        }
        return 0;
    }
    if (vb_path_exists("/etc/vocabench/site.yaml") && vb_strings_add(files, "/etc/vocabench/site.yaml", err)) return -1;
    char *own = configs && *configs ? vb_format(err, "%s/vocabench/site.yaml", configs) :
                                      vb_format(err, "%s/.config/vocabench/site.yaml", home ? home : "");
    int status = own ? 0 : -1;
    if (own && ((configs && *configs) || (home && *home)) && vb_path_exists(own)) status = vb_strings_add(files, own, err);
    vb_free(own);
    return status;
}

int vb_site_read(vb_site *site, const vb_override *flags, int flag_count, vb_error *err) {
    vb_strings files = {0};
    layer *layers = NULL;
    *site = (vb_site){0};
    int count = 0, status = vb_options_defaults(options, site, err);
    if (!status) status = list_files(&files, err);
    if (!status && !(layers = vb_array(files.count + 1, sizeof *layers, "site files", err))) status = -1;
    for (size_t f = 0; f < files.count && !status; f++) {
        layers[count].name = files.items[f];
        status = read_file(&layers[count++], err);
    }
    if (!status) status = read_flags(&layers[count++], flags, flag_count, err);
    for (int l = 0; l + 1 < count && !status; l++) status = tell(site, layers, count, l, err);
    for (int l = 0; l < count && !status; l++)
        for (int row = 0; row < ROWS && !status; row++) {
            if (!layers[l].given[row]) continue;
            if (options[row].kind != VB_OPTION_CUSTOM) take_value(&options[row], site, &layers[l].values);
            else status = take_list(list_of(site, options[row].key), list_of(&layers[l].values, options[row].key), err);
        }
    for (int l = 0; layers && l < count; l++) vb_site_free(&layers[l].values);
    vb_free(layers);
    vb_strings_free(&files);
    return status;
}

void vb_site_free(vb_site *site) {
    vb_options_free(options, site);
    vb_strings_free(&site->option);
    vb_strings_free(&site->run_option);
    vb_strings_free(&site->merge_option);
    vb_strings_free(&site->container_option);
    vb_strings_free(&site->told);
}
