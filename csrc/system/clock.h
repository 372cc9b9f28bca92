/* The two clocks a deadline is kept on, in seconds, and what the first of them counts from. */
#ifndef CBA_CLOCK_H
#define CBA_CLOCK_H

#include <stdbool.h>

/* Since boot, counting time asleep where the system can (CLOCK_BOOTTIME); never set by anyone. */
double cba_clock_boot(void);

/* Since the epoch, as the system believes. */
double cba_clock_wall(void);

/* A moment on both. */
struct cba_moment {
    double boot, wall;
};

struct cba_moment cba_clock_now(void);

/* A clock that only goes forward, read where reading is cheapest: to the last tick of the kernel, a
 * few milliseconds ago. It stands still while the machine sleeps; the wall clock beside it does
 * not. */
double cba_clock_steady(void);

/* Whether both moments lie ahead, on the steady clock and on the wall clock. The one question that
 * is asked for every request that carries a token. */
bool cba_clock_before(double steady, double wall);

enum { CBA_SESSION_SIZE = 64 };

/* Names the start of the system that cba_clock_boot counts from, so that processes can tell each
 * other its moments: random(4), "boot_id". False, and an empty name, where there is none. */
bool cba_clock_session(char name[CBA_SESSION_SIZE]);

/* Waits; returns early when a signal arrives, so that a Lua hook can run. */
void cba_clock_sleep(double seconds);

#endif
