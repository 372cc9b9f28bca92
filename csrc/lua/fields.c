/* Reads and sets fields of Lua tables, for the bindings. */
#include <math.h>
#include <string.h>

#include "http/request.h"
#include "lua/bindings.h"
#include "lua/object.h"

const char *cba_string_field(lua_State *L, int table, const char *name) {
    lua_getfield(L, table, name);
    const char *value = NULL;
    if (!lua_isnil(L, -1)) {
        /* Only true strings: converting a number would make one that nobody keeps. */
        luaL_argcheck(L, lua_type(L, -1) == LUA_TSTRING, table, name);
        size_t length;
        value = lua_tolstring(L, -1, &length);
        luaL_argcheck(L, strlen(value) == length, table, name); /* no NUL in it */
    }
    lua_pop(L, 1);
    return value;
}

const struct cba_secret *cba_secret_field(lua_State *L, int table, const char *name) {
    lua_getfield(L, table, name);
    const struct cba_secret *secret = cba_test_secret(L, -1);
    lua_pop(L, 1);
    return secret;
}

void cba_lines_field(lua_State *L, int table, const char *name,
                     const char *lines[CBA_LINES_MAX + 1]) {
    size_t count = 0;
    lua_getfield(L, table, name);
    if (lua_istable(L, -1)) {
        size_t length = 0, all = lua_rawlen(L, -1);
        luaL_argcheck(L, all <= CBA_LINES_MAX, table, "too many header lines");
        for (; count < all; count++) {
            lua_rawgeti(L, -1, (int)count + 1);
            lines[count] = lua_type(L, -1) == LUA_TSTRING ? lua_tolstring(L, -1, &length) : NULL;
            bool is_line = lines[count] != NULL && cba_request_is_line(lines[count], length);
            lua_pop(L, 1);
            luaL_argcheck(L, is_line, table, "not a header line");
        }
    }
    lines[count] = NULL;
    lua_pop(L, 1);
}

long cba_milliseconds(double seconds) {
    static const double longest = 86400;
    if (!(seconds > 0.001)) {
        return 1; /* 0 would mean "for ever" to libcurl */
    }
    return lround((seconds < longest ? seconds : longest) * 1000);
}

void cba_set_string(lua_State *L, const char *name, const char *value) {
    if (value != NULL && value[0] != '\0') {
        lua_pushstring(L, value);
        lua_setfield(L, -2, name);
    }
}

void cba_set_number(lua_State *L, const char *name, double value) {
    if (value >= 0) {
        lua_pushnumber(L, value);
        lua_setfield(L, -2, name);
    }
}

void cba_set_flag(lua_State *L, const char *name, bool value) {
    lua_pushboolean(L, value);
    lua_setfield(L, -2, name);
}
