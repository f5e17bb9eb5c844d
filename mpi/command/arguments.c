/* The command line parser and the generated help. */
#include "mpi/command/arguments.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mpi/base/strbuf.h"
#include "mpi/base/terminal.h"
#include "mpi/cluster/site.h"
#include "mpi/experiment/experiment_tables.h"
#include "mpi/experiment/options.h"
#include "shards/files/path.h"
#include "shards/text/did_you_mean.h"
#include "shards/text/yaml.h"

enum { PARAGRAPH = 130 }; /* columns of running text, at most */

const vb_command *vb_arguments_find_command(const vb_command *commands, const char *name) {
    for (const vb_command *command = commands; command->name; command++)
        if (!strcmp(command->name, name)) return command;
    return NULL;
}

int vb_arguments_unknown_command(const vb_command *commands, const char *name, vb_error *err) {
    enum { MOST = 32 };
    const char *names[MOST + 1];
    int n = 0;
    for (; commands[n].name && n < MOST; n++) names[n] = commands[n].name;
    names[n] = NULL;
    char hint[VB_DID_YOU_MEAN_HINT];
    return vb_errorf(err, VB_EUSAGE, "unknown command '%s'%s; see 'vocabench help'", name,
                     vb_did_you_mean_hint(hint, name, names));
}

vb_placeholder vb_arguments_placeholder(const char *placeholder) {
    if (!placeholder) return VB_PLACEHOLDER_FREE;
    if (!strcmp(placeholder, "[COMMAND]")) return VB_PLACEHOLDER_COMMAND;
    if (!strcmp(placeholder, "MODEL")) return VB_PLACEHOLDER_MODEL;
    if (!strcmp(placeholder, "DATASET")) return VB_PLACEHOLDER_DATASET;
    if (!strncmp(placeholder, "DIR", 3) || !strncmp(placeholder, "OUT", 3)) return VB_PLACEHOLDER_FOLDER;
    bool lower = true;
    for (const char *at = placeholder; *at; at++) lower = lower && ((*at >= 'a' && *at <= 'z') || strchr("0123456789_|", *at));
    if (lower) return VB_PLACEHOLDER_WORDS;
    static const char *const files[] = {"FILE", "PATH", "SOURCE", "A B", "[FOLDER] [CHECKPOINT]"};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        if (!strcmp(placeholder, files[i])) return VB_PLACEHOLDER_FILE;
    const char *dot = strchr(placeholder, '.');
    return dot && dot[1] != '.' && dot[1] && !strchr(placeholder, '=') ? VB_PLACEHOLDER_FILE : VB_PLACEHOLDER_FREE;
}

/* An option's flag: --key with dashes for underscores; a switch when it is a boolean, repeatable when it is a list. */
static void fill_from_option(vb_flag *flag, char *name) {
    const vb_option *option =
        flag->job ? vb_options_find(vb_site_options(), flag->job) : vb_options_find(vb_experiment_tables_root(), flag->option);
    if (!option && flag->option) option = vb_options_find(vb_experiment_tables_facts(), flag->option);
    assert(option && strlen(option->key) < VB_ARGUMENTS_NAME);
    strcpy(name, option->key);
    for (char *at = name; *at; at++)
        if (*at == '_') *at = '-';
    flag->name = name;
    flag->kind = option->kind == VB_OPTION_BOOLEAN             ? VB_FLAG_SWITCH :
                 flag->job && option->kind == VB_OPTION_CUSTOM ? VB_FLAG_LIST :
                                                                 VB_FLAG_TEXT; /* the reader of the option checks the value */
    flag->value = option->flag;
    if (!flag->help) flag->help = option->flag_help ? option->flag_help : option->help;
}

void vb_arguments_flags(const vb_command *command, vb_flags *flags) {
    flags->count = 0;
    for (const vb_flag *row = command->flags; row->name || row->option || row->job; row++) {
        assert(flags->count < VB_ARGUMENTS_FLAGS);
        flags->items[flags->count] = *row;
        if (row->option || row->job) fill_from_option(&flags->items[flags->count], flags->names[flags->count]);
        flags->count++;
    }
}

