/* Lua opens this file as corebank.auth.core. It opens the core itself, libcore.so in the same
 * folder.
 *
 * It is there for speed only. Lua opens a module with all its symbols bound at once, and so the
 * symbols of libcurl's thirty libraries, too. This file opens the core in such a way that a symbol
 * is bound when it is first called. Most symbols are never called: a process that fetches one token
 * takes 5 % less time. */
#include <dlfcn.h>
#include <string.h>

#include "lua/bindings.h"
#include "lua/compat.h"

/* Pushes the path of the core proper, in the folder of this library. */
static const char *push_path(lua_State *L) {
    static const char here = 0;
    Dl_info own;
    const char *name = dladdr(&here, &own) != 0 && own.dli_fname != NULL ? own.dli_fname : "";
    const char *slash = strrchr(name, '/');
    if (slash == NULL) {
        lua_pushliteral(L, "./"); /* without a slash dlopen would search its own folders */
    } else {
        lua_pushlstring(L, name, (size_t)(slash + 1 - name));
    }
    lua_pushliteral(L, CBA_CORE_FILE);
    lua_concat(L, 2);
    return lua_tostring(L, -1);
}

/* Nothing is ever closed: libcurl and its threads outlive the Lua state. */
static void *open_library(const char *path) {
    return dlopen(path, RTLD_LAZY | RTLD_LOCAL);
}

/* Opened before the core, libcurl's libraries look for their symbols in the program and in each
 * other only: in a fifth fewer libraries than when the core opens them. A failure is ignored: the
 * core then opens libcurl itself. */
#ifdef CBA_CURL_FILE
static void leave_open(const void *library) {
    (void)library;
}

static void open_libcurl(void) {
    leave_open(open_library(CBA_CURL_FILE));
}
#else
static void open_libcurl(void) {
}
#endif

static void *find_entry(void *core) {
    return core != NULL ? dlsym(core, "luaopen_corebank_auth_core") : NULL;
}

int luaopen_corebank_auth_core(lua_State *L) {
    lua_CFunction open;
    cba_check_lua(L); /* in another Lua the core would crash at its first call */
    open_libcurl();
    /* The cast is dlsym(3)'s own. */
    *(void **)&open = find_entry(open_library(push_path(L)));
    if (open == NULL) {
        return luaL_error(L, "corebank.auth.core is not installed whole: %s", dlerror());
    }
    return open(L);
}
