/* The file layer: checked reads, whole-file maps, writes that appear only when they are whole, folders and globs. */
#include "shards/files/io.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "kernels/base/fault.h"
#include "kernels/base/memory.h"

/* ---- reading ---- */

static int open_to_read(const char *path, uint64_t *size, vb_error *err) {
    int fault = vb_fault(VB_FAULT_OPEN), fd = -1;
    struct stat info;
    if (fault) errno = fault > 0 ? fault : EIO;
    else fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return vb_errorf(err, VB_EMISSING, "%s: cannot open: %s", path, strerror(errno));
    if (fstat(fd, &info)) {
        vb_errorf(err, VB_EMISSING, "%s: cannot stat: %s", path, strerror(errno));
        close(fd);
        return -1;
    }
    if (!S_ISREG(info.st_mode)) {
        vb_errorf(err, VB_EMISSING, "%s: expected a file, found a %s", path, S_ISDIR(info.st_mode) ? "folder" : "special file");
        close(fd);
        return -1;
    }
    *size = (uint64_t)info.st_size;
    return fd;
}

int vb_map_open(vb_map *map, const char *path, vb_error *err) {
    *map = (vb_map){(const uint8_t *)"", 0};
    uint64_t size;
    int fd = open_to_read(path, &size, err);
    if (fd < 0) return -1;
    int status = 0;
    if (size) {
        int fault = vb_fault(VB_FAULT_MMAP);
        void *data = MAP_FAILED;
        if (fault) errno = fault > 0 ? fault : ENOMEM;
        else data = mmap(NULL, size, PROT_READ, MAP_SHARED, fd, 0);
        if (data == MAP_FAILED)
            status = vb_errorf(err, VB_EMEMORY, "%s: cannot map %llu bytes: %s", path, (unsigned long long)size, strerror(errno));
        else *map = (vb_map){data, size};
    }
    close(fd);
    return status;
}

void vb_map_drop_pages(const vb_map *map) {
    if (map->size) madvise((void *)(uintptr_t)map->data, map->size, MADV_DONTNEED);
}

void vb_map_close(vb_map *map) {
    if (map->size) munmap((void *)(uintptr_t)map->data, map->size);
    *map = (vb_map){(const uint8_t *)"", 0};
}

int vb_file_open(vb_file *file, const char *path, vb_error *err) {
    *file = (vb_file){.fd = -1};
    if (!(file->path = vb_strdup(path, err))) return -1;
    file->fd = open_to_read(path, &file->size, err);
    if (file->fd >= 0) return 0;
    vb_file_close(file);
    return -1;
}

int vb_file_read(const vb_file *file, uint64_t offset, void *buffer, size_t size, vb_error *err) {
    uint8_t *at = buffer;
    size_t done = 0;
    while (done < size) {
        int fault = vb_fault(VB_FAULT_READ);
        ssize_t n = -1;
        if (fault == VB_FAULT_SHORT) n = 0;
        else if (fault) errno = fault;
        else n = pread(file->fd, at + done, size - done, (off_t)(offset + done));
        if (n < 0 && errno == EINTR) continue;
        if (n < 0)
            return vb_errorf(err, VB_EMISSING, "%s: offset %llu: cannot read: %s", file->path,
                             (unsigned long long)(offset + done), strerror(errno));
        if (!n)
            return vb_errorf(err, VB_EDATA, "%s: truncated: wanted %zu bytes at offset %llu, the file ends after %zu of them",
                             file->path, size, (unsigned long long)offset, done);
        done += (size_t)n;
    }
    return 0;
}

void vb_file_prefetch(const vb_file *file, uint64_t offset, uint64_t bytes) {
    posix_fadvise(file->fd, (off_t)offset, (off_t)bytes, POSIX_FADV_WILLNEED);
}

void vb_file_close(vb_file *file) {
    if (file->fd >= 0) close(file->fd);
    vb_free(file->path);
    *file = (vb_file){.fd = -1};
}

int vb_file_read_whole(const char *path, size_t limit, uint8_t **bytes, size_t *size, vb_error *err) {
    *bytes = NULL;
    *size = 0;
    vb_file file;
    if (vb_file_open(&file, path, err)) return -1;
    int status = -1;
    uint8_t *buffer = NULL;
    if (file.size > limit)
        vb_errorf(err, VB_EDATA, "%s: %llu bytes, at most %zu are expected of such a file", path, (unsigned long long)file.size,
                  limit);
    else if ((buffer = vb_array(file.size + 1, 1, path, err)) && !vb_file_read(&file, 0, buffer, file.size, err)) {
        *bytes = buffer;
        *size = file.size;
        buffer = NULL;
        status = 0;
    }
    vb_free(buffer);
    vb_file_close(&file);
    return status;
}

