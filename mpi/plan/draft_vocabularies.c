/* Labels as classes of a first vocabulary file, grouped as a shipped file groups them, or in equal parts. */
#include "mpi/plan/draft_vocabularies.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/base/memory.h"
#include "mpi/base/install.h"
#include "mpi/plan/draft_text.h"
#include "shards/files/path.h"
#include "shards/text/label_match.h"
#include "shards/text/vocabularies.h"
#include "shards/text/wordnet.h"

enum { MOST_GROUPS = 26 };

typedef struct drafted { /* a label as a class */
    const char *label;
    const char *name; /* NULL: the label is the name */
    bool by_id;       /* the label is the id of a class of that name */
    bool again;       /* an earlier label has the same name: they are one class */
} drafted;

typedef struct draft {
    const char *path;
    int count;
    int classes;              /* labels that are not `again` */
    drafted *class;           /* in the dataset's order of labels */
    vb_vocabularies shipped;  /* the file that has all labels; classes 0: none */
    const char *shipped_name; /* its base name */
    bool grouped;             /* by it: at least two of its vocabularies have labels */
    vb_wordnet *wordnet;
    vb_strings names; /* that were made up here */
} draft;

static bool is_synset_id(const char *label) {
    if (label[0] != 'n' || strlen(label) != 9) return false;
    for (const char *at = label + 1; *at; at++)
        if (!isdigit((unsigned char)*at)) return false;
    return true;
}

/* How many of the file's vocabularies have labels; 0 when a label is none of its classes, or two are one. */
static int count_used(const draft *work, const vb_vocabularies *file, vb_error *err) {
    uint8_t *used = vb_array((size_t)file->classes, 1, "classes", err);
    int vocabularies = used ? 0 : -1;
    bool all = used;
    for (int i = 0; all && i < work->count; i++) {
        const int class = vb_vocabularies_find(file, work->class[i].label);
        all = class >= 0 && !used[class];
        if (all) used[class] = 1;
    }
    for (int v = 0; all && v < file->count; v++) {
        bool any = false;
        for (int i = file->offsets[v]; i < file->offsets[v + 1]; i++) any |= used[file->members[i]];
        vocabularies += any;
    }
    vb_free(used);
    return vocabularies;
}

/* Of the shipped files that have all labels: one that groups them before one that does not, then the one with fewest classes,
 * then the first by name. A file that cannot be read is no candidate. */
static int find_shipped(draft *work, vb_strings *files, vb_error *err) {
    char *configs = vb_install_configs_folder(err), *folder = configs ? vb_path_join(configs, "vocabularies", err) : NULL;
    vb_error none = {0};
    int status = folder ? 0 : -1, best_groups = 0;
    if (!status && vb_path_list_folder(files, folder, &none)) goto done; /* nothing is installed */
    for (size_t f = 0; f < files->count && !status; f++) {
        vb_vocabularies file;
        char *path = vb_path_join(folder, files->items[f], err);
        if (!path) status = -1;
        else if (!vb_vocabularies_read(&file, path, &none)) {
            const int groups = count_used(work, &file, err);
            const bool better = groups > 0 && (!work->shipped.classes || (groups > 1) > (best_groups > 1) ||
                                               ((groups > 1) == (best_groups > 1) && file.classes < work->shipped.classes));
            if (groups < 0) status = -1;
            if (better) {
                vb_vocabularies_free(&work->shipped);
                work->shipped = file;
                work->shipped_name = files->items[f];
                best_groups = groups;
            } else vb_vocabularies_free(&file);
        }
        vb_free(path);
    }
    work->grouped = best_groups > 1;
done:
    vb_free(folder);
    vb_free(configs);
    return status;
}

/* A name that no label before this one has. */
static int take_name(draft *work, int i, const char *name, vb_error *err) {
    char *own = vb_strdup(name, err);
    for (int j = 0; own && j < i; j++)
        if (work->class[j].name && !strcmp(work->class[j].name, name)) {
            vb_free(own);
            own = vb_format(err, "%s %s", name, work->class[i].label);
            break;
        }
    if (vb_strings_take(&work->names, own, err)) return -1;
    work->class[i].name = own;
    return 0;
}

