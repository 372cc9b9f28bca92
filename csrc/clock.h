/* The two clocks a deadline is kept on. Seconds. */
#ifndef CBA_CLOCK_H
#define CBA_CLOCK_H

#include <stdbool.h>

/* Since boot, counting time asleep where the system can (CLOCK_BOOTTIME); never set by anyone. */
double cba_clock_boot(void);

/* Since the epoch, as the system believes. */
double cba_clock_wall(void);

/* Whether both moments lie ahead. The one question that is asked of every request that carries a
 * token, so the wall clock is read where reading is cheapest, to the last tick of the kernel. */
bool cba_clock_before(double boot, double wall);

/* Waits; returns early when a signal arrives, so that a Lua hook can run. */
void cba_clock_sleep(double seconds);

#endif
