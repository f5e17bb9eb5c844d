/* `vocabench inspect FILE`: what a file is, and how to use it. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "kernels/towers/clip.h"
#include "kernels/base/memory.h"
#include "kernels/base/utf8.h"
#include "mpi/base/script.h"
#include "mpi/command/cmd.h"
#include "mpi/command/inspect_results.h"
#include "mpi/encode/model.h"
#include "mpi/experiment/experiment_read.h"
#include "mpi/experiment/experiment_tables.h"
#include "mpi/plan/draft_model.h"
#include "mpi/run/published_sums.h"
#include "shards/weights/published.h"
#include "shards/weights/repository.h"
#include "shards/weights/coop.h"
#include "shards/datasets/dataset.h"
#include "shards/embeddings/npy.h"
#include "shards/files/content.h"
#include "shards/files/file.h"
#include "shards/files/path.h"
#include "shards/text/prompts.h"
#include "shards/text/tokenizer_file.h"
#include "shards/text/vocabularies.h"
#include "shards/weights/torch.h"
#include "shards/weights/weights.h"

const vb_flag vb_cmd_inspect_flags[] = {
    {.name = "family", .kind = VB_FLAG_TEXT, .value = VB_FAMILY_CHOICES, .help = "of weights [found from the tensors' names]"},
    {.name = "precision", .kind = VB_FLAG_SWITCH, .help = "measure whether precision: fastest would take bf16x3 on this machine"},
    {.name = "operations", .kind = VB_FLAG_SWITCH, .help = "list what the towers of weights compute, with shapes"},
    {0},
};

static void print_shape(const vb_tensor *tensor) {
    for (int i = 0; i < tensor->ndim; i++) printf("%s%lld", i ? " x " : "", (long long)tensor->shape[i]);
    if (!tensor->ndim) printf("scalar");
}

static int inspect_npy(const char *path, vb_error *err) {
    vb_npy npy;
    if (vb_npy_open(&npy, path, err)) return -1;
    const vb_tensor *tensor = &npy.tensor;
    printf("array of %s, ", vb_dtype_name(tensor->dtype));
    print_shape(tensor);
    printf("\ndigest (XXH3-128): %s\n", vb_digest_bytes(npy.map.data, npy.map.size).hex);
    bool real = tensor->dtype == VB_F32 || tensor->dtype == VB_F16 || tensor->dtype == VB_F64;
    if (tensor->ndim == 2 && real && tensor->shape[1] > 0) {
        double low = INFINITY, high = 0;
        int64_t broken = 0, zero = 0;
        for (int64_t r = 0; r < tensor->shape[0]; r++) {
            double square = 0;
            for (int64_t k = 0; k < tensor->shape[1]; k++) {
                double value = vb_tensor_at(tensor, r * tensor->shape[1] + k);
                square += value * value;
            }
            if (!(square < 1e300)) broken++;
            else if (square == 0) zero++;
            else {
                if (square < low) low = square;
                if (square > high) high = square;
            }
        }
        if (high > 0)
            printf("rows: %s; squared norms %.6g to %.6g; ", low > 0.99 && high < 1.01 ? "normalised" : "not normalised", low,
                   high);
        else printf("rows: none with a norm; ");
        printf("%lld with NaN or infinity, %lld all zero\n", (long long)broken, (long long)zero);
    }
    vb_npy_close(&npy);
    return 0;
}

static int inspect_yaml(const char *path, vb_error *err) {
    vb_yaml *root;
    if (vb_yaml_read(&root, path, err)) return -1;
    bool experiment = root->kind == VB_YAML_MAP && vb_yaml_get(root, "experiment"),
         vocabularies = root->kind == VB_YAML_MAP && vb_yaml_get(root, "vocabularies"),
         prompts = root->kind == VB_YAML_MAP && vb_yaml_get(root, "prompts");
    vb_yaml_free(root);
    if (experiment) {
        vb_experiment read;
        if (vb_experiment_read(&read, path, NULL, 0, err)) return -1;
        printf("experiment '%s': %d dataset(s), ", read.name, read.dataset_count - read.expansion_count);
        if (read.expansion_count) printf("%d expansion(s), ", read.expansion_count);
        printf("%d model(s); it reads without errors\nrun it: ", read.model_count);
        vb_script_print_command("run", path);
        printf("\n");
        vb_experiment_free(&read);
        return 0;
    }
    if (prompts && !vocabularies) {
        vb_prompts list;
        if (vb_prompts_read(&list, path, err)) return -1;
        printf("prompt list '%s': %d template(s)\ndigest: %s\n", list.name, list.count, list.digest.hex);
        for (int i = 0; i < list.count; i++) printf("  %s\n", list.items[i]);
        vb_prompts_free(&list);
        return 0;
    }
    if (!vocabularies)
        return vb_errorf(err, VB_EUNSUPPORTED, "%s: YAML, but no experiment, vocabulary file or prompt list", path);
    vb_vocabularies read;
    if (vb_vocabularies_read(&read, path, err)) return -1;
    printf("vocabularies '%s': %d vocabularies, %d classes, %d class names listed twice\ndigest: %s\n", read.name, read.count,
           read.classes, read.duplicates, read.digest.hex);
    for (int v = 0; v < read.count; v++) printf("  %-40s %4d classes\n", read.names[v], read.offsets[v + 1] - read.offsets[v]);
    for (int i = 0; i < read.duplicates; i++) printf("note: %s\n", read.duplicate_notes[i]);
    vb_vocabularies_free(&read);
    return 0;
}

static int inspect_dataset(const char *path, vb_error *err) {
    vb_dataset *dataset;
    if (vb_dataset_open(&dataset, path, NULL, err)) return -1;
    printf("%s: %lld images, %d labels, %.1f MB, %lld units\n", vb_dataset_kind(dataset), (long long)vb_dataset_samples(dataset),
           vb_dataset_labels(dataset), 1e-6 * (double)vb_dataset_bytes(dataset), (long long)vb_dataset_units(dataset));
    char *passed = vb_dataset_ignored(dataset) ? vb_dataset_ignored_text(dataset, err) : NULL;
    if (passed) printf("note: %s\n", passed);
    vb_free(passed);
    int status = 0;
    for (int i = 0; i < vb_dataset_labels(dataset) && i < 8 && !status; i++) {
        char *label = vb_strdup(vb_dataset_label(dataset, i), err); /* a folder's name may hold anything */
        if (!label) status = -1;
        else vb_utf8_one_line(label), printf("  label: %s\n", label);
        vb_free(label);
    }
    if (vb_dataset_labels(dataset) > 8) printf("  ...\n");
    vb_dataset_close(dataset);
    return status;
}