static int find_flag(const vb_flags *flags, const char *name, size_t n) {
    for (int i = 0; i < flags->count; i++)
        if (strlen(flags->items[i].name) == n && !memcmp(flags->items[i].name, name, n)) return i;
    return -1;
}

static int unknown_flag(const vb_arguments *arguments, const char *given, vb_error *err) {
    const char *names[VB_ARGUMENTS_FLAGS + 1], *command = arguments->command->name;
    int n = 0;
    for (; n < arguments->flags.count; n++) names[n] = arguments->flags.items[n].name;
    names[n] = NULL;
    char word[64];
    snprintf(word, sizeof word, "%.*s", (int)strcspn(given + 2, "="), given + 2);
    const char *near = vb_did_you_mean(word, names);
    return vb_errorf(err, VB_EUSAGE, "%s: unknown flag --%s%s%s%s; see 'vocabench help %s'", command, word,
                     near ? "; did you mean --" : "", near ? near : "", near ? "?" : "", command);
}

/* Where the placeholder stands for a path, *text becomes what its ~ and $NAME mean. Shells do not expand the ~ of --flag=~/x. */
static int expand_path(vb_arguments *arguments, const char *placeholder, const char **text, vb_error *err) {
    vb_placeholder kind = vb_arguments_placeholder(placeholder);
    if ((kind != VB_PLACEHOLDER_FILE && kind != VB_PLACEHOLDER_FOLDER) || !strpbrk(*text, "~$")) return 0;
    if (vb_strings_take(&arguments->paths, vb_path_expand(*text, err), err)) {
        if (err && err->code == VB_ECONFIG) err->code = VB_EUSAGE;
        return vb_error_prefix(err, "%s", arguments->command->name);
    }
    *text = arguments->paths.items[arguments->paths.count - 1];
    return 0;
}

static int take_value(vb_arguments *arguments, int i, const char *text, vb_error *err) {
    const vb_flag *flag = &arguments->flags.items[i];
    const char *command = arguments->command->name;
    if (!flag->option && expand_path(arguments, flag->value, &text, err)) return -1;
    if (flag->plain && vb_path_ends_with(text, ".zst"))
        return vb_errorf(err, VB_EUSAGE, "%s: --%s: %s: nothing is packed there, expected a name that does not end in .zst",
                         command, flag->name, text);
    arguments->given[i] = true;
    arguments->texts[i] = text;
    if (flag->kind == VB_FLAG_LIST) {
        if (arguments->list_count == VB_ARGUMENTS_FLAGS)
            return vb_errorf(err, VB_EUSAGE, "%s: more than %d --%s", command, VB_ARGUMENTS_FLAGS, flag->name);
        arguments->list[arguments->list_count].flag = i;
        arguments->list[arguments->list_count++].text = text;
    }
    if (flag->kind != VB_FLAG_NUMBER) return 0;
    char *end;
    errno = 0;
    long long value = strtoll(text, &end, 10);
    if (errno || *end || end == text || value < flag->low || value > flag->high)
        return vb_errorf(err, VB_EUSAGE, "%s: --%s: expected a number from %" PRId64 " to %" PRId64 ", found '%s'", command,
                         flag->name, flag->low, flag->high, text);
    arguments->numbers[i] = value;
    return 0;
}

/* A positional argument. */
static int take_positional(vb_arguments *arguments, const char *word, vb_error *err) {
    const vb_command *command = arguments->command;
    bool more = command->positional && vb_path_ends_with(command->positional, "...");
    int most = command->positional_needed;
    for (const char *at = command->positional; at && (at = strchr(at, '[')); at++) most++; /* those that may be left out */
    if (arguments->positional_count >= (more ? VB_ARGUMENTS_POSITIONALS : most))
        return vb_errorf(err, VB_EUSAGE, "%s: unexpected argument '%s'; see 'vocabench help %s'", command->name, word,
                         command->name);
    if (!*word) return vb_errorf(err, VB_EUSAGE, "%s: expected %s, found an empty text", command->name, command->positional);
    if (expand_path(arguments, command->positional, &word, err)) return -1;
    arguments->positional[arguments->positional_count++] = word;
    return 0;
}

