/* The option tables of the experiment file. */
#include "mpi/experiment/experiment.h"

static const char *const protocols[] = {"exact", "sampled", NULL};
static const char *const on_error[] = {"strict", "skip", NULL};
static const char *const families[] = {"clip", "slip", "declip", "precomputed", NULL};
static const char *const activations[] = {"family", "quick_gelu", "gelu", NULL};
static const char *const preprocessings[] = {"openai", "rgb_first", NULL};
static const char *const similarities[] = {"cosine", "dot", NULL};
static const char *const engines[] = {"replicated", "scalapack", NULL};
static const char *const positions[] = {"end", "middle", "front", NULL};
static const char *const shared_names[] = {"same", "different", "merge", "drop", NULL};

#define AT(type, field) offsetof(type, field)

static const vb_option experiment_options[] = {
    {"experiment", VB_TEXT, AT(vb_experiment, name), true, false, NULL, 0, 0, NULL, NULL, "name of the experiment"},
    {"protocol", VB_CHOICE, AT(vb_experiment, protocol), false, false, "exact", 0, 0, protocols, NULL,
     "average over all orders of arrival, or over sampled ones"},
    {"trials", VB_INTEGER, AT(vb_experiment, trials), false, false, "3", 1, 100000, NULL, "permutations",
     "orders drawn for each target vocabulary (sampled)"},
    {"seed", VB_INTEGER, AT(vb_experiment, seed), false, false, "42", 0, 4294967295.0, NULL, NULL,
     "seed of numpy's legacy generator (sampled)"},
    {"union_permutations", VB_INTEGER, AT(vb_experiment, union_permutations), false, false, "1000", 2, 1000000, NULL,
     "permutations", "for acc_e_union where it has no closed form (over 20 vocabularies of unequal image counts)"},
    {"per_image", VB_BOOLEAN, AT(vb_experiment, per_image), false, true, "false", 0, 0, NULL, NULL,
     "write a record for every image (records/*.jsonl.zst)"},
    {"latex", VB_BOOLEAN, AT(vb_experiment, latex), false, true, "false", 0, 0, NULL, NULL, "write table.tex as well"},
    {"output", VB_PATH, AT(vb_experiment, output), false, true, NULL, 0, 0, NULL, NULL,
     "folder of the results [results/EXPERIMENT]"},
    {"cache", VB_PATH, AT(vb_experiment, cache), false, true, NULL, 0, 0, NULL, NULL,
     "folder of encoded units; may be shared by experiments [OUTPUT/cache]"},
    {"only_model", VB_TEXT, AT(vb_experiment, only_model), false, true, NULL, 0, 0, NULL, NULL,
     "evaluate this model alone; the configuration stays that of the whole, so that 'merge' can join the parts"},
    {"batch", VB_INTEGER, AT(vb_experiment, batch), false, true, "16", 1, 4096, NULL, "images",
     "encoded at once; changes speed and memory, never a result"},
    {"threads", VB_INTEGER, AT(vb_experiment, threads), false, true, "0", 0, 1024, NULL, "threads",
     "a rank; 0: OMP_NUM_THREADS, else the cores it may use, shared by the ranks on them"},
    {"ranks_per_model", VB_INTEGER, AT(vb_experiment, ranks_per_model), false, true, "0", 0, 1 << 20, NULL, "ranks",
     "at most, of a group that evaluates models beside other groups; 0: as many groups as end soonest"},
    {"similarity_engine", VB_CHOICE, AT(vb_experiment, similarity_engine), false, true, "replicated", 0, 0, engines, NULL,
     "text embeddings whole on every rank, or divided among the ranks for label sets too large for that; the same results"},
    {"corpora", VB_CUSTOM, 0, false, false, NULL, 0, 0, NULL, NULL, "list of corpora for retrieval"},
    {"retrieval", VB_CUSTOM, 0, false, false, NULL, 0, 0, NULL, NULL, "retrieval-enhanced prompts (REPE) for all models"},
    {"analyses", VB_CUSTOM, 0, false, false, NULL, 0, 0, NULL, NULL,
     "list of margin, similarity, alignment, uniformity, spectrum, order: why a model is stable or not"},
    {"adversarial", VB_CUSTOM, 0, false, false, NULL, 0, 0, NULL, NULL,
     "candidate names that take most images from a vocabulary"},
    {"datasets", VB_CUSTOM, 0, true, false, NULL, 0, 0, NULL, NULL, "list of datasets"},
    {"expansions", VB_CUSTOM, 0, false, false, NULL, 0, 0, NULL, NULL,
     "list of expansions: several datasets, each one vocabulary"},
    {"models", VB_CUSTOM, 0, true, false, NULL, 0, 0, NULL, NULL, "list of models"},
    {0}};

