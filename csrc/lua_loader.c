/* What Lua opens as corebank.auth.core: it opens the core proper, which lies beside it.
 *
 * Lua has a module's symbols bound before it runs, all of those of libcurl's forty libraries, too.
 * Opened from here they are bound when they are called, and most never are: a script that needs one
 * token is a millisecond faster. */
#include <dlfcn.h>
#include <string.h>

#include "lua_bindings.h"
#include "lua_compat.h"

#define CBA_EXPORT __attribute__((visibility("default")))

CBA_EXPORT int luaopen_corebank_auth_core(lua_State *L);

/* Pushes the path of the core proper. */
static const char *push_path(lua_State *L) {
    static const char here = 0;
    Dl_info own;
    if (dladdr(&here, &own) == 0 || own.dli_fname == NULL) {
        luaL_error(L, "corebank.auth.core cannot find the folder that it lies in");
    }
    const char *slash = strrchr(own.dli_fname, '/');
    if (slash == NULL) {
        lua_pushliteral(L, "./"); /* a name without a slash would be looked for elsewhere */
    } else {
        lua_pushlstring(L, own.dli_fname, (size_t)(slash + 1 - own.dli_fname));
    }
    lua_pushliteral(L, CBA_CORE_FILE);
    lua_concat(L, 2);
    return lua_tostring(L, -1);
}

int luaopen_corebank_auth_core(lua_State *L) {
    void *core = dlopen(push_path(L), RTLD_LAZY | RTLD_LOCAL);
    if (core == NULL) {
        return luaL_error(L, "corebank.auth.core is not installed whole: %s", dlerror());
    }
    lua_CFunction open;
    *(void **)&open = dlsym(core, "luaopen_corebank_auth_core"); /* as dlsym(3) has it for ISO C */
    if (open == NULL) {
        return luaL_error(L, "corebank.auth.core cannot use its other half: %s", dlerror());
    }
    return open(L);
}
