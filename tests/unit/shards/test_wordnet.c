/* Tests of WordNet's reader: a small database written by hand, Debian's own against what awk counts in it, and broken files. */
#include "tests/unit/scratch.h"
#include "kernels/base/fault.h"
#include "shards/text/wordnet.h"

/* Two levels of animals, an instance, a sense of two words, a lemma in capitals, a pointer to a verb, which is none of ours. */
static const char data_noun[] =
    "  1 A licence: its lines begin with spaces.\n"
    "00000100 03 n 01 Entity 0 003 ~ 00000200 n 0000 ~ 00000300 n 0000 + 00000777 v 0101 | all there is\n"
    "00000200 03 n 02 animal 0 beast 1 002 @ 00000100 n 0000 ~ 00000400 n 0000 | it moves\n"
    "00000300 03 n 02 thing 0 beast 2 001 @ 00000100 n 0000 | it does not\n"
    "00000400 03 n 02 sea_lion 0 Otaria 0 001 @ 00000200 n 0000 | barks\n"
    "00000500 03 n 01 Nero 0 002 @i 00000400 n 0000 @ 00000100 n 0000 | an instance of a sea lion, and of what there is\n"
    "00000600 03 n 0b a 0 b 0 c 0 d 0 e 0 f 0 g 0 h 0 i 0 j 0 k 0 001 @ 00000500 n 0000 | eleven words, in hexadecimal\n";
static const char index_noun[] =
    "  1 A licence.\n"
    "a n 1 1 @ 1 0 00000600\n"
    "animal n 1 2 @ ~ 1 0 00000200\n"
    "b n 1 1 @ 1 0 00000600\nc n 1 1 @ 1 0 00000600\nd n 1 1 @ 1 0 00000600\ne n 1 1 @ 1 0 00000600\nf n 1 1 @ 1 0 00000600\n"
    "g n 1 1 @ 1 0 00000600\nh n 1 1 @ 1 0 00000600\ni n 1 1 @ 1 0 00000600\nj n 1 1 @ 1 0 00000600\nk n 1 1 @ 1 0 00000600\n"
    "beast n 2 1 @ 2 0 00000300 00000200\n"
    "entity n 1 1 ~ 1 0 00000100\n"
    "nero n 1 1 @i 1 0 00000500\n"
    "otaria n 1 1 @ 1 0 00000400\n"
    "sea_lion n 1 1 @ 1 0 00000400\n"
    "thing n 1 1 @ 1 0 00000300\n";

static void put_database(const char *folder, const char *index, const char *data) {
    char name[64];
    snprintf(name, sizeof name, "%s/index.noun", folder);
    put_text(name, index);
    snprintf(name, sizeof name, "%s/data.noun", folder);
    put_text(name, data);
}

/* The lemmas that share a synset with `name` (or of the synset `id`), joined by commas. */
static const char *synonyms_of(const vb_wordnet *wordnet, const char *name, const char *id) {
    static char text[256];
    uint8_t same[64] = {0};
    assert_true(vb_wordnet_lemmas(wordnet) <= sizeof same);
    vb_wordnet_synonyms(wordnet, name, id, same);
    text[0] = 0;
    for (size_t i = 0; i < vb_wordnet_lemmas(wordnet); i++)
        if (same[i])
            snprintf(text + strlen(text), sizeof text - strlen(text), "%s%s", *text ? "," : "", vb_wordnet_lemma(wordnet, i));
    return text;
}

static int depth_of(const vb_wordnet *wordnet, const char *name) {
    int64_t i = vb_wordnet_find(wordnet, name);
    assert_true(i >= 0);
    return vb_wordnet_depth(wordnet, (size_t)i);
}

static bool leads(const vb_wordnet *wordnet, const char *name) {
    return vb_wordnet_leads(wordnet, (size_t)vb_wordnet_find(wordnet, name));
}

