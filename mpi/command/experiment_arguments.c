/* Overrides from the command line, and the check that all ranks read one experiment. */
#include "mpi/command/experiment_arguments.h"

#include <string.h>

#include "kernels/base/memory.h"
#include "mpi/experiment/experiment_read.h"
#include "mpi/experiment/experiment_tables.h"
#include "mpi/results/document.h"

const vb_option_group vb_experiment_arguments_keys[] = {
    {"keys of the experiment file", vb_experiment_tables_root},
    {"keys of a dataset", vb_experiment_tables_dataset},
    {"keys of an expansion", vb_experiment_tables_expansion},
    {"keys of a model", vb_experiment_tables_model},
    {"keys of a corpus", vb_retrieval_spec_corpus_options},
    {"keys of retrieval", vb_retrieval_spec_options},
    {"keys of adversarial", vb_adversarial_spec_options},
    {"keys of open_curve", vb_open_curve_spec_options},
    {"keys of hierarchy", vb_hierarchy_spec_options},
    {"keys of prompt_spread", vb_prompt_spread_spec_options},
    {"analyses", vb_analyses_spec_options},
    {0},
};

enum { OVERRIDES = 2 * VB_ARGUMENTS_FLAGS };

/* path.to.key=value of every --set. `keys` owns copies of the paths, to be freed by the caller. */
static int add_settings(const vb_arguments *arguments, vb_override *overrides, int *count, char **keys, vb_error *err) {
    const char *text;
    for (int i = 0; (text = vb_arguments_list(arguments, "set", i)); i++) {
        const char *equals = strchr(text, '=');
        if (!equals || equals == text) return vb_errorf(err, VB_EUSAGE, "--set: expected path.to.key=value, found '%s'", text);
        if (!(keys[i] = vb_strndup(text, (size_t)(equals - text), err))) return -1;
        overrides[(*count)++] = (vb_override){keys[i], equals + 1, false};
    }
    return 0;
}

/* Names and paths are taken as they stand: "run #1" would be "run" in YAML. */
static void add_flags(const vb_arguments *arguments, vb_override *overrides, int *count) {
    for (int i = 0; i < arguments->flags.count; i++) {
        const char *key = arguments->flags.items[i].option, *text = arguments->texts[i]; /* of a switch: none */
        if (!key || !arguments->given[i]) continue;
        const vb_option *row = vb_options_find(vb_experiment_tables_root(), key);
        const bool as_it_stands = row && (row->kind == VB_OPTION_TEXT || row->kind == VB_OPTION_PATH);
        overrides[(*count)++] = (vb_override){key, text ? text : "true", as_it_stands};
    }
}

/* Variables of the environment, which paths may name, may differ between machines. Collective. */
static int check_folder(const vb_experiment *experiment, vb_comm *comm, const char *key, const char *folder, vb_error *err) {
    size_t size = strlen(folder) + 1;
    void *first = comm->rank ? NULL : vb_strdup(folder, err);
    int status = vb_comm_agree(comm, comm->rank || first ? 0 : -1, err);
    if (!status) status = vb_comm_broadcast_block(comm, &first, &size, err);
    if (!status && strcmp(first, folder))
        status = vb_errorf(err, VB_EMISMATCH, "%s: %s is %s for rank %d, %s for rank 0: do variables differ between machines?",
                           experiment->path, key, folder, comm->rank, (char *)first);
    vb_free(first);
    return vb_comm_agree(comm, status, err);
}

/* A pattern of checkpoints may match more files by the time that another rank looks. Collective. */
static int check_equal(const vb_experiment *experiment, vb_comm *comm, vb_error *err) {
    char first[40] = "", own[40] = "";
    int status = vb_document_configuration_digest(experiment->configuration, own, err);
    memcpy(first, own, sizeof first);
    if (vb_comm_broadcast(comm, first, sizeof first, err)) status = -1;
    if (!status && strcmp(first, own))
        status = vb_errorf(err, VB_EMISMATCH, "%s: rank %d reads another experiment than rank 0: do files come while it starts?",
                           experiment->path, comm->rank);
    if (vb_comm_agree(comm, status, err)) return -1;
    if (check_folder(experiment, comm, "output", experiment->output, err)) return -1;
    return check_folder(experiment, comm, "cache", experiment->cache, err);
}

int vb_experiment_arguments_read(vb_experiment *experiment, vb_context *context, const vb_arguments *arguments, vb_error *err) {
    vb_override overrides[OVERRIDES];
    char *keys[VB_ARGUMENTS_FLAGS] = {NULL};
    int count = 0, status = add_settings(arguments, overrides, &count, keys, err);
    add_flags(arguments, overrides, &count);
    if (!status) status = vb_experiment_read(experiment, arguments->positional[0], overrides, count, err);
    for (int i = 0; i < VB_ARGUMENTS_FLAGS; i++) vb_free(keys[i]);
    if (vb_comm_agree(&context->comm, status, err)) {
        if (!status) vb_experiment_free(experiment);
        return -1;
    }
    status = check_equal(experiment, &context->comm, err);
    if (status) vb_experiment_free(experiment);
    return status;
}
