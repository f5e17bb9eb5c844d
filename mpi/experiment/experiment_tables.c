/* The option tables of the experiment file. */
#include "mpi/experiment/experiment_tables.h"

#include <assert.h>

#include "kernels/image/preprocess.h"
#include "kernels/text/convention.h"
#include "mpi/base/device.h"
#include "mpi/experiment/experiment.h"

/* A choice is written through an int, whatever enum the field is of. */
static_assert(sizeof(vb_protocol_kind) == sizeof(int), "enums are ints");

/* One word for each value of the enum, and a NULL. */
#define WORDS_OF(words, count) static_assert(sizeof(words) / sizeof *(words) == (count) + 1, "a word for each value")

static const char *const protocols[] = {[VB_PROTOCOL_EXACT] = "exact", [VB_PROTOCOL_SAMPLED] = "sampled", NULL};
WORDS_OF(protocols, VB_PROTOCOLS);
static const char *const on_error[] = {[VB_ON_ERROR_STRICT] = "strict", [VB_ON_ERROR_SKIP] = "skip", NULL};
WORDS_OF(on_error, VB_ON_ERRORS);
static const char *const on_fault[] = {[VB_ON_FAULT_ERROR] = "error", [VB_ON_FAULT_ALLOW] = "allow", NULL};
WORDS_OF(on_fault, VB_ON_FAULTS);
static const char *const on_unmatched[] = {[VB_ON_UNMATCHED_ERROR] = "error", [VB_ON_UNMATCHED_SKIP] = "skip", NULL};
WORDS_OF(on_unmatched, VB_ON_UNMATCHEDS);
static const char *const families[] = {VB_FAMILIES(VB_FAMILY_WORD) "precomputed", NULL};
WORDS_OF(families, VB_PRECOMPUTED + 1);
static const char *const activations[] = {
    [VB_ACTIVATION_QUICK_GELU] = "quick_gelu", [VB_ACTIVATION_GELU] = "gelu", [VB_ACTIVATION_GELU_TANH] = "gelu_tanh", NULL};
WORDS_OF(activations, VB_ACTIVATIONS);
static const char *const preprocessings[] = {
    [VB_PREPROCESSING_OPENAI] = "openai", [VB_PREPROCESSING_RGB_FIRST] = "rgb_first", NULL};
WORDS_OF(preprocessings, VB_PREPROCESSINGS);
static const char *const precisions[] = {
    [VB_PRECISION_FP32] = "fp32", [VB_PRECISION_BF16X3] = "bf16x3", [VB_PRECISION_FASTEST] = "fastest", NULL};
WORDS_OF(precisions, VB_PRECISIONS);
static const char *const devices[] = {[VB_DEVICE_CPU] = "cpu", [VB_DEVICE_GPU] = "gpu", [VB_DEVICE_AUTO] = "auto", NULL};
WORDS_OF(devices, VB_DEVICE_KINDS);
static const char *const device_checks[] = {[VB_DEVICE_STRICT] = "strict", [VB_DEVICE_TOLERATE] = "tolerate", NULL};
WORDS_OF(device_checks, VB_DEVICE_CHECKS);
static const char *const engines[] = {[VB_ENGINE_REPLICATED] = "replicated", [VB_ENGINE_SCALAPACK] = "scalapack", NULL};
WORDS_OF(engines, VB_ENGINES);
static const char *const positions[] = {
    [VB_PROMPT_END] = "end", [VB_PROMPT_MIDDLE] = "middle", [VB_PROMPT_FRONT] = "front", NULL};
WORDS_OF(positions, VB_PROMPT_FRONT + 1);
static const char *const shared_names[] = {
    [VB_SHARED_SAME] = "same", [VB_SHARED_DIFFERENT] = "different", [VB_SHARED_MERGE] = "merge", [VB_SHARED_DROP] = "drop", NULL};
WORDS_OF(shared_names, VB_SHARED_DROP + 1);