static void a_small_database(void **state) {
    (void)state;
    char path[1024];
    vb_error err = {0};
    vb_wordnet *wordnet;
    put_database("small", index_noun, data_noun);
    assert_ok(vb_wordnet_open(&wordnet, in_scratch(path, "small"), &err));
    assert_int_equal(vb_wordnet_lemmas(wordnet), 18);
    for (size_t i = 1; i < vb_wordnet_lemmas(wordnet); i++)
        assert_true(strcmp(vb_wordnet_lemma(wordnet, i - 1), vb_wordnet_lemma(wordnet, i)) < 0);
    assert_int_equal(vb_wordnet_find(wordnet, "sea_lion"), -1); /* not in vb_wordnet_fold_name's form */
    assert_int_equal(vb_wordnet_find(wordnet, "lion"), -1);
    assert_int_equal(depth_of(wordnet, "entity"), 0);
    assert_int_equal(depth_of(wordnet, "beast"), 1); /* its first sense is a thing */
    assert_int_equal(depth_of(wordnet, "sea lion"), 2);
    assert_int_equal(depth_of(wordnet, "nero"), 1); /* the shorter way */
    assert_int_equal(depth_of(wordnet, "k"), 2);
    assert_true(leads(wordnet, "animal") && leads(wordnet, "a") && leads(wordnet, "entity"));
    assert_false(leads(wordnet, "beast") || leads(wordnet, "otaria") || leads(wordnet, "k"));
    assert_string_equal(synonyms_of(wordnet, "beast", NULL), "animal,beast,thing");
    assert_string_equal(synonyms_of(wordnet, "animal", NULL), "animal,beast");
    assert_string_equal(synonyms_of(wordnet, "no such word", NULL), "");
    assert_string_equal(synonyms_of(wordnet, "entity", "n00000400"), "entity,otaria,sea lion");
    assert_string_equal(synonyms_of(wordnet, "k", NULL), "a,b,c,d,e,f,g,h,i,j,k");
    static const char *const no_ids[] = {"n00000401", "v00000400", "n0000040x", "n400", ""};
    for (size_t i = 0; i < sizeof no_ids / sizeof *no_ids; i++) assert_string_equal(synonyms_of(wordnet, "?", no_ids[i]), "");
    vb_wordnet_close(wordnet);
    vb_wordnet_close(NULL);
    char *folded = vb_wordnet_fold_name("Sea_Lion OF_\xc3\x84", &err);
    assert_string_equal(folded, "sea lion of \xc3\xa4");
    vb_free(folded);
    /* A letter and its mark are the letter with the mark; a capital sigma at a word's end is the final one; sharp s stays. */
    static const char *const pairs[][2] = {{"A\xcc\x88rger", "\xc3\xa4rger"},
                                           {"\xce\x9f\xce\x94\xce\x9f\xce\xa3", "\xce\xbf\xce\xb4\xce\xbf\xcf\x82"},
                                           {"Stra\xc3\x9f"
                                            "E",
                                            "stra\xc3\x9f"
                                            "e"}};
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        assert_non_null(folded = vb_wordnet_fold_name(pairs[i][0], &err));
        assert_string_equal(folded, pairs[i][1]);
        vb_free(folded);
    }
}

/* length/up/down/relation of the way from one term to another. */
static const char *way(const vb_wordnet *wordnet, const char *from, const char *from_id, const char *to, const char *to_id) {
    static char text[64];
    vb_error err = {0};
    vb_wordnet_ancestry a, b;
    assert_ok(vb_wordnet_ancestry_new(&a, wordnet, from, from_id, &err));
    assert_ok(vb_wordnet_ancestry_new(&b, wordnet, to, to_id, &err));
    vb_wordnet_path path = vb_wordnet_path_between(&a, &b), back = vb_wordnet_path_between(&b, &a);
    assert_true(path.length == back.length && path.up == back.down && path.down == back.up && path.sisters == back.sisters);
    const char *relation = vb_wordnet_relation(&path);
    snprintf(text, sizeof text, "%d/%d/%d/%s", path.length, path.up, path.down, relation ? relation : "none");
    vb_wordnet_ancestry_free(&a);
    vb_wordnet_ancestry_free(&b);
    vb_wordnet_ancestry_free(&b);
    return text;
}

