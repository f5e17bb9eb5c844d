/* Completion for bash and zsh from the table of commands: names, flags, words to choose from, files of the right kind. */
#include "mpi/command/completion.h"

#include <string.h>

/* In single quotes of a shell. */
static void put_quoted(vb_strbuf *out, const char *text) {
    vb_strbuf_add(out, "'");
    for (const char *at = text; *at; at++) vb_strbuf_add_n(out, *at == '\'' ? "'\\''" : at, *at == '\'' ? 4 : 1);
    vb_strbuf_add(out, "'");
}

/* "html|md" as "html md". */
static void put_words(vb_strbuf *out, const char *placeholder) {
    for (const char *at = placeholder; *at; at++) vb_strbuf_add_n(out, *at == '|' ? " " : at, 1);
}

/* Of ".yaml]", a positional that may be left out, without the bracket. */
static int suffix_length(const char *dot) { return dot ? (int)strcspn(dot, "]") : 0; }

/* ---- bash ---- */

/* What the shell function _vocabench_kind is to offer: "words html md", "folders", "files *.npy". */
static void put_kind(vb_strbuf *out, const char *placeholder) {
    const char *dot = strchr(placeholder ? placeholder : "", '.');
    switch (vb_arguments_placeholder(placeholder)) {
    case VB_PLACEHOLDER_WORDS:
        vb_strbuf_add(out, "words ");
        put_words(out, placeholder);
        break;
    case VB_PLACEHOLDER_FOLDER: vb_strbuf_add(out, "folders"); break;
    case VB_PLACEHOLDER_FILE: vb_strbuf_format(out, "files%s%.*s", dot ? " *" : "", suffix_length(dot), dot ? dot : ""); break;
    case VB_PLACEHOLDER_COMMAND: vb_strbuf_add(out, "commands"); break;
    case VB_PLACEHOLDER_MODEL: vb_strbuf_add(out, "names model"); break;
    case VB_PLACEHOLDER_DATASET: vb_strbuf_add(out, "names dataset"); break;
    case VB_PLACEHOLDER_FREE: vb_strbuf_add(out, "nothing"); break;
    }
}

/* For both shells: the models or datasets in the results.json of the folders among the words. */
static const char names_function[] = "# The models (or datasets, by KEY) of the results that WORDs name.\n"
                                     "_vocabench_names()\n{\n    local key=$1 word\n    shift\n    for word; do\n"
                                     "        [[ ! -f $word/results.json ]] || word=$word/results.json\n"
                                     "        [[ $word != *.json || ! -f $word ]] || sed -n \"s/^ *\\\"$key\\\": "
                                     "\\\"\\([^\\\"\\\\\\\\]*\\)\\\",\\{0,1\\}$/\\1/p\" \"$word\"\n"
                                     "    done | sort -u\n}\n\n";

