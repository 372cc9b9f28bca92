/* Binding: the characters of a text, and invisible characters. */
#include <string.h>

#include "lua/bindings.h"
#include "lua/compat.h"
#include "text/invisible.h"
#include "text/utf8.h"

int cba_refuse_ends(lua_State *L, const struct cba_invisible *ends) {
    char text[CBA_INVISIBLE_TEXT];
    cba_invisible_describe(ends, text, sizeof text);
    return cba_refuse(L, text);
}

/* characters(text) -> how many characters, or nil when it is not valid UTF-8 */
static int characters(lua_State *L) {
    size_t length;
    const char *text = luaL_checklstring(L, 1, &length);
    long count = cba_utf8_count(text, length);
    if (count < 0) {
        lua_pushnil(L);
    } else {
        lua_pushnumber(L, (lua_Number)count);
    }
    return 1;
}

/* outside(text) -> text without a line feed at its end | nil, reason: there is another invisible
 * character at an end. For text that comes from outside of the program. */
static int outside(lua_State *L) {
    size_t length;
    struct cba_invisible found;
    const char *text = luaL_checklstring(L, 1, &length);
    if (length > 0 && text[length - 1] == '\n') {
        length--;
    }
    if (cba_utf8_count(text, length) >= 0 && cba_invisible_find(text, length, &found)) {
        return cba_refuse_ends(L, &found);
    }
    lua_pushlstring(L, text, length);
    return 1;
}

/* printable(text) -> text with a '?' for each invisible character and each byte that is no UTF-8:
 * fit for a terminal and for one line of a log */
static int printable(lua_State *L) {
    size_t length;
    const char *text = luaL_checklstring(L, 1, &length);
    char *copy = lua_newuserdata(L, length + 1);
    memcpy(copy, text, length);
    lua_pushlstring(L, copy, cba_printable(copy, length));
    return 1;
}

void cba_open_text(lua_State *L) {
    static const luaL_Reg functions[] = {
        {"characters", characters},
        {"outside", outside},
        {"printable", printable},
        {NULL, NULL},
    };
    cba_setfuncs(L, functions);
}
