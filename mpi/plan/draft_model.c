/* Entries of models as YAML, and the search for their tokenizers. */
#include "mpi/plan/draft_model.h"

#include <string.h>

#include "kernels/base/memory.h"
#include "mpi/encode/text_convention.h"
#include "mpi/experiment/experiment_tables.h"
#include "mpi/plan/draft_text.h"
#include "shards/files/path.h"
#include "shards/text/tokenizer_file.h"

void vb_draft_model_entry(vb_strbuf *out, const vb_draft_model *model) {
    const vb_family *family = model->family;
    vb_strbuf_add(out, "  - name: ");
    vb_draft_text_scalar(out, model->name);
    vb_strbuf_format(out, "\n    family: %s\n    weights: ", family->name);
    vb_draft_text_path(out, model->path);
    vb_strbuf_add(out, "\n");
    if (model->tokenizer) vb_strbuf_format(out, "    tokenizer: %s\n", model->tokenizer);
    if (!model->told && family->activation_guess)
        vb_strbuf_format(out, "    activation: %s    # or another: see above\n", family->activation_guess);
    if (!model->told && vb_family_needs_side(family, &model->weights->set))
        vb_strbuf_format(out, "    resolution: %d    # or another: see above\n", family->resolution);
    vb_strbuf_add(out, "    prompts: [\"a photo of a {}.\"]\n");
}

int vb_draft_model_convention(vb_facts *facts, const vb_stated_facts *stated, const vb_weights *weights, const vb_family *family,
                              const char *path, vb_error *why) {
    vb_tokenizer *tokenizer = NULL;
    vb_error none;
    vb_error_clear(why);
    char *file = path ? vb_strdup(path, why) : vb_tokenizer_file_in(weights->where.folder, &none);
    int status = file ? vb_tokenizer_file_read(&tokenizer, file, family->mask_token, NULL, why) : -1;
    if (!status) status = vb_text_convention_use(tokenizer, facts, stated, family, file, why);
    vb_tokenizer_close(tokenizer);
    vb_free(file);
    return status;
}

/* A tokenizer in the folder that goes with the family; NULL when there is none. */
static char *fitting(const char *folder, const vb_weights *weights, const vb_family *family) {
    vb_error none = {0};
    vb_facts facts = {0};
    vb_stated_facts stated;
    char *path = vb_tokenizer_file_in(folder, &none);
    if (!path || vb_options_defaults(vb_experiment_tables_facts(), &stated, &none) ||
        vb_draft_model_convention(&facts, &stated, weights, family, path, &none)) {
        vb_free(path);
        path = NULL;
    }
    return path;
}

int vb_draft_model_tokenizer(char **path, const char *stated, const vb_weights *weights, const vb_family *family, vb_error *err) {
    vb_error none = {0};
    const char *folder = weights->where.folder;
    *path = NULL;
    if (stated) return (*path = vb_strdup(stated, err)) ? 0 : -1;
    char *beside = vb_tokenizer_file_in(folder, &none), *above = NULL;
    vb_free(beside);
    if (beside) return 0;
    if (!strcmp(folder, ".")) above = vb_strdup("..", err);
    else above = vb_path_join(folder, "..", err);
    if (!above) return -1;
    *path = fitting(".", weights, family);
    if (*path && !strncmp(*path, "./", 2)) memmove(*path, *path + 2, strlen(*path) - 1);
    if (!*path) *path = fitting(above, weights, family);
    int status = *path ?
                     0 :
                     vb_errorf(err, VB_EMISSING,
                               "%s: no tokenizer of the kind of %s in the folder of the weights, the one above it or the current "
                               "one: state it, --tokenizer FILE (where they come from: docs/models.md)",
                               folder, vb_family_conventions(family));
    vb_free(above);
    return status;
}
