/* Command lines: one table of flags a command, from which parsing and help are made. */
#ifndef VB_ARGUMENTS_H
#define VB_ARGUMENTS_H

#include <stdbool.h>
#include <stdint.h>

#include "kernels/base/error.h"
#include "kernels/base/strings.h"

typedef enum vb_flag_kind { VB_FLAG_TEXT, VB_FLAG_NUMBER, VB_FLAG_SWITCH, VB_FLAG_LIST } vb_flag_kind;

/* A row of a command's table, which ends with a row {0}. A flag that sets an option of the experiment file names the option's key
 * and nothing else: name, kind and placeholder come from the option table, and the help too unless the command has its own. */
typedef struct vb_flag {
    const char *name; /* without dashes */
    vb_flag_kind kind;
    const char *option; /* key of the option that the flag sets; NULL: the flag is the command's own */
    const char *job;    /* the same of what a job asks for (mpi/cluster/site.h) */
    const char *value;  /* placeholder in the help: "FILE"; NULL for switches */
    bool required;
    bool plain; /* a file that is written, never packed: a name in .zst would say what it is not, and is refused */
    const char *help;
    int64_t low, high; /* of numbers */
} vb_flag;

enum { VB_ARGUMENTS_FLAGS = 64, VB_ARGUMENTS_POSITIONALS = 1024, VB_ARGUMENTS_NAME = 32 };

/* The flags of a command with everything filled in. Names point into the struct: it must not be copied. */
typedef struct vb_flags {
    int count;
    vb_flag items[VB_ARGUMENTS_FLAGS];
    char names[VB_ARGUMENTS_FLAGS][VB_ARGUMENTS_NAME];
} vb_flags;

/* A command: a row of the table in cmd.c. One of run and run_local is set. */
struct vb_context;
struct vb_arguments;
typedef struct vb_command {
    const char *name;
    const char
        *positional; /* "FILE.yaml", "images|texts"; NULL for none; in brackets: one that may be left out; with "..." at the
                               end, more may follow */
    int positional_needed;
    const vb_flag *flags;
    const char *help;    /* one line */
    const char *details; /* paragraphs for --help; may be NULL */
    int (*run)(struct vb_context *context, const struct vb_arguments *arguments, vb_error *err); /* collective */
    /* Without MPI; commands: the whole table. */
    int (*run_local)(const struct vb_command *commands, const struct vb_arguments *arguments, vb_error *err);
    bool stops; /* looks now and then whether it was told to stop, and ends by itself; signals end others at once */
    const struct vb_option_group *keys; /* tables of the experiment file that its help shows too; may be NULL */
} vb_command;

/* What was given: for flag i, texts[i] (the last one), numbers[i], given[i]; flags of the kind list collect in order in list[] */
typedef struct vb_arguments {
    const vb_command *command;
    vb_flags flags;
    const char *texts[VB_ARGUMENTS_FLAGS];
    int64_t numbers[VB_ARGUMENTS_FLAGS];
    bool given[VB_ARGUMENTS_FLAGS];
    int list_count;
    struct {
        int flag;
        const char *text;
    } list[VB_ARGUMENTS_FLAGS];
    int positional_count;
    const char *positional[VB_ARGUMENTS_POSITIONALS];
    bool help;
    vb_strings paths; /* values that were expanded */
} vb_arguments;

/* What a placeholder stands for, as completion takes it: "html|md" and "int8" are words to choose from, "DIR" a folder, "FILE",
 * "PATH" and all with a dot ("IDS.npy") files, "[COMMAND]" a command, "MODEL" and "DATASET" names of the results that stand on
 * the line; the rest is free text. */
typedef enum vb_placeholder {
    VB_PLACEHOLDER_FREE,
    VB_PLACEHOLDER_WORDS,
    VB_PLACEHOLDER_FOLDER,
    VB_PLACEHOLDER_FILE,
    VB_PLACEHOLDER_COMMAND,
    VB_PLACEHOLDER_MODEL,
    VB_PLACEHOLDER_DATASET
} vb_placeholder;

/* The row of that name in a table of commands; NULL when there is none. */
const vb_command *vb_arguments_find_command(const vb_command *commands, const char *name);

/* VB_EUSAGE with a "did you mean". */
int vb_arguments_unknown_command(const vb_command *commands, const char *name, vb_error *err);

/* The kind of a placeholder; NULL is free text. */
vb_placeholder vb_arguments_placeholder(const char *placeholder);

/* The command's flags, those that stand for options included, in the order of its table. */
void vb_arguments_flags(const vb_command *command, vb_flags *flags);

/* Reads --flag value, --flag=value and --switch; "--" ends flags. VB_EUSAGE: unknown flags (with a "did you mean"), values that
 * are missing or out of bounds, too few or too many positionals. --help ends the reading with arguments->help set. Paths are
 * expanded (vb_path_expand); those that stand for options of the experiment file are left to its reader. The arguments borrow
 * argv. Free with vb_arguments_free, also after a failure. Local. */
int vb_arguments_parse(vb_arguments *arguments, const vb_command *command, int argc, char **argv, vb_error *err);
void vb_arguments_free(vb_arguments *arguments);

/* Prints what `help COMMAND` says on the standard output. */
void vb_arguments_help(const vb_command *command);

/* Values by a flag's name, which must be in the command's table: NULL, `otherwise` and false where it was not given. */
const char *vb_arguments_text(const vb_arguments *arguments, const char *name);
int64_t vb_arguments_number(const vb_arguments *arguments, const char *name, int64_t otherwise);
bool vb_arguments_given(const vb_arguments *arguments, const char *name);

/* Which of the words of its placeholder ("dot|cosine": 0, 1) a flag's value is; `otherwise` where it was not given. VB_EUSAGE for
 * any other word. */
int vb_arguments_choice(const vb_arguments *arguments, const char *name, int otherwise, int *choice, vb_error *err);

/* The n-th value, from 0, of a flag of the kind list; NULL when there are fewer. */
const char *vb_arguments_list(const vb_arguments *arguments, const char *name, int n);

#endif
