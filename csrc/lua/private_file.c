/* Binding: files by their names: the text of one that only its user may read, its mode, and when it
 * was changed. */
#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>

#include "lua/bindings.h"
#include "lua/compat.h"
#include "secret/private_file.h"
#include "secret/secret.h"

/* private_text(path, anyMode) -> what the file or pipe holds, at most 64 KiB | nil, reason */
static int private_text(lua_State *L) {
    enum { LONGEST = 64 * 1024 };
    struct cba_private_file file = {
        .path = luaL_checkstring(L, 1), .any_mode = lua_toboolean(L, 2), .stream = true};
    char *buffer = lua_newuserdata(L, LONGEST + 1);
    size_t length = 0;
    enum cba_secret_status status = cba_private_file_read(&file, buffer, LONGEST + 1, &length);
    if (status != CBA_SECRET_OK) {
        return cba_secret_outcome(L, NULL, status, errno);
    }
    if (length > LONGEST) {
        cba_wipe(buffer, length);
        return cba_refuse(L, "is larger than 64 KiB");
    }
    lua_pushlstring(L, buffer, length);
    cba_wipe(buffer, length);
    return 1;
}

/* file_mode(path) -> e.g. "0600", or nil */
static int file_mode(lua_State *L) {
    static const mode_t permissions = 07777;
    struct stat info;
    char text[16];
    if (stat(luaL_checkstring(L, 1), &info) != 0) {
        return 0;
    }
    (void)snprintf(text, sizeof text, "%04o", (unsigned)(info.st_mode & permissions));
    lua_pushstring(L, text);
    return 1;
}

/* file_stamp(path) -> size, time of the last change in epoch seconds; nothing when it has no size,
 * as a pipe */
static int file_stamp(lua_State *L) {
    static const double nanosecond = 1e-9;
    struct stat info;
    if (stat(luaL_checkstring(L, 1), &info) != 0 || !S_ISREG(info.st_mode)) {
        return 0;
    }
    cba_pushwhole(L, (double)info.st_size);
    lua_pushnumber(L, (double)info.st_mtim.tv_sec + nanosecond * (double)info.st_mtim.tv_nsec);
    return 2;
}

void cba_open_private_file(lua_State *L) {
    static const luaL_Reg functions[] = {
        {"private_text", private_text},
        {"file_mode", file_mode},
        {"file_stamp", file_stamp},
        {NULL, NULL},
    };
    cba_setfuncs(L, functions);
}
