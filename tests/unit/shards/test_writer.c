/* Tests of writing files: whole or not at all under injected faults, and the sweep after writers that died. */
#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

#include "tests/unit/scratch.h"
#include "kernels/base/fault.h"
#include "shards/files/file.h"
#include "shards/files/lock.h"
#include "shards/files/path.h"
#include "shards/files/writer.h"

static size_t files_in_folder(void) {
    vb_error err;
    vb_strings names;
    assert_int_equal(run_command("test -z \"$(ls -A '%s' | grep tmp)\"", scratch), 0); /* no temporary file is ever left */
    assert_ok(vb_path_list_folder(&names, scratch, &err));
    size_t count = names.count;
    vb_strings_free(&names);
    return count;
}

static void a_file_appears_whole_or_not_at_all(void **state) {
    (void)state;
    vb_error err = {0};
    static const struct {
        const char *fault;
        int code;
    } cases[] = {{"open:1:EACCES", VB_EOUTPUT}, {"write:1:ENOSPC", VB_EOUTPUT}, {"write:2:ENOSPC", VB_EOUTPUT},
                 {"fsync:1:EIO", VB_EOUTPUT},   {"rename:1:EIO", VB_EOUTPUT},   {"alloc:1:ENOMEM", VB_EMEMORY},
                 {"alloc:3:ENOMEM", VB_EMEMORY}};
    const char *path = scratch_path("file");
    size_t size = 600000;
    uint8_t *bytes = vb_array(size, 1, "test", &err);
    memset(bytes, 7, size);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        vb_fault_setup(cases[i].fault, 0);
        assert_fails(vb_writer_write_whole(path, bytes, size, &err), cases[i].code, "");
        vb_fault_setup(NULL, 0);
        assert_false(vb_path_exists(path));
        assert_int_equal(files_in_folder(), 0);
    }
    vb_fault_setup("fsync:2:EIO", 0); /* of the folder, without which the name may be gone after a crash */
    assert_fails(vb_writer_write_whole(path, bytes, size, &err), VB_EOUTPUT, scratch);
    vb_fault_setup(NULL, 0);
    assert_int_equal(files_in_folder(), 1);
    vb_fault_setup("write:1+:short", 0); /* short writes are completed */
    assert_ok(vb_writer_write_whole(path, bytes, 1000, &err));
    vb_fault_setup(NULL, 0);
    uint8_t *back;
    assert_ok(vb_file_read_whole(path, 1000, &back, &size, &err));
    assert_int_equal(size, 1000);
    assert_memory_equal(back, bytes, 1000);
    vb_free(back);
    assert_fails(vb_file_read_whole(path, 999, &back, &size, &err), VB_EDATA, "at most 999");
    vb_fault_setup("read:1:short", 0);
    assert_fails(vb_file_read_whole(path, 1000, &back, &size, &err), VB_EDATA, "ends after 0");
    vb_fault_setup(NULL, 0);
    assert_fails(vb_file_read_whole(scratch, 1000, &back, &size, &err), VB_EMISSING, "found a folder");
    assert_int_equal(unlink(path), 0);
    vb_free(bytes);
}

/* Puts a file there whose last write was so many seconds ago. */
static void put_aged(const char *name, long seconds) {
    vb_error err;
    assert_int_equal(vb_writer_write_whole(name, "half", 4, &err), 0);
    struct timespec times[2] = {{.tv_sec = time(NULL) - seconds}, {.tv_sec = time(NULL) - seconds}};
    assert_int_equal(utimensat(AT_FDCWD, name, times, 0), 0);
}

/* A process that opens a writer and ends. options: WNOWAIT, so that it stays one that has ended and was not asked for. */
static pid_t leave_temporary(const char *folder, const char *file, int options) {
    pid_t child = fork();
    if (!child) {
        char name[800];
        vb_error err;
        vb_writer *writer;
        snprintf(name, sizeof name, "%s/%s", folder, file);
        _exit(vb_writer_open(&writer, name, &err) ? 1 : 0); /* not committed, not abandoned */
    }
    siginfo_t end = {0};
    assert_int_equal(waitid(P_PID, (id_t)child, &end, WEXITED | options), 0);
    assert_int_equal(end.si_status, 0);
    return child;
}

/* A writer that died with its process leaves a temporary file, which goes; those of living processes and of other machines stay
 * for a day, and files of other names for ever. */
