/* Safetensors files of zeros in the scratch folder. */
#ifndef VB_TEST_TENSOR_FILES_H
#define VB_TEST_TENSOR_FILES_H

#include "tests/unit/scratch.h"

/* safetensors of 2 x 4 zeros under each of the names, which a space parts; its path. */
static inline const char *put_tensors(const char *file, const char *names) {
    enum { BYTES = 2 * 4 * 4 };
    static uint8_t bytes[8192];
    char header[4096] = "{", list[1024], *save;
    uint64_t count = 0, n;
    snprintf(list, sizeof list, "%s", names);
    for (char *name = strtok_r(list, " ", &save); name; name = strtok_r(NULL, " ", &save), count++)
        snprintf(header + strlen(header), sizeof header - strlen(header),
                 "%s\"%s\":{\"dtype\":\"F32\",\"shape\":[2,4],\"data_offsets\":[%d,%d]}", count ? "," : "", name,
                 (int)count * BYTES, (int)(count + 1) * BYTES);
    strcat(header, "}");
    n = strlen(header);
    memset(bytes, 0, sizeof bytes);
    for (int i = 0; i < 8; i++) bytes[i] = (uint8_t)(n >> (8 * i));
    memcpy(bytes + 8, header, n);
    put_file(file, bytes, 8 + n + count * BYTES);
    return scratch_path(file);
}

#endif
