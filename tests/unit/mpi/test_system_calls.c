/* What is said when a call of the system fails that other tests leave alone: this program's calls of that name come first, and
 * fail when told to. And where memory or MPI fail in the few places that take a device or odd data. */
#include <dlfcn.h>
#include <signal.h>
#include <sys/statvfs.h>
#include <sys/wait.h>

#include "kernels/base/fault.h"
#include "mpi/base/device.h"
#include "mpi/base/spawn.h"
#include "mpi/retrieve/corpus_parts.h"
#include "tests/unit/mpi/commands.h"

/* ---- calls ---- */

static const char *failing = ""; /* the call that fails, */
static int number;               /* with this error number */

static bool fails(const char *call) {
    if (strcmp(call, failing)) return false;
    errno = number;
    return true;
}
/* The call of the library that this program's own stands before. */
#define LIBRARY(call) ((__typeof__(&call))(uintptr_t)dlsym(RTLD_NEXT, #call))

int pipe2(int ends[2], int flags) { return fails("pipe2") ? -1 : LIBRARY(pipe2)(ends, flags); }
pid_t waitpid(pid_t child, int *status, int options) {
    const pid_t ended = LIBRARY(waitpid)(child, status, options);
    return fails("waitpid") ? -1 : ended;
}
ssize_t read(int file, void *bytes, size_t size) { return fails("read") ? -1 : LIBRARY(read)(file, bytes, size); }
ssize_t readlink(const char *path, char *end, size_t size) {
    return !strcmp(path, "/proc/self/exe") && fails("readlink") ? -1 : LIBRARY(readlink)(path, end, size);
}
char *getcwd(char *path, size_t size) { return fails("getcwd") ? NULL : LIBRARY(getcwd)(path, size); }
char *mkdtemp(char *path) { return fails("mkdtemp") ? NULL : LIBRARY(mkdtemp)(path); }
int access(const char *path, int how) { return how & W_OK && fails("access") ? -1 : LIBRARY(access)(path, how); }
int statvfs(const char *path, struct statvfs *facts) {
    const int status = LIBRARY(statvfs)(path, facts);
    if (fails("statvfs")) facts->f_bavail = facts->f_bfree = 0; /* a full disk */
    return status;
}
int pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*start)(void *), void *context) {
    return fails("pthread_create") ? number : LIBRARY(pthread_create)(thread, attributes, start, context);
}
int open(const char *path, int flags, ...) {
    va_list more;
    va_start(more, flags);
    const mode_t mode = flags & O_CREAT ? va_arg(more, mode_t) : 0;
    va_end(more);
    const bool wordnet = !strncmp(path, VB_WORDNET_FOLDER, strlen(VB_WORDNET_FOLDER));
    return wordnet && fails("open") ? -1 : LIBRARY(open)(path, flags, mode);
}
int link(const char *from, const char *to) {
    /* as when another run has made the file, and removed it before it is read */
    return strstr(to, "run.lock") && fails("link") ? -1 : LIBRARY(link)(from, to);
}
int nanosleep(const struct timespec *pause, struct timespec *left) {
    return !strcmp(failing, "link") ? 0 : LIBRARY(nanosleep)(pause, left);
}

/* A report of a rank without its results. */
json_t *json_object_get(const json_t *object, const char *key) {
    return key && !strcmp(key, "done") && fails("json_object_get") ? NULL : LIBRARY(json_object_get)(object, key);
}
/* ScaLAPACK's, which then is wrong in one value. */
void pdsyev_(const char *job, const char *triangle, const int *n, double *a, const int *row, const int *column,
             const int *descriptor, double *values, double *vectors, const int *vectors_row, const int *vectors_column,
             const int *vectors_descriptor, double *work, const int *size, int *info, size_t job_length, size_t triangle_length);
void pdsyev_(const char *job, const char *triangle, const int *n, double *a, const int *row, const int *column,
             const int *descriptor, double *values, double *vectors, const int *vectors_row, const int *vectors_column,
             const int *vectors_descriptor, double *work, const int *size, int *info, size_t job_length, size_t triangle_length) {
    LIBRARY(pdsyev_)
    (job, triangle, n, a, row, column, descriptor, values, vectors, vectors_row, vectors_column, vectors_descriptor, work, size,
     info, job_length, triangle_length);
    if (fails("pdsyev") && *size > 0) values[0] += 1e-6;
}

/* ---- what is said ---- */

#define SUBMIT                                                                                                                   \
    { "submit", "plain.yaml", "--partition=p", "--time=10", "--nodes=1", "--ntasks-per-node=1", "--no-plan", "--dry-run" }