void vb_completion_bash(const vb_command *commands, vb_strbuf *out) {
    vb_strbuf_add(out, "# Completion of vocabench for bash; made by `vocabench help --format bash`: do not edit.\n\n");
    vb_strbuf_add(out, names_function);
    vb_strbuf_add(out, "# What COMMAND's flag FLAG takes; without FLAG what COMMAND takes itself.\n"
                       "_vocabench_kind()\n{\n    case \"$1 $2\" in\n");
    for (const vb_command *command = commands; command->name; command++) {
        vb_flags flags;
        vb_arguments_flags(command, &flags);
        for (int i = 0; i < flags.count; i++) {
            const vb_flag *flag = &flags.items[i];
            vb_strbuf_format(out, "        '%s --%s') echo '", command->name, flag->name);
            if (flag->kind == VB_FLAG_SWITCH) vb_strbuf_add(out, "none");
            else put_kind(out, flag->value);
            vb_strbuf_add(out, "' ;;\n");
        }
        vb_strbuf_format(out, "        '%s ') echo '", command->name);
        put_kind(out, command->positional);
        vb_strbuf_add(out, "' ;;\n");
    }
    vb_strbuf_add(out, "        *) echo nothing ;;\n    esac\n}\n\n_vocabench()\n{\n    local commands='");
    for (const vb_command *command = commands; command->name; command++)
        vb_strbuf_format(out, "%s%s", command == commands ? "" : " ", command->name);
    vb_strbuf_add(out,
                  "' flags=''\n"
                  "    local current=${COMP_WORDS[COMP_CWORD]} command=${COMP_WORDS[1]} before=${COMP_WORDS[COMP_CWORD - 1]} "
                  "kind arguments name\n"
                  "    COMPREPLY=()\n"
                  "    if ((COMP_CWORD == 1)); then\n"
                  "        mapfile -t COMPREPLY < <(compgen -W \"$commands\" -- \"$current\")\n        return\n    fi\n"
                  "    # Bash parts --flag=value into three words.\n"
                  "    if [[ $current == '=' ]]; then current=''\n"
                  "    elif [[ $before == '=' ]]; then before=${COMP_WORDS[COMP_CWORD - 2]}\n    fi\n"
                  "    kind=none\n"
                  "    [[ $before != --* ]] || kind=$(_vocabench_kind \"$command\" \"$before\")\n"
                  "    if [[ $kind == none && $current == -* ]]; then\n        case $command in\n");
    for (const vb_command *command = commands; command->name; command++) {
        vb_flags flags;
        vb_arguments_flags(command, &flags);
        vb_strbuf_format(out, "            %s) flags='", command->name);
        for (int i = 0; i < flags.count; i++) vb_strbuf_format(out, "--%s ", flags.items[i].name);
        vb_strbuf_add(out, "--help' ;;\n");
    }
    vb_strbuf_add(out,
                  "        esac\n"
                  "        mapfile -t COMPREPLY < <(compgen -W \"$flags\" -- \"$current\")\n        return\n    fi\n"
                  "    [[ $kind != none ]] || kind=$(_vocabench_kind \"$command\" '')\n"
                  "    read -r kind arguments <<<\"$kind\"\n"
                  "    case $kind in\n"
                  "        words) mapfile -t COMPREPLY < <(compgen -W \"$arguments\" -- \"$current\") ;;\n"
                  "        commands) mapfile -t COMPREPLY < <(compgen -W \"$commands\" -- \"$current\") ;;\n"
                  "        names) while IFS= read -r name; do\n"
                  "            [[ $name != \"$current\"* ]] || COMPREPLY+=(\"$(printf '%q' \"$name\")\")\n"
                  "        done < <(_vocabench_names \"$arguments\" \"${COMP_WORDS[@]}\") ;;\n"
                  "        folders | files)\n"
                  "            compopt -o filenames 2>/dev/null\n"
                  "            mapfile -t COMPREPLY < <(compgen -d -- \"$current\"\n"
                  "                [[ $kind == folders ]] || compgen -f -X \"!${arguments:-*}\" -- \"$current\" | while IFS= "
                  "read -r name; do\n"
                  "                    [[ -d $name ]] || echo \"$name\"\n                done) ;;\n"
                  "    esac\n}\n\ncomplete -F _vocabench vocabench\n");
}

/* ---- zsh ---- */

/* An argument of _arguments after the flag or position: ":FILE.yaml:_files -g '*.yaml'". */
static void put_action(vb_strbuf *spec, const char *placeholder) {
    const char *dot = strchr(placeholder, '.');
    vb_strbuf_add(spec, ":");
    for (const char *at = placeholder; *at; at++) vb_strbuf_add_n(spec, *at == ':' ? "\\:" : at, *at == ':' ? 2 : 1);
    vb_strbuf_add(spec, ":");
    switch (vb_arguments_placeholder(placeholder)) {
    case VB_PLACEHOLDER_WORDS:
        vb_strbuf_add(spec, "(");
        put_words(spec, placeholder);
        vb_strbuf_add(spec, ")");
        break;
    case VB_PLACEHOLDER_FOLDER: vb_strbuf_add(spec, "_files -/"); break;
    case VB_PLACEHOLDER_FILE:
        if (dot) vb_strbuf_format(spec, "_files -g \"*%.*s\"", suffix_length(dot), dot);
        else vb_strbuf_add(spec, "_files");
        break;
    case VB_PLACEHOLDER_COMMAND: vb_strbuf_add(spec, "_vocabench_commands"); break;
    case VB_PLACEHOLDER_MODEL: vb_strbuf_add(spec, "_vocabench_names model"); break;
    case VB_PLACEHOLDER_DATASET: vb_strbuf_add(spec, "_vocabench_names dataset"); break;
    case VB_PLACEHOLDER_FREE: vb_strbuf_add(spec, " "); break;
    }
}