static void ways_from_term_to_term(void **state) {
    (void)state;
    char path[1024];
    vb_error err = {0};
    vb_wordnet *wordnet;
    put_database("ways", index_noun, data_noun);
    assert_ok(vb_wordnet_open(&wordnet, in_scratch(path, "ways"), &err));
    assert_string_equal(way(wordnet, "entity", NULL, "entity", NULL), "0/0/0/synonym");
    assert_string_equal(way(wordnet, "sea lion", NULL, "animal", NULL), "1/1/-1/hypernym");
    assert_string_equal(way(wordnet, "animal", NULL, "sea lion", NULL), "1/-1/1/hyponym");
    assert_string_equal(way(wordnet, "otaria", NULL, "sea lion", NULL), "0/0/0/synonym");
    assert_string_equal(way(wordnet, "animal", NULL, "thing", NULL), "2/-1/-1/sister");
    assert_string_equal(way(wordnet, "sea lion", NULL, "thing", NULL), "3/-1/-1/other");
    assert_string_equal(way(wordnet, "beast", NULL, "thing", NULL), "0/0/0/synonym");         /* by one of its senses */
    assert_string_equal(way(wordnet, "beast", "n00000200", "thing", NULL), "2/-1/-1/sister"); /* the id says which */
    assert_string_equal(way(wordnet, "beast", "no id", "thing", NULL), "0/0/0/synonym");      /* that says nothing */
    assert_string_equal(way(wordnet, "nero", NULL, "entity", NULL), "1/1/-1/hypernym");       /* the shorter of two ways */
    assert_string_equal(way(wordnet, "k", NULL, "animal", NULL), "3/3/-1/hypernym");          /* by the instance */
    /* Nero lies two steps below the animals, and beside them below all there is: as far, and no sister but a hyponym. */
    assert_string_equal(way(wordnet, "animal", NULL, "nero", NULL), "2/-1/2/hyponym");
    assert_string_equal(way(wordnet, "nobody", NULL, "nero", NULL), "-1/-1/-1/none");
    assert_string_equal(way(wordnet, "nobody", NULL, "nobody", NULL), "-1/-1/-1/none");
    for (int n = 1, status = -1; status; n++) {
        char fault[64];
        vb_wordnet_ancestry ancestry;
        assert_true(n < 20);
        snprintf(fault, sizeof fault, "alloc:%d:ENOMEM", n);
        vb_fault_setup(fault, 0);
        status = vb_wordnet_ancestry_new(&ancestry, wordnet, "k", NULL, &err);
        vb_fault_setup(NULL, 0);
        if (status) assert_int_equal(err.code, VB_EMEMORY);
        vb_wordnet_ancestry_free(&ancestry);
    }
    vb_wordnet_close(wordnet);
}

/* A hypernym loop that no root leads into: no depth, and no endless search. */
static void a_loop_has_no_depth(void **state) {
    (void)state;
    char path[1024];
    vb_error err = {0};
    vb_wordnet *wordnet;
    put_database("loop", "x n 1 1 @ 1 0 00000001\ny n 1 1 @ 1 0 00000002\n",
                 "00000001 03 n 01 x 0 001 @ 00000002 n 0000 | \n00000002 03 n 01 y 0 001 @ 00000001 n 0000 | ");
    assert_ok(vb_wordnet_open(&wordnet, in_scratch(path, "loop"), &err));
    assert_int_equal(depth_of(wordnet, "x"), -1);
    assert_int_equal(depth_of(wordnet, "y"), -1);
    assert_string_equal(way(wordnet, "x", NULL, "y", NULL), "1/1/1/hypernym");
    vb_wordnet_close(wordnet);
}

