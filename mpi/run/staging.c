/* Staging: which files, their copies by one rank of a machine, and the table of copies on all of its ranks. */
#include "mpi/run/staging.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "kernels/base/memory.h"
#include "mpi/base/strbuf.h"
#include "mpi/ranks/byte_progress.h"
#include "mpi/ranks/calls.h"
#include "shards/files/digest.h"
#include "shards/files/file.h"
#include "shards/files/lock.h"
#include "shards/files/path.h"
#include "shards/files/staged.h"
#include "shards/files/writer.h"
#include "shards/weights/repository.h"

typedef struct copy { /* of a path of the list; numbers alone, so that ranks can send it */
    int64_t number;   /* its name in the folder; -1: there is none */
    vb_identity identity;
} copy;

enum { PIECE = 8 << 20, MARGIN = 64 << 20 }; /* bytes copied between two looks for a stop; left free */

/* ---- which files ---- */

static bool listed(const vb_strings *paths, const char *path) {
    for (size_t i = 0; i < paths->count; i++)
        if (!strcmp(paths->items[i], path)) return true;
    return false;
}

/* Rank 0: paths, weights before shards; what cannot be listed the run will say. */
static int list_files(vb_strings *paths, const vb_experiment *experiment, const vb_dataset_state *datasets, vb_error *err) {
    vb_error none;
    for (int m = 0; m < experiment->model_count; m++) {
        const vb_model_spec *spec = &experiment->models[m];
        vb_repository where;
        if (spec->left_out || !spec->weights || vb_repository_open(&where, spec->weights, &none)) continue;
        int status = 0;
        for (size_t s = 0; s < where.shards.count && !status; s++)
            if (!listed(paths, where.shards.items[s])) status = vb_strings_add(paths, where.shards.items[s], err);
        vb_repository_close(&where);
        if (status) return -1;
    }
    for (int d = 0; d < experiment->dataset_count; d++)
        if (datasets[d].dataset && !datasets[d].spec->left_out && vb_dataset_shards(datasets[d].dataset, paths, err)) return -1;
    return 0;
}

/* The list of rank 0 on every rank. Collective. */
static int share_list(vb_strings *paths, vb_comm *comm, int status, vb_error *err) {
    vb_strbuf text = {0};
    for (size_t i = 0; i < paths->count; i++) vb_strbuf_add_n(&text, paths->items[i], strlen(paths->items[i]) + 1);
    vb_strbuf_add(&text, "");
    if (!status) status = vb_strbuf_end(&text, "staged files", err);
    size_t size = text.filled + 1;
    void *block = comm->rank ? NULL : text.bytes;
    status = vb_comm_agree(comm, status, err);
    if (!status) status = vb_comm_broadcast_block(comm, &block, &size, err);
    const char *end = block ? (const char *)block + size - 1 : NULL;
    for (const char *at = block; !status && comm->rank && at < end; at += strlen(at) + 1) status = vb_strings_add(paths, at, err);
    if (comm->rank) vb_free(block);
    vb_strbuf_free(&text);
    return vb_comm_agree(comm, status, err);
}

/* ---- the folder ---- */

static void remove_folder(const char *folder) {
    vb_error none;
    vb_strings names = {0};
    if (!vb_path_list_folder(&names, folder, &none))
        for (size_t i = 0; i < names.count; i++) {
            char *path = vb_path_join(folder, names.items[i], &none);
            if (path) unlink(path);
            vb_free(path);
        }
    vb_writer_sweep_temporaries(folder);
    vb_strings_free(&names);
    rmdir(folder);
}

/* Anybody may put a link, or a folder, of a fitting name where all may write. */
static bool is_own_folder(const char *path) {
    struct stat facts;
    return !lstat(path, &facts) && S_ISDIR(facts.st_mode) && facts.st_uid == getuid();
}

/* What runs of this user have left that were killed: nobody holds the lock in it. */
static void sweep(const char *scratch, const char *prefix) {
    vb_error none;
    vb_strings names = {0};
    if (vb_path_list_folder(&names, scratch, &none)) return;
    for (size_t i = 0; i < names.count; i++) {
        char *folder = strncmp(names.items[i], prefix, strlen(prefix)) ? NULL : vb_path_join(scratch, names.items[i], &none);
        int lock = folder && is_own_folder(folder) ? vb_lock_hold(folder, "lock", LOCK_EX | LOCK_NB) : -1;
        if (lock >= 0) remove_folder(folder);
        if (lock >= 0) close(lock);
        vb_free(folder);
    }
    vb_strings_free(&names);
}