void vb_file_read_proc(const char *path, char *text, size_t size) {
    int file = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = file < 0 ? -1 : read(file, text, size - 1);
    text[n < 0 ? 0 : n] = 0;
    if (file >= 0) close(file);
}

void vb_writer_write_proc(const char *path, const char *text) {
    int file = open(path, O_WRONLY | O_CLOEXEC);
    if (file < 0) return;
    if (write(file, text, strlen(text)) < 0) errno = 0; /* not allowed here: nothing depends on it */
    close(file);
}

/* ---- writing ---- */

enum { WRITE_BUFFER = 1 << 18 };

struct vb_writer {
    int fd;
    char *path, *temporary;
    uint8_t *buffer;
    size_t filled;
    uint64_t written;
};

static int flush(vb_writer *writer, vb_error *err) {
    size_t done = 0;
    while (done < writer->filled) {
        int fault = vb_fault(VB_FAULT_WRITE);
        size_t wanted = writer->filled - done;
        ssize_t n = -1;
        if (fault > 0) errno = fault;
        else n = write(writer->fd, writer->buffer + done, fault == VB_FAULT_SHORT && wanted > 1 ? wanted / 2 : wanted);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return vb_errorf(err, VB_EOUTPUT, "%s: cannot write: %s", writer->path, strerror(errno));
        done += (size_t)n;
    }
    writer->filled = 0;
    return 0;
}

/* A short word for this machine: on a shared folder, processes of two nodes may have the same number. (FNV-1a of the host
 * name.) */
static unsigned machine_word(void) {
    char host[256] = "";
    gethostname(host, sizeof host - 1);
    unsigned word = 2166136261u;
    for (const char *at = host; *at; at++) word = (word ^ (unsigned char)*at) * 16777619u;
    return word;
}

int vb_writer_open(vb_writer **out, const char *path, vb_error *err) {
    *out = NULL;
    vb_writer *writer = vb_array(1, sizeof *writer, "writer", err);
    if (!writer) return -1;
    writer->fd = -1;
    const char *base = vb_path_base_name(path);
    writer->path = vb_strdup(path, err);
    writer->temporary = vb_format(err, "%.*s.%s.%08x.%ld.tmp", (int)(base - path), path, base, machine_word(), (long)getpid());
    writer->buffer = vb_array(WRITE_BUFFER, 1, "write buffer", err);
    if (!writer->path || !writer->temporary || !writer->buffer) goto failed;
    int fault = vb_fault(VB_FAULT_OPEN);
    if (fault) errno = fault > 0 ? fault : EIO;
    else writer->fd = open(writer->temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (writer->fd < 0) {
        vb_errorf(err, VB_EOUTPUT, "%s: cannot create: %s", path, strerror(errno));
        goto failed;
    }
    *out = writer;
    return 0;
failed:
    vb_writer_abandon(writer);
    return -1;
}

int vb_writer_write(vb_writer *writer, const void *bytes, size_t size, vb_error *err) {
    const uint8_t *from = bytes;
    while (size) {
        size_t room = WRITE_BUFFER - writer->filled, n = size < room ? size : room;
        memcpy(writer->buffer + writer->filled, from, n);
        writer->filled += n;
        writer->written += n;
        from += n;
        size -= n;
        if (writer->filled == WRITE_BUFFER && flush(writer, err)) return -1;
    }
    return 0;
}

static char *format_list(vb_error *err, const char *format, va_list args) {
    va_list again;
    va_copy(again, args);
    int n = vsnprintf(NULL, 0, format, again);
    va_end(again);
    if (n < 0) {
        vb_errorf(err, VB_EINTERNAL, "cannot format '%s'", format);
        return NULL;
    }
    char *text = vb_array((size_t)n + 1, 1, "text", err);
    if (text) vsnprintf(text, (size_t)n + 1, format, args);
    return text;
}

int vb_writer_printf(vb_writer *writer, vb_error *err, const char *format, ...) {
    va_list args;
    va_start(args, format);
    char *text = format_list(err, format, args);
    va_end(args);
    if (!text) return -1;
    int status = vb_writer_write(writer, text, strlen(text), err);
    vb_free(text);
    return status;
}

uint64_t vb_writer_offset(const vb_writer *writer) { return writer->written; }

static int sync_descriptor(int fd, const char *path, vb_error *err) {
    int fault = vb_fault(VB_FAULT_FSYNC), status = -1;
    if (fault) errno = fault > 0 ? fault : EIO;
    else status = fsync(fd);
    /* Some file systems cannot sync a folder or a pipe; that is no failure of the write. */
    if (status && errno != EINVAL && errno != ENOTSUP)
        return vb_errorf(err, VB_EOUTPUT, "%s: cannot sync: %s", path, strerror(errno));
    return 0;
}

static int sync_folder_of(const char *path, vb_error *err) {
    const char *base = vb_path_base_name(path);
    char *folder = base == path ? vb_strdup(".", err) : vb_strndup(path, (size_t)(base - path), err);
    if (!folder) return -1;
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC), status = 0;
    if (fd >= 0) {
        status = sync_descriptor(fd, folder, err);
        close(fd);
    }
    vb_free(folder);
    return status;
}

