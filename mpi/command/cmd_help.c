/* `vocabench help [COMMAND] [--format ...]`: what is made of the table of commands. */
#include <stdio.h>
#include <string.h>

#include "mpi/base/provenance.h"
#include "mpi/base/terminal.h"
#include "mpi/command/cmd.h"
#include "mpi/command/completion.h"
#include "mpi/command/manual.h"

const vb_flag vb_cmd_help_flags[] = {
    {.name = "format",
     .kind = VB_FLAG_TEXT,
     .value = "text|man|bash|zsh",
     .help = "all commands as a man page or as a shell's completion [text]"},
    {0},
};

static void print_commands(const vb_command *commands) {
    const int width = vb_terminal_width(), indent = vb_terminal_indent(15, width);
    vb_strbuf codes = {0};
    char title[96];
    snprintf(title, sizeof title, "vocabench %s: how open are CLIP-like models?", vb_provenance_version());
    vb_terminal_wrap(title, 0, 0, width);
    printf("\nusage: ");
    vb_terminal_wrap("[mpirun -n RANKS] vocabench COMMAND ...", 7, 7, width);
    printf("\n");
    for (const vb_command *command = commands; command->name; command++)
        vb_terminal_row(command->name, command->help, indent, width);
    vb_strbuf_add(&codes, "'vocabench help COMMAND' lists its flags. Exit codes: 0 done");
    for (const int *code = vb_error_codes + 1; *code >= 0; code++)
        vb_strbuf_format(&codes, ", %d %s", *code, vb_error_code_name(*code));
    vb_strbuf_add(&codes, ".");
    printf("\n");
    if (!codes.failed) vb_terminal_wrap(codes.bytes, 0, 0, width);
    vb_strbuf_free(&codes);
}

static int print_made(const vb_command *commands, void (*make)(const vb_command *, vb_strbuf *), vb_error *err) {
    vb_strbuf out = {0};
    make(commands, &out);
    int status = vb_strbuf_end(&out, "the help", err);
    if (!status && (fwrite(out.bytes, 1, out.filled, stdout) != out.filled || fflush(stdout)))
        status = vb_errorf(err, VB_EOUTPUT, "help: standard output cannot be written");
    vb_strbuf_free(&out);
    return status;
}

int vb_cmd_help(const vb_command *commands, const vb_arguments *arguments, vb_error *err) {
    static const struct {
        const char *name;
        void (*make)(const vb_command *, vb_strbuf *); /* NULL: text */
    } formats[] = {{"text", NULL}, {"man", vb_manual}, {"bash", vb_completion_bash}, {"zsh", vb_completion_zsh}};
    const char *name = arguments->positional_count ? arguments->positional[0] : NULL,
               *format = vb_arguments_text(arguments, "format");
    const vb_command *command = name ? vb_arguments_find_command(commands, name) : NULL;
    const size_t count = sizeof formats / sizeof *formats;
    size_t f = 0;
    if (name && !command) return vb_arguments_unknown_command(commands, name, err);
    while (format && f < count && strcmp(format, formats[f].name)) f++;
    if (f == count) return vb_errorf(err, VB_EUSAGE, "help: --format: expected text, man, bash or zsh, found '%s'", format);
    if (formats[f].make && command)
        return vb_errorf(err, VB_EUSAGE, "help: --format %s is of all commands together, not of '%s'", format, name);
    if (!vb_context_is_first_rank()) return 0;
    if (formats[f].make) return print_made(commands, formats[f].make, err);
    if (command) vb_arguments_help(command);
    else print_commands(commands);
    return 0;
}