/* A folder of its own below `scratch`. One lock of the user's is held meanwhile: nobody sweeps what has just been made. */
static int make_folder(vb_staging *staging, const char *scratch, vb_error *err) {
    char prefix[64], lock[64];
    snprintf(lock, sizeof lock, ".vocabench-%ld.lock", (long)getuid());
    snprintf(prefix, sizeof prefix, "vocabench-%ld-", (long)getuid());
    if (!vb_path_is_folder(scratch)) return vb_errorf(err, VB_EOUTPUT, "no such folder");
    int all = vb_lock_hold(scratch, lock, LOCK_EX);
    if (all < 0) return vb_errorf(err, VB_EOUTPUT, "cannot be written to");
    sweep(scratch, prefix);
    char *folder = vb_format(err, "%s/%sXXXXXX", scratch, prefix);
    int status = folder ? 0 : -1;
    if (folder && !mkdtemp(folder)) status = vb_errorf(err, VB_EOUTPUT, "no folder can be made in it");
    if (!status) staging->lock = vb_lock_hold(folder, "lock", LOCK_EX | LOCK_NB);
    if (!status && staging->lock < 0) {
        rmdir(folder);
        status = vb_errorf(err, VB_EOUTPUT, "no file can be made in it");
    }
    if (!status) staging->folder = folder;
    else vb_free(folder);
    close(all);
    return status;
}

/* ---- copies ---- */

/* Copies, reads back and compares. VB_EINCOMPLETE when the run is to stop. */
static int copy_bytes(vb_byte_progress *progress, const vb_file *file, const char *target, vb_error *err) {
    vb_writer *writer = NULL;
    vb_digester *digester = NULL;
    vb_digest read, found = {0};
    uint8_t *piece = vb_buffer(PIECE, 1, "staging", err);
    int status = piece && !vb_digest_new(&digester, err) ? vb_writer_open(&writer, target, err) : -1;
    for (uint64_t at = 0; !status && at < file->size;) {
        const size_t n = file->size - at < PIECE ? (size_t)(file->size - at) : PIECE;
        status = vb_file_read(file, at, piece, n, err);
        if (!status) status = vb_writer_write(writer, piece, n, err);
        if (!status) vb_digest_add_piece(digester, piece, n);
        if (!status) status = vb_byte_progress_step(progress, (int64_t)n, err);
        at += n;
    }
    vb_free(piece);
    if (status) {
        vb_writer_abandon(writer);
        vb_digest_free(digester);
        return -1;
    }
    read = vb_digest_finish(digester);
    status = vb_writer_commit(writer, err);
    const vb_digest_watch watch = vb_byte_progress_watch(progress);
    if (!status) status = vb_digest_file_watched(target, &watch, &found, err);
    if (!status && strcmp(read.hex, found.hex)) status = vb_errorf(err, VB_EDATA, "%s: read back it has other bytes", target);
    return status;
}

/* 1: copied; 0: not, *why says for what reason; -1: the run is to stop. */
static int copy_file(vb_staging *staging, vb_byte_progress *progress, const char *scratch, const char *path, copy *its,
                     vb_error *why) {
    vb_identity identity;
    vb_file file;
    int64_t space;
    vb_error_clear(why);
    if (vb_identity_of_path(&identity, path, why) || vb_path_free_space(scratch, &space, why)) return 0;
    if (space - MARGIN < (int64_t)identity.size) {
        vb_errorf(why, VB_EOUTPUT, "%s: %.1f MB, and %.1f MB are free, of which %.1f are to stay so", path,
                  1e-6 * (double)identity.size, 1e-6 * (double)space, 1e-6 * MARGIN);
        return 0;
    }
    if (vb_file_open(&file, path, why)) return 0;
    char *target = vb_format(why, "%s/%lld", staging->folder, (long long)staging->copies);
    int status = target ? copy_bytes(progress, &file, target, why) : -1;
    vb_file_close(&file);
    if (!status) status = vb_identity_check(&identity, path, why);
    if (!status) status = vb_staged_add(path, &identity, target, why);
    if (status && target) unlink(target);
    vb_free(target);
    if (!status) *its = (copy){staging->copies++, identity};
    return !status ? 1 : why->code == VB_EINCOMPLETE ? -1 : 0;
}

/* The sum and the bytes of a file, which are copied and then read back. */
static int64_t add_bytes_of(int64_t sum, const char *path) {
    vb_path_facts facts;
    vb_error none;
    return vb_path_stat(path, &facts, &none) ? sum : vb_byte_progress_add(sum, facts.size, 2);
}

