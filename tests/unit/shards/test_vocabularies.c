/* Tests of vocabulary files; the committed ones are compared with the reference lists through jansson. */
#include <limits.h>

#include <jansson.h>

#include "tests/unit/scratch.h"
#include "kernels/base/fault.h"
#include "shards/files/path.h"
#include "shards/text/vocabularies.h"

static vb_error err;
static char file[1024];

static int make_file(void **state) {
    if (make_scratch(state)) return -1;
    in_scratch(file, "v.yaml");
    return 0;
}

static const char *written(const char *text) {
    put_text("v.yaml", text);
    return file;
}

static void read_text(vb_vocabularies *v, const char *text) { assert_ok(vb_vocabularies_read(v, written(text), &err)); }

/* `message` is the error's text after the path. */
static void assert_refused(const char *text, const char *message) {
    vb_vocabularies v;
    char whole[VB_ERROR_TEXT];
    snprintf(whole, sizeof whole, "%s%s", file, message);
    written(text);
    assert_fails(vb_vocabularies_read(&v, file, &err), VB_ECONFIG, "");
    assert_string_equal(err.text, whole);
    assert_null(v.name);
    assert_int_equal(v.count, 0);
}

static void reads_names_and_ids(void **state) {
    (void)state;
    vb_vocabularies v;
    read_text(&v, "name: example\n"
                  "vocabularies:\n"
                  "  aquatic: [beaver, aquarium_fish, \"no\", no]\n"
                  "  fish and more:\n"
                  "    - {id: n01440764, name: tench}\n"
                  "    - id: n01443537\n"
                  "      name: \"Geoffroy's fish: red, #1\"\n"
                  "    - 1984\n");
    assert_string_equal(v.name, "example");
    assert_int_equal(v.count, 2);
    assert_string_equal(v.names[0], "aquatic");
    assert_string_equal(v.names[1], "fish and more");
    assert_int_equal(v.classes, 6);
    static const char *const names[] = {"beaver", "aquarium_fish", "no", "tench", "Geoffroy's fish: red, #1", "1984"};
    static const int offsets[] = {0, 3, 6};
    for (int i = 0; i < 6; i++) {
        assert_string_equal(v.class[i].name, names[i]);
        assert_int_equal(v.members[i], i);
    }
    assert_memory_equal(v.offsets, offsets, sizeof offsets);
    assert_null(v.class[0].id);
    assert_string_equal(v.class[3].id, "n01440764");
    assert_int_equal(v.ids, 2);
    assert_int_equal(v.duplicates, 1);
    assert_string_equal(v.duplicate_notes[0], "'no' in 'aquatic' (line 3) is also in 'aquatic' (line 3)");
    vb_vocabularies_free(&v);
    vb_vocabularies_free(&v); /* twice is fine */
}

static void equal_names_are_one_class(void **state) {
    (void)state;
    vb_vocabularies v;
    read_text(&v, "name: x\n"
                  "vocabularies:\n"
                  "  Plants:\n"
                  "    - rose\n"
                  "    - oak_tree\n"
                  "    - fern\n"
                  "  Flowers:\n"
                  "    - {name: rose, id: n1}\n"
                  "    - Rose\n"
                  "    - oak tree\n"
                  "    - oak_tree\n"
                  "    - lily\n"
                  "  More: [fern, rose, {id: n1, name: rose}]\n");
    assert_int_equal(v.classes, 5); /* rose oak_tree fern Rose lily */
    assert_string_equal(v.class[1].name, "oak_tree");
    assert_string_equal(v.class[0].id, "n1");
    static const int members[] = {0, 1, 2, 0, 3, 1, 4, 2, 0}, offsets[] = {0, 3, 7, 9};
    assert_memory_equal(v.offsets, offsets, sizeof offsets);
    assert_memory_equal(v.members, members, sizeof members);
    static const char *const notes[] = {"'rose' in 'Flowers' (line 8) is also in 'Plants' (line 4)",
                                        "'oak tree' in 'Flowers' (line 10) is also in 'Plants' (line 5)",
                                        "'oak_tree' in 'Flowers' (line 11) is also in 'Plants' (line 5)",
                                        "'fern' in 'More' (line 13) is also in 'Plants' (line 6)",
                                        "'rose' in 'More' (line 13) is also in 'Plants' (line 4)",
                                        "'rose' in 'More' (line 13) is also in 'Plants' (line 4)"};
    assert_int_equal(v.duplicates, 6);
    for (int i = 0; i < 6; i++) assert_string_equal(v.duplicate_notes[i], notes[i]);
    vb_vocabularies_free(&v);
}

