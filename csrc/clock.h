/* The two clocks a deadline is kept on. Seconds. */
#ifndef CBA_CLOCK_H
#define CBA_CLOCK_H

/* Since boot, counting time asleep where the system can (CLOCK_BOOTTIME); never set by anyone. */
double cba_clock_boot(void);

/* Since the epoch, as the system believes. */
double cba_clock_wall(void);

/* Waits; returns early when a signal arrives, so that a Lua hook can run. */
void cba_clock_sleep(double seconds);

#endif
