/* Five Luas, one API: the names of Lua 5.4 where 5.1 (and LuaJIT) lack them. The only file that
 * tests LUA_VERSION_NUM. */
#ifndef CBA_LUA_COMPAT_H
#define CBA_LUA_COMPAT_H

#include <lauxlib.h>
#include <lua.h>

#if LUA_VERSION_NUM < 502

static inline void cba_setfuncs(lua_State *L, const luaL_Reg *functions) {
    for (; functions->name != NULL; functions++) {
        lua_pushcfunction(L, functions->func);
        lua_setfield(L, -2, functions->name);
    }
}

#else

static inline void cba_setfuncs(lua_State *L, const luaL_Reg *functions) {
    luaL_setfuncs(L, functions, 0);
}

#endif

#if LUA_VERSION_NUM < 503

/* A whole number below 2^53 is exact either way; integers print without ".0". */
static inline void cba_pushwhole(lua_State *L, double value) {
    lua_pushnumber(L, value);
}

#else

static inline void cba_pushwhole(lua_State *L, double value) {
    lua_pushinteger(L, (lua_Integer)value);
}

#endif

/* Leaves the metatable of `name` on the stack: `methods` behind __index, `metamethods` beside it,
 * and itself out of scripts' reach. */
static inline void cba_newtype(lua_State *L, const char *name, const luaL_Reg *methods,
                               const luaL_Reg *metamethods) {
    luaL_newmetatable(L, name);
    cba_setfuncs(L, metamethods);
    lua_newtable(L);
    cba_setfuncs(L, methods);
    lua_setfield(L, -2, "__index");
    lua_pushboolean(L, 0);
    lua_setfield(L, -2, "__metatable");
    lua_pop(L, 1);
}

static inline int cba_nomemory(lua_State *L) {
    return luaL_error(L, "not enough memory");
}

#endif
