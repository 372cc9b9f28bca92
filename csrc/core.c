/* The C half of corebank-auth: corebank.auth.core. Loading it creates nothing but this table. */
#include "lua/bindings.h"
#include "lua/compat.h"

#define CBA_EXPORT __attribute__((visibility("default")))

CBA_EXPORT int luaopen_corebank_auth_core(lua_State *L);

int luaopen_corebank_auth_core(lua_State *L) {
    lua_newtable(L);
    lua_pushliteral(L, CBA_VERSION);
    lua_setfield(L, -2, "VERSION");
    cba_open_system(L); /* first: it looks whether the libraries are recent enough */
    cba_open_folder(L);
    cba_open_secret(L);
    cba_open_seal(L);
    cba_open_transfer(L);
    cba_open_window(L);
    cba_open_inspect(L);
    cba_open_terminal(L);
    return 1;
}
