/* Every call of ours that may fail, failing once at each place from which it is reached: whole commands on one rank, in this
 * process. Held is that the command ends with a code that fits and one line, leaves no temporary file, or does without and makes
 * the same bytes; and that the undisturbed command that follows makes them too.
 *
 * The linker gives us the calls of vb_fault (tests/tests.mk). A passage's place is the chain of return addresses above it. One
 * passage at a time fails: of every command the first ones in whose chain is a call that has not failed yet, so that each check
 * of a status is taken with few runs. Of the allocations of large commands one place in 61 is tried, with
 * VOCABENCH_TEST_PLACES=all every one. */
#include <dirent.h>
#include <execinfo.h>
#include <pthread.h>

#include "tests/unit/mpi/commands.h"
#include "tests/unit/mpi/failing_jobs.h"
#include "kernels/base/fault.h"

/* ---- places ---- */

enum { DEPTH = 60, OWN = 2, PASSAGES = 1 << 15, CALLS = 1 << 16, TRIES = 3, NEAR = 60 };

typedef struct passage {
    uint64_t key;
    vb_fault_site site;
    long number; /* the first time that it was seen it was the so manieth of its site */
    int depth;
    void *calls[DEPTH];
} passage;

static struct {
    pthread_mutex_t lock;
    enum { IDLE, RECORD, FAIL } mode;
    passage *passages; /* different ones, by the first time that each was seen */
    size_t count;
    uint32_t slots[2 * PASSAGES]; /* 1 + index of a passage, by its key */
    long seen[VB_FAULT_SITES];
    pthread_t thread; /* the one that runs the command, and what of its stack lies above the command */
    int above;
    /* FAIL: */
    const passage *chosen;
    int effect;
    bool met;
} places = {.lock = PTHREAD_MUTEX_INITIALIZER};

/* Calls, by their return addresses: how often one has led to a failing passage, TRIES when the command has failed of it. */
static struct {
    void *call;
    int tries;
} calls[2 * CALLS];

static size_t slot_of_call(void *call) {
    size_t at = ((uintptr_t)call * 0x9e3779b97f4a7c15u >> 40) % (2 * CALLS);
    while (calls[at].call && calls[at].call != call) at = (at + 1) % (2 * CALLS);
    calls[at].call = call;
    return at;
}

__attribute__((noinline)) static void note_passage(vb_fault_site site) {
    void *found[DEPTH + OWN];
    int depth = backtrace(found, DEPTH + OWN) - OWN;
    if (pthread_equal(pthread_self(), places.thread) && depth < DEPTH) depth -= places.above;
    uint64_t key = (uint64_t)site + 1;
    for (int i = 0; i < depth; i++) key = (key ^ (uintptr_t)found[OWN + i]) * 0x9e3779b97f4a7c15u, key ^= key >> 29;
    if (places.mode == FAIL) {
        places.met |= key == places.chosen->key;
        return;
    }
    size_t at = key % (2 * PASSAGES);
    while (places.slots[at] && places.passages[places.slots[at] - 1].key != key) at = (at + 1) % (2 * PASSAGES);
    if (places.slots[at] || places.count == PASSAGES) return;
    passage *new = &places.passages[places.count++];
    places.slots[at] = (uint32_t)places.count;
    *new = (passage){.key = key, .site = site, .number = places.seen[site], .depth = depth};
    memcpy(new->calls, found + OWN, (size_t)depth * sizeof *found);
}

int __wrap_vb_fault(vb_fault_site site);
__attribute__((noinline)) int __wrap_vb_fault(vb_fault_site site) {
    int effect = 0;
    pthread_mutex_lock(&places.lock);
    places.seen[site]++;
    /* To walk up the stack takes as long as a hundred allocations. Threads may change places by a little. */
    if (places.mode == RECORD || (places.mode == FAIL && !places.met && places.chosen->site == site &&
                                  labs(places.seen[site] - places.chosen->number) <= NEAR)) {
        note_passage(site);
        if (places.mode == FAIL && places.met) effect = places.effect;
    }
    pthread_mutex_unlock(&places.lock);
    return effect;
}

/* ---- commands ---- */

typedef struct run_result {
    int status;
    vb_error err;
    char *made; /* the kept file's bytes */
    size_t size;
} run_result;

static int left; /* temporary files */
static int look_for_temporary(const char *path, const struct stat *info, int kind, struct FTW *where) {
    (void)info, (void)where;
    left += kind == FTW_F && vb_path_ends_with(path, ".tmp");
    return 0;
}

