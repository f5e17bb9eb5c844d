/* The labels of a dataset against its vocabulary file: counts, notes, and what is refused. */
#include "mpi/encode/label_report.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/base/memory.h"
#include "kernels/base/utf8.h"
#include "kernels/text/unicode.h"
#include "mpi/base/strbuf.h"
#include "shards/text/did_you_mean.h"

enum { LISTED = 5 }; /* labels or classes that a line names */

typedef struct findings {
    const vb_label_survey *survey;
    vb_label_report *report;
    const char **unmatched, **called; /* texts of the unmatched labels; what classes are called, those without images first */
    int *twin;           /* of every unmatched label: a class that it is but for case, punctuation and Unicode's form, or -1 */
    int twins, integers; /* labels: with a twin, integers among names */
    int64_t *class_images;
} findings;

static const char *name_of(const findings *its, int class) { return its->survey->vocabularies->class[class].name; }

/* ---- equal but for case, blanks, punctuation and Unicode's form ---- */

static const char *next_letter(const char *at) {
    while (*at && !isalnum((unsigned char)*at) && !(*at & 0x80) && *at != '+' && *at != '#') at++;
    return at;
}

static int compare_letters(const char *a, const char *b) {
    for (;; a++, b++) {
        a = next_letter(a), b = next_letter(b);
        int x = tolower((unsigned char)*a), y = tolower((unsigned char)*b);
        if (x != y || !x) return x - y;
    }
}

static int key_by_letters(const void *a, const void *b) {
    const vb_class_key *x = a, *y = b;
    int order = compare_letters(x->text, y->text);
    return order ? order : x->class - y->class;
}

/* The class of the first key that is the label; -1: none is. */
static int find_twin(const vb_class_key *keys, int count, const char *label) {
    for (int low = 0, high = *next_letter(label) ? count : 0; low < high;) {
        int middle = low + (high - low) / 2, order = compare_letters(label, keys[middle].text);
        if (!order) return keys[middle].class;
        if (order < 0) high = middle;
        else low = middle + 1;
    }
    return -1;
}

static int find_twins(findings *its, vb_error *err) {
    const vb_vocabularies *v = its->survey->vocabularies;
    const vb_label_report *report = its->report;
    const int count = v->keys + v->ids, unmatched = report->unmatched_count;
    vb_class_key *keys = vb_array((size_t)count, sizeof *keys, "labels", err);
    char **folded = vb_array((size_t)count, sizeof *folded, "labels", err);
    its->twin = vb_array((size_t)unmatched, sizeof *its->twin, "labels", err);
    int status = keys && folded && its->twin ? 0 : -1;
    for (int i = 0; i < count && unmatched && !status; i++) {
        const vb_class_key *key = i < v->keys ? &v->by_name[i] : &v->by_id[i - v->keys];
        if (!(folded[i] = vb_unicode_fold(key->text, err))) status = -1;
        keys[i] = (vb_class_key){folded[i], key->class};
    }
    if (!status && unmatched) qsort(keys, (size_t)count, sizeof *keys, key_by_letters);
    for (int i = 0; i < unmatched && !status; i++) {
        char *label = vb_unicode_fold(its->unmatched[i], err); /* some systems hand out names decomposed */
        if (!label) status = -1;
        else its->twins += (its->twin[i] = find_twin(keys, count, label)) >= 0;
        vb_free(label);
    }
    for (int i = 0; folded && i < count; i++) vb_free(folded[i]);
    vb_free(folded);
    vb_free(keys);
    return status;
}

/* ---- counts and lists ---- */

static int by_images(const void *a, const void *b, void *images) {
    int x = *(const int *)a, y = *(const int *)b;
    int64_t p = ((const int64_t *)images)[x], q = ((const int64_t *)images)[y];
    return p != q ? (p < q) - (p > q) : (x > y) - (x < y);
}

/* The class that another rule would have given a label, or -1. */
static int other_class(const vb_label_survey *survey, int label) {
    const char *text = survey->labels[label];
    int class = survey->match->class_of[label], by_name = vb_vocabularies_find_name(survey->vocabularies, text),
        place = vb_label_match_place(survey->vocabularies, text);
    return by_name >= 0 && by_name != class ? by_name : place >= 0 && place != class ? place : -1;
}

