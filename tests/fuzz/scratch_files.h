/* Files in a folder of this process, for readers that take paths. */
#ifndef VB_SCRATCH_FILES_H
#define VB_SCRATCH_FILES_H

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SCRATCH_PATH = 160 };

/* The folder vb-fuzz-NAME-PID in that of temporary files, made where it is not there; false when it cannot be. */
static inline bool scratch_folder(char folder[SCRATCH_PATH], const char *name) {
    const char *in = getenv("TMPDIR");
    snprintf(folder, SCRATCH_PATH, "%s/vb-fuzz-%s-%d", in && *in && strlen(in) < 60 ? in : "/tmp", name, (int)getpid());
    return !mkdir(folder, 0700) || errno == EEXIST;
}

/* Writes FOLDER/NAME; path is its path. False when it cannot be written. */
static inline bool scratch_put(char path[SCRATCH_PATH], const char *folder, const char *name, const void *data, size_t size) {
    snprintf(path, SCRATCH_PATH, "%.100s/%.58s", folder, name);
    FILE *file = fopen(path, "wb");
    if (!file) return false;
    const size_t written = size ? fwrite(data, 1, size, file) : 0;
    return !fclose(file) && written == size;
}

/* Writes changes into a file that is there: two bytes for the place (of the file's size, modulo), one for what is added to what
 * stands there; an odd number of bytes cuts the file at the place of the last one. Whether anything is different now. */
static inline bool scratch_damage(const char *path, const uint8_t *changes, size_t size) {
    static uint8_t whole[1 << 16], was[1 << 16];
    FILE *file = fopen(path, "rb");
    if (!file) return false;
    size_t n = fread(whole, 1, sizeof whole, file);
    fclose(file);
    const size_t before = n;
    memcpy(was, whole, n);
    for (; n && size >= 3; changes += 3, size -= 3) {
        uint8_t *at = &whole[((size_t)changes[0] << 8 | changes[1]) % n];
        *at = (uint8_t)(*at + changes[2]);
    }
    if (size == 1 && n) n = n * changes[0] / 256;
    if (!(file = fopen(path, "wb"))) return false;
    const size_t written = n ? fwrite(whole, 1, n, file) : 0;
    return !fclose(file) && written == n && (n != before || memcmp(was, whole, n));
}

#endif
