/* The two clocks of deadlines, in seconds, and a cheaper clock for frequent checks. */
#ifndef CBA_CLOCK_H
#define CBA_CLOCK_H

#include <stdbool.h>

/* Since boot, including sleep where the system counts it (CLOCK_BOOTTIME). Nobody can set it. */
double cba_clock_boot(void);

/* Since the epoch, by the system's clock. */
double cba_clock_wall(void);

/* A moment on both. */
struct cba_moment {
    double boot, wall;
};

struct cba_moment cba_clock_now(void);

/* The cheapest clock that only goes forward: it shows the kernel's last tick, a few milliseconds
 * ago. It stands still while the machine sleeps; the wall clock does not. */
double cba_clock_steady(void);

/* Whether both moments are in the future, on the steady clock and on the wall clock. It is asked
 * for every request that carries a token. */
bool cba_clock_before(double steady, double wall);

enum { CBA_SESSION_SIZE = 64 };

/* The name of the system's start, from which cba_clock_boot counts: random(4), "boot_id". Processes
 * that see the same name can compare its moments. False, and an empty name, where there is none. */
bool cba_clock_session(char name[CBA_SESSION_SIZE]);

/* Waits; returns early when a signal arrives, so that a Lua hook can run. */
void cba_clock_sleep(double seconds);

#endif