static void put_specification(vb_strbuf *out, vb_strbuf *spec) {
    vb_strbuf_add(out, " \\\n                ");
    put_quoted(out, spec->bytes ? spec->bytes : "");
    out->failed = out->failed || spec->failed;
    vb_strbuf_free(spec);
}

static void put_zsh_command(vb_strbuf *out, const vb_command *command) {
    vb_strbuf_format(out, "        %s)\n            _arguments -S", command->name);
    vb_flags flags;
    vb_arguments_flags(command, &flags);
    for (int i = 0; i < flags.count; i++) {
        const vb_flag *flag = &flags.items[i];
        vb_strbuf spec = {0};
        vb_strbuf_format(&spec, "%s--%s%s[", flag->kind == VB_FLAG_LIST ? "*" : "", flag->name, flag->value ? "=" : "");
        for (const char *at = flag->help; *at; at++) vb_strbuf_add_n(&spec, *at == '[' ? "(" : *at == ']' ? ")" : at, 1);
        vb_strbuf_add(&spec, "]");
        if (flag->value) put_action(&spec, flag->value);
        put_specification(out, &spec);
    }
    if (command->positional) {
        vb_strbuf spec = {0};
        size_t n = strlen(command->positional);
        bool many = command->positional_needed > 1 || strstr(command->positional, "] [") ||
                    (n > 3 && !strcmp(command->positional + n - 3, "..."));
        vb_strbuf_add(&spec, many ? "*" : "1");
        put_action(&spec, command->positional);
        put_specification(out, &spec);
    }
    vb_strbuf_add(out, "\n            ;;\n");
}

/* The same for zsh, which wants them handed over. */
static const char zsh_names_function[] =
    "_vocabench_names()\n{\n    local key=$1 word\n    local -a names\n    for word in $words; do\n"
    "        [[ ! -f $word/results.json ]] || word=$word/results.json\n"
    "        [[ $word == *.json && -f $word ]] || continue\n"
    "        names+=(${(f)\"$(sed -n \"s/^ *\\\"$key\\\": \\\"\\([^\\\"\\\\\\\\]*\\)\\\",\\{0,1\\}$/\\1/p\" $word)\"})\n"
    "    done\n    compadd -a names\n}\n\n";

void vb_completion_zsh(const vb_command *commands, vb_strbuf *out) {
    vb_strbuf_add(out,
                  "#compdef vocabench\n# Completion of vocabench for zsh; made by `vocabench help --format zsh`: do not edit.\n\n"
                  "_vocabench_commands()\n{\n    local -a commands\n    commands=(\n");
    for (const vb_command *command = commands; command->name; command++) {
        vb_strbuf line = {0};
        vb_strbuf_format(&line, "%s:", command->name);
        for (const char *at = command->help; *at; at++) vb_strbuf_add_n(&line, *at == ':' ? "\\:" : at, *at == ':' ? 2 : 1);
        vb_strbuf_add(out, "        ");
        put_quoted(out, line.bytes ? line.bytes : "");
        vb_strbuf_add(out, "\n");
        out->failed = out->failed || line.failed;
        vb_strbuf_free(&line);
    }
    vb_strbuf_add(out, "    )\n    _describe command commands\n}\n\n");
    vb_strbuf_add(out, zsh_names_function);
    vb_strbuf_add(out, "_vocabench()\n{\n"
                       "    if ((CURRENT == 2)); then\n        _vocabench_commands\n        return\n    fi\n"
                       "    shift words\n    ((CURRENT--))\n    case $words[1] in\n");
    for (const vb_command *command = commands; command->name; command++) put_zsh_command(out, command);
    vb_strbuf_add(out, "    esac\n}\n\n_vocabench \"$@\"\n");
}
