/* Images visit classes that are divided among the ranks: a block gathered, multiplied, judged in parts, joined. */
#include "mpi/evaluate/class_shares.h"

#include <string.h>

#include "kernels/base/memory.h"
#include "mpi/ranks/cyclic.h"

/* Large blocks keep the product near the processor's peak; the scores that a rank holds, and the images that all hold, bound
 * them. */
enum { SCORES = 1 << 24, BLOCK_IMAGES = 2048 };

int vb_class_shares_images(int classes, int ranks) {
    int most = BLOCK_IMAGES / ranks, images = SCORES / classes;
    if (images > most) images = most;
    if (images > VB_UNIT_SAMPLES) images = VB_UNIT_SAMPLES;
    return images < 1 ? 1 : images;
}

int64_t vb_class_shares_bytes(int classes, int dim, int vocabularies, int ranks) {
    int64_t images = (int64_t)vb_class_shares_images(classes, ranks) * ranks, local = vb_cyclic_count(classes, 0, ranks);
    return images * (local * 4 + dim * 8 + dim * 4 / ranks + vocabularies + 5) + local * 16 +
           (int64_t)VB_UNIT_SAMPLES * (vocabularies + 1);
}

static int allocate(vb_class_shares *shares, const vb_label_space *space, vb_similarity similarity, vb_error *err) {
    const vb_classifier *classifier = shares->classifier;
    const vb_comm *comm = shares->comm;
    int local = vb_cyclic_count(classifier->classes, comm->rank, comm->size);
    size_t block = (size_t)shares->a_rank * (size_t)comm->size, dim = (size_t)classifier->dim;
    if ((int64_t)local * classifier->dim > INT32_MAX || (int64_t)block * local > INT32_MAX)
        return vb_errorf(err, VB_EUNSUPPORTED,
                         "%d classes of %d dimensions: ScaLAPACK counts up to 2^31 elements a rank, use more ranks",
                         classifier->classes, classifier->dim);
    if (vb_label_space_memberships_new(&shares->memberships, space, err)) return -1;
    shares->vocabularies = space->vocabularies;
    shares->ids = vb_array((size_t)local, sizeof *shares->ids, "classes", err);
    shares->images = vb_array(block * dim, sizeof *shares->images, "images of a block", err);
    shares->texts = vb_array(block * dim, sizeof *shares->texts, "texts of a block", err);
    shares->labels = vb_array(block, sizeof *shares->labels, "labels of a block", err);
    shares->scores = vb_array(block * (size_t)local, sizeof *shares->scores, "similarity block", err);
    shares->beaten = vb_array(block * (size_t)space->vocabularies, 1, "outcome of a block", err);
    shares->joined = vb_array((size_t)shares->a_rank * (size_t)space->vocabularies, 1, "outcome of a block", err);
    shares->tied = vb_array(block + (size_t)shares->a_rank, 1, "outcome of a block", err);
    if (!shares->ids || !shares->images || !shares->texts || !shares->labels || !shares->scores || !shares->beaten ||
        !shares->joined || !shares->tied)
        return -1;
    for (int i = 0; i < local; i++) shares->ids[i] = vb_cyclic_index(i, comm->rank, comm->size);
    if (!local) return 0;
    return vb_similarity_bank_part(&shares->bank, classifier->texts, shares->ids, local, classifier->dim, similarity, err);
}

int vb_class_shares_open(vb_class_shares *shares, vb_comm *comm, const vb_classifier *classifier, const vb_label_space *space,
                         vb_similarity similarity, vb_error *err) {
    *shares = (vb_class_shares){.comm = comm,
                                .classifier = classifier,
                                .a_rank = vb_class_shares_images(classifier->classes, comm->size)};
    if (vb_comm_agree(comm, allocate(shares, space, similarity, err), err)) return -1;
    return vb_scalapack_product_open(&shares->product, comm, shares->a_rank * comm->size, classifier->classes, classifier->dim,
                                     err);
}

void vb_class_shares_close(vb_class_shares *shares) {
    vb_scalapack_product_close(&shares->product);
    vb_similarity_bank_free(shares->bank);
    vb_label_space_memberships_free(&shares->memberships);
    vb_free(shares->ids);
    vb_free(shares->images);
    vb_free(shares->texts);
    vb_free(shares->labels);
    vb_free(shares->scores);
    vb_free(shares->beaten);
    vb_free(shares->joined);
    vb_free(shares->tied);
    *shares = (vb_class_shares){0};
}

