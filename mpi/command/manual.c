/* The man page, in mdoc, from the tables of commands, flags, keys and exit codes. */
#include "mpi/command/manual.h"

#include <string.h>

#include "mpi/experiment/options.h"
#include "mpi/base/provenance.h"

enum { WIDTH = 76 }; /* of the source's lines: mandoc -T lint wants them below 80 */

typedef struct row {
    const char *name, *text;
} row;

static const row environment[] = {
    {"OMP_NUM_THREADS", "Threads a rank, where neither --threads nor the experiment says."},
    {"VOCABENCH_CONFIGS",
     "Folder of the shipped experiments/, vocabularies/ and prompts/. Else ../configs or ../share/vocabench/configs "
     "beside the program, else the installation's."},
    {"VOCABENCH_SLURM", "Folder of the batch script templates, found in the same way."},
    {"VOCABENCH_SITE",
     "Site files for `submit`, parted by colons, instead of /etc/vocabench/site.yaml and one's own; empty: none."},
    {"VOCABENCH_ISA",
     "Lowers the instruction set level: scalar, avx2, avx512 or vnni. A level that the processor lacks is not raised to."},
    {"VOCABENCH_FAULT",
     "For tests: site:n:effect[@rank] makes the n-th passage through a site fail. Sites: open, read, write, fsync, "
     "rename, mmap, alloc, mpi, unit, decode, device-alloc, device-build, device-launch. Effects: ENOSPC, EIO, ENOMEM, EACCES, "
     "short, slow, kill."},
    {"VOCABENCH_WAIT",
     "How ranks wait for each other: sleep gives the core to others, spin answers soonest. Else they sleep where a machine has "
     "more ranks than cores, and spin elsewhere."},
    {"VOCABENCH_MPI", "1: MPI is started whoever started the program. Else a process without the variables of a launcher "
                      "(mpirun, srun, PMI, PMIx) is alone and does without."},
    {"COLUMNS", "Width to which help is broken; without it that of the terminal."},
    {"OMPI_MCA_osc", "Set to ^ucx unless it is set: Open MPI 4.1's UCX component has no windows across machines over TCP."},
    {0}};

static const row files[] = {
    {"results/EXPERIMENT/results.json",
     "Everything that a run found, schema vocabench.results/1. Byte-identical, less its `run` object, at any number of ranks."},
    {"results/EXPERIMENT/table.md", "The figures as a table; also table.csv and, with --latex, table.tex."},
    {"results/EXPERIMENT/pairs/", "The result of each (model, dataset) as soon as it is finished, for --resume."},
    {"results/EXPERIMENT/records/", "With --per-image, a line for every image (JSON lines, zstd)."},
    {"results/EXPERIMENT/cache/", "Encoded units: a second run encodes nothing."},
    {"/etc/vocabench/site.yaml",
     "What jobs of this site ask for: the flags of `submit` from --partition to --container-option as keys."},
    {"~/.config/vocabench/site.yaml", "The same of one's own, which wins."},
    {0}};

static const row examples[] = {{"mpirun -n 4 vocabench run mine.yaml", "Evaluates an experiment on four ranks."},
                               {"vocabench plan mine.yaml --ranks 64",
                                "Work, memory and bytes of 64 ranks, before anything starts."},
                               {"vocabench inspect ViT-B-32.pt", "What is in a checkpoint, and the YAML lines to use it."},
                               {"vocabench report results/mine --output mine.html", "A page of the results."},
                               {"vocabench compare results/a results/b", "Paired statistics of two results on the same images."},
                               {"vocabench submit mine.yaml --partition compute --nodes 4 --time 4:00:00",
                                "A Slurm job that goes on by itself at its time limit."},
                               {0}};

/* A list of choices may be broken between them; a long one has blanks, by which its lines are adjusted. */
static void put_break(vb_strbuf *out, char before, bool blank) {
    if (before == '|') vb_strbuf_add(out, blank ? " " : "\\:");
}