static void look_in(const char *folder, bool below) {
    DIR *stream = below ? NULL : opendir(folder);
    if (below) nftw(folder, look_for_temporary, 16, FTW_PHYS);
    for (struct dirent *entry; stream && (entry = readdir(stream));) left += vb_path_ends_with(entry->d_name, ".tmp");
    if (stream) closedir(stream);
}

static void read_whole(const char *path, run_result *result) {
    FILE *file = fopen(path, "rb");
    if (!file) return;
    result->made = test_malloc(1 << 20);
    result->size = fread(result->made, 1, 1 << 20, file);
    fclose(file);
}

static int next_mode;
static void begin(void) {
    void *found[DEPTH];
    places.above = backtrace(found, DEPTH) - 1;
    places.thread = pthread_self();
    memset(places.seen, 0, sizeof places.seen);
    places.mode = next_mode;
}

static void run_job(const job *its, int mode, run_result *result) {
    *result = (run_result){0};
    if (its->fresh) remove_all(its->fresh);
    if (its->folder) assert_int_equal(mkdir(its->fresh, 0777), 0);
    next_mode = mode;
    outcome ended = run_words(its->words, begin);
    places.mode = IDLE;
    result->status = ended.status;
    result->err = ended.err;
    if (its->kept) read_whole(its->kept, result);
}

/* ---- what is held ---- */

static const struct {
    const char *name;
    int effects[3]; /* ended by 0 */
    int codes[5];   /* that a command may end with, ended by 0 */
} sites[VB_FAULT_SITES] = {
    [VB_FAULT_OPEN] = {"open", {EACCES}, {VB_EMISSING, VB_EOUTPUT, VB_EUNSUPPORTED}},
    [VB_FAULT_READ] = {"read", {EIO, VB_FAULT_SHORT}, {VB_EMISSING, VB_EDATA}},
    [VB_FAULT_WRITE] = {"write", {ENOSPC}, {VB_EOUTPUT}},
    [VB_FAULT_FSYNC] = {"fsync", {EIO}, {VB_EOUTPUT}},
    [VB_FAULT_RENAME] = {"rename", {EACCES}, {VB_EOUTPUT}},
    [VB_FAULT_MMAP] = {"mmap", {ENOMEM}, {VB_EMEMORY}},
    [VB_FAULT_ALLOC] = {"alloc", {ENOMEM}, {VB_EMEMORY}},
    [VB_FAULT_MPI] = {"mpi", {EIO}, {VB_EMPI}},
    [VB_FAULT_UNIT] = {"unit", {EIO}, {VB_EINTERNAL, VB_EINCOMPLETE}},
    [VB_FAULT_DECODE] = {"decode", {EIO, ENOMEM}, {VB_EINTERNAL, VB_EMEMORY}},
    [VB_FAULT_HASH] = {"hash", {EIO}, {VB_EDATA}},
};

static char *place_of(const passage *its) {
    static char text[4096];
    char **names = backtrace_symbols(its->calls, its->depth < 10 ? its->depth : 10);
    text[0] = 0;
    for (int i = 0; names && i < its->depth && i < 10; i++)
        snprintf(text + strlen(text), sizeof text - strlen(text), "\n    %s", names[i]);
    free(names);
    return text;
}

static int failures;
static void complain(const job *its, const passage *at, int effect, const char *what, const run_result *found) {
    if (++failures > 20) return;
    char line[512] = "";
    for (int i = 0; its->words[i]; i++) snprintf(line + strlen(line), sizeof line - strlen(line), " %s", its->words[i]);
    print_error("%s\n  %s (effect %d):%s: status %d, code %d: %s; at%s\n", line, sites[at->site].name, effect, what,
                found->status, found->err.code, found->err.text, place_of(at));
}

static void judge(const job *its, const passage *at, int effect, const run_result *found, const run_result *whole) {
    bool fits = false;
    if (found->status) {
        for (const int *code = sites[at->site].codes; *code; code++) fits |= found->err.code == *code;
        if (!fits) complain(its, at, effect, "a code that does not fit", found);
        else if (strlen(found->err.text) < 10 || strchr(found->err.text, '\n'))
            complain(its, at, effect, "no line of text", found);
    } else if (its->kept && (found->size != whole->size || !found->made || memcmp(found->made, whole->made, whole->size)) &&
               !(its->told && at->site != VB_FAULT_ALLOC && memmem(found->made, found->size, its->told, strlen(its->told))))
        complain(its, at, effect, "goes on, and makes other bytes", found);
    left = 0;
    look_in(".", false);
    for (int i = 1; its->words[i]; i++)
        if (!strcmp(its->words[i - 1], "--output")) look_in(its->words[i], true);
    if (left) {
        complain(its, at, effect, "a temporary file is left", found);
        run_command("find . -name '*.tmp' -delete");
    }
}