/* The block's images and labels on all ranks: `rows` of this rank's, the places behind them empty. */
static int gather_block(vb_class_shares *shares, const float *images, int rows, const int *labels, vb_error *err) {
    vb_comm *comm = shares->comm;
    int dim = shares->classifier->dim, a_rank = shares->a_rank, total = a_rank * comm->size;
    size_t row = (size_t)dim * sizeof(float), first = (size_t)comm->rank * (size_t)a_rank;
    for (int i = 0; i < a_rank; i++) shares->labels[first + (size_t)i] = i < rows ? labels[i] : -1;
    memset(shares->images + first * (size_t)dim, 0, (size_t)a_rank * row);
    if (rows) memcpy(shares->images + first * (size_t)dim, images, (size_t)rows * row);
    if (vb_comm_allgather_rows(comm, shares->labels, total, sizeof *shares->labels, err)) return -1;
    return vb_comm_allgather_rows(comm, shares->images, total, row, err);
}

/* The text of every image's class, which one rank has: all others leave zeros, and the bits are joined. */
static int gather_texts(vb_class_shares *shares, vb_error *err) {
    vb_comm *comm = shares->comm;
    size_t dim = (size_t)shares->classifier->dim, block = (size_t)shares->a_rank * (size_t)comm->size;
    memset(shares->texts, 0, block * dim * sizeof *shares->texts);
    for (size_t i = 0; i < block; i++) {
        int owner, place = shares->labels[i] < 0 ? -1 : vb_cyclic_place(shares->labels[i], comm->size, &owner);
        if (place >= 0 && owner == comm->rank)
            memcpy(shares->texts + i * dim, shares->classifier->texts + (size_t)place * dim, dim * sizeof *shares->texts);
    }
    return vb_comm_or_bits(comm, shares->texts, block * dim * sizeof *shares->texts, err);
}

/* Some images of this rank's unit, with those of all others. */
static int judge_block(vb_class_shares *shares, const vb_image_block *images, uint8_t *beaten, int threads, vb_error *err) {
    vb_comm *comm = shares->comm;
    size_t block = (size_t)shares->a_rank * (size_t)comm->size, vocabularies = (size_t)shares->vocabularies;
    size_t rows = (size_t)images->rows;
    if (gather_block(shares, images->images, (int)rows, images->labels, err) || gather_texts(shares, err)) return -1;
    vb_scalapack_product_multiply(&shares->product, shares->images, shares->classifier->texts, shares->scores);
    memset(shares->beaten, 0, block * vocabularies);
    memset(shares->tied, 0, block);
    int status = 0;
    if (shares->bank) {
        vb_image_block all = {.rows = (int64_t)block,
                              .images = shares->images,
                              .texts = shares->texts,
                              .labels = shares->labels,
                              .tied = shares->tied};
        status = vb_similarity_judge_part(shares->bank, &shares->memberships, &all, shares->scores, shares->beaten,
                                          &shares->rescored, threads, err);
    }
    for (size_t i = 0; i < block; i++) shares->compared += shares->labels[i] >= 0 ? shares->product.local_columns : 0;
    if (vb_comm_agree(comm, status, err)) return -1;
    if (vb_comm_or_blocks(comm, shares->beaten, shares->joined, (size_t)shares->a_rank * vocabularies, err)) return -1;
    if (vb_comm_or_blocks(comm, shares->tied, shares->tied + block, (size_t)shares->a_rank, err)) return -1;
    if (rows) memcpy(beaten, shares->joined, rows * vocabularies);
    if (rows) memcpy(images->tied, shares->tied + block, rows);
    return 0;
}

int vb_class_shares_judge(vb_class_shares *shares, const vb_image_block *images, uint8_t *beaten, int threads, vb_error *err) {
    int64_t rows = images->rows, most = rows;
    int status = vb_comm_max(shares->comm, &most, 1, err);
    for (int at = 0; at < most && !status; at += shares->a_rank) {
        int64_t left = rows - at, n = left < 0 ? 0 : left < shares->a_rank ? left : shares->a_rank;
        vb_image_block some = {.rows = n};
        if (n)
            some = (vb_image_block){.rows = n,
                                    .images = images->images + (int64_t)at * shares->classifier->dim,
                                    .labels = images->labels + at,
                                    .tied = images->tied + at};
        status = judge_block(shares, &some, beaten + (n ? (size_t)at * (size_t)shares->vocabularies : 0), threads, err);
    }
    return status;
}