static const vb_option dataset_options[] = {
    {"name", VB_TEXT, AT(vb_dataset_spec, name), true, false, NULL, 0, 0, NULL, NULL, "name of the dataset"},
    {"images", VB_PATH, AT(vb_dataset_spec, images), false, false, NULL, 0, 0, NULL, NULL,
     "folder of class folders, WebDataset .tar/.tar.zst (glob) or CIFAR-10/100 binary; not needed by precomputed models"},
    {"vocabularies", VB_PATH, AT(vb_dataset_spec, vocabularies), true, false, NULL, 0, 0, NULL, NULL, "vocabulary file"},
    {"class_names", VB_PATH, AT(vb_dataset_spec, class_names), false, false, NULL, 0, 0, NULL, NULL,
     "file with the names of integer labels, one a line"},
    {"on_error", VB_CHOICE, AT(vb_dataset_spec, on_error), false, false, "strict", 0, 0, on_error, NULL,
     "what a broken image does: stop the run, or be counted and listed"},
    {"prompts", VB_CUSTOM, 0, false, false, NULL, 0, 0, NULL, NULL,
     "list of templates, or the name of a list in configs/prompts, for models without prompts of their own"},
    {0}};

static const vb_option expansion_options[] = {
    {"name", VB_TEXT, AT(vb_dataset_spec, name), true, false, NULL, 0, 0, NULL, NULL, "name of the expansion"},
    {"datasets", VB_CUSTOM, 0, true, false, NULL, 0, 0, NULL, NULL, "names of two or more datasets: each becomes one vocabulary"},
    {"shared_names", VB_CHOICE, AT(vb_dataset_spec, shared_names), false, false, "same", 0, 0, shared_names, NULL,
     "what classes of one name in several datasets are: the same thing, different things, one class, or left out"},
    {0}};