static const vb_option experiment_options[] = {
    {.key = "experiment",
     .kind = VB_OPTION_TEXT,
     .offset = offsetof(vb_experiment, name),
     .required = true,
     .help = "name of the experiment"},
    {.key = "protocol",
     .kind = VB_OPTION_CHOICE,
     .offset = offsetof(vb_experiment, protocol),
     .fallback = "exact",
     .choices = protocols,
     .help = "average over all orders of arrival, or over sampled ones"},
    {.key = "trials",
     .kind = VB_OPTION_INTEGER,
     .offset = offsetof(vb_experiment, trials),
     .fallback = "3",
     .low = 1,
     .high = 100000,
     .unit = "permutations",
     .help = "orders drawn for each target vocabulary (sampled); orders of names (open_set, calibration)"},
    {.key = "seed",
     .kind = VB_OPTION_INTEGER,
     .offset = offsetof(vb_experiment, seed),
     .fallback = "42",
     .high = 4294967295.0,
     .help = "seed of numpy's legacy generator (sampled, and for orders of names)"},
    {.key = "union_permutations",
     .kind = VB_OPTION_INTEGER,
     .offset = offsetof(vb_experiment, union_permutations),
     .fallback = "1000",
     .low = 2,
     .high = 1000000,
     .unit = "permutations",
     .help = "for acc_e_union where it has no closed form (over 20 vocabularies of unequal image counts)"},
    {.key = "limit",
     .kind = VB_OPTION_INTEGER,
     .offset = offsetof(vb_experiment, limit),
     .unset = true,
     .low = 1,
     .high = 1000000000,
     .unit = "images",
     .help = "of each class at most, the first ones: a quick look, which results, tables and reports say [all]",
     .flag = "N",
     .flag_help = "look at the first N images of each class alone"},
    {.key = "on_cut",
     .kind = VB_OPTION_CHOICE,
     .offset = offsetof(vb_experiment, text_rules.cut),
     .unset = true,
     .choices = on_fault,
     .help = "what a class text that is longer than a model's context does: stop the run [error], or be cut and counted"},
    {.key = "on_equal",
     .kind = VB_OPTION_CHOICE,
     .offset = offsetof(vb_experiment, text_rules.equal),
     .unset = true,
     .choices = on_fault,
     .help = "what classes of equal texts do: stop the run, or be counted [error; of precomputed models allow]"},
    {.key = "per_image",
     .kind = VB_OPTION_BOOLEAN,
     .offset = offsetof(vb_experiment, per_image),
     .machine = true,
     .fallback = "false",
     .help = "write a record for every image (records/*.jsonl.zst)",
     .flag_help = "write a record for every image"},
    {.key = "latex",
     .kind = VB_OPTION_BOOLEAN,
     .offset = offsetof(vb_experiment, latex),
     .machine = true,
     .fallback = "false",
     .help = "write table.tex as well"},
    {.key = "output",
     .kind = VB_OPTION_PATH,
     .offset = offsetof(vb_experiment, output),
     .machine = true,
     .help = "folder of the results [results/EXPERIMENT]",
     .flag = "DIR"},
    {.key = "cache",
     .kind = VB_OPTION_PATH,
     .offset = offsetof(vb_experiment, cache),
     .machine = true,
     .help = "folder of encoded units; may be shared by experiments [OUTPUT/cache]",
     .flag = "DIR",
     .flag_help = "folder of encoded units"},
    {.key = "scratch",
     .kind = VB_OPTION_PATH,
     .offset = offsetof(vb_experiment, scratch),
     .machine = true,
     .help = "folder on a disk of every machine: weights and shards are copied there first, as far as there is room, and removed "
             "at the end",
     .flag = "DIR",
     .flag_help = "copy weights and shards to this folder of every machine first"},
    {.key = "only_model",
     .kind = VB_OPTION_TEXT,
     .offset = offsetof(vb_experiment, only_model),
     .machine = true,
     .help = "evaluate this model alone; the configuration stays that of the whole, so that 'merge' can join the parts",
     .flag = "NAME",
     .flag_help = "evaluate this model alone, as a part that 'merge' joins"},
    {.key = "only_dataset",
     .kind = VB_OPTION_TEXT,
     .offset = offsetof(vb_experiment, only_dataset),
     .machine = true,
     .help = "evaluate on this dataset or expansion alone; the configuration stays that of the whole, so that 'merge' can join",
     .flag = "NAME",
     .flag_help = "evaluate on this dataset or expansion alone, as a part that 'merge' joins"},
    {.key = "batch",
     .kind = VB_OPTION_INTEGER,
     .offset = offsetof(vb_experiment, batch),
     .machine = true,
     .fallback = "16",
     .low = 1,
     .high = 4096,
     .unit = "images",
     .help = "encoded at once; changes speed and memory, never a result",
     .flag = "N",
     .flag_help = "images encoded at once"},
    {.key = "threads",
     .kind = VB_OPTION_INTEGER,
     .offset = offsetof(vb_experiment, threads),
     .machine = true,
     .fallback = "0",
     .high = 1024,
     .unit = "threads",
     .help = "a rank; 0: OMP_NUM_THREADS, else the cores it may use, shared by the ranks on them",
     .flag = "N",
     .flag_help = "threads a rank"},
    {.key = "decode_memory",
     .kind = VB_OPTION_INTEGER,
     .offset = offsetof(vb_experiment, decode_memory),
     .machine = true,
     .fallback = "512",
     .low = 1,
     .high = 1 << 20,
     .unit = "MiB",
     .help = "a rank, for decoding images: more than that waits, and an image that needs more alone is refused",
     .flag = "MIB",
     .flag_help = "memory a rank for decoding images, in MiB"},
    {.key = "device",
     .kind = VB_OPTION_CHOICE,
     .offset = offsetof(vb_experiment, device),
     .machine = true,
     .fallback = "cpu",
     .choices = devices,
     .help = "where models are computed: gpu takes OpenCL's devices in turn, auto those that prove themselves; the same bytes",
     .flag = "cpu|gpu|auto",
     .flag_help = "where models are computed: the same bytes"},
    {.key = "device_check",
     .kind = VB_OPTION_CHOICE,
     .offset = offsetof(vb_experiment, device_check),
     .machine = true,
     .fallback = "strict",
     .choices = device_checks,
     .flag = "strict|tolerate",
     .help = "a device that gives other bits than the CPU at the start: an error, or used, and the results say so"},
    {.key = "ranks_per_model",
     .kind = VB_OPTION_INTEGER,
     .offset = offsetof(vb_experiment, ranks_per_model),
     .machine = true,
     .fallback = "0",
     .high = 1 << 20,
     .unit = "ranks",
     .help = "at most, of a group that evaluates models beside other groups; 0: as many groups as end soonest",
     .flag = "N",
     .flag_help = "ranks of a group, at most"},
    {.key = "similarity_engine",
     .kind = VB_OPTION_CHOICE,
     .offset = offsetof(vb_experiment, similarity_engine),
     .machine = true,
     .fallback = "replicated",
     .choices = engines,
     .help =
         "text embeddings whole on every rank, or divided among the ranks for label sets too large for that; the same results"},
    {.key = "corpora", .kind = VB_OPTION_CUSTOM, .help = "list of corpora for retrieval"},
    {.key = "retrieval", .kind = VB_OPTION_CUSTOM, .help = "retrieval-enhanced prompts (REPE) for all models"},
    {.key = "analyses", .kind = VB_OPTION_CUSTOM, .help = "list of analyses, named below: why a model is stable or not"},
    {.key = "hierarchy", .kind = VB_OPTION_CUSTOM, .help = "where the analysis hierarchy finds WordNet"},
    {.key = "prompt_spread", .kind = VB_OPTION_CUSTOM, .help = "which texts the analysis prompt_spread varies"},
    {.key = "open_curve",
     .kind = VB_OPTION_CUSTOM,
     .help = "foreign names of the analysis open_curve; of open_set and calibration, where it is given"},
    {.key = "adversarial", .kind = VB_OPTION_CUSTOM, .help = "candidate names that take most images from a vocabulary"},
    {.key = "datasets", .kind = VB_OPTION_CUSTOM, .required = true, .help = "list of datasets"},
    {.key = "expansions", .kind = VB_OPTION_CUSTOM, .help = "list of expansions: several datasets, each one vocabulary"},
    {.key = "models", .kind = VB_OPTION_CUSTOM, .required = true, .help = "list of models"},
    {0},
};

