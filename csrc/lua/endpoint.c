/* Endpoints as userdata, and tables as options/ and exchange/ make them. */
#include "http/endpoint.h"

#include <math.h>
#include <string.h>

#include "lua/bindings.h"
#include "lua/object.h"
#include "secret/secret.h"

static const char endpoint_type[] = "corebank.auth.endpoint";

/* ---- fields of tables ---------------------------------------------------------------------- */

const char *cba_string_field(lua_State *L, int table, const char *name) {
    lua_getfield(L, table, name);
    const char *value = NULL;
    if (!lua_isnil(L, -1)) {
        /* Only true strings: converting a number would make one that nobody keeps. */
        luaL_argcheck(L, lua_type(L, -1) == LUA_TSTRING, table, name);
        value = lua_tostring(L, -1);
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
        for (; count < CBA_LINES_MAX; count++) {
            lua_rawgeti(L, -1, (int)count + 1);
            bool is_line = lua_type(L, -1) == LUA_TSTRING;
            lines[count] = lua_tostring(L, -1);
            lua_pop(L, 1);
            if (!is_line) {
                break;
            }
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

void cba_read_settings(lua_State *L, int table, struct cba_settings *settings,
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
    settings->client_key_password = cba_secret_field(L, table, "clientKeyPassword");
}

/* ---- endpoints ----------------------------------------------------------------------------- */

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
    struct cba_endpoint **slot = cba_newslot(L, endpoint_type);
    cba_read_settings(L, 1, &settings, headers);
    *slot = cba_endpoint_new(&settings);
    return *slot != NULL ? 1 : cba_nomemory(L);
}

/* endpoint:close(). Transfers that are under way go on. */
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
    static const luaL_Reg metamethods[] = {
        {"__tostring", endpoint__tostring},
        {"__gc", endpoint_close},
        {"__close", endpoint_close},
        {NULL, NULL},
    };
    cba_newtype(L, endpoint_type, methods, metamethods);
    cba_setfuncs(L, functions);
}
