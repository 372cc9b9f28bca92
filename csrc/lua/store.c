/* Binding: entries and leases in a folder, for the file store. Each call opens the folder by its
 * path and checks the folder again. Only a lease is kept open between calls. */
#include <string.h>

#include "lua/bindings.h"
#include "lua/object.h"
#include "store/entry.h"
#include "store/folder.h"
#include "store/lease.h"

static const char lease_type[] = "corebank.auth.lease";

/* The arguments folder and name, from `index` on. Returns the name. */
static const char *check_place(lua_State *L, int index, struct cba_folder *folder) {
    size_t length;
    folder->path = luaL_checklstring(L, index, &length);
    folder->fault[0] = '\0';
    luaL_argcheck(L,
                  length < CBA_FOLDER_MAX_PATH && length > 1 && length == strlen(folder->path) &&
                      folder->path[0] == '/' && folder->path[length - 1] != '/',
                  index, "not an absolute path of a folder");
    const char *name = luaL_checklstring(L, index + 1, &length);
    luaL_argcheck(L, length == strlen(name) && cba_folder_is_name(name), index + 1,
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
    if (status == CBA_FOLDER_FAULT) {
        return cba_refuse(L, folder->fault);
    }
    lua_pushboolean(L, status == CBA_FOLDER_DONE);
    return status == CBA_FOLDER_DONE ? 1 + push_remark(L, folder) : 1;
}

/* ---- entries -------------------------------------------------------------------------------- */

/* entry_get(folder, name) -> bytes | nil | nil, fault */
static int entry_get(lua_State *L) {
    struct cba_folder folder;
    size_t length = 0;
    const char *name = check_place(L, 1, &folder);
    char *bytes = lua_newuserdata(L, CBA_ENTRY_MAX_BYTES);
    enum cba_folder_status status = cba_entry_get(&folder, name, bytes, &length);
    if (status == CBA_FOLDER_NOTHING) {
        lua_pushnil(L);
        return 1;
    }
    if (status != CBA_FOLDER_DONE) {
        return push_status(L, &folder, status);
    }
    lua_pushlstring(L, bytes, length);
    return 1;
}

/* entry_put(folder, name, bytes) -> true | true, fault | nil, fault */
static int entry_put(lua_State *L) {
    struct cba_folder folder;
    size_t length;
    const char *name = check_place(L, 1, &folder);
    const char *bytes = luaL_checklstring(L, 3, &length);
    return push_status(L, &folder, cba_entry_put(&folder, name, bytes, length));
}

/* entry_delete(folder, name) -> true | nil, fault */
static int entry_delete(lua_State *L) {
    struct cba_folder folder;
    const char *name = check_place(L, 1, &folder);
    return push_status(L, &folder, cba_entry_delete(&folder, name));
}

/* ---- leases --------------------------------------------------------------------------------- */

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

/* The arguments folder, name, owner, now, seconds and patient, from `index` on. */
static void check_wish(lua_State *L, int index, struct cba_folder *folder,
                       struct cba_lease_wish *wish) {
    wish->name = check_place(L, index, folder);
    wish->owner = check_owner(L, index + 2);
    wish->now = luaL_checknumber(L, index + 3);
    wish->ends = wish->now + luaL_checknumber(L, index + 4);
    wish->patient = lua_toboolean(L, index + 5);
}

/* lease(folder, name, owner, now, seconds [, patient]) ->
 * lease | lease, fault | false | nil, fault */
static int lease_take(lua_State *L) {
    struct cba_folder folder;
    struct cba_lease_wish wish;
    check_wish(L, 1, &folder, &wish);
    struct cba_lease *lease = cba_newobject(L, lease_type, sizeof *lease);
    lease->descriptor = -1;
    enum cba_folder_status status = cba_lease_take(lease, &folder, &wish);
    return status == CBA_FOLDER_DONE ? 1 + push_remark(L, &folder)
                                     : push_status(L, &folder, status);
}

/* lease:renew(folder, name, owner, now, seconds) -> boolean | nil, fault */
static int lease_renew(lua_State *L) {
    struct cba_folder folder;
    struct cba_lease_wish wish;
    struct cba_lease *lease = cba_check(L, 1, lease_type);
    check_wish(L, 2, &folder, &wish);
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
    cba_newtype(L, lease_type, lease_close, methods, NULL);
    cba_setfuncs(L, functions);
    lua_pushnumber(L, CBA_LEASE_LONGEST);
    lua_setfield(L, -2, "LONGEST_LEASE");
}