static const vb_option model_options[] = {
    {"name", VB_TEXT, AT(vb_model_spec, name), true, false, NULL, 0, 0, NULL, NULL, "name of the model"},
    {"family", VB_CHOICE, AT(vb_model_spec, family), true, false, NULL, 0, 0, families, NULL, "kind of model"},
    {"weights", VB_PATH, AT(vb_model_spec, weights), false, false, NULL, 0, 0, NULL, NULL, "checkpoint: safetensors or PyTorch"},
    {"tokenizer", VB_PATH, AT(vb_model_spec, tokenizer), false, false, NULL, 0, 0, NULL, NULL,
     "bpe_simple_vocab_16e6.txt.gz, or vocab.json with merges.txt beside it"},
    {"prompts", VB_CUSTOM, 0, false, false, NULL, 0, 0, NULL, NULL,
     "list of templates with one {} each, the name of a list in configs/prompts, or {coop: FILE, position: end|middle|front}"},
    {"retrieval", VB_CUSTOM, 0, false, false, NULL, 0, 0, NULL, NULL, "retrieval-enhanced prompts (REPE) for this model"},
    {"activation", VB_CHOICE, AT(vb_model_spec, activation), false, false, "family", 0, 0, activations, NULL,
     "of an open_clip model: quick_gelu or gelu"},
    {"preprocessing", VB_CHOICE, AT(vb_model_spec, preprocessing), false, false, "openai", 0, 0, preprocessings, NULL,
     "resize in the image's own mode, or convert to RGB first"},
    {"similarity", VB_CHOICE, AT(vb_model_spec, similarity), false, false, "cosine", 0, 0, similarities, NULL,
     "cosine, or the dot product with the text embeddings as they are"},
    {"dataset", VB_TEXT, AT(vb_model_spec, embeddings.dataset), false, false, NULL, 0, 0, NULL, NULL,
     "the dataset that precomputed embeddings belong to, where there are several"},
    {"image_embeddings", VB_PATH, AT(vb_model_spec, embeddings.image_embeddings), false, false, NULL, 0, 0, NULL, NULL,
     ".npy, images x dimensions (precomputed)"},
    {"text_embeddings", VB_PATH, AT(vb_model_spec, embeddings.text_embeddings), false, false, NULL, 0, 0, NULL, NULL,
     ".npy, classes x dimensions, in the order of the vocabulary file (precomputed)"},
    {"labels", VB_PATH, AT(vb_model_spec, embeddings.labels), false, false, NULL, 0, 0, NULL, NULL,
     ".npy of class indices in that order, or .txt of class names or ids (precomputed)"},
    {"text_names", VB_PATH, AT(vb_model_spec, embeddings.text_names), false, false, NULL, 0, 0, NULL, NULL,
     "names or ids of text_embeddings' rows, one a line, where they are not the vocabulary file's order"},
    {"label_names", VB_PATH, AT(vb_model_spec, embeddings.label_names), false, false, NULL, 0, 0, NULL, NULL,
     "names or ids that integer labels index, one a line, where they do not index the vocabulary file's order"},
    {"embeddings", VB_CUSTOM, 0, false, false, NULL, 0, 0, NULL, NULL,
     "instead of these, for several datasets: a list of maps of dataset, image_embeddings, text_embeddings, labels ..."},
    {0}};

/* An entry of a precomputed model's list `embeddings`. */
static const vb_option embeddings_options[] = {
    {"dataset", VB_TEXT, AT(vb_embeddings_spec, dataset), true, false, NULL, 0, 0, NULL, NULL, "the dataset they belong to"},
    {"image_embeddings", VB_PATH, AT(vb_embeddings_spec, image_embeddings), true, false, NULL, 0, 0, NULL, NULL, "as of a model"},
    {"text_embeddings", VB_PATH, AT(vb_embeddings_spec, text_embeddings), true, false, NULL, 0, 0, NULL, NULL, "as of a model"},
    {"labels", VB_PATH, AT(vb_embeddings_spec, labels), true, false, NULL, 0, 0, NULL, NULL, "as of a model"},
    {"text_names", VB_PATH, AT(vb_embeddings_spec, text_names), false, false, NULL, 0, 0, NULL, NULL, "as of a model"},
    {"label_names", VB_PATH, AT(vb_embeddings_spec, label_names), false, false, NULL, 0, 0, NULL, NULL, "as of a model"},
    {0}};

static const vb_option coop_options[] = {{"coop", VB_PATH, AT(vb_model_spec, coop), true, false, NULL, 0, 0, NULL, NULL,
                                          "CoOp checkpoint (model.pth.tar-50)"},
                                         {"position", VB_CHOICE, AT(vb_model_spec, coop_position), false, false, "end", 0, 0,
                                          positions, NULL, "where the class name stands among the learned tokens"},
                                         {0}};

const vb_option *vb_experiment_tables_root(void) { return experiment_options; }
const vb_option *vb_experiment_tables_dataset(void) { return dataset_options; }
const vb_option *vb_experiment_tables_expansion(void) { return expansion_options; }
const vb_option *vb_experiment_tables_model(void) { return model_options; }
const vb_option *vb_experiment_tables_embeddings(void) { return embeddings_options; }
const vb_option *vb_experiment_tables_coop(void) { return coop_options; }

const char *vb_experiment_tables_family_word(int family) { return families[family]; }
