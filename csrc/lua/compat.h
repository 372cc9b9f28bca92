/* One C API for six versions of Lua: defines the functions of Lua 5.4 that older versions and
 * LuaJIT lack. No other file tests LUA_VERSION_NUM. */
#ifndef CBA_LUA_COMPAT_H
#define CBA_LUA_COMPAT_H

#include <lauxlib.h>
#include <lua.h>

#if LUA_VERSION_NUM < 502

#define lua_rawlen lua_objlen

/* Raises in another Lua than this is compiled for. Lua 5.1 cannot be asked for its version, but
 * later ones lack lua_getfenv, and refuse to open the module. */
static inline void cba_check_lua(lua_State *L) {
    lua_getfenv(L, LUA_REGISTRYINDEX);
    lua_pop(L, 1);
}

static inline void cba_setfuncs(lua_State *L, const luaL_Reg *functions) {
    for (; functions->name != NULL; functions++) {
        lua_pushcfunction(L, functions->func);
        lua_setfield(L, -2, functions->name);
    }
}

#else

static inline void cba_check_lua(lua_State *L) {
    luaL_checkversion(L);
}

static inline void cba_setfuncs(lua_State *L, const luaL_Reg *functions) {
    luaL_setfuncs(L, functions, 0);
}

#endif

#if LUA_VERSION_NUM < 503

/* Whether numbers may be integers of 64 bits. */
#define CBA_INTEGERS 0

static inline int lua_isinteger(lua_State *L, int index) {
    (void)L, (void)index;
    return 0;
}

/* A whole number below 2^53 is exact either way; integers print without ".0". */
static inline void cba_pushwhole(lua_State *L, double value) {
    lua_pushnumber(L, value);
}

#else

#define CBA_INTEGERS 1

static inline void cba_pushwhole(lua_State *L, double value) {
    lua_pushinteger(L, (lua_Integer)value);
}

#endif

#if LUA_VERSION_NUM >= 504
#define CBA_WINDOWS 1 /* see window.c */
#endif

#endif
