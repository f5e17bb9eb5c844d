/* Preloaded into ranks: connection number REFUSE_CONNECT of rank REFUSE_RANK is refused, as by a network that fails. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

int connect(int fd, const struct sockaddr *address, socklen_t size) {
    static atomic_int count;
    const char *number = getenv("REFUSE_CONNECT"), *refused = getenv("REFUSE_RANK"), *rank = getenv("OMPI_COMM_WORLD_RANK");
    int (*next)(int, const struct sockaddr *, socklen_t);
    void *found = dlsym(RTLD_NEXT, "connect");
    memcpy(&next, &found, sizeof next);
    if (address->sa_family != AF_INET && address->sa_family != AF_INET6) return next(fd, address, size);
    if (number && refused && rank && !strcmp(refused, rank) && atomic_fetch_add(&count, 1) + 1 == atoi(number)) {
        errno = ECONNREFUSED;
        return -1;
    }
    return next(fd, address, size);
}
