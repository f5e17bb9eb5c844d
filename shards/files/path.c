/* Paths and folders: their parts, what lies there, lists and patterns. */
#include "shards/files/path.h"

#include <dirent.h>
#include <errno.h>
#include <glob.h>
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "kernels/base/fault.h"
#include "kernels/base/memory.h"
#include "shards/files/descriptor.h"
#include "shards/files/identity.h"

char *vb_path_join(const char *folder, const char *name, vb_error *err) {
    bool slash = folder[0] && folder[strlen(folder) - 1] == '/';
    return vb_format(err, "%s%s%s", folder, slash ? "" : "/", name);
}

char *vb_path_beside(const char *path, const char *name, vb_error *err) {
    return vb_format(err, "%.*s%s", (int)(vb_path_base_name(path) - path), path, name);
}

int vb_path_make_folders(const char *path, vb_error *err) {
    char *copy = vb_strdup(path, err);
    if (!copy) return -1;
    int status = 0;
    for (char *at = copy + 1; !status; at++) {
        if (*at && *at != '/') continue;
        char kept = *at;
        *at = 0;
        if (mkdir(copy, 0777) && errno != EEXIST)
            status = vb_errorf(err, VB_EOUTPUT, "%s: cannot create folder: %s", copy, strerror(errno));
        *at = kept;
        if (!kept) break;
    }
    if (!status && !vb_path_is_folder(path))
        status = vb_errorf(err, VB_EOUTPUT, "%s: expected a folder, found %s", path,
                           vb_path_exists(path) ? "a file" : "a link that leads nowhere");
    vb_free(copy);
    return status;
}

char *vb_path_absolute(const char *path, vb_error *err) {
    char folder[PATH_MAX];
    if (path[0] == '/') return vb_strdup(path, err);
    if (!getcwd(folder, sizeof folder)) {
        vb_errorf(err, VB_EMISSING, "the current folder has no path: %s", strerror(errno));
        return NULL;
    }
    return vb_format(err, "%s/%s", folder, path);
}

int vb_path_free_space(const char *folder, int64_t *bytes, vb_error *err) {
    struct statvfs facts;
    if (statvfs(folder, &facts)) return vb_errorf(err, VB_EMISSING, "%s: %s", folder, strerror(errno));
    double space = (double)facts.f_bavail * (double)facts.f_frsize;
    *bytes = space < (double)INT64_MAX ? (int64_t)space : INT64_MAX;
    return 0;
}

int vb_path_stat(const char *path, vb_path_facts *facts, vb_error *err) {
    struct stat info;
    if (stat(path, &info)) return vb_errorf(err, VB_EMISSING, "%s: %s", path, strerror(errno));
    const int64_t mtime_ns = vb_identity_nanoseconds(info.st_mtim);
    *facts =
        (vb_path_facts){(uint64_t)info.st_size, mtime_ns, (uint64_t)info.st_dev, (uint64_t)info.st_ino, S_ISDIR(info.st_mode),
                        S_ISREG(info.st_mode)};
    return 0;
}

bool vb_path_is_same(const char *a, const char *b) {
    vb_path_facts first, second;
    vb_error none;
    if (vb_path_stat(a, &first, &none) || vb_path_stat(b, &second, &none)) return false;
    return first.device == second.device && first.inode == second.inode;
}

/* ---- variables ---- */

static const char *variable(const char *name, const char *written, vb_error *err) {
    const char *value = getenv(name);
    if (value && *value) return value;
    vb_errorf(err, VB_ECONFIG, "%s: the environment variable %s is %s; write $$ for a dollar", written, name,
              value ? "empty" : "not set");
    return NULL;
}

/* What stands for the reference at *at, a ~ or a $, which is then behind it; NULL with an error. */
static const char *look_up(const char **at, const char *written, vb_error *err) {
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789";
    const char *from = *at + 1;
    if (**at == '~') {
        *at = from;
        if (!*from || *from == '/') return variable("HOME", written, err);
        vb_errorf(err, VB_ECONFIG,
                  "%s: folders of other users are not looked up; write the path out, or ./ before a ~ of the name", written);
        return NULL;
    }
    if (*from == '$') {
        *at = from + 1;
        return "$";
    }
    const bool braces = *from == '{';
    char name[256] = "";
    from += braces;
    const size_t n = strspn(from, letters);
    const bool whole = n && n < sizeof name && !(*from >= '0' && *from <= '9') && (!braces || from[n] == '}');
    if (!whole) {
        vb_errorf(err, VB_ECONFIG, "%s: expected $NAME or ${NAME} of the environment, or $$ for a dollar, found '%.20s'", written,
                  *at);
        return NULL;
    }
    memcpy(name, from, n);
    *at = from + n + braces;
    return variable(name, written, err);
}

char *vb_path_expand(const char *written, vb_error *err) {
    char *text = NULL;
    size_t filled = 0, capacity = 0;
    for (const char *at = written; *at;) {
        const bool reference = *at == '$' || (*at == '~' && at == written);
        const size_t plain = reference ? 0 : 1 + strcspn(at + 1, "$");
        const char *piece = reference ? look_up(&at, written, err) : at;
        const size_t n = !piece ? 0 : reference ? strlen(piece) : plain;
        if (!piece || vb_grow((void **)&text, &capacity, filled + n + 1, 1, "a path", err)) {
            vb_free(text);
            return NULL;
        }
        memcpy(text + filled, piece, n);
        filled += n;
        text[filled] = 0;
        at += plain;
    }
    return text ? text : vb_strdup("", err);
}