static void commands_say_it(void **state) {
    (void)state;
    static const struct {
        const char *call;
        int number;
        const char *words[10];
        int code;
        const char *text; /* of the error, or of what the command prints */
    } cases[] = {
        {"readlink", EACCES, SUBMIT, VB_EINTERNAL, "/proc/self/exe: cannot be read"},
        {"getcwd", ENOENT, SUBMIT, VB_EMISSING, "the current folder cannot be named"},
        {"access", EACCES, {"run", "plain.yaml", "--output", "o"}, VB_EOUTPUT, "o: the output folder is not writable"},
        {"access", EACCES, {"check", "plain.yaml", "--output", "new/o"}, VB_EOUTPUT, "new/o: nothing can be written into ."},
        {"statvfs", 0, {"check", "e.yaml", "--output", "o"}, VB_EOUTPUT, " GB, but 0.00 GB are free"},
        {"link",
         EEXIST,
         {"run", "plain.yaml", "--output", "o"},
         VB_EOUTPUT,
         "o: other runs begin in this folder at the same time"},
        {"mkdtemp",
         ENOSPC,
         {"run", "e.yaml", "--output", "o", "--scratch", "pics"},
         VB_OK,
         "no folder can be made in it: all is"},
        {"open",
         EACCES,
         {"init", "words", "m.safetensors", "--tokenizer=tok", "--output=w.yaml"},
         VB_EMISSING,
         "words: the labels are WordNet ids such as n00000200, which no shipped vocabulary file names: " VB_WORDNET_FOLDER},
        {"json_object_get", 0, {"run", "plain.yaml", "--output", "o"}, VB_EINTERNAL, "no result of unit 0"},
        {"pdsyev", 0, {"run", "given.yaml", "--output", "o"}, VB_EINTERNAL, " of the Gram matrix: "},
        {"pthread_create",
         EAGAIN,
         {"encode", "images", "--weights=m.safetensors", "--activation=gelu", "--input=pics", "--output=o.npy"},
         VB_EMEMORY,
         "no thread for decoding: Resource temporarily unavailable"},
    };
    assert_int_equal(run_command("mkdir words && cp -r pics/bear words/n00000200 && cp -r pics/forest words/n00000700"), 0);
    put_text("e.yaml", "experiment: e\nthreads: 1\ndatasets: [{name: d, images: pics, vocabularies: v.yaml}]\n"
                       "models: [{name: m, activation: gelu, weights: m.safetensors, tokenizer: tok, prompts: ['{}']}]\n");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        static char told[1 << 16];
        const int silent = quiet;
        remove_all("o");
        quiet = open("told", O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
        failing = cases[i].call;
        number = cases[i].number;
        const outcome found = run_words(cases[i].words, NULL);
        failing = "";
        const ssize_t size = pread(quiet, told, sizeof told - 1, 0);
        told[size < 0 ? 0 : size] = 0;
        close(quiet);
        quiet = silent;
        if (!found.status != !cases[i].code || (found.status && found.err.code != cases[i].code) ||
            (!strstr(found.err.text, cases[i].text) && !strstr(told, cases[i].text)))
            fail_msg("%s fails: expected %d, '%s'; found %d, %d, '%s', and\n%s", cases[i].call, cases[i].code, cases[i].text,
                     found.status, found.err.code, found.err.text, told);
    }
}

