/* What commands refuse, each with its code and the text that names the place: settings, files and folders that do not fit. Whole
 * commands on one rank, in this process. */
#include "tests/unit/mpi/commands.h"
#include "kernels/base/fault.h"
#include "mpi/retrieve/scan_state.h"

/* x.yaml of a case: an experiment over embeddings made elsewhere, with these lines in front, and these keys of its model. */
#define GIVEN(lines, keys)                                                                                                       \
    "experiment: x\n" lines "datasets: [{name: d, vocabularies: v.yaml}]\n"                                                      \
    "models: [{name: m, family: precomputed, image_embeddings: i.npy, text_embeddings: t.npy, labels: y.txt" keys "}]\n"
#define RUN                                                                                                                      \
    { "run", "x.yaml", "--output", "x" }
#define ENCODED(lines, data, weights)                                                                                            \
    "experiment: x\n" lines "datasets: [{name: d, " data ", vocabularies: v.yaml}]\n"                                            \
    "models: [{name: m, activation: gelu, weights: " weights ", tokenizer: tok, prompts: ['{}']}]\n"
#define JOINED(second)                                                                                                           \
    "experiment: x\ndatasets: [{name: d, vocabularies: v.yaml}, {name: e, vocabularies: v.yaml}]\n"                              \
    "expansions: [{name: x, datasets: [d, e], shared_names: merge}]\n"                                                           \
    "models: [{name: m, family: precomputed, embeddings: [{dataset: d, image_embeddings: i.npy, text_embeddings: t.npy, "        \
    "labels: y.txt}, " second "]}]\n"
#define CHECK                                                                                                                    \
    { "check", "x.yaml" }

typedef struct refusal {
    const char *words[12];
    int code;
    const char *text;
    const char *yaml; /* x.yaml; NULL: as it was */
} refusal;

static void are_refused(const refusal *cases, size_t count) {
    for (size_t i = 0; i < count; i++) {
        if (cases[i].yaml) put_text("x.yaml", cases[i].yaml);
        outcome found = run_words(cases[i].words, NULL);
        if (!found.status) fail_msg("case %zu, '%s': goes through", i, cases[i].text);
        if (found.err.code != cases[i].code || !strstr(found.err.text, cases[i].text))
            fail_msg("case %zu: expected %d, '%s'; found %d, '%s'", i, cases[i].code, cases[i].text, found.err.code,
                     found.err.text);
    }
}
#define ARE_REFUSED(cases) are_refused(cases, sizeof(cases) / sizeof *(cases))

/* A copy of m.safetensors with the tensors of the image tower alone, or with all others. */
static void put_tower(const char *path, bool image) {
    static char file[1 << 21], data[1 << 21];
    uint64_t length, filled = 0;
    FILE *from = fopen("m.safetensors", "rb");
    assert_non_null(from);
    const size_t size = fread(file, 1, sizeof file, from);
    fclose(from);
    assert_true(size < sizeof file);
    memcpy(&length, file, sizeof length);
    json_t *header = json_loadb(file + sizeof length, length, 0, NULL), *tensor;
    const char *name;
    void *next;
    json_object_foreach_safe(header, next, name, tensor) {
        json_t *place = json_object_get(tensor, "data_offsets");
        if (!place || !strncmp(name, "visual.", 7) != image) {
            json_object_del(header, name);
            continue;
        }
        const int64_t first = json_integer_value(json_array_get(place, 0)), end = json_integer_value(json_array_get(place, 1));
        memcpy(data + filled, file + sizeof length + length + first, (size_t)(end - first));
        json_integer_set(json_array_get(place, 0), (json_int_t)filled);
        json_integer_set(json_array_get(place, 1), (json_int_t)(filled += (uint64_t)(end - first)));
    }
    char *text = json_dumps(header, JSON_COMPACT);
    length = strlen(text);
    memcpy(file, &length, sizeof length);
    memcpy(file + sizeof length, text, length);
    memcpy(file + sizeof length + length, data, filled);
    put_file(path, file, sizeof length + length + filled);
    free(text);
    json_decref(header);
}

