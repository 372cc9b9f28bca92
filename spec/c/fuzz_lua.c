/* Any bytes for a driver in Lua: CBA_DRIVER.lua makes options or JSON of them, and compares what
 * becomes of that with what is promised. Here are the bytes, a Lua state and the counting of what
 * is left behind. */
#include <arpa/inet.h>
#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "faults.h"

enum { RUNS_BETWEEN_COUNTS = 512 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int luaopen_corebank_auth_core(lua_State *L);

static void stop_if(int status, lua_State *L) {
    if (status != 0) {
        fprintf(stderr, CBA_DRIVER ": %s\n", lua_tostring(L, -1));
        abort();
    }
}

/* A port where connections wait for ever to be accepted. */
static int silent_port(void) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct sockaddr *any = (struct sockaddr *)&address;
    socklen_t length = sizeof address;
    static int server; /* as long as the process */
    server = socket(AF_INET, SOCK_STREAM, 0);
    if (bind(server, any, length) != 0 || listen(server, 1) != 0 ||
        getsockname(server, any, &length) != 0) {
        abort();
    }
    return ntohs(address.sin_port);
}

/* Leaves the function that takes the bytes on the stack. */
static lua_State *open_state(void) {
    if (!faults_install()) {
        abort();
    }
    lua_State *L = luaL_newstate();
    if (L == NULL) {
        abort();
    }
    luaL_openlibs(L);
    lua_getglobal(L, "package");
    lua_getfield(L, -1, "preload");
    lua_pushcfunction(L, luaopen_corebank_auth_core);
    lua_setfield(L, -2, "corebank.auth.core");
    lua_pushliteral(L, CBA_LUA_DIR "/?.lua");
    lua_setfield(L, -3, "path");
    lua_settop(L, 0);
    stop_if(luaL_loadfile(L, CBA_SPEC_DIR "/" CBA_DRIVER ".lua"), L);
    lua_pushinteger(L, silent_port());
    stop_if(lua_pcall(L, 1, 1, 0), L);
    return L;
}

/* What the module holds when nothing is in use must not grow. */
static void count_live(lua_State *L) {
    static long before[FAULT_FAMILIES];
    static const enum fault_family counted[] = {FAULT_CJSON, FAULT_CURL, FAULT_OWN, FAULT_GUARDED};
    lua_gc(L, LUA_GCCOLLECT, 0);
    lua_gc(L, LUA_GCCOLLECT, 0);
    for (size_t i = 0; i < sizeof counted / sizeof *counted; i++) {
        long live = faults_live(counted[i]);
        if (before[counted[i]] != 0 && live > before[counted[i]]) {
            fprintf(stderr, CBA_DRIVER ": %ld live blocks of family %d, %ld before\n", live,
                    (int)counted[i], before[counted[i]]);
            abort();
        }
        before[counted[i]] = live;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static lua_State *L;
    static unsigned runs;
    if (L == NULL) {
        L = open_state();
    }
    lua_pushvalue(L, 1);
    lua_pushlstring(L, (const char *)data, size);
    stop_if(lua_pcall(L, 1, 0, 0), L);
    if (++runs % RUNS_BETWEEN_COUNTS == 0) {
        count_live(L);
    }
    return 0;
}
