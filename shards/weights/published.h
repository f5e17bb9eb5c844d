/* The SHA-256 under which a file was published, as far as what lies beside it tells, or a table of known files. */
#ifndef VB_PUBLISHED_H
#define VB_PUBLISHED_H

#include "shards/files/sha256.h"

typedef enum vb_publication { VB_PUBLISHED_NOT_KNOWN, VB_PUBLISHED_MATCH, VB_PUBLISHED_DIFFERS } vb_publication;
extern const char *const vb_published_words[]; /* "not known", "match", "differs" */

typedef struct vb_published {
    vb_publication verdict;
    vb_sha256 sum;      /* as published; its first digits, where no more are; empty when it is not known */
    const char *source; /* who tells it, ""; one of: */
    /* "hub cache": the file is a link to a blob whose name is the sum, as huggingface_hub keeps downloads.
     * "hub download": .cache/huggingface/download/FILE.metadata beside it, as `huggingface-cli download --local-dir` leaves it.
     * "Git LFS": .git/lfs/objects has the object of that name; or none of that name, but one of its size, which is what the
     * pointer's oid and size name.
     * Of the table: a publisher's own address, or a hub's sum.
     * "the file's name": it ends in the first digits of the sum, as torch.hub and open_clip name files; "match" alone. */
} vb_published;

/* hashed: of the file at `path`, which has `size` bytes. Files beside it that are none of these forms tell nothing.
 * VB_EMEMORY. */
int vb_published_find(vb_published *found, const char *path, int64_t size, const vb_sha256 *hashed, vb_error *err);

/* The second line of such a .metadata file, where it is a SHA-256 (of files that are not in LFS it is a Git hash). */
bool vb_published_of_metadata(const char *text, vb_sha256 *sum);

/* Rows of the table of known files; NULL behind the last. A row of fewer than 64 digits counts for files of its name alone. */
typedef struct vb_published_row {
    const char *sum, *file, *by;
    const char *folder; /* of the address, which is FOLDER/FILE; NULL: OpenAI's, which holds the sum */
} vb_published_row;
const vb_published_row *vb_published_table(int row);
/* Where the file is published, into a text of that size. */
const char *vb_published_address(const vb_published_row *row, char *text, size_t size);

#endif
