/* Binding: clocks, and waiting. */
#include "system/clock.h"
#include "lua/bindings.h"
#include "lua/compat.h"

/* boot() -> seconds on a clock that nobody sets and that runs while the machine sleeps */
static int clock_boot(lua_State *L) {
    lua_pushnumber(L, cba_clock_boot());
    return 1;
}

/* wall() -> seconds since the epoch */
static int clock_wall(lua_State *L) {
    lua_pushnumber(L, cba_clock_wall());
    return 1;
}

/* steady() -> seconds on the cheapest clock that only goes forward */
static int clock_steady(lua_State *L) {
    lua_pushnumber(L, cba_clock_steady());
    return 1;
}

/* before(steady, wall) -> whether both moments are in the future, each on its clock. What is no
 * number does not: every request asks, and a check of the arguments would cost more than the
 * answer. */
static int clock_before(lua_State *L) {
    lua_pushboolean(L, cba_clock_before(lua_tonumber(L, 1), lua_tonumber(L, 2)));
    return 1;
}

/* session() -> the name of the system's start, from which boot() counts, or nil */
static int clock_session(lua_State *L) {
    char name[CBA_SESSION_SIZE];
    lua_pushstring(L, cba_clock_session(name) ? name : NULL);
    return 1;
}

/* before_address() -> the address of the C function that `before` calls, for an FFI */
static int clock_before_address(lua_State *L) {
    bool (*function)(double, double) = cba_clock_before;
    lua_pushlightuserdata(L, *(void **)&function); /* as dlsym(3) has it for ISO C */
    return 1;
}

/* sleep(seconds). Returns early on a signal. */
static int clock_sleep(lua_State *L) {
    cba_clock_sleep(luaL_checknumber(L, 1));
    return 0;
}

void cba_open_clock(lua_State *L) {
    static const luaL_Reg functions[] = {
        {"boot", clock_boot},
        {"wall", clock_wall},
        {"steady", clock_steady},
        {"before", clock_before},
        {"before_address", clock_before_address},
        {"session", clock_session},
        {"sleep", clock_sleep},
        {NULL, NULL},
    };
    cba_setfuncs(L, functions);
}