static int name_by_wordnet(draft *work, vb_error *err) {
    if (vb_wordnet_open(&work->wordnet, VB_WORDNET_FOLDER, err))
        return vb_error_prefix(err, "%s: the labels are WordNet ids such as %s, which no shipped vocabulary file names",
                               work->path, work->class[0].label);
    for (int i = 0; i < work->count; i++) {
        const char *word = vb_wordnet_word_of_id(work->wordnet, work->class[i].label);
        if (!word)
            return vb_errorf(err, VB_EMISMATCH, "%s: label %s looks like a WordNet id, but WordNet 3.0 has no such noun",
                             work->path, work->class[i].label);
        work->class[i].by_id = true;
        if (take_name(work, i, word, err)) return -1;
    }
    return 0;
}

/* Labels stand in the file as names, ids or aliases. */
static int check_labels(const draft *work, vb_error *err) {
    for (int i = 0; i < work->count; i++) {
        const char *label = work->class[i].label, *fault = vb_vocabularies_name_fault(label);
        if (fault)
            return vb_errorf(err, VB_EMISMATCH, "%s: the label '%s' can be no class: it %s; give it another name in the data",
                             work->path, label, fault);
    }
    return 0;
}

static int name_labels(draft *work, vb_strings *files, vb_error *err) {
    bool numbers = true, ids = true;
    int64_t value;
    for (int i = 0; i < work->count; i++) {
        numbers = numbers && vb_label_match_integer(work->class[i].label, &value);
        ids = ids && is_synset_id(work->class[i].label);
    }
    if (numbers)
        return vb_errorf(
            err, VB_EMISMATCH,
            "%s: the labels are numbers (%s to %s), and nothing beside the data names them: expected names, from a file "
            "with one a line, --class-names FILE",
            work->path, work->class[0].label, work->class[work->count - 1].label);
    if (find_shipped(work, files, err)) return -1;
    for (int i = 0; work->shipped.classes && i < work->count; i++) {
        drafted *it = &work->class[i];
        const vb_class *class = &work->shipped.class[vb_vocabularies_find(&work->shipped, it->label)];
        it->by_id = class->id && !strcmp(class->id, it->label);
        if (it->by_id || !vb_vocabularies_same_name(class->name, it->label)) it->name = class->name;
    }
    return ids && !work->shipped.classes ? name_by_wordnet(work, err) : 0;
}

static const char *name_of(const drafted *it) { return it->name && !it->by_id ? it->name : it->label; }

/* Names as the vocabulary file compares them, then places. */
typedef struct place {
    char *name;
    int label;
} place;

static int by_name_then_label(const void *a, const void *b) {
    const place *x = a, *y = b;
    const int order = strcmp(x->name, y->name);
    return order ? order : x->label - y->label;
}

/* Labels such as "big cat" and "big_cat", or names that stand twice in a file of class names. Ids are all different. */
static int find_again(draft *work, vb_error *err) {
    place *places = vb_array((size_t)work->count + 1, sizeof *places, "classes", err);
    int status = places ? 0 : -1;
    for (int i = 0; i < work->count && !status; i++) {
        places[i] = (place){vb_strdup(name_of(&work->class[i]), err), i};
        if (!places[i].name) status = -1;
        for (char *at = places[i].name; at && *at; at++)
            if (*at == '_') *at = ' ';
    }
    if (!status) qsort(places, (size_t)work->count, sizeof *places, by_name_then_label);
    work->classes = work->count;
    for (int i = 1; i < work->count && !status; i++)
        if (!strcmp(places[i].name, places[i - 1].name)) {
            work->class[places[i].label].again = true;
            work->classes--;
        }
    for (int i = 0; places && i < work->count; i++) vb_free(places[i].name);
    vb_free(places);
    return status;
}

static void put_class(vb_strbuf *out, const drafted *it) {
    if (!it->name) {
        vb_strbuf_add(out, "    - ");
        vb_draft_text_scalar(out, it->label);
        vb_strbuf_add(out, "\n");
        return;
    }
    vb_strbuf_add(out, it->by_id ? "    - {id: " : "    - {name: ");
    vb_draft_text_scalar(out, it->by_id ? it->label : it->name);
    vb_strbuf_add(out, it->by_id ? ", name: " : ", aliases: [");
    vb_draft_text_scalar(out, it->by_id ? it->name : it->label);
    vb_strbuf_add(out, it->by_id ? "}\n" : "]}\n");
}