char *vb_path_written(const char *path, vb_error *err) {
    const size_t n = strlen(path);
    char *written = vb_array(2 * n + 3, 1, "a path", err), *to = written;
    if (!written) return NULL;
    if (*path == '~') *to++ = '.', *to++ = '/';
    for (const char *at = path; *at; at++) {
        if (*at == '$') *to++ = '$';
        *to++ = *at;
    }
    return written; /* vb_array's bytes are 0 */
}

bool vb_path_exists(const char *path) { return access(path, F_OK) == 0; }

bool vb_path_is_folder(const char *path) {
    struct stat info;
    return stat(path, &info) == 0 && S_ISDIR(info.st_mode);
}

const char *vb_path_base_name(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

bool vb_path_ends_with(const char *text, const char *suffix) {
    size_t n = strlen(text), m = strlen(suffix);
    return n >= m && !strcmp(text + n - m, suffix);
}

/* As many paths at most as braces make of a pattern, nested ones taken as if they stood side by side. */
static double count_expansions(const char *pattern) {
    enum { DEEPEST = 64 };
    double total = 1, alternatives[DEEPEST];
    int depth = 0;
    for (const char *at = pattern; *at; at++) {
        if (*at == '\\' && at[1]) at++;
        else if (*at == '{' && depth == DEEPEST) return INFINITY;
        else if (*at == '{') alternatives[depth++] = 1;
        else if (*at == ',' && depth) alternatives[depth - 1]++;
        else if (*at == '}' && depth) total *= alternatives[--depth];
    }
    return total;
}

static int add_matches(vb_strings *paths, const char *pattern, vb_error *err) {
    /* A name that exists is meant literally, even when it holds brackets. */
    if (vb_path_exists(pattern)) return vb_strings_add(paths, pattern, err);
    enum { MOST = 100000 };
    if (count_expansions(pattern) > MOST)
        return vb_errorf(err, VB_EMISSING, "%s: its braces mean more than %d paths; name them by a * or by ranges", pattern,
                         MOST);
    glob_t found = {0};
    int status = glob(pattern, GLOB_BRACE | GLOB_NOSORT, NULL, &found);
    if (status == GLOB_NOSPACE) status = vb_errorf(err, VB_EMEMORY, "%s: no memory for the list of files", pattern);
    else if (status) status = vb_errorf(err, VB_EMISSING, "%s: no such file", pattern);
    for (size_t i = 0; !status && i < found.gl_pathc; i++) status = vb_strings_add(paths, found.gl_pathv[i], err);
    globfree(&found);
    return status;
}

/* "{00000..00041}" in a pattern: where it begins and ends, its bounds and its width. */
static bool find_range(const char *pattern, const char **from, const char **to, unsigned long long *first,
                       unsigned long long *last, int *width) {
    for (const char *at = strchr(pattern, '{'); at; at = strchr(at + 1, '{')) {
        size_t n = strspn(at + 1, "0123456789");
        if (!n || n > 15 || strncmp(at + 1 + n, "..", 2)) continue;
        size_t m = strspn(at + 3 + n, "0123456789");
        if (!m || m > 15 || at[3 + n + m] != '}') continue;
        *first = strtoull(at + 1, NULL, 10);
        *last = strtoull(at + 3 + n, NULL, 10);
        *width = (int)n;
        *from = at;
        *to = at + 4 + n + m;
        return true;
    }
    return false;
}

/* Every number of a range must be there: a gap in the numbering is not passed over. */
static int expand_ranges(vb_strings *paths, const char *pattern, vb_error *err) {
    const char *from, *to;
    unsigned long long first, last;
    int width;
    if (!find_range(pattern, &from, &to, &first, &last, &width)) return add_matches(paths, pattern, err);
    if (last < first || last - first >= 10000000)
        return vb_errorf(err, VB_EMISSING, "%s: the range {%llu..%llu} is empty or too long", pattern, first, last);
    for (unsigned long long i = first; i <= last; i++) {
        char *one = vb_format(err, "%.*s%0*llu%s", (int)(from - pattern), pattern, width, i, to);
        int status = one ? expand_ranges(paths, one, err) : -1;
        vb_free(one);
        if (status) return -1;
    }
    return 0;
}

int vb_path_glob(vb_strings *paths, const char *pattern, vb_error *err) {
    *paths = (vb_strings){0};
    int status = vb_path_exists(pattern) ? vb_strings_add(paths, pattern, err) : expand_ranges(paths, pattern, err);
    if (status) vb_strings_free(paths);
    else vb_strings_sort(paths);
    return status;
}

int vb_path_list_folder(vb_strings *names, const char *folder, vb_error *err) {
    *names = (vb_strings){0};
    int fault = vb_fault(VB_FAULT_OPEN);
    DIR *stream = NULL;
    if (fault) errno = fault > 0 ? fault : EIO;
    else stream = vb_descriptor_open_folder(folder);
    if (!stream) return vb_errorf(err, VB_EMISSING, "%s: cannot open folder: %s", folder, strerror(errno));
    int status = 0;
    errno = 0;
    for (struct dirent *entry; !status && (entry = readdir(stream));) {
        if (entry->d_name[0] != '.') status = vb_strings_add(names, entry->d_name, err);
        errno = 0;
    }
    if (!status && errno) status = vb_errorf(err, VB_EMISSING, "%s: cannot list folder: %s", folder, strerror(errno));
    closedir(stream);
    if (status) vb_strings_free(names);
    else vb_strings_sort(names);
    return status;
}
