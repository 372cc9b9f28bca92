/* Binding: inspects the connection to a server, for the command `doctor`. */
#include "http/inspect.h"
#include "http/endpoint.h"
#include "http/proxy.h"
#include "lua/bindings.h"
#include "lua/compat.h"

enum { ENDPOINT = 1, URL = 2, SECONDS = 3 };

/* inspect(endpoint, url, seconds) -> a table:
 *   failure, tlsFault, step, limit, atProxy, detail   as of transfer:result(), when it did not come
 *                to a connection
 *   address      the one tried last, when a name was resolved; a proxy's, with `proxied`
 *   resolved, connected, secured   seconds from the start, for the steps that were taken
 *   tlsVersion, certificateEnd     e.g. "1.3"; a date as the TLS library writes it
 *   proxied      whether a proxy is in between
 * Blocks, and sends no request. */
static int inspect(lua_State *L) {
    const struct cba_settings *settings = cba_endpoint_settings(cba_check_endpoint(L, ENDPOINT));
    const char *url = luaL_checkstring(L, URL);
    long timeout_ms = cba_milliseconds(luaL_checknumber(L, SECONDS));
    struct cba_inspection found;
    cba_inspect(settings, url, timeout_ms, &found);
    lua_createtable(L, 0, 8);
    cba_set_failure(L, &found.failure);
    cba_set_string(L, "address", found.address);
    cba_set_number(L, "resolved", found.resolved);
    cba_set_number(L, "connected", found.connected);
    cba_set_number(L, "secured", found.secured);
    cba_set_string(L, "tlsVersion", found.tls_version);
    cba_set_string(L, "certificateEnd", found.certificate_end);
    cba_set_flag(L, "proxied", found.proxied);
    return 1;
}

/* proxy(endpoint, url) -> the URL of the proxy that requests to `url` go through, with its
 * password; and the environment variable that names it, or nil. Nil: they go there directly. */
static int proxy(lua_State *L) {
    const struct cba_settings *settings = cba_endpoint_settings(cba_check_endpoint(L, ENDPOINT));
    const char *url = luaL_checkstring(L, URL), *variable;
    lua_pushstring(L, cba_proxy_of(settings, url, &variable)); /* NULL is nil */
    lua_pushstring(L, variable);
    return 2;
}

void cba_open_inspect(lua_State *L) {
    static const luaL_Reg functions[] = {
        {"inspect", inspect},
        {"proxy", proxy},
        {NULL, NULL},
    };
    cba_setfuncs(L, functions);
}
