/* For tests: tar archives and CIFAR's binary files in the scratch folder, and datasets that should not open. */
#ifndef VB_DATASET_FILES_H
#define VB_DATASET_FILES_H

#include "shards/datasets/dataset.h"
#include "shards/files/tar.h"
#include "tests/unit/scratch.h"

typedef struct tar_member {
    const char *name, *text;
} tar_member;

static inline int write_to_file(void *context, const void *bytes, size_t size, vb_error *error) {
    (void)error;
    return fwrite(bytes, 1, size, context) == size ? 0 : -1;
}

static inline void put_tar(const char *name, const tar_member *members, size_t count) {
    vb_error err = {0};
    char path[1024];
    FILE *file = fopen(in_scratch(path, name), "wb");
    assert_non_null(file);
    const vb_tar_sink sink = {write_to_file, file};
    for (size_t i = 0; i < count; i++)
        assert_ok(vb_tar_write_file(&sink, members[i].name, members[i].text, strlen(members[i].text), &err));
    assert_ok(vb_tar_write_end(&sink, &err));
    fclose(file);
}
#define PUT_TAR(name, ...)                                                                                                       \
    put_tar(name, (const tar_member[]){__VA_ARGS__}, sizeof((const tar_member[]){__VA_ARGS__}) / sizeof(tar_member))

/* Records of `labels` label bytes, the last of them counting to `classes`, and of pixels that count, too. */
static inline void put_cifar(const char *name, int records, int labels, int classes) {
    size_t record = (size_t)labels + 3072;
    uint8_t *bytes = vb_array((size_t)records, record, "records", NULL);
    for (int i = 0; i < records; i++) {
        if (labels == 2) bytes[(size_t)i * record] = (uint8_t)(i % 20);
        bytes[(size_t)i * record + (size_t)labels - 1] = (uint8_t)(i % classes);
        for (int k = 0; k < 3072; k++) bytes[(size_t)i * record + (size_t)labels + (size_t)k] = (uint8_t)(i + k);
    }
    put_file(name, bytes, (size_t)records * record);
    vb_free(bytes);
}

/* What opening a dataset below the scratch folder says. */
static inline int open_in_scratch(const char *images, const char *names, vb_error *err) {
    char path[1024];
    vb_dataset *dataset = NULL;
    snprintf(path, sizeof path, "%s/%s", scratch, images);
    int status = vb_dataset_open(&dataset, path, names, err);
    vb_dataset_close(dataset);
    return status;
}

#endif
