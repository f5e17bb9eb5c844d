/* Tests of the list of analyses: each name has a complete row, and a toy is added by one line of the list and one row. */
#define VB_ANALYSES_LIST_H /* a list of our own, which the two files below are built with once more, under other names */
#define VB_ANALYSES_LIST(X) X(order, "the analysis with that name") X(toy, "a toy")
#define vb_analyses toy_analyses
#define vb_analyses_check toy_analyses_check
#define vb_analyses_row toy_analyses_row
#define vb_analyses_bytes toy_analyses_bytes
#define vb_analyses_operations toy_analyses_operations
#define vb_analyses_spec_options toy_analyses_spec_options
#define vb_analyses_spec_read toy_analyses_spec_read
#include "mpi/analyse/analyses.c"
#include "mpi/experiment/analyses_spec.c"
#undef vb_analyses_row
#undef vb_analyses_spec_options
#undef vb_analyses_spec_read

#include "tests/unit/mpi/end_mpi.h"
#include "tests/unit/vb_test.h"

static int run_toy(vb_analysis_work *work, vb_error *err) {
    (void)err;
    vb_json_set_integer(work->json, work->figures, "toy", work->images ? 42 : 7);
    return 0;
}

static int64_t toy_bytes(const vb_pair_shape *shape) { return 1000 * shape->images; }
static double toy_operations(const vb_pair_shape *shape) { return 3 * (double)shape->classes; }

const vb_analysis vb_analysis_toy = {.run = run_toy, .bytes = toy_bytes, .operations = toy_operations};

static int read_set(const char *text, uint32_t *set, json_t *configuration, vb_error *err) {
    vb_yaml *root;
    if (vb_yaml_parse(&root, text, strlen(text), "e.yaml", err)) return -1;
    int status = toy_analyses_spec_read(set, root, "e.yaml", configuration, err);
    vb_yaml_free(root);
    return status;
}

static void the_list_is_what_an_experiment_may_name(void **state) {
    (void)state;
    vb_error err = {0};
    uint32_t set;
    json_t *configuration = json_object();
    assert_ok(read_set("analyses: [toy]\n", &set, configuration, &err));
    assert_int_equal(set, 1 << VB_ANALYSES_SPEC_toy);
    assert_string_equal(json_string_value(json_array_get(json_object_get(configuration, "analyses"), 0)), "toy");
    assert_fails(read_set("analyses: [order, toys]\n", &set, configuration, &err), VB_ECONFIG,
                 "e.yaml:1:19: analyses: expected order or toy, found 'toys'; did you mean 'toy'?");
    assert_fails(read_set("analyses: []\n", &set, configuration, &err), VB_ECONFIG, "analyses: expected a list of order, toy");
    assert_fails(read_set("analyses: [toy, toy]\n", &set, configuration, &err), VB_ECONFIG, "'toy' is listed twice");
    assert_ok(read_set("experiment: e\n", &set, configuration, &err));
    assert_int_equal(set, 0);
    json_decref(configuration);
    const vb_option *listed = toy_analyses_spec_options();
    assert_string_equal(listed[VB_ANALYSES_SPEC_toy].key, "toy");
    assert_string_equal(listed[VB_ANALYSES_SPEC_toy].help, "a toy");
    assert_null(listed[VB_ANALYSES_SPEC_COUNT].key);
}

static void plans_and_schedules_ask_the_rows(void **state) {
    (void)state;
    vb_pair_shape shape = {.images = 50, .classes = 4, .vocabularies = 2, .dim = 8, .ranks = 1, .threads = 1};
    uint32_t toy = 1 << VB_ANALYSES_SPEC_toy, both = toy | 1 << VB_ANALYSES_SPEC_order;
    assert_int_equal(toy_analyses_bytes(0, &shape), 0);
    assert_int_equal(toy_analyses_bytes(toy, &shape), 50000);
    assert_true(toy_analyses_bytes(both, &shape) >= 50000);
    assert_true(toy_analyses_operations(0, &shape) == 0);
    assert_true(toy_analyses_operations(toy, &shape) == 2.0 * 50 * 4 * 8 + 3 * 4);
}

static void a_run_goes_through_the_rows(void **state) {
    (void)state;
    vb_error err = {0};
    vb_context context = {0};
    vb_pair pair = {0};
    json_t *result = json_object();
    assert_ok(vb_comm_open(&context.comm, MPI_COMM_SELF, &err));
    assert_ok(toy_analyses(&context, &pair, 1 << VB_ANALYSES_SPEC_toy, VB_TEXTS_PLAIN, result, &err));
    assert_int_equal(json_integer_value(json_object_get(json_object_get(result, "analyses"), "toy")), 42);
    assert_ok(toy_analyses(&context, &pair, 1 << VB_ANALYSES_SPEC_toy, VB_TEXTS_OTHER, result, &err));
    assert_int_equal(json_integer_value(json_object_get(json_object_get(result, "analyses"), "toy")), 7);
    vb_comm_close(&context.comm);
    json_decref(result);
}

/* The program's own list, as it is linked: declared by hand, since its headers are those of the list above. */
const vb_option *vb_analyses_spec_options(void);
const vb_analysis *vb_analyses_row(int a);

static void every_name_has_help_and_a_complete_row(void **state) {
    (void)state;
    vb_pair_shape shape = {
        .images = 50, .classes = 4, .vocabularies = 2, .dim = 8, .prompts = 2, .variants = 3, .ranks = 2, .threads = 1};
    const vb_option *listed = vb_analyses_spec_options();
    int count = 0;
    for (; listed[count].key; count++) {
        const vb_analysis *row = vb_analyses_row(count);
        assert_true(listed[count].help[0] != 0);
        assert_non_null(row->run);
        assert_non_null(row->bytes);
        assert_true(row->bytes(&shape) > 0);
        if (row->operations) assert_true(row->operations(&shape) > 0);
    }
    assert_true(count >= 6);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(the_list_is_what_an_experiment_may_name),
                                       cmocka_unit_test(plans_and_schedules_ask_the_rows),
                                       cmocka_unit_test(a_run_goes_through_the_rows),
                                       cmocka_unit_test(every_name_has_help_and_a_complete_row)};
    MPI_Init(NULL, NULL);
    int failed = cmocka_run_group_tests_name("analyses", tests, NULL, NULL);
    return end_mpi(failed);
}
