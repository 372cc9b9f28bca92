/* Binding: URLs, parsed by libcurl's own parser, and the encoding of their parts. */
#include <string.h>

#include "http/url.h"
#include "lua/bindings.h"
#include "lua/compat.h"
#include "text/ascii.h"

static void set_text(lua_State *L, const char *name, const char *value) {
    lua_pushstring(L, value);
    lua_setfield(L, -2, name);
}

/* url(text [, base]) -> {text=, scheme=, host=, port=, hasUser=, hasQuery=, hasFragment=},
 * or nil when it is no URL. With `base`, `text` is a reference to be resolved against it. */
static int url(lua_State *L) {
    struct cba_url url;
    const char *text = luaL_checkstring(L, 1);
    const char *base = luaL_optstring(L, 2, NULL);
    switch (cba_url_read(text, base, &url)) {
        case CBA_URL_OK:
            break;
        case CBA_URL_NO_MEMORY:
            return cba_nomemory(L);
        case CBA_URL_BAD:
            lua_pushnil(L);
            return 1;
    }
    lua_createtable(L, 0, 7);
    set_text(L, "text", url.text);
    set_text(L, "scheme", url.scheme);
    set_text(L, "host", url.host);
    set_text(L, "port", url.port);
    cba_set_flag(L, "hasUser", url.has_user);
    cba_set_flag(L, "hasQuery", url.has_query);
    cba_set_flag(L, "hasFragment", url.has_fragment);
    return 1;
}

/* RFC 3986, section 2.3. */
static bool is_unreserved(char c) {
    char lower = cba_ascii_lower(c);
    return (lower >= 'a' && lower <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' ||
           c == '_' || c == '~';
}

/* percent_encode(text, kept) -> text in which every byte is an escape, such as %20, but for the
 * unreserved characters and those of `kept` */
static int percent_encode(lua_State *L) {
    static const char digits[] = "0123456789ABCDEF";
    size_t length, kept_length;
    const char *text = luaL_checklstring(L, 1, &length);
    const char *kept = luaL_checklstring(L, 2, &kept_length);
    luaL_Buffer encoded;
    luaL_buffinit(L, &encoded);
    for (size_t i = 0; i < length; i++) {
        unsigned char c = (unsigned char)text[i];
        if (is_unreserved(text[i]) || memchr(kept, c, kept_length) != NULL) {
            luaL_addchar(&encoded, text[i]);
        } else {
            luaL_addchar(&encoded, '%');
            luaL_addchar(&encoded, digits[c >> 4]);
            luaL_addchar(&encoded, digits[c & 15]);
        }
    }
    luaL_pushresult(&encoded);
    return 1;
}

void cba_open_url(lua_State *L) {
    static const luaL_Reg functions[] = {
        {"url", url},
        {"percent_encode", percent_encode},
        {NULL, NULL},
    };
    cba_setfuncs(L, functions);
}
