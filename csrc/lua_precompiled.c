/* The Lua files, compiled when the core was: a process that needs one token is a millisecond
 * faster.
 *
 * What one release of Lua has compiled is no good for another, and Lua tells 5.3 from 5.4, but not
 * 5.4.4 from 5.4.6. So this is only for the release that made it. Every other one reads the files,
 * which are installed all the same. */
#include <dlfcn.h>
#include <string.h>

#include "lua_bindings.h"
#include "lua_compat.h"

struct module {
    const char *name;
    const unsigned char *bytes;
    size_t length;
};

#include "precompiled.h" /* made by script/precompile.lua: `modules` */

enum { MODULES = sizeof modules / sizeof *modules };

static const struct module *find(const char *name) {
    size_t i = 0;
    while (i < MODULES && strcmp(modules[i].name, name) != 0) {
        i++;
    }
    return i < MODULES ? &modules[i] : NULL;
}

/* What `require` calls with a module's name. */
static int load(lua_State *L) {
    const char *name = luaL_checkstring(L, 1);
    const struct module *module = find(name);
    luaL_argcheck(L, module != NULL, 1, "no module of corebank-auth");
    if (luaL_loadbufferx(L, (const char *)module->bytes, module->length, name, "b") != 0) {
        return lua_error(L);
    }
    lua_pushvalue(L, 1);
    lua_call(L, 1, 1);
    return 1;
}

/* The release that runs, as lua.h's lua_ident tells it: looked up, because a program that Lua is
 * linked into may keep it to itself. */
static int is_same_lua(void) {
    const char *ident = dlsym(RTLD_DEFAULT, "lua_ident");
    return ident != NULL && strstr(ident, CBA_PRECOMPILED_BY " ") != NULL;
}

void cba_open_precompiled(lua_State *L) {
    if (!is_same_lua()) {
        return;
    }
    luaL_getsubtable(L, LUA_REGISTRYINDEX, "_PRELOAD");
    for (size_t i = 0; i < MODULES; i++) {
        lua_getfield(L, -1, modules[i].name);
        if (lua_isnil(L, -1)) { /* else somebody's own */
            lua_pushcfunction(L, load);
            lua_setfield(L, -3, modules[i].name);
        }
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
}
