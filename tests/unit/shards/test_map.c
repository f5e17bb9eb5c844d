/* Tests of maps whose files change: lost pages read as zeros and are told, changes of any kind are told, and other faults are
 * left to who handles them. */
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

#include "tests/unit/scratch.h"
#include "kernels/base/fault.h"
#include "shards/files/map.h"
#include "shards/files/path.h"
#include "shards/files/staged.h"
#include "shards/files/writer.h"

enum { PAGES = 64 };

static size_t page(void) { return (size_t)sysconf(_SC_PAGESIZE); }

static void put_pages(const char *path) {
    vb_error err;
    size_t size = PAGES * page() - 100;
    uint8_t *bytes = vb_array(size, 1, "test", &err);
    memset(bytes, 7, size);
    assert_ok(vb_writer_write_whole(path, bytes, size, &err));
    vb_free(bytes);
}

static void a_file_cut_short_reads_as_zeros_and_is_told(void **state) {
    (void)state;
    vb_error err;
    vb_map map, other;
    const char *path = scratch_path("cut");
    put_pages(path);
    assert_ok(vb_map_open(&map, path, &err));
    assert_ok(vb_map_open(&other, path, &err));
    assert_ok(vb_map_check(&map, &err));
    assert_int_equal(truncate(path, (off_t)(3 * page() + 5)), 0);
    assert_int_equal(map.data[0], 7);
    assert_int_equal(map.data[10 * page()], 0);
    assert_int_equal(map.data[map.size - 1], 0);
    assert_int_equal(map.data[2 * page()], 7);
    assert_fails(vb_map_check(&map, &err), VB_EDATA, "cut: changed during the run: it had ");
    assert_fails(vb_map_check_whole(&map, &err), VB_EDATA, "bytes of it were lost");
    assert_ok(vb_map_check_whole(&other, &err)); /* it has lost none that were looked at */
    vb_map_close(&map);
    vb_map_close(&other);
    put_pages(path); /* a slot that is used again tells nothing of before */
    assert_ok(vb_map_open(&map, path, &err));
    assert_int_equal(map.data[10 * page()], 7);
    assert_ok(vb_map_check(&map, &err));
    vb_map_close(&map);
    vb_map_close(&map);
    unlink(path);
}

static void *sum_map(void *argument) {
    const vb_map *map = argument;
    size_t sum = 0;
    for (size_t i = 0; i < map->size; i++) sum += map->data[i];
    return (void *)sum;
}

static void many_threads_lose_pages_at_once(void **state) {
    (void)state;
    enum { THREADS = 8 };
    vb_error err;
    vb_map map;
    pthread_t threads[THREADS];
    void *sum;
    const char *path = scratch_path("threads");
    put_pages(path);
    assert_ok(vb_map_open(&map, path, &err));
    assert_int_equal(truncate(path, (off_t)(2 * page())), 0);
    for (int t = 0; t < THREADS; t++) assert_int_equal(pthread_create(&threads[t], NULL, sum_map, &map), 0);
    for (int t = 0; t < THREADS; t++) {
        assert_int_equal(pthread_join(threads[t], &sum), 0);
        assert_int_equal((size_t)sum, 7 * 2 * page());
    }
    assert_fails(vb_map_check_whole(&map, &err), VB_EDATA, "lost");
    vb_map_close(&map);
    unlink(path);
}

static void write_into(const char *path) {
    int fd = open(path, O_WRONLY);
    assert_int_equal(pwrite(fd, "x", 1, 1000), 1);
    close(fd);
}

