/* Calls on files that a signal ends early are made again: by calls that are ended on purpose, and by real signals. */
#include "tests/unit/scratch.h"
#include "tests/unit/vb_test.h"

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/time.h>
#include <unistd.h>

#include "shards/files/file.h"
#include "shards/files/lock.h"
#include "shards/files/memory_file.h"
#include "shards/files/path.h"
#include "shards/files/writer.h"

/* The next so many calls of each function end with EINTR. */
static struct { int open, opendir, read, write, fsync, flock, fallocate; } ended;
static int seen; /* calls that did */

static bool ends(int *left) {
    if (!*left) return false;
    --*left;
    seen++;
    errno = EINTR;
    return true;
}
#define NEXT(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

/* The program's own come before libc's. */
int open(const char *path, int flags, ...) {
    va_list list;
    va_start(list, flags);
    const mode_t mode = flags & O_CREAT ? va_arg(list, mode_t) : 0;
    va_end(list);
    return ends(&ended.open) ? -1 : NEXT(open)(path, flags, mode);
}
DIR *opendir(const char *path) { return ends(&ended.opendir) ? NULL : NEXT(opendir)(path); }
ssize_t read(int fd, void *bytes, size_t size) { return ends(&ended.read) ? -1 : NEXT(read)(fd, bytes, size); }
ssize_t write(int fd, const void *bytes, size_t size) { return ends(&ended.write) ? -1 : NEXT(write)(fd, bytes, size); }
int fsync(int fd) { return ends(&ended.fsync) ? -1 : NEXT(fsync)(fd); }
int flock(int fd, int how) { return ends(&ended.flock) ? -1 : NEXT(flock)(fd, how); }
int posix_fallocate(int fd, off_t offset, off_t size) {
    return ends(&ended.fallocate) ? EINTR : NEXT(posix_fallocate)(fd, offset, size);
}

static vb_error err;
static char path[1024];

static int setup(void **state) {
    if (make_scratch(state)) return -1;
    in_scratch(path, "file");
    return 0;
}

static void expect_content(const char *text) {
    uint8_t *bytes;
    size_t size;
    assert_ok(vb_file_read_whole(path, 1000, &bytes, &size, &err));
    assert_string_equal((char *)bytes, text);
    vb_free(bytes);
}

static void files_are_written_and_read(void **state) {
    (void)state;
    bool made;
    ended.open = 2, ended.write = 1, ended.fsync = 1, seen = 0;
    assert_ok(vb_writer_write_whole(path, "abc", 3, &err));
    assert_int_equal(seen, 4);
    ended.open = 3, seen = 0;
    expect_content("abc");
    assert_int_equal(seen, 3);
    unlink(path);
    ended.open = 1, ended.fsync = 1, seen = 0;
    assert_ok(vb_writer_create_whole(path, "once", 4, &made, &err));
    assert_true(made && seen == 2);
    expect_content("once");
    char text[8];
    ended.open = ended.read = 1, seen = 0;
    vb_file_read_proc(path, text, sizeof text);
    assert_string_equal(text, "once");
    assert_int_equal(seen, 2);
}

static void folders_are_listed(void **state) {
    (void)state;
    vb_strings names;
    char folder[1024];
    put_text("file", "x");
    ended.opendir = 1, seen = 0;
    assert_ok(vb_path_list_folder(&names, in_scratch(folder, ""), &err));
    assert_true(names.count >= 1 && seen == 1);
    vb_strings_free(&names);
}

static void locks_are_held(void **state) {
    (void)state;
    char folder[1024], lock[1024];
    bool taken;
    ended.open = ended.flock = 1, seen = 0;
    const int fd = vb_lock_hold(in_scratch(folder, ""), "lock", LOCK_EX);
    assert_true(fd >= 0 && seen == 2);
    /* Ended by a signal is not unknown: the lock is held, and the file is left as it is. */
    in_scratch(lock, "lock");
    ended.flock = 1, seen = 0;
    assert_ok(vb_lock_replace(lock, "", "mine", &taken, &err));
    assert_true(!taken && seen == 1);
    close(fd);
    assert_ok(vb_lock_replace(lock, "", "mine", &taken, &err));
    assert_true(taken);
}

static void memory_is_shared(void **state) {
    (void)state;
    vb_memory_file at;
    ended.fallocate = 2, seen = 0;
    assert_ok(vb_memory_file_make(&at, 1 << 16, "test", &err));
    assert_int_equal(seen, 2);
    if (at.fd < 0) skip();
    ended.open = 1, seen = 0;
    const int fd = vb_memory_file_open(&at);
    assert_true(fd >= 0 && seen == 1);
    vb_memory_file_close(fd);
    vb_memory_file_close((int)at.fd);
}

static volatile sig_atomic_t signals;

static void set_timer(int microseconds) {
    const struct itimerval timer = {.it_interval.tv_usec = microseconds, .it_value.tv_usec = microseconds};
    setitimer(ITIMER_REAL, &timer, NULL);
}

static void on_signal(int number) {
    (void)number;
    if (++signals == 3) set_timer(0);
}

/* As Slurm's notice does while the pages of 64 MiB are asked for. */
static void signals_take_no_memory(void **state) {
    (void)state;
    enum { SIZE = 64 << 20 };
    const struct sigaction action = {.sa_handler = on_signal}; /* it stays: a last signal may come late */
    vb_memory_file at;
    sigaction(SIGALRM, &action, NULL);
    signals = 0;
    set_timer(2000);
    const int status = vb_memory_file_make(&at, SIZE, "test", &err);
    set_timer(0);
    if (status) fail_msg("%s", err.text);
    vb_memory_file_close((int)at.fd);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(files_are_written_and_read), cmocka_unit_test(folders_are_listed),
                                       cmocka_unit_test(locks_are_held), cmocka_unit_test(memory_is_shared),
                                       cmocka_unit_test(signals_take_no_memory)};
    return cmocka_run_group_tests(tests, setup, remove_scratch);
}