static void command_lines(void **state) {
    (void)state;
    put_tower("texts.safetensors", false);
    put_text("list.yaml", "a: b\n");
    static const refusal cases[] = {
        {.words = {"retrieve", "--queries", "t.npy", "--corpus", "parts", "--top-k", "2"},
         .code = VB_EUSAGE,
         .text = "retrieve: --output"},
        {.words = {"submit", "given.yaml", "--partition", "p", "--time", "10", "--nodes", "1", "--by", "pair"},
         .code = VB_EUSAGE,
         .text = "--by is --array's: it has no meaning alone"},
        {.words = {"retrieve", "--queries", "t.npy", "--corpus", "parts", "--top-k", "3", "--output", "l.jsonl", "--memory",
                   "1KiB"},
         .code = VB_EMEMORY,
         .text = "6 queries with 3 hits each need"},
        {.words = {"retrieve", "--queries", "t.npy", "--corpus", "parts", "--top-k", "3", "--output", "l.jsonl", "--memory",
                   "much"},
         .code = VB_EUSAGE,
         .text = "retrieve: memory: expected a size such as 512MiB or 2GiB, found 'much'"},
        {.words = {"inspect", "list.yaml"}, .code = VB_EUNSUPPORTED, .text = "list.yaml: YAML, but no experiment"},
        {.words = {"help", "run", "--format", "man"},
         .code = VB_EUSAGE,
         .text = "help: --format man is of all commands together"},
        {.words = {"plan"}, .code = VB_EUSAGE, .text = "plan: expected FILE.yaml or --scan ROWSxDIM"},
        {.words = {"plan", "--scan", "7"}, .code = VB_EUSAGE, .text = "--scan: expected ROWSxDIMENSIONS"},
        {.words = {"plan", "--scan", "7x8", "--storage", "fp8"}, .code = VB_EUSAGE, .text = "--storage: expected fp32"},
        {.words = {"merge", "m", "nowhere"}, .code = VB_EMISSING, .text = "nowhere: no such file or folder"},
        {.words = {"submit", "given.yaml", "--partition=p", "--container-through=slurm", "--container=a://b",
                   "--container-option=--nv", "--time=10", "--nodes=1"},
         .code = VB_EUSAGE,
         .text = "--container-option is of apptainer, singularity and charliecloud: Slurm's own containers take --option"},
        {.words = {"encode", "images", "--weights", "texts.safetensors", "--activation", "gelu", "--input", "pics", "--output",
                   "o.npy"},
         .code = VB_EMISMATCH,
         .text = "texts.safetensors: no image tower in these weights"},
        {.words = {"inspect", "m.safetensors", "--family", "clop"},
         .code = VB_EMISMATCH,
         .text = "m.safetensors: the tensors are of no family known here ("},
    };
    ARE_REFUSED(cases);
}

static void submit_on_two_ranks(void **state) {
    (void)state;
    static const char *const words[] = {"submit", "given.yaml", NULL};
    world.size = 2; /* it is refused before ranks talk */
    outcome found = run_words(words, NULL);
    world.size = 1;
    assert_int_equal(found.err.code, VB_EUSAGE);
    assert_string_equal(found.err.text, "submit: expected one rank, found 2: start it without mpirun or srun");
}