/* Whether labels are places that may count from 1: no image is of the first class, and all between it and the last one that has
 * any are there. A list of the data's classes says what its integers mean. */
static bool count_from_one(const findings *its) {
    const vb_label_match *match = its->survey->match;
    int last = its->survey->vocabularies->classes - 1;
    if (!its->report->counts.by[VB_LABEL_BY_POSITION] || its->class_images[0]) return false;
    for (int i = 0; i < match->labels; i++)
        if (match->class_of[i] == 0) return false;
    while (last > 0 && !its->class_images[last]) last--;
    for (int c = 1; c <= last; c++)
        if (!its->class_images[c]) return false;
    return last > 0;
}

static int count_labels(findings *its, int *ambiguous, vb_error *err) {
    const vb_label_survey *survey = its->survey;
    const vb_label_match *match = survey->match;
    vb_label_report *report = its->report;
    int classes = survey->vocabularies->classes;
    bool names = false; /* any label that is no integer and matches */
    size_t labels = (size_t)match->labels;
    report->unmatched = vb_array(labels, sizeof *report->unmatched, "labels", err);
    report->empty = vb_array((size_t)classes, sizeof *report->empty, "classes", err);
    its->class_images = vb_array((size_t)classes, sizeof *its->class_images, "class counts", err);
    its->unmatched = vb_array(labels + 1, sizeof *its->unmatched, "labels", err);
    its->called = vb_array((size_t)classes + 1, sizeof *its->called, "classes", err);
    if (!report->unmatched || !report->empty || !its->class_images || !its->unmatched || !its->called) return -1;
    *ambiguous = -1;
    report->counts.unlabelled = survey->unlabelled;
    for (int i = 0; i < match->labels; i++) {
        int64_t value;
        int class = match->class_of[i];
        if (!survey->images[i]) continue;
        bool integer = vb_label_match_integer(survey->labels[i], &value);
        names |= !integer && class >= 0;
        report->counts.by[match->rule[i]]++;
        if (class >= 0) {
            its->class_images[class] += survey->images[i];
            bool twofold = match->rule[i] != VB_LABEL_BY_POSITION && other_class(survey, i) >= 0;
            if (twofold && !report->counts.ambiguous++) *ambiguous = i;
            continue;
        }
        report->unmatched_images += survey->images[i];
        report->unmatched[report->unmatched_count++] = i;
        its->integers += integer;
    }
    if (!names) its->integers = 0; /* no mixture */
    qsort_r(report->unmatched, (size_t)report->unmatched_count, sizeof(int), by_images, (void *)(uintptr_t)survey->images);
    for (int i = 0; i < report->unmatched_count; i++) its->unmatched[i] = survey->labels[report->unmatched[i]];
    for (int c = 0; c < classes; c++)
        if (!its->class_images[c]) report->empty[report->empty_count++] = c;
    int called = 0;
    for (int images = 0; images < 2; images++)
        for (int c = 0; c < classes; c++)
            if ((its->class_images[c] != 0) == images) its->called[called++] = name_of(its, c);
    report->from_one = count_from_one(its);
    return 0;
}

/* ---- words ---- */

static const char *more_than_one(int64_t count) { return count == 1 ? "" : "s"; }

/* The class that an unmatched label may be; NULL when none is near. */
static const char *nearest_class(const findings *its, int unmatched) {
    return its->twin[unmatched] >= 0 ? name_of(its, its->twin[unmatched]) :
                                       vb_did_you_mean(its->unmatched[unmatched], its->called);
}

static int write_nearest(const findings *its, vb_error *err) {
    vb_strbuf text = {0};
    int found = 0;
    for (int i = 0; i < its->report->unmatched_count && i < LISTED; i++) {
        const char *near = nearest_class(its, i);
        if (near) vb_strbuf_format(&text, "%slabel '%.80s': class '%.80s'?", found++ ? ", " : "", its->unmatched[i], near);
    }
    int status = found ? vb_strbuf_end(&text, "notes", err) : 0;
    if (found && !status && !(its->report->nearest = vb_strdup(text.bytes, err))) status = -1;
    vb_strbuf_free(&text);
    return status;
}