static void finds_labels(void **state) {
    (void)state;
    vb_vocabularies v;
    read_text(&v, "name: x\n"
                  "vocabularies:\n"
                  "  a: [aquarium_fish, {id: n2, name: n1}, {id: n1, name: sweet pepper}, Zebra, zebra]\n");
    static const struct {
        const char *label;
        int class;
    } cases[] = {{"aquarium_fish", 0},
                 {"aquarium fish", 0},
                 {"aquarium-fish", -1},
                 {"aquarium", -1},
                 {"aquarium_fishes", -1},
                 {"sweet_pepper", 2},
                 {"sweet pepper", 2},
                 {"n1", 2},
                 {"n2", 1},
                 {"n3", -1},
                 {"Zebra", 3},
                 {"zebra", 4},
                 {"ZEBRA", -1},
                 {"", -1},
                 {"_", -1}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        if (vb_vocabularies_find(&v, cases[i].label) != cases[i].class)
            fail_msg("%s: class %d", cases[i].label, vb_vocabularies_find(&v, cases[i].label));
    vb_vocabularies_free(&v);
}

static void aliases(void **state) {
    (void)state;
    vb_vocabularies v;
    read_text(&v, "name: x\n"
                  "vocabularies:\n"
                  "  a: [{name: airplane, aliases: [airplanes, 5]}, {id: n1, name: face, aliases: [Faces]}, tick]\n"
                  "  b: [{name: airplane, aliases: [aero_plane, airplane, airplanes]}]\n");
    assert_int_equal(v.classes, 3);
    assert_int_equal(v.class[0].alias_count, 5);
    assert_int_equal(v.ids, 1);
    static const struct {
        const char *label;
        int class;
    } cases[] = {{"airplanes", 0}, {"5", 0}, {"Faces", 1}, {"aero plane", 0}, {"n1", 1}, {"faces", -1}, {"tick", 2}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_int_equal(vb_vocabularies_find(&v, cases[i].label), cases[i].class);
    assert_int_equal(vb_vocabularies_find_id(&v, "Faces"), -1);
    vb_vocabularies_free(&v);
    assert_refused("name: x\nvocabularies: {a: [{name: b, aliases: c}]}\n", ":2:39: expected a list of labels, found 'c'");
    assert_refused("name: x\nvocabularies: {a: [{name: b, aliases: [[c]]}]}\n", ":2:40: expected a label, found a list");
    assert_refused("name: x\nvocabularies: {a: [{name: b, aliases: [c d]}, c_d]}\n",
                   ":2:40: 'c d' is an alias of 'b' here and the name of 'c_d' at line 2");
    assert_refused("name: x\nvocabularies:\n  a: [{id: c, name: d}]\n  e: [{name: b, aliases: [f, c]}]\n",
                   ":4:30: 'c' is an alias of 'b' here and the id of 'd' at line 3");
    assert_refused("name: x\nvocabularies: {a: [{name: b, aliases: [c]}, {name: d, aliases: [c]}]}\n",
                   ":2:40: 'c' is an alias of 'b' here and one of 'd' at line 2");
}

static void bad_files(void **state) {
    (void)state;
    assert_refused("[1]\n", ":1:1: expected a map with 'name' and 'vocabularies', found a list");
    assert_refused("vocabularies: {a: [b]}\n", ":1:1: the key 'name' is missing");
    assert_refused("name: x\n", ":1:1: the key 'vocabularies' is missing");
    assert_refused("name: x\nvocabulary: {a: [b]}\n", ":2:1: unknown key 'vocabulary', did you mean 'vocabularies'?");
    assert_refused("name: x\nvocabularies: {a: [b]}\nseed: 3\n", ":3:1: unknown key 'seed', expected 'name' or 'vocabularies'");
    assert_refused("name: [x]\nvocabularies: {a: [b]}\n", ":1:7: expected a name, found a list");
    assert_refused("name:\nvocabularies: {a: [b]}\n", ":1:6: expected a name, found nothing");
    assert_refused("name: x\nvocabularies:\n", ":2:14: expected a map from vocabulary to its classes, found nothing");
    assert_refused("name: x\nvocabularies: [a]\n", ":2:15: expected a map from vocabulary to its classes, found a list");
    assert_refused("name: x\nvocabularies: []\n", ":2:15: expected a map from vocabulary to its classes, found a list");
    assert_refused("name: x\nvocabularies: {}\n", ":2:15: expected at least one vocabulary, found none");
    assert_refused("name: x\nvocabularies:\n  a: []\n", ":3:6: the vocabulary 'a' holds no class");
    assert_refused("name: x\nvocabularies:\n  a:\n", ":3:5: expected a list of classes, found nothing");
    assert_refused("name: x\nvocabularies:\n  a: b\n", ":3:6: expected a list of classes, found 'b'");
    assert_refused("name: x\nvocabularies:\n  \"\": [b]\n", ":3:3: expected the name of a vocabulary, found '', which is empty");
    assert_refused("name: x\nvocabularies:\n  a: [b]\n  a: [c]\n", ":4:3: the key 'a' is given a second time (first at line 3)");
    assert_refused("name: x\nvocabularies:\n  a: [b, \"\"]\n",
                   ":3:10: expected a class name or {id: ..., name: ...}, found '', which is empty");
    assert_refused("name: x\nvocabularies:\n  a: [b, _ ]\n",
                   ":3:10: expected a class name or {id: ..., name: ...}, found '_', which is blank: underscores are spaces");
    assert_refused("name: x\nvocabularies:\n  a: [b, \" c\"]\n",
                   ":3:10: expected a class name or {id: ..., name: ...}, found ' c', which has white space around it");
    assert_refused("name: x\nvocabularies:\n  a: [b, \"c\\nd\"]\n",
                   ":3:10: expected a class name or {id: ..., name: ...}, found 'c?d', which has control characters");
    assert_refused("name: x\nvocabularies:\n  a: [b, null]\n",
                   ":3:10: expected a class name or {id: ..., name: ...}, found nothing");
    assert_refused("name: x\nvocabularies:\n  a: [[b]]\n", ":3:7: expected a class name or {id: ..., name: ...}, found a list");
    assert_refused("name: x\nvocabularies:\n  a: [{id: n1}]\n", ":3:7: a class without a name: expected {id: ..., name: ...}");
    assert_refused("name: x\nvocabularies:\n  a: [{id: n1, nmae: b}]\n", ":3:16: unknown key 'nmae', did you mean 'name'?");
    assert_refused("name: x\nvocabularies:\n  a: [{wnid: n1, name: b}]\n",
                   ":3:8: unknown key 'wnid', expected 'name', 'id' or 'aliases'");
    assert_refused("name: x\nvocabularies:\n  a: [{id: , name: b}]\n", ":3:12: expected an id, found nothing");
    assert_refused("name: x\nvocabularies:\n  a: [{id: [n], name: b}]\n", ":3:12: expected an id, found a list");
    assert_refused("name: x\nvocabularies:\n  a:\n  - {id: n1, name: b}\n  c:\n  - d\n  - {id: n2, name: b}\n",
                   ":7:5: 'b' has the id 'n2' here and 'n1' at line 4");
    assert_refused("name: x\nvocabularies:\n  a:\n  - {id: n1, name: b}\n  - {id: n1, name: B}\n",
                   ":5:5: the id 'n1' names 'B' here and 'b' at line 4");
    assert_refused("name: x\nvocabularies: {a: [b]\n",
                   ":3:1: did not find expected ',' or '}' while parsing a flow mapping at line 2");
    vb_vocabularies v;
    assert_fails(vb_vocabularies_read(&v, "/nonexistent/v.yaml", &err), VB_EMISSING, "/nonexistent/v.yaml");
    vb_vocabularies_free(&v);
}

static vb_digest digest_of(const char *text) {
    vb_vocabularies v;
    read_text(&v, text);
    vb_digest digest = v.digest;
    vb_vocabularies_free(&v);
    return digest;
}

static void digest_is_of_content(void **state) {
    (void)state;
    vb_digest digest = digest_of("name: x\nvocabularies: {a: [b, {id: n1, name: c}], d: [e]}\n");
    vb_digest same = digest_of("# comment\nvocabularies:\n  a:\n  - \"b\"\n  - name: c\n    id: n1\n  d: [e]\nname: x\n");
    assert_int_equal(strlen(digest.hex), 32);
    assert_string_equal(digest.hex, same.hex);
    static const char *const others[] = {"name: y\nvocabularies: {a: [b, {id: n1, name: c}], d: [e]}\n",
                                         "name: x\nvocabularies: {A: [b, {id: n1, name: c}], d: [e]}\n",
                                         "name: x\nvocabularies: {a: [b, {id: n2, name: c}], d: [e]}\n",
                                         "name: x\nvocabularies: {a: [b, c], d: [e]}\n",
                                         "name: x\nvocabularies: {a: [b], d: [{id: n1, name: c}, e]}\n",
                                         "name: x\nvocabularies: {a: [{id: n1, name: c}, b], d: [e]}\n",
                                         "name: x\nvocabularies: {a: [b, {id: n1, name: c, aliases: [f]}], d: [e]}\n"};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        vb_digest other = digest_of(others[i]);
        assert_string_not_equal(digest.hex, other.hex);
    }
    digest = digest_of("name: x\nvocabularies: {a: [{name: c, aliases: [f]}]}\n");
    assert_string_not_equal(digest.hex, digest_of("name: x\nvocabularies: {a: [{name: c, aliases: [g]}]}\n").hex);
}

/* Many names, half of them listed twice: the index agrees with a plain search. */
static void a_large_pool(void **state) {
    (void)state;
    enum { NAMES = 20000 };
    char *text = vb_array(NAMES, 48, "test", &err), *at = text + sprintf(text, "name: pool\nvocabularies:\n  nouns:\n");
    for (int i = 0; i < NAMES; i++)
        at += sprintf(at, "  - {id: i%d, name: noun_%d}\n", i % (NAMES / 2) * 7919 % 10007, i % (NAMES / 2));
    vb_vocabularies v;
    read_text(&v, text);
    assert_int_equal(v.classes, NAMES / 2);
    assert_int_equal(v.duplicates, NAMES / 2);
    assert_int_equal(v.offsets[1], NAMES / 2);
    for (int i = 0; i < v.classes; i++) {
        char label[32];
        snprintf(label, sizeof label, "noun %d", i);
        assert_int_equal(vb_vocabularies_find(&v, label), i);
        assert_int_equal(vb_vocabularies_find(&v, v.class[i].id), i);
    }
    vb_vocabularies_free(&v);
    vb_free(text);
}

/* ---- the committed files ---- */

static void committed_counts(void **state) {
    (void)state;
    static const struct {
        const char *name;
        int vocabularies, each;
        bool ids;
    } files[] = {{"cifar100", 20, 5, false},
                 {"entity13", 13, 20, true},
                 {"entity30", 30, 8, true},
                 {"living17", 17, 4, true},
                 {"nonliving26", 26, 4, true}};
    for (size_t f = 0; f < sizeof files / sizeof *files; f++) {
        char path[64];
        vb_vocabularies v;
        snprintf(path, sizeof path, "configs/vocabularies/%s.yaml", files[f].name);
        assert_ok(vb_vocabularies_read(&v, path, &err));
        assert_string_equal(v.name, files[f].name);
        assert_int_equal(v.count, files[f].vocabularies);
        assert_int_equal(v.classes, files[f].vocabularies * files[f].each);
        assert_int_equal(v.duplicates, 0);
        assert_int_equal(v.ids, files[f].ids ? v.classes : 0);
        for (int i = 0; i <= v.count; i++) assert_int_equal(v.offsets[i], i * files[f].each);
        vb_vocabularies_free(&v);
    }
    static const struct {
        const char *name;
        int sizes[3], classes;
    } sets[] = {{"cifar100_caltech101_sun397", {100, 100, 397}, 578},
                {"cifar10_cifar100_imagenet", {10, 100, 998}, 1084},
                {"flowers_pets_cars", {102, 37, 196}, 335}};
    for (size_t f = 0; f < sizeof sets / sizeof *sets; f++) {
        char path[64];
        vb_vocabularies v;
        snprintf(path, sizeof path, "configs/vocabularies/%s.yaml", sets[f].name);
        assert_ok(vb_vocabularies_read(&v, path, &err));
        assert_int_equal(v.count, 3);
        assert_int_equal(v.classes, sets[f].classes);
        for (int i = 0; i < 3; i++) assert_int_equal(v.offsets[i + 1] - v.offsets[i], sets[f].sizes[i]);
        vb_vocabularies_free(&v);
    }
}

/* The listings of the reference, in its order, make the classes and members of the committed file. */
static void assert_vocabulary(const vb_vocabularies *v, int index, const char *name, size_t count, const char **names,
                              const char **ids, int *seen) {
    const char *comma = strchr(name, ','); /* BREEDS gives synonyms; the first is the name */
    size_t length = comma ? (size_t)(comma - name) : strlen(name);
    assert_true(index < v->count);
    assert_int_equal(strlen(v->names[index]), length);
    assert_memory_equal(v->names[index], name, length);
    int member = v->offsets[index];
    for (size_t i = 0; i < count; i++) {
        int class = vb_vocabularies_find(v, names[i]);
        assert_true(class >= 0 && class <= *seen); /* known, or the next new one */
        if (class == *seen) {
            assert_string_equal(v->class[class].name, names[i]);
            ++*seen;
        }
        if (ids) {
            assert_string_equal(v->class[class].id, ids[i]);
            assert_int_equal(vb_vocabularies_find(v, ids[i]), class);
        }
        bool listed = false;
        for (int j = v->offsets[index]; j < member; j++) listed |= v->members[j] == class;
        if (!listed) assert_int_equal(v->members[member++], class);
    }
    assert_int_equal(member, v->offsets[index + 1]);
}

static void committed_equal_the_reference(void **state) {
    (void)state;
    static const char *const files[][2] = {{"cifar100", "cifar100_vocabularies"},
                                           {"entity13", "entity13"},
                                           {"entity30", "entity30"},
                                           {"living17", "living17"},
                                           {"nonliving26", "nonliving26"},
                                           {"cifar100_caltech101_sun397", "cifar100_caltech101_sun397_vocabularies"},
                                           {"cifar10_cifar100_imagenet", "cifar10_cifar100_imagenet_vocabularies"},
                                           {"flowers_pets_cars", "flowers_pets_cars_vocabularies"}};
    enum { MOST = 1000 };
    static const char *names[MOST], *ids[MOST];
    for (size_t f = 0; f < sizeof files / sizeof *files; f++) {
        char reference[64], path[1024];
        snprintf(reference, sizeof reference, "reference/%s.json", files[f][1]);
        json_t *json = json_load_file(shared_path(path, reference), 0, NULL);
        assert_non_null(json);
        snprintf(path, sizeof path, "configs/vocabularies/%s.yaml", files[f][0]);
        vb_vocabularies v;
        assert_ok(vb_vocabularies_read(&v, path, &err));
        int index = 0, seen = 0;
        const char *key;
        json_t *value;
        size_t i, j;
        json_object_foreach(json, key, value) {
            assert_true(json_array_size(value) <= MOST);
            for (i = 0; i < json_array_size(value); i++) names[i] = json_string_value(json_array_get(value, i));
            assert_vocabulary(&v, index++, key, json_array_size(value), names, NULL, &seen);
        }
        json_array_foreach(json, i, value) {
            json_t *classes = json_object_get(value, "classes"), *class;
            json_array_foreach(classes, j, class) {
                names[j] = json_string_value(json_object_get(class, "clip_name"));
                ids[j] = json_string_value(json_object_get(class, "wnid"));
            }
            assert_vocabulary(&v, index++, json_string_value(json_object_get(value, "name")), json_array_size(classes), names,
                              ids, &seen);
        }
        assert_int_equal(index, v.count);
        assert_int_equal(seen, v.classes);
        vb_vocabularies_free(&v);
        json_decref(json);
    }
}

/* The ImageNet part carries folder ids; the BREEDS files, whose ids come from elsewhere, agree with them. */
static void committed_ids_agree(void **state) {
    (void)state;
    static const char *const breeds[] = {"entity13", "entity30", "living17", "nonliving26"};
    vb_vocabularies imagenet;
    assert_ok(vb_vocabularies_read(&imagenet, "configs/vocabularies/cifar10_cifar100_imagenet.yaml", &err));
    assert_int_equal(imagenet.ids, 998);
    for (size_t f = 0; f < sizeof breeds / sizeof *breeds; f++) {
        char path[64];
        vb_vocabularies v;
        snprintf(path, sizeof path, "configs/vocabularies/%s.yaml", breeds[f]);
        assert_ok(vb_vocabularies_read(&v, path, &err));
        for (int i = 0; i < v.classes; i++) {
            int class = vb_vocabularies_find(&imagenet, v.class[i].name);
            assert_true(class >= 0);
            if (vb_vocabularies_find(&imagenet, v.class[i].id) !=
                class) /* the second folder of a repeated name has no id of its own */
                assert_true(!strcmp(v.class[i].name, "missile") || !strcmp(v.class[i].name, "sunglasses"));
        }
        vb_vocabularies_free(&v);
    }
    vb_vocabularies_free(&imagenet);
}

/* ---- several files as one label space ---- */

static vb_vocabularies part_of(const char *classes) {
    char text[256];
    vb_vocabularies part;
    snprintf(text, sizeof text, "name: part\nvocabularies: {all: [%s]}\n", classes);
    assert_ok(vb_vocabularies_read(&part, written(text), &err));
    return part;
}

static void joined_classes(void **state) {
    (void)state;
    /* By hand: maple_tree and maple tree; cat (n3) and cat, whose id is not known; cat (n3) and tom (n3). Not the banks, nor
     * Ant. */
    static const struct {
        vb_shared_names rule;
        int classes, members[9], offsets[4], of[3][4], equivalence[9];
    } cases[] = {{VB_SHARED_SAME,
                  9,
                  {0, 1, 2, 3, 4, 5, 6, 7, 8},
                  {0, 3, 7, 9},
                  {{0, 1, 2}, {3, 4, 5, 6}, {7, 8}},
                  {0, 1, 2, 1, 4, 2, 6, 7, 2}},
                 {VB_SHARED_DIFFERENT, 9, {0, 1, 2, 3, 4, 5, 6, 7, 8}, {0, 3, 7, 9}, {{0, 1, 2}, {3, 4, 5, 6}, {7, 8}}, {0}},
                 {VB_SHARED_MERGE, 6, {0, 1, 2, 1, 3, 2, 4, 5, 2}, {0, 3, 7, 9}, {{0, 1, 2}, {1, 3, 2, 4}, {5, 2}}, {0}},
                 {VB_SHARED_DROP, 4, {0, 1, 2, 3}, {0, 1, 3, 4}, {{0, -1, -1}, {-1, 1, -1, 2}, {3, -1}}, {0}}};
    vb_vocabularies parts[] = {part_of("ant, maple_tree, {id: n3, name: cat}"),
                               part_of("maple tree, {id: n1, name: bank}, cat, Ant"),
                               part_of("{id: n2, name: bank}, {id: n3, name: tom}"), part_of("cat"),
                               part_of("cat, {id: n3, name: kitten}")};
    const vb_vocabularies *all[] = {&parts[0], &parts[1], &parts[2]}, *bad[] = {&parts[0], &parts[3]},
                          *twice[] = {&parts[0], &parts[4]};
    static const char *const names[] = {"red", "blue", "green"};
    assert_non_null(parts[2].class[1].called = vb_strdup("Kater", &err));
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        vb_joined joined;
        assert_ok(vb_vocabularies_join(&joined, "x", all, names, 3, cases[i].rule, &err));
        const vb_vocabularies *v = &joined.vocabularies;
        assert_int_equal(v->classes, cases[i].classes);
        assert_memory_equal(v->offsets, cases[i].offsets, sizeof cases[i].offsets);
        assert_memory_equal(v->members, cases[i].members, (size_t)v->offsets[3] * sizeof(int));
        for (int p = 0; p < 3; p++) {
            assert_string_equal(v->names[p], names[p]);
            for (int c = 0; c < parts[p].classes; c++) {
                int class = joined.class_of[p][c];
                assert_int_equal(class, cases[i].of[p][c]);
                if (class >= 0 && joined.part_of[class] == p) assert_int_equal(joined.origin[class], c);
            }
        }
        assert_int_equal(joined.equivalence != NULL, cases[i].rule == VB_SHARED_SAME);
        if (joined.equivalence) assert_memory_equal(joined.equivalence, cases[i].equivalence, 9 * sizeof(int));
        static const int shared[] = {1, 0, -1, 2, 2, 1};
        assert_int_equal(joined.shared, 2);
        assert_memory_equal(joined.shared_of, shared, sizeof shared);
        assert_int_equal(v->duplicates, 3);
        assert_string_equal(v->duplicate_notes[0], "'maple tree' in 'blue' is also in 'red'");
        assert_string_equal(v->duplicate_notes[2], "'tom' in 'green' is also in 'red'");
        /* What was merged into the cat: its own name once more, a tomcat, and what prompts call that. */
        static const char *const others[] = {"cat", "tom", "Kater"};
        assert_int_equal(v->class[2].other_count, cases[i].rule == VB_SHARED_MERGE ? 3 : 0);
        for (int k = 0; k < v->class[2].other_count; k++) assert_string_equal(v->class[2].others[k], others[k]);
        vb_vocabularies_joined_free(&joined);
    }
    vb_joined joined;
    const vb_vocabularies half = {.classes = INT_MAX / 2}, one = {.classes = 1}, *beyond[] = {&half, &one};
    assert_fails(vb_vocabularies_join(&joined, "x", beyond, names, 2, VB_SHARED_DROP, &err), VB_EUNSUPPORTED,
                 "1073741824 classes in one expansion");
    assert_fails(vb_vocabularies_join(&joined, "x", bad, names, 2, VB_SHARED_DROP, &err), VB_EMISMATCH,
                 "'blue': no class is left, all its names are shared and dropped");
    assert_fails(vb_vocabularies_join(&joined, "x", twice, names, 2, VB_SHARED_SAME, &err), VB_EMISMATCH,
                 "'blue': its classes 'cat' and 'kitten' are both of one name with 'cat' of another dataset");
    /* Different things are joined by nothing: each of the two has a row with the other dataset's class, in any order of
     * datasets. */
    const vb_vocabularies *orders[][2] = {{&parts[0], &parts[4]}, {&parts[4], &parts[0]}};
    static const int rows[][4] = {{2, 0, 2, 1}, {0, 2, 1, 2}};
    for (int o = 0; o < 2; o++) {
        assert_ok(vb_vocabularies_join(&joined, "x", orders[o], names, 2, VB_SHARED_DIFFERENT, &err));
        assert_int_equal(joined.vocabularies.classes, 5);
        assert_int_equal(joined.shared, 2);
        assert_memory_equal(joined.shared_of, rows[o], sizeof rows[o]);
        assert_int_equal(joined.vocabularies.duplicates, 2 - o);
        assert_string_equal(joined.vocabularies.duplicate_notes[1 - o],
                            o ? "'cat' in 'blue' is also in 'red'" : "'kitten' in 'blue' is also in 'red'");
        vb_vocabularies_joined_free(&joined);
    }
    for (int n = 1;; n++) {
        char fault[32];
        snprintf(fault, sizeof fault, "alloc:%d:ENOMEM", n);
        vb_fault_setup(fault, 0);
        int status = vb_vocabularies_join(&joined, "x", all, names, 3, VB_SHARED_SAME, &err);
        vb_fault_setup(NULL, 0);
        if (!status) break;
        assert_int_equal(err.code, VB_EMEMORY);
        assert_null(joined.vocabularies.class);
    }
    vb_vocabularies_joined_free(&joined);
    for (int p = 0; p < 5; p++) vb_vocabularies_free(&parts[p]);
}

