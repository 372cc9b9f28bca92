/* Secrets as userdata: without a getter, printed as secret(…), wiped by close, __gc and __close. */
#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "lua/bindings.h"
#include "lua/object.h"
#include "secret/private_file.h"
#include "secret/redact.h"
#include "secret/secret.h"
#include "text/utf8.h"

static const char secret_type[] = "corebank.auth.secret";
static const char vault_type[] = "corebank.auth.vault";

/* ---- the vault: one for each Lua state, in the registry, made with the first secret -------- */

static const char vault_key = 0;

static int vault_gc(lua_State *L) {
    cba_vault_release(cba_let_go(cba_object(L, 1)));
    return 0;
}

void cba_check_state(lua_State *L) {
    (void)cba_kept(L, &vault_key);
}

static struct cba_vault *get_vault(lua_State *L) {
    struct cba_vault *vault = cba_kept(L, &vault_key);
    if (vault == NULL) {
        void **slot = cba_keep(L, &vault_key, vault_type);
        *slot = vault = cba_vault_new();
    }
    if (vault == NULL) {
        cba_nomemory(L);
    }
    return vault;
}

/* ---- one secret ---------------------------------------------------------------------------- */

struct cba_secret *cba_test_secret(lua_State *L, int index) {
    struct cba_secret **slot = cba_test(L, index, secret_type);
    return slot != NULL ? *slot : NULL;
}

struct cba_secret *cba_check_secret(lua_State *L, int index) {
    struct cba_secret **slot = cba_check(L, index, secret_type);
    luaL_argcheck(L, *slot != NULL, index, "the secret is closed");
    return *slot;
}

struct cba_secret *cba_push_secret(lua_State *L) {
    struct cba_secret **slot = cba_newslot(L, secret_type);
    *slot = cba_secret_new(get_vault(L));
    if (*slot == NULL) {
        cba_nomemory(L);
    }
    return *slot;
}

static const char *const reasons[] = {
    [CBA_SECRET_EMPTY] = "is empty",
    [CBA_SECRET_TOO_LONG] = "is longer than 400 bytes",
    [CBA_SECRET_NUL] = "contains a NUL byte",
    [CBA_SECRET_NOT_UTF8] = "is not valid UTF-8",
    [CBA_SECRET_UTF16] = "is UTF-16; save it as UTF-8",
    [CBA_SECRET_UNSET] = "is not set",
    [CBA_SECRET_NOT_A_FILE] = "is not a regular file",
    [CBA_SECRET_NO_SOURCE] = "is not a regular file or a pipe",
    [CBA_SECRET_TERMINAL] = "is a terminal, which would show what is typed",
    [CBA_SECRET_FILE_TOO_BIG] = "is larger than 4 KiB",
    [CBA_SECRET_EXPOSED] =
        ("is open to every user; chmod it to 0600 or 0640 (Kubernetes: defaultMode 0400, "
         "Docker: mode 0400), or take it as it is by auth.secret.file(path, {anyMode = true})"),
};

int cba_secret_outcome(lua_State *L, const struct cba_secret *secret, enum cba_secret_status status,
                       int system_error) {
    if (status == CBA_SECRET_OK) {
        return 1;
    }
    if (status == CBA_SECRET_INVISIBLE) {
        return cba_refuse_ends(L, cba_secret_ends(secret));
    }
    if (status == CBA_SECRET_UNREADABLE && system_error == ENOMEM) {
        return cba_nomemory(L);
    }
    if (status == CBA_SECRET_UNREADABLE) {
        lua_pushnil(L);
        lua_pushfstring(L, "cannot be read: %s", strerror(system_error));
        return 2;
    }
    return cba_refuse(L, reasons[status]);
}

/* secret(bytes) -> secret | nil, reason */
static int secret_new(lua_State *L) {
    size_t length;
    const char *bytes = luaL_checklstring(L, 1, &length);
    struct cba_secret *secret = cba_push_secret(L);
    return cba_secret_outcome(L, secret, cba_secret_from_bytes(secret, bytes, length), 0);
}

