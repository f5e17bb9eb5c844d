/* stat's facts, held against those of before. */
#include "shards/files/identity.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

int64_t vb_identity_nanoseconds(struct timespec time) {
    return (int64_t)((uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec);
}

static vb_identity of_stat(const struct stat *info) {
    return (vb_identity){(uint64_t)info->st_size, (uint64_t)info->st_ino, vb_identity_nanoseconds(info->st_mtim),
                         vb_identity_nanoseconds(info->st_ctim)};
}

int vb_identity_of_descriptor(vb_identity *identity, int fd, const char *path, vb_error *err) {
    struct stat info;
    if (fstat(fd, &info)) return vb_errorf(err, VB_EMISSING, "%s: cannot stat: %s", path, strerror(errno));
    *identity = of_stat(&info);
    return 0;
}

int vb_identity_of_path(vb_identity *identity, const char *path, vb_error *err) {
    struct stat info;
    if (stat(path, &info)) return vb_errorf(err, VB_EMISSING, "%s: cannot stat: %s", path, strerror(errno));
    *identity = of_stat(&info);
    return 0;
}

static void write_time(char *text, size_t size, int64_t ns) {
    time_t seconds = (time_t)(ns / 1000000000);
    struct tm parts;
    text[0] = 0;
    if (localtime_r(&seconds, &parts)) strftime(text, size, "%Y-%m-%d %H:%M:%S", &parts);
}

int vb_identity_check(const vb_identity *identity, const char *path, vb_error *err) {
    vb_identity now;
    struct stat info;
    char before[32], after[32];
    if (stat(path, &info)) return vb_errorf(err, VB_EDATA, "%s: changed during the run: %s", path, strerror(errno));
    now = of_stat(&info);
    if (now.inode != identity->inode)
        return vb_errorf(err, VB_EDATA, "%s: changed during the run: another file was put in its place", path);
    if (now.size != identity->size)
        return vb_errorf(err, VB_EDATA, "%s: changed during the run: it had %llu bytes, it has %llu", path,
                         (unsigned long long)identity->size, (unsigned long long)now.size);
    bool content = now.mtime_ns != identity->mtime_ns;
    if (!content && now.ctime_ns == identity->ctime_ns) return 0;
    write_time(before, sizeof before, content ? identity->mtime_ns : identity->ctime_ns);
    write_time(after, sizeof after, content ? now.mtime_ns : now.ctime_ns);
    return vb_errorf(err, VB_EDATA, "%s: changed during the run: the time of its %s was %s, is %s", path,
                     content ? "content (mtime)" : "state (ctime)", before, after);
}
