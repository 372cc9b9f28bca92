/* Binding: endpoints as userdata. */
#include "http/endpoint.h"

#include <string.h>

#include "lua/bindings.h"
#include "lua/object.h"

static const char endpoint_type[] = "corebank.auth.endpoint";

/* What options/read.lua made. `headers` is memory for the list that the settings refer to. */
static void read_settings(lua_State *L, int table, struct cba_settings *settings,
                          const char *headers[CBA_LINES_MAX + 1]) {
    memset(settings, 0, sizeof *settings);
    lua_getfield(L, table, "connectTimeout");
    settings->connect_timeout_ms = cba_milliseconds(luaL_checknumber(L, -1));
    lua_pop(L, 1);
    settings->ca_file = cba_string_field(L, table, "caFile");
    settings->ca_path = cba_string_field(L, table, "caPath");
    settings->client_cert = cba_string_field(L, table, "clientCert");
    settings->client_key = cba_string_field(L, table, "clientKey");
    settings->pinned_key = cba_string_field(L, table, "pinnedKey");
    settings->proxy = cba_string_field(L, table, "proxy");
    settings->proxy_ca_file = cba_string_field(L, table, "proxyCaFile");
    settings->no_proxy = cba_string_field(L, table, "noProxy");
    const char *min_tls = cba_string_field(L, table, "minTls");
    settings->tls13_only = min_tls != NULL && strcmp(min_tls, "1.3") == 0;
    cba_lines_field(L, table, "headerLines", headers);
    settings->headers = headers;
    /* Last: see cba_check_secret. */
    settings->client_key_password = cba_secret_field(L, table, "clientKeyPassword");
}

struct cba_endpoint *cba_check_endpoint(lua_State *L, int index) {
    struct cba_endpoint **slot = cba_check(L, index, endpoint_type);
    luaL_argcheck(L, *slot != NULL, index, "the endpoint is closed");
    return *slot;
}

/* endpoint(settings) -> endpoint: a copy of what all requests to one place share of the settings
 * that options/read.lua made. */
static int endpoint_new(lua_State *L) {
    struct cba_settings settings;
    const char *headers[CBA_LINES_MAX + 1];
    luaL_checktype(L, 1, LUA_TTABLE);
    cba_check_state(L);
    struct cba_endpoint **slot = cba_newslot(L, endpoint_type);
    read_settings(L, 1, &settings, headers);
    *slot = cba_endpoint_new(&settings);
    return *slot != NULL ? 1 : cba_nomemory(L);
}

/* endpoint:close(). Transfers in flight go on. */
static int endpoint_close(lua_State *L) {
    struct cba_endpoint **slot = cba_check(L, 1, endpoint_type), *endpoint = *slot;
    *slot = NULL;
    if (endpoint != NULL) {
        cba_forget_endpoint(L, endpoint);
        cba_endpoint_close(endpoint);
    }
    return 0;
}

static int endpoint__tostring(lua_State *L) {
    struct cba_endpoint **slot = cba_check(L, 1, endpoint_type);
    lua_pushstring(L, *slot != NULL ? "endpoint" : "endpoint (closed)");
    return 1;
}

void cba_open_endpoint(lua_State *L) {
    static const luaL_Reg functions[] = {{"endpoint", endpoint_new}, {NULL, NULL}};
    static const luaL_Reg methods[] = {{"close", endpoint_close}, {NULL, NULL}};
    cba_newtype(L, endpoint_type, endpoint_close, methods, endpoint__tostring);
    cba_setfuncs(L, functions);
}
