/* Tests of the file layer, digests and .npy: golden headers written by NumPy, truncation at every byte, injected faults. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/unit/vb_test.h"
#include "kernels/base/fault.h"
#include "shards/files/digest.h"
#include "shards/embeddings/npy.h"
#include "shards/files/file.h"
#include "shards/files/path.h"

static char folder[] = "/tmp/vocabench-io.XXXXXX";
static char path[256], other[256];

static int make_folder(void **state) {
    (void)state;
    if (!mkdtemp(folder)) return -1;
    snprintf(path, sizeof path, "%s/file", folder);
    snprintf(other, sizeof other, "%s/other", folder);
    return 0;
}

static int remove_folder(void **state) {
    (void)state;
    char command[300];
    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    return system(command);
}

static size_t files_in_folder(void) {
    vb_error err;
    vb_strings names;
    char command[300];
    snprintf(command, sizeof command, "test -z \"$(ls -A '%s' | grep tmp)\"", folder);
    assert_int_equal(system(command), 0); /* no temporary file is ever left */
    assert_ok(vb_path_list_folder(&names, folder, &err));
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
    assert_fails(vb_file_read_whole(folder, 1000, &back, &size, &err), VB_EMISSING, "found a folder");
    assert_int_equal(unlink(path), 0);
    vb_free(bytes);
}

static void folders_and_globs(void **state) {
    (void)state;
    vb_error err = {0};
    char deep[300], pattern[300];
    snprintf(deep, sizeof deep, "%s/a/b/c", folder);
    assert_ok(vb_path_make_folders(deep, &err));
    assert_ok(vb_path_make_folders(deep, &err));
    const char *names[] = {"z.tar", "b.tar", "[x].tar", ".hidden.tar"};
    for (int i = 0; i < 4; i++) {
        snprintf(path, sizeof path, "%s/%s", deep, names[i]);
        assert_ok(vb_writer_write_whole(path, "x", 1, &err));
    }
    vb_strings paths;
    snprintf(pattern, sizeof pattern, "%s/*.tar", deep);
    assert_ok(vb_path_glob(&paths, pattern, &err));
    assert_int_equal(paths.count, 3);
    assert_string_equal(vb_path_base_name(paths.items[0]), "[x].tar");
    assert_string_equal(vb_path_base_name(paths.items[2]), "z.tar");
    vb_strings_free(&paths);
    snprintf(pattern, sizeof pattern, "%s/{b,z}.tar", deep);
    assert_ok(vb_path_glob(&paths, pattern, &err));
    assert_int_equal(paths.count, 2);
    vb_strings_free(&paths);
    snprintf(pattern, sizeof pattern, "%s/[x].tar", deep);
    assert_ok(vb_path_glob(&paths, pattern, &err));
    assert_int_equal(paths.count, 1);
    vb_strings_free(&paths);
    for (int i = 8; i < 12; i++) {
        snprintf(path, sizeof path, "%s/s%03d.tar", deep, i);
        assert_ok(vb_writer_write_whole(path, "x", 1, &err));
    }
    snprintf(pattern, sizeof pattern, "%s/s{008..011}.tar", deep);
    assert_ok(vb_path_glob(&paths, pattern, &err));
    assert_int_equal(paths.count, 4);
    assert_string_equal(vb_path_base_name(paths.items[3]), "s011.tar");
    vb_strings_free(&paths);
    snprintf(pattern, sizeof pattern, "%s/s{008..012}.tar", deep);
    assert_fails(vb_path_glob(&paths, pattern, &err), VB_EMISSING, "s012.tar: no such file");
    snprintf(pattern, sizeof pattern, "%s/s{011..008}.tar", deep);
    assert_fails(vb_path_glob(&paths, pattern, &err), VB_EMISSING, "empty or too long");
    assert_fails(vb_path_glob(&paths, "/nowhere/*.tar", &err), VB_EMISSING, "/nowhere/*.tar");
    snprintf(pattern, sizeof pattern, "%s/z.tar/x", deep);
    assert_fails(vb_path_make_folders(pattern, &err), VB_EOUTPUT, "z.tar");
    snprintf(path, sizeof path, "%s/file", folder);
    char command[300];
    snprintf(command, sizeof command, "rm -rf '%s/a'", folder);
    assert_int_equal(system(command), 0);
}

/* Puts a file there whose last write was so many seconds ago. */
static void put_aged(const char *name, long seconds) {
    vb_error err;
    assert_int_equal(vb_writer_write_whole(name, "half", 4, &err), 0);
    struct timespec times[2] = {{.tv_sec = time(NULL) - seconds}, {.tv_sec = time(NULL) - seconds}};
    assert_int_equal(utimensat(AT_FDCWD, name, times, 0), 0);
}

/* A writer that died with its process leaves a temporary file, which goes; those of living processes and of other machines stay
 * for a day, and files of other names for ever. */
