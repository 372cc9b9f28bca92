/* Binding: how a transfer ended. */
#include "http/outcome.h"

#include "http/libcurl.h"
#include "lua/bindings.h"
#include "lua/object.h"

/* None of what cba_raise_own_failure raises. */
static const char *const codes[CBA_UNSUPPORTED + 1] = {
    [CBA_RESOLVE] = "resolve",     [CBA_CONNECT] = "connect",
    [CBA_PROXY] = "proxy",         [CBA_TLS] = "tls",
    [CBA_TIMEOUT] = "timeout",     [CBA_NETWORK] = "network",
    [CBA_TOO_LARGE] = "too_large",
};

static const char *const tls_faults[] = {
    [CBA_TLS_OTHER] = "handshake", [CBA_TLS_TRUST] = "trust", [CBA_TLS_TRUST_STORE] = "store",
    [CBA_TLS_CLIENT] = "client",   [CBA_TLS_PIN] = "pin",     [CBA_TLS_REFUSED] = "refused",
};

static const char *const steps[] = {
    [CBA_STEP_NAME] = "name",     [CBA_STEP_CONNECTION] = "connection",
    [CBA_STEP_TUNNEL] = "tunnel", [CBA_STEP_HANDSHAKE] = "handshake",
    [CBA_STEP_ANSWER] = NULL,
};

void cba_raise_own_failure(lua_State *L, const struct cba_failure *failure) {
    if (failure->outcome == CBA_NO_MEMORY) {
        cba_nomemory(L);
    }
    if (failure->outcome == CBA_BAD_URL) {
        luaL_error(L, "the URL cannot be read");
    }
    if (failure->outcome == CBA_UNSUPPORTED) {
        luaL_error(L, "this build of libcurl (%s) lacks what an option asks for",
                   cba_libcurl_version());
    }
}

void cba_set_failure(lua_State *L, const struct cba_failure *failure) {
    cba_raise_own_failure(L, failure);
    if (failure->outcome == CBA_ANSWERED) {
        return;
    }
    cba_set_string(L, "failure", codes[failure->outcome]);
    if (failure->outcome == CBA_TLS) {
        cba_set_string(L, "tlsFault", tls_faults[failure->tls_fault]);
    }
    if (failure->outcome == CBA_TIMEOUT) {
        cba_set_string(L, "step", steps[failure->step]);
        cba_set_string(L, "limit", failure->connect_limited ? "connectTimeout" : NULL);
    }
    if (failure->at_proxy) {
        cba_set_flag(L, "atProxy", true);
    }
    cba_set_string(L, "detail", failure->detail);
}
