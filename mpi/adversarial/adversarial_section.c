/* Adversarial vocabularies: accuracy before and after, the names and what they take, pictures of that. */
#include "mpi/adversarial/adversarial_section.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/base/memory.h"
#include "mpi/figures/bars.h"
#include "mpi/adversarial/taken_pictures.h"
#include "mpi/base/json.h"

enum { MOST_TAKEN = 3 /* classes that are named */, DRAWN = 30 /* bars at most */ };

/* The accuracy with all names of an attack, or with as many (`key`); `without` when there are none. */
static double last_accuracy(const json_t *attack, const char *key, double without) {
    const json_t *accuracy = json_object_get(attack, key);
    const json_t *last = json_array_get(accuracy, json_array_size(accuracy) - 1);
    return !json_array_size(accuracy) ? without : json_is_number(last) ? json_number_value(last) : NAN;
}

/* The largest loss first, then by name. */
static int by_loss(const void *left, const void *right) {
    const vb_bar *a = left, *b = right;
    const double x = a->first - a->second, y = b->first - b->second;
    return x != y ? (x < y ? 1 : -1) : strcmp(a->name, b->name);
}

static int plot_attacks(const vb_section_subject *subject, vb_plotter *plotter, vb_figure *figure, vb_error *err) {
    const json_t *list = json_object_get(subject->results->entry, "adversarial"), *attack;
    int count = (int)json_array_size(list), status = -1;
    const int drawn = count < DRAWN ? count : DRAWN;
    vb_plot plot;
    size_t t;
    if (!count) return 0;
    vb_bar *bars = vb_array((size_t)count, sizeof *bars, "bars", err);
    if (!bars || vb_plot_begin(&plot, plotter, figure, "adversarial", subject->title, vb_bars_height(drawn), err)) goto done;
    json_array_foreach(list, t, attack) {
        double before = vb_json_number(attack, "accuracy_before");
        bars[t] = (vb_bar){vb_json_text(attack, "target"), before, last_accuracy(attack, "accuracy", before)};
    }
    const vb_bar *worst = vb_bars_worst(bars, count);
    const vb_bar most = *worst; /* sorting moves it */
    vb_strbuf_format(&plot.title, "%s: accuracy of each vocabulary before and after the adversarial names are added",
                     subject->title);
    if (drawn < count) {
        vb_strbuf_format(&plot.title, ", of the %d of %d targets that lose most", drawn, count);
        qsort(bars, (size_t)count, sizeof *bars, by_loss);
    }
    vb_strbuf_format(&plot.description,
                     "Two bars for each of %d targets. The largest loss is that of %s: from %.1f to %.1f percent.", count,
                     most.name, 100 * most.first, 100 * most.second);
    status = vb_bars_add(&plot, bars, drawn, (const char *const[]){"before", "with the adversarial names"}, err);
    status = vb_plot_end(&plot, status, err);
done:
    vb_free(bars);
    return status;
}

/* ---- the table ---- */

typedef struct taken {
    const char *class;
    json_int_t images;
} taken;

static bool is_before(const taken *a, const taken *b) {
    return a->images != b->images ? a->images > b->images : strcmp(a->class, b->class) < 0;
}

/* "dog: 5 poodle (hypernym, 2), 2 wolf (other, 3), ...": the three classes it takes most of, and what it is to them in WordNet,
 * in how many steps. */
static void describe_takes(vb_strbuf *text, const char *name, const json_t *takes, const json_t *relations) {
    taken most[MOST_TAKEN + 1]; /* in order; the last one falls out */
    int n = 0;
    const char *class;
    json_t *images;
    json_object_foreach((json_t *)takes, class, images) {
        const taken it = {class, json_integer_value(images)};
        int at = n;
        for (; at && is_before(&it, &most[at - 1]); at--) most[at] = most[at - 1];
        most[at] = it;
        if (n < MOST_TAKEN) n++;
    }
    vb_strbuf_format(text, "%s%s:", text->filled ? "; " : "", name);
    for (int i = 0; i < n; i++) {
        const json_t *relation = json_object_get(relations, most[i].class);
        vb_strbuf_format(text, "%s %lld %s", i ? "," : "", (long long)most[i].images, most[i].class);
        if (*vb_json_text(relation, "relation"))
            vb_strbuf_format(text, " (%s, %.0f)", vb_json_text(relation, "relation"), vb_json_number(relation, "path"));
    }
    if (!n) vb_strbuf_add(text, " nothing more");
    if (json_object_size(takes) > MOST_TAKEN) vb_strbuf_add(text, " …");
}

static void add_attack(vb_grid *grid, const json_t *attack) {
    const json_t *names = json_object_get(attack, "names"), *takes = json_object_get(attack, "takes"), *name;
    const json_t *relations = json_object_get(attack, "relations");
    vb_strbuf list = {0}, text = {0};
    size_t i;
    json_array_foreach(names, i, name) {
        const char *word = json_string_value(name) ? json_string_value(name) : "";
        vb_strbuf_format(&list, "%s%s", i ? ", " : "", word);
        describe_takes(&text, word, json_array_get(takes, i), json_array_get(relations, i));
    }
    if (vb_json_integer(attack, "k") > (json_int_t)i)
        vb_strbuf_format(&list, "%s%zu of %lld: no other takes an image%s", i ? " (" : "", i,
                         (long long)vb_json_integer(attack, "k"), i ? ")" : "");
    vb_grid_cell(grid, "%s", vb_json_text(attack, "target"));
    vb_grid_cell(grid, "%s", list.bytes ? list.bytes : "–");
    vb_grid_percent(grid, vb_json_number(attack, "accuracy_before"), NAN);
    vb_grid_percent(grid, last_accuracy(attack, "accuracy_random", NAN), NAN);
    vb_grid_percent(grid, last_accuracy(attack, "accuracy", NAN), NAN);
    vb_grid_cell(grid, "%.2f%s", 100 * vb_json_number(attack, "accuracy_bound"),
                 json_is_true(json_object_get(attack, "proven")) ? " (reached, proven)" : " (bound)");
    vb_grid_percent(grid, vb_json_number(attack, "taken_true_share"), NAN);
    vb_grid_cell(grid, "%s", text.bytes ? text.bytes : "–");
    grid->failed = grid->failed || list.failed || text.failed;
    vb_strbuf_free(&list);
    vb_strbuf_free(&text);
}

static int list_attacks(const vb_section_subject *subject, vb_grid *grid, vb_error *err) {
    (void)err;
    *grid = (vb_grid){
        .columns = 8,
        .left = 1 | 2 | 128,
        .caption = "Adversarial vocabularies: the names that take most images from a vocabulary, and which images they take. "
                   "True names: the share of these images whose class the name is a synonym, hypernym or hyponym of in WordNet, "
                   "so that the theft may be a right answer"};
    vb_grid_heads(grid, (const char *const[]){"target", "names added", "before", "with random names", "after",
                                              "at best for the attacker", "true names", "images taken"});
    size_t t;
    json_t *attack;
    json_array_foreach(json_object_get(subject->results->entry, "adversarial"), t, attack) { add_attack(grid, attack); }
    return 0;
}

const vb_section vb_adversarial_section = {.scope = VB_SECTION_OF_RESULT,
                                           .place = 80,
                                           .latex = true,
                                           .plot = plot_attacks,
                                           .table = list_attacks,
                                           .html = vb_taken_pictures_add};
