/* The two clocks a deadline is kept on. Seconds. */
#ifndef CBA_CLOCK_H
#define CBA_CLOCK_H

#include <stdbool.h>

/* Since boot, counting time asleep where the system can (CLOCK_BOOTTIME); never set by anyone. */
double cba_clock_boot(void);

/* Since the epoch, as the system believes. */
double cba_clock_wall(void);

/* A clock that only goes forward, read where reading is cheapest: to the last tick of the kernel, a
 * few milliseconds ago. It stands still while the machine sleeps; the wall clock beside it does
 * not. */
double cba_clock_steady(void);

/* Whether both moments lie ahead, on the steady clock and on the wall clock. The one question that
 * is asked for every request that carries a token. */
bool cba_clock_before(double steady, double wall);

/* Waits; returns early when a signal arrives, so that a Lua hook can run. */
void cba_clock_sleep(double seconds);

#endif
