/* Userdata of our own types, and our values in the registry of a Lua state. */
#ifndef CBA_LUA_OBJECT_H
#define CBA_LUA_OBJECT_H

#include <string.h>

#include "lua/compat.h"

/* Makes the metatable for `name`, which the registry keeps under the name's address: scripts cannot
 * reach it. `close` is its __gc and __close, `methods` are its __index, and `print` is its
 * __tostring; each may be NULL. */
static inline void cba_newtype(lua_State *L, const char *name, lua_CFunction close,
                               const luaL_Reg *methods, lua_CFunction print) {
    lua_pushlightuserdata(L, (void *)name);
    lua_rawget(L, LUA_REGISTRYINDEX);
    int known = !lua_isnil(L, -1);
    lua_pop(L, 1);
    if (known) {
        return; /* the module is loaded again: objects made before keep their type */
    }
    lua_pushlightuserdata(L, (void *)name);
    lua_createtable(L, 0, 8);
    if (close != NULL) {
        lua_pushcfunction(L, close);
        lua_setfield(L, -2, "__gc");
        lua_pushcfunction(L, close);
        lua_setfield(L, -2, "__close");
    }
    if (print != NULL) {
        lua_pushcfunction(L, print);
        lua_setfield(L, -2, "__tostring");
    }
    if (methods != NULL) {
        lua_newtable(L);
        cba_setfuncs(L, methods);
        lua_setfield(L, -2, "__index");
    }
    lua_pushboolean(L, 0);
    lua_setfield(L, -2, "__metatable");
    lua_rawset(L, LUA_REGISTRYINDEX);
}

/* What a userdata of ours begins with; its content follows, of any type. A finalizer empties the
 * content: freed memory may later be another library's userdata, and still begin with our tag. */
union cba_tag {
    const char *type;
    double number;
    long long whole;
};

/* The content of the userdata at `index` if it is of type `name`, else NULL. The tag holds the
 * name's address: luaL_checkudata would look the name up by its characters at every call. Plain Lua
 * cannot write into a userdata, so that none of another library passes for ours. */
static inline void *cba_test(lua_State *L, int index, const char *name) {
    union cba_tag *tag = lua_touserdata(L, index);
    if (tag == NULL || lua_rawlen(L, index) <= sizeof *tag || tag->type != name) {
        return NULL;
    }
    return tag + 1;
}

/* The same for a userdata that is known to be ours, as in a finalizer. */
static inline void *cba_object(lua_State *L, int index) {
    return (union cba_tag *)lua_touserdata(L, index) + 1;
}

static inline void *cba_check(lua_State *L, int index, const char *name) {
    void *data = cba_test(L, index, name);
    if (data == NULL) {
        const char *got = luaL_typename(L, index);
        luaL_argerror(L, index, lua_pushfstring(L, "%s expected, got %s", name, got));
    }
    return data;
}

/* Pushes a userdata of type `name` and returns its content: `size` bytes of zeros. */
static inline void *cba_newobject(lua_State *L, const char *name, size_t size) {
    union cba_tag *tag = lua_newuserdata(L, sizeof *tag + size);
    memset(tag + 1, 0, size);
    tag->type = name;
    lua_pushlightuserdata(L, (void *)name);
    lua_rawget(L, LUA_REGISTRYINDEX);
    lua_setmetatable(L, -2); /* allocates nothing */
    return tag + 1;
}

/* The same for one pointer, which is NULL: make it first, then acquire what it will hold. */
static inline void *cba_newslot(lua_State *L, const char *name) {
    return cba_newobject(L, name, sizeof(void *));
}

/* The content of a slot after the closing state has freed what it held. */
static inline void *cba_gone(void) {
    static const char gone = 0;
    return (void *)&gone;
}

/* Empties a slot for good. Returns its content, or NULL the second time. */
static inline void *cba_let_go(void **slot) {
    void *content = *slot;
    *slot = cba_gone();
    return content != cba_gone() ? content : NULL;
}

/* The slot of what the registry keeps for this state under `key`, or NULL. */
static inline void **cba_kept_slot(lua_State *L, const char *key) {
    lua_pushlightuserdata(L, (void *)key);
    lua_rawget(L, LUA_REGISTRYINDEX);
    void **slot = lua_isnil(L, -1) ? NULL : cba_object(L, -1);
    lua_pop(L, 1);
    return slot;
}

/* Its content, or NULL. Raises when it has been freed, as in a finalizer of a closing state: what
 * the caller would make now would never be freed. */
static inline void *cba_kept(lua_State *L, const char *key) {
    void **slot = cba_kept_slot(L, key);
    if (slot != NULL && *slot == cba_gone()) {
        luaL_error(L, "the Lua state is closing");
    }
    return slot != NULL ? *slot : NULL;
}

/* A new slot for it. The old one, if there is one, is left to the collector. */
static inline void **cba_keep(lua_State *L, const char *key, const char *type) {
    lua_pushlightuserdata(L, (void *)key);
    void **slot = cba_newslot(L, type);
    lua_rawset(L, LUA_REGISTRYINDEX);
    return slot;
}

#endif
