/* Files that are written: under a temporary name, synced, then renamed. Every create, write, sync and rename passes here. */
#include "shards/files/writer.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "kernels/base/fault.h"
#include "kernels/base/memory.h"
#include "shards/files/descriptor.h"
#include "shards/files/path.h"
#include "shards/files/process.h"

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

/* Nobody can know the name before it is there, and what is there already, be it a link, is never opened. */
static int create_temporary(vb_writer *writer, vb_error *err) {
    const char *path = writer->path, *base = vb_path_base_name(path);
    for (int tries = 0; tries < 8 && writer->fd < 0; tries++) {
        uint32_t word = 0;
        struct timespec now;
        clock_gettime(CLOCK_REALTIME, &now);
        if (getrandom(&word, sizeof word, GRND_NONBLOCK) != sizeof word) word = (uint32_t)now.tv_nsec * 2654435761u;
        vb_free(writer->temporary);
        if (!(writer->temporary = vb_format(err, "%.*s.%s.%08x.%08x.%ld.tmp", (int)(base - path), path, base, word,
                                            machine_word(), (long)getpid())))
            return -1;
        int fault = vb_fault(VB_FAULT_OPEN);
        if (fault) errno = fault > 0 ? fault : EIO;
        else writer->fd = vb_descriptor_open(writer->temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0666);
        if (writer->fd < 0 && errno != EEXIST) break;
    }
    if (writer->fd >= 0) return 0;
    int failed = errno;
    vb_free(writer->temporary); /* not ours: not to be removed */
    writer->temporary = NULL;
    return vb_errorf(err, VB_EOUTPUT, "%s: cannot create: %s", path, strerror(failed));
}

int vb_writer_open(vb_writer **out, const char *path, vb_error *err) {
    *out = NULL;
    vb_writer *writer = vb_array(1, sizeof *writer, "writer", err);
    int status = -1;
    if (!writer) return -1;
    writer->fd = -1;
    writer->path = vb_strdup(path, err);
    writer->buffer = vb_array(WRITE_BUFFER, 1, "write buffer", err);
    if (writer->path && writer->buffer) status = create_temporary(writer, err);
    if (!status) *out = writer;
    else vb_writer_abandon(writer);
    return status;
}

