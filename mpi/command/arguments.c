/* The command line parser and the generated help. */
#include "mpi/command/arguments.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mpi/experiment/options.h"
#include "shards/files/path.h"
#include "shards/text/did_you_mean.h"
#include "shards/text/yaml.h"

vb_value_kind vb_arguments_value_kind(const char *placeholder) {
    if (!placeholder) return VB_VALUE_FREE;
    if (!strcmp(placeholder, "[COMMAND]")) return VB_VALUE_COMMAND;
    if (!strncmp(placeholder, "DIR", 3) || !strncmp(placeholder, "OUT", 3)) return VB_VALUE_FOLDER;
    bool lower = true;
    for (const char *at = placeholder; *at; at++) lower = lower && ((*at >= 'a' && *at <= 'z') || strchr("0123456789_|", *at));
    if (lower) return VB_VALUE_WORDS;
    static const char *const files[] = {"FILE", "PATH", "SOURCE", "A B"};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        if (!strcmp(placeholder, files[i])) return VB_VALUE_FILE;
    const char *dot = strchr(placeholder, '.');
    return dot && dot[1] != '.' && dot[1] && !strchr(placeholder, '=') ? VB_VALUE_FILE : VB_VALUE_FREE;
}

static int find_flag(const vb_command *command, const char *name, size_t n) {
    for (int i = 0; command->flags[i].name; i++)
        if (strlen(command->flags[i].name) == n && !memcmp(command->flags[i].name, name, n)) return i;
    return -1;
}

static int unknown_flag(const vb_command *command, const char *given, vb_error *err) {
    const char *names[VB_ARGUMENTS];
    int n = 0;
    for (; command->flags[n].name && n < VB_ARGUMENTS - 1; n++) names[n] = command->flags[n].name;
    names[n] = NULL;
    char word[64];
    snprintf(word, sizeof word, "%.*s", (int)strcspn(given + 2, "="), given + 2);
    const char *near = vb_did_you_mean(word, names);
    return vb_errorf(err, VB_EUSAGE, "%s: unknown flag --%s%s%s%s; see 'vocabench help %s'", command->name, word,
                     near ? "; did you mean --" : "", near ? near : "", near ? "?" : "", command->name);
}

static int take(vb_arguments *arguments, const vb_command *command, int i, const char *text, vb_error *err) {
    const vb_flag *flag = &command->flags[i];
    arguments->given[i] = true;
    arguments->texts[i] = text;
    if (flag->kind == VB_FLAG_LIST) {
        if (arguments->list_count == VB_ARGUMENTS)
            return vb_errorf(err, VB_EUSAGE, "%s: more than %d --%s", command->name, VB_ARGUMENTS, flag->name);
        arguments->list[arguments->list_count].flag = i;
        arguments->list[arguments->list_count++].text = text;
    }
    if (flag->kind != VB_FLAG_NUMBER) return 0;
    char *end;
    errno = 0;
    long long value = strtoll(text, &end, 10);
    if (errno || *end || end == text || value < flag->low || value > flag->high)
        return vb_errorf(err, VB_EUSAGE, "%s: --%s: expected a number from %" PRId64 " to %" PRId64 ", found '%s'", command->name,
                         flag->name, flag->low, flag->high, text);
    arguments->numbers[i] = value;
    return 0;
}

int vb_arguments_parse(vb_arguments *arguments, const vb_command *command, int argc, char **argv, vb_error *err) {
    *arguments = (vb_arguments){0};
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
        if (flags_end || word[0] != '-' || !word[1]) {
            bool more = command->positional && vb_path_ends_with(command->positional, "...");
            int most = command->positional_needed + (command->positional && command->positional[0] == '[');
            if (arguments->positional_count >= (more ? VB_POSITIONALS : most))
                return vb_errorf(err, VB_EUSAGE, "%s: unexpected argument '%s'; see 'vocabench help %s'", command->name, word,
                                 command->name);
            arguments->positional[arguments->positional_count++] = word;
            continue;
        }
        size_t n = strcspn(word, "=");
        int i = n > 2 && word[1] == '-' ? find_flag(command, word + 2, n - 2) : -1;
        if (i < 0) {
            if (word[1] != '-')
                return vb_errorf(err, VB_EUSAGE, "%s: unknown flag %s; flags begin with two dashes", command->name, word);
            return unknown_flag(command, word, err);
        }
        const char *value = word[n] ? word + n + 1 : NULL;
        if (command->flags[i].kind == VB_FLAG_SWITCH) {
            if (value) return vb_errorf(err, VB_EUSAGE, "%s: --%s takes no value", command->name, command->flags[i].name);
        } else if (!value) {
            if (a + 1 >= argc)
                return vb_errorf(err, VB_EUSAGE, "%s: --%s needs a value: %s", command->name, command->flags[i].name,
                                 command->flags[i].value);
            value = argv[++a];
        }
        if (take(arguments, command, i, value, err)) return -1;
    }
    if (arguments->positional_count < command->positional_needed)
        return vb_errorf(err, VB_EUSAGE, "%s: expected %s; see 'vocabench help %s'", command->name, command->positional,
                         command->name);
    for (int i = 0; command->flags[i].name; i++)
        if (command->flags[i].required && !arguments->given[i])
            return vb_errorf(err, VB_EUSAGE, "%s: --%s %s is missing (%s)", command->name, command->flags[i].name,
                             command->flags[i].value, command->flags[i].help);
    return 0;
}

static int index_of(const vb_command *command, const char *name) {
    int i = find_flag(command, name, strlen(name));
    return i;
}

const char *vb_arguments_text(const vb_arguments *arguments, const vb_command *command, const char *name) {
    int i = index_of(command, name);
    return i < 0 ? NULL : arguments->texts[i];
}

int64_t vb_arguments_number(const vb_arguments *arguments, const vb_command *command, const char *name, int64_t otherwise) {
    int i = index_of(command, name);
    return i < 0 || !arguments->given[i] ? otherwise : arguments->numbers[i];
}

bool vb_arguments_given(const vb_arguments *arguments, const vb_command *command, const char *name) {
    int i = index_of(command, name);
    return i >= 0 && arguments->given[i];
}

void vb_arguments_help(const vb_command *command) {
    printf("usage: vocabench %s%s%s", command->name, command->positional ? " " : "",
           command->positional ? command->positional : "");
    bool optional = false;
    for (const vb_flag *flag = command->flags; flag->name; flag++) {
        if (flag->required) printf(" --%s %s", flag->name, flag->value);
        optional |= !flag->required;
    }
    printf("%s\n\n%s\n", optional ? " [flags]" : "", command->help);
    if (command->details) printf("\n%s\n", command->details);
    if (command->flags->name) printf("\nflags:\n");
    for (const vb_flag *flag = command->flags; flag->name; flag++) {
        char left[64];
        snprintf(left, sizeof left, "--%s%s%s", flag->name, flag->value ? " " : "", flag->value ? flag->value : "");
        printf("  %-24s %s%s%s\n", left, flag->help, flag->required ? " (required)" : "",
               flag->kind == VB_FLAG_LIST ? " (repeatable)" : "");
    }
    for (const vb_option_group *group = command->keys; group && group->title; group++) {
        printf("\n%s:\n", group->title);
        vb_options_help(group->table());
    }
}