static void experiments(void **state) {
    (void)state;
    put_text("empty.txt", "");
    put_text("far.txt", "0\n1\n2\n3\n4\n9\n");
    put_text("six.txt", "apple\nbear\nchair\ndolphin\nelephant\nforest\n");
    put_text("twice.json", "{\"bear.jpg\": [\"bear\"], \"bear\": [\"bear\"], \"chair\": [], \"dolphin\": [], \"elephant\": [], "
                           "\"forest\": []}");
    put_text("numbers", "1 2 3 4 5 6\n");
    put_text("side/open_clip_config.json", "{\"model_cfg\": {\"embed_dim\": 8, \"vision_cfg\": {\"image_size\": 8, "
                                           "\"timm_model_name\": \"vit_base_patch16_siglip_224\"}, \"text_cfg\": {}}}");
    put_text("narrow/parts.txt", "");
    put_tower("images.safetensors", true);
    put_tower("texts.safetensors", false);
    put_text("sets.json", "[[0],[1,2],[2],[3],[],[5,4]]");
    put_text("apart/index.noun", wordnet_index);
    put_text("apart/data.noun", wordnet_data);
    assert_int_equal(
        run_command("sed -i 's/0 001 @ 00000100 n 0000/0 000/' apart/data.noun && "
                    "'%s' random narrow/0.npy 50 4 6 && rm narrow/parts.txt && cp m.safetensors side && "
                    "sed s/logit_scale/logit_shale/ m.safetensors >unscaled.safetensors && '%s' numbers flat.npy f4 numbers && "
                    "'%s' numbers far.npy i8 numbers && "
                    "'%s' random four.npy 6 4 1",
                    npy, npy, npy, npy),
        0);
    assert_int_equal(run_command("for class in $(ls pics); do mkdir -p lone/$class; for it in pics/$class/000.*; do "
                                 "cp $it lone/$class/$class.${it##*.}; done; done"),
                     0);
    static const refusal cases[] = {
        {.words = RUN, .code = VB_ECONFIG, .text = "cache: is empty", .yaml = GIVEN("cache: ''\n", "")},
        {.words = RUN,
         .code = VB_ECONFIG,
         .text = "the key 'name' is missing",
         .yaml = "experiment: x\ndatasets: [{vocabularies: v.yaml}]\nmodels: []\n"},
        {.words = RUN,
         .code = VB_ECONFIG,
         .text = "model 'm': with several datasets, 'dataset:' must say which one",
         .yaml = "experiment: x\ndatasets: [{name: d, vocabularies: v.yaml}, {name: e, vocabularies: v.yaml}]\n"
                 "models: [{name: m, family: precomputed, image_embeddings: i.npy, text_embeddings: t.npy, labels: y.txt}]\n"},
        {.words = RUN,
         .code = VB_ECONFIG,
         .text = "two corpora are named c",
         .yaml = GIVEN("corpora: [{name: c, captions: captions.txt}, {name: c, captions: texts.txt}]\n", "")},
        {.words = RUN,
         .code = VB_ECONFIG,
         .text = "retrieval: index_model 'm' is no model of this file with weights",
         .yaml = GIVEN("corpora: [{name: c, captions: captions.txt}]\nretrieval: {corpus: c, index_model: m}\n", "")},
        {.words = RUN,
         .code = VB_ECONFIG,
         .text = "model 'm' is precomputed and encodes no queries: retrieval: 'query' needs an index_model",
         .yaml = GIVEN("corpora: [{name: c, captions: captions.txt}]\nretrieval: {corpus: c, query: 'a {}'}\n", "")},
        {.words = RUN,
         .code = VB_ECONFIG,
         .text = "corpus 'c': one of images, embeddings, captions is needed",
         .yaml = GIVEN("corpora: [{name: c}]\n", "")},
        {.words = RUN,
         .code = VB_ECONFIG,
         .text = "x.yaml:3:31: retrieval: folds: images are dealt to them by select: cross alone",
         .yaml = GIVEN("corpora: [{name: c, captions: captions.txt}]\nretrieval: {corpus: c, folds: 3}\n", "")},
        {.words = RUN,
         .code = VB_ECONFIG,
         .text = "retrieval: depth 3 is below the largest top_k 5",
         .yaml = GIVEN("corpora: [{name: c, captions: captions.txt}]\nretrieval: {corpus: c, top_k: [2, 5], depth: 3}\n", "")},
        {.words = RUN,
         .code = VB_EMISMATCH,
         .text = "nouns.txt: 5 names, but t.npy has 6 rows",
         .yaml = GIVEN("", ", text_names: nouns.txt")},
        {.words = RUN,
         .code = VB_ECONFIG,
         .text = "corpus 'c': images bring their own captions",
         .yaml = GIVEN("corpora: [{name: c, images: pics, captions: captions.txt}]\n", "")},
        {.words = RUN,
         .code = VB_ECONFIG,
         .text = "retrieval: query: the prompt 'a {} {}' has more than one {}",
         .yaml = GIVEN("corpora: [{name: c, captions: captions.txt}]\nretrieval: {corpus: c, query: 'a {} {}'}\n", "")},
        {.words = RUN,
         .code = VB_ECONFIG,
         .text = "retrieval: query: the prompt 'a {} {x}' has a brace besides its {}",
         .yaml = GIVEN("corpora: [{name: c, captions: captions.txt}]\nretrieval: {corpus: c, query: 'a {} {x}'}\n", "")},
        {.words = RUN,
         .code = VB_ECONFIG,
         .text = "corpus 'c': caption_column is of files of captions; those of images are key.txt, or caption of key.json",
         .yaml = GIVEN("corpora: [{name: c, images: pics, caption_column: text}]\n", "")},
        {.words = RUN,
         .code = VB_ECONFIG,
         .text = "corpus 'c': text_embeddings without the embeddings that it belongs to",
         .yaml = GIVEN("corpora: [{name: c, captions: captions.txt, text_embeddings: parts}]\n", "")},
        {.words = RUN,
         .code = VB_ECONFIG,
         .text = "corpus 'c': quantized without the embeddings that it belongs to",
         .yaml = GIVEN("corpora: [{name: c, captions: captions.txt, quantized: parts}]\n", "")},
        {.words = RUN,
         .code = VB_EMISSING,
         .text = "corpus 'c': no captions beside parts",
         .yaml =
             GIVEN("corpora: [{name: c, embeddings: parts, text_embeddings: parts}]\nretrieval: {corpus: c, top_k: 2}\n", "")},
        {.words = RUN,
         .code = VB_EMISMATCH,
         .text = "nouns.npy: 5 rows, but v.yaml has 6 classes; name the rows with text_names",
         .yaml = "experiment: x\ndatasets: [{name: d, vocabularies: v.yaml}]\nmodels: [{name: m, family: precomputed, "
                 "image_embeddings: i.npy, text_embeddings: nouns.npy, labels: y.txt}]\n"},
        {.words = RUN,
         .code = VB_EMISMATCH,
         .text = "twice.json: image 'bear' has two sets",
         .yaml = ENCODED("", "images: lone, labels: twice.json", "m.safetensors")},
        {.words = RUN,
         .code = VB_ECONFIG,
         .text = "dataset 'd': 'class_names' is of its images, and all models are precomputed: it belongs in a model, as "
                 "'label_names'",
         .yaml = "experiment: x\ndatasets: [{name: d, vocabularies: v.yaml, class_names: six.txt}]\nmodels: [{name: m, family: "
                 "precomputed, image_embeddings: i.npy, text_embeddings: t.npy, labels: y.txt}]\n"},
        {.words = RUN,
         .code = VB_ECONFIG,
         .text = "dataset 'd': 'labels' is of its images, and all models are precomputed: it belongs in a model, as 'labels'",
         .yaml = "experiment: x\ndatasets: [{name: d, vocabularies: v.yaml, labels: twice.json}]\nmodels: [{name: m, family: "
                 "precomputed, image_embeddings: i.npy, text_embeddings: t.npy, labels: y.txt}]\n"},
        {.words = RUN, .code = VB_ECONFIG, .text = "model 'm': there is no dataset 'none'", .yaml = GIVEN("", ", dataset: none")},
        {.words = RUN,
         .code = VB_ECONFIG,
         .text = "embeddings: expected a list of maps, one for each dataset",
         .yaml = "experiment: x\ndatasets: [{name: d, vocabularies: v.yaml}]\n"
                 "models: [{name: m, family: precomputed, embeddings: some}]\n"},
        {.words = RUN,
         .code = VB_ECONFIG,
         .text = "model 'm': there is no dataset 'none'",
         .yaml = "experiment: x\ndatasets: [{name: d, vocabularies: v.yaml}]\nmodels: [{name: m, family: precomputed, "
                 "embeddings: [{dataset: none, image_embeddings: i.npy, text_embeddings: t.npy, labels: y.txt}]}]\n"},
        {.words = RUN,
         .code = VB_EMISMATCH,
         .text = "far.txt: row 5: label 9, expected 0 to 5 (rows of label_names)",
         .yaml = "experiment: x\ndatasets: [{name: d, vocabularies: v.yaml}]\nmodels: [{name: m, family: precomputed, "
                 "image_embeddings: i.npy, text_embeddings: t.npy, labels: far.txt, label_names: six.txt}]\n"},
        {.words = RUN,
         .code = VB_ECONFIG,
         .text = "x.yaml:2:31: top_k: expected 1 to 16 numbers, found 0",
         .yaml = GIVEN("retrieval: {corpus: c, top_k: []}\ncorpora: [{name: c, captions: captions.txt}]\n", "")},
        {.words = RUN,
         .code = VB_ECONFIG,
         .text = "x.yaml:2:35: top_k: expected an integer from 1 to 1000000, found '2.5'",
         .yaml = GIVEN("retrieval: {corpus: c, top_k: [1, 2.5]}\ncorpora: [{name: c, captions: captions.txt}]\n", "")},
        {.words = RUN,
         .code = VB_ECONFIG,
         .text = "x.yaml:2:38: top_k: '1' is listed twice",
         .yaml = GIVEN("retrieval: {corpus: c, top_k: [1, 2, 1]}\ncorpora: [{name: c, captions: captions.txt}]\n", "")},
        {.words = RUN,
         .code = VB_ECONFIG,
         .text = "x.yaml:2:38: lambda: '.50' is listed twice",
         .yaml = GIVEN("retrieval: {corpus: c, lambda: [0.5, .50]}\ncorpora: [{name: c, captions: captions.txt}]\n", "")},
        {.words = RUN,
         .code = VB_ECONFIG,
         .text = "x.yaml:2:13: experiment name '.x': it must not begin with a dot",
         .yaml = "datasets: [{name: d, vocabularies: v.yaml}]\nexperiment: .x\nmodels: [{name: m, family: precomputed, "
                 "image_embeddings: i.npy, text_embeddings: t.npy, labels: y.txt}]\n"},
        {.words = RUN,
         .code = VB_ECONFIG,
         .text = "x.yaml:2:12: retrieval: memory: expected a size such as 512MiB or 2GiB, found 'much'",
         .yaml = GIVEN("retrieval: {corpus: c, memory: much}\ncorpora: [{name: c, captions: captions.txt}]\n", "")},
        {.words = RUN,
         .code = VB_ECONFIG,
         .text = "model 'm': the analysis 'calibration' needs its key 'logit_scale': its weights have none",
         .yaml = ENCODED("analyses: [calibration]\n", "images: lone", "unscaled.safetensors")},
        {.words = RUN,
         .code = VB_EDATA,
         .text = "WordNet has no way of less than 64 steps from '",
         .yaml = GIVEN("analyses: [hierarchy]\nhierarchy: {wordnet: apart}\n", "")},
        {.words = RUN,
         .code = VB_EMISMATCH,
         .text = "flat.npy: expected classes x dimensions of fp16, fp32 or fp64, found 1 dimension(s) of fp32",
         .yaml = "experiment: x\ndatasets: [{name: d, vocabularies: v.yaml}]\nmodels: [{name: m, family: precomputed, "
                 "image_embeddings: i.npy, text_embeddings: flat.npy, labels: y.txt}]\n"},
        {.words = RUN,
         .code = VB_EMISMATCH,
         .text = "images.safetensors: no text tower in these weights",
         .yaml = ENCODED("", "images: lone", "images.safetensors")},
        {.words = RUN,
         .code = VB_EMISMATCH,
         .text = "texts.safetensors: no image tower in these weights",
         .yaml = ENCODED("", "images: lone", "texts.safetensors")},
        {.words = {"plan", "x.yaml", "--output", "x"},
         .code = VB_EMISMATCH,
         .text = "texts.safetensors: no image tower in these weights"},
        {.words = CHECK, .code = VB_EMISMATCH, .text = "check: 1 error; a run would stop"},
        {.words = RUN,
         .code = VB_EUNSUPPORTED,
         .text = "the labels of dataset 'e' are sets, and expansions take images of one class each",
         .yaml =
             JOINED("{dataset: e, image_embeddings: i2.npy, text_embeddings: t.npy, labels: sets.json, label_names: six.txt}")},
        {.words = {"run", "x.yaml", "--output", "x", "--only-dataset", "x"},
         .code = VB_EMISMATCH,
         .text = "four.npy: image embeddings of 4 dimensions, but those of i.npy have 8",
         .yaml = JOINED("{dataset: e, image_embeddings: four.npy, text_embeddings: t.npy, labels: y.txt}")},
        {.words = RUN,
         .code = VB_EMISMATCH,
         .text = "side/open_clip_config.json describes a model of family siglip, but the tensors of side/m.safetensors are of "
                 "family clip",
         .yaml = ENCODED("", "images: lone", "side/m.safetensors")},
        {.words = RUN,
         .code = VB_EMISMATCH,
         .text = "far.npy: row 5: label 6, expected 0 to 5 (rows of label_names), or -1",
         .yaml = "experiment: x\ndatasets: [{name: d, vocabularies: v.yaml}]\nmodels: [{name: m, family: precomputed, "
                 "image_embeddings: i.npy, text_embeddings: t.npy, labels: far.npy, label_names: six.txt}]\n"},
        {.words = RUN,
         .code = VB_EMISSING,
         .text = "corpus 'c': a precomputed model encodes no captions; give their embeddings as text_embeddings",
         .yaml = GIVEN("corpora: [{name: c, embeddings: parts}]\nretrieval: {corpus: c, top_k: 2, filter: none}\n", "")},
        {.words = RUN,
         .code = VB_EMISMATCH,
         .text = "narrow/0.npy: expected 50 rows of 8 dimensions, as its part of the corpus and the model have",
         .yaml = GIVEN("corpora: [{name: c, embeddings: parts, text_embeddings: narrow}]\n"
                       "retrieval: {corpus: c, top_k: 2, filter: none}\n",
                       "")},
        {.words = CHECK,
         .code = VB_EMISSING,
         .text = "1 error; a run would stop",
         .yaml = GIVEN("corpora: [{name: c, captions: empty.txt}]\nretrieval: {corpus: c}\n", "")},
    };
    ARE_REFUSED(cases);
}

