/* Tests of the building and reading of JSON: forms, what is no text or number, and memory that runs out anywhere. */
#include <math.h>

#include "kernels/base/fault.h"
#include "mpi/base/json.h"
#include "tests/unit/vb_test.h"

static json_t *build(vb_json *json) {
    json_t *object = vb_json_object(json), *list, *inner;
    vb_json_set_text(json, object, "text", "a name that is longer than a short one");
    vb_json_set_text(json, object, "bytes", "\xff\xfe");
    vb_json_set(json, object, "other", vb_json_text_or(json, "\xff", "sample 3"));
    vb_json_set_integer(json, object, "integer", INT64_C(1) << 60);
    vb_json_set_real(json, object, "real", 0.1);
    vb_json_set_real(json, object, "nan", NAN);
    vb_json_set_bool(json, object, "bool", true);
    vb_json_set_format(json, object, "format", "%d of %s", 3, "four");
    list = vb_json_set_array(json, object, "list");
    vb_json_append_text(json, list, "one");
    vb_json_append_real(json, list, INFINITY);
    inner = vb_json_set_object(json, object, "inner");
    vb_json_set_same(json, inner, "text", object);
    vb_json_set_same(json, inner, "nothing", object);
    vb_json_set(json, object, "integers", vb_json_integer_list(json, (int64_t[]){1, 2}, 2));
    return object;
}

static const char built[] =
    "{\"text\":\"a name that is longer than a short one\",\"bytes\":\"(not UTF-8)\",\"other\":\"sample 3\","
    "\"integer\":1152921504606846976,\"real\":0.10000000000000001,\"nan\":null,\"bool\":true,\"format\":\"3 of four\","
    "\"list\":[\"one\",null],\"inner\":{\"text\":\"a name that is longer than a short one\"},\"integers\":[1,2]}";

static void values_are_built_and_read(void **state) {
    (void)state;
    vb_error err = {0};
    vb_json json = {0};
    json_t *object = build(&json);
    assert_ok(vb_json_end(&json, "the test", &err));
    char *text = vb_json_dump(object, VB_JSON_LINE, "the test", &err);
    assert_string_equal(text, built);
    json_t *again = vb_json_parse(text, strlen(text), 0, "test.json", &err);
    assert_true(json_equal(object, again));
    assert_string_equal(vb_json_text(again, "format"), "3 of four");
    assert_string_equal(vb_json_text(again, "integer"), "");
    assert_true(vb_json_number(again, "real") == 0.1 && isnan(vb_json_number(again, "nan")));
    assert_true(vb_json_integer(again, "integer") == INT64_C(1) << 60 && vb_json_integer(again, "nowhere") == 0);
    vb_free(text);
    json_decref(again);
    json_decref(object);
    assert_true(vb_json_holds("na\xc3\xafve") && !vb_json_holds("na\xefve"));
    assert_null(vb_json_parse("{\"a\": 1,\n \"b\": }", 16, 0, "test.json", &err));
    assert_int_equal(err.code, VB_EDATA);
    assert_int_equal(strncmp(err.text, "test.json:2:", 12), 0);
}

/* Whatever allocation fails: building, writing and reading say so, and nothing is lost in silence. */
static void lack_of_memory_is_never_silent(void **state) {
    (void)state;
    int met = 0;
    for (int n = 1; n < 400; n++) {
        vb_error err = {0};
        vb_json json = {0};
        char plan[32];
        snprintf(plan, sizeof plan, "alloc:%d:ENOMEM", n);
        assert_int_equal(vb_fault_setup(plan, 0), 0);
        json_t *object = build(&json), *again = NULL;
        int status = vb_json_end(&json, "the test", &err);
        char *text = status ? NULL : vb_json_dump(object, VB_JSON_LINE, "the test", &err);
        if (!status && !text) status = -1;
        if (!status && !(again = vb_json_parse(text, strlen(text), 0, "test.json", &err))) status = -1;
        vb_fault_setup(NULL, 0);
        if (status) assert_int_equal(err.code, VB_EMEMORY);
        else assert_true(!strcmp(text, built) && json_equal(object, again));
        met += status != 0;
        vb_free(text);
        json_decref(again);
        json_decref(object);
    }
    assert_true(met > 60);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(values_are_built_and_read),
                                       cmocka_unit_test(lack_of_memory_is_never_silent)};
    vb_json_parse_setup();
    return cmocka_run_group_tests_name("json", tests, NULL, NULL);
}
