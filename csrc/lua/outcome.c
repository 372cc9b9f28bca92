/* How a transfer ended, told to Lua. */
#include "http/outcome.h"

#include "http/libcurl.h"
#include "lua/bindings.h"
#include "lua/object.h"

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