/* CoOp's contexts: zeros of that shape, in safetensors. */
static void put_contexts(const char *path, const char *shape, int bytes) {
    static char file[1 << 15];
    const int n = snprintf(file + 8, 200, "{\"ctx\":{\"dtype\":\"F32\",\"shape\":[%s],\"data_offsets\":[0,%d]}}", shape, bytes);
    memset(file, 0, 8);
    file[0] = (char)n;
    memset(file + 8 + n, 0, (size_t)bytes);
    put_file(path, file, 8 + (size_t)n + (size_t)bytes);
}

#define COOP(file)                                                                                                               \
    "experiment: x\ndatasets: [{name: d, images: pics, vocabularies: v.yaml}]\n"                                                 \
    "models: [{name: m, activation: gelu, weights: m.safetensors, tokenizer: tok, prompts: {coop: " file "}}]\n"

static void contexts(void **state) {
    (void)state;
    put_contexts("many.safetensors", "257,8", 257 * 8 * 4);
    put_contexts("five.safetensors", "5,4,8", 5 * 4 * 8 * 4);
    put_contexts("six.safetensors", "6,4,64", 6 * 4 * 64 * 4);
    put_file("six.txt", "k\nl\nm\nn\no\np\n", 12);
    static const refusal cases[] = {
        {.words = RUN,
         .code = VB_EUNSUPPORTED,
         .text = "many.safetensors: 257 context vectors, at most 256 are supported",
         .yaml = COOP("many.safetensors")},
        {.words = RUN,
         .code = VB_EMISMATCH,
         .text = "five.safetensors: contexts of 5 classes (class-specific), but 'v.yaml' has 6 classes",
         .yaml = COOP("five.safetensors")},
        /* As many foreign names as classes: they have no contexts either. */
        {.words = RUN,
         .code = VB_EMISMATCH,
         .text = "six.safetensors: contexts of 6 classes (class-specific), and none for the names of 'six.txt'",
         .yaml = "analyses: [open_curve]\nopen_curve: {names: six.txt, exclude: none}\n" COOP("six.safetensors")},
    };
    ARE_REFUSED(cases);
}

