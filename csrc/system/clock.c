#include "system/clock.h"

#include <stdio.h>
#include <string.h>
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

struct cba_moment cba_clock_now(void) {
    return (struct cba_moment){.boot = cba_clock_boot(), .wall = cba_clock_wall()};
}

#ifdef CLOCK_MONOTONIC_COARSE
enum { STEADY_CLOCK = CLOCK_MONOTONIC_COARSE, CHEAP_WALL_CLOCK = CLOCK_REALTIME_COARSE };
#else
enum { STEADY_CLOCK = CLOCK_MONOTONIC, CHEAP_WALL_CLOCK = CLOCK_REALTIME };
#endif

double cba_clock_steady(void) {
    return clock_read(STEADY_CLOCK);
}

bool cba_clock_before(double steady, double wall) {
    double now = clock_read(STEADY_CLOCK);
    double wall_now = clock_read(CHEAP_WALL_CLOCK);
    return now >= 0 && now < steady && wall_now >= 0 && wall_now < wall;
}

bool cba_clock_session(char name[CBA_SESSION_SIZE]) {
    name[0] = '\0';
    FILE *file = fopen("/proc/sys/kernel/random/boot_id", "re");
    if (file == NULL) {
        return false;
    }
    if (fgets(name, CBA_SESSION_SIZE, file) == NULL) {
        name[0] = '\0';
    }
    (void)fclose(file);
    name[strcspn(name, "\n")] = '\0';
    return name[0] != '\0';
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