/* The flag argv[*at], and the word after it where that is its value. */
static int take_flag(vb_arguments *arguments, int argc, char **argv, int *at, vb_error *err) {
    const char *word = argv[*at], *command = arguments->command->name;
    size_t n = strcspn(word, "=");
    int i = n > 2 && word[1] == '-' ? find_flag(&arguments->flags, word + 2, n - 2) : -1;
    if (i < 0 && word[1] != '-')
        return vb_errorf(err, VB_EUSAGE, "%s: unknown flag %s; flags begin with two dashes", command, word);
    if (i < 0) return unknown_flag(arguments, word, err);
    const vb_flag *flag = &arguments->flags.items[i];
    const char *value = word[n] ? word + n + 1 : NULL;
    if (flag->kind == VB_FLAG_SWITCH && value) return vb_errorf(err, VB_EUSAGE, "%s: --%s takes no value", command, flag->name);
    if (flag->kind != VB_FLAG_SWITCH && !value) {
        if (*at + 1 >= argc) return vb_errorf(err, VB_EUSAGE, "%s: --%s needs a value: %s", command, flag->name, flag->value);
        value = argv[++*at];
    }
    /* A shell's variable that is not set, mostly: nothing is meant by it, and least of all what holds without the flag. */
    if (value && !*value)
        return vb_errorf(err, VB_EUSAGE, "%s: --%s needs a value: %s, found an empty text", command, flag->name, flag->value);
    return take_value(arguments, i, value, err);
}

int vb_arguments_parse(vb_arguments *arguments, const vb_command *command, int argc, char **argv, vb_error *err) {
    *arguments = (vb_arguments){.command = command};
    vb_arguments_flags(command, &arguments->flags);
    bool flags_end = false;
    for (int a = 0; a < argc; a++) {
        const char *word = argv[a];
        if (!flags_end && (!strcmp(word, "--help") || !strcmp(word, "-h"))) {
            arguments->help = true;
            return 0;
        }
        if (!flags_end && !strcmp(word, "--")) {
            flags_end = true;
            continue;
        }
        bool positional = flags_end || word[0] != '-' || !word[1];
        if (positional ? take_positional(arguments, word, err) : take_flag(arguments, argc, argv, &a, err)) return -1;
    }
    if (arguments->positional_count < command->positional_needed)
        return vb_errorf(err, VB_EUSAGE, "%s: expected %s; see 'vocabench help %s'", command->name, command->positional,
                         command->name);
    for (int i = 0; i < arguments->flags.count; i++) {
        const vb_flag *flag = &arguments->flags.items[i];
        if (flag->required && !arguments->given[i])
            return vb_errorf(err, VB_EUSAGE, "%s: --%s %s is missing (%s)", command->name, flag->name, flag->value, flag->help);
    }
    return 0;
}

void vb_arguments_free(vb_arguments *arguments) { vb_strings_free(&arguments->paths); }

static int index_of_flag(const vb_arguments *arguments, const char *name) {
    int i = find_flag(&arguments->flags, name, strlen(name));
    assert(i >= 0);
    return i;
}

const char *vb_arguments_text(const vb_arguments *arguments, const char *name) {
    return arguments->texts[index_of_flag(arguments, name)];
}

int64_t vb_arguments_number(const vb_arguments *arguments, const char *name, int64_t otherwise) {
    int i = index_of_flag(arguments, name);
    return arguments->given[i] ? arguments->numbers[i] : otherwise;
}

