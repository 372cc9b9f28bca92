/* What the torture test does inside a Lua state: calls torture.lua, and judges what came of it. */
#include <lauxlib.h>
#include <lualib.h>
#include <string.h>

#include "modules.h"
#include "torture.h"

/* Leaves the driver, the module `torture`, on the stack. */
static void require_driver(lua_State *L) {
    lua_getglobal(L, "require");
    lua_pushliteral(L, "torture");
    lua_call(L, 1, 1);
}

static void prepare(lua_State *L) {
    luaL_openlibs(L);
    modules_preload(L);
    require_driver(L);
    lua_settop(L, 0);
}

/* Protected. Argument: the run; at depth COLD all of the preparation comes first. */
int attempt(lua_State *L) {
    struct run *run = lua_touserdata(L, 1);
    if (!run->prepared) {
        prepare(L);
        run->prepared = true;
    }
    lua_settop(L, 0);
    require_driver(L);
    lua_getfield(L, -1, "call");
    lua_pushstring(L, run->scenario->name);
    lua_pushstring(L, torture.url);
    lua_pushstring(L, torture.secret_file);
    lua_pushboolean(L, run->depth >= AGAIN);
    lua_call(L, 4, 3);
    return 3;
}

/* Protected. Arguments: the run, whether it starved, and the call's three results. */
static int judge(lua_State *L) {
    struct run *run = lua_touserdata(L, 1);
    require_driver(L);
    lua_getfield(L, -1, "judge");
    lua_replace(L, -2);
    lua_insert(L, 2);
    lua_pushstring(L, run->scenario->name);
    lua_insert(L, 3);
    lua_call(L, 5, 1);
    return 1;
}

static void judge_results(lua_State *L, struct run *run, bool starved) {
    lua_pushcfunction(L, judge);
    lua_insert(L, 1);
    lua_pushlightuserdata(L, run);
    lua_insert(L, 2);
    lua_pushboolean(L, starved);
    lua_insert(L, 3);
    lua_pcall(L, 5, 1, 0);
    if (!lua_isnil(L, -1)) {
        violation(run, lua_tostring(L, -1));
    }
}

static void judge_error(lua_State *L, const struct run *run, bool starved) {
    const char *message = lua_tostring(L, -1);
    if (message == NULL) {
        violation(run, "an error that is no string");
    } else if (!starved || strstr(message, "not enough memory") == NULL ||
               strstr(message, "canary") != NULL) {
        violation(run, message);
    }
}

/* Protected. Argument: the run. */
int only_prepare(lua_State *L) {
    struct run *run = lua_touserdata(L, 1);
    prepare(L);
    run->prepared = true;
    return 0;
}

void judge_outcome(lua_State *L, struct run *run, int status, bool starved) {
    if (status == 0) {
        judge_results(L, run, starved);
    } else {
        judge_error(L, run, starved);
    }
    lua_settop(L, 0);
}

int timed_call(lua_State *L, int results) {
    double started = now();
    int status = lua_pcall(L, 1, results, 0);
    double seconds = now() - started;
    torture.calls++;
    torture.longest_call = seconds > torture.longest_call ? seconds : torture.longest_call;
    return status;
}

void push_call(lua_State *L, lua_CFunction function, struct run *run) {
    lua_pushcfunction(L, function);
    lua_pushlightuserdata(L, run);
}

void healthy_call(lua_State *L, struct run *run) {
    push_call(L, attempt, run);
    judge_outcome(L, run, timed_call(L, 3), false);
}