/* "'Faces' (435 images; class 'face'?), 'x' (3 images), ..." */
static void list_unmatched(const findings *its, vb_strbuf *text) {
    for (int i = 0; i < its->report->unmatched_count && i <= LISTED; i++) {
        if (i) vb_strbuf_add(text, ", ");
        if (i == LISTED) {
            vb_strbuf_add(text, "...");
            break;
        }
        int64_t images = its->survey->images[its->report->unmatched[i]];
        const char *near = nearest_class(its, i);
        vb_strbuf_format(text, "'%.80s' (%lld image%s", its->unmatched[i], (long long)images, more_than_one(images));
        if (near) vb_strbuf_format(text, "; class '%.80s'?", near);
        vb_strbuf_add(text, ")");
    }
}

/* "'face' (label 'Faces'?), 'tick', ..." */
static void list_empty(const findings *its, vb_strbuf *text) {
    const vb_label_report *report = its->report;
    for (int i = 0; i < report->empty_count && i <= LISTED; i++) {
        if (i) vb_strbuf_add(text, ", ");
        if (i == LISTED) {
            vb_strbuf_add(text, "...");
            break;
        }
        const char *near = vb_did_you_mean(name_of(its, report->empty[i]), its->unmatched);
        vb_strbuf_format(text, "'%.80s'", name_of(its, report->empty[i]));
        if (near) vb_strbuf_format(text, " (label '%.80s'?)", near);
    }
}

static void begin_unmatched(const findings *its, vb_strbuf *text) {
    const vb_label_report *report = its->report;
    vb_strbuf_format(text, "%d label%s (%lld image%s) match%s no class: ", report->unmatched_count,
                     more_than_one(report->unmatched_count), (long long)report->unmatched_images,
                     more_than_one(report->unmatched_images), report->unmatched_count == 1 ? "es" : "");
    list_unmatched(its, text);
}

static void begin_empty(const findings *its, vb_strbuf *text) {
    int count = its->report->empty_count;
    if (count == 1) vb_strbuf_add(text, "1 class has no images: ");
    else vb_strbuf_format(text, "%d classes have no images: ", count);
    list_empty(its, text);
}

static void add_unlabelled(const findings *its, vb_strbuf *text) {
    int64_t images = its->survey->unlabelled;
    if (images == 1) vb_strbuf_add(text, "1 image has no label");
    else vb_strbuf_format(text, "%lld images have no label", (long long)images);
}

static int end_note(const findings *its, vb_strbuf *text, vb_error *err) {
    int status = vb_strbuf_end(text, "notes", err);
    if (!status) vb_utf8_one_line(text->bytes); /* a folder's name may hold anything */
    if (!status) status = vb_strings_add(&its->report->notes, text->bytes, err);
    vb_strbuf_free(text);
    return status;
}

static int write_notes(const findings *its, int ambiguous, vb_error *err) {
    const vb_label_survey *survey = its->survey;
    const vb_label_report *report = its->report;
    const int64_t *by = report->counts.by;
    vb_strbuf text = {0};
    if (by[VB_LABEL_BY_POSITION]) {
        vb_strbuf_format(&text,
                         "%lld labels are integers and no class' id or name: they are places in the vocabulary file, from 0%s",
                         (long long)by[VB_LABEL_BY_POSITION], report->from_one ? "; no label is 0: do they count from 1?" : "");
        if (end_note(its, &text, err)) return -1;
    }
    if (by[VB_LABEL_BY_ID] && by[VB_LABEL_BY_NAME]) {
        vb_strbuf_format(&text, "labels of two kinds: %lld are ids, %lld are names", (long long)by[VB_LABEL_BY_ID],
                         (long long)by[VB_LABEL_BY_NAME]);
        if (end_note(its, &text, err)) return -1;
    }
    if (ambiguous >= 0) {
        vb_strbuf_format(
            &text, "%lld label%s could mean two classes, by id, name or place, in this order: '%.80s' is '%.80s', not '%.80s'",
            (long long)report->counts.ambiguous, report->counts.ambiguous == 1 ? "" : "s", survey->labels[ambiguous],
            name_of(its, survey->match->class_of[ambiguous]), name_of(its, other_class(survey, ambiguous)));
        if (end_note(its, &text, err)) return -1;
    }
    if (report->unmatched_count) {
        begin_unmatched(its, &text);
        if (end_note(its, &text, err)) return -1;
    }
    if (report->empty_count) {
        begin_empty(its, &text);
        if (end_note(its, &text, err)) return -1;
    }
    if (survey->unlabelled) {
        add_unlabelled(its, &text);
        if (end_note(its, &text, err)) return -1;
    }
    return 0;
}

