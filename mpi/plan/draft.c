/* The two files of a first experiment: found, guessed, written. */
#include "mpi/plan/draft.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "kernels/base/memory.h"
#include "mpi/base/strbuf.h"
#include "mpi/encode/model.h"
#include "mpi/experiment/experiment_read.h"
#include "mpi/experiment/experiment_tables.h"
#include "mpi/plan/draft_model.h"
#include "mpi/plan/draft_text.h"
#include "mpi/plan/draft_vocabularies.h"
#include "shards/datasets/dataset.h"
#include "shards/files/file.h"
#include "shards/files/path.h"
#include "shards/files/writer.h"
#include "shards/weights/torch.h"

/* ---- what is there ---- */

bool vb_draft_is_weights(const char *path) {
    static const char *const endings[] = {".safetensors", ".index.json", ".pt", ".pth", ".bin", ".ckpt"};
    vb_error none = {0};
    vb_file file;
    uint8_t start[4] = {0};
    if (vb_repository_recognises(path)) return true;
    if (vb_path_is_folder(path) || !vb_path_exists(path)) return false;
    if (vb_file_open(&file, path, &none)) return false;
    bool torch =
        file.size >= sizeof start && !vb_file_read(&file, 0, start, sizeof start, &none) && vb_torch_begins(start, sizeof start);
    vb_file_close(&file);
    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++)
        if (vb_path_ends_with(path, endings[i])) return torch || (i < 2 && !vb_dataset_recognises(path));
    return torch && !vb_dataset_recognises(path);
}

/* "model-00001-of-00005.safetensors": a part of weights whose index is the checkpoint. */
static bool is_part(const char *path) {
    const char *of = vb_path_base_name(path);
    for (const char *next; (next = strstr(of, "-of-")); of = next + 4)
        if (next > of && isdigit((unsigned char)next[-1]) && isdigit((unsigned char)next[4])) return true;
    return false;
}

static bool is_checkpoint(const char *path) { return vb_draft_is_weights(path) && !is_part(path); }

/* Whether an entry of the current folder holds images; what a run leaves there does not. */
static bool holds_images(const char *path) {
    vb_error none = {0};
    vb_dataset *dataset = NULL;
    if (!strcmp(path, "results") || vb_draft_is_weights(path)) return false;
    if (!vb_path_is_folder(path) && !vb_dataset_recognises(path)) return false;
    const bool good = !vb_dataset_open(&dataset, path, NULL, &none) && vb_dataset_labels(dataset) > 0;
    vb_dataset_close(dataset);
    return good;
}

/* The only entry of the current folder that is one. */
static int find_only(char **found, bool (*is_one)(const char *), const char *what, const char *argument, vb_error *err) {
    vb_strings entries = {0};
    const char *second = NULL;
    int status = vb_path_list_folder(&entries, ".", err);
    for (size_t i = 0; i < entries.count && !status && !second; i++) {
        if (!is_one(entries.items[i])) continue;
        if (*found) second = entries.items[i];
        else if (!(*found = vb_strdup(entries.items[i], err))) status = -1;
    }
    if (!status && second)
        status =
            vb_errorf(err, VB_EUSAGE, "init: %s: there are '%s' and '%s' in the current folder: say which, vocabench init %s",
                      what, *found, second, "FOLDER CHECKPOINT");
    else if (!status && !*found)
        status = vb_errorf(err, VB_EMISSING, "init: no %s in the current folder: expected %s, vocabench init FOLDER CHECKPOINT",
                           what, argument);
    vb_strings_free(&entries);
    return status;
}

/* A path as the experiment in `path` shall have it: relative ones are looked for beside it. Free with vb_free. */
static char *path_within(const char *given, const char *path, vb_error *err) {
    return vb_path_base_name(path) == path ? vb_strdup(given, err) : vb_path_absolute(given, err);
}

static int must_be_new(const char *path, vb_error *err) {
    if (!vb_path_exists(path)) return 0;
    return vb_errorf(err, VB_EOUTPUT, "%s: is there already, and is not overwritten: write to another file, --output FILE.yaml",
                     path);
}

/* ---- the experiment ---- */

typedef struct sheet { /* of the experiment's file */
    const vb_draft_request *request;
    const char *images, *weights; /* as they are used, */
    const char *class_names;      /* or NULL */
    const vb_draft *draft;
    const char *name; /* of the dataset and the experiment */
    vb_dataset *dataset;
} sheet;

