/* Binding: sealing of data that leaves the process, and random numbers. */
#include "secret/seal.h"
#include "lua/bindings.h"
#include "lua/object.h"
#include "secret/secret.h"

static const char plaintext_type[] = "corebank.auth.plaintext";

/* seal(secret, context, text) -> bytes */
static int seal_seal(lua_State *L) {
    size_t context_length, length;
    const char *context = luaL_checklstring(L, 2, &context_length);
    const char *text = luaL_checklstring(L, 3, &length);
    luaL_argcheck(L, length <= CBA_SEAL_MAX_TEXT, 3, "more than 128 KiB");
    unsigned char *sealed = lua_newuserdata(L, length + CBA_SEAL_OVERHEAD);
    const struct cba_secret *secret = cba_check_secret(L, 1);
    cba_seal(secret, context, context_length, text, length, sealed);
    lua_pushlstring(L, (const char *)sealed, length + CBA_SEAL_OVERHEAD);
    return 1;
}

static int plaintext_close(lua_State *L) {
    void **slot = cba_object(L, 1);
    void *text = *slot;
    *slot = NULL;
    cba_guarded_free(text);
    return 0;
}

/* unseal(secret, context, bytes) -> text; nil when that secret did not seal it in that context. The
 * plaintext is in guarded memory until it becomes a Lua string. */
static int seal_unseal(lua_State *L) {
    size_t context_length, length;
    const char *context = luaL_checklstring(L, 2, &context_length);
    const char *sealed = luaL_checklstring(L, 3, &length);
    void **slot = cba_newslot(L, plaintext_type);
    const struct cba_secret *secret = cba_check_secret(L, 1);
    if (length < CBA_SEAL_OVERHEAD || length > CBA_SEAL_MAX_TEXT + CBA_SEAL_OVERHEAD) {
        lua_pushnil(L);
        return 1;
    }
    *slot = cba_guarded_new(length); /* never of size 0 */
    if (*slot == NULL) {
        return cba_nomemory(L);
    }
    if (cba_unseal(secret, context, context_length, (const unsigned char *)sealed, length, *slot)) {
        lua_pushlstring(L, *slot, length - CBA_SEAL_OVERHEAD);
    } else {
        lua_pushnil(L);
    }
    cba_guarded_free(*slot);
    *slot = NULL;
    return 1;
}

/* entry_name(secret, context) -> 32 hex digits */
static int seal_entry_name(lua_State *L) {
    size_t context_length;
    char name[CBA_ENTRY_NAME_LENGTH + 1];
    const char *context = luaL_checklstring(L, 2, &context_length);
    const struct cba_secret *secret = cba_check_secret(L, 1);
    cba_entry_name(secret, context, context_length, name);
    lua_pushstring(L, name);
    return 1;
}

/* random() -> a number in [0, 1) */
static int seal_random(lua_State *L) {
    lua_pushnumber(L, cba_random());
    return 1;
}

void cba_open_seal(lua_State *L) {
    static const luaL_Reg functions[] = {
        {"seal", seal_seal},
        {"unseal", seal_unseal},
        {"entry_name", seal_entry_name},
        {"random", seal_random},
        {NULL, NULL},
    };
    cba_newtype(L, plaintext_type, plaintext_close, NULL, NULL);
    cba_setfuncs(L, functions);
}
