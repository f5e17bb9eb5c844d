/* Command lines: one table of flags a command, from which parsing and help are made. */
#ifndef VB_ARGUMENTS_H
#define VB_ARGUMENTS_H

#include <stdbool.h>
#include <stdint.h>

#include "kernels/base/error.h"

typedef enum vb_flag_kind { VB_FLAG_TEXT, VB_FLAG_NUMBER, VB_FLAG_SWITCH, VB_FLAG_LIST } vb_flag_kind;

typedef struct vb_flag {
    const char *name; /* without dashes */
    vb_flag_kind kind;
    const char *value; /* placeholder in the help: "FILE"; NULL for switches */
    bool required;
    const char *help;
    int64_t low, high; /* of numbers */
} vb_flag;

enum { VB_ARGUMENTS = 64, VB_POSITIONALS = 1024 };

/* What was given: for flag i of the table, texts[i] (the last one), numbers[i], given[i]; list flags collect in order in
 * list[]. */
typedef struct vb_arguments {
    const char *texts[VB_ARGUMENTS];
    int64_t numbers[VB_ARGUMENTS];
    bool given[VB_ARGUMENTS];
    int list_count;
    struct {
        int flag;
        const char *text;
    } list[VB_ARGUMENTS];
    int positional_count;
    const char *positional[VB_POSITIONALS];
    bool help;
} vb_arguments;

/* A command: a row of the program's table. `flags` ends with a row without a name. */
struct vb_context;
typedef struct vb_command {
    const char *name;
    const char
        *positional; /* "FILE.yaml", "images|texts"; NULL for none; in brackets: one that may be left out; with "..." at the end,
                               more may follow */
    int positional_needed;
    const vb_flag *flags;
    const char *help;                                                                     /* one line */
    const char *details;                                                                  /* paragraphs for --help; may be NULL */
    int (*run)(struct vb_context *context, const vb_arguments *arguments, vb_error *err); /* collective */
    const struct vb_option_group *keys; /* tables beyond the flags; may be NULL */
} vb_command;

/* What a placeholder stands for, as completion takes it: "html|md" and "int8" are words to choose from, "DIR" a folder, "FILE",
 * "PATH" and all with a dot ("IDS.npy") files, "[COMMAND]" a command; the rest is free text. */
typedef enum vb_value_kind { VB_VALUE_FREE, VB_VALUE_WORDS, VB_VALUE_FOLDER, VB_VALUE_FILE, VB_VALUE_COMMAND } vb_value_kind;
vb_value_kind vb_arguments_value_kind(const char *placeholder);

/* --flag value, --flag=value, --switch; "--" ends flags. Unknown flags get a "did you mean". Local. */
int vb_arguments_parse(vb_arguments *arguments, const vb_command *command, int argc, char **argv, vb_error *err);
void vb_arguments_help(const vb_command *command);

/* Value of a flag by name: NULL or 0 when it was not given. The name must be in the table. */
const char *vb_arguments_text(const vb_arguments *arguments, const vb_command *command, const char *name);
int64_t vb_arguments_number(const vb_arguments *arguments, const vb_command *command, const char *name, int64_t otherwise);
bool vb_arguments_given(const vb_arguments *arguments, const vb_command *command, const char *name);

#endif
