/* Command lines: placeholders, flags that options give, words to choose from, and what is refused. */
#include "mpi/command/arguments.h"
#include "mpi/command/cmd.h"
#include "tests/unit/vb_test.h"

static void placeholders_have_kinds(void **state) {
    (void)state;
    static const struct {
        const char *placeholder;
        vb_placeholder kind;
    } cases[] = {
        {"html|md|latex", VB_PLACEHOLDER_WORDS}, {"int8", VB_PLACEHOLDER_WORDS},    {"quick_gelu|gelu", VB_PLACEHOLDER_WORDS},
        {"DIR", VB_PLACEHOLDER_FOLDER},          {"DIR...", VB_PLACEHOLDER_FOLDER}, {"OUT DIR...", VB_PLACEHOLDER_FOLDER},
        {"DIR|GLOB", VB_PLACEHOLDER_FOLDER},     {"FILE", VB_PLACEHOLDER_FILE},     {"FILE.yaml", VB_PLACEHOLDER_FILE},
        {"LIST.jsonl.zst", VB_PLACEHOLDER_FILE}, {"PATH", VB_PLACEHOLDER_FILE},     {"A B", VB_PLACEHOLDER_FILE},
        {"[COMMAND]", VB_PLACEHOLDER_COMMAND},   {"N", VB_PLACEHOLDER_FREE},        {"path.to.key=value", VB_PLACEHOLDER_FREE},
        {"--name=value", VB_PLACEHOLDER_FREE},   {"TIME", VB_PLACEHOLDER_FREE},     {NULL, VB_PLACEHOLDER_FREE}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        if (vb_arguments_placeholder(cases[i].placeholder) != cases[i].kind)
            fail_msg("%s is of kind %d", cases[i].placeholder ? cases[i].placeholder : "NULL",
                     (int)vb_arguments_placeholder(cases[i].placeholder));
}

/* A command as a row of the table has it, and a command line of it. */
static const vb_flag flags[] = {
    {.name = "kind", .kind = VB_FLAG_TEXT, .value = "one|two|three", .help = "which"},
    {.name = "only", .kind = VB_FLAG_TEXT, .value = "int8", .help = "the one"},
    {.name = "count", .kind = VB_FLAG_NUMBER, .value = "N", .help = "how many", .low = 2, .high = 9},
    {.name = "set", .kind = VB_FLAG_LIST, .value = "K=V", .help = "a setting"},
    {.option = "ranks_per_model"},
    {.option = "per_image", .help = "own words"},
    {.name = "out", .kind = VB_FLAG_TEXT, .value = "FILE", .help = "a path"},
    {.option = "output"},
    {.name = "written", .kind = VB_FLAG_TEXT, .value = "FILE.txt", .plain = true, .help = "a list"},
    {0},
};
static const vb_command command = {.name = "test", .positional = "FILE", .positional_needed = 1, .flags = flags};

static int parse(vb_arguments *arguments, vb_error *err, int count, const char *const *words) {
    char *argv[16];
    for (int i = 0; i < count; i++) argv[i] = (char *)(uintptr_t)words[i];
    return vb_arguments_parse(arguments, &command, count, argv, err);
}
#define PARSE(...)                                                                                                               \
    parse(&arguments, &err, (int)(sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *)),                                  \
          (const char *const[]){__VA_ARGS__})

static void options_give_flags(void **state) {
    (void)state;
    vb_error err;
    vb_arguments arguments;
    assert_ok(PARSE("e.yaml", "--ranks-per-model=4", "--per-image"));
    assert_int_equal(arguments.flags.count, 9);
    const vb_flag *ranks = &arguments.flags.items[4], *records = &arguments.flags.items[5];
    assert_string_equal(ranks->name, "ranks-per-model");
    assert_string_equal(ranks->value, "N");
    assert_int_equal(ranks->kind, VB_FLAG_TEXT);
    assert_true(ranks->help && ranks->help[0]);
    assert_int_equal(records->kind, VB_FLAG_SWITCH);
    assert_string_equal(records->help, "own words");
    assert_string_equal(vb_arguments_text(&arguments, "ranks-per-model"), "4");
    assert_true(vb_arguments_given(&arguments, "per-image") && !vb_arguments_text(&arguments, "per-image"));
    assert_false(vb_arguments_given(&arguments, "count"));
    assert_int_equal(vb_arguments_number(&arguments, "count", 7), 7);
}

static void every_command_has_flags_with_help(void **state) {
    (void)state;
    for (const vb_command *it = vb_cmd_table; it->name; it++) {
        vb_flags all;
        vb_arguments_flags(it, &all);
        assert_true((it->run != NULL) != (it->run_local != NULL));
        assert_ptr_equal(vb_arguments_find_command(vb_cmd_table, it->name), it);
        for (int i = 0; i < all.count; i++) {
            const vb_flag *flag = &all.items[i];
            if (!flag->help || (flag->kind == VB_FLAG_SWITCH) != !flag->value) fail_msg("%s --%s", it->name, flag->name);
            for (int j = 0; j < i; j++) assert_string_not_equal(flag->name, all.items[j].name);
        }
    }
}