extern char __executable_start, etext;
static bool is_ours(const void *call) { return (const char *)call >= &__executable_start && (const char *)call < &etext; }

/* From which call on its chain tells of checks. What a library asks for is told to one function of ours, which notes for its
 * callers that something has failed: they are looked at one in so many, as places go. */
static int first_call(const passage *its, size_t number) {
    enum { ONE_IN = 16 };
    int at = 0, library = 0;
    while (at < its->depth && at < 8 && is_ours(its->calls[at])) at++;
    while (at < its->depth && !is_ours(its->calls[at])) at++, library++;
    return !library || at == its->depth ? 0 : at + 1 + (number % ONE_IN != 0);
}

static bool is_open(const passage *its, size_t number) {
    for (int i = first_call(its, number); i < its->depth; i++)
        if (calls[slot_of_call(its->calls[i])].tries < TRIES) return true;
    return false;
}

static int runs, failing, missed;

/* VOCABENCH_TEST_ONLY: a file or folder that the command line of a job names; the others only make what it needs. */
static bool is_asked_for(const job *its) {
    const char *only = getenv("VOCABENCH_TEST_ONLY");
    bool asked = !only;
    for (int i = 0; only && its->words[i]; i++) asked |= !strcmp(its->words[i], only);
    return asked && !its->once && (!its->all || getenv("VOCABENCH_TEST_PLACES"));
}

static void fail_every_call(const job *its) {
    run_result whole, found;
    run_job(its, IDLE, &whole); /* what is made once in a process is made */
    if (whole.status) fail_msg("%s: %s", its->words[0], whole.err.text);
    test_free(whole.made);
    if (!is_asked_for(its)) return;
    places.count = 0;
    memset(places.slots, 0, sizeof places.slots);
    run_job(its, RECORD, &whole);
    if (whole.status) fail_msg("%s: %s", its->words[0], whole.err.text);
    assert_true(places.count > 0 && places.count < PASSAGES);
    const size_t step = its->slow && !getenv("VOCABENCH_TEST_PLACES") ? 61 : 1;
    for (size_t p = 0; p < places.count; p++) {
        const passage *at = &places.passages[p];
        if (at->site == VB_FAULT_ALLOC && p % step) continue;
        if (!sites[at->site].effects[0] || !is_open(at, p)) continue;
        for (const int *effect = sites[at->site].effects; *effect; effect++) {
            places.chosen = at;
            places.effect = *effect;
            places.met = false;
            run_job(its, FAIL, &found);
            runs++;
            if (places.met) judge(its, at, *effect, &found, &whole);
            else missed++;
            failing += found.status != 0;
            for (int i = 0; i < at->depth; i++) {
                int *tries = &calls[slot_of_call(at->calls[i])].tries;
                *tries = found.status || i == 0 ? TRIES : *tries + 1;
            }
            test_free(found.made);
        }
    }
    run_job(its, IDLE, &found);
    if (found.status) fail_msg("%s, afterwards: %s", its->words[0], found.err.text);
    if (its->kept) {
        assert_int_equal(found.size, whole.size);
        assert_memory_equal(found.made, whole.made, whole.size);
    }
    test_free(found.made);
    test_free(whole.made);
}

static void every_call_fails_once(void **state) {
    (void)state;
    places.passages = test_malloc(PASSAGES * sizeof *places.passages);
    put_job_inputs();
    for (size_t j = 0; j < sizeof jobs / sizeof *jobs; j++) {
        const double before = MPI_Wtime();
        const int runs_before = runs;
        fail_every_call(&jobs[j]);
        if (getenv("VOCABENCH_TEST_TIMES"))
            print_message("%s %s: %d runs, %.2f s, %zu places, %d missed so far\n", jobs[j].words[0],
                          jobs[j].words[1] ? jobs[j].words[1] : "", runs - runs_before, MPI_Wtime() - before, places.count,
                          missed);
    }
    test_free(places.passages);
    print_message("%d runs, of which %d failed\n", runs, failing);
    assert_true(failing > 500 || getenv("VOCABENCH_TEST_ONLY"));
    if (failures) fail_msg("%d runs did not hold", failures);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_call_fails_once)};
    void *found[4];
    backtrace(found, 4); /* its first call allocates */
    return run_command_tests("failing calls", tests, 1);
}
