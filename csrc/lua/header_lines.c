/* Binding: the header lines of an answer, as an object. Only tostring makes a string of them:
 * LuaJIT compares a new string with all that have the same hash, and the headers of two answers
 * often do. */
#include "http/header_lines.h"

#include <string.h>

#include "lua/bindings.h"
#include "lua/object.h"

static const char lines_type[] = "corebank.auth.header_lines";

struct kept {
    size_t length;
    char text[];
};

void cba_push_header_lines(lua_State *L, const struct cba_header_lines *lines) {
    struct kept *kept = cba_newobject(L, lines_type, sizeof *kept + lines->length);
    kept->length = lines->length;
    if (lines->length > 0) {
        memcpy(kept->text, lines->text, lines->length);
    }
}

/* tostring(lines) -> all headers in their order, each as "Name: value\n" */
static int header_lines__tostring(lua_State *L) {
    struct kept *kept = cba_check(L, 1, lines_type);
    struct cba_header_lines lines = {.text = kept->text, .length = kept->length};
    struct cba_header header;
    luaL_Buffer text;
    luaL_buffinit(L, &text);
    for (size_t at = 0; cba_header_lines_next(&lines, &at, &header);) {
        luaL_addlstring(&text, header.name, header.name_length);
        luaL_addlstring(&text, ": ", 2);
        luaL_addlstring(&text, header.value, header.value_length);
        luaL_addchar(&text, '\n');
    }
    luaL_pushresult(&text);
    return 1;
}

void cba_open_header_lines(lua_State *L) {
    cba_newtype(L, lines_type, NULL, NULL, header_lines__tostring);
}
