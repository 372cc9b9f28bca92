/* A value that is handed out until a moment has come: what a client does for every request, without
 * an interpreter's detour. Where Lua can go on after a yield across a C function and a userdata can
 * keep any value, which is from 5.4 on; elsewhere core has no `window`, and a client does without.
 */
#include "lua/bindings.h"

#include "lua/compat.h"
#include "system/clock.h"

#ifdef CBA_WINDOWS

struct window {
    const void *owner;
    double steady, wall;
};

/* Upvalues. OWNER is never read: it keeps the owner, and so its address, from the collector, which
 * would give both to another client. */
enum { WINDOW = 1, SLOW = 2, OWNER = 3 };

static int window_finish(lua_State *L, int status, lua_KContext context) {
    (void)status;
    (void)context;
    return lua_gettop(L);
}

/* get(owner, ...) -> the value, or what slow(owner, ...) returns */
static int window_get(lua_State *L) {
    const struct window *window = lua_touserdata(L, lua_upvalueindex(WINDOW));
    if (lua_topointer(L, 1) == window->owner && cba_clock_before(window->steady, window->wall)) {
        lua_getiuservalue(L, lua_upvalueindex(WINDOW), 1);
        return 1;
    }
    lua_pushvalue(L, lua_upvalueindex(SLOW));
    lua_insert(L, 1);
    lua_callk(L, lua_gettop(L) - 1, LUA_MULTRET, 0, window_finish);
    return window_finish(L, LUA_OK, 0);
}

/* set(value, steady, wall): the value is good until one of the moments has come */
static int window_set(lua_State *L) {
    struct window *window = lua_touserdata(L, lua_upvalueindex(WINDOW));
    double steady = luaL_checknumber(L, 2), wall = luaL_checknumber(L, 3);
    lua_settop(L, 1);
    lua_setiuservalue(L, lua_upvalueindex(WINDOW), 1);
    window->steady = steady;
    window->wall = wall;
    return 0;
}

/* window(owner, slow) -> get, set
 *
 * Shut at first. `owner`, a table, is told by its address; it lives as long as `get`, which it may
 * hold in turn. */
static int window_new(lua_State *L) {
    luaL_checktype(L, 1, LUA_TTABLE);
    luaL_checktype(L, 2, LUA_TFUNCTION);
    struct window *window = lua_newuserdatauv(L, sizeof *window, 1);
    *window = (struct window){.owner = lua_topointer(L, 1), .steady = -1, .wall = -1};
    lua_pushvalue(L, -1);
    lua_pushvalue(L, 2);
    lua_pushvalue(L, 1);
    lua_pushcclosure(L, window_get, OWNER);
    lua_pushvalue(L, -2);
    lua_pushcclosure(L, window_set, 1);
    return 2;
}

#endif

void cba_open_window(lua_State *L) {
#ifdef CBA_WINDOWS
    static const luaL_Reg functions[] = {{"window", window_new}, {NULL, NULL}};
    cba_setfuncs(L, functions);
#else
    (void)L;
#endif
}