/* Puts a text in place of another in a file of text. */
static void change(const char *path, const char *from, const char *to) {
    static char text[1 << 17];
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    const size_t n = fread(text, 1, sizeof text - 1, file);
    fclose(file);
    text[n] = 0;
    char *at = strstr(text, from);
    if (!at) fail_msg("no '%s' in %s:\n%s", from, path, text);
    file = fopen(path, "wb");
    assert_non_null(file);
    fprintf(file, "%.*s%s%s", (int)(at - text), text, to, at + strlen(from));
    fclose(file);
}

static void changed_copies(void **state) {
    (void)state;
    static const struct {
        const char *from, *to;
        int code;
        const char *text;
    } cases[] = {
        {"\"rows\": 50,\n \"dim", "\"rows\": 51,\n \"dim", VB_EDATA, "50 rows in its parts, 51 stated"},
        {"\"seed\": ", "\"seed\": \"x\", \"seed2\": ", VB_EDATA, "codes/manifest.json: "},
        {"\"similarity\": \"dot\"", "\"similarity\": \"length\"", VB_EDATA, "numbers or names that cannot be"},
        {"\"similarity\": ", "\"more\": 1, \"similarity\": ", VB_EDATA, "numbers or names that cannot be"},
        {"\"schema\": \"", "\"schema\": \"x", VB_EUNSUPPORTED, "not the manifest of a quantised corpus"},
        {"\"source\": ", "\"origin\": ", VB_EDATA, "parts[0]: "},
        {"\"source\": ", "\"more\": 1, \"source\": ", VB_EDATA, "parts[0]: numbers or names that cannot be"},
        {"\"source\": \"", "\"source\": \"x", VB_EMISMATCH, "part 0 is a copy of x0.npy"},
        {"\"type\": \"fp32\"", "\"type\": \"bf16\"", VB_EMISMATCH, "rows, bf16, "}, /* other numbers of the same file */
        {"\"bytes\": ", "\"bytes\": 1", VB_EMISMATCH, "part 0 is a copy of 0.npy"},
        {"{", "", VB_EDATA, "codes/manifest.json:"},
    };
    static const char *const pack[] = {"pack", "--quantize", "int8", "--input", "parts", "--output", "codes", NULL},
                             *const use[] = {"retrieve", "--queries", "t.npy",   "--corpus",    "parts", "--top-k",
                                             "2",        "--output",  "q.jsonl", "--quantized", "codes", NULL};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        remove_all("codes");
        outcome made = run_words(pack, NULL);
        if (made.status) fail_msg("pack: %s", made.err.text);
        change("codes/manifest.json", cases[i].from, cases[i].to);
        outcome found = run_words(use, NULL);
        if (!found.status || found.err.code != cases[i].code || !strstr(found.err.text, cases[i].text))
            fail_msg("case %zu: expected %d, '%s'; found %d, '%s'", i, cases[i].code, cases[i].text, found.err.code,
                     found.err.text);
    }
}