static void files_of_dead_writers_are_swept(void **state) {
    (void)state;
    char root[300], below[400], dead[40], name[600], kept[8][600];
    vb_error err;
    snprintf(root, sizeof root, "%s/sweep", folder);
    snprintf(below, sizeof below, "%s/a/b", root);
    assert_int_equal(vb_path_make_folders(below, &err), 0);
    pid_t child = fork();
    if (!child) {
        vb_writer *writer;
        snprintf(name, sizeof name, "%s/x.npy", below);
        _exit(vb_writer_open(&writer, name, &err) ? 1 : 0); /* not committed, not abandoned */
    }
    int code;
    assert_int_equal(waitpid(child, &code, 0), child);
    assert_int_equal(code, 0);
    /* Its name tells this machine's word. */
    vb_writer *mine;
    unsigned machine = 0;
    snprintf(name, sizeof name, "%s/mine", below);
    assert_int_equal(vb_writer_open(&mine, name, &err), 0);
    DIR *stream = opendir(below);
    int found = 0;
    for (struct dirent *entry; (entry = readdir(stream));)
        found += sscanf(entry->d_name, ".x.npy.%8x.%20[0-9].tmp", &machine, dead) == 2;
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
    assert_int_equal(vb_writer_sweep_temporaries(root), 2);
    assert_false(vb_path_exists(name));
    for (int i = 0; i < count; i++) assert_true(vb_path_exists(kept[i]));
    assert_int_equal(vb_writer_sweep_temporaries(root), 0);
    assert_int_equal(vb_writer_commit(mine, &err), 0); /* a writer at work was not disturbed */
    snprintf(name, sizeof name, "%s/nowhere", root);
    assert_int_equal(vb_writer_sweep_temporaries(name), 0);
}

static void digests_equal_xxhsum(void **state) {
    (void)state;
    vb_error err = {0};
    /* `printf vocabench | xxhsum -H2`, and of nothing */
    assert_string_equal(vb_digest_bytes("", 0).hex, "99aa06d3014798d86001c324468d497f");
    vb_digest whole = vb_digest_bytes("vocabench", 9), file;
    assert_ok(vb_writer_write_whole(path, "vocabench", 9, &err));
    assert_ok(vb_digest_file(path, &file, &err));
    assert_string_equal(whole.hex, file.hex);
    vb_digester *digester;
    vb_digest pieces[2];
    for (int i = 0; i < 2; i++) {
        assert_ok(vb_digest_new(&digester, &err));
        vb_digest_add_text(digester, i ? "a" : "ab");
        vb_digest_add_text(digester, i ? "bc" : "c");
        pieces[i] = vb_digest_finish(digester);
    }
    assert_string_not_equal(pieces[0].hex, pieces[1].hex);
    unlink(path);
}

static void npy_equals_numpy(void **state) {
    (void)state;
    vb_error err = {0};
    /* numpy.save of numpy.array([[1,2,3],[4,5,6]], '<f4') */
    static const char numpys[] = "\x93NUMPY\x01\x00v\x00{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }";
    float values[6] = {1, 2, 3, 4, 5, 6};
    int64_t shape[2] = {2, 3};
    assert_ok(vb_npy_write(path, VB_F32, 2, shape, values, &err));
    uint8_t *bytes;
    size_t size;
    assert_ok(vb_file_read_whole(path, 1 << 20, &bytes, &size, &err));
    assert_int_equal(size, 128 + 24);
    assert_memory_equal(bytes, numpys, sizeof numpys - 1);
    assert_int_equal(bytes[127], '\n');
    assert_memory_equal(bytes + 128, values, 24);
    vb_npy npy;
    assert_ok(vb_npy_open(&npy, path, &err));
    assert_int_equal(npy.tensor.ndim, 2);
    assert_int_equal(npy.tensor.shape[1], 3);
    assert_true(vb_tensor_at(&npy.tensor, 4) == 5);
    vb_npy_close(&npy);
    for (size_t n = 0; n < size; n++) { /* truncated at every byte */
        assert_ok(vb_writer_write_whole(other, bytes, n, &err));
        assert_fails(vb_npy_open(&npy, other, &err), VB_EDATA, "other");
    }
    vb_free(bytes);
    static const char *const headers[][2] = {
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (3), }\n", NULL},
        {"{'descr': '>f4', 'fortran_order': False, 'shape': (3,), }\n", "element type '>f4'"},
        {"{'descr': '<f4', 'fortran_order': True, 'shape': (3, 2), }\n", "Fortran"},
        {"{'descr': '<f4', 'shape': (3,), }\n", "malformed"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (-3,), }\n", "malformed"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (4611686018427387904, 9), }\n", "overflows"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999,), }\n", "malformed"},
        {"{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (3,), }\n", "malformed"}};
    for (size_t i = 0; i < sizeof headers / sizeof *headers; i++) {
        uint8_t file[256] = {0x93, 'N', 'U', 'M', 'P', 'Y', 1, 0};
        size_t n = strlen(headers[i][0]);
        file[8] = (uint8_t)n;
        memcpy(file + 10, headers[i][0], n);
        assert_ok(vb_writer_write_whole(other, file, 10 + n + (i == 2 ? 24 : 12), &err));
        if (!headers[i][1]) {
            assert_ok(vb_npy_open(&npy, other, &err));
            vb_npy_close(&npy);
        } else if (!vb_npy_open(&npy, other, &err) || !strstr(err.text, headers[i][1])) fail_msg("header %zu: %s", i, err.text);
    }
    unlink(path);
    unlink(other);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_file_appears_whole_or_not_at_all), cmocka_unit_test(folders_and_globs),
                                       cmocka_unit_test(files_of_dead_writers_are_swept), cmocka_unit_test(digests_equal_xxhsum),
                                       cmocka_unit_test(npy_equals_numpy)};
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
