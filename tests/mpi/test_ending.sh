#!/bin/bash
# How ranks end when a thread of Open MPI is called into a plugin that has left the memory, and when mpirun is late to hear that
# they end: with their own codes. Here it is made to happen; on busy machines it was seen now and then.
. "$(dirname "$0")/../lib.sh"
cd "$scratch" || exit 1
# News from PMIx as its plugin is closed, and threads that are late to read them.
cat >late.c <<'E2'
#define _GNU_SOURCE
#include <dlfcn.h>
#include <link.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <unistd.h>

typedef void called_back(int status, void *results, size_t count, void *next, void *next_context, void *context);
typedef void told(size_t handler, int status, const void *source, void *info, size_t infos, void *results, size_t count,
                  called_back *callback, void *context);
static atomic_bool late;

static void nothing(int status, void *results, size_t count, void *next, void *next_context, void *context) {
    (void)status, (void)results, (void)count, (void)next, (void)next_context, (void)context;
}

int dlclose(void *handle) {
    const struct link_map *map = handle;
    const struct { char job[256]; unsigned rank; } source = {"", 0};
    told *tell = strstr(map->l_name, "/mca_pmix_") ? (told *)dlsym(handle, "ext3x_event_hdlr") : NULL;
    if (tell) {
        late = true;
        tell(1, -101 /* the connection to the server is lost */, &source, NULL, 0, NULL, 0, nothing, NULL);
    }
    return ((int (*)(void *))dlsym(RTLD_NEXT, "dlclose"))(handle);
}

/* Of a thread: what the program does about it. */
void _exit(int code) {
    static const char word[] = "a thread has ended this rank\n";
    const bool tell = late && gettid() != getpid() && write(STDERR_FILENO, word, sizeof word - 1) > 0;
    for (;;) syscall(SYS_exit_group, code, tell);
}

int epoll_wait(int fd, struct epoll_event *events, int most, int timeout) {
    const int n = ((int (*)(int, struct epoll_event *, int, int))dlsym(RTLD_NEXT, "epoll_wait"))(fd, events, most, timeout);
    if (late) usleep(200000);
    return n;
}
E2
# The rank that ends first has mpirun sleep for longer than PMIx waits for its answer.
cat >deaf.c <<'E2'
#define _GNU_SOURCE
#include <dlfcn.h>
#include <signal.h>
#include <unistd.h>

int PMIx_Finalize(const void *info, size_t infos) {
    void *pmix = dlopen("libpmix.so.2", RTLD_NOLOAD | RTLD_LAZY);
    int (*finalize)(const void *, size_t) = pmix ? (int (*)(const void *, size_t))dlsym(pmix, "PMIx_Finalize") : NULL;
    const pid_t server = getppid();
    if (!finalize) return -1;
    if (!link("asleep", "woken") && !kill(server, SIGSTOP) && !fork()) {
        sleep(3);
        kill(server, SIGCONT);
        _exit(0);
    }
    return finalize(info, infos);
}
E2
must cc -shared -fPIC -O1 -o late.so late.c -ldl
must cc -shared -fPIC -O1 -o deaf.so deaf.c -ldl
# ends RANKS LIBRARY COMMAND...: its code is in $code.
ends() {
  local ranks=$1 library=$2; shift 2
  timeout -k 5 $minute mpirun --oversubscribe -n "$ranks" -x LD_PRELOAD="$PWD/$library" "$vocabench" "$@" >stdout 2>stderr
  code=$?
}
make_data images pics 4 3; make_data model m.safetensors
encode=(encode images --weights m.safetensors --activation quick_gelu --input)
must "$vocabench" "${encode[@]}" pics --output one.npy
touch asleep; ends 2 deaf.so "${encode[@]}" pics --output deaf.npy
if [ -e woken ]; then
  equal "an mpirun that hears late of the end of ranks ends with their code" $code 0 "$(cat stderr)"
  same "and they have done their work" one.npy deaf.npy
  equal "nothing tells of it" "$(grep -v '^mpirun: Forwarding signal' stderr)" ""
else skip "an mpirun that hears late" "the ranks' PMIx is another one"; fi
ends 2 late.so "${encode[@]}" pics --output two.npy
if [ $code = 0 ] && ! grep -q 'ended this rank' stderr; then
  skip "a plugin that is closed too early" "this MPI does not do so"; finish
fi
equal "a command that has done its work ends with 0" $code 0 "$(cat stderr)"
same "and has done it" one.npy two.npy
unlike "nothing tells of a broken program" 'vocabench: |signal|Segmentation' stderr
ends 3 late.so "${encode[@]}" nowhere --output three.npy
equal "one that has failed ends with its own code" $code 4 "$(cat stderr)"
like "and says why" '^vocabench: rank 0: nowhere: no such file$' stderr
finish