static void files_of_dead_writers_are_swept(void **state) {
    (void)state;
    char root[600], below[700], dead[40], name[800], kept[8][800];
    vb_error err;
    snprintf(root, sizeof root, "%s/sweep", scratch);
    snprintf(below, sizeof below, "%s/a/b", root);
    assert_int_equal(vb_path_make_folders(below, &err), 0);
    pid_t unasked = leave_temporary(below, "z.npy", WNOWAIT), child = leave_temporary(below, "x.npy", 0);
    /* Its name tells this machine's word. */
    vb_writer *mine;
    unsigned machine = 0;
    snprintf(name, sizeof name, "%s/mine", below);
    assert_int_equal(vb_writer_open(&mine, name, &err), 0);
    DIR *stream = opendir(below);
    int found = 0;
    for (struct dirent *entry; (entry = readdir(stream));)
        found += sscanf(entry->d_name, ".x.npy.%*8x.%8x.%20[0-9].tmp", &machine, dead) == 2;
    closedir(stream);
    assert_int_equal(found, 1);
    assert_int_equal(strtol(dead, NULL, 10), child);
    const long day = 24 * 60 * 60;
    const struct {
        const char *before, *behind;
        unsigned machine;
        long pid, age;
    } stay[] = {{".y.npy.", ".tmp", machine ^ 1, child, day - 60}, /* another machine's, whose processes cannot be seen */
                {".y.npy.", ".tmp", machine, getppid(), 60},
                {"y.npy.", ".tmp", machine, child, 2 * day},
                {".y.npy.", ".tmpx", machine, child, 2 * day},
                {".y.npy.", "x.tmp", machine, child, 2 * day},
                {".", ".tmp", machine, child, 2 * day}};
    int count = (int)(sizeof stay / sizeof *stay);
    for (int i = 0; i < count; i++) {
        snprintf(kept[i], sizeof kept[i], "%s/%s%08x.%ld%s", below, stay[i].before, stay[i].machine, stay[i].pid, stay[i].behind);
        put_aged(kept[i], stay[i].age);
    }
    snprintf(name, sizeof name, "%s/.y.npy.%08x.%ld.tmp", root, machine ^ 1, (long)getppid());
    put_aged(name, day + 60); /* old: nobody writes for so long */
    assert_int_equal(vb_writer_sweep_temporaries(root), 3);
    assert_false(vb_path_exists(name));
    for (int i = 0; i < count; i++) assert_true(vb_path_exists(kept[i]));
    assert_int_equal(vb_writer_sweep_temporaries(root), 0);
    assert_int_equal(vb_writer_commit(mine, &err), 0); /* a writer at work was not disturbed */
    snprintf(name, sizeof name, "%s/nowhere", root);
    assert_int_equal(vb_writer_sweep_temporaries(name), 0);
    assert_int_equal(run_command("rm -r '%s'", root), 0);
    assert_int_equal(waitpid(unasked, NULL, 0), unasked);
}

/* Beside a file that is written anew, its own are swept: not another's whose name begins alike, nor below. */
static void what_was_left_beside_a_file_is_swept(void **state) {
    (void)state;
    char folder[600], name[700];
    snprintf(folder, sizeof folder, "%s/beside", scratch);
    snprintf(name, sizeof name, "%s/below", folder);
    vb_error err;
    assert_int_equal(vb_path_make_folders(name, &err), 0);
    leave_temporary(name, "out", 0);
    leave_temporary(folder, "out", 0);
    leave_temporary(folder, "output", 0);
    snprintf(name, sizeof name, "%s/out", folder);
    assert_int_equal(vb_writer_sweep_beside(name), 1);
    assert_int_equal(vb_writer_sweep_beside(name), 0);
    assert_int_equal(vb_writer_sweep_temporaries(folder), 2);
    assert_int_equal(run_command("rm -r '%s'", folder), 0);
}

/* The only temporary file in the scratch folder, links aside. */
static void find_temporary(char *path, size_t size) {
    DIR *stream = opendir(scratch);
    int found = 0;
    for (struct dirent *entry; (entry = readdir(stream));)
        if (entry->d_type != DT_LNK && entry->d_name[0] == '.' && vb_path_ends_with(entry->d_name, ".tmp")) {
            snprintf(path, size, "%s/%s", scratch, entry->d_name);
            found++;
        }
    closedir(stream);
    assert_int_equal(found, 1);
}

