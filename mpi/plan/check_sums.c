/* The sums of a run, computed before it. */
#include "mpi/plan/check_sums.h"

#include <stdio.h>
#include <string.h>

#include "mpi/run/published_sums.h"
#include "shards/weights/published.h"

enum { WHERE = 160 };

static void tell_file(vb_findings *findings, const char *where, const json_t *file) {
    const char *name = vb_json_text(file, "name"), *sum = vb_json_text(file, "sha256"),
               *published = vb_json_text(file, "published"), *by = vb_json_text(file, "published_by");
    if (!*sum) vb_findings_add(findings, VB_FINDING_NOTE, where, "%s: not there, or it cannot be read: no SHA-256", name);
    else if (!strcmp(published, vb_published_words[VB_PUBLISHED_DIFFERS]))
        vb_findings_add(findings, VB_FINDING_NOTE, where, "%s is not the published file: SHA-256 %s, by the %s %s", name, sum, by,
                        vb_json_text(file, "published_sha256"));
    else if (*by) vb_findings_add(findings, VB_FINDING_OK, where, "%s: SHA-256 %s, as published (%s)", name, sum, by);
    else vb_findings_add(findings, VB_FINDING_OK, where, "%s: SHA-256 %s; nothing here tells what was published", name, sum);
}

static void tell_corpus(vb_findings *findings, const json_t *corpus) {
    char where[WHERE];
    const char *sum = vb_json_text(corpus, "sha256");
    const long long files = vb_json_integer(corpus, "files"), bytes = vb_json_integer(corpus, "bytes");
    snprintf(where, sizeof where, "corpus '%s'", vb_json_text(corpus, "corpus"));
    if (*sum)
        vb_findings_add(findings, VB_FINDING_OK, where, "%lld files, %lld bytes: SHA-256 of their list %s", files, bytes, sum);
    else vb_findings_add(findings, VB_FINDING_NOTE, where, "%lld files, %lld bytes: no SHA-256 of all of them", files, bytes);
}

int vb_check_sums(const vb_experiment *experiment, vb_context *context, vb_findings *findings, vb_error *err) {
    vb_published_sums sums;
    vb_strbuf notes = {0};
    vb_json json = {0};
    json_t *facts = vb_json_object(&json);
    int status = vb_published_sums_start(&sums, experiment, err);
    if (!status) status = vb_published_sums_wait(sums.job, context, err);
    vb_published_sums_keep(&sums);
    if (!status) status = vb_published_sums_set(&sums, experiment, facts, &notes, err);
    if (!status) status = vb_json_end(&json, "sums", err);
    const json_t *models = json_object_get(facts, "models"), *corpora = json_object_get(facts, "corpora"), *entry, *file;
    size_t i, f;
    json_array_foreach((json_t *)(uintptr_t)models, i, entry) {
        char where[WHERE];
        snprintf(where, sizeof where, "model '%s'", vb_json_text(entry, "model"));
        json_array_foreach(json_object_get(entry, "files"), f, file) {
            if (!status) tell_file(findings, where, file);
        }
    }
    json_array_foreach((json_t *)(uintptr_t)corpora, i, entry) {
        if (!status) tell_corpus(findings, entry);
    }
    json_decref(facts);
    vb_strbuf_free(&notes);
    vb_published_sums_close(&sums);
    return status;
}