static const vb_option dataset_options[] = {
    {.key = "name",
     .kind = VB_OPTION_TEXT,
     .offset = offsetof(vb_dataset_spec, name),
     .required = true,
     .help = "name of the dataset"},
    {.key = "images",
     .kind = VB_OPTION_PATH,
     .offset = offsetof(vb_dataset_spec, images),
     .help = "folder of class folders, WebDataset .tar/.tar.zst (glob) or CIFAR-10/100 binary; not needed by precomputed models"},
    {.key = "vocabularies",
     .kind = VB_OPTION_PATH,
     .offset = offsetof(vb_dataset_spec, vocabularies),
     .required = true,
     .help = "vocabulary file"},
    {.key = "class_names",
     .kind = VB_OPTION_PATH,
     .offset = offsetof(vb_dataset_spec, class_names),
     .help = "file with the names of integer labels, one a line"},
    {.key = "names",
     .kind = VB_OPTION_PATH,
     .offset = offsetof(vb_dataset_spec, names),
     .help = "file with the classes' names for prompts by their ids: 'ID<tab>NAME' a line, or a .json object"},
    {.key = "language",
     .kind = VB_OPTION_TEXT,
     .offset = offsetof(vb_dataset_spec, language),
     .help = "what language the names are of, for results and report"},
    {.key = "labels",
     .kind = VB_OPTION_PATH,
     .offset = offsetof(vb_dataset_spec, labels),
     .help = "JSON list of every image's right labels, a list each (ReaL), instead of the data's own labels"},
    {.key = "on_error",
     .kind = VB_OPTION_CHOICE,
     .offset = offsetof(vb_dataset_spec, on_error),
     .fallback = "strict",
     .choices = on_error,
     .help = "what a broken image does: stop the run, or be counted and listed"},
    {.key = "on_unmatched",
     .kind = VB_OPTION_CHOICE,
     .offset = offsetof(vb_dataset_spec, on_unmatched),
     .fallback = "error",
     .choices = on_unmatched,
     .help = "what labels do that match no class and look like a fault: stop the run, or have their images left out and counted"},
    {.key = "prompts",
     .kind = VB_OPTION_CUSTOM,
     .help = "list of templates, or the name of a list in configs/prompts, for models without prompts of their own"},
    {0},
};

