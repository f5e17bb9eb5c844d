/* The program: the command table, the start and the end of MPI, signals, and the only exit. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kernels/base/fault.h"
#include "kernels/base/memory.h"
#include "mpi/command/cmd.h"
#include "mpi/command/manual.h"
#include "mpi/base/provenance.h"
#include "shards/text/yaml.h"
#include "shards/text/did_you_mean.h"

static const vb_flag help_flags[] = {{"format", VB_FLAG_TEXT, "text|man|bash|zsh", false,
                                      "all commands as a man page or as a shell's completion [text]", 0, 0},
                                     {0}};

const vb_command vb_cmd_table[] = {
    {"run", "FILE.yaml", 1, vb_run_flags, "Encode, evaluate and report an experiment.", vb_run_details, vb_cmd_run,
     vb_experiment_arguments_keys},
    {"plan", "[FILE.yaml]", 0, vb_plan_flags, "Show what a run would do: units, memory a rank, bytes to read and to send.", NULL,
     vb_cmd_plan, NULL},
    {"encode", "images|texts", 1, vb_encode_flags, "Write embeddings of images or texts as .npy.", vb_encode_details,
     vb_cmd_encode, NULL},
    {"tokenize", NULL, 0, vb_tokenize_flags, "Write token ids of texts as .npy (int32, texts x context length).", NULL,
     vb_cmd_tokenize, NULL},
    {"preprocess", NULL, 0, vb_preprocess_flags, "Write preprocessed images as .npy (float32, images x 3 x R x R).", NULL,
     vb_cmd_preprocess, NULL},
    {"pack", NULL, 0, vb_pack_flags, "Pack images as WebDataset shards (.tar.zst, seekable), or a corpus as 8-bit codes.", NULL,
     vb_cmd_pack, NULL},
    {"candidates", "wordnet", 1, vb_candidates_flags, "Write a list of nouns for adversarial vocabularies.",
     vb_candidates_details, vb_cmd_candidates, NULL},
    {"retrieve", NULL, 0, vb_retrieve_flags, "List the rows of a corpus most similar to each query, exactly.",
     vb_retrieve_details, vb_cmd_retrieve, NULL},
    {"submit", "FILE.yaml", 1, vb_submit_flags, "Write a Slurm batch script for an experiment and submit it.", vb_submit_details,
     vb_cmd_submit, NULL},
    {"merge", "OUT DIR...", 2, vb_merge_flags, "Join the results of runs of parts of one experiment.", vb_merge_details,
     vb_cmd_merge, NULL},
    {"status", "DIR", 1, vb_status_flags, "Show what of a run is done, running, failed and to do, and the time left.",
     vb_status_details, vb_cmd_status, NULL},
    {"report", "DIR...", 1, vb_report_flags,
     "Make a page of results: tables, figures, provenance (HTML, Markdown, LaTeX or PDF).", vb_report_details, vb_cmd_report,
     NULL},
    {"compare", "A B", 2, vb_compare_flags, "Compare two results on the same images: differences, standard errors, exact tests.",
     vb_compare_details, vb_cmd_compare, NULL},
    {"inspect", "FILE", 1, vb_inspect_flags, "Say what a file is: weights, embeddings, shards, vocabularies, experiments.", NULL,
     vb_cmd_inspect, NULL},
    {"version", NULL, 0, vb_version_flags, "Print version, revision and libraries.", NULL, vb_cmd_version, NULL},
    {"help", "[COMMAND]", 0, help_flags, "Show this list, or the help of a command.", NULL, NULL, NULL},
    {0}};

static const vb_command *find_command(const char *name) {
    for (const vb_command *command = vb_cmd_table; command->name; command++)
        if (!strcmp(command->name, name)) return command;
    return NULL;
}

static void program_help(void) {
    printf("vocabench %s: how open are CLIP-like models?\n\nusage: [mpirun -n RANKS] vocabench COMMAND ...\n\n",
           vb_provenance_version());
    for (const vb_command *command = vb_cmd_table; command->name; command++) printf("  %-12s %s\n", command->name, command->help);
    printf("\n'vocabench help COMMAND' lists its flags. Exit codes: 0 done");
    for (const int *code = vb_error_codes + 1; *code >= 0; code++) printf(", %d %s", *code, vb_error_code_name(*code));
    printf(".\n");
}

static int report(const vb_error *err, int ranks) {
    if (ranks > 1) fprintf(stderr, "vocabench: rank %d: %s\n", err->rank < 0 ? 0 : err->rank, err->text);
    else fprintf(stderr, "vocabench: %s\n", err->text);
    return err->code;
}

/* Only one rank speaks of a bad command line; before MPI starts its launcher's variables tell which. */
static int is_first_rank(void) {
    static const char *const variables[] = {"OMPI_COMM_WORLD_RANK", "PMIX_RANK", "PMI_RANK", "SLURM_PROCID"};
    for (size_t i = 0; i < sizeof variables / sizeof *variables; i++)
        if (getenv(variables[i])) return atoi(getenv(variables[i])) == 0;
    return 1;
}

