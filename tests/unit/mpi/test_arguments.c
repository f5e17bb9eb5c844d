/* What a placeholder of a flag says of its values. */
#include "mpi/command/arguments.h"
#include "tests/unit/vb_test.h"

static void placeholders_have_kinds(void **state) {
    (void)state;
    static const struct {
        const char *placeholder;
        vb_value_kind kind;
    } cases[] = {{"html|md|latex", VB_VALUE_WORDS}, {"int8", VB_VALUE_WORDS},    {"quick_gelu|gelu", VB_VALUE_WORDS},
                 {"DIR", VB_VALUE_FOLDER},          {"DIR...", VB_VALUE_FOLDER}, {"OUT DIR...", VB_VALUE_FOLDER},
                 {"DIR|GLOB", VB_VALUE_FOLDER},     {"FILE", VB_VALUE_FILE},     {"FILE.yaml", VB_VALUE_FILE},
                 {"LIST.jsonl.zst", VB_VALUE_FILE}, {"PATH", VB_VALUE_FILE},     {"A B", VB_VALUE_FILE},
                 {"[COMMAND]", VB_VALUE_COMMAND},   {"N", VB_VALUE_FREE},        {"path.to.key=value", VB_VALUE_FREE},
                 {"--name=value", VB_VALUE_FREE},   {"TIME", VB_VALUE_FREE},     {NULL, VB_VALUE_FREE}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        if (vb_arguments_value_kind(cases[i].placeholder) != cases[i].kind)
            fail_msg("%s is of kind %d", cases[i].placeholder ? cases[i].placeholder : "NULL",
                     (int)vb_arguments_value_kind(cases[i].placeholder));
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(placeholders_have_kinds)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
