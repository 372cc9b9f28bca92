#include "modules.h"

#include <lauxlib.h>
#include <lualib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PATH CBA_LUA_DIR "/?.lua;" CBA_SPEC_DIR "/?.lua"

enum { MOST_MODULES = 64, NAME_SIZE = 64 };

static struct module {
    char name[NAME_SIZE];
    char *code;
    size_t length;
} modules[MOST_MODULES];
static size_t used;

int luaopen_corebank_auth_core(lua_State *L);

static int append_code(lua_State *L, const void *bytes, size_t size, void *owner) {
    struct module *module = owner;
    char *longer = realloc(module->code, module->length + size);
    (void)L;
    if (longer == NULL) {
        return 1;
    }
    memcpy(longer + module->length, bytes, size);
    module->code = longer;
    module->length += size;
    return 0;
}

static void compile(lua_State *L, const char *name) {
    if (used == MOST_MODULES || strlen(name) >= NAME_SIZE) {
        luaL_error(L, "no room for %s", name);
    }
    struct module *module = &modules[used++];
    snprintf(module->name, sizeof module->name, "%s", name);
    const char *path = luaL_gsub(L, name, ".", "/");
    path = luaL_gsub(L, strcmp(name, "torture") == 0 ? CBA_SPEC_DIR "/?.lua" : CBA_LUA_DIR "/?.lua",
                     "?", path);
    if (luaL_loadfile(L, path) != 0) {
        lua_error(L);
    }
#if LUA_VERSION_NUM >= 503
    int status = lua_dump(L, append_code, module, 0);
#else
    int status = lua_dump(L, append_code, module);
#endif
    if (status != 0) {
        luaL_error(L, "cannot compile %s", name);
    }
    lua_pop(L, 3);
}

static bool is_ours(const char *name) {
    static const char ours[] = "corebank.auth";
    return strcmp(name, "corebank.auth.core") != 0 &&
           (strncmp(name, ours, sizeof ours - 1) == 0 || strcmp(name, "torture") == 0);
}

/* Protected. Has the driver required once, and compiles what package.loaded then names. */
static int compile_all(lua_State *L) {
    luaL_openlibs(L);
    lua_getglobal(L, "package");
    lua_pushliteral(L, PATH);
    lua_setfield(L, -2, "path");
    modules_preload(L);
    lua_getglobal(L, "require");
    lua_pushliteral(L, "torture");
    lua_call(L, 1, 0);
    lua_getfield(L, 1, "loaded");
    lua_pushnil(L);
    while (lua_next(L, 2) != 0) {
        lua_pop(L, 1);
        if (is_ours(lua_tostring(L, -1))) {
            compile(L, lua_tostring(L, -1));
        }
    }
    return 0;
}

bool modules_compile(void) {
    lua_State *L = luaL_newstate();
    if (L == NULL) {
        return false;
    }
    lua_pushcfunction(L, compile_all);
    bool ok = lua_pcall(L, 0, 0, 0) == 0;
    if (!ok) {
        fprintf(stderr, "torture: %s\n", lua_tostring(L, -1));
    }
    lua_close(L);
    return ok;
}

/* What package.preload holds; upvalue 1 is the module. */
static int load(lua_State *L) {
    const struct module *module = lua_touserdata(L, lua_upvalueindex(1));
    if (luaL_loadbuffer(L, module->code, module->length, module->name) != 0) {
        return lua_error(L);
    }
    lua_call(L, 0, 1);
    return 1;
}

void modules_preload(lua_State *L) {
    lua_getglobal(L, "package");
    lua_getfield(L, -1, "preload");
    lua_pushcfunction(L, luaopen_corebank_auth_core);
    lua_setfield(L, -2, "corebank.auth.core");
    for (size_t i = 0; i < used; i++) {
        lua_pushlightuserdata(L, &modules[i]);
        lua_pushcclosure(L, load, 1);
        lua_setfield(L, -2, modules[i].name);
    }
    lua_pop(L, 2);
}

void modules_free(void) {
    for (size_t i = 0; i < used; i++) {
        free(modules[i].code);
    }
}