int vb_writer_write(vb_writer *writer, const void *bytes, size_t size, vb_error *err) {
    assert(writer->fd >= 0 && (bytes || !size));
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

int vb_writer_printf(vb_writer *writer, vb_error *err, const char *format, ...) {
    va_list args;
    va_start(args, format);
    char *text = vb_memory_format_list(err, format, args);
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
    else status = vb_descriptor_sync(fd);
    /* Some file systems cannot sync a folder or a pipe; that is no failure of the write. */
    if (status && errno != EINVAL && errno != ENOTSUP)
        return vb_errorf(err, VB_EOUTPUT, "%s: cannot sync: %s", path, strerror(errno));
    return 0;
}

static int sync_folder_of(const char *path, vb_error *err) {
    const char *base = vb_path_base_name(path);
    char *folder = base == path ? vb_strdup(".", err) : vb_strndup(path, (size_t)(base - path), err);
    if (!folder) return -1;
    int fd = vb_descriptor_open(folder, O_RDONLY | O_DIRECTORY, 0), status = 0;
    if (fd >= 0) {
        status = sync_descriptor(fd, folder, err);
        close(fd);
    }
    vb_free(folder);
    return status;
}

static int finish_content(vb_writer *writer, vb_error *err) {
    if (flush(writer, err) || sync_descriptor(writer->fd, writer->path, err)) return -1;
    int closed = close(writer->fd) && errno != EINTR; /* which it is closed by, and its bytes were synced before */
    writer->fd = -1;
    int fault = vb_fault(VB_FAULT_RENAME);
    if (fault) errno = fault > 0 ? fault : EIO;
    if (!closed && !fault) return 0;
    return vb_errorf(err, VB_EOUTPUT, "%s: cannot finish: %s", writer->path, strerror(errno));
}

int vb_writer_commit(vb_writer *writer, vb_error *err) {
    int status = finish_content(writer, err);
    if (!status && rename(writer->temporary, writer->path))
        status = vb_errorf(err, VB_EOUTPUT, "%s: cannot finish: %s", writer->path, strerror(errno));
    else if (!status) {
        status = sync_folder_of(writer->path, err);
        vb_free(writer->temporary); /* it has the final name now: nothing to remove */
        writer->temporary = NULL;
    }
    vb_writer_abandon(writer);
    return status;
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

/* Where there are no hard links: not whole from its first moment on, but made by one. */
static int create_in_place(const char *path, const void *bytes, size_t size, bool *made, vb_error *err) {
    int fd = vb_descriptor_open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0666);
    if (fd < 0 && errno == EEXIST) return 0;
    bool written = fd >= 0 && !vb_descriptor_write(fd, bytes, size) && !vb_descriptor_sync(fd);
    int failed = errno;
    if (fd >= 0 && close(fd) && errno != EINTR) written = false;
    if (fd >= 0 && !written) unlink(path);
    *made = written;
    return written ? 0 : vb_errorf(err, VB_EOUTPUT, "%s: cannot create: %s", path, strerror(failed));
}

int vb_writer_create_whole(const char *path, const void *bytes, size_t size, bool *made, vb_error *err) {
    vb_writer *writer;
    struct stat info;
    int failed = 0;
    *made = false;
    if (vb_writer_open(&writer, path, err)) return -1;
    int status = vb_writer_write(writer, bytes, size, err);
    if (!status) status = finish_content(writer, err);
    if (!status && link(writer->temporary, path)) failed = errno;
    /* A network file system may have lost the answer to a link that it made. */
    if (failed == EEXIST && !stat(writer->temporary, &info) && info.st_nlink == 2) failed = 0;
    if (failed == EPERM || failed == ENOTSUP || failed == ENOSYS || failed == EMLINK)
        status = create_in_place(path, bytes, size, made, err);
    else if (failed && failed != EEXIST) status = vb_errorf(err, VB_EOUTPUT, "%s: cannot create: %s", path, strerror(failed));
    else *made = !status && !failed;
    if (*made) status = sync_folder_of(path, err);
    vb_writer_abandon(writer);
    return status;
}

typedef struct sweeping {
    const char *root;
    time_t now; /* by the clock of its file system; 0: not asked yet, -1: cannot be told */
} sweeping;

/* Nobody has written to it for a day. Files have their times from the clock of who serves them, which this machine's may be far
 * from: what another has just made would be taken away from it. */
static bool is_old(sweeping *in, const struct stat *info) {
    enum { DAY = 24 * 60 * 60 };
    vb_error none;
    vb_writer *probe;
    struct stat own;
    if (!in->now) {
        char *path = vb_path_join(in->root, "clock", &none);
        in->now = -1;
        if (path && !vb_writer_open(&probe, path, &none)) {
            if (!fstat(probe->fd, &own)) in->now = own.st_mtime;
            vb_writer_abandon(probe);
        }
        vb_free(path);
    }
    return in->now >= 0 && info->st_mtime < in->now - DAY;
}

/* Whether ".<name>.<word>.<machine>.<pid>.tmp" was left behind: its process, of this machine, has ended, or it is a day old. */
static bool is_stale(sweeping *in, const char *name, const struct stat *info) {
    size_t n = strlen(name), from = n > 4 ? n - 4 : 0;
    if (name[0] != '.' || !vb_path_ends_with(name, ".tmp") || !S_ISREG(info->st_mode)) return false;
    while (from && name[from - 1] >= '0' && name[from - 1] <= '9') from--;
    if (from < 11 || name[from - 1] != '.' || name[from - 10] != '.') return false; /* ".n" and ".machine." at least */
    char *end;
    unsigned long machine = strtoul(name + from - 9, &end, 16);
    long process = strtol(name + from, NULL, 10);
    if (end != name + from - 1 || process < 1 || process > INT32_MAX) return false;
    return (machine == machine_word() && vb_process_is_gone(process)) || is_old(in, info);
}

/* name: of the file whose temporaries alone are swept, or NULL. */
static int64_t sweep(sweeping *in, const char *folder, const char *name, int depth) {
    DIR *stream = vb_descriptor_open_folder(folder);
    int64_t removed = 0;
    if (!stream) return 0;
    for (struct dirent *entry; (entry = readdir(stream));) {
        vb_error none;
        struct stat info;
        bool hidden = entry->d_name[0] == '.', temporary = hidden && vb_path_ends_with(entry->d_name, ".tmp");
        if (hidden != temporary || (!hidden && entry->d_type != DT_DIR && entry->d_type != DT_UNKNOWN)) continue;
        if (fstatat(dirfd(stream), entry->d_name, &info, AT_SYMLINK_NOFOLLOW)) continue;
        bool meant = !name || (!strncmp(entry->d_name + 1, name, strlen(name)) && entry->d_name[strlen(name) + 1] == '.');
        if (temporary && meant && is_stale(in, entry->d_name, &info)) removed += !unlinkat(dirfd(stream), entry->d_name, 0);
        char *below = !temporary && S_ISDIR(info.st_mode) && depth ? vb_format(&none, "%s/%s", folder, entry->d_name) : NULL;
        if (below) removed += sweep(in, below, NULL, depth - 1);
        vb_free(below);
    }
    closedir(stream);
    return removed;
}

int64_t vb_writer_sweep_temporaries(const char *folder) {
    enum { DEPTH = 8 }; /* an output folder has four levels */
    return sweep(&(sweeping){.root = folder}, folder, NULL, DEPTH);
}

int64_t vb_writer_sweep_beside(const char *path) {
    const char *base = vb_path_base_name(path);
    vb_error none;
    char *folder = base == path ? vb_strdup(".", &none) : vb_strndup(path, (size_t)(base - path), &none);
    int64_t removed = folder ? sweep(&(sweeping){.root = folder}, folder, base, 0) : 0;
    vb_free(folder);
    return removed;
}

void vb_writer_write_proc(const char *path, const char *text) {
    int file = vb_descriptor_open(path, O_WRONLY, 0);
    if (file < 0) return;
    if (write(file, text, strlen(text)) < 0) errno = 0; /* not allowed here: nothing depends on it */
    close(file);
}