/* secret_file(path, anyMode, stream) -> secret, whether it can be read again | nil, reason.
 * `anyMode` allows a file that is open to every user, `stream` a pipe and "-", the standard input.
 */
static int secret_file(lua_State *L) {
    struct cba_private_file file = {
        .path = luaL_checkstring(L, 1),
        .most = CBA_SECRET_MAX_FILE,
        .any_mode = lua_toboolean(L, 2),
        .stream = lua_toboolean(L, 3),
    };
    struct cba_secret *secret = cba_push_secret(L);
    enum cba_secret_status status = cba_secret_from_file(secret, &file);
    if (status != CBA_SECRET_OK) {
        return cba_secret_outcome(L, secret, status, errno);
    }
    lua_pushboolean(L, file.is_file);
    return 2;
}

/* secret_env(name) -> secret | nil, reason; nil without a reason when it is not set or empty */
static int secret_env(lua_State *L) {
    const char *name = luaL_checkstring(L, 1);
    struct cba_secret *secret = cba_push_secret(L);
    enum cba_secret_status status = cba_secret_from_env(secret, name);
    if (status == CBA_SECRET_UNSET || status == CBA_SECRET_EMPTY) {
        lua_pushnil(L);
        return 1;
    }
    return cba_secret_outcome(L, secret, status, 0);
}

/* is_secret(value) -> boolean: a secret that is not closed */
static int is_secret(lua_State *L) {
    lua_pushboolean(L, cba_test_secret(L, 1) != NULL);
    return 1;
}

/* secret:characters() -> how many characters it has */
static int secret_characters(lua_State *L) {
    size_t length;
    const char *bytes = cba_secret_bytes(cba_check_secret(L, 1), &length);
    lua_pushnumber(L, (lua_Number)cba_utf8_count(bytes, length));
    return 1;
}

/* secret:redact(text) -> text with every occurrence of the secret blanked, in any case */
static int secret_redact(lua_State *L) {
    size_t text_length, secret_length;
    const char *text = luaL_checklstring(L, 2, &text_length);
    char *copy = lua_newuserdata(L, text_length + 1);
    const char *needle = cba_secret_bytes(cba_check_secret(L, 1), &secret_length);
    memcpy(copy, text, text_length + 1);
    cba_redact_value(copy, text_length, needle, secret_length);
    lua_pushlstring(L, copy, text_length);
    return 1;
}

/* secret:replace(other) -> whether `other` held something else, which both hold now */
static int secret_replace(lua_State *L) {
    struct cba_secret *secret = cba_check_secret(L, 1);
    lua_pushboolean(L, cba_secret_replace(secret, cba_check_secret(L, 2)));
    return 1;
}

static int secret_close(lua_State *L) {
    struct cba_secret **slot = cba_check(L, 1, secret_type);
    struct cba_secret *secret = *slot;
    *slot = NULL;
    cba_secret_free(secret);
    return 0;
}

static int secret__tostring(lua_State *L) {
    cba_check(L, 1, secret_type);
    lua_pushliteral(L, "secret(…)");
    return 1;
}

void cba_open_secret(lua_State *L) {
    static const luaL_Reg functions[] = {
        {"secret", secret_new},
        {"secret_file", secret_file},
        {"secret_env", secret_env},
        {"is_secret", is_secret},
        {NULL, NULL},
    };
    static const luaL_Reg methods[] = {
        {"characters", secret_characters},
        {"redact", secret_redact},
        {"replace", secret_replace},
        {"close", secret_close},
        {NULL, NULL},
    };
    cba_newtype(L, secret_type, secret_close, methods, secret__tostring);
    cba_newtype(L, vault_type, vault_gc, NULL, NULL);
    cba_setfuncs(L, functions);
}
