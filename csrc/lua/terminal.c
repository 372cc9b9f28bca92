/* The terminal, files and another program, for a command. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "lua/bindings.h"
#include "lua/compat.h"
#include "system/program.h"
#include "system/terminal.h"

/* prompt(question) -> secret | nil, reason. The line that is typed never becomes a Lua string. */
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
            lua_pushnil(L);
            lua_pushliteral(L, "no terminal");
            return 2;
        case CBA_PROMPT_BACKGROUND:
            lua_pushnil(L);
            lua_pushliteral(L, "background");
            return 2;
        case CBA_PROMPT_CANCELLED:
            break;
    }
    lua_pushnil(L);
    lua_pushliteral(L, "cancelled");
    return 2;
}

/* is_terminal(fd) -> boolean */
static int terminal_is_terminal(lua_State *L) {
    lua_pushboolean(L, cba_is_terminal((int)luaL_checknumber(L, 1)));
    return 1;
}

/* take_standard_files(): none of the descriptors 0 to 2 is free afterwards */
static int terminal_take_standard_files(lua_State *L) {
    (void)L;
    cba_take_standard_files();
    return 0;
}

/* write(fd, text) -> true | nil, reason. Past the C library's buffer, which nobody wipes. */
static int terminal_write(lua_State *L) {
    size_t length;
    int fd = (int)luaL_checknumber(L, 1);
    const char *text = luaL_checklstring(L, 2, &length);
    int fault = cba_write(fd, text, length);
    if (fault != 0) {
        lua_pushnil(L);
        lua_pushstring(L, strerror(fault));
        return 2;
    }
    lua_pushboolean(L, 1);
    return 1;
}

/* file_mode(path) -> e.g. "0600", or nil */
static int terminal_file_mode(lua_State *L) {
    int mode = cba_file_mode(luaL_checkstring(L, 1));
    if (mode < 0) {
        lua_pushnil(L);
    } else {
        char text[16];
        (void)snprintf(text, sizeof text, "%04o", (unsigned)mode);
        lua_pushstring(L, text);
    }
    return 1;
}

/* setenv(name, value): a variable of this process, and of the program that it becomes; with nil for
 * a value there is none of that name. */
static int terminal_setenv(lua_State *L) {
    const char *name = luaL_checkstring(L, 1);
    int fault = cba_set_variable(name, luaL_optstring(L, 2, NULL));
    if (fault == ENOMEM) {
        return cba_nomemory(L);
    }
    return fault == 0 ? 0 : luaL_argerror(L, 1, strerror(fault));
}

/* exec(words) -> nil, reason, whether there is no such program. Becomes it, or else returns. */
static int terminal_exec(lua_State *L) {
    luaL_checktype(L, 1, LUA_TTABLE);
    size_t count = lua_rawlen(L, 1);
    luaL_argcheck(L, count > 0 && count <= INT_MAX - 1, 1, "a program is needed");
    char **words = lua_newuserdata(L, (count + 1) * sizeof *words);
    for (size_t i = 0; i < count; i++) {
        lua_rawgeti(L, 1, (int)(i + 1));
        luaL_argcheck(L, lua_type(L, -1) == LUA_TSTRING, 1, "its words are strings");
        words[i] = (char *)lua_tostring(L, -1); /* the table keeps it alive */
        lua_pop(L, 1);
    }
    words[count] = NULL;
    int fault = cba_become(words);
    lua_pushnil(L);
    lua_pushstring(L, strerror(fault));
    lua_pushboolean(L, fault == ENOENT);
    return 3;
}

void cba_open_terminal(lua_State *L) {
    static const luaL_Reg functions[] = {
        {"prompt", terminal_prompt},
        {"is_terminal", terminal_is_terminal},
        {"take_standard_files", terminal_take_standard_files},
        {"write", terminal_write},
        {"file_mode", terminal_file_mode},
        {"setenv", terminal_setenv},
        {"exec", terminal_exec},
        {NULL, NULL},
    };
    cba_setfuncs(L, functions);
}