static int put_model(vb_strbuf *out, const sheet *of, vb_error *err) {
    vb_weights weights = {0};
    vb_facts facts;
    vb_stated_facts stated;
    vb_error untold = {0};
    vb_draft_model model = {.weights = &weights};
    char *name = NULL, *path = NULL, *found = NULL, *tokenizer = NULL;
    vb_strbuf scalar = {0};
    int status = -1;
    if (vb_options_defaults(vb_experiment_tables_facts(), &stated, err)) return -1;
    if (vb_weights_open(&weights, of->weights, false, err)) return -1;
    if (vb_model_family(&weights, VB_FAMILY_FOUND, &model.family, err)) goto done;
    model.told = !vb_facts_of_towers(&facts, &stated, &weights, model.family, &untold);
    if (!model.told && untold.code != VB_ECONFIG) {
        *err = untold;
        goto done;
    }
    if (vb_draft_model_tokenizer(&found, of->request->tokenizer, &weights, model.family, err)) goto done;
    if (found && !(tokenizer = path_within(found, of->draft->path, err))) goto done;
    if (tokenizer) vb_draft_text_path(&scalar, tokenizer);
    if (!(model.name = name = vb_draft_text_model_name(of->weights, err))) goto done;
    if (!(model.path = path = path_within(of->weights, of->draft->path, err))) goto done;
    model.tokenizer = scalar.bytes;
    vb_strbuf_format(
        out, "models:\n  # The family was found from the tensors' names; `vocabench inspect` shows all facts and who tells "
             "them.\n");
    if (found && !of->request->tokenizer) vb_strbuf_add(out, "  # guessed: the tokenizer, which lies near and fits.\n");
    if (!model.told) vb_strbuf_format(out, "  # guessed: what nothing beside the weights tells: %s\n", untold.text);
    vb_strbuf_add(out, "  # guessed: the prompt; lists of templates: configs/prompts/.\n");
    vb_draft_model_entry(out, &model);
    status = vb_strbuf_end(&scalar, "a path", err);
done:
    vb_strbuf_free(&scalar);
    vb_free(name);
    vb_free(path);
    vb_free(found);
    vb_free(tokenizer);
    vb_weights_close(&weights);
    return status;
}

static int put_experiment(vb_strbuf *out, const sheet *of, vb_error *err) {
    char *images = path_within(of->images, of->draft->path, err), *class_names = NULL;
    if (images && of->class_names) class_names = path_within(of->class_names, of->draft->path, err);
    int status = images && (class_names || !of->class_names) ? 0 : -1;
    if (!status) {
        vb_strbuf_format(out,
                         "# Written by `vocabench init`; what it guessed says so.\n"
                         "#   vocabench check %s    what would stop a run\n"
                         "#   vocabench run %s      results in results/%s\n"
                         "# All keys: `vocabench help run`. More models: more entries under models.\n"
                         "experiment: ",
                         of->draft->path, of->draft->path, of->name);
        vb_draft_text_scalar(out, of->name);
        vb_strbuf_add(out, "\nper_image: true    # records of every image, for `vocabench compare` and `verify`\ndatasets:\n");
        vb_strbuf_format(out, "  # %s: %lld images, %d labels.\n", vb_dataset_kind(of->dataset),
                         (long long)vb_dataset_samples(of->dataset), vb_dataset_labels(of->dataset));
        vb_strbuf_add(out, "  - name: ");
        vb_draft_text_scalar(out, of->name);
        vb_strbuf_add(out, "\n    images: ");
        vb_draft_text_path(out, images);
        vb_strbuf_add(out, "\n    vocabularies: ");
        vb_draft_text_path(out, vb_path_base_name(of->draft->vocabularies));
        vb_strbuf_add(out, "    # guessed: see there\n");
        if (class_names) {
            vb_strbuf_add(out, "    class_names: ");
            vb_draft_text_path(out, class_names);
            vb_strbuf_add(out, "\n");
        }
        status = put_model(out, of, err);
    }
    vb_free(images);
    vb_free(class_names);
    return status;
}

/* ---- both files ---- */

static int create(const char *path, const vb_strbuf *text, vb_error *err) {
    bool made;
    if (vb_strbuf_end(text, path, err) || vb_writer_create_whole(path, text->bytes, text->filled, &made, err)) return -1;
    return made ? 0 : must_be_new(path, err);
}

/* The vocabulary file first: an experiment is whole from its first moment on. What was written is read back as a run would. */
static int write_both(const vb_draft *draft, const vb_strbuf *experiment, const vb_strbuf *vocabularies, vb_error *err) {
    vb_vocabularies read;
    vb_experiment whole;
    if (create(draft->vocabularies, vocabularies, err)) return -1;
    int status = vb_vocabularies_read(&read, draft->vocabularies, err);
    if (!status) {
        vb_vocabularies_free(&read);
        status = create(draft->path, experiment, err);
        if (!status && vb_experiment_read(&whole, draft->path, NULL, 0, err)) {
            unlink(draft->path);
            status = -1;
        } else if (!status) vb_experiment_free(&whole);
    }
    if (status) unlink(draft->vocabularies);
    return status;
}

