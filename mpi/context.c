/* Signals that ask for a stop: noted in the handler, looked at between units. */
#include "mpi/context.h"

#include <signal.h>

static volatile sig_atomic_t stop_signal; /* a handler can reach nothing else */

static void on_signal(int number) { stop_signal = number; }

void vb_catch_signals(void) {
    static const int signals[] = {SIGINT, SIGTERM, SIGUSR1};
    struct sigaction action = {.sa_handler = on_signal};
    sigemptyset(&action.sa_mask);
    for (int i = 0; i < 3; i++) sigaction(signals[i], &action, NULL);
    signal(SIGPIPE, SIG_IGN); /* these two come back as errors of write */
    signal(SIGXFSZ, SIG_IGN);
}

int vb_check_stop(vb_context *context, vb_error *err) {
    int number = stop_signal;
    if (number)
        return vb_errorf(err, VB_EINCOMPLETE, "stopped by %s; finished units are kept: run the same command again to go on",
                         number == SIGINT  ? "SIGINT" :
                         number == SIGTERM ? "SIGTERM" :
                                             "SIGUSR1");
    if (vb_alarm_heard(&context->comm)) return vb_errorf(err, VB_EINCOMPLETE, "stopped because another rank stopped");
    return 0;
}