static const vb_option expansion_options[] = {
    {.key = "name",
     .kind = VB_OPTION_TEXT,
     .offset = offsetof(vb_dataset_spec, name),
     .required = true,
     .help = "name of the expansion"},
    {.key = "datasets",
     .kind = VB_OPTION_CUSTOM,
     .required = true,
     .help = "names of two or more datasets: each becomes one vocabulary"},
    {.key = "shared_names",
     .kind = VB_OPTION_CHOICE,
     .offset = offsetof(vb_dataset_spec, shared_names),
     .fallback = "same",
     .choices = shared_names,
     .help = "what classes of one name in several datasets are: the same thing, different things, one class, or left out"},
    {0},
};

/* clang-format off */
/* What a model's files may leave open: each key goes before what files beside the weights tell. `base`: where vb_stated_facts
 * lies. */
#define FACT(base, name) .key = #name, .offset = (base) + offsetof(vb_stated_facts, name), .unset = true
#define ACTIVATIONS .kind = VB_OPTION_CHOICE, .choices = activations, .flag = "quick_gelu|gelu|gelu_tanh"
#define HEADS .kind = VB_OPTION_INTEGER, .low = 1, .high = 1024, .flag = "N"
#define EPSILON .kind = VB_OPTION_REAL, .low = 1e-20, .high = 1, .flag = "E"
#define FACT_OPTIONS(base) \
    {FACT(base, activation), ACTIVATIONS, .help = "of both towers, where no file beside the weights tells"}, \
    {FACT(base, image_activation), ACTIVATIONS, .help = "of the image tower alone"}, \
    {FACT(base, text_activation), ACTIVATIONS, .help = "of the text tower alone"}, \
    {FACT(base, image_heads), HEADS, .help = "attention heads of the image tower"}, \
    {FACT(base, text_heads), HEADS, .help = "attention heads of the text tower"}, \
    {FACT(base, image_epsilon), EPSILON, .help = "of the image tower's LayerNorm"}, \
    {FACT(base, text_epsilon), EPSILON, .help = "of the text tower's LayerNorm"}, \
    {FACT(base, convention), .kind = VB_OPTION_CHOICE, .choices = vb_convention_names, .flag = "NAME", \
     .help = "how texts become tokens: cleaning, ids around them, padding"}, \
    {FACT(base, cleaning), .kind = VB_OPTION_CHOICE, .choices = vb_text_cleanup_names, \
     .flag = "none|whitespace|lower|canonicalize", .help = "of texts, before they are cut into tokens"}, \
    {FACT(base, text_mask), .kind = VB_OPTION_CHOICE, .choices = vb_family_text_masks + 1, .flag = "causal|none|padding", \
     .help = "rows of a text that a row sees: those up to it, all, padding included, or all but the padding"}, \
    {FACT(base, text_pooling), .kind = VB_OPTION_CHOICE, .choices = vb_family_text_poolings + 1, .flag = "end|last|first|mean", \
     .help = "row that a text's embedding is made from: the end token's, the context's last, the first, or the mean of all"}, \
    {FACT(base, start_token), .kind = VB_OPTION_INTEGER, .low = 0, .high = 1 << 24, .flag = "ID", \
     .help = "id with which texts begin, where it is not the convention's: NLLB's language"}, \
    {FACT(base, end_token), .kind = VB_OPTION_INTEGER, .low = 0, .high = 1 << 24, .flag = "ID", \
     .help = "id at whose first place texts are pooled; 0: the highest id"}, \
    {FACT(base, resolution), .kind = VB_OPTION_INTEGER, .low = 1, .high = 4096, .flag = "R", .help = "side of the images"}, \
    {FACT(base, max_patches), .kind = VB_OPTION_INTEGER, .low = 1, .high = 4096, .flag = "N", \
     .help = "patches of an image at most, of models that see any shape (SigLIP 2 NaFlex)"}, \
    {FACT(base, resize), .kind = VB_OPTION_CHOICE, .choices = vb_preprocess_resizes, .flag = "shortest|squash|longest", \
     .help = "short side and centre crop, both sides, or long side in a frame of zeros"}, \
    {FACT(base, resize_to), .kind = VB_OPTION_INTEGER, .low = 1, .high = 8192, .flag = "R", \
     .help = "side to which images are resized before a centre crop to their side"}, \
    {FACT(base, interpolation), .kind = VB_OPTION_CHOICE, .choices = vb_preprocess_filters, .flag = "bicubic|bilinear", \
     .help = "filter of the resize"}, \
    {FACT(base, crop), .kind = VB_OPTION_CHOICE, .choices = vb_preprocess_crops, .flag = "round|floor", \
     .help = "where a centre crop begins: half of what is too much, to even (OpenAI) or down (Hugging Face)"}, \
    {FACT(base, preprocessing), .kind = VB_OPTION_CHOICE, .choices = preprocessings, .flag = "openai|rgb_first", \
     .help = "resize in the image's own mode, or convert to RGB first"}, \
    {FACT(base, precision), .kind = VB_OPTION_CHOICE, .choices = precisions, .flag = "fp32|bf16x3|fastest", \
     .help = "of the towers' products: fp32, three products of bf16, or those where every rank finds them faster [fp32]"}, \
    {FACT(base, mean), .kind = VB_OPTION_TRIPLE, .low = -1000, .high = 1000, .flag = "M", \
     .help = "of the values from 0 to 1: three numbers, or one"}, \
    {FACT(base, std), .kind = VB_OPTION_TRIPLE, .low = 1e-6, .high = 1000, .flag = "S", .help = "as mean"}

