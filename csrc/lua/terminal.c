/* Binding: the terminal. */
#include <unistd.h>

#include "lua/bindings.h"
#include "lua/compat.h"
#include "system/terminal.h"

/* prompt(question) -> secret | nil, reason. The typed line never becomes a Lua string. */
static int terminal_prompt(lua_State *L) {
    const char *question = luaL_checkstring(L, 1);
    struct cba_secret *secret = cba_push_secret(L);
    enum cba_secret_status status = CBA_SECRET_EMPTY;
    switch (cba_terminal_prompt(question, secret, &status)) {
        case CBA_PROMPT_ANSWERED:
            return cba_secret_outcome(L, secret, status, 0);
        case CBA_PROMPT_NO_MEMORY:
            return cba_nomemory(L);
        case CBA_PROMPT_NO_TERMINAL:
            return cba_refuse(L, "no terminal");
        case CBA_PROMPT_BACKGROUND:
            return cba_refuse(L, "background");
        case CBA_PROMPT_CANCELLED:
            break;
    }
    return cba_refuse(L, "cancelled");
}

/* is_terminal(fd) -> boolean */
static int terminal_is_terminal(lua_State *L) {
    lua_pushboolean(L, isatty((int)luaL_checknumber(L, 1)) == 1);
    return 1;
}

void cba_open_terminal(lua_State *L) {
    static const luaL_Reg functions[] = {
        {"prompt", terminal_prompt},
        {"is_terminal", terminal_is_terminal},
        {NULL, NULL},
    };
    cba_setfuncs(L, functions);
}
