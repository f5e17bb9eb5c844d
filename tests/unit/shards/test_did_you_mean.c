/* Tests of suggestions for misspelt words. */
#include "shards/text/did_you_mean.h"
#include "tests/unit/vb_test.h"

static void suggestions(void **state) {
    (void)state;
    static const char *const keys[] = {"experiment", "protocol",     "trials",           "seed", "datasets",
                                       "models",     "vocabularies", "image_embeddings", "id",   NULL};
    static const struct {
        const char *word, *expected;
    } cases[] = {{"experimnet", "experiment"},
                 {"expermient", "experiment"},
                 {"protocoll", "protocol"},
                 {"portocol", "protocol"},
                 {"trial", "trials"},
                 {"Seed", "seed"},
                 {"sede", "seed"},
                 {"dataset", "datasets"},
                 {"vocabulary", "vocabularies"},
                 {"vocab", "vocabularies"},
                 {"image-embeddings", "image_embeddings"},
                 {"imageembeddings", "image_embeddings"},
                 {"image", "image_embeddings"},
                 {"ID", "id"},
                 {"xy", NULL},
                 {"", NULL},
                 {"batch", NULL},
                 {"di", NULL},
                 {"im", NULL},
                 {"weights", NULL}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *found = vb_did_you_mean(cases[i].word, keys);
        if (!found != !cases[i].expected || (found && strcmp(found, cases[i].expected)))
            fail_msg("%s: suggested %s", cases[i].word, found ? found : "nothing");
    }
    char hint[VB_DID_YOU_MEAN_HINT];
    assert_string_equal(vb_did_you_mean_hint(hint, "ID", keys), "; did you mean 'id'?");
    assert_string_equal(vb_did_you_mean_hint(hint, "weights", keys), "");
    char endless[500];
    memset(endless, 's', sizeof endless);
    endless[499] = 0;
    assert_null(vb_did_you_mean(endless, keys));
    assert_null(vb_did_you_mean("seed", (const char *const[]){NULL}));
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(suggestions)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
