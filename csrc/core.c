/* Assembles the module corebank.auth.core. Loading the module creates only its table. */
#include "lua/bindings.h"

int luaopen_corebank_auth_core(lua_State *L) {
    lua_newtable(L);
    lua_pushliteral(L, CBA_VERSION);
    lua_setfield(L, -2, "VERSION");
    cba_open_libraries(L); /* first: it checks whether the libraries are recent enough */
    cba_open_clock(L);
    cba_open_decode(L);
    cba_open_encode(L);
    cba_open_endpoint(L);
    cba_open_engine(L);
    cba_open_inspect(L);
    cba_open_private_file(L);
    cba_open_process(L);
    cba_open_seal(L);
    cba_open_secret(L);
    cba_open_store(L);
    cba_open_terminal(L);
    cba_open_text(L);
    cba_open_header_lines(L);
    cba_open_transfer(L);
    cba_open_url(L);
    cba_open_window(L);
    return 1;
}
