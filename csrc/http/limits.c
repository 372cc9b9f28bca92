#include "http/limits.h"

#include <math.h>

#include "system/clock.h"

void cba_limits_set(struct cba_limits *limits, double seconds, double idle) {
    limits->seconds = seconds;
    limits->idle = idle;
    limits->since = cba_clock_boot();
    limits->is_moving = false;
}

void cba_limits_note(struct cba_limits *limits, bool is_moving) {
    if (limits->idle > 0) {
        limits->since = cba_clock_boot();
        limits->is_moving = is_moving;
    }
}

double cba_limits_left(const struct cba_limits *limits) {
    if (limits->seconds <= 0) {
        return HUGE_VAL;
    }
    double limit = limits->is_moving ? limits->idle : limits->seconds;
    return limits->since + limit - cba_clock_boot();
}