static void broken_files_are_named(void **state) {
    (void)state;
    static const struct {
        const char *index, *data, *message;
    } cases[] = {{"", "", "index.noun: expected lemmas, found none"},
                 {"  only a licence\n", "", "index.noun: expected lemmas, found none"},
                 {"word\n", "", "index.noun:1: expected a lemma and its synsets"},
                 {"x n 1 0 1 0 00000001\n", "", "index.noun:1: expected a synset of data.noun"},
                 {"x n 1 0 1 0 00000001\n", "1 03 n 01 x 0 000 | \n", "data.noun:1: expected a synset's offset"},
                 {"x n 1 0 1 0 00000001\n", "\n  licence\n00000002 03 n 01 x 0 000 | \n00000001 03 n 01 x 0 000 | \n",
                  "data.noun:4: expected a synset's offset"},
                 {"x n 1 0 1 0 00000001\n", "00000001 03 v 01 x 0 000 | \n", "data.noun:1: expected a noun synset with words"},
                 {"x n 1 0 1 0 00000001\n", "00000001 03 n 00 000 | \n", "data.noun:1: expected a noun synset with words"},
                 {"x n 1 0 1 0 00000001\n", "00000001 three n 01 x 0 000 | \n", "data.noun:1: expected a synset"},
                 {"x n 1 0 1 0 00000001\n", "00000001 03 n 02 x 0\n", "data.noun:1: expected as many words as stated"},
                 {"x n 1 0 1 0 00000001\n", "00000001 03 n 01 y 0 000 | \n",
                  "data.noun:1: expected words that are in index.noun"},
                 {"x n 1 0 1 0 00000001\n", "00000001 03 n 01 x 0\n", "data.noun:1: expected a number of pointers"},
                 {"x n 1 0 1 0 00000001\n", "00000001 03 n 01 x 0 002 @ 00000001 n 0000\n",
                  "data.noun:1: expected as many pointers as stated"},
                 {"x n 1 0 1 0 00000001\n", "00000001 03 n 01 x 0 001 @ 00000009 n 0000 | \n",
                  "data.noun:1: expected a hypernym that exists"},
                 {"x v 1 0 1 0 00000001\n", "00000001 03 n 01 x 0 000 | \n",
                  "index.noun:1: expected a noun and the number of its synsets"},
                 {"x n -1 0 1 0 00000001\n", "00000001 03 n 01 x 0 000 | \n",
                  "index.noun:1: expected a noun and the number of its synsets"},
                 {"x n 1 3 @ 1\n", "00000001 03 n 01 x 0 000 | \n", "index.noun:1: expected as many pointers as stated"},
                 {"x n 1 0 1\n", "00000001 03 n 01 x 0 000 | \n", "index.noun:1: expected sense counts"},
                 {"x n 2 0 1 0 00000001\n", "00000001 03 n 01 x 0 000 | \n", "index.noun:1: expected as many synsets as stated"}};
    char path[1024];
    vb_error err;
    vb_wordnet *wordnet = NULL;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        put_database("broken", cases[i].index, cases[i].data);
        assert_fails(vb_wordnet_open(&wordnet, in_scratch(path, "broken"), &err), VB_EDATA, cases[i].message);
        assert_non_null(strstr(err.text, "broken/"));
        assert_null(wordnet);
    }
    assert_fails(vb_wordnet_open(&wordnet, in_scratch(path, "nowhere"), &err), VB_EMISSING, "wordnet-base");
    /* Cut anywhere, the files give an error or a smaller database, never a crash. */
    for (size_t cut = 0; cut < sizeof data_noun; cut += 7) {
        char data[sizeof data_noun];
        snprintf(data, cut + 1, "%s", data_noun);
        put_database("cut", index_noun, data);
        if (vb_wordnet_open(&wordnet, in_scratch(path, "cut"), &err)) assert_int_equal(err.code, VB_EDATA);
        else vb_wordnet_close(wordnet);
    }
}

static void memory_may_run_out_anywhere(void **state) {
    (void)state;
    char path[1024], fault[64];
    put_database("memory", index_noun, data_noun);
    in_scratch(path, "memory");
    for (int n = 1, status = -1; status; n++) {
        vb_error err = {0};
        vb_wordnet *wordnet;
        assert_true(n < 200);
        snprintf(fault, sizeof fault, "alloc:%d:ENOMEM", n);
        vb_fault_setup(fault, 0);
        status = vb_wordnet_open(&wordnet, path, &err);
        vb_fault_setup(NULL, 0);
        if (status) assert_int_equal(err.code, VB_EMEMORY);
        else vb_wordnet_close(wordnet);
    }
}

