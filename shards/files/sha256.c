/* SHA-256 after FIPS 180-4, sections 4.1.2, 4.2.2, 5.3.3 and 6.2; files of a job on a thread. */
#include "shards/files/sha256.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "kernels/base/fault.h"
#include "kernels/base/memory.h"
#include "shards/files/descriptor.h"
#include "shards/files/file.h"
#include "shards/files/path.h"
#include "shards/files/writer.h"

/* ---- the function ---- */

enum { BLOCK = 64 };

static const uint32_t rounds[64] = {0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4,
                                    0xab1c5ed5, 0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe,
                                    0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f,
                                    0x4a7484aa, 0x5cb0a9dc, 0x76f988da, 0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7,
                                    0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967, 0x27b70a85, 0x2e1b2138, 0x4d2c6dfc,
                                    0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85, 0xa2bfe8a1, 0xa81a664b,
                                    0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070, 0x19a4c116,
                                    0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
                                    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7,
                                    0xc67178f2};

typedef struct state {
    uint32_t h[8];
    uint64_t size;
    uint8_t rest[BLOCK]; /* bytes that fill no block yet: size % BLOCK */
} state;

static void begin(state *s) {
    static const uint32_t first[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                      0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
    *s = (state){.size = 0};
    memcpy(s->h, first, sizeof first);
}

static uint32_t turn(uint32_t x, int n) { return x >> n | x << (32 - n); }

/* Round i, with the eight words in their places of this round: only two of them change. */
static inline void turn_words(uint32_t v[8], int at, uint32_t w_and_k) {
    uint32_t *const word[8] = {&v[-at & 7],      &v[(1 - at) & 7], &v[(2 - at) & 7], &v[(3 - at) & 7],
                               &v[(4 - at) & 7], &v[(5 - at) & 7], &v[(6 - at) & 7], &v[(7 - at) & 7]};
    const uint32_t a = *word[0], b = *word[1], c = *word[2], e = *word[4], f = *word[5], g = *word[6],
                   t1 = *word[7] + (turn(e, 6) ^ turn(e, 11) ^ turn(e, 25)) + ((e & f) ^ (~e & g)) + w_and_k;
    *word[3] += t1;
    *word[7] = t1 + (turn(a, 2) ^ turn(a, 13) ^ turn(a, 22)) + ((a & b) ^ (a & c) ^ (b & c));
}

static void mix(uint32_t h[8], const uint8_t *block) {
    uint32_t w[64], v[8];
    for (int i = 0; i < 16; i++)
        w[i] =
            (uint32_t)block[4 * i] << 24 | (uint32_t)block[4 * i + 1] << 16 | (uint32_t)block[4 * i + 2] << 8 | block[4 * i + 3];
    for (int i = 16; i < 64; i++) {
        const uint32_t a = w[i - 15], b = w[i - 2];
        w[i] = w[i - 16] + (turn(a, 7) ^ turn(a, 18) ^ a >> 3) + w[i - 7] + (turn(b, 17) ^ turn(b, 19) ^ b >> 10);
    }
    memcpy(v, h, sizeof v);
    for (int i = 0; i < 64; i += 8) {
        turn_words(v, 0, w[i] + rounds[i]);
        turn_words(v, 1, w[i + 1] + rounds[i + 1]);
        turn_words(v, 2, w[i + 2] + rounds[i + 2]);
        turn_words(v, 3, w[i + 3] + rounds[i + 3]);
        turn_words(v, 4, w[i + 4] + rounds[i + 4]);
        turn_words(v, 5, w[i + 5] + rounds[i + 5]);
        turn_words(v, 6, w[i + 6] + rounds[i + 6]);
        turn_words(v, 7, w[i + 7] + rounds[i + 7]);
    }
    for (int i = 0; i < 8; i++) h[i] += v[i];
}

static void add(state *s, const uint8_t *bytes, size_t n) {
    size_t filled = s->size % BLOCK;
    s->size += n;
    if (filled) {
        const size_t now = n < BLOCK - filled ? n : BLOCK - filled;
        memcpy(s->rest + filled, bytes, now);
        if (filled + now < BLOCK) return;
        mix(s->h, s->rest);
        bytes += now;
        n -= now;
    }
    for (; n >= BLOCK; bytes += BLOCK, n -= BLOCK) mix(s->h, bytes);
    memcpy(s->rest, bytes, n);
}

static vb_sha256 finish(state *s) {
    vb_sha256 sum;
    const uint64_t bits = 8 * s->size;
    uint8_t tail[2 * BLOCK] = {0x80};
    const size_t filled = s->size % BLOCK, n = (filled < BLOCK - 8 ? BLOCK : 2 * BLOCK) - filled;
    for (size_t i = 0; i < 8; i++) tail[n - 1 - i] = (uint8_t)(bits >> 8 * i);
    add(s, tail, n);
    for (int i = 0; i < 8; i++) snprintf(sum.hex + 8 * i, 9, "%08x", (unsigned)s->h[i]);
    return sum;
}

vb_sha256 vb_sha256_bytes(const void *bytes, size_t size) {
    state s;
    begin(&s);
    add(&s, bytes, size);
    return finish(&s);
}

/* ---- files ---- */

struct vb_sha256_job {
    char *folder;
    vb_sha256_file *files;
    char **kept; /* FOLDER/sha256/IDENTITY of each */
    int count;
    size_t capacity, kept_capacity;
    pthread_t thread;
    bool runs;
    int64_t bytes; /* of all files */
    atomic_llong done;
    atomic_bool stop, ended;
};

int vb_sha256_job_new(vb_sha256_job **job, const char *folder, vb_error *err) {
    if (!(*job = vb_array(1, sizeof **job, "digests", err))) return -1;
    if (((*job)->folder = vb_format(err, "%s/sha256", folder))) return 0;
    vb_free(*job);
    *job = NULL;
    return -1;
}

int vb_sha256_job_add(vb_sha256_job *job, const char *path, int *index, vb_error *err) {
    vb_error none;
    for (*index = 0; *index < job->count; ++*index)
        if (!strcmp(job->files[*index].path, path)) return 0;
    const size_t n = (size_t)job->count + 1;
    if (vb_grow((void **)&job->files, &job->capacity, n, sizeof *job->files, "digests", err) ||
        vb_grow((void **)&job->kept, &job->kept_capacity, n, sizeof *job->kept, "digests", err))
        return -1;
    vb_sha256_file *file = &job->files[job->count];
    if (vb_identity_of_path(&file->identity, path, &none)) file->identity = (vb_identity){0};
    const vb_digest name = vb_digest_bytes(&file->identity, sizeof file->identity);
    char *own = vb_strdup(path, err), *kept = own ? vb_format(err, "%s/%s", job->folder, name.hex) : NULL;
    if (!kept) {
        vb_free(own);
        return -1;
    }
    file->path = own;
    job->bytes += (int64_t)file->identity.size;
    job->kept[job->count++] = kept;
    return 0;
}

/* A sum that was written down before; nothing when it is none. */
static bool recall(const char *path, vb_sha256 *sum) {
    char text[sizeof sum->hex + 1];
    vb_file_read_proc(path, text, sizeof text);
    if (strlen(text) != sizeof sum->hex || text[64] != '\n' || strspn(text, "0123456789abcdef") != 64) return false;
    memcpy(sum->hex, text, 64);
    sum->hex[64] = 0;
    return true;
}

static void hash(vb_sha256_job *job, int f) {
    vb_sha256_file *its = &job->files[f];
    vb_error none;
    state s;
    uint8_t bytes[VB_DIGEST_PIECE];
    ssize_t n = 1;
    if ((its->known = recall(job->kept[f], &its->sum))) return;
    const int file = vb_descriptor_open(its->path, O_RDONLY, 0);
    if (file < 0) return;
    begin(&s);
    while (!atomic_load(&job->stop) && (n = vb_descriptor_read(file, bytes, sizeof bytes)) > 0) {
        add(&s, bytes, (size_t)n);
        atomic_fetch_add(&job->done, n);
        if (vb_fault(VB_FAULT_HASH) > 0) break;
    }
    if (!n && !vb_identity_check(&its->identity, its->path, &none)) its->sum = finish(&s);
    close(file);
}

static void *hash_all(void *argument) {
    vb_sha256_job *job = argument;
    int64_t before = 0;
    for (int f = 0; f < job->count && !atomic_load(&job->stop); f++) {
        hash(job, f);
        before += (int64_t)job->files[f].identity.size;
        atomic_store(&job->done, before);
    }
    atomic_store(&job->ended, true);
    return NULL;
}

void vb_sha256_job_start(vb_sha256_job *job) {
    job->runs = job->count && !pthread_create(&job->thread, NULL, hash_all, job);
    if (!job->runs) hash_all(job); /* without a thread: here and now */
}

bool vb_sha256_job_under_way(const vb_sha256_job *job, int64_t *done, int64_t *all) {
    *done = atomic_load(&job->done);
    *all = job->bytes;
    return job->runs && !atomic_load(&job->ended);
}

void vb_sha256_job_wait(vb_sha256_job *job, bool stop) {
    if (!job->runs) return;
    atomic_store(&job->stop, stop);
    pthread_join(job->thread, NULL);
    job->runs = false;
}

const vb_sha256_file *vb_sha256_job_file(const vb_sha256_job *job, int index) { return &job->files[index]; }

void vb_sha256_job_keep(const vb_sha256_job *job) {
    vb_error none;
    for (int f = 0; f < job->count; f++) {
        char text[sizeof job->files[f].sum.hex + 1];
        if (job->files[f].known || !job->files[f].sum.hex[0]) continue;
        const int n = snprintf(text, sizeof text, "%s\n", job->files[f].sum.hex);
        if (!vb_path_make_folders(job->folder, &none)) vb_writer_write_whole(job->kept[f], text, (size_t)n, &none);
    }
}

void vb_sha256_job_free(vb_sha256_job *job) {
    if (!job) return;
    vb_sha256_job_wait(job, true);
    for (int f = 0; f < job->count; f++) {
        vb_free(job->files[f].path);
        vb_free(job->kept[f]);
    }
    vb_free(job->files);
    vb_free(job->kept);
    vb_free(job->folder);
    vb_free(job);
}
