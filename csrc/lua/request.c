/* What options.lua made, told to C; what became of it, told to Lua. */
#include <math.h>
#include <string.h>

#include "http/libcurl.h"
#include "lua/bindings.h"
#include "lua/compat.h"
#include "http/outcome.h"
#include "http/request.h"
#include "secret/secret.h"

const char *cba_string_field(lua_State *L, int settings, const char *name) {
    lua_getfield(L, settings, name);
    const char *value = NULL;
    if (!lua_isnil(L, -1)) {
        /* Only true strings: converting a number would make one that nobody keeps. */
        luaL_argcheck(L, lua_type(L, -1) == LUA_TSTRING, settings, name);
        value = lua_tostring(L, -1);
    }
    lua_pop(L, 1);
    return value;
}

const char *cba_secret_field(lua_State *L, int settings, const char *name) {
    size_t length;
    lua_getfield(L, settings, name);
    struct cba_secret *secret = cba_test_secret(L, -1);
    lua_pop(L, 1);
    return secret == NULL ? NULL : cba_secret_bytes(secret, &length);
}

static void read_header_fields(lua_State *L, int settings, struct cba_request *request) {
    lua_getfield(L, settings, "headerLines");
    if (lua_istable(L, -1)) {
        for (int i = 0; i < CBA_REQUEST_HEADERS_MAX; i++) {
            lua_rawgeti(L, -1, i + 1);
            request->headers[i] = lua_type(L, -1) == LUA_TSTRING ? lua_tostring(L, -1) : NULL;
            lua_pop(L, 1);
            if (request->headers[i] == NULL) {
                break;
            }
        }
    }
    lua_pop(L, 1);
}

long cba_milliseconds(double seconds) {
    static const double longest = 86400;
    if (!(seconds > 0.001)) {
        return 1; /* 0 would mean "for ever" to libcurl */
    }
    return lround((seconds < longest ? seconds : longest) * 1000);
}

void cba_read_request(lua_State *L, int settings, const char *url, struct cba_request *request) {
    memset(request, 0, sizeof *request);
    request->url = url;
    lua_getfield(L, settings, "connectTimeout");
    request->connect_timeout_ms = cba_milliseconds(luaL_checknumber(L, -1));
    lua_pop(L, 1);
    request->ca_file = cba_string_field(L, settings, "caFile");
    request->ca_path = cba_string_field(L, settings, "caPath");
    request->client_cert = cba_string_field(L, settings, "clientCert");
    request->client_key = cba_string_field(L, settings, "clientKey");
    request->client_key_password = cba_secret_field(L, settings, "clientKeyPassword");
    request->pinned_key = cba_string_field(L, settings, "pinnedKey");
    request->proxy = cba_string_field(L, settings, "proxy");
    request->proxy_ca_file = cba_string_field(L, settings, "proxyCaFile");
    request->no_proxy = cba_string_field(L, settings, "noProxy");
    const char *min_tls = cba_string_field(L, settings, "minTls");
    request->tls13_only = min_tls != NULL && strcmp(min_tls, "1.3") == 0;
    read_header_fields(L, settings, request);
}

/* ---- outcomes ------------------------------------------------------------------------------ */

static const char *outcome_code(enum cba_outcome outcome) {
    switch (outcome) {
        case CBA_RESOLVE:
            return "resolve";
        case CBA_CONNECT:
            return "connect";
        case CBA_PROXY:
            return "proxy";
        case CBA_TLS:
            return "tls";
        case CBA_TIMEOUT:
            return "timeout";
        case CBA_TOO_LARGE:
            return "too_large";
        default:
            return "network";
    }
}

static const char *tls_fault_name(enum cba_tls_fault fault) {
    switch (fault) {
        case CBA_TLS_TRUST:
            return "trust";
        case CBA_TLS_TRUST_STORE:
            return "store";
        case CBA_TLS_CLIENT:
            return "client";
        case CBA_TLS_PIN:
            return "pin";
        case CBA_TLS_REFUSED:
            return "refused";
        default:
            return "handshake";
    }
}

static const char *step_name(enum cba_step step) {
    switch (step) {
        case CBA_STEP_NAME:
            return "name";
        case CBA_STEP_CONNECTION:
            return "connection";
        case CBA_STEP_TUNNEL:
            return "tunnel";
        case CBA_STEP_HANDSHAKE:
            return "handshake";
        default:
            return NULL;
    }
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

void cba_set_failure(lua_State *L, const struct cba_failure *failure) {
    if (failure->outcome == CBA_ANSWERED) {
        return;
    }
    cba_set_string(L, "failure", outcome_code(failure->outcome));
    if (failure->outcome == CBA_TLS) {
        cba_set_string(L, "tlsFault", tls_fault_name(failure->tls_fault));
    }
    if (failure->outcome == CBA_TIMEOUT) {
        cba_set_string(L, "step", step_name(failure->step));
        cba_set_string(L, "limit", failure->connect_limited ? "connectTimeout" : NULL);
    }
    if (failure->at_proxy) {
        lua_pushboolean(L, 1);
        lua_setfield(L, -2, "atProxy");
    }
    cba_set_string(L, "detail", failure->detail);
}

void cba_raise_own_failure(lua_State *L, const struct cba_failure *failure) {
    if (failure->outcome == CBA_NO_MEMORY) {
        cba_nomemory(L);
    }
    if (failure->outcome == CBA_UNSUPPORTED) {
        luaL_error(L, "this build of libcurl (%s) lacks what an option asks for",
                   cba_libcurl_version());
    }
}
