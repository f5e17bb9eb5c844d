/* Whole commands on one rank, run in this process without their output, and small inputs for them: what a process start and the
 * start of MPI cost is paid once. */
#ifndef VB_TEST_COMMANDS_H
#define VB_TEST_COMMANDS_H

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>

#include "tests/unit/mpi/end_mpi.h"
#include "tests/unit/scratch.h"
#include "mpi/command/cmd.h"
#include "shards/files/json_parse.h"

enum { COMMAND_WORDS = 40 };

typedef struct outcome {
    int status;
    vb_error err;
} outcome;

static vb_comm world;
static int quiet = -1, own_output = -1, own_errors = -1;

static inline int remove_one(const char *path, const struct stat *info, int kind, struct FTW *where) {
    (void)info, (void)kind, (void)where;
    return remove(path);
}
static inline void remove_all(const char *path) { nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS); }

/* As main() does, less what it prints. `words`: the command line, ended by NULL; begin(), unless it is NULL, is called when the
 * command line has been read. */
static inline outcome run_words(const char *const *words, void (*begin)(void)) {
    outcome result = {0};
    vb_error_clear(&result.err);
    char *line[COMMAND_WORDS + 2] = {(char *)(uintptr_t) "vocabench"};
    int count = 1;
    for (; words[count - 1] && count <= COMMAND_WORDS; count++) line[count] = (char *)(uintptr_t)words[count - 1];
    line[count] = NULL;
    vb_arguments arguments;
    const vb_command *command = vb_arguments_find_command(vb_cmd_table, line[1]);
    assert_non_null(command);
    fflush(stdout);
    dup2(quiet, 1);
    dup2(quiet, 2);
    result.status = vb_arguments_parse(&arguments, command, count - 2, line + 2, &result.err);
    vb_context context = {.comm = world, .started = MPI_Wtime(), .environment = environ, .arguments = line};
    if (begin) begin();
    if (!result.status && command->run) result.status = command->run(&context, &arguments, &result.err);
    else if (!result.status) result.status = command->run_local(vb_cmd_table, &arguments, &result.err);
    vb_arguments_free(&arguments);
    fflush(stdout);
    dup2(own_output, 1);
    dup2(own_errors, 2);
    return result;
}

/* ---- made data ---- */

static inline const char *tool(const char *name) {
    static char path[1024];
    const char *build = getenv("VOCABENCH_BUILD");
    snprintf(path, sizeof path, "%s/tests/tools/%s", build ? build : "build", name);
    return path;
}

static const char wordnet_data[] = "  1 A licence.\n"
                                   "00000100 03 n 01 entity 0 000 | all\n"
                                   "00000200 03 n 03 bear 0 bruin 0 beast 0 001 @ 00000100 n 0000 | brown\n"
                                   "00000300 03 n 02 apple 0 fruit 0 001 @ 00000100 n 0000 | red\n"
                                   "00000400 03 n 02 chair 0 seat 0 001 @ 00000100 n 0000 | to sit on\n"
                                   "00000500 03 n 02 dolphin 0 grampus 0 001 @ 00000100 n 0000 | jumps\n"
                                   "00000600 03 n 02 elephant 0 tusker 0 001 @ 00000100 n 0000 | grey\n"
                                   "00000700 03 n 02 forest 0 wood 0 001 @ 00000100 n 0000 | green\n";
static const char wordnet_index[] =
    "  1 A licence.\n"
    "apple n 1 1 @ 1 0 00000300\nbear n 1 1 @ 1 0 00000200\nbeast n 1 1 @ 1 0 00000200\nbruin n 1 1 @ 1 0 00000200\n"
    "chair n 1 1 @ 1 0 00000400\ndolphin n 1 1 @ 1 0 00000500\nelephant n 1 1 @ 1 0 00000600\nentity n 1 1 ~ 1 0 00000100\n"
    "forest n 1 1 @ 1 0 00000700\nfruit n 1 1 @ 1 0 00000300\ngrampus n 1 1 @ 1 0 00000500\nseat n 1 1 @ 1 0 00000400\n"
    "tusker n 1 1 @ 1 0 00000600\nwood n 1 1 @ 1 0 00000700\n";
static const char vocabularies[] = "name: v\n"
                                   "vocabularies:\n"
                                   "  animals: [{id: n00000200, name: bear}, {id: n00000500, name: dolphin}]\n"
                                   "  things: [{id: n00000300, name: apple}, {id: n00000400, name: chair}]\n"
                                   "  places: [{id: n00000600, name: elephant}, {id: n00000700, name: forest}]\n";