/* The operations of a tower in their order; of a text tower, for texts of full length. */
static void print_operations(const vb_program *program, const char *tower) {
    if (!program->name) return;
    printf("%s tower: %d operations, %.3f GFLOP, %.1f MB of weights, %.1f MB of work space\n", tower, program->count,
           1e-9 * vb_program_flops(program, program->text_rows), 1e-6 * (double)vb_program_weight_bytes(program),
           1e-6 * (double)(vb_program_floats(program, 1, program->text_rows) * sizeof(float)));
    for (int i = 0; i < program->count; i++) {
        char line[160];
        vb_program_print(program, i, program->text_rows, line, sizeof line);
        printf("  %s\n", line);
    }
}

static void print_towers(const vb_clip *clip) {
    const vb_clip_info *info = vb_clip_describe(clip);
    const vb_program *image = vb_clip_image_program(clip), *text = vb_clip_text_program(clip);
    if (image->name) printf("image tower: %s, %s\n", image->name, image->summary);
    if (text->name) printf("text tower: %s\n", text->summary);
    printf("embedding: %d dimensions; %.1f million parameters; logit scale %.2f\n", info->embed_dim,
           1e-6 * (double)info->parameters, (double)info->logit_scale);
}

static void print_facts(const vb_facts *facts, const vb_clip_info *info) {
    for (int f = 0; f < VB_FACTS; f++) {
        char value[96];
        if (!facts->source[f]) continue;
        vb_facts_print(facts, info, (vb_fact)f, value, sizeof value);
        printf("  %-18s %-38s %s\n", vb_facts_name((vb_fact)f), value, facts->source[f]);
    }
}

/* The entry of an experiment. */
static int print_entry(const vb_weights *weights, const char *path, const vb_family *family, bool told, vb_error *err) {
    vb_error none;
    vb_strbuf text = {0};
    const char *base = vb_path_base_name(path), *conventions = vb_family_conventions(family);
    char *beside = vb_tokenizer_file_in(weights->where.folder, &none), *name = vb_strndup(base, strcspn(base, "./"), err),
         *wanted = vb_format(err, "FILE    # of the kind of %s", conventions);
    vb_draft_model model = {.name = name, .path = path, .weights = weights, .family = family, .told = told};
    if (!beside) model.tokenizer = strncmp(conventions, "openai", 6) ? wanted : "bpe_simple_vocab_16e6.txt.gz";
    int status = name && wanted ? 0 : -1;
    if (!status) vb_draft_model_entry(&text, &model);
    if (!status) status = vb_strbuf_end(&text, "the entry of the model", err);
    if (!status) printf("to use it:\n%s", text.bytes);
    vb_strbuf_free(&text);
    vb_free(beside);
    vb_free(name);
    vb_free(wanted);
    return status;
}

