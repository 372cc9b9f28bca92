/* Binding: this process. Its id, its standard files and its environment, and exec. */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lua/bindings.h"
#include "lua/compat.h"
#include "system/process.h"

/* pid() -> this process's number */
static int process_pid(lua_State *L) {
    cba_pushwhole(L, (double)getpid());
    return 1;
}

/* take_standard_files(): afterwards none of the descriptors 0 to 2 is closed */
static int process_take_standard_files(lua_State *L) {
    (void)L;
    cba_take_standard_files();
    return 0;
}

/* write(fd, text) -> true | nil, reason. Without the C library's buffer, which is never wiped. */
static int process_write(lua_State *L) {
    size_t length;
    int fd = (int)luaL_checknumber(L, 1);
    const char *text = luaL_checklstring(L, 2, &length);
    int fault = cba_write(fd, text, length);
    if (fault != 0) {
        return cba_refuse(L, strerror(fault));
    }
    lua_pushboolean(L, 1);
    return 1;
}

/* setenv(name, value): for this process and the program that it becomes; nil removes the name. */
static int process_setenv(lua_State *L) {
    const char *name = luaL_checkstring(L, 1), *value = luaL_optstring(L, 2, NULL);
    if ((value != NULL ? setenv(name, value, 1) : unsetenv(name)) == 0) {
        return 0;
    }
    return errno == ENOMEM ? cba_nomemory(L) : luaL_argerror(L, 1, strerror(errno));
}

/* exec(words) -> nil, reason, whether there is no such program. Returns on failure only. */
static int process_exec(lua_State *L) {
    luaL_checktype(L, 1, LUA_TTABLE);
    size_t count = (size_t)lua_rawlen(L, 1);
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
    (void)cba_refuse(L, strerror(fault));
    lua_pushboolean(L, fault == ENOENT);
    return 3;
}

void cba_open_process(lua_State *L) {
    static const luaL_Reg functions[] = {
        {"pid", process_pid},     {"take_standard_files", process_take_standard_files},
        {"write", process_write}, {"setenv", process_setenv},
        {"exec", process_exec},   {NULL, NULL},
    };
    cba_setfuncs(L, functions);
}
