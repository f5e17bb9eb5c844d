/* Whole files mapped read-only, and what happens when one is cut short meanwhile. */
#include "shards/files/map.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "kernels/base/fault.h"
#include "kernels/base/memory.h"
#include "shards/files/file.h"
#include "shards/files/staged.h"

/* ---- lost pages ---- */

/* All maps of the process. Global on purpose: a signal handler has no argument. `begin` is 0 where a slot is free, RESERVED while
 * it is being filled, and else set last, so that the handler sees whole entries only. */
enum { SLOTS = 4096, RESERVED = 1 };
static struct {
    atomic_uintptr_t begin;
    atomic_size_t size; /* to the end of the last page */
    atomic_bool lost;
} table[SLOTS];
static_assert(ATOMIC_POINTER_LOCK_FREE == 2 && ATOMIC_BOOL_LOCK_FREE == 2, "a signal handler may use them");

static struct sigaction earlier; /* the handler before ours */
static uintptr_t page;
static pthread_mutex_t installing = PTHREAD_MUTEX_INITIALIZER;

/* The fault is synchronous, in the thread that touched the page: the flag is set before that thread, or any other, can read a
 * zero that takes the page's place, and mmap is a plain system call. The whole rest of the map is replaced, for the file ends
 * before. */
static void replace_lost_pages(int signal, siginfo_t *info, void *context) {
    uintptr_t at = (uintptr_t)info->si_addr;
    for (int i = 0; i < SLOTS; i++) {
        uintptr_t begin = atomic_load(&table[i].begin);
        if (begin <= RESERVED || at < begin || at - begin >= atomic_load(&table[i].size)) continue;
        int kept = errno;
        uintptr_t from = at & ~(page - 1);
        atomic_store(&table[i].lost, true);
        void *zeros = mmap((void *)from, begin + atomic_load(&table[i].size) - from, PROT_READ,
                           MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_NORESERVE, -1, 0);
        errno = kept;
        if (zeros != MAP_FAILED) return;
        break;
    }
    if (earlier.sa_flags & SA_SIGINFO) earlier.sa_sigaction(signal, info, context);
    else if (earlier.sa_handler != SIG_DFL && earlier.sa_handler != SIG_IGN) earlier.sa_handler(signal);
    else sigaction(SIGBUS, &earlier, NULL); /* and the fault comes again */
}

/* A library may have put its own handler there since the last map. */
static void catch_lost_pages(void) {
    struct sigaction action = {.sa_sigaction = replace_lost_pages, .sa_flags = SA_SIGINFO | SA_ONSTACK}, now;
    pthread_mutex_lock(&installing);
    page = (uintptr_t)sysconf(_SC_PAGESIZE);
    sigemptyset(&action.sa_mask);
    if (sigaction(SIGBUS, NULL, &now) || !(now.sa_flags & SA_SIGINFO) || now.sa_sigaction != replace_lost_pages) {
        earlier = now;
        sigaction(SIGBUS, &action, NULL);
    }
    pthread_mutex_unlock(&installing);
}

/* A slot for a map that will be there at once; 0 when all are taken. */
static int reserve_slot(void) {
    for (int i = 0; i < SLOTS; i++) {
        uintptr_t none = 0;
        if (!atomic_load(&table[i].begin) && atomic_compare_exchange_strong(&table[i].begin, &none, RESERVED)) return i + 1;
    }
    return 0;
}

static void fill_slot(int slot, const void *data, size_t size) {
    atomic_store(&table[slot - 1].size, (size + page - 1) & ~(page - 1));
    atomic_store(&table[slot - 1].lost, false);
    atomic_store(&table[slot - 1].begin, (uintptr_t)data);
}

static void free_slot(int slot) {
    if (slot) atomic_store(&table[slot - 1].begin, 0);
}

/* ---- maps ---- */

int vb_map_open(vb_map *map, const char *path, vb_error *err) {
    const vb_map empty = {.data = (const uint8_t *)""};
    *map = empty;
    uint64_t size;
    int fd = vb_file_descriptor(path, &size, err);
    if (fd < 0) return -1;
    catch_lost_pages();
    int status = vb_staged_has(path) ? vb_identity_of_path(&map->identity, path, err) : /* the original's */
                                       vb_identity_of_descriptor(&map->identity, fd, path, err);
    if (!status && !(map->path = vb_strdup(path, err))) status = -1;
    /* Cut or lengthened between the two looks, or a copy that is not whole: what is mapped is not what will be compared later. */
    if (!status && map->identity.size != size)
        status = vb_errorf(err, VB_EDATA, "%s: changed during the run: %llu bytes were opened, it has %llu", path,
                           (unsigned long long)size, (unsigned long long)map->identity.size);
    if (!status && size && !(map->slot = reserve_slot()))
        status = vb_errorf(err, VB_EMEMORY, "%s: cannot map it: %d files are mapped already", path, SLOTS);
    if (!status && size) {
        int fault = vb_fault(VB_FAULT_MMAP);
        void *data = MAP_FAILED;
        if (fault) errno = fault > 0 ? fault : ENOMEM;
        else data = mmap(NULL, size, PROT_READ, MAP_SHARED, fd, 0);
        if (data == MAP_FAILED)
            status = vb_errorf(err, VB_EMEMORY, "%s: cannot map %llu bytes: %s", path, (unsigned long long)size, strerror(errno));
        else {
            fill_slot(map->slot, data, size);
            map->data = data;
            map->size = size;
        }
    }
    close(fd);
    if (!status) return 0;
    free_slot(map->slot);
    vb_free(map->path);
    *map = empty;
    return -1;
}

int vb_map_check(const vb_map *map, vb_error *err) {
    return map->path && vb_identity_check(&map->identity, map->path, err) ? -1 : vb_map_check_whole(map, err);
}

int vb_map_judge(const vb_map *map, int status, vb_error *err) {
    vb_error why;
    if (!vb_map_check(map, &why)) return status;
    if (err) *err = why;
    return -1;
}

int vb_map_check_whole(const vb_map *map, vb_error *err) {
    if (!map->slot || !atomic_load(&table[map->slot - 1].lost)) return 0;
    return vb_errorf(err, VB_EDATA, "%s: bytes of it were lost during the run: it was cut short, or could not be read",
                     map->path);
}

void vb_map_drop_pages(const vb_map *map) {
    if (map->size) madvise((void *)(uintptr_t)map->data, map->size, MADV_DONTNEED);
}

void vb_map_close(vb_map *map) {
    free_slot(map->slot);
    if (map->size) munmap((void *)(uintptr_t)map->data, map->size);
    vb_free(map->path);
    *map = (vb_map){.data = (const uint8_t *)""};
}