/* Results that somebody has changed, or that are of something else. */
static void changed_results(void **state) {
    (void)state;
    static const char *const first[] = {"run", "plain.yaml", "--output", "first", "--per-image", NULL},
                             *const second[] = {"run", "plain.yaml", "--output", "second", "--per-image", NULL};
    static const struct {
        const char *from, *to;
        const char *words[6];
        int code;
        const char *text;
    } cases[] = {
        {"\"experiment\": \"plain\"",
         "\"experiment\": \"other\"",
         {"merge", "m", "first", "second"},
         VB_EMISMATCH,
         "second/results.json: experiment 'other', but first/results.json has 'plain'"},
        {"\"version\": \"",
         "\"version\": \"9",
         {"merge", "m", "first", "second"},
         VB_EMISMATCH,
         "second/results.json: made by version 9"},
        {"\"seed\": 42", "\"seed\": 43", {"merge", "m", "first", "second"}, VB_EDATA, "configuration_digest: expected"},
        {"\"acc_c\": ",
         "\"acc_c\": 1",
         {"merge", "m", "first", "second"},
         VB_EMISMATCH,
         "second/results.json: model 'one' on dataset 'd': another result than in"},
        {"\"model\": \"one\"",
         "\"model\": \"two\"",
         {"merge", "m", "second"},
         VB_EDATA,
         "model 'two' on dataset 'd' is no pair of its configuration"},
        {"\"schema\": \"vocabench.results/1",
         "\"schema\": \"vocabench.results/9",
         {"report", "second"},
         VB_EUNSUPPORTED,
         "schema: expected vocabench.results/1"},
        {"\"name\": \"things\"",
         "\"name\": \"animals\"",
         {"compare", "first", "second"},
         VB_EDATA,
         "second/records/one--d.jsonl.zst: two vocabularies 'animals'"},
        {"\"seed\": 42", "\"seed\": 43", {"verify", "second", "--units", "0"}, VB_EDATA, "the results are not valid: 1 error"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        for (int which = 0; which < 2; which++) {
            outcome made = run_words(which ? second : first, NULL);
            if (made.status) fail_msg("run: %s", made.err.text);
        }
        change("second/results.json", cases[i].from, cases[i].to);
        outcome found = run_words(cases[i].words, NULL);
        if (!found.status || found.err.code != cases[i].code || !strstr(found.err.text, cases[i].text))
            fail_msg("case %zu: expected %d, '%s'; found %d, '%s'", i, cases[i].code, cases[i].text, found.err.code,
                     found.err.text);
    }
}

/* The same images in vocabularies of other names: none is in both. */
static void nothing_in_common(void **state) {
    (void)state;
    static const char *const
        first[] = {"run", "plain.yaml", "--output", "first", "--per-image", NULL},
        *const other[] = {"run", "plain.yaml", "--output", "other", "--per-image", "--set", "datasets.d.vocabularies=o.yaml",
                          NULL},
        *const compare[] = {"compare", "first", "other", "--allow", "vocabularies", NULL};
    put_text("o.yaml", "name: o\nvocabularies: {some: [apple, bear, chair], more: [dolphin, elephant, forest]}\n");
    assert_int_equal(run_words(first, NULL).status, 0);
    outcome found = run_words(other, NULL);
    if (found.status) fail_msg("%s", found.err.text);
    found = run_words(compare, NULL);
    assert_int_equal(found.err.code, VB_EMISMATCH);
    assert_non_null(strstr(found.err.text, "have no vocabulary with images in common"));
}

/* A checkpoint that is no longer what was written is as none: the same list. */
static void damaged_checkpoints(void **state) {
    (void)state;
    static const char *const whole[] = {"retrieve", "--queries", "t.npy",    "--corpus",    "parts",
                                        "--top-k",  "3",         "--output", "whole.jsonl", NULL},
                             *const again[] = {
                                 "retrieve", "--queries", "t.npy",       "--corpus",     "parts", "--top-k",
                                 "3",        "--output",  "again.jsonl", "--checkpoint", "marks", "--checkpoint-seconds",
                                 "0",        NULL};
    assert_int_equal(run_words(whole, NULL).status, 0);
    /* The magic; the length of the first list, behind a header of 72 bytes and one block; the end of the digest. */
    static const char *const places[] = {"0", "80", "$(($(stat -c %s $it) - 4))"};
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        assert_int_equal(vb_fault_setup("unit:1:EIO", 0), 0);
        outcome stopped = run_words(again, NULL);
        assert_int_equal(vb_fault_setup(NULL, 0), 0);
        assert_int_equal(stopped.err.code, VB_EINCOMPLETE);
        assert_int_equal(run_command("it=$(ls marks/*.scan) && printf '\\377\\377\\377\\377' | "
                                     "dd of=$it bs=1 seek=%s conv=notrunc status=none",
                                     places[i]),
                         0);
        outcome found = run_words(again, NULL);
        if (found.status) fail_msg("%s", found.err.text);
        assert_int_equal(run_command("cmp whole.jsonl again.jsonl"), 0);
        remove_all("marks");
    }
}