/* One word of running text: backslashes and dashes as they are, what stands in `...` in bold. */
static void put_word(vb_strbuf *out, const char *word, size_t n, bool *bold) {
    if (n && (*word == '.' || *word == '\'')) vb_strbuf_add(out, "\\&");
    for (size_t i = 0; i < n; i++) {
        if (word[i] == '\\') vb_strbuf_add(out, "\\e");
        else if (word[i] == '`') vb_strbuf_add(out, (*bold = !*bold) ? "\\fB" : "\\fP");
        else if (word[i] == '-' && ((i + 1 < n && word[i + 1] == '-') || (i && word[i - 1] == '-'))) vb_strbuf_add(out, "\\-");
        else vb_strbuf_add_n(out, word + i, 1);
        put_break(out, word[i], n > WIDTH);
    }
}

/* Running text, a sentence begins a line. */
static void put_text(vb_strbuf *out, const char *text) {
    size_t column = 0;
    bool bold = false, ended = false;
    for (;;) {
        text += strspn(text, " \n");
        size_t n = strcspn(text, " \n");
        if (!n) break;
        if (column) vb_strbuf_add(out, ended || column + 1 + n > WIDTH ? "\n" : " ");
        if (ended || column + 1 + n > WIDTH) column = 0;
        put_word(out, text, n, &bold);
        column += n + 1;
        size_t last = n;
        while (last && strchr(")`'", text[last - 1])) last--;
        ended = last && strchr(".?!", text[last - 1]);
        text += n;
    }
    vb_strbuf_add(out, "\n");
}

/* What follows a macro: each word of `text` is an argument of its own that is none of mdoc's macros. */
static void put_arguments(vb_strbuf *out, const char *text) {
    for (const char *at = text; *at; at++) {
        if ((at == text || at[-1] == ' ') && *at != ' ') vb_strbuf_add(out, "\\&");
        vb_strbuf_add(out, *at == '-' ? "\\-" : *at == '\\' ? "\\e" : "");
        if (*at != '-' && *at != '\\') vb_strbuf_add_n(out, at, 1);
        put_break(out, *at, strlen(text) > WIDTH);
    }
}

static void put_rows(vb_strbuf *out, const char *macro, const row *rows) {
    vb_strbuf_add(out, ".Bl -tag -width Ds\n");
    for (const row *it = rows; it->name; it++) {
        vb_strbuf_format(out, ".It %s ", macro);
        put_arguments(out, it->name);
        vb_strbuf_add(out, "\n");
        put_text(out, it->text);
    }
    vb_strbuf_add(out, ".El\n");
}

static void put_flag(vb_strbuf *out, const vb_flag *flag) {
    vb_strbuf_format(out, ".It Fl -%s", flag->name);
    if (flag->value) {
        vb_strbuf_add(out, " Ar ");
        put_arguments(out, flag->value);
    }
    vb_strbuf_add(out, "\n");
    vb_strbuf text = {0};
    vb_strbuf_format(&text, "%s%s%s", flag->help, flag->required ? " (required)" : "",
                     flag->kind == VB_FLAG_LIST ? " (repeatable)" : "");
    put_text(out, text.bytes ? text.bytes : "");
    out->failed = out->failed || text.failed;
    vb_strbuf_free(&text);
}

static void put_command(vb_strbuf *out, const vb_command *command) {
    vb_strbuf_format(out, ".Ss vocabench %s", command->name);
    if (command->positional) {
        vb_strbuf_add(out, " ");
        put_arguments(out, command->positional);
    }
    vb_strbuf_add(out, "\\&\n"); /* "..." would be taken for the end of a sentence */
    put_text(out, command->help);
    if (command->details) {
        vb_strbuf_add(out, ".Pp\n");
        put_text(out, command->details);
    }
    vb_flags flags;
    vb_arguments_flags(command, &flags);
    if (!flags.count) return;
    vb_strbuf_add(out, ".Bl -tag -width Ds\n");
    for (int i = 0; i < flags.count; i++) put_flag(out, &flags.items[i]);
    vb_strbuf_add(out, ".El\n");
}