static void programs(void **state) {
    (void)state;
    static const char *const argv[] = {"true", NULL};
    static const struct {
        const char *call;
        int number, code, code_in;
        const char *text, *text_in; /* of vb_spawn and vb_spawn_in */
    } cases[] = {
        {"pipe2", EMFILE, VB_EMISSING, VB_EINTERNAL, "true: no pipe: Too many", "true: cannot be started: Too many open files"},
        {"waitpid", ECHILD, VB_EINTERNAL, VB_EINTERNAL, "true: cannot wait for it: No child",
         "true: cannot wait for it: No child"},
        {"read", EIO, VB_EMISSING, VB_OK, "true: cannot read what it wrote: Input/output error", ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        vb_error err = {0}, err_in = {0};
        char *output = NULL;
        failing = cases[i].call;
        number = cases[i].number;
        const int status = vb_spawn(argv, environ, &output, &err);
        const int status_in = vb_spawn_in("/", argv, "get it", &err_in);
        failing = "";
        assert_true(status && !output && !status_in == !cases[i].code_in);
        assert_int_equal(err.code, cases[i].code);
        assert_int_equal(err_in.code, cases[i].code_in);
        if (!strstr(err.text, cases[i].text) || !strstr(err_in.text, cases[i].text_in))
            fail_msg("%s fails: found '%s', '%s'", cases[i].call, err.text, err_in.text);
    }
}

/* Captions and pieces that are asked for and that nobody has. */
static void captions_that_have_gone(void **state) {
    (void)state;
    const vb_corpus_spec spec = {.name = (char *)(uintptr_t) "c"};
    vb_corpus_parts corpus = {.spec = &spec, .kind = VB_CORPUS_CAPTIONS};
    vb_context context = {.comm = world};
    vb_error err = {0};
    const int64_t ids[] = {2, 7}; /* there are 7 */
    const char *texts[2], *odd[2];
    char *block;
    assert_ok(vb_strings_add(&corpus.captions, "captions.txt", &err));
    assert_ok(vb_corpus_parts_captions(&corpus, &context, ids, 1, texts, odd, &block, &err));
    assert_string_equal(texts[0], "a chair");
    vb_free(block);
    assert_fails(vb_corpus_parts_captions(&corpus, &context, ids, 2, texts, odd, &block, &err), VB_EMISMATCH,
                 "corpus 'c': its caption files have changed");
    corpus.kind = VB_CORPUS_IMAGES; /* and no part of the corpus has the rows */
    assert_fails(vb_corpus_parts_captions(&corpus, &context, ids, 2, texts, odd, &block, &err), VB_EINTERNAL,
                 "piece 0 of a list was made by no rank");
    vb_free(block);
    vb_strings_free(&corpus.captions);
}

/* One call of a kind after the other fails, until it is the one of the text. */
static void each_call(void **state) {
    (void)state;
    put_text("grey/bear/0.pgm", "P5\n2 2\n255\nabcd");
    static const struct {
        const char *site;
        int code;
        const char *words[10], *text;
    } cases[] = {
        {"alloc",
         VB_EMEMORY,
         {"pack", "--quantize", "int8", "--input", "parts", "--output", "o", "--threads", "1"},
         "coder: no memory"},
        {"alloc",
         VB_EMEMORY,
         {"preprocess", "--resolution=8", "--input=grey", "--output=o.npy"},
         "bear/0.pgm: RGB image: no memory for 192 bytes"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        outcome found = {0};
        for (int n = 1; n < 1000 && !strstr(found.err.text, cases[i].text); n++) {
            char fault[32];
            snprintf(fault, sizeof fault, "%s:%d:ENOMEM", cases[i].site, n);
            assert_int_equal(vb_fault_setup(fault, 0), 0);
            remove_all("o");
            found = run_words(cases[i].words, NULL);
            vb_fault_setup(NULL, 0);
        }
        if (!strstr(found.err.text, cases[i].text)) fail_msg("nothing says '%s'; last '%s'", cases[i].text, found.err.text);
        assert_int_equal(found.err.code, cases[i].code);
    }
}

/* A stop is for good in a process. */
static void stopped_while_packing(void **state) {
    (void)state;
    static const char *const words[] = {"pack", "--input", "pics", "--output", "stopped", NULL};
    vb_context_catch_signals(true);
    raise(SIGTERM);
    const outcome found = run_words(words, NULL);
    assert_int_equal(found.err.code, VB_EINCOMPLETE);
    assert_non_null(strstr(found.err.text, "pack: stopped after "));
    assert_non_null(strstr(found.err.text, " of 12 images; the same command begins anew"));
}

/* While ranks agree on the tiles of their devices. */
static void devices(void **state) {
    (void)state;
    static const struct {
        const char *site;
        int code;
        const char *text;
    } cases[] = {{"alloc", VB_EMEMORY, "tiles: no memory for "}, {"mpi", VB_EMPI, "MPI_Allgather"}};
    vb_device device;
    vb_context context = {.comm = world};
    vb_error err = {0};
    const int there = vb_device_open(&device, &context, VB_DEVICE_GPU, VB_DEVICE_TOLERATE, &err);
    vb_device_close(&device, &context);
    if (there && err.code == VB_EUNSUPPORTED) {
        print_message("%s\n", err.text);
        skip();
    }
    assert_int_equal(there, 0);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        bool said = false;
        for (int n = 1; n < 60 && !said; n++) { /* some that fail are done without */
            char fault[32];
            vb_error_clear(&err);
            snprintf(fault, sizeof fault, "%s:%d:EIO", cases[i].site, n);
            assert_int_equal(vb_fault_setup(fault, 0), 0);
            const int failed = vb_device_open(&device, &context, VB_DEVICE_GPU, VB_DEVICE_TOLERATE, &err);
            vb_fault_setup(NULL, 0);
            vb_device_close(&device, &context);
            said = failed && err.code == cases[i].code && strstr(err.text, cases[i].text);
        }
        if (!said) fail_msg("nothing says '%s'", cases[i].text);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(commands_say_it), cmocka_unit_test(programs), cmocka_unit_test(captions_that_have_gone),
        cmocka_unit_test(each_call),       cmocka_unit_test(devices),  cmocka_unit_test(stopped_while_packing)};
    return run_command_tests("system calls", tests, sizeof tests / sizeof *tests);
}
