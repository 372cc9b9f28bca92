/* Clocks, randomness, checks, URLs and versions: functions without state. */
#include <stdlib.h>
#include <unistd.h>

#include "http/libcurl.h"
#include "http/url.h"
#include "lua/bindings.h"
#include "lua/compat.h"
#include "secret/secret.h"
#include "system/clock.h"
#include "text/utf8.h"
#include "json/json.h"

/* boot() -> seconds on a clock that nobody sets and that runs while the machine sleeps */
static int system_boot(lua_State *L) {
    lua_pushnumber(L, cba_clock_boot());
    return 1;
}

/* wall() -> seconds since the epoch */
static int system_wall(lua_State *L) {
    lua_pushnumber(L, cba_clock_wall());
    return 1;
}

/* steady() -> seconds on the cheapest clock that only goes forward */
static int system_steady(lua_State *L) {
    lua_pushnumber(L, cba_clock_steady());
    return 1;
}

/* before(steady, wall) -> whether both moments lie ahead, each on its clock. What is no number does
 * not: every request asks, and a complaint would cost more than the answer. */
static int system_before(lua_State *L) {
    lua_pushboolean(L, cba_clock_before(lua_tonumber(L, 1), lua_tonumber(L, 2)));
    return 1;
}

/* session() -> the name of what boot() counts from, or nil */
static int system_session(lua_State *L) {
    char name[CBA_SESSION_SIZE];
    lua_pushstring(L, cba_clock_session(name) ? name : NULL);
    return 1;
}

/* pid() -> this process's number */
static int system_pid(lua_State *L) {
    cba_pushwhole(L, (double)getpid());
    return 1;
}

/* before_address() -> where the C function behind `before` is, for an FFI */
static int system_before_address(lua_State *L) {
    bool (*function)(double, double) = cba_clock_before;
    lua_pushlightuserdata(L, *(void **)&function); /* as dlsym(3) has it for ISO C */
    return 1;
}

/* sleep(seconds). Returns early on a signal. */
static int system_sleep(lua_State *L) {
    cba_clock_sleep(luaL_checknumber(L, 1));
    return 0;
}

/* random() -> a number in [0, 1) */
static int system_random(lua_State *L) {
    lua_pushnumber(L, cba_random());
    return 1;
}

/* characters(text) -> how many characters, or nil when it is not valid UTF-8 */
static int system_characters(lua_State *L) {
    size_t length;
    const char *text = luaL_checklstring(L, 1, &length);
    long count = cba_utf8_count(text, length);
    if (count < 0) {
        lua_pushnil(L);
    } else {
        lua_pushnumber(L, (lua_Number)count);
    }
    return 1;
}

static void set_text(lua_State *L, const char *name, const char *value) {
    lua_pushstring(L, value);
    lua_setfield(L, -2, name);
}

static void set_flag(lua_State *L, const char *name, int value) {
    lua_pushboolean(L, value);
    lua_setfield(L, -2, name);
}

/* url(text [, base]) -> {text=, scheme=, host=, port=, hasUser=, hasQuery=, hasFragment=},
 * or nil when it is no URL. With `base`, `text` is a reference to be resolved against it. */
static int system_url(lua_State *L) {
    struct cba_url url;
    const char *text = luaL_checkstring(L, 1);
    const char *base = luaL_optstring(L, 2, NULL);
    switch (cba_url_read(text, base, &url)) {
        case CBA_URL_OK:
            break;
        case CBA_URL_NO_MEMORY:
            return cba_nomemory(L);
        case CBA_URL_BAD:
            lua_pushnil(L);
            return 1;
    }
    lua_createtable(L, 0, 7);
    set_text(L, "text", url.text);
    set_text(L, "scheme", url.scheme);
    set_text(L, "host", url.host);
    set_text(L, "port", url.port);
    set_flag(L, "hasUser", url.has_user);
    set_flag(L, "hasQuery", url.has_query);
    set_flag(L, "hasFragment", url.has_fragment);
    return 1;
}

/* libraries() -> "libcurl/7.88.1 OpenSSL/3.0.15 …", cJSON's version, libsodium's version */
static int system_libraries(lua_State *L) {
    lua_pushstring(L, cba_libcurl_version());
    lua_pushstring(L, cba_json_library());
    lua_pushstring(L, cba_secret_library());
    return 3;
}

/* ---- libraries that are too old ------------------------------------------------------------- */

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

/* What lacks a function of ours would end the whole process where that is called first. */
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

/* resolves_aside() -> whether looking a name up makes nobody wait */
static int system_resolves_aside(lua_State *L) {
    lua_pushboolean(L, cba_libcurl_resolves_aside());
    return 1;
}

void cba_open_system(lua_State *L) {
    static const luaL_Reg functions[] = {
        {"boot", system_boot},
        {"wall", system_wall},
        {"steady", system_steady},
        {"before", system_before},
        {"before_address", system_before_address},
        {"session", system_session},
        {"pid", system_pid},
        {"sleep", system_sleep},
        {"random", system_random},
        {"characters", system_characters},
        {"url", system_url},
        {"libraries", system_libraries},
        {"resolves_aside", system_resolves_aside},
        {NULL, NULL},
    };
    check_libraries(L);
    cba_setfuncs(L, functions);
}
