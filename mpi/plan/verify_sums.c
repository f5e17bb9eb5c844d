/* Files of models and corpora looked at again. */
#include "mpi/plan/verify_sums.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "mpi/run/published_sums.h"
#include "shards/files/path.h"

enum { WHERE = 256, NAMED = 20 }; /* files of a corpus that are named, of each kind */

typedef struct work {
    const vb_verify *verify;
    const json_t *run;
    vb_sha256_job *job;
    bool reports; /* the second time: what the first has hashed */
} work;

/* ---- models ---- */

static void compare_model_file(const work *all, const char *where, const json_t *file, const vb_sha256_file *found) {
    const char *stated = vb_json_text(file, "sha256");
    vb_error err = {0};
    if (!*stated || !found->sum.hex[0]) {
        vb_findings_add(all->verify->findings, VB_FINDING_NOTE, where, "not looked at: %s: %s", found->path,
                        *stated ? "not there, or it cannot be read" : "no SHA-256 is stated");
        return;
    }
    if (!strcmp(stated, found->sum.hex)) {
        const char *published = vb_json_text(file, "published"), *by = vb_json_text(file, "published_by");
        vb_findings_add(all->verify->findings, VB_FINDING_OK, where, "%s has SHA-256 %.16s..., as stated%s%s%s",
                        vb_json_text(file, "name"), stated,
                        !strcmp(published, "match") ? " and as published (" :
                        *by                         ? "; not as published (" :
                                                      "",
                        by, *by ? ")" : "");
        return;
    }
    vb_errorf(&err, VB_EDATA, "%s: SHA-256 %s, the results state %s: it is another file by now", found->path, found->sum.hex,
              stated);
    vb_findings_take(all->verify->findings, where, &err);
}

static int look_at_model(const work *all, const json_t *model, vb_error *err) {
    char where[WHERE];
    size_t f;
    int index;
    const json_t *file;
    snprintf(where, sizeof where, "model '%s'", vb_json_text(model, "model"));
    json_array_foreach(json_object_get(model, "files"), f, file) {
        if (vb_sha256_job_add(all->job, vb_json_text(file, "path"), &index, err)) return -1;
        if (all->reports) compare_model_file(all, where, file, vb_sha256_job_file(all->job, index));
    }
    return 0;
}

/* ---- corpora ---- */

typedef struct corpus_counts {
    int64_t files, gone, sizes, sums, unread; /* gone; of another size; of another sum; there, and cannot be read */
} corpus_counts;

static bool named(const int64_t *count) { return *count <= NAMED; }

/* One file of a list; counts what it is. What is gone is told when all of the list has been seen. */
static int look_at_file(const work *all, const char *where, const json_t *file, corpus_counts *counts, vb_error *err) {
    const char *path = vb_json_text(file, "path"), *stated = vb_json_text(file, "sha256");
    const int64_t bytes = vb_json_integer(file, "bytes");
    vb_path_facts facts;
    vb_error wrong = {0};
    int index = -1;
    const bool there = !vb_path_stat(path, &facts, &wrong);
    vb_error_clear(&wrong);
    if (*stated && there && (int64_t)facts.size == bytes && vb_sha256_job_add(all->job, path, &index, err)) return -1;
    if (!all->reports) return 0;
    const char *found = index < 0 ? "" : vb_sha256_job_file(all->job, index)->sum.hex;
    counts->files++;
    if (!there) counts->gone++;
    else if ((int64_t)facts.size != bytes) {
        counts->sizes++;
        vb_errorf(&wrong, VB_EDATA, "%s: %" PRId64 " bytes, the results state %" PRId64 ": it is %s by now", path,
                  (int64_t)facts.size, bytes, (int64_t)facts.size < bytes ? "cut off, or another file," : "another file");
        if (named(&counts->sizes)) vb_findings_take(all->verify->findings, where, &wrong);
    } else if (*found && strcmp(found, stated)) {
        counts->sums++;
        vb_errorf(&wrong, VB_EDATA, "%s: SHA-256 %s, the results state %s: it is another file by now", path, found, stated);
        if (named(&counts->sums)) vb_findings_take(all->verify->findings, where, &wrong);
    } else if (*stated && !*found && ++counts->unread && named(&counts->unread))
        vb_findings_add(all->verify->findings, VB_FINDING_NOTE, where, "not looked at: %s: it cannot be read", path);
    return 0;
}

/* Missing files, by their names, where others of their corpus are there. */
static void tell_gone(const work *all, const char *where, const json_t *list, const corpus_counts *counts) {
    const json_t *file;
    size_t f;
    int64_t told = 0;
    if (counts->gone == counts->files) {
        vb_findings_add(all->verify->findings, VB_FINDING_NOTE, where, "not looked at: %s: %s",
                        vb_json_text(json_array_get(list, 0), "path"),
                        counts->files > 1 ? "not there, nor is any other of its files" : "not there");
        return;
    }
    json_array_foreach((json_t *)(uintptr_t)list, f, file) {
        const char *path = vb_json_text(file, "path");
        vb_error err = {0};
        if (vb_path_exists(path) || ++told > NAMED) continue;
        vb_errorf(&err, VB_EMISSING, "%s: not there any more, other files of the corpus are", path);
        vb_findings_take(all->verify->findings, where, &err);
    }
}