static void put_keys(vb_strbuf *out, const vb_option_group *groups) {
    for (const vb_option_group *group = groups; group->title; group++) {
        vb_strbuf_format(out, ".Ss %s\n.Bl -tag -width Ds\n", group->title);
        for (const vb_option *option = group->table(); option->key; option++) {
            char remark[256];
            vb_strbuf text = {0};
            vb_options_remark(option, remark, sizeof remark);
            vb_strbuf_format(&text, "%s%s", option->help, remark);
            vb_strbuf_format(out, ".It Cm %s\n", option->key);
            put_text(out, text.bytes ? text.bytes : "");
            out->failed = out->failed || text.failed;
            vb_strbuf_free(&text);
        }
        vb_strbuf_add(out, ".El\n");
    }
}

void vb_manual(const vb_command *commands, vb_strbuf *out) {
    vb_strbuf_format(out,
                     ".\\\" Made by `vocabench help --format man`: do not edit.\n.Dd %s\n.Dt VOCABENCH 1\n.Os vocabench %s\n",
                     vb_provenance_release_date(), vb_provenance_version());
    vb_strbuf_add(out, ".Sh NAME\n.Nm vocabench\n.Nd measure how open CLIP-like models are\n.Sh SYNOPSIS\n"
                       ".Op Cm mpirun Fl n Ar RANKS\n.Nm vocabench\n.Ar COMMAND\n.Op Ar ...\n.Sh DESCRIPTION\n");
    put_text(out, "vocabench measures what happens to the zero-shot accuracy of CLIP-like models when the list of class "
                  "names grows, why, and how far retrieval-enhanced prompts repair it. A dataset's classes are split into "
                  "vocabularies, which arrive in any order. Acc-C is the accuracy within each vocabulary, Acc-E the mean "
                  "while vocabularies and their images are added, Acc-S the mean on one vocabulary's images while foreign "
                  "vocabularies are added. All are exact over all orders.");
    vb_strbuf_add(out, ".Pp\n");
    put_text(out, "Every command runs on one process or on many (mpirun, srun), with the same results to the byte.");
    vb_strbuf_add(out, ".Sh COMMANDS\n");
    for (const vb_command *command = commands; command->name; command++) put_command(out, command);
    for (const vb_command *command = commands; command->name; command++)
        if (command->keys) {
            vb_strbuf_add(out, ".Sh EXPERIMENT FILES\n");
            put_text(out, "YAML. Unknown keys are errors. Paths are looked for beside the file, then "
                          "below the current folder. In brackets stands the default.");
            put_keys(out, command->keys);
        }
    vb_strbuf_add(out, ".Sh ENVIRONMENT\n");
    put_rows(out, "Ev", environment);
    vb_strbuf_add(out, ".Sh FILES\n");
    put_rows(out, "Pa", files);
    vb_strbuf_add(out, ".Sh EXIT STATUS\n");
    put_text(out, "Under mpirun the code is the same. Codes above 128 mean that a signal ended a rank.");
    vb_strbuf_add(out, ".Bl -tag -width Ds\n");
    for (const int *code = vb_error_codes; *code >= 0; code++)
        vb_strbuf_format(out, ".It %d\n%s\n", *code, vb_error_code_name(*code));
    vb_strbuf_add(out, ".El\n.Sh EXAMPLES\n");
    for (const row *it = examples; it->name; it++) {
        put_text(out, it->text);
        vb_strbuf_add(out, ".Dl ");
        put_arguments(out, it->name);
        vb_strbuf_add(out, it[1].name ? "\n.Pp\n" : "\n");
    }
    vb_strbuf_add(out, ".Sh SEE ALSO\n.Xr gnuplot 1 ,\n.Xr mpirun 1 ,\n.Xr sbatch 1\n.Rs\n.%A Shuhuai Ren et al.\n"
                       ".%T Delving into the Openness of CLIP\n.%B Findings of ACL\n.%D 2023\n.Re\n");
}
