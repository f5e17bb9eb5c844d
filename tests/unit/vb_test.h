/* What every unit test starts with: cmocka, and the shared data folder (skipped when absent). */
#ifndef VB_TEST_H
#define VB_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "kernels/base/memory.h"
#include "kernels/base/error.h"

/* Path of a file in the shared folder in `path` (1024 bytes); skips the test when it is not there. */
static inline const char *shared_path(char *path, const char *name) {
    const char *root = getenv("VOCABENCH_SHARED");
    snprintf(path, 1024, "%s/%s", root ? root : "../shared", name);
    if (access(path, R_OK)) {
        print_message("no %s in the shared data folder\n", name);
        skip();
    }
    return path;
}

#define assert_ok(call)                                                                                                          \
    do {                                                                                                                         \
        if (call) fail_msg("%s: %s", #call, err.text);                                                                           \
    } while (0)
#define assert_fails(call, expected_code, fragment)                                                                              \
    do {                                                                                                                         \
        vb_error_clear(&err);                                                                                                    \
        if (!(call)) fail_msg("%s: succeeded", #call);                                                                           \
        if (err.code != (int)(expected_code) || !strstr(err.text, fragment))                                                     \
            fail_msg("%s: code %d, text: %s", #call, err.code, err.text);                                                        \
    } while (0)

#endif