/* A checkpoint whose digest is right, and that holds other rows or hits than the corpus gives. */
static void false_checkpoints(void **state) {
    (void)state;
    static const char *const words[] = {"retrieve", "--queries", "t.npy",   "--corpus",     "parts", "--top-k",
                                        "3",        "--output",  "q.jsonl", "--checkpoint", "marks", "--checkpoint-seconds",
                                        "0",        NULL};
    static const struct {
        int64_t more_rows;
        const char *text;
    } cases[] = {{1, "51 rows scanned of 50"}, {0, "query 0: 0 hits, expected 3"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(vb_fault_setup("unit:1:EIO", 0), 0);
        outcome stopped = run_words(words, NULL);
        assert_int_equal(vb_fault_setup(NULL, 0), 0);
        assert_int_equal(stopped.err.code, VB_EINCOMPLETE);
        vb_error err = {0};
        vb_strings names = {0};
        vb_scan_state marks = {.folder = "marks", .blocks = 1};
        vb_topk none;
        const int64_t block = 0;
        const vb_scan_counts counts = {.rows = 50 + cases[i].more_rows};
        assert_ok(vb_path_list_folder(&names, "marks", &err));
        assert_int_equal(names.count, 1);
        assert_true(strcspn(names.items[0], ".") < sizeof marks.key.hex);
        memcpy(marks.key.hex, names.items[0], strcspn(names.items[0], "."));
        vb_strings_free(&names);
        remove_all("marks");
        assert_ok(vb_topk_new(&none, 6, 3, &err));
        assert_ok(vb_scan_state_write(&marks, 0, &block, 1, &counts, &none, &err));
        vb_topk_free(&none);
        outcome found = run_words(words, NULL);
        assert_int_equal(found.err.code, VB_EINTERNAL);
        assert_string_equal(found.err.text, cases[i].text);
        remove_all("marks");
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(command_lines),     cmocka_unit_test(submit_on_two_ranks),
                                       cmocka_unit_test(experiments),       cmocka_unit_test(contexts),
                                       cmocka_unit_test(changed_copies),    cmocka_unit_test(changed_results),
                                       cmocka_unit_test(nothing_in_common), cmocka_unit_test(damaged_checkpoints),
                                       cmocka_unit_test(false_checkpoints)};
    return run_command_tests("refusals", tests, sizeof tests / sizeof *tests);
}