static const char encoded[] =
    "experiment: encoded\n"
    "per_image: true\n"
    "latex: true\n"
    "threads: 1\n"
    "on_cut: allow\n"
    "analyses: [margin, similarity, alignment, uniformity, spectrum, order, open_curve, open_set, calibration, prompt_spread, "
    "top5,\n"
    "  hierarchy]\n"
    "open_curve: {names: nouns.txt, wordnet: wordnet, exclude: synonyms}\n"
    "hierarchy: {wordnet: wordnet}\n"
    "prompt_spread: {wordnet: wordnet, draws: 2}\n"
    "adversarial: {candidates: nouns.txt, k: 2, method: exact, exclude: related, wordnet: wordnet}\n"
    "corpora: [{name: words, captions: captions.txt}]\n"
    "retrieval: {corpus: words, top_k: [2, 3], lambda: [0, 0.5], select: cross}\n"
    "datasets:\n"
    "  - {name: d, images: pics, vocabularies: v.yaml}\n"
    "  - {name: e, images: packed, vocabularies: v.yaml, on_error: skip}\n"
    "expansions: [{name: x, datasets: [d, e], shared_names: merge}]\n"
    "models:\n"
    "  - {name: a, family: clip, activation: quick_gelu, weights: m.safetensors, tokenizer: tok,\n"
    "     prompts: [\"a photo of a {}.\", \"a {}\"]}\n"
    "  - {name: b, family: clip, activation: gelu, weights: m.safetensors, tokenizer: tok, prompts: [\"the {}\"]}\n";
static const char given[] =
    "experiment: given\n"
    "per_image: true\n"
    "threads: 1\n"
    "analyses: [margin, similarity, alignment, uniformity, spectrum, order, open_curve, top5]\n"
    "open_curve: {names: nouns.txt, embeddings: nouns.npy, exclude: names, wordnet: wordnet}\n"
    "adversarial: {candidates: nouns.txt, embeddings: nouns.npy, k: 2, method: greedy, exclude: names, wordnet: wordnet}\n"
    "datasets: [{name: d, vocabularies: v.yaml}]\n"
    "models:\n"
    "  - {name: one, family: precomputed, image_embeddings: i.npy, text_embeddings: t.npy, labels: y.txt}\n"
    "  - {name: series, family: precomputed, image_embeddings: \"i{2,10}.npy\", text_embeddings: t.npy, labels: y.txt}\n";
static const char plain[] =
    "experiment: plain\n"
    "threads: 1\n"
    "datasets: [{name: d, vocabularies: v.yaml}]\n"
    "models: [{name: one, family: precomputed, image_embeddings: i.npy, text_embeddings: t.npy, labels: y.txt}]\n";

static char make_data[PATH_MAX], npy[PATH_MAX]; /* tools */
static inline int make_inputs(void **state) {
    if (make_scratch(state)) return -1;
    char found[PATH_MAX];
    static const char *const folders[][2] = {{"configs", "VOCABENCH_CONFIGS"}, {"slurm", "VOCABENCH_SLURM"}};
    for (int i = 0; i < 2; i++)
        if (realpath(folders[i][0], found)) setenv(folders[i][1], found, 1);
    setenv("VOCABENCH_SITE", "", 1); /* no site file of this machine */
    if (!realpath(tool("make_data"), make_data) || !realpath(tool("npy"), npy) || chdir(scratch)) return -1;
    put_text("wordnet/data.noun", wordnet_data);
    put_text("wordnet/index.noun", wordnet_index);
    put_text("v.yaml", vocabularies);
    put_text("encoded.yaml", encoded);
    put_text("given.yaml", given);
    put_text("plain.yaml", plain);
    put_text("nouns.txt", "bruin\nseat\nlamp\nunicorn\nwood\n");
    put_text("texts.txt", "a bear\nan apple\n");
    put_text("captions.txt",
             "a bear in the snow\nan apple on a tree\na chair\na dolphin jumps\nthe forest\nan elephant\ntwo chairs\n");
    put_text("y.txt", "apple\nbear\nchair\ndolphin\nelephant\nforest\n");
    put_text("parts/parts.txt", "");
    if (run_command("'%s' images pics 6 2 && '%s' model m.safetensors && '%s' tokenizer tok && rm parts/parts.txt &&"
                    "'%s' random i.npy 6 8 1 && '%s' random i2.npy 6 8 2 && '%s' random i10.npy 6 8 3 && "
                    "'%s' random t.npy 6 8 4 && '%s' random nouns.npy 5 8 5 && '%s' random parts/0.npy 50 8 6",
                    make_data, make_data, make_data, npy, npy, npy, npy, npy, npy))
        return -1;
    quiet = open("/dev/null", O_WRONLY | O_CLOEXEC);
    own_output = dup(1);
    own_errors = dup(2);
    vb_error err;
    return vb_comm_open(&world, MPI_COMM_WORLD, &err);
}

static inline int drop_inputs(void **state) {
    vb_comm_close(&world);
    close(quiet);
    return chdir("/") || remove_scratch(state);
}

/* Runs the tests in a folder with the inputs. */
static inline int run_command_tests(const char *name, const struct CMUnitTest *tests, size_t count) {
    if (!access("/dev/shm", W_OK)) setenv("TMPDIR", "/dev/shm", 1); /* on a disk, syncing takes ten times all the rest */
    if (!getenv("OPENBLAS_NUM_THREADS")) { /* read as the library is loaded: its threads would wait for each other all the time */
        setenv("OPENBLAS_NUM_THREADS", "1", 1);
        setenv("OMP_NUM_THREADS", "1", 1);
        char *const again[] = {(char *)(uintptr_t)name, NULL};
        execv("/proc/self/exe", again);
    }
    vb_json_parse_setup();
    MPI_Init(NULL, NULL);
    int failed = _cmocka_run_group_tests(name, tests, count, make_inputs, drop_inputs);
    return end_mpi(failed);
}

#endif
