/* Texts that are cut, and classes that share theirs. */
#include "mpi/encode/class_texts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/base/memory.h"
#include "kernels/base/utf8.h"
#include "mpi/encode/encode.h"

enum { AT_ONCE = 256 }; /* texts, or one class' */

int vb_class_texts_fill(const vb_class_texts *texts, int first, int n, char **out, vb_error *err) {
    char placeholder[2 * 256 + 8] = "";
    for (int i = 0; i < texts->contexts; i++) strcat(placeholder, "X ");
    if (texts->contexts) strcat(placeholder, "{}.");
    for (int i = 0; i < n; i++) {
        const char *name = vb_vocabularies_called(&texts->names->class[first + i / texts->prompts]);
        const char *prompt = texts->contexts ? placeholder : texts->names->prompts->items[i % texts->prompts];
        if (!(out[i] = vb_prompts_fill(prompt, name, err))) return -1;
    }
    return 0;
}

/* ---- classes of one digest ---- */

/* What is found of a class; sent as it lies in memory. */
typedef struct found {
    vb_digest digest;    /* of its tokens, or of its row */
    int32_t cut, prompt; /* texts that are cut, and which prompt is the first of them */
    int32_t class;
} found;

static int by_digest(const void *a, const void *b) {
    const found *x = a, *y = b;
    int order = strcmp(x->digest.hex, y->digest.hex);
    return order ? order : (x->class > y->class) - (x->class < y->class);
}

static bool is_same_class(const vb_class *a, const vb_class *b) {
    return (a->id && b->id && !strcmp(a->id, b->id)) || vb_vocabularies_same_name(a->name, b->name);
}

static void name_pair(char *text, size_t size, const char *first, const char *second) {
    snprintf(text, size, "'%.*s' and '%.*s'", (int)vb_utf8_cut(first, 100), first, (int)vb_utf8_cut(second, 100), second);
}

/* Counts the classes that share a digest with another one; sorts the list. */
static void count_equal(found *list, int count, const vb_class *class, vb_text_faults *faults) {
    int example = count;
    qsort(list, (size_t)count, sizeof *list, by_digest);
    for (int i = 0, end; i < count; i = end) {
        int other = -1;
        for (end = i + 1; end < count && !strcmp(list[i].digest.hex, list[end].digest.hex); end++)
            if (other < 0 && !is_same_class(&class[list[i].class], &class[list[end].class])) other = list[end].class;
        if (other < 0) continue;
        faults->equal += end - i;
        if (list[i].class >= example) continue;
        example = list[i].class;
        name_pair(faults->equal_example, sizeof faults->equal_example, class[example].name, class[other].name);
    }
}

int vb_class_texts_equal(const vb_digest *digests, int classes, const vb_class *class, vb_text_faults *faults, vb_error *err) {
    found *list = vb_array((size_t)classes, sizeof *list, "classes", err);
    if (!list) return -1;
    for (int c = 0; c < classes; c++) list[c] = (found){.digest = digests[c], .class = c};
    count_equal(list, classes, class, faults);
    vb_free(list);
    return 0;
}

/* ---- texts ---- */

/* `count` classes from `first` on. */
static int look_at(const vb_class_texts *texts, int first, int count, found *list, vb_error *err) {
    const int n = count * texts->prompts, context = vb_clip_describe(texts->model->clip)->context_length;
    char **all = vb_array((size_t)n, sizeof *all, "prompts", err);
    int32_t *tokens = vb_array((size_t)n * (size_t)context, sizeof *tokens, "tokens", err);
    int status = all && tokens ? vb_class_texts_fill(texts, first, n, all, err) : -1;
    if (!status)
        status = vb_encode_tokenize(texts->model->tokenizer, (const char *const *)all, n, context, texts->threads, tokens, err);
    const size_t one = (size_t)texts->prompts * (size_t)context;
    for (int c = 0; c < count && !status; c++) {
        list[c] = (found){.digest = vb_digest_bytes(tokens + (size_t)c * one, one * sizeof *tokens), .class = first + c};
        for (int p = 0; p < texts->prompts && !status; p++) {
            const int i = c * texts->prompts + p;
            bool cut;
            status = vb_encode_is_cut(texts->model->tokenizer, all[i], context, &cut, err);
            if (!status && cut && !list[c].cut++) list[c].prompt = p;
        }
    }
    for (int i = 0; all && i < n; i++) vb_free(all[i]);
    vb_free(all);
    vb_free(tokens);
    return status;
}

