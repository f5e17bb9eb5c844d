/* A scratch folder for a test program, files in it, and programs to compare with when they are installed. */
#ifndef VB_TEST_SCRATCH_H
#define VB_TEST_SCRATCH_H

#include <sys/stat.h>

#include "shards/files/path.h"
#include "tests/unit/vb_test.h"

static char scratch[512];

static inline int make_scratch(void **state) {
    (void)state;
    const char *root = getenv("TMPDIR");
    snprintf(scratch, sizeof scratch, "%s/vb-test-XXXXXX", root && *root ? root : "/tmp");
    return mkdtemp(scratch) ? 0 : -1;
}

static inline int run_command(const char *format, ...) __attribute__((format(printf, 1, 2)));
static inline int run_command(const char *format, ...) {
    char command[8192];
    va_list args;
    va_start(args, format);
    vsnprintf(command, sizeof command, format, args);
    va_end(args);
    return system(command);
}

static inline int remove_scratch(void **state) {
    (void)state;
    return run_command("rm -rf '%s'", scratch);
}

static inline int have(const char *program) { return run_command("command -v %s >/dev/null 2>&1", program) == 0; }

/* "scratch/name" in `path` (1024 bytes); folders before it are made. */
static inline const char *in_scratch(char *path, const char *name) {
    vb_error err = {0};
    snprintf(path, 1024, "%s/%s", scratch, name);
    char folder[1024];
    snprintf(folder, sizeof folder, "%.*s", (int)(vb_path_base_name(path) - path - 1), path);
    assert_ok(vb_path_make_folders(folder, &err));
    return path;
}

/* The same in one of four buffers, used in turn. */
static inline const char *scratch_path(const char *name) {
    static char paths[4][1024];
    static int next;
    return in_scratch(paths[next++ % 4], name);
}

static inline void put_file(const char *name, const void *bytes, size_t size) {
    char path[1024];
    FILE *file = fopen(in_scratch(path, name), "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, size, file), size);
    assert_int_equal(fclose(file), 0);
}

static inline void put_text(const char *name, const char *text) { put_file(name, text, strlen(text)); }

#endif