/* Names that were seen once tell nothing of the next one, so that nobody can put a link in its place. */
static void temporary_names_cannot_be_foretold(void **state) {
    (void)state;
    vb_error err;
    vb_writer *writer;
    char first[800], second[800];
    struct stat info;
    for (int i = 0; i < 2; i++) {
        assert_ok(vb_writer_open(&writer, scratch_path("x"), &err));
        find_temporary(i ? second : first, sizeof first);
        vb_writer_abandon(writer);
        if (!i) assert_int_equal(symlink(scratch_path("victim"), first), 0); /* where it was the last time */
        else unlink(first);
    }
    assert_string_not_equal(first, second);
    assert_int_not_equal(lstat(scratch_path("victim"), &info), 0);
    assert_int_equal(files_in_folder(), 0);
}

static void a_file_is_made_by_one(void **state) {
    (void)state;
    vb_error err;
    bool made;
    struct stat info;
    const char *path = scratch_path("one");
    assert_ok(vb_writer_create_whole(path, "first", 5, &made, &err));
    assert_true(made);
    assert_ok(vb_writer_create_whole(path, "second", 6, &made, &err));
    assert_false(made);
    assert_int_equal(stat(path, &info), 0);
    assert_int_equal(info.st_size, 5);
    assert_int_equal(files_in_folder(), 1);
    unlink(path);
    assert_int_equal(symlink("elsewhere", path), 0); /* a link is there already, wherever it leads */
    assert_ok(vb_writer_create_whole(path, "third", 5, &made, &err));
    assert_false(made);
    assert_false(vb_path_exists(path));
    unlink(path);
    vb_fault_setup("write:1:ENOSPC", 0);
    assert_fails(vb_writer_create_whole(path, "x", 1, &made, &err), VB_EOUTPUT, "cannot write");
    vb_fault_setup(NULL, 0);
    assert_int_equal(files_in_folder(), 0);
}

static void locks_are_replaced_by_who_knows_them(void **state) {
    (void)state;
    vb_error err;
    bool taken;
    char *text;
    const char *path = scratch_path("run.lock");
    assert_ok(vb_lock_read(path, &text, &err));
    assert_null(text);
    assert_ok(vb_lock_replace(path, "a", "b", &taken, &err));
    assert_false(taken);
    assert_ok(vb_lock_create(path, "a", &taken, &err));
    assert_true(taken);
    assert_ok(vb_lock_create(path, "b", &taken, &err));
    assert_false(taken);
    assert_ok(vb_lock_replace(path, "x", "b", &taken, &err));
    assert_false(taken);
    assert_ok(vb_lock_replace(path, "a", "b", &taken, &err));
    assert_true(taken);
    assert_ok(vb_lock_read(path, &text, &err));
    assert_string_equal(text, "b");
    vb_free(text);
    vb_lock_remove(path, "a");
    assert_true(vb_path_exists(path));
    vb_lock_remove(path, "b");
    assert_int_equal(files_in_folder(), 0);
}

/* Of many that find one stale lock at the same moment, one gets it. */
static void a_stale_lock_goes_to_one(void **state) {
    (void)state;
    enum { PROCESSES = 8, ROUNDS = 20 };
    vb_error err;
    const char *path = scratch_path("run.lock");
    for (int round = 0; round < ROUNDS; round++) {
        bool taken;
        int winners = 0, code;
        assert_ok(vb_lock_create(path, "stale", &taken, &err));
        for (int p = 0; p < PROCESSES; p++)
            if (!fork()) {
                char mine[16];
                snprintf(mine, sizeof mine, "%d", p);
                _exit(vb_lock_replace(path, "stale", mine, &taken, &err) ? 2 : taken);
            }
        while (wait(&code) > 0) {
            assert_true(WIFEXITED(code) && WEXITSTATUS(code) < 2);
            winners += WEXITSTATUS(code);
        }
        assert_int_equal(winners, 1);
        unlink(path);
    }
    assert_int_equal(files_in_folder(), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_file_appears_whole_or_not_at_all),
                                       cmocka_unit_test(files_of_dead_writers_are_swept),
                                       cmocka_unit_test(what_was_left_beside_a_file_is_swept),
                                       cmocka_unit_test(temporary_names_cannot_be_foretold),
                                       cmocka_unit_test(a_file_is_made_by_one),
                                       cmocka_unit_test(locks_are_replaced_by_who_knows_them),
                                       cmocka_unit_test(a_stale_lock_goes_to_one)};
    return cmocka_run_group_tests(tests, make_scratch, remove_scratch);
}