static char *file_beside(const char *path, const char *ending, vb_error *err) {
    size_t n = strlen(path);
    if (vb_path_ends_with(path, ".yaml")) n -= 5;
    else if (vb_path_ends_with(path, ".yml")) n -= 4;
    return vb_format(err, "%.*s%s", (int)n, path, ending);
}

static int draft_all(vb_draft *draft, sheet *of, vb_error *err) {
    vb_strbuf experiment = {0}, vocabularies = {0};
    int status = -1;
    if (vb_dataset_open(&of->dataset, of->images, of->class_names, err)) goto done;
    draft->images = vb_dataset_samples(of->dataset);
    if (vb_draft_vocabularies(&vocabularies, of->dataset, of->name, of->images, &draft->classes, &draft->groups, err)) goto done;
    if (put_experiment(&experiment, of, err)) goto done;
    status = write_both(draft, &experiment, &vocabularies, err);
done:
    vb_strbuf_free(&experiment);
    vb_strbuf_free(&vocabularies);
    vb_dataset_close(of->dataset);
    return status;
}

/* A dataset of the hub as clip_benchmark's are: shards in FOLDER/test and their names in FOLDER/classnames.txt. */
typedef struct hub_layout {
    char *folder, *shards, *names; /* NULL: it is none */
} hub_layout;

static void free_hub_layout(hub_layout *hub) {
    vb_free(hub->folder);
    vb_free(hub->shards);
    vb_free(hub->names);
    *hub = (hub_layout){0};
}

/* given: either of the two folders. */
static int find_hub_layout(hub_layout *hub, const char *given, vb_error *err) {
    size_t n = strlen(given);
    while (n > 1 && given[n - 1] == '/') n--; /* as shells complete a folder */
    *hub = (hub_layout){0};
    char *images = vb_strndup(given, n, err);
    if (!images) return -1;
    const bool inside = !strcmp(vb_path_base_name(images), "test");
    const int above = (int)n - (int)sizeof "test"; /* without the slash */
    if (!inside) hub->folder = vb_strdup(images, err);
    else hub->folder = above > 0 ? vb_format(err, "%.*s", above, images) : vb_strdup(above ? "." : "/", err);
    if (hub->folder) hub->shards = inside ? vb_strdup(images, err) : vb_path_join(images, "test", err);
    vb_free(images);
    if (hub->shards) hub->names = vb_path_beside(hub->shards, "classnames.txt", err);
    char *nearer = hub->names ? vb_path_join(hub->shards, "classnames.txt", err) : NULL;
    const int status = nearer ? 0 : -1;
    if (status || !vb_path_is_folder(hub->shards) || !vb_path_exists(hub->names) || vb_path_exists(nearer)) free_hub_layout(hub);
    vb_free(nearer);
    return status;
}

int vb_draft_write(vb_draft *draft, const vb_draft_request *request, vb_error *err) {
    char *images = NULL, *weights = NULL, *name = NULL;
    hub_layout hub = {0};
    int status = -1;
    *draft = (vb_draft){0};
    if (!request->images && find_only(&images, holds_images, "folder of class folders, or shards,", "FOLDER", err)) goto done;
    if (!request->weights && find_only(&weights, is_checkpoint, "checkpoint or repository folder", "CHECKPOINT", err)) goto done;
    sheet of = {.request = request,
                .images = request->images ? request->images : images,
                .weights = request->weights ? request->weights : weights,
                .class_names = request->class_names,
                .draft = draft};
    if (!vb_path_is_folder(of.weights) && is_part(of.weights)) {
        vb_errorf(err, VB_EUSAGE,
                  "init: %s: a part of a model's weights: expected its index, .safetensors.index.json, or its folder",
                  of.weights);
        goto done;
    }
    if (find_hub_layout(&hub, of.images, err)) goto done;
    if (!(of.name = name = vb_draft_text_dataset_name(hub.folder ? hub.folder : of.images, err))) goto done;
    if (hub.shards) of.images = hub.shards;
    if (hub.names && !of.class_names) of.class_names = hub.names;
    draft->path = request->output ? vb_strdup(request->output, err) : vb_format(err, "%s.yaml", name);
    if (!draft->path || !(draft->vocabularies = file_beside(draft->path, "-vocabularies.yaml", err))) goto done;
    if (!(draft->output = vb_format(err, "results/%s", name))) goto done;
    if (must_be_new(draft->path, err) || must_be_new(draft->vocabularies, err)) goto done;
    status = draft_all(draft, &of, err);
done:
    vb_free(images);
    vb_free(weights);
    vb_free(name);
    free_hub_layout(&hub);
    return status;
}

void vb_draft_free(vb_draft *draft) {
    vb_free(draft->path);
    vb_free(draft->vocabularies);
    vb_free(draft->output);
    *draft = (vb_draft){0};
}
