/* Binding: URLs, parsed by libcurl's own parser. */
#include "http/url.h"
#include "lua/bindings.h"
#include "lua/compat.h"

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

void cba_open_url(lua_State *L) {
    static const luaL_Reg functions[] = {{"url", url}, {NULL, NULL}};
    cba_setfuncs(L, functions);
}
