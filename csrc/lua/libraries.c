/* Binding: the loaded libraries, their versions and features, and whether they are recent enough.
 */
#include <stdlib.h>

#include "http/libcurl.h"
#include "http/request.h"
#include "lua/bindings.h"
#include "lua/compat.h"
#include "secret/secret.h"
#include "json/reply.h"

enum { NUMBERS_OF_A_VERSION = 3 };

/* "7.79.1" is below "7.80.0". What follows the numbers, as in "8.1.0-DEV", does not count. */
static bool version_is_below(const char *found, const char *least) {
    for (int i = 0; i < NUMBERS_OF_A_VERSION; i++) {
        char *after_found, *after_least;
        unsigned long one = strtoul(found, &after_found, 10);
        unsigned long other = strtoul(least, &after_least, 10);
        if (one != other) {
            return one < other;
        }
        found = after_found + (*after_found == '.');
        least = after_least + (*after_least == '.');
    }
    return false;
}

/* Symbols are bound late: an older library would end the process at the first call that it lacks.
 */
static void check_library(lua_State *L, const char *name, const char *found, const char *least) {
    if (version_is_below(found, least)) {
        luaL_error(L, "corebank-auth needs %s %s or later, and %s is what the system loads", name,
                   least, found);
    }
}

static void check_libraries(lua_State *L) {
    check_library(L, "libcurl", cba_libcurl_number(), cba_libcurl_least());
    check_library(L, "cJSON", cba_json_library(), CBA_CJSON_LEAST);
    check_library(L, "libsodium", cba_secret_library(), CBA_SODIUM_LEAST);
    if (cba_libcurl_mixes_openssl()) {
        luaL_error(L,
                   "this program has another OpenSSL in it than libcurl was built for, and the "
                   "two do not work together; use a build of corebank-auth with libcurl's GnuTLS "
                   "variant, or a program that is linked to the system's OpenSSL");
    }
}

/* libraries() -> "libcurl/7.88.1 OpenSSL/3.0.15 …", cJSON's version, libsodium's version */
static int libraries(lua_State *L) {
    lua_pushstring(L, cba_libcurl_version());
    lua_pushstring(L, cba_json_library());
    lua_pushstring(L, cba_secret_library());
    return 3;
}

/* resolves_aside() -> whether names are looked up in the background */
static int resolves_aside(lua_State *L) {
    lua_pushboolean(L, cba_libcurl_resolves_aside());
    return 1;
}

/* has_http2() -> whether requests can use HTTP/2 */
static int has_http2(lua_State *L) {
    lua_pushboolean(L, cba_request_can_http2());
    return 1;
}

/* libcurl_is_started() -> whether libcurl has been initialised by us */
static int libcurl_is_started(lua_State *L) {
    lua_pushboolean(L, cba_libcurl_is_started());
    return 1;
}

void cba_open_libraries(lua_State *L) {
    static const luaL_Reg functions[] = {
        {"libraries", libraries},
        {"resolves_aside", resolves_aside},
        {"has_http2", has_http2},
        {"libcurl_is_started", libcurl_is_started},
        {NULL, NULL},
    };
    check_libraries(L);
    cba_setfuncs(L, functions);
}