/* What awk makes of the files: lemmas, lemmas that are the first word of a synset, steps from the root to each lemma's first
 * sense. */
static const char counts_by_awk[] =
    "{ name = FILENAME; sub(/.*\\//, \"\", name) } /^  / { next }\n"
    "name == \"data.noun\" { n = 0; for (i = 0; i < 2; i++) n = n * 16 + index(\"0123456789abcdef\", substr($4, i + 1, 1)) - 1\n"
    "  number[$1 + 0] = ++synsets; depth[synsets] = 0; first[tolower($5)] = 1; at = 5 + 2 * n\n"
    "  for (i = 0; i < $at; i++) { s = $(at + 1 + 4 * i); if ($(at + 3 + 4 * i) == \"n\" && (s == \"@\" || s == \"@i\")) {\n"
    "    below[++steps] = synsets; above[steps] = $(at + 2 + 4 * i) + 0; depth[synsets] = 1000 } } next }\n"
    "{ lemmas++; heads += $1 in first; sense[lemmas] = $(7 + $4) + 0 }\n"
    "END { for (e = 1; e <= steps; e++) above[e] = number[above[e]]\n"
    "  for (changed = 1; changed;) { changed = 0; for (e = 1; e <= steps; e++)\n"
    "    if (depth[below[e]] > depth[above[e]] + 1) { depth[below[e]] = depth[above[e]] + 1; changed = 1 } }\n"
    "  for (l = 1; l <= lemmas; l++) sum += depth[number[sense[l]]]; print lemmas, heads, sum }\n";

static void debians_database(void **state) {
    (void)state;
    char program[1024], out[1024];
    vb_error err = {0};
    vb_wordnet *wordnet;
    if (access(VB_WORDNET_FOLDER "/index.noun", R_OK)) {
        print_message("wordnet-base is not installed\n");
        skip();
    }
    put_text("counts.awk", counts_by_awk);
    assert_int_equal(run_command("LC_ALL=C awk -f '%s' '%s/data.noun' '%s/index.noun' >'%s'", in_scratch(program, "counts.awk"),
                                 VB_WORDNET_FOLDER, VB_WORDNET_FOLDER, in_scratch(out, "counts")),
                     0);
    long lemmas, heads, depths;
    FILE *file = fopen(out, "r");
    assert_non_null(file);
    assert_int_equal(fscanf(file, "%ld %ld %ld", &lemmas, &heads, &depths), 3);
    fclose(file);
    assert_ok(vb_wordnet_open(&wordnet, VB_WORDNET_FOLDER, &err));
    assert_int_equal(vb_wordnet_lemmas(wordnet), lemmas);
    for (size_t i = 0; i < vb_wordnet_lemmas(wordnet); i++) {
        heads -= vb_wordnet_leads(wordnet, i);
        depths -= vb_wordnet_depth(wordnet, i);
    }
    assert_int_equal(heads, 0);
    assert_int_equal(depths, 0);
    /* Distances that NLTK's documentation gives (dog and cat: path similarity 1/5), and what can be followed by hand. */
    if (lemmas == 117798) {
        assert_string_equal(way(wordnet, "", "n02084071", "", "n02121620"), "4/-1/-1/other");
        assert_string_equal(way(wordnet, "", "n02084071", "", "n02085936"), "2/-1/2/hyponym"); /* Maltese: toy dog, dog */
        assert_string_equal(way(wordnet, "", "n02085620", "", "n02085936"), "2/-1/-1/sister"); /* Chihuahua: toy dog */
        assert_string_equal(way(wordnet, "balloon", NULL, "hot-air balloon", NULL), "1/-1/1/hyponym");
    }
    vb_wordnet_close(wordnet);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_small_database),
                                       cmocka_unit_test(a_loop_has_no_depth),
                                       cmocka_unit_test(ways_from_term_to_term),
                                       cmocka_unit_test(broken_files_are_named),
                                       cmocka_unit_test(memory_may_run_out_anywhere),
                                       cmocka_unit_test(debians_database)};
    return cmocka_run_group_tests(tests, make_scratch, remove_scratch);
}
