/* A window returns a value until a given time. bank:token() uses one for the token.
 *
 * It is there for speed only: on Lua 5.4 a call that has a valid token takes 53 ns instead of
 * 138 ns. It needs Lua 5.4, where a C function can continue after a yield, and a userdata can keep
 * any value. With other versions the core has no `window`, and the client does the same in Lua. */
#include "lua/bindings.h"

#include "lua/compat.h"
#include "system/clock.h"

#ifdef CBA_WINDOWS

struct window {
    const void *owner;
    double steady, wall;
};

/* Upvalues. OWNER is never read: it keeps the owner alive, so that no other table gets its
 * address. */
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

/* set(value, steady, wall): the value is handed out until one of the moments has come */
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
 * Hands out nothing before the first set. `owner`, a table, is recognised by its address, and may
 * itself hold `get`. */
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