static void words_are_chosen(void **state) {
    (void)state;
    vb_error err;
    vb_arguments arguments;
    int choice;
    assert_ok(PARSE("e.yaml", "--kind", "two"));
    assert_ok(vb_arguments_choice(&arguments, "kind", -1, &choice, &err));
    assert_int_equal(choice, 1);
    assert_ok(vb_arguments_choice(&arguments, "only", -1, &choice, &err));
    assert_int_equal(choice, -1);
    for (int i = 0; i < 3; i++) {
        static const char *const bad[] = {"tw", "one|two", " "};
        assert_ok(PARSE("e.yaml", "--kind", bad[i]));
        assert_fails(vb_arguments_choice(&arguments, "kind", 0, &choice, &err), VB_EUSAGE,
                     "test: --kind: expected one, two or three, found '");
    }
    assert_ok(PARSE("e.yaml", "--only", "int4"));
    assert_fails(vb_arguments_choice(&arguments, "only", 0, &choice, &err), VB_EUSAGE, "expected int8, found 'int4'");
}

static void lists_keep_their_order(void **state) {
    (void)state;
    vb_error err;
    vb_arguments arguments;
    assert_ok(PARSE("--set", "a=1", "--kind=one", "--set=b=2", "--", "--set"));
    assert_string_equal(vb_arguments_list(&arguments, "set", 0), "a=1");
    assert_string_equal(vb_arguments_list(&arguments, "set", 1), "b=2");
    assert_null(vb_arguments_list(&arguments, "set", 2));
    assert_string_equal(arguments.positional[0], "--set");
}

static void paths_are_expanded(void **state) {
    (void)state;
    vb_error err;
    vb_arguments arguments;
    setenv("HOME", "/h", 1), setenv("VB_X", "y", 1);
    unsetenv("VB_NONE");
    assert_ok(PARSE("~/$VB_X", "--set", "a=~/$VB_X", "--out=~/b"));
    assert_string_equal(arguments.positional[0], "/h/y");
    assert_string_equal(vb_arguments_list(&arguments, "set", 0), "a=~/$VB_X"); /* no path: its reader's affair */
    assert_string_equal(vb_arguments_text(&arguments, "out"), "/h/b");
    vb_arguments_free(&arguments);
    assert_ok(PARSE("e.yaml", "--output=~/b"));
    assert_string_equal(vb_arguments_text(&arguments, "output"), "~/b"); /* the experiment file's reader expands it */
    vb_arguments_free(&arguments);
    assert_fails(PARSE("$VB_NONE/e.yaml"), VB_EUSAGE, "test: $VB_NONE/e.yaml: the environment variable VB_NONE is not set");
    vb_arguments_free(&arguments);
}

static void bad_lines_are_refused(void **state) {
    (void)state;
    vb_error err;
    vb_arguments arguments;
    assert_fails(PARSE("--kind", "one"), VB_EUSAGE, "test: expected FILE");
    assert_fails(PARSE("a", "b"), VB_EUSAGE, "test: unexpected argument 'b'");
    assert_fails(PARSE("a", "--cuont", "3"), VB_EUSAGE, "unknown flag --cuont; did you mean --count?");
    assert_fails(PARSE("a", "-c"), VB_EUSAGE, "unknown flag -c; flags begin with two dashes");
    assert_fails(PARSE("a", "--count"), VB_EUSAGE, "--count needs a value: N");
    assert_fails(PARSE("a", "--kind", ""), VB_EUSAGE, "--kind needs a value: one|two|three, found an empty text");
    assert_fails(PARSE(""), VB_EUSAGE, "test: expected FILE, found an empty text");
    assert_fails(PARSE("a", "--count=1"), VB_EUSAGE, "--count: expected a number from 2 to 9, found '1'");
    assert_fails(PARSE("a", "--count=3x"), VB_EUSAGE, "found '3x'");
    assert_fails(PARSE("a", "--written", "n.txt.zst"), VB_EUSAGE,
                 "test: --written: n.txt.zst: nothing is packed there, expected a name that does not end in .zst");
    assert_fails(PARSE("a", "--per-image=yes"), VB_EUSAGE, "--per-image takes no value");
    assert_fails(vb_arguments_unknown_command(vb_cmd_table, "rum", &err), VB_EUSAGE,
                 "unknown command 'rum'; did you mean 'run'?");
    assert_ok(PARSE("--help"));
    assert_true(arguments.help);
    char *many[VB_ARGUMENTS_FLAGS + 2] = {(char *)(uintptr_t) "e.yaml"};
    for (int i = 0; i <= VB_ARGUMENTS_FLAGS; i++) many[1 + i] = (char *)(uintptr_t) "--set=a=1";
    assert_ok(vb_arguments_parse(&arguments, &command, 1 + VB_ARGUMENTS_FLAGS, many, &err));
    assert_fails(vb_arguments_parse(&arguments, &command, 2 + VB_ARGUMENTS_FLAGS, many, &err), VB_EUSAGE,
                 "test: more than 64 --set");
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(placeholders_have_kinds),
                                       cmocka_unit_test(options_give_flags),
                                       cmocka_unit_test(every_command_has_flags_with_help),
                                       cmocka_unit_test(words_are_chosen),
                                       cmocka_unit_test(lists_keep_their_order),
                                       cmocka_unit_test(paths_are_expanded),
                                       cmocka_unit_test(bad_lines_are_refused)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
