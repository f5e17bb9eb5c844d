/* Tests of prompt files; the committed ones are compared with the reference lists through jansson. */
#include <jansson.h>

#include "kernels/base/fault.h"
#include "shards/files/path.h"
#include "shards/text/prompts.h"
#include "tests/unit/scratch.h"

static vb_error err;
static char file[1024];

static int make_file(void **state) {
    if (make_scratch(state)) return -1;
    in_scratch(file, "p.yaml");
    return 0;
}

static const char *written(const char *text) {
    put_text("p.yaml", text);
    return file;
}

static void prompts_fill(void **state) {
    (void)state;
    static const struct {
        const char *prompt, *name, *text;
    } cases[] = {{"a photo of a {}.", "aquarium_fish", "a photo of a aquarium fish."},
                 {"{}", "a", "a"},
                 {"{} texture.", "x__y", "x  y texture."},
                 {"itap of my {}", "swim trunks / shorts", "itap of my swim trunks / shorts"},
                 {"a {}_b", "{}", "a {}_b"},
                 {"{}!", "", "!"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *text = vb_prompts_fill(cases[i].prompt, cases[i].name, &err);
        assert_non_null(text);
        assert_string_equal(text, cases[i].text);
        vb_free(text);
    }
    static const char *const bad[][2] = {{"a photo.", "no {} for the class name"},
                                         {"{} and {}", "more than one {}"},
                                         {"{{}}", "a brace besides its {}"},
                                         {"{0} {}", "a brace besides its {}"},
                                         {"{} }", "a brace besides its {}"},
                                         {"{ }", "no {} for the class name"},
                                         {"", "no {}"}};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        vb_error_clear(&err);
        assert_null(vb_prompts_fill(bad[i][0], "x", &err));
        assert_int_equal(err.code, VB_ECONFIG);
        assert_non_null(strstr(err.text, bad[i][1]));
    }
}

static void prompts_refused(const char *text, const char *message) {
    vb_prompts prompts;
    char whole[VB_ERROR_TEXT];
    snprintf(whole, sizeof whole, "%s%s", file, message);
    written(text);
    assert_fails(vb_prompts_read(&prompts, file, &err), VB_ECONFIG, "");
    assert_string_equal(err.text, whole);
    assert_null(prompts.items);
}

static void prompts_read(void **state) {
    (void)state;
    vb_prompts prompts, same;
    assert_ok(vb_prompts_read(&prompts, written("name: two\nprompts: [\"a {}.\", 'b {}: c']\n"), &err));
    assert_string_equal(prompts.name, "two");
    assert_int_equal(prompts.count, 2);
    assert_string_equal(prompts.items[1], "b {}: c");
    vb_yaml *list = NULL;
    assert_ok(vb_yaml_parse(&list, "['a {}.', \"b {}: c\"]", 20, "e.yaml", &err));
    assert_ok(vb_prompts_from_yaml(&same, list, "e.yaml", &err));
    assert_null(same.name);
    assert_string_equal(same.digest.hex, prompts.digest.hex); /* whatever the list is called */
    vb_prompts_free(&same);
    vb_yaml_free(list);
    list = NULL;
    assert_ok(vb_yaml_parse(&list, "[\"b {}: c\", 'a {}.']", 20, "e.yaml", &err));
    assert_ok(vb_prompts_from_yaml(&same, list, "e.yaml", &err));
    assert_string_not_equal(same.digest.hex, prompts.digest.hex); /* the order is the ensemble's */
    vb_prompts_free(&same);
    vb_yaml_free(list);
    list = NULL;
    assert_ok(vb_yaml_parse(&list, "['a {}.', \"b {}: d\"]", 20, "e.yaml", &err));
    assert_ok(vb_prompts_from_yaml(&same, list, "e.yaml", &err));
    assert_string_not_equal(same.digest.hex, prompts.digest.hex); /* each of them counts */
    vb_prompts_free(&same);
    vb_yaml_free(list);
    vb_prompts_free(&prompts);
    list = NULL;
    assert_ok(vb_yaml_parse(&list, "a {}.", 5, "e.yaml", &err));
    assert_ok(vb_prompts_from_yaml(&same, list, "e.yaml", &err));
    assert_int_equal(same.count, 1);
    vb_prompts_free(&same);
    vb_yaml_free(list);
    prompts_refused("name: x\nprompts: []\n", ":2:10: expected at least one prompt, found an empty list");
    prompts_refused("name: x\nprompts:\n", ":2:9: expected a list of prompts, found nothing");
    prompts_refused("name: x\nprompts: {a: b}\n", ":2:10: expected a list of prompts, found a map");
    prompts_refused("name: x\nprompts: [\"a {}\", [b]]\n", ":2:19: expected a text, found a list");
    prompts_refused("name: x\nprompts: [\"a {}\", b]\n", ":2:19: the prompt 'b' has no {} for the class name");
    prompts_refused("name: x\nprompts: [\"a {} {}\"]\n", ":2:11: the prompt 'a {} {}' has more than one {}");
    prompts_refused("name: x\nprompt: [\"a {}\"]\n", ":2:1: unknown key 'prompt', did you mean 'prompts'?");
    prompts_refused("nam: x\nprompts: [\"a {}\"]\n", ":1:1: unknown key 'nam', did you mean 'name'?");
    prompts_refused("name: x\nprompts: [\"a {}\"]\ntemplates: 3\n",
                    ":3:1: unknown key 'templates', expected 'name' or 'prompts'");
    prompts_refused("prompts: [\"a {}\"]\n", ":1:1: the key 'name' is missing");
    prompts_refused("name: x\n", ":1:1: the key 'prompts' is missing");
    prompts_refused("name: \"\"\nprompts: [\"a {}\"]\n", ":1:7: expected a name, found an empty text");
    prompts_refused("- a {}\n", ":1:1: expected a map with 'name' and 'prompts', found a list");
    assert_fails(vb_prompts_read(&prompts, "/nonexistent/p.yaml", &err), VB_EMISSING, "/nonexistent/p.yaml");
}