/* Without what no experiment would do without, sizes are shown all the same. */
static int print_model(const vb_weights *weights, const char *path, const vb_family *family, bool operations, vb_error *err) {
    vb_stated_facts stated;
    vb_facts facts;
    vb_clip *clip = NULL;
    vb_error untold;
    if (vb_options_defaults(vb_experiment_tables_facts(), &stated, err)) return -1;
    int status = vb_facts_of_towers(&facts, &stated, weights, family, err);
    const bool told = !status || err->code != VB_ECONFIG;
    if (!told) {
        untold = *err;
        if (family->activation_guess)
            stated.activation = strcmp(family->activation_guess, "gelu") ? VB_ACTIVATION_QUICK_GELU : VB_ACTIVATION_GELU;
        if (vb_family_needs_side(family, &weights->set)) stated.resolution = family->resolution;
        status = vb_facts_of_towers(&facts, &stated, weights, family, err);
    }
    const vb_clip_options options = {.family = family, .stated = facts.towers, .threads = 1};
    if (!status && (status = vb_clip_open(&clip, &weights->set, &options, err))) vb_weights_blame(weights, err);
    if (!status) status = vb_facts_of_pixels(&facts, &stated, weights, family, vb_clip_describe(clip), err);
    if (!status) {
        if (!told && family->activation_guess)
            facts.source[VB_FACT_IMAGE_ACTIVATION] = facts.source[VB_FACT_TEXT_ACTIVATION] = NULL;
        if (!told && vb_family_needs_side(family, &weights->set)) facts.source[VB_FACT_RESOLUTION] = NULL;
        printf("family: %s\n", family->name);
        print_towers(clip);
        printf("facts, and who tells them:\n");
        vb_error why = {0};
        if (vb_clip_describe(clip)->context_length) vb_draft_model_convention(&facts, &stated, weights, family, NULL, &why);
        print_facts(&facts, vb_clip_describe(clip));
        if (vb_clip_describe(clip)->context_length && why.code) printf("note: %s\n", why.text);
        if (!told) printf("note: %s\n", untold.text);
        if (operations) {
            print_operations(vb_clip_image_program(clip), "image");
            print_operations(vb_clip_text_program(clip), "text");
        }
        status = print_entry(weights, path, family, told, err);
    }
    vb_clip_close(clip);
    return status;
}

/* Whether the file holds CoOp's learned contexts; then says which, or what else it holds. */
static bool inspect_coop(const char *path, int *status, vb_error *err) {
    vb_coop coop;
    vb_error why;
    *status = 0;
    if (vb_coop_read(&coop, path, &why)) {
        if (why.code != VB_EUNSUPPORTED) return false;
        *status = vb_errorf(err, VB_EUNSUPPORTED, "%s", why.text);
        return true;
    }
    printf("CoOp contexts: %d vectors of %d", coop.contexts, coop.width);
    if (coop.classes) printf(" for each of %d classes (class-specific)\n", coop.classes);
    else printf(", the same for all classes\n");
    printf("to use it, in a model whose text tower has width %d:\n    prompts: {coop: %s, position: end}\n", coop.width, path);
    vb_coop_free(&coop);
    return true;
}

/* SHA-256 of the files of weights, and whether they are the published ones. */
static int print_sums(vb_context *context, const char *path, vb_error *err) {
    vb_repository where;
    vb_sha256_job *job = NULL;
    int status = vb_repository_open(&where, path, err), index;
    if (!status) status = vb_sha256_job_new(&job, "/dev/null", err);
    for (size_t i = 0; i < where.shards.count && !status; i++)
        status = vb_sha256_job_add(job, where.shards.items[i], &index, err);
    if (!status) vb_sha256_job_start(job);
    if (!status) status = vb_published_sums_wait(job, context, err);
    for (size_t i = 0; i < where.shards.count && !status; i++) {
        const vb_sha256_file *file = vb_sha256_job_file(job, (int)i);
        vb_published published;
        if ((status = vb_published_find(&published, file->path, (int64_t)file->identity.size, &file->sum, err))) break;
        printf("SHA-256");
        if (where.shards.count > 1) printf(" of %s", vb_path_base_name(file->path));
        printf(": %s", *file->sum.hex ? file->sum.hex : "cannot be computed");
        if (published.verdict == VB_PUBLISHED_MATCH) printf(", as published (%s)\n", published.source);
        else if (published.verdict == VB_PUBLISHED_DIFFERS)
            printf(", NOT as published (%s: %s)\n", published.source, published.sum.hex);
        else printf("\n");
    }
    vb_sha256_job_free(job);
    vb_repository_close(&where);
    return status;
}