static void every_change_is_told(void **state) {
    (void)state;
    vb_error err;
    vb_map map;
    const char *path = scratch_path("change");
    const struct timespec moment = {.tv_nsec = 20000000}; /* file systems count time in ticks */
    for (int change = 0; change < 6; change++) {
        put_pages(path);
        nanosleep(&moment, NULL);
        assert_ok(vb_map_open(&map, path, &err));
        assert_ok(vb_map_check(&map, &err));
        struct stat before;
        assert_int_equal(stat(path, &before), 0);
        const struct timespec times[2] = {before.st_atim, before.st_mtim};
        static const char *const told[] = {"(mtime)", "(ctime)", "another file", "had ", "No such file", "(ctime)"};
        switch (change) {
        case 0: write_into(path); break;
        case 1: /* the time of the content put back */
            write_into(path);
            assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
            break;
        case 2: put_pages(path); break;
        case 3: assert_int_equal(truncate(path, (off_t)map.size + 1), 0); break;
        case 4: unlink(path); break;
        default: assert_int_equal(chmod(path, 0600), 0);
        }
        assert_fails(vb_map_check(&map, &err), VB_EDATA, told[change]);
        assert_non_null(strstr(err.text, "change: changed during the run"));
        vb_map_close(&map);
        unlink(path);
    }
}

/* Times beyond what 63 bits of nanoseconds hold, which touch, an archive or a broken clock may give. */
static void times_of_any_year(void **state) {
    (void)state;
    vb_error err;
    vb_map map;
    vb_path_facts facts, later;
    const char *path = scratch_path("year");
    static const time_t years[] = {13569465600, 13569465601, -13569465600}; /* 2400, a second on, 1540 */
    for (size_t i = 0; i < sizeof years / sizeof *years; i++) {
        put_pages(path);
        const struct timespec times[2] = {{.tv_sec = years[i]}, {.tv_sec = years[i]}};
        const struct timespec others[2] = {{.tv_sec = years[i]}, {.tv_sec = years[i], .tv_nsec = 1000}};
        struct stat kept;
        assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
        assert_int_equal(stat(path, &kept), 0);
        if (kept.st_mtime != years[i]) continue; /* a file system of fewer years */
        assert_ok(vb_map_open(&map, path, &err));
        assert_ok(vb_map_check(&map, &err));
        assert_ok(vb_path_stat(path, &facts, &err));
        assert_int_equal(utimensat(AT_FDCWD, path, others, 0), 0);
        assert_ok(vb_path_stat(path, &later, &err));
        assert_int_equal(later.mtime_ns - facts.mtime_ns, 1000);
        assert_fails(vb_map_check(&map, &err), VB_EDATA, "(mtime)");
        vb_map_close(&map);
        unlink(path);
    }
}

/* What is mapped has the size that is compared later, of a copy too. */
static void a_copy_that_is_not_whole_is_refused(void **state) {
    (void)state;
    vb_error err;
    vb_map map;
    vb_identity identity;
    const char *path = scratch_path("original"), *copy = scratch_path("copy");
    put_pages(path);
    put_pages(copy);
    assert_ok(vb_identity_of_path(&identity, path, &err));
    assert_ok(vb_staged_add(path, &identity, copy, &err));
    assert_ok(vb_map_open(&map, path, &err));
    vb_map_close(&map);
    assert_int_equal(truncate(copy, (off_t)identity.size - 1), 0);
    assert_fails(vb_map_open(&map, path, &err), VB_EDATA, "original: changed during the run: ");
    vb_staged_clear();
    unlink(path);
    unlink(copy);
}

/* Each is found, in whatever order they were added; one that has changed since is read from its own place. */
static void copies_are_found(void **state) {
    (void)state;
    vb_error err;
    static const char *const names[] = {"m", "z", "a", "q", "b"};
    enum { FILES = sizeof names / sizeof *names };
    char path[1024], copy[1024], name[8], byte;
    vb_identity identity;
    for (int i = 0; i < FILES; i++) {
        snprintf(name, sizeof name, "c%s", names[i]);
        assert_ok(vb_writer_write_whole(in_scratch(path, names[i]), "?", 1, &err));
        assert_ok(vb_writer_write_whole(in_scratch(copy, name), names[i], 1, &err));
        assert_ok(vb_identity_of_path(&identity, path, &err));
        assert_ok(vb_staged_add(path, &identity, copy, &err));
    }
    assert_ok(vb_writer_write_whole(in_scratch(path, "q"), "!", 1, &err));
    for (int i = 0; i < FILES; i++) {
        const bool changed = *names[i] == 'q';
        assert_true(vb_staged_has(in_scratch(path, names[i])));
        int fd = vb_staged_open(path);
        assert_int_equal(fd < 0, changed);
        if (fd < 0) continue;
        assert_int_equal(read(fd, &byte, 1), 1);
        assert_int_equal(byte, *names[i]);
        close(fd);
    }
    assert_false(vb_staged_has(in_scratch(path, "ca")));
    vb_staged_clear();
    assert_false(vb_staged_has(in_scratch(path, "a")));
}