static const struct {
    const char *name, *reference;
    int count;
} lists[] = {{"imagenet80", "IMAGENET_TEMPLATES", 80},
             {"imagenet7", "IMAGENET_TEMPLATES_SELECT", 7},
             {"cifar10", "CIFAR10_TEMPLATES", 18},
             {"cifar100", "CIFAR100_TEMPLATES", 18},
             {"stanford_cars", "StanfordCars_TEMPLATES", 8},
             {"caltech101", "Caltech101_TEMPLATES", 34},
             {"describable_textures", "DescribableTextures_TEMPLATES", 8},
             {"eurosat", "EuroSAT_TEMPLATES", 3},
             {"flowers102", "Flowers102_TEMPLATES", 1},
             {"food101", "Food101_TEMPLATES", 1},
             {"sun397", "SUN397_TEMPLATES", 2},
             {"oxford_pets", "OxfordPets_TEMPLATES", 1},
             {"ucf101", "UCF101_TEMPLATES", 48},
             {"simple", "MYCIFAR100", 1},
             {"fgvc_aircraft", "FGVCAircraft", 1},
             {"describable_textures_single", "DescribableTextures", 1},
             {"eurosat_single", "EuroSAT", 1},
             {"ucf101_single", "UCF101", 1}};
enum { LISTS = sizeof lists / sizeof *lists };

static void read_list(vb_prompts *prompts, int i) {
    char path[64];
    snprintf(path, sizeof path, "configs/prompts/%s.yaml", lists[i].name);
    assert_ok(vb_prompts_read(prompts, path, &err));
    assert_string_equal(prompts->name, lists[i].name);
    assert_int_equal(prompts->count, lists[i].count);
}

static void committed_prompts(void **state) {
    (void)state;
    vb_strings paths;
    vb_prompts prompts;
    assert_ok(vb_path_glob(&paths, "configs/prompts/*.yaml", &err));
    assert_int_equal(paths.count, LISTS);
    vb_strings_free(&paths);
    for (int i = 0; i < LISTS; i++) {
        read_list(&prompts, i);
        if (!strcmp(lists[i].name, "simple")) assert_string_equal(prompts.items[0], "a photo of a {}.");
        vb_prompts_free(&prompts);
    }
}

static void committed_prompts_equal_the_reference(void **state) {
    (void)state;
    char path[1024];
    json_t *json = json_load_file(shared_path(path, "reference/prompt_templates.json"), 0, NULL), *value;
    const char *key;
    assert_non_null(json);
    for (int i = 0; i < LISTS; i++) {
        vb_prompts prompts;
        read_list(&prompts, i);
        json_t *list = json_object_get(json, lists[i].reference);
        json_t *single = json_object_get(json_object_get(json, "single"), lists[i].reference);
        assert_true(list || single);
        if (list) assert_int_equal(json_array_size(list), prompts.count);
        for (int j = 0; j < prompts.count; j++)
            assert_string_equal(prompts.items[j], json_string_value(list ? json_array_get(list, (size_t)j) : single));
        vb_prompts_free(&prompts);
    }
    /* No list of the reference was forgotten, and every single template is some committed list. */
    json_object_foreach(json, key, value) {
        bool found = !strcmp(key, "single");
        for (int i = 0; i < LISTS; i++) found |= !strcmp(key, lists[i].reference);
        if (!found) fail_msg("the list %s is not committed", key);
    }
    json_object_foreach(json_object_get(json, "single"), key, value) {
        bool found = false;
        for (int i = 0; i < LISTS; i++) {
            vb_prompts prompts;
            read_list(&prompts, i);
            found |= prompts.count == 1 && !strcmp(prompts.items[0], json_string_value(value));
            vb_prompts_free(&prompts);
        }
        if (!found) fail_msg("the single template of %s is not committed", key);
    }
    json_decref(json);
}

static void lack_of_memory(void **state) {
    (void)state;
    written("name: x\nprompts: [\"a {}\", \"b {}\"]\n");
    int n = 1;
    for (int status = -1; status; n++) {
        char fault[32];
        vb_prompts prompts;
        snprintf(fault, sizeof fault, "alloc:%d:ENOMEM", n);
        vb_fault_setup(fault, 0);
        vb_error_clear(&err);
        status = vb_prompts_read(&prompts, file, &err);
        vb_fault_setup(NULL, 0);
        if (status) assert_int_equal(err.code, VB_EMEMORY);
        else vb_prompts_free(&prompts);
    }
    assert_true(n > 20);
    vb_fault_setup("alloc:1:ENOMEM", 0);
    assert_null(vb_prompts_fill("a {}", "x", &err));
    vb_fault_setup(NULL, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(prompts_fill), cmocka_unit_test(prompts_read),
                                       cmocka_unit_test(committed_prompts),
                                       cmocka_unit_test(committed_prompts_equal_the_reference), cmocka_unit_test(lack_of_memory)};
    return cmocka_run_group_tests(tests, make_file, remove_scratch);
}
