/* Binding: entries and leases in a folder, for the file store. Each call opens the folder by its
 * path and checks the folder again. Only a lease is kept open between calls. */
#include <stdlib.h>
#include <string.h>

#include "lua/bindings.h"
#include "lua/object.h"
#include "store/entry.h"
#include "store/folder.h"
#include "store/lease.h"

static const char bytes_type[] = "corebank.auth.bytes";
static const char lease_type[] = "corebank.auth.lease";

static void check_folder(lua_State *L, int index, struct cba_folder *folder) {
    size_t length;
    folder->path = luaL_checklstring(L, index, &length);
    folder->fault[0] = '\0';
    luaL_argcheck(L,
                  length < CBA_FOLDER_MAX_PATH && length > 1 && length == strlen(folder->path) &&
                      folder->path[0] == '/' && folder->path[length - 1] != '/',
                  index, "not an absolute path of a folder");
}

static const char *check_name(lua_State *L, int index) {
    size_t length;
    const char *name = luaL_checklstring(L, index, &length);
    luaL_argcheck(L, length == strlen(name) && cba_folder_is_name(name), index,
                  "not a name of up to 80 digits, small letters and dashes");
    return name;
}

/* Pushes the remark that goes with DONE, if there is one. */
static int push_remark(lua_State *L, const struct cba_folder *folder) {
    if (folder->fault[0] == '\0') {
        return 0;
    }
    lua_pushstring(L, folder->fault);
    return 1;
}

/* What a function without another result returns. */
static int push_status(lua_State *L, const struct cba_folder *folder,
                       enum cba_folder_status status) {
    switch (status) {
        case CBA_FOLDER_DONE:
            lua_pushboolean(L, 1);
            return 1 + push_remark(L, folder);
        case CBA_FOLDER_NOTHING:
            lua_pushboolean(L, 0);
            return 1;
        case CBA_FOLDER_FAULT:
            break;
        case CBA_FOLDER_NO_MEMORY:
            return cba_nomemory(L);
    }
    lua_pushnil(L);
    lua_pushstring(L, folder->fault);
    return 2;
}

/* ---- entries -------------------------------------------------------------------------------- */

static int bytes_free(lua_State *L) {
    void **slot = cba_object(L, 1);
    void *bytes = *slot;
    *slot = NULL;
    free(bytes);
    return 0;
}

/* entry_get(folder, name) -> bytes | nil | nil, fault */
static int entry_get(lua_State *L) {
    struct cba_folder folder;
    size_t length = 0;
    check_folder(L, 1, &folder);
    const char *name = check_name(L, 2);
    char **slot = cba_newslot(L, bytes_type);
    enum cba_folder_status status = cba_entry_get(&folder, name, slot, &length);
    if (status == CBA_FOLDER_NOTHING) {
        lua_pushnil(L);
        return 1;
    }
    if (status != CBA_FOLDER_DONE) {
        return push_status(L, &folder, status);
    }
    lua_pushlstring(L, *slot, length);
    free(*slot);
    *slot = NULL;
    return 1;
}

/* entry_put(folder, name, bytes) -> true | true, fault | nil, fault */
static int entry_put(lua_State *L) {
    struct cba_folder folder;
    size_t length;
    check_folder(L, 1, &folder);
    const char *name = check_name(L, 2);
    const char *bytes = luaL_checklstring(L, 3, &length);
    return push_status(L, &folder, cba_entry_put(&folder, name, bytes, length));
}

/* entry_delete(folder, name) -> true | nil, fault */
static int entry_delete(lua_State *L) {
    struct cba_folder folder;
    check_folder(L, 1, &folder);
    const char *name = check_name(L, 2);
    return push_status(L, &folder, cba_entry_delete(&folder, name));
}

/* ---- leases --------------------------------------------------------------------------------- */

static struct cba_lease *push_lease(lua_State *L) {
    struct cba_lease *lease = cba_newobject(L, lease_type, sizeof *lease);
    lease->descriptor = -1;
    return lease;
}

static const char *check_owner(lua_State *L, int index) {
    size_t length;
    const char *owner = luaL_checklstring(L, index, &length);
    luaL_argcheck(L, length > 0 && length <= CBA_LEASE_MAX_OWNER, index,
                  "an owner is a word of at most 80 bytes");
    for (size_t i = 0; i < length; i++) {
        luaL_argcheck(L, owner[i] > ' ' && owner[i] < '\x7f', index, "an owner is printable");
    }
    return owner;
}

/* The arguments name, owner, now, seconds and patient, from `index` on. */
static void check_wish(lua_State *L, int index, struct cba_lease_wish *wish) {
    wish->name = check_name(L, index);
    wish->owner = check_owner(L, index + 1);
    wish->now = luaL_checknumber(L, index + 2);
    wish->ends = wish->now + luaL_checknumber(L, index + 3);
    wish->patient = lua_toboolean(L, index + 4);
}

/* lease(folder, name, owner, now, seconds [, patient]) ->
 * lease | lease, fault | false | nil, fault */
static int lease_take(lua_State *L) {
    struct cba_folder folder;
    struct cba_lease_wish wish;
    check_folder(L, 1, &folder);
    check_wish(L, 2, &wish);
    struct cba_lease *lease = push_lease(L);
    enum cba_folder_status status = cba_lease_take(lease, &folder, &wish);
    return status == CBA_FOLDER_DONE ? 1 + push_remark(L, &folder)
                                     : push_status(L, &folder, status);
}

/* lease:renew(folder, name, owner, now, seconds) -> boolean | nil, fault */
static int lease_renew(lua_State *L) {
    struct cba_folder folder;
    struct cba_lease_wish wish;
    struct cba_lease *lease = cba_check(L, 1, lease_type);
    check_folder(L, 2, &folder);
    check_wish(L, 3, &wish);
    return push_status(L, &folder, cba_lease_renew(lease, &folder, &wish));
}

/* lease:release() */
static int lease_release(lua_State *L) {
    cba_lease_release(cba_check(L, 1, lease_type));
    return 0;
}

/* lease:close(): without giving it back; to others its owner has died. */
static int lease_close(lua_State *L) {
    cba_lease_close(cba_check(L, 1, lease_type));
    return 0;
}

void cba_open_store(lua_State *L) {
    static const luaL_Reg functions[] = {
        {"entry_get", entry_get},
        {"entry_put", entry_put},
        {"entry_delete", entry_delete},
        {"lease", lease_take},
        {NULL, NULL},
    };
    static const luaL_Reg methods[] = {
        {"renew", lease_renew},
        {"release", lease_release},
        {"close", lease_close},
        {NULL, NULL},
    };
    cba_newtype(L, bytes_type, bytes_free, NULL, NULL);
    cba_newtype(L, lease_type, lease_close, methods, NULL);
    cba_setfuncs(L, functions);
    lua_pushnumber(L, CBA_LEASE_LONGEST);
    lua_setfield(L, -2, "LONGEST_LEASE");
}
