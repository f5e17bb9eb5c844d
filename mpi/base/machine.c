/* The machine, from /proc, /etc/os-release, uname and the libraries themselves. */
#include "mpi/base/machine.h"

#include <dlfcn.h>
#include <limits.h>
#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#include <utf8proc.h>
#include <xxhash.h>
#include <yaml.h>
#include <zstd.h>
#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "kernels/base/memory.h"
#include "shards/files/file.h"
#include "shards/images/libraries.h"

/* The value of the first line of a text that begins with the key, and a ':' or '=' behind it; quotes are taken off. */
static bool find_value(const char *text, const char *key, char *value, int size) {
    const size_t n = strlen(key);
    for (const char *line = text; *line; line += strcspn(line, "\n"), line += *line == '\n') {
        if (strncmp(line, key, n)) continue;
        const char *at = line + n + strspn(line + n, " \t");
        if (*at != ':' && *at != '=') continue;
        at += 1 + strspn(at + 1, " \t\"");
        int length = (int)strcspn(at, "\"\n");
        while (length && at[length - 1] == ' ') length--;
        snprintf(value, (size_t)size, "%.*s", length, at);
        return length > 0;
    }
    return false;
}

void vb_machine_processor(char *text, int size) {
    char cpuinfo[4096];
    struct utsname system = {.machine = ""};
    vb_file_read_proc("/proc/cpuinfo", cpuinfo, sizeof cpuinfo);
    uname(&system);
    if (!find_value(cpuinfo, "model name", text, size) && !find_value(cpuinfo, "cpu model", text, size))
        snprintf(text, (size_t)size, "%s", system.machine);
}

void vb_machine_system(char *text, int size) {
    char release[4096], name[128];
    struct utsname system = {.machine = ""};
    vb_file_read_proc("/etc/os-release", release, sizeof release);
    uname(&system);
    const bool told = find_value(release, "PRETTY_NAME", name, sizeof name);
    snprintf(text, (size_t)size, "%s%s%s %s", told ? name : "", told ? ", " : "", system.sysname, system.release);
}

const char *vb_machine_compiler(void) {
#if defined(__clang__)
    return "clang " __clang_version__;
#elif defined(__GNUC__)
    return "gcc " __VERSION__;
#else
    return "unknown";
#endif
}

/* ScaLAPACK's BLAS: which library answers is the system's choice. */
static void describe_blas(char *text, int size) {
    Dl_info where;
    void *gemm = dlsym(RTLD_DEFAULT, "dgemm_");
    char *(*config)(void) = NULL;
    *(void **)&config = dlsym(RTLD_DEFAULT, "openblas_get_config");
    char real[PATH_MAX];
    const char *path = gemm && dladdr(gemm, &where) && where.dli_fname ? realpath(where.dli_fname, real) : NULL;
    snprintf(text, (size_t)size, "%s%s%s%s", config ? config() : "unknown", path ? " (" : "", path ? path : "", path ? ")" : "");
}

json_t *vb_machine_libraries(vb_json *json) {
    json_t *object = vb_json_object(json);
    vb_library images[VB_IMAGE_LIBRARIES];
    char text[512], pcre[64] = "", mpi[MPI_MAX_LIBRARY_VERSION_STRING];
    int n;
    vb_libraries_images(images);
    for (int i = 0; i < VB_IMAGE_LIBRARIES; i++) vb_json_set_text(json, object, images[i].name, images[i].version);
    vb_json_set_text(json, object, "zstd", ZSTD_versionString());
    vb_json_set_text(json, object, "jansson", JANSSON_VERSION);
    vb_json_set_text(json, object, "libyaml", yaml_get_version_string());
    pcre2_config(PCRE2_CONFIG_VERSION, pcre);
    vb_json_set_text(json, object, "pcre2", pcre);
    vb_json_set_text(json, object, "utf8proc", utf8proc_version());
    vb_json_set_format(json, object, "xxhash", "%u.%u.%u", XXH_versionNumber() / 10000, XXH_versionNumber() / 100 % 100,
                       XXH_versionNumber() % 100);
    describe_blas(text, sizeof text);
    vb_json_set_text(json, object, "BLAS", text);
    MPI_Get_library_version(mpi, &n);
    mpi[strcspn(mpi, ",")] = 0;
    vb_json_set_text(json, object, "MPI", mpi);
    return object;
}