static void note_cut(const vb_class_texts *texts, const found *class, vb_text_faults *faults) {
    const char *name = texts->names->class[class->class].name;
    const char *prompt = texts->contexts ? "" : texts->names->prompts->items[class->prompt];
    const int shown = (int)vb_utf8_cut(prompt, 80);
    snprintf(faults->cut_example, sizeof faults->cut_example, "that of '%.*s'%s%.*s%s%s", (int)vb_utf8_cut(name, 100), name,
             *prompt ? " in '" : "", shown, prompt, prompt[shown] ? "..." : "", *prompt ? "'" : "");
}

int vb_class_texts_look(const vb_class_texts *texts, bool equal, vb_comm *comm, vb_text_faults *faults, vb_error *err) {
    const int classes = texts->names->count, step = AT_ONCE / texts->prompts > 1 ? AT_ONCE / texts->prompts : 1;
    int64_t first, mine = vb_comm_range_of_rank(classes, comm->rank, comm->size, &first);
    *faults = (vb_text_faults){.texts = (int64_t)classes * texts->prompts};
    found *list = vb_array((size_t)classes, sizeof *list, "classes", err);
    int status = list ? 0 : -1;
    for (int64_t c = first; c < first + mine && !status; c += step)
        status = look_at(texts, (int)c, first + mine - c < step ? (int)(first + mine - c) : step, list + c, err);
    status = vb_comm_agree(comm, status, err);
    if (!status) status = vb_comm_allgather_rows(comm, list, classes, sizeof *list, err);
    for (int c = 0; c < classes && !status; c++) {
        if (!list[c].cut) continue;
        if (!faults->cut_classes++) note_cut(texts, &list[c], faults);
        faults->cut += list[c].cut;
    }
    if (!status && equal && !texts->own_contexts) count_equal(list, classes, texts->names->class, faults);
    vb_free(list);
    return status;
}

int vb_class_texts_judge(const vb_text_faults *faults, const vb_text_rules *rules, vb_on_fault unsaid, const char *model,
                         const char *source, vb_error *err) {
    const int cut = rules->cut == VB_ON_FAULT_UNSAID ? (int)unsaid : rules->cut;
    const int equal = rules->equal == VB_ON_FAULT_UNSAID ? (int)unsaid : rules->equal;
    if (faults->cut && cut != VB_ON_FAULT_ALLOW)
        return vb_errorf(
            err, VB_EMISMATCH,
            "model '%s': %s: %lld of %lld texts are longer than its context and would be cut, such as %s; shorten them, or "
            "write on_cut: allow",
            model, source, (long long)faults->cut, (long long)faults->texts, faults->cut_example);
    if (faults->equal && equal != VB_ON_FAULT_ALLOW)
        return vb_errorf(
            err, VB_EMISMATCH,
            "model '%s': %s: %lld classes are the same to it as another one, such as %s; tell them apart in names or "
            "prompts, or write on_equal: allow",
            model, source, (long long)faults->equal, faults->equal_example);
    return 0;
}

json_t *vb_class_texts_json(vb_json *json, const vb_text_faults *faults) {
    if (!faults->cut && !faults->equal) return NULL;
    json_t *object = vb_json_object(json);
    if (faults->cut) {
        vb_json_set_integer(json, object, "cut", faults->cut);
        vb_json_set_integer(json, object, "cut_classes", faults->cut_classes);
        vb_json_set_text(json, object, "cut_example", faults->cut_example);
    }
    if (faults->equal) {
        vb_json_set_integer(json, object, "equal_classes", faults->equal);
        vb_json_set_text(json, object, "equal_example", faults->equal_example);
    }
    return object;
}