static int inspect_weights(vb_context *context, const char *path, const char *family, bool operations, bool precision,
                           vb_error *err) {
    vb_weights weights;
    if (vb_weights_open(&weights, path, true, err)) return -1;
    int counts[VB_DTYPES] = {0}, status = 0;
    for (size_t i = 0; i < weights.set.count; i++) counts[weights.set.items[i].tensor.dtype]++;
    printf("weights: %s, names of %s, %zu tensors", weights.container, weights.naming, weights.set.count);
    for (int i = 0; i < VB_DTYPES; i++)
        if (counts[i]) printf(", %d of %s", counts[i], vb_dtype_name((vb_dtype)i));
    printf("\ndigest (XXH3-128): %s\n", weights.digest.hex);
    if ((status = print_sums(context, path, err))) goto done;
    if (weights.unused.count)
        printf("%zu tensors that no tower uses, such as %s\n", weights.unused.count, weights.unused.items[0].name);
    const vb_family *found = NULL;
    if (!weights.family_hint && !weights.architecture && !family && inspect_coop(path, &status, err)) goto done;
    int stated = family ? vb_family_index(family) : VB_FAMILY_FOUND;
    if (family && stated < 0) {
        char names[256];
        status = vb_errorf(err, VB_EMISMATCH, "%s: the tensors are of no family known here (%s): %s", path,
                           vb_family_names(names, sizeof names, ", "), family);
        goto done;
    }
    status = vb_model_family(&weights, stated, &found, err);
    if (!status) status = print_model(&weights, path, found, operations, err);
    char text[160];
    if (!status && precision && !(status = vb_precision_describe(text, sizeof text, err))) printf("%s\n", text);
done:
    vb_weights_close(&weights);
    return status;
}

static int inspect_tokenizer(const char *path, const char *what, vb_error *err) {
    vb_tokenizer *tokenizer;
    vb_digest digest;
    if (vb_tokenizer_file_read(&tokenizer, path, false, &digest, err)) return -1;
    const vb_tokenizer_kind kind = vb_tokenizer_kind_of(tokenizer);
    printf("tokenizer: %s: %s, %d tokens\ndigest: %s\nconventions that go with it:\n", what, vb_tokenizer_kind_name(kind),
           vb_tokenizer_size(tokenizer), digest.hex);
    for (const vb_convention *row = vb_convention_rows; row->name; row++)
        if (row->kinds & (unsigned)kind) printf("  %-12s %s\n", row->name, row->about);
    printf("to use it:\n    tokenizer: %s\n", path);
    vb_tokenizer_close(tokenizer);
    return 0;
}

static int inspect(vb_context *context, const char *path, const char *family, bool operations, bool precision, vb_error *err) {
    if (vb_repository_recognises(path) || vb_path_ends_with(path, ".index.json"))
        return inspect_weights(context, path, family, operations, precision, err);
    bool recognised;
    int status = vb_inspect_results(path, &recognised, err);
    if (status || recognised) return status;
    if (vb_path_is_folder(path)) return inspect_dataset(path, err);
    if (vb_path_ends_with(path, ".npy")) return inspect_npy(path, err);
    if (vb_path_ends_with(path, ".yaml") || vb_path_ends_with(path, ".yml")) return inspect_yaml(path, err);
    const char *tokenizer = vb_tokenizer_file_what(path);
    if (tokenizer) return inspect_tokenizer(path, tokenizer, err);
    vb_file file;
    if (vb_file_open(&file, path, err)) return -1;
    /* PyTorch's checkpoints are often named .pth.tar and are no tar: they begin as a zip archive or as a pickle. */
    uint8_t start[VB_CONTENT_HEAD] = {0};
    const size_t n = file.size < sizeof start ? (size_t)file.size : sizeof start;
    status = vb_file_read(&file, 0, start, n, err);
    const bool weights = vb_weights_begin(start, n), dataset = !vb_torch_begins(start, n) && vb_dataset_recognises(path);
    vb_file_close(&file);
    if (status) return -1;
    if (!weights && !dataset)
        return vb_content_refuse(
            path, start, n, "weights (safetensors, torch.save), a tokenizer, .npy, .yaml, a dataset, or what vocabench writes",
            !n || vb_content_is_no_file(start, n) ? VB_EDATA : VB_EUNSUPPORTED, err);
    return dataset ? inspect_dataset(path, err) : inspect_weights(context, path, family, operations, precision, err);
}

int vb_cmd_inspect(vb_context *context, const vb_arguments *arguments, vb_error *err) {
    int status = context->comm.rank ?
                     0 :
                     inspect(context, arguments->positional[0], vb_arguments_text(arguments, "family"),
                             vb_arguments_given(arguments, "operations"), vb_arguments_given(arguments, "precision"), err);
    return vb_comm_agree(&context->comm, status, err);
}