/* clang-format on */

static const vb_option fact_options[] = {FACT_OPTIONS(0), {0}};

static const vb_option model_options[] = {
    {.key = "name",
     .kind = VB_OPTION_TEXT,
     .offset = offsetof(vb_model_spec, name),
     .required = true,
     .help = "name of the model"},
    {.key = "family",
     .kind = VB_OPTION_CHOICE,
     .offset = offsetof(vb_model_spec, family),
     .unset = true,
     .choices = families,
     .help = "kind of model; precomputed: embeddings made elsewhere [found from the tensors' names]"},
    {.key = "weights",
     .kind = VB_OPTION_PATH,
     .offset = offsetof(vb_model_spec, weights),
     .help = "checkpoint, safetensors or PyTorch, or a repository folder"},
    {.key = "tokenizer",
     .kind = VB_OPTION_PATH,
     .offset = offsetof(vb_model_spec, tokenizer),
     .help = "OpenAI's merges, vocab.json, a SentencePiece .model, vocab.txt, tokenizer.json, or a folder with one of them "
             "[beside the weights]"},
    {.key = "prompts",
     .kind = VB_OPTION_CUSTOM,
     .help = "list of templates with one {} each, the name of a list in "
             "configs/prompts, or {coop: FILE, position: end|middle|front}"},
    {.key = "retrieval", .kind = VB_OPTION_CUSTOM, .help = "retrieval-enhanced prompts (REPE) for this model"},
    FACT_OPTIONS(offsetof(vb_model_spec, stated)),
    {.key = "similarity",
     .kind = VB_OPTION_CHOICE,
     .offset = offsetof(vb_model_spec, similarity),
     .fallback = "cosine",
     .choices = vb_score_names,
     .help = "cosine, or the dot product with the text embeddings as they are"},
    {.key = "logit_scale",
     .kind = VB_OPTION_REAL,
     .offset = offsetof(vb_model_spec, logit_scale),
     .unset = true,
     .low = 1e-6,
     .high = 1e6,
     .help = "what similarities are multiplied by before a softmax, for open_set and calibration [the weights']"},
    {.key = "dataset",
     .kind = VB_OPTION_TEXT,
     .offset = offsetof(vb_model_spec, embeddings.dataset),
     .help = "the dataset that precomputed embeddings belong to, where there are several"},
    {.key = "image_embeddings",
     .kind = VB_OPTION_PATH,
     .offset = offsetof(vb_model_spec, embeddings.image_embeddings),
     .help = ".npy, images x dimensions (precomputed)"},
    {.key = "text_embeddings",
     .kind = VB_OPTION_PATH,
     .offset = offsetof(vb_model_spec, embeddings.text_embeddings),
     .help = ".npy, classes x dimensions, in the order of the vocabulary file (precomputed)"},
    {.key = "labels",
     .kind = VB_OPTION_PATH,
     .offset = offsetof(vb_model_spec, embeddings.labels),
     .help = ".npy of class indices in that order, .txt or .json of class names or ids, or .json of lists of right ones "
             "(precomputed)"},
    {.key = "text_names",
     .kind = VB_OPTION_PATH,
     .offset = offsetof(vb_model_spec, embeddings.text_names),
     .help = "names or ids of text_embeddings' rows, one a line, where they are not the vocabulary file's order"},
    {.key = "label_names",
     .kind = VB_OPTION_PATH,
     .offset = offsetof(vb_model_spec, embeddings.label_names),
     .help = "names or ids that integer labels index, one a line, where they do not index the vocabulary file's order"},
    {.key = "embeddings",
     .kind = VB_OPTION_CUSTOM,
     .help = "instead of these, for several datasets: a list of maps of dataset, image_embeddings, text_embeddings, labels ..."},
    {0},
};

