#include "clock.h"

#include <time.h>

enum { LONGEST_SLEEP = 3600 };

static double clock_read(clockid_t id) {
    struct timespec now;
    if (clock_gettime(id, &now) != 0) {
        return -1;
    }
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

double cba_clock_boot(void) {
#ifdef CLOCK_BOOTTIME
    double now = clock_read(CLOCK_BOOTTIME);
    if (now >= 0) {
        return now;
    }
#endif
    return clock_read(CLOCK_MONOTONIC);
}

double cba_clock_wall(void) {
    return clock_read(CLOCK_REALTIME);
}

bool cba_clock_before(double boot, double wall) {
#ifdef CLOCK_REALTIME_COARSE
    double now = clock_read(CLOCK_REALTIME_COARSE);
#else
    double now = clock_read(CLOCK_REALTIME);
#endif
    return now < wall && cba_clock_boot() < boot;
}

void cba_clock_sleep(double seconds) {
    if (!(seconds > 0)) {
        return;
    }
    if (seconds > LONGEST_SLEEP) {
        seconds = LONGEST_SLEEP;
    }
    struct timespec span = {.tv_sec = (time_t)seconds};
    span.tv_nsec = (long)((seconds - (double)span.tv_sec) * 1e9);
    nanosleep(&span, NULL);
}