/* What is left to say of a list: how many more are wrong, or that all are right. */
static void sum_up(const work *all, const char *where, const json_t *corpus, const corpus_counts *counts) {
    const char *stated = vb_json_text(corpus, "sha256");
    const int64_t wrong = counts->gone + counts->sizes + counts->sums;
    const int64_t told = (counts->gone < NAMED ? counts->gone : NAMED) + (counts->sizes < NAMED ? counts->sizes : NAMED) +
                         (counts->sums < NAMED ? counts->sums : NAMED);
    vb_error err = {0};
    if (wrong > told && counts->gone < counts->files) {
        vb_errorf(&err, VB_EDATA, "%" PRId64 " more of its %" PRId64 " files are gone or others", wrong - told, counts->files);
        vb_findings_take(all->verify->findings, where, &err);
    }
    if (wrong || counts->unread) return;
    if (*stated)
        vb_findings_add(all->verify->findings, VB_FINDING_OK, where,
                        "%" PRId64 " file%s, %" PRId64 " bytes, with the SHA-256 that are stated, together %.16s...",
                        counts->files, counts->files == 1 ? "" : "s", vb_json_integer(corpus, "bytes"), stated);
    else
        vb_findings_add(all->verify->findings, VB_FINDING_NOTE, where,
                        "%" PRId64
                        " files have the sizes that are stated; not looked at: what is in them, of which no SHA-256 is stated",
                        counts->files);
}

static int look_at_corpus(const work *all, const json_t *corpus, vb_error *err) {
    const json_t *list = json_object_get(corpus, "list"), *file;
    char where[WHERE];
    corpus_counts counts = {0};
    vb_sha256 sum;
    vb_error wrong = {0};
    size_t f;
    snprintf(where, sizeof where, "corpus '%s'", vb_json_text(corpus, "corpus"));
    json_array_foreach((json_t *)(uintptr_t)list, f, file) {
        if (look_at_file(all, where, file, &counts, err)) return -1;
    }
    if (!all->reports) return 0;
    if (!counts.files) {
        vb_findings_add(all->verify->findings, VB_FINDING_NOTE, where, "not looked at: the results have no list of its files");
        return 0;
    }
    if (vb_corpus_sums_of_list(&sum, list, err)) return -1;
    if (strcmp(sum.hex, vb_json_text(corpus, "sha256"))) {
        vb_errorf(&wrong, VB_EDATA, "%s: sha256: expected %s, which its list gives, found '%s': the file was changed by hand",
                  all->verify->folder->path, *sum.hex ? sum.hex : "none", vb_json_text(corpus, "sha256"));
        vb_findings_take(all->verify->findings, where, &wrong);
    }
    if (counts.gone) tell_gone(all, where, list, &counts);
    sum_up(all, where, corpus, &counts);
    return 0;
}

/* ---- all of them ---- */

/* The run's own block, and those of the parts that were merged; NULL beyond the last. */
static const json_t *block_at(const json_t *run, size_t b) {
    return b ? json_array_get(json_object_get(run, "merged"), b - 1) : run;
}

/* Whether an earlier block states the very same. */
static bool is_repeated(const json_t *run, size_t block, const char *key, const json_t *entry) {
    for (size_t b = 0; b < block; b++) {
        const json_t *other, *list = json_object_get(block_at(run, b), key);
        size_t i;
        json_array_foreach((json_t *)(uintptr_t)list, i, other) {
            if (json_equal(other, entry)) return true;
        }
    }
    return false;
}

static int look_at_all(const work *all, vb_error *err) {
    static const struct {
        const char *key;
        int (*look)(const work *all, const json_t *entry, vb_error *err);
    } kinds[] = {{"models", look_at_model}, {"corpora", look_at_corpus}};
    for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
        for (size_t b = 0; block_at(all->run, b); b++) {
            const json_t *entry, *list = json_object_get(block_at(all->run, b), kinds[k].key);
            size_t i;
            json_array_foreach((json_t *)(uintptr_t)list, i, entry) {
                if (!is_repeated(all->run, b, kinds[k].key, entry) && kinds[k].look(all, entry, err)) return -1;
            }
        }
    }
    return 0;
}

int vb_verify_sums(const vb_verify *verify, vb_context *context, vb_error *err) {
    work all = {.verify = verify, .run = json_object_get(verify->folder->document, "run")};
    int status = vb_sha256_job_new(&all.job, "/dev/null", err);
    if (!status) status = look_at_all(&all, err);
    if (!status) vb_sha256_job_start(all.job);
    if (!status) status = vb_published_sums_wait(all.job, context, err);
    all.reports = true;
    if (!status) status = look_at_all(&all, err);
    vb_sha256_job_free(all.job);
    return status;
}