static int put_shipped_groups(vb_strbuf *out, const draft *work, int *groups, vb_error *err) {
    const vb_vocabularies *file = &work->shipped;
    int *of_class = vb_array((size_t)file->classes, sizeof *of_class, "classes", err);
    if (!of_class) return -1;
    for (int c = 0; c < file->classes; c++) of_class[c] = -1;
    for (int i = 0; i < work->count; i++) of_class[vb_vocabularies_find(file, work->class[i].label)] = i;
    *groups = 0;
    for (int v = 0; v < file->count; v++) {
        bool any = false;
        for (int m = file->offsets[v]; m < file->offsets[v + 1]; m++) {
            const int i = of_class[file->members[m]];
            if (i < 0) continue;
            if (!any) {
                vb_strbuf_add(out, "  ");
                vb_draft_text_scalar(out, file->names[v]);
                vb_strbuf_add(out, ":\n");
            }
            any = true;
            put_class(out, &work->class[i]);
        }
        *groups += any;
    }
    vb_free(of_class);
    return 0;
}

/* As many groups as a group has classes, about; two classes at least in each where there are four. */
static int group_count(int classes) {
    int groups = classes < 4 ? classes : (int)lround(sqrt((double)classes));
    return groups > MOST_GROUPS ? MOST_GROUPS : groups;
}

static void put_equal_groups(vb_strbuf *out, const draft *work, int *groups) {
    *groups = group_count(work->classes);
    for (int g = 0, i = 0, put = 0; g < *groups; g++) {
        vb_strbuf_format(out, "  group %d:\n", g + 1);
        for (; put < (int)((int64_t)work->classes * (g + 1) / *groups); i++) {
            if (work->class[i].again) continue;
            put_class(out, &work->class[i]);
            put++;
        }
    }
}

static void put_head(vb_strbuf *out, const draft *work, const char *name) {
    vb_strbuf_format(out,
                     "# The %d classes of %s, written by `vocabench init`. A vocabulary is a list of class names that arrive "
                     "together.\n",
                     work->classes, name);
    if (work->classes < work->count) {
        int i = 0;
        while (!work->class[i].again) i++;
        vb_strbuf_format(
            out,
            "# guessed: labels of one name, with spaces for underscores, are one class: %d have the name of an earlier "
            "one, the first '%s'.\n",
            work->count - work->classes, work->class[i].label);
    }
    if (work->grouped)
        vb_strbuf_format(out,
                         "# guessed: names and groups are those of configs/vocabularies/%s, which has all labels of the data.\n",
                         work->shipped_name);
    else {
        if (work->shipped.classes)
            vb_strbuf_format(out,
                             "# guessed: the names are those of configs/vocabularies/%s, which has all labels of the data.\n",
                             work->shipped_name);
        else if (work->wordnet)
            vb_strbuf_add(out, "# guessed: each id is named by the first word of its synset in WordNet 3.0.\n");
        vb_strbuf_add(out,
                      "# guessed: the groups. Nothing tells what belongs together, so the labels were cut into equal parts in "
                      "their order:\n# name the groups and move the classes as your question has it.\n");
    }
    if (!work->shipped.classes && !work->wordnet)
        vb_strbuf_add(out,
                      "# Names stand in prompts as they are here, with spaces for underscores: write {name: oak tree, aliases: "
                      "[oak_03]}\n# where a label is no good name.\n");
    vb_strbuf_add(out, "name: ");
    vb_draft_text_scalar(out, name);
    vb_strbuf_add(out, "\nvocabularies:\n");
}

int vb_draft_vocabularies(vb_strbuf *out, const vb_dataset *dataset, const char *name, const char *path, int *classes,
                          int *groups, vb_error *err) {
    draft work = {.path = path, .count = vb_dataset_labels(dataset)};
    vb_strings files = {0};
    int status = -1;
    *classes = *groups = 0;
    if (!work.count)
        return vb_errorf(err, VB_EMISMATCH,
                         "%s: %lld images without labels: expected a folder of images for each class, or shards with .cls", path,
                         (long long)vb_dataset_samples(dataset));
    if (!(work.class = vb_array((size_t)work.count, sizeof *work.class, "classes", err))) goto done;
    for (int i = 0; i < work.count; i++) work.class[i].label = vb_dataset_label(dataset, i);
    if (check_labels(&work, err) || name_labels(&work, &files, err) || find_again(&work, err)) goto done;
    *classes = work.classes;
    put_head(out, &work, name);
    status = 0;
    if (work.grouped) status = put_shipped_groups(out, &work, groups, err);
    else put_equal_groups(out, &work, groups);
done:
    vb_vocabularies_free(&work.shipped);
    vb_wordnet_close(work.wordnet);
    vb_strings_free(&work.names);
    vb_strings_free(&files);
    vb_free(work.class);
    return status;
}