int vb_writer_commit(vb_writer *writer, vb_error *err) {
    if (flush(writer, err) || sync_descriptor(writer->fd, writer->path, err)) goto failed;
    int closed = close(writer->fd);
    writer->fd = -1;
    int fault = vb_fault(VB_FAULT_RENAME);
    if (fault) errno = fault > 0 ? fault : EIO;
    if (closed || fault || rename(writer->temporary, writer->path)) {
        vb_errorf(err, VB_EOUTPUT, "%s: cannot finish: %s", writer->path, strerror(errno));
        goto failed;
    }
    int status = sync_folder_of(writer->path, err);
    vb_free(writer->temporary); /* it has the final name now: nothing to remove */
    writer->temporary = NULL;
    vb_writer_abandon(writer);
    return status;
failed:
    vb_writer_abandon(writer);
    return -1;
}

void vb_writer_abandon(vb_writer *writer) {
    if (!writer) return;
    if (writer->fd >= 0) { close(writer->fd); }
    if (writer->temporary) unlink(writer->temporary);
    vb_free(writer->temporary);
    vb_free(writer->path);
    vb_free(writer->buffer);
    vb_free(writer);
}

int vb_writer_write_whole(const char *path, const void *bytes, size_t size, vb_error *err) {
    vb_writer *writer;
    if (vb_writer_open(&writer, path, err)) return -1;
    if (vb_writer_write(writer, bytes, size, err)) {
        vb_writer_abandon(writer);
        return -1;
    }
    return vb_writer_commit(writer, err);
}

/* Whether ".<name>.<machine>.<pid>.tmp" belongs to nobody any more. */
static bool is_stale(const char *name, const struct stat *info) {
    enum { DAY = 24 * 60 * 60 };
    size_t n = strlen(name), from = n > 4 ? n - 4 : 0;
    if (name[0] != '.' || !vb_path_ends_with(name, ".tmp") || !S_ISREG(info->st_mode)) return false;
    while (from && name[from - 1] >= '0' && name[from - 1] <= '9') from--;
    if (from < 11 || name[from - 1] != '.' || name[from - 10] != '.') return false; /* ".n" and ".machine." at least */
    char *end;
    unsigned long machine = strtoul(name + from - 9, &end, 16);
    long process = strtol(name + from, NULL, 10);
    if (end != name + from - 1 || process < 1 || process > INT32_MAX) return false;
    if (time(NULL) - info->st_mtime > DAY) return true;
    return machine == machine_word() && kill((pid_t)process, 0) && errno == ESRCH;
}

static int64_t sweep(const char *folder, int depth) {
    DIR *stream = opendir(folder);
    int64_t removed = 0;
    if (!stream) return 0;
    for (struct dirent *entry; (entry = readdir(stream));) {
        vb_error none;
        struct stat info;
        bool hidden = entry->d_name[0] == '.', temporary = hidden && vb_path_ends_with(entry->d_name, ".tmp");
        if (hidden != temporary || (!hidden && entry->d_type != DT_DIR && entry->d_type != DT_UNKNOWN)) continue;
        if (fstatat(dirfd(stream), entry->d_name, &info, AT_SYMLINK_NOFOLLOW)) continue;
        if (temporary && is_stale(entry->d_name, &info)) removed += !unlinkat(dirfd(stream), entry->d_name, 0);
        char *below = !temporary && S_ISDIR(info.st_mode) && depth ? vb_format(&none, "%s/%s", folder, entry->d_name) : NULL;
        if (below) removed += sweep(below, depth - 1);
        vb_free(below);
    }
    closedir(stream);
    return removed;
}

