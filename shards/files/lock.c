/* Lock files: made by link, replaced by rename under the old file's own flock. */
#include "shards/files/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "kernels/base/memory.h"
#include "shards/files/descriptor.h"
#include "shards/files/file.h"
#include "shards/files/path.h"
#include "shards/files/writer.h"

enum { LONGEST = 1 << 16 };

int vb_lock_create(const char *path, const char *text, bool *taken, vb_error *err) {
    return vb_writer_create_whole(path, text, strlen(text), taken, err);
}

int vb_lock_read(const char *path, char **text, vb_error *err) {
    uint8_t *bytes = NULL;
    size_t size;
    int status = vb_file_read_whole(path, LONGEST, &bytes, &size, err);
    *text = (char *)bytes;
    if (status && !vb_path_exists(path)) return 0; /* it has gone on the way */
    return status;
}

static bool says(const char *path, const char *text) {
    vb_error none;
    char *found = NULL;
    bool same = !vb_lock_read(path, &found, &none) && found && !strcmp(found, text);
    vb_free(found);
    return same;
}

int vb_lock_replace(const char *path, const char *expected, const char *text, bool *taken, vb_error *err) {
    struct stat held, there;
    *taken = false;
    int fd = vb_descriptor_open(path, O_RDONLY | O_NOFOLLOW, 0), status = 0;
    if (fd < 0) return 0; /* gone: to be made anew */
    /* Two that find the same owner gone: the second finds the lock held, or, later, another file in its place. Where flock is not
     * known the comparison alone must do. */
    bool busy = vb_descriptor_lock(fd, LOCK_EX | LOCK_NB) && errno == EWOULDBLOCK;
    if (!busy && !fstat(fd, &held) && !stat(path, &there) && held.st_ino == there.st_ino && says(path, expected)) {
        status = vb_writer_write_whole(path, text, strlen(text), err);
        *taken = !status;
    }
    close(fd);
    return status;
}

void vb_lock_remove(const char *path, const char *text) {
    if (says(path, text)) unlink(path);
}

int vb_lock_hold(const char *folder, const char *name, int how) {
    vb_error none;
    char *path = vb_path_join(folder, name, &none);
    int fd = path ? vb_descriptor_open(path, O_RDWR | O_CREAT | O_NOFOLLOW, 0600) : -1;
    vb_free(path);
    if (fd >= 0 && vb_descriptor_lock(fd, how)) {
        close(fd);
        fd = -1;
    }
    return fd;
}
