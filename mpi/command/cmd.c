/* The table of commands. */
#include "mpi/command/cmd.h"

#include <string.h>

#include "mpi/command/experiment_arguments.h"
#include "shards/text/did_you_mean.h"

const vb_command vb_cmd_table[] = {
    {.name = "run",
     .positional = "FILE.yaml",
     .positional_needed = 1,
     .flags = vb_cmd_run_flags,
     .help = "Encode, evaluate and report an experiment.",
     .details = vb_cmd_run_details,
     .run = vb_cmd_run,
     .keys = vb_experiment_arguments_keys},
    {.name = "plan",
     .positional = "[FILE.yaml]",
     .flags = vb_cmd_plan_flags,
     .help = "Show what a run would do: units, memory a rank, bytes to read and to send.",
     .run = vb_cmd_plan},
    {.name = "encode",
     .positional = "images|texts",
     .positional_needed = 1,
     .flags = vb_cmd_encode_flags,
     .help = "Write embeddings of images or texts as .npy.",
     .details = vb_cmd_encode_details,
     .run = vb_cmd_encode},
    {.name = "tokenize",
     .flags = vb_cmd_tokenize_flags,
     .help = "Write token ids of texts as .npy (int32, texts x context length).",
     .run = vb_cmd_tokenize},
    {.name = "preprocess",
     .flags = vb_cmd_preprocess_flags,
     .help = "Write preprocessed images as .npy (float32, images x 3 x R x R).",
     .run = vb_cmd_preprocess},
    {.name = "pack",
     .flags = vb_cmd_pack_flags,
     .help = "Pack images as WebDataset shards (.tar.zst, seekable), or a corpus as 8-bit codes.",
     .run = vb_cmd_pack},
    {.name = "candidates",
     .positional = "wordnet",
     .positional_needed = 1,
     .flags = vb_cmd_candidates_flags,
     .help = "Write a list of nouns for adversarial vocabularies.",
     .details = vb_cmd_candidates_details,
     .run = vb_cmd_candidates},
    {.name = "retrieve",
     .flags = vb_cmd_retrieve_flags,
     .help = "List the rows of a corpus most similar to each query, exactly.",
     .details = vb_cmd_retrieve_details,
     .run = vb_cmd_retrieve},
    {.name = "submit",
     .positional = "FILE.yaml",
     .positional_needed = 1,
     .flags = vb_cmd_submit_flags,
     .help = "Write a Slurm batch script for an experiment and submit it.",
     .details = vb_cmd_submit_details,
     .run = vb_cmd_submit},
    {.name = "merge",
     .positional = "OUT DIR...",
     .positional_needed = 2,
     .flags = vb_cmd_merge_flags,
     .help = "Join the results of runs of parts of one experiment.",
     .details = vb_cmd_merge_details,
     .run = vb_cmd_merge},
    {.name = "status",
     .positional = "DIR",
     .positional_needed = 1,
     .flags = vb_cmd_status_flags,
     .help = "Show what of a run is done, running, failed and to do, and the time left.",
     .details = vb_cmd_status_details,
     .run = vb_cmd_status},
    {.name = "report",
     .positional = "DIR...",
     .positional_needed = 1,
     .flags = vb_cmd_report_flags,
     .help = "Make a page of results: tables, figures, provenance (HTML, Markdown, LaTeX or PDF).",
     .details = vb_cmd_report_details,
     .run = vb_cmd_report},
    {.name = "compare",
     .positional = "A B",
     .positional_needed = 2,
     .flags = vb_cmd_compare_flags,
     .help = "Compare two results on the same images: differences, standard errors, exact tests.",
     .details = vb_cmd_compare_details,
     .run = vb_cmd_compare},
    {.name = "inspect",
     .positional = "FILE",
     .positional_needed = 1,
     .flags = vb_cmd_inspect_flags,
     .help = "Say what a file is: weights, embeddings, shards, vocabularies, experiments.",
     .run = vb_cmd_inspect},
    {.name = "version", .flags = vb_cmd_version_flags, .help = "Print version, revision and libraries.", .run = vb_cmd_version},
    {.name = "help",
     .positional = "[COMMAND]",
     .flags = vb_cmd_help_flags,
     .help = "Show this list, or the help of a command.",
     .run_local = vb_cmd_help},
    {0},
};

const vb_command *vb_cmd_find(const char *name) {
    for (const vb_command *command = vb_cmd_table; command->name; command++)
        if (!strcmp(command->name, name)) return command;
    return NULL;
}

int vb_cmd_unknown(const char *name, vb_error *err) {
    const char *names[sizeof vb_cmd_table / sizeof *vb_cmd_table]; /* the last row's NULL included */
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) names[i] = vb_cmd_table[i].name;
    const char *near = vb_did_you_mean(name, names);
    return vb_errorf(err, VB_EUSAGE, "unknown command '%s'%s%s%s; see 'vocabench help'", name, near ? "; did you mean '" : "",
                     near ? near : "", near ? "'?" : "");
}