int64_t vb_writer_sweep_temporaries(const char *folder) {
    enum { DEPTH = 8 }; /* an output folder has four levels */
    return sweep(folder, DEPTH);
}

/* ---- names ---- */

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
    if (!status && !vb_path_is_folder(path)) status = vb_errorf(err, VB_EOUTPUT, "%s: expected a folder, found a file", path);
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

bool vb_path_exists(const char *path) { return access(path, F_OK) == 0; }

bool vb_path_is_folder(const char *path) {
    struct stat info;
    return stat(path, &info) == 0 && S_ISDIR(info.st_mode);
}

char *vb_format(vb_error *err, const char *format, ...) {
    va_list args;
    va_start(args, format);
    char *text = format_list(err, format, args);
    va_end(args);
    return text;
}

const char *vb_path_base_name(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

bool vb_path_ends_with(const char *text, const char *suffix) {
    size_t n = strlen(text), m = strlen(suffix);
    return n >= m && !strcmp(text + n - m, suffix);
}

static int in_byte_order(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }

static int append_path(vb_paths *paths, size_t *capacity, const char *text, vb_error *err) {
    if (vb_grow((void **)&paths->items, capacity, paths->count + 1, sizeof *paths->items, "list of paths", err)) return -1;
    char *copy = vb_strdup(text, err);
    if (!copy) return -1;
    paths->items[paths->count++] = copy;
    return 0;
}

static int add_matches(vb_paths *paths, size_t *capacity, const char *pattern, vb_error *err) {
    /* A name that exists is meant literally, even when it holds brackets. */
    if (vb_path_exists(pattern)) return append_path(paths, capacity, pattern, err);
    glob_t found = {0};
    int status = glob(pattern, GLOB_BRACE | GLOB_NOSORT, NULL, &found);
    if (status == GLOB_NOSPACE) status = vb_errorf(err, VB_EMEMORY, "%s: no memory for the list of files", pattern);
    else if (status) status = vb_errorf(err, VB_EMISSING, "%s: no such file", pattern);
    for (size_t i = 0; !status && i < found.gl_pathc; i++) status = append_path(paths, capacity, found.gl_pathv[i], err);
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
static int expand(vb_paths *paths, size_t *capacity, const char *pattern, vb_error *err) {
    const char *from, *to;
    unsigned long long first, last;
    int width;
    if (!find_range(pattern, &from, &to, &first, &last, &width)) return add_matches(paths, capacity, pattern, err);
    if (last < first || last - first >= 10000000)
        return vb_errorf(err, VB_EMISSING, "%s: the range {%llu..%llu} is empty or too long", pattern, first, last);
    for (unsigned long long i = first; i <= last; i++) {
        char *one = vb_format(err, "%.*s%0*llu%s", (int)(from - pattern), pattern, width, i, to);
        int status = one ? expand(paths, capacity, one, err) : -1;
        vb_free(one);
        if (status) return -1;
    }
    return 0;
}

int vb_path_glob(vb_paths *paths, const char *pattern, vb_error *err) {
    *paths = (vb_paths){0};
    size_t capacity = 0;
    int status = vb_path_exists(pattern) ? append_path(paths, &capacity, pattern, err) : expand(paths, &capacity, pattern, err);
    if (status) vb_path_list_free(paths);
    else qsort(paths->items, paths->count, sizeof *paths->items, in_byte_order);
    return status;
}

int vb_path_list_folder(vb_paths *names, const char *folder, vb_error *err) {
    *names = (vb_paths){0};
    size_t capacity = 0;
    int fault = vb_fault(VB_FAULT_OPEN);
    DIR *stream = NULL;
    if (fault) errno = fault > 0 ? fault : EIO;
    else stream = opendir(folder);
    if (!stream) return vb_errorf(err, VB_EMISSING, "%s: cannot open folder: %s", folder, strerror(errno));
    int status = 0;
    errno = 0;
    for (struct dirent *entry; !status && (entry = readdir(stream));) {
        if (entry->d_name[0] != '.') status = append_path(names, &capacity, entry->d_name, err);
        errno = 0;
    }
    if (!status && errno) status = vb_errorf(err, VB_EMISSING, "%s: cannot list folder: %s", folder, strerror(errno));
    closedir(stream);
    if (status) vb_path_list_free(names);
    else if (names->count) qsort(names->items, names->count, sizeof *names->items, in_byte_order);
    return status;
}

void vb_path_list_free(vb_paths *paths) {
    for (size_t i = 0; i < paths->count; i++) vb_free(paths->items[i]);
    vb_free(paths->items);
    *paths = (vb_paths){0};
}
