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

#if LUA_VERSION_NUM >= 504
#define CBA_WINDOWS 1 /* see lua_window.c */
#endif

/* Makes the metatable for `name`, which the registry keeps under the name's address and which has
 * that address in it: `methods` behind __index, `metamethods` beside it, and itself out of scripts'
 * reach. */
static inline void cba_newtype(lua_State *L, const char *name, const luaL_Reg *methods,
                               const luaL_Reg *metamethods) {
    lua_pushlightuserdata(L, (void *)name);
    lua_rawget(L, LUA_REGISTRYINDEX);
    int known = !lua_isnil(L, -1);
    lua_pop(L, 1);
    if (known) {
        return; /* the module is loaded again, and older objects must stay what they are */
    }
    lua_pushlightuserdata(L, (void *)name);
    lua_createtable(L, 1, 8);
    lua_pushlightuserdata(L, (void *)name);
    lua_rawseti(L, -2, 1);
    cba_setfuncs(L, metamethods);
    lua_newtable(L);
    cba_setfuncs(L, methods);
    lua_setfield(L, -2, "__index");
    lua_pushboolean(L, 0);
    lua_setfield(L, -2, "__metatable");
    lua_rawset(L, LUA_REGISTRYINDEX);
}

/* The userdata at `index` if it has the metatable of `name`, else NULL. The address in it says so:
 * luaL_checkudata looks the name up by its characters, at every call of every method. No script can
 * make a light userdata, and so no metatable that passes for this one. */
static inline void *cba_test(lua_State *L, int index, const char *name) {
    void *data = lua_touserdata(L, index);
    if (data == NULL || !lua_getmetatable(L, index)) {
        return NULL;
    }
    lua_rawgeti(L, -1, 1);
    int same = lua_touserdata(L, -1) == name;
    lua_pop(L, 2);
    return same ? data : NULL;
}

static inline void *cba_check(lua_State *L, int index, const char *name) {
    void *data = cba_test(L, index, name);
    if (data == NULL) {
        const char *got = luaL_typename(L, index);
        luaL_argerror(L, index, lua_pushfstring(L, "%s expected, got %s", name, got));
    }
    return data;
}

/* Gives the userdata on top of the stack the metatable of `name`; allocates nothing. */
static inline void cba_settype(lua_State *L, const char *name) {
    lua_pushlightuserdata(L, (void *)name);
    lua_rawget(L, LUA_REGISTRYINDEX);
    lua_setmetatable(L, -2);
}

/* Pushes a userdata of type `name` for one pointer, empty: it exists, with its metatable, before
 * there is anything to lose. */
static inline void *cba_newslot(lua_State *L, const char *name) {
    void **slot = lua_newuserdata(L, sizeof *slot);
    *slot = NULL;
    cba_settype(L, name);
    return slot;
}

/* In a slot whose content the closing state has freed. */
static inline void *cba_gone(void) {
    static const char gone = 0;
    return (void *)&gone;
}

/* Empties a slot for good; its content, or NULL when that has happened before. */
static inline void *cba_let_go(void **slot) {
    void *content = *slot;
    *slot = cba_gone();
    return content != cba_gone() ? content : NULL;
}

/* What the registry keeps for this state under `key`, or NULL. Raises in a finalizer that runs
 * after that was freed: what it would make now, nobody would free. */
static inline void *cba_kept(lua_State *L, const char *key) {
    lua_pushlightuserdata(L, (void *)key);
    lua_rawget(L, LUA_REGISTRYINDEX);
    void **slot = lua_touserdata(L, -1);
    lua_pop(L, 1);
    if (slot != NULL && *slot == cba_gone()) {
        luaL_error(L, "the Lua state is closing");
    }
    return slot != NULL ? *slot : NULL;
}

/* A new slot for it. The one before goes its own way to the collector. */
static inline void **cba_keep(lua_State *L, const char *key, const char *type) {
    lua_pushlightuserdata(L, (void *)key);
    void **slot = cba_newslot(L, type);
    lua_rawset(L, LUA_REGISTRYINDEX);
    return slot;
}

static inline int cba_nomemory(lua_State *L) {
    return luaL_error(L, "not enough memory");
}

#endif
