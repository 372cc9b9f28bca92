/* What Lua opens as corebank.auth.core: it opens the core proper, which lies beside it.
 *
 * Lua has a module's symbols bound before it runs, all of those of libcurl's thirty libraries, too.
 * Opened from here they are bound when they are called, and most never are: a script that needs one
 * token is a millisecond faster. */
#include <dlfcn.h>
#include <string.h>

#include "lua/bindings.h"
#include "lua/compat.h"

/* Pushes the path of the core proper: in the folder that this file lies in. */
static const char *push_path(lua_State *L) {
    static const char here = 0;
    Dl_info own;
    const char *name = dladdr(&here, &own) != 0 && own.dli_fname != NULL ? own.dli_fname : "";
    const char *slash = strrchr(name, '/');
    if (slash == NULL) {
        lua_pushliteral(L, "./"); /* a name without a slash would be looked for elsewhere */
    } else {
        lua_pushlstring(L, name, (size_t)(slash + 1 - name));
    }
    lua_pushliteral(L, CBA_CORE_FILE);
    lua_concat(L, 2);
    return lua_tostring(L, -1);
}

/* Nothing is ever closed: libcurl and its threads stay for good. */
static void *open_library(const char *path) {
    return dlopen(path, RTLD_LAZY | RTLD_LOCAL);
}

/* When libcurl is opened first, its libraries look for their symbols in the program and in each
 * other, and not in the core and its other libraries as well: a fifth fewer places. No matter if
 * that fails. */
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
    cba_check_lua(L); /* what is bound late in the core would crash */
    open_libcurl();
    /* The cast is dlsym(3)'s own. */
    *(void **)&open = find_entry(open_library(push_path(L)));
    if (open == NULL) {
        return luaL_error(L, "corebank.auth.core is not installed whole: %s", dlerror());
    }
    return open(L);
}