/* The dataset-level expansions as files of one dataset each are the classes of the committed file of all three. */
static void joined_files(void **state) {
    (void)state;
    static const char *const sets[][4] = {{"cifar100_caltech101_sun397", "cifar100", "caltech101", "sun397"},
                                          {"cifar10_cifar100_imagenet", "cifar10", "cifar100", "imagenet"},
                                          {"flowers_pets_cars", "flowers102", "oxford_pets", "stanford_cars"}};
    for (size_t s = 0; s < sizeof sets / sizeof *sets; s++) {
        vb_vocabularies files[4];
        for (int f = 0; f < 4; f++) {
            char path[64];
            snprintf(path, sizeof path, "configs/vocabularies/%s.yaml", sets[s][f]);
            assert_ok(vb_vocabularies_read(&files[f], path, &err));
            assert_string_equal(files[f].name, sets[s][f]);
        }
        const vb_vocabularies *parts[] = {&files[1], &files[2], &files[3]};
        vb_joined joined;
        assert_ok(vb_vocabularies_join(&joined, "x", parts, sets[s] + 1, 3, VB_SHARED_MERGE, &err));
        assert_int_equal(joined.vocabularies.classes, files[0].classes);
        for (int p = 0; p < 3; p++) {
            assert_int_equal(files[p + 1].classes, files[0].offsets[p + 1] - files[0].offsets[p]);
            for (int i = files[0].offsets[p]; i < files[0].offsets[p + 1]; i++) {
                const vb_class *class = &files[0].class[files[0].members[i]];
                assert_true(vb_vocabularies_find(&files[p + 1], class->name) >= 0);
            }
        }
        vb_vocabularies_joined_free(&joined);
        for (int f = 0; f < 4; f++) vb_vocabularies_free(&files[f]);
    }
}