static int write_fault(const findings *its, vb_error *err) {
    const vb_label_report *report = its->report;
    bool labelled = report->counts.unlabelled && its->survey->match->labels; /* some are, some are not */
    bool strange = report->unmatched_count && (report->empty_count || its->twins || its->integers);
    if (!labelled && !strange && !report->from_one) return 0;
    vb_strbuf text = {0};
    if (strange && report->empty_count) {
        begin_empty(its, &text);
        vb_strbuf_add(&text, "; ");
    }
    if (strange) {
        begin_unmatched(its, &text);
        if (its->integers) vb_strbuf_format(&text, "; %d of them are integers beside names", its->integers);
    }
    if (report->from_one) /* then every label matches */
        vb_strbuf_format(&text,
                         "labels are places in the vocabulary file and no label is 0, '%.80s': do they count from 1? state "
                         "class_names (a precomputed model's label_names), or on_unmatched: skip",
                         name_of(its, 0));
    if (labelled && (strange || report->from_one)) vb_strbuf_add(&text, "; ");
    if (labelled) {
        add_unlabelled(its, &text);
        vb_strbuf_add(&text, " (.cls, or a text or an integer at a key such as label in .json)");
    }
    if (strange) vb_strbuf_add(&text, "; aliases in the vocabulary file, or on_unmatched: skip to leave them out");
    else if (labelled) vb_strbuf_add(&text, "; mend the data, or on_unmatched: skip to leave them out");
    int status = vb_strbuf_end(&text, "notes", err);
    if (!status && !(its->report->fault = vb_strdup(text.bytes, err))) status = -1;
    vb_strbuf_free(&text);
    return status;
}

int vb_label_report_make(vb_label_report *report, const vb_label_survey *survey, vb_error *err) {
    *report = (vb_label_report){0};
    findings its = {.survey = survey, .report = report};
    int ambiguous, status = count_labels(&its, &ambiguous, err);
    if (!status) status = find_twins(&its, err);
    if (!status) status = write_notes(&its, ambiguous, err);
    if (!status) status = write_nearest(&its, err);
    if (!status) status = write_fault(&its, err);
    vb_free(its.unmatched);
    vb_free(its.called);
    vb_free(its.twin);
    vb_free(its.class_images);
    return status;
}

void vb_label_report_free(vb_label_report *report) {
    vb_free(report->unmatched);
    vb_free(report->empty);
    vb_free(report->nearest);
    vb_free(report->fault);
    vb_strings_free(&report->notes);
    *report = (vb_label_report){0};
}

json_t *vb_label_report_json(vb_json *json, const vb_label_counts *counts) {
    json_t *object = vb_json_object(json);
    vb_json_set_integer(json, object, "by_id", counts->by[VB_LABEL_BY_ID]);
    vb_json_set_integer(json, object, "by_name", counts->by[VB_LABEL_BY_NAME]);
    vb_json_set_integer(json, object, "by_position", counts->by[VB_LABEL_BY_POSITION]);
    vb_json_set_integer(json, object, "unmatched", counts->by[VB_LABEL_UNMATCHED]);
    vb_json_set_integer(json, object, "ambiguous", counts->ambiguous);
    vb_json_set_integer(json, object, "images_without_label", counts->unlabelled);
    return object;
}