static void on_signal(int signal) { _exit(40 + (signal == SIGBUS)); }

/* A fault that is no map's goes to the handler before ours, or ends the process as ever. */
static void other_faults_are_not_ours(void **state) {
    (void)state;
    vb_error err;
    const char *path = scratch_path("other");
    for (int handled = 0; handled < 2; handled++) {
        put_pages(path);
        pid_t child = fork();
        if (!child) {
            vb_map map;
            signal(SIGBUS, handled ? on_signal : SIG_DFL);
            int fd = open(path, O_RDWR);
            volatile uint8_t *mine = mmap(NULL, 2 * page(), PROT_READ, MAP_SHARED, fd, 0);
            if (vb_map_open(&map, path, &err) || ftruncate(fd, 0)) _exit(1);
            if (map.data[page()]) _exit(2); /* ours: zeros */
            _exit(mine[page()] + 3);
        }
        int code;
        assert_int_equal(waitpid(child, &code, 0), child);
        if (handled) assert_true(WIFEXITED(code) && WEXITSTATUS(code) == 41);
        else assert_true(WIFSIGNALED(code) && WTERMSIG(code) == SIGBUS);
    }
    unlink(path);
}

static void bad_files_leave_nothing(void **state) {
    (void)state;
    vb_error err;
    vb_map map;
    const char *path = scratch_path("bad");
    assert_fails(vb_map_open(&map, path, &err), VB_EMISSING, "cannot open");
    put_pages(path);
    static const char *const faults[] = {"open:1:EACCES", "mmap:1:ENOMEM", "alloc:1:ENOMEM"};
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) {
        vb_fault_setup(faults[i], 0);
        assert_int_equal(vb_map_open(&map, path, &err), -1);
        vb_fault_setup(NULL, 0);
        assert_int_equal(map.size, 0);
        assert_ok(vb_map_check(&map, &err));
        vb_map_close(&map);
    }
    assert_int_equal(truncate(path, 0), 0);
    assert_ok(vb_map_open(&map, path, &err)); /* of no bytes, none can be lost */
    assert_int_equal(map.size, 0);
    assert_ok(vb_map_check(&map, &err));
    vb_map_close(&map);
    unlink(path);
}

/* The table of what the handler looks at is full, or the next map has a place. */
static void maps_are_counted(void **state) {
    (void)state;
    enum { MOST = 4096 };
    vb_error err;
    vb_map *maps = test_calloc(MOST + 1, sizeof *maps);
    const char *path = scratch_path("many");
    assert_ok(vb_writer_write_whole(path, "x", 1, &err));
    for (int i = 0; i < MOST; i++) assert_ok(vb_map_open(&maps[i], path, &err));
    assert_fails(vb_map_open(&maps[MOST], path, &err), VB_EMEMORY, "many: cannot map it: 4096 files are mapped already");
    vb_map_close(&maps[0]);
    assert_ok(vb_map_open(&maps[MOST], path, &err));
    for (int i = 1; i <= MOST; i++) vb_map_close(&maps[i]);
    test_free(maps);
    unlink(path);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(other_faults_are_not_ours),
                                       cmocka_unit_test(a_file_cut_short_reads_as_zeros_and_is_told),
                                       cmocka_unit_test(many_threads_lose_pages_at_once),
                                       cmocka_unit_test(every_change_is_told),
                                       cmocka_unit_test(times_of_any_year),
                                       cmocka_unit_test(a_copy_that_is_not_whole_is_refused),
                                       cmocka_unit_test(copies_are_found),
                                       cmocka_unit_test(bad_files_leave_nothing),
                                       cmocka_unit_test(maps_are_counted)};
    return cmocka_run_group_tests(tests, make_scratch, remove_scratch);
}