static int usage_error(vb_error *err) { return is_first_rank() ? report(err, 1) : err->code; }

static int run_command(const vb_command *command, const vb_arguments *arguments) {
    vb_error err;
    vb_error_clear(&err);
    size_t variables = 0;
    while (environ[variables]) variables++;
    char **environment = vb_array(variables + 1, sizeof *environment, "environment", &err);
    if (!environment) return report(&err, 1);
    memcpy(environment, environ, variables * sizeof *environment);
    int provided;
    /* Open MPI 4.1's UCX component cannot allocate a window across machines over TCP; the others can, on any network. */
    setenv("OMPI_MCA_osc", "^ucx", 0);
    if (MPI_Init_thread(NULL, NULL, MPI_THREAD_FUNNELED, &provided) != MPI_SUCCESS) {
        fprintf(stderr, "vocabench: MPI cannot start\n");
        vb_free(environment);
        return VB_EMPI;
    }
    vb_context_catch_signals();

    vb_context context = {.command = command, .started = MPI_Wtime(), .environment = environment};
    int code;
    if (vb_comm_open(&context.comm, MPI_COMM_WORLD, &err)) code = report(&err, 2);
    else {
        int status = 0;
        if (vb_fault_setup(getenv("VOCABENCH_FAULT"), context.comm.rank))
            status = vb_errorf(&err, VB_EUSAGE, "VOCABENCH_FAULT='%s': expected site:n:effect[@rank]", getenv("VOCABENCH_FAULT"));
        status = vb_comm_agree(&context.comm, status, &err);
        if (!status) status = command->run(&context, arguments, &err);
        status = vb_comm_agree(&context.comm, status, &err);
        code = status ? err.code : 0;
        if (status && !context.comm.rank) report(&err, context.comm.size);
    }
    vb_comm_close(&context.comm);
    vb_free(environment);
    fflush(stdout);
    MPI_Finalize();
    return code;
}

static int unknown_command(const char *name, vb_error *err) {
    const char *names[32];
    int n = 0;
    for (; vb_cmd_table[n].name; n++) names[n] = vb_cmd_table[n].name;
    names[n] = NULL;
    const char *near = vb_did_you_mean(name, names);
    return vb_errorf(err, VB_EUSAGE, "unknown command '%s'%s%s%s; see 'vocabench help'", name, near ? "; did you mean '" : "",
                     near ? near : "", near ? "'?" : "");
}

/* `help [COMMAND] [--format ...]`, without MPI. */
static int help(const vb_command *own, const vb_arguments *arguments, vb_error *err) {
    static void (*const make[])(const vb_command *, vb_strbuf *) = {vb_manual, vb_completion_bash, vb_completion_zsh};
    static const char *const formats[] = {"man", "bash", "zsh", "text", NULL};
    const char *name = arguments->positional_count ? arguments->positional[0] : NULL,
               *format = vb_arguments_text(arguments, own, "format");
    const vb_command *command = name ? find_command(name) : NULL;
    int f = 3;
    if (name && !command) return unknown_command(name, err);
    if (format)
        for (f = 0; formats[f] && strcmp(format, formats[f]);) f++;
    if (!formats[f]) return vb_errorf(err, VB_EUSAGE, "help: --format: expected text, man, bash or zsh, found '%s'", format);
    if (!is_first_rank()) return 0;
    if (f == 3) {
        if (command) vb_arguments_help(command);
        else program_help();
        return 0;
    }
    if (command) return vb_errorf(err, VB_EUSAGE, "help: --format %s is of all commands together, not of '%s'", format, name);
    vb_strbuf out = {0};
    make[f](vb_cmd_table, &out);
    int status = vb_strbuf_end(&out, "the help", err);
    if (!status && (fwrite(out.bytes, 1, out.filled, stdout) != out.filled || fflush(stdout)))
        status = vb_errorf(err, VB_EOUTPUT, "help: standard output cannot be written");
    vb_strbuf_free(&out);
    return status;
}

int main(int argc, char **argv) {
    vb_error err;
    vb_error_clear(&err);
    const char *name = argc > 1 ? argv[1] : "help";
    if (!strcmp(name, "--help") || !strcmp(name, "-h")) name = "help";
    if (!strcmp(name, "--version")) name = "version";
    const vb_command *command = find_command(name);
    if (!command) {
        unknown_command(name, &err);
        return usage_error(&err);
    }
    vb_arguments arguments;
    if (vb_arguments_parse(&arguments, command, argc > 2 ? argc - 2 : 0, argv + 2, &err)) return usage_error(&err);
    if (arguments.help) {
        if (is_first_rank()) vb_arguments_help(command);
        return 0;
    }
    if (!command->run) return help(command, &arguments, &err) ? usage_error(&err) : argc > 1 ? 0 : VB_EUSAGE;
    return run_command(command, &arguments);
}
