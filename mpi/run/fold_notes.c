/* Notes of many models at once. */
#include "mpi/run/fold_notes.h"

#include <string.h>

enum { LEAST = 3 }; /* models: two are told apart by eye */

typedef struct line {
    const char *start, *model, *rest, *end; /* model and rest NULL: of no model */
} line;

/* The line that begins there; the next begins behind its end. */
static line read_line(const char *start) {
    line its = {.start = start, .end = start + strcspn(start, "\n")};
    const char *colon = strstr(start, ": "), *slash = colon ? strstr(colon, " / ") : NULL;
    if (slash && slash < its.end) its.model = colon + 2, its.rest = slash;
    return its;
}

static bool same_but_model(const line *a, const line *b) {
    const size_t kind = (size_t)(a->model - a->start), rest = (size_t)(a->end - a->rest);
    return kind == (size_t)(b->model - b->start) && rest == (size_t)(b->end - b->rest) && !strncmp(a->start, b->start, kind) &&
           !strncmp(a->rest, b->rest, rest);
}

static void add_span(vb_strbuf *text, const char *start, const char *end) { vb_strbuf_add_n(text, start, (size_t)(end - start)); }

void vb_fold_notes(vb_strbuf *notes) {
    vb_strbuf folded = {0};
    const char *next;
    for (const char *at = notes->bytes; at && *at && !notes->failed; at = next) {
        const line its = read_line(at);
        line second = {0};
        int models = 0;
        bool earlier = false;
        next = its.end + (*its.end == '\n');
        for (const char *other = notes->bytes; its.model && *other;) {
            const line one = read_line(other);
            if (one.model && same_but_model(&its, &one)) {
                earlier = earlier || other < at;
                if (++models == 2) second = one;
            }
            other = one.end + (*one.end == '\n');
        }
        if (models < LEAST) add_span(&folded, its.start, next);
        else if (!earlier) {
            add_span(&folded, its.start, its.rest);
            vb_strbuf_add(&folded, ", ");
            add_span(&folded, second.model, second.rest);
            vb_strbuf_format(&folded, " and %d more model%s", models - 2, models == LEAST ? "" : "s");
            add_span(&folded, its.rest, next);
        }
    }
    folded.failed = folded.failed || notes->failed;
    vb_strbuf_free(notes);
    *notes = folded;
}