/* The first rank of a machine: copies what it can. copies[i]: of path i. */
static int copy_all(vb_staging *staging, vb_context *context, const char *scratch, const vb_strings *paths, copy *copies,
                    vb_error *err) {
    char host[256] = "";
    vb_error why = {0}, first = {0};
    int left = 0, done = 0;
    int64_t all = 0, so_far = 0;
    vb_byte_progress progress;
    gethostname(host, sizeof host - 1);
    bool made = !paths->count || !make_folder(staging, scratch, &first);
    for (size_t i = 0; i < paths->count; i++) all = add_bytes_of(all, paths->items[i]);
    vb_byte_progress_start(&progress, context, "copying and reading back", scratch, all);
    for (size_t i = 0; i < paths->count && made && done >= 0; i++) {
        so_far = add_bytes_of(so_far, paths->items[i]);
        if (vb_staged_has(paths->items[i])) continue; /* two datasets of one shard */
        done = copy_file(staging, &progress, scratch, paths->items[i], &copies[i], &why);
        if (!done && !left++) first = why;
        /* What was not copied is no work that is left. */
        if (!done && vb_byte_progress_step(&progress, so_far - progress.passed, &why)) done = -1;
    }
    vb_byte_progress_end(&progress);
    if (done < 0) {
        if (err) *err = why;
        return -1;
    }
    if (!made) fprintf(stderr, "vocabench: note: %s: scratch %s: %s: all is read where it lies\n", host, scratch, first.text);
    if (left)
        fprintf(stderr, "vocabench: note: %s: scratch %s: %d of %zu file(s) are read where they lie: %s\n", host, scratch, left,
                paths->count, first.text);
    return 0;
}

/* The copies of its first rank on every rank of a machine. Collective over them. */
static int share_copies(vb_staging *staging, MPI_Comm node, const vb_comm *comm, const vb_strings *paths, copy *copies,
                        vb_error *err) {
    char folder[PATH_MAX] = "";
    if (staging->folder) snprintf(folder, sizeof folder, "%s", staging->folder);
    int code = vb_calls_broadcast(node, comm->sleeps, folder, sizeof folder, 0);
    int status = vb_comm_check(comm, code, "MPI_Bcast", err);
    code = vb_calls_broadcast(node, comm->sleeps, copies, (int)(paths->count * sizeof *copies), 0); /* nobody may be left in it */
    if (!status) status = vb_comm_check(comm, code, "MPI_Bcast", err);
    if (status || !*folder || staging->folder) return status;
    if (!(staging->folder = vb_strdup(folder, err))) return -1;
    for (size_t i = 0; i < paths->count; i++) {
        if (copies[i].number < 0) continue;
        char *target = vb_format(err, "%s/%lld", folder, (long long)copies[i].number);
        int added = target ? vb_staged_add(paths->items[i], &copies[i].identity, target, err) : -1;
        vb_free(target);
        if (added) return -1;
    }
    return 0;
}

static int tell(vb_comm *comm, const vb_staging *staging, double seconds, vb_error *err) {
    int64_t sums[2] = {staging->lock >= 0 ? staging->copies : 0, staging->lock >= 0 && staging->copies};
    if (vb_comm_sum_to_root(comm, sums, 2, err)) return -1;
    if (!comm->rank && sums[0])
        fprintf(stderr, "vocabench: note: %lld file(s) staged on %lld machine(s) in %.1f s\n", (long long)sums[0],
                (long long)sums[1], seconds);
    return 0;
}

int vb_staging_begin(vb_staging *staging, vb_context *context, const vb_experiment *experiment, const vb_dataset_state *datasets,
                     vb_error *err) {
    vb_comm *comm = &context->comm;
    *staging = (vb_staging){.lock = -1};
    if (!experiment->scratch) return 0;
    const double begun = vb_live_now();
    vb_strings paths = {0};
    MPI_Comm node = MPI_COMM_NULL;
    copy *copies = NULL;
    int status = comm->rank ? 0 : list_files(&paths, experiment, datasets, err);
    status = share_list(&paths, comm, status, err);
    if (status) goto done;
    if (!(copies = vb_array(paths.count + 1, sizeof *copies, "staged files", err))) status = -1;
    for (size_t i = 0; i < paths.count && copies; i++) copies[i].number = -1;
    if (!status && !comm->node_rank) status = copy_all(staging, context, experiment->scratch, &paths, copies, err);
    if ((status = vb_context_barrier(context, status, err))) goto done;
    int code = MPI_SUCCESS;
    if (comm->mpi != MPI_COMM_NULL) code = MPI_Comm_split_type(comm->mpi, MPI_COMM_TYPE_SHARED, comm->rank, MPI_INFO_NULL, &node);
    if ((status = vb_comm_agree(comm, vb_comm_check(comm, code, "MPI_Comm_split_type", err), err))) goto done;
    status = vb_comm_agree(comm, share_copies(staging, node, comm, &paths, copies, err), err);
    for (int d = 0; d < experiment->dataset_count; d++) /* some stand open since labels were looked at */
        if (datasets[d].dataset) vb_dataset_close_files(datasets[d].dataset);
    if (!status) status = tell(comm, staging, vb_live_now() - begun, err);
done:
    if (node != MPI_COMM_NULL) MPI_Comm_free(&node);
    vb_free(copies);
    vb_strings_free(&paths);
    return status;
}

void vb_staging_end(vb_staging *staging) {
    vb_staged_clear();
    if (staging->lock >= 0) {
        remove_folder(staging->folder);
        close(staging->lock);
    }
    vb_free(staging->folder);
    *staging = (vb_staging){.lock = -1};
}
