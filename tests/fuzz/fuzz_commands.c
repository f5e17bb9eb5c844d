/* What the program's own readers take: experiments, values of the command line put into them, site files, results with their
 * records, the state of a run. The first byte chooses; a form feed parts two texts. Results and states go through whole commands,
 * on one rank in this process. */
#include <fcntl.h>
#include <stdlib.h>

#include "kernels/base/memory.h"
#include "mpi/cluster/site.h"
#include "mpi/command/cmd.h"
#include "mpi/experiment/experiment_read.h"
#include "shards/files/json_parse.h"
#include "shards/files/zst.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/scratch_files.h"
#include "tests/fuzz/touch.h"

static char command_folder[SCRATCH_PATH];
static int commands_done; /* that found nothing wrong */

static void read_experiment(const char *path, const vb_override *overrides, int count) {
    vb_experiment experiment;
    vb_error err = {0};
    if (vb_experiment_read(&experiment, path, overrides, count, &err)) touch_error(&err);
    else {
        touch_bytes(experiment.name, strlen(experiment.name));
        vb_experiment_free(&experiment);
    }
}

static void experiment_file(const uint8_t *data, size_t size) {
    char path[SCRATCH_PATH];
    if (scratch_put(path, command_folder, "e.yaml", data, size)) read_experiment(path, NULL, 0);
    unlink(path);
}

/* path.to.key FORM-FEED value, put into a good experiment. */
static void set_value(const uint8_t *data, size_t size) {
    static const char good[] =
        "experiment: x\ndatasets: [{name: d, images: pics, vocabularies: v.yaml}]\nmodels: [{name: m, family: "
        "clip, activation: gelu, weights: w, tokenizer: t, prompts: [\"a {}\"]}]\n";
    char file[SCRATCH_PATH], *text = malloc(size + 1), *cut;
    if (!text) return;
    memcpy(text, data, size);
    text[size] = 0;
    if ((cut = strchr(text, '\f'))) {
        *cut = 0;
        const vb_override override = {text, cut + 1, false};
        if (scratch_put(file, command_folder, "e.yaml", good, sizeof good - 1)) read_experiment(file, &override, 1);
        unlink(file);
    }
    free(text);
}

static void site_file(const uint8_t *data, size_t size) {
    char path[SCRATCH_PATH];
    vb_site site;
    vb_error err = {0};
    if (scratch_put(path, command_folder, "site.yaml", data, size)) {
        setenv("VOCABENCH_SITE", path, 1);
        if (vb_site_read(&site, NULL, 0, &err)) touch_error(&err);
        vb_site_free(&site);
    }
    unlink(path);
}

/* Without what it prints. */
static void run_command_line(const char *const *given) {
    char *words[8];
    int count = 0;
    for (; given[count]; count++) words[count] = (char *)(uintptr_t)given[count];
    words[count] = NULL;
    vb_error err;
    vb_error_clear(&err);
    vb_arguments arguments;
    const vb_command *command = vb_arguments_find_command(vb_cmd_table, words[0]);
    static vb_comm alone;
    const int quiet = open("/dev/null", O_WRONLY | O_CLOEXEC), output = dup(1), errors = dup(2);
    if (!command || quiet < 0 || output < 0 || errors < 0 || (!alone.size && vb_comm_open_alone(&alone, &err))) abort();
    fflush(stdout);
    dup2(quiet, 1);
    dup2(quiet, 2);
    int status = vb_arguments_parse(&arguments, command, count - 1, words + 1, &err);
    vb_context context = {.comm = alone, .environment = environ, .arguments = words};
    if (!status) status = command->run(&context, &arguments, &err);
    vb_arguments_free(&arguments);
    fflush(stdout);
    dup2(output, 1);
    dup2(errors, 2);
    close(quiet);
    close(output);
    close(errors);
    if (status) touch_error(&err);
    else commands_done++;
}

/* results.json FORM-FEED records, the latter as lines of text. */
static void result_folder(const uint8_t *data, size_t size) {
    char results[SCRATCH_PATH], records[SCRATCH_PATH], below[SCRATCH_PATH + 16], tex[SCRATCH_PATH + 16];
    const uint8_t *cut = size ? memchr(data, '\f', size) : NULL;
    const size_t first = cut ? (size_t)(cut - data) : size;
    vb_zst_writer *writer = NULL;
    vb_error err = {0};
    snprintf(below, sizeof below, "%.100s/records", command_folder);
    snprintf(tex, sizeof tex, "%.100s/page.tex", command_folder);
    snprintf(records, sizeof records, "%.100s/records/m--d.jsonl.zst", command_folder);
    if (!scratch_put(results, command_folder, "results.json", data, first)) return;
    if (cut && !mkdir(below, 0700) && !vb_zst_writer_open(&writer, records, 1, &err) &&
        (vb_zst_writer_write(writer, cut + 1, size - first - 1, &err) || vb_zst_writer_commit(writer, NULL, &err)))
        abort();
    run_command_line((const char *const[]){"inspect", results, NULL});
    run_command_line((const char *const[]){"report", results, "--output", tex, NULL});
    run_command_line((const char *const[]){"verify", command_folder, "--units", "0", NULL});
    run_command_line((const char *const[]){"compare", results, results, "--permutations", "10", NULL});
    unlink(records);
    rmdir(below);
    unlink(tex);
    unlink(results);
}

static void run_state(const uint8_t *data, size_t size) {
    char path[SCRATCH_PATH];
    if (scratch_put(path, command_folder, "state.json", data, size))
        run_command_line((const char *const[]){"status", command_folder, NULL});
    unlink(path);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static void (*const forms[])(const uint8_t *, size_t) = {experiment_file, set_value, site_file, result_folder, run_state};
    vb_json_parse_setup();
    if (!size || !scratch_folder(command_folder, "commands")) return 0;
    forms[data[0] % (sizeof forms / sizeof *forms)](data + 1, size - 1);
    rmdir(command_folder);
    return 0;
}