static void lack_of_memory(void **state) {
    (void)state;
    written("name: x\nvocabularies: {a: [b, {id: n1, name: c}, b], d: [c]}\n");
    int n = 1;
    for (int status = -1; status; n++) {
        char fault[32];
        vb_vocabularies v;
        snprintf(fault, sizeof fault, "alloc:%d:ENOMEM", n);
        vb_fault_setup(fault, 0);
        vb_error_clear(&err);
        status = vb_vocabularies_read(&v, file, &err);
        vb_fault_setup(NULL, 0);
        if (status) assert_int_equal(err.code, VB_EMEMORY);
        else vb_vocabularies_free(&v);
    }
    assert_true(n > 50);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(reads_names_and_ids),
                                       cmocka_unit_test(equal_names_are_one_class),
                                       cmocka_unit_test(finds_labels),
                                       cmocka_unit_test(aliases),
                                       cmocka_unit_test(bad_files),
                                       cmocka_unit_test(digest_is_of_content),
                                       cmocka_unit_test(a_large_pool),
                                       cmocka_unit_test(committed_counts),
                                       cmocka_unit_test(committed_equal_the_reference),
                                       cmocka_unit_test(committed_ids_agree),
                                       cmocka_unit_test(joined_classes),
                                       cmocka_unit_test(joined_files),
                                       cmocka_unit_test(lack_of_memory)};
    return cmocka_run_group_tests(tests, make_file, remove_scratch);
}