bool vb_arguments_given(const vb_arguments *arguments, const char *name) {
    return arguments->given[index_of_flag(arguments, name)];
}

/* "a|b|c" as "a, b or c". */
static void name_words(const char *placeholder, char *text, size_t size) {
    size_t n = 0;
    for (const char *at = placeholder; *at && n < size - 1;) {
        const char *end = at + strcspn(at, "|"), *before = at == placeholder ? "" : *end ? ", " : " or ";
        n += (size_t)snprintf(text + n, size - n, "%s%.*s", before, (int)(end - at), at);
        at = end + (*end == '|');
    }
}

int vb_arguments_choice(const vb_arguments *arguments, const char *name, int otherwise, int *choice, vb_error *err) {
    const char *text = vb_arguments_text(arguments, name),
               *placeholder = arguments->flags.items[index_of_flag(arguments, name)].value;
    *choice = otherwise;
    if (!text) return 0;
    size_t n = strlen(text);
    int word = 0;
    for (const char *at = placeholder; *at; word++) {
        size_t length = strcspn(at, "|");
        if (length == n && !memcmp(at, text, n)) {
            *choice = word;
            return 0;
        }
        at += length + (at[length] == '|');
    }
    char words[512];
    name_words(placeholder, words, sizeof words);
    return vb_errorf(err, VB_EUSAGE, "%s: --%s: expected %s, found '%s'", arguments->command->name, name, words, text);
}

const char *vb_arguments_list(const vb_arguments *arguments, const char *name, int n) {
    int flag = index_of_flag(arguments, name);
    for (int i = 0; i < arguments->list_count; i++)
        if (arguments->list[i].flag == flag && !n--) return arguments->list[i].text;
    return NULL;
}

/* "usage: ..." as one text; free with vb_strbuf_free. */
static void put_usage(vb_strbuf *usage, const vb_command *command, const vb_flags *flags) {
    vb_strbuf_format(usage, "vocabench %s%s%s", command->name, command->positional ? " " : "",
                     command->positional ? command->positional : "");
    bool optional = false;
    for (int i = 0; i < flags->count; i++) {
        const vb_flag *flag = &flags->items[i];
        if (flag->required) vb_strbuf_format(usage, " --%s %s", flag->name, flag->value);
        optional |= !flag->required;
    }
    if (optional) vb_strbuf_add(usage, " [flags]");
}

static void print_flag(const vb_flag *flag, int indent, int width) {
    vb_strbuf name = {0}, text = {0};
    vb_strbuf_format(&name, "--%s%s%s", flag->name, flag->value ? " " : "", flag->value ? flag->value : "");
    vb_strbuf_format(&text, "%s%s%s", flag->help, flag->required ? " (required)" : "",
                     flag->kind == VB_FLAG_LIST ? " (repeatable)" : "");
    if (!name.failed && !text.failed) vb_terminal_row(name.bytes, text.bytes, indent, width);
    vb_strbuf_free(&name);
    vb_strbuf_free(&text);
}

void vb_arguments_help(const vb_command *command) {
    const int width = vb_terminal_width(), indent = vb_terminal_indent(27, width);
    vb_flags flags;
    vb_strbuf usage = {0};
    vb_arguments_flags(command, &flags);
    put_usage(&usage, command, &flags);
    printf("usage: ");
    vb_terminal_wrap(usage.failed ? command->name : usage.bytes, 7, 7, width);
    vb_strbuf_free(&usage);
    printf("\n");
    vb_terminal_wrap(command->help, 0, 0, width);
    if (command->details) {
        printf("\n");
        vb_terminal_wrap(command->details, 0, 0, width < PARAGRAPH ? width : PARAGRAPH);
    }
    if (flags.count) printf("\nflags:\n");
    for (int i = 0; i < flags.count; i++) print_flag(&flags.items[i], indent, width);
    for (const vb_option_group *group = command->keys; group && group->title; group++) {
        printf("\n%s:\n", group->title);
        vb_options_help(group->table());
    }
}