/* An entry of a precomputed model's list `embeddings`. */
static const vb_option embeddings_options[] = {
    {.key = "dataset",
     .kind = VB_OPTION_TEXT,
     .offset = offsetof(vb_embeddings_spec, dataset),
     .required = true,
     .help = "the dataset they belong to"},
    {.key = "image_embeddings",
     .kind = VB_OPTION_PATH,
     .offset = offsetof(vb_embeddings_spec, image_embeddings),
     .required = true,
     .help = "as of a model"},
    {.key = "text_embeddings",
     .kind = VB_OPTION_PATH,
     .offset = offsetof(vb_embeddings_spec, text_embeddings),
     .required = true,
     .help = "as of a model"},
    {.key = "labels",
     .kind = VB_OPTION_PATH,
     .offset = offsetof(vb_embeddings_spec, labels),
     .required = true,
     .help = "as of a model"},
    {.key = "text_names", .kind = VB_OPTION_PATH, .offset = offsetof(vb_embeddings_spec, text_names), .help = "as of a model"},
    {.key = "label_names", .kind = VB_OPTION_PATH, .offset = offsetof(vb_embeddings_spec, label_names), .help = "as of a model"},
    {0},
};

static const vb_option coop_options[] = {
    {.key = "coop",
     .kind = VB_OPTION_PATH,
     .offset = offsetof(vb_model_spec, coop),
     .required = true,
     .help = "CoOp checkpoint (model.pth.tar-50)"},
    {.key = "position",
     .kind = VB_OPTION_CHOICE,
     .offset = offsetof(vb_model_spec, coop_position),
     .fallback = "end",
     .choices = positions,
     .help = "where the class name stands among the learned tokens"},
    {0},
};

const vb_option *vb_experiment_tables_root(void) { return experiment_options; }
const vb_option *vb_experiment_tables_dataset(void) { return dataset_options; }
const vb_option *vb_experiment_tables_expansion(void) { return expansion_options; }
const vb_option *vb_experiment_tables_model(void) { return model_options; }
const vb_option *vb_experiment_tables_facts(void) { return fact_options; }
const vb_option *vb_experiment_tables_embeddings(void) { return embeddings_options; }
const vb_option *vb_experiment_tables_coop(void) { return coop_options; }

const char *vb_experiment_tables_family_word(int family) {
    assert(family >= VB_FAMILY_FOUND && family <= VB_PRECOMPUTED);
    return family == VB_FAMILY_FOUND ? "not stated" : families[family];
}
