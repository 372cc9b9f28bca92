/* spec.process: what specs need of the system and no Lua module offers for all five Luas. */
#include <errno.h>
#include <grp.h>
#include <lauxlib.h>
#include <lua.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* fork(child) -> pid. Runs `child` in a new process, which then ends without any clean-up: 0 when
 * it returned true, 1 when not, 2 when it raised. */
static int process_fork(lua_State *L) {
    luaL_checktype(L, 1, LUA_TFUNCTION);
    pid_t pid = fork();
    if (pid < 0) {
        return luaL_error(L, "fork: %s", strerror(errno));
    }
    if (pid == 0) {
        lua_settop(L, 1);
        if (lua_pcall(L, 0, 1, 0) != 0) {
            const char *why = lua_tostring(L, -1);
            if (why == NULL || write(STDERR_FILENO, why, strlen(why)) < 0) {
                _exit(3);
            }
            _exit(2);
        }
        _exit(lua_toboolean(L, -1) ? 0 : 1);
    }
    lua_pushinteger(L, pid);
    return 1;
}

/* wait(pid) -> exit status, or minus the number of the signal that ended it */
static int process_wait(lua_State *L) {
    int status = 0;
    pid_t pid = (pid_t)luaL_checkinteger(L, 1);
    while (waitpid(pid, &status, 0) < 0) {
        if (errno != EINTR) {
            return luaL_error(L, "waitpid: %s", strerror(errno));
        }
    }
    lua_pushinteger(L, WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status));
    return 1;
}

/* kill(pid, signal) */
static int process_kill(lua_State *L) {
    if (kill((pid_t)luaL_checkinteger(L, 1), (int)luaL_checkinteger(L, 2)) != 0) {
        return luaL_error(L, "kill: %s", strerror(errno));
    }
    return 0;
}

static int process_pid(lua_State *L) {
    lua_pushinteger(L, getpid());
    return 1;
}

/* setenv(name, value | nil) */
static int process_setenv(lua_State *L) {
    const char *name = luaL_checkstring(L, 1);
    const char *value = luaL_optstring(L, 2, NULL);
    if ((value != NULL ? setenv(name, value, 1) : unsetenv(name)) != 0) {
        return luaL_error(L, "setenv: %s", strerror(errno));
    }
    return 0;
}

static int replace_limit(lua_State *L, int resource) {
    struct rlimit limit;
    if (getrlimit(resource, &limit) != 0) {
        return luaL_error(L, "getrlimit: %s", strerror(errno));
    }
    lua_pushinteger(L, (lua_Integer)limit.rlim_cur);
    limit.rlim_cur = (rlim_t)luaL_checkinteger(L, 1);
    if (setrlimit(resource, &limit) != 0) {
        return luaL_error(L, "setrlimit: %s", strerror(errno));
    }
    return 1;
}

/* limit_files(n) -> the limit until now on how many files are open */
static int process_limit_files(lua_State *L) {
    return replace_limit(L, RLIMIT_NOFILE);
}

/* limit_file_size(n) -> the limit until now, in bytes */
static int process_limit_file_size(lua_State *L) {
    return replace_limit(L, RLIMIT_FSIZE);
}

/* chmod(path, mode) */
static int process_chmod(lua_State *L) {
    if (chmod(luaL_checkstring(L, 1), (mode_t)luaL_checkinteger(L, 2)) != 0) {
        return luaL_error(L, "chmod: %s", strerror(errno));
    }
    return 0;
}

/* seteuid(uid) -> the one until now */
static int process_seteuid(lua_State *L) {
    lua_pushinteger(L, (lua_Integer)geteuid());
    if (seteuid((uid_t)luaL_checkinteger(L, 1)) != 0) {
        return luaL_error(L, "seteuid: %s", strerror(errno));
    }
    return 1;
}

/* umask(mode) -> the one until now */
static int process_umask(lua_State *L) {
    lua_pushinteger(L, umask((mode_t)luaL_checkinteger(L, 1)));
    return 1;
}

/* become(uid): another user, whose group has the same number; there is no way back */
static int process_become(lua_State *L) {
    unsigned id = (unsigned)luaL_checkinteger(L, 1);
    if (setgroups(0, NULL) != 0 || setgid((gid_t)id) != 0 || setuid((uid_t)id) != 0) {
        return luaL_error(L, "setuid: %s", strerror(errno));
    }
    return 0;
}

__attribute__((visibility("default"))) int luaopen_spec_process(lua_State *L);

int luaopen_spec_process(lua_State *L) {
    static const struct {
        const char *name;
        lua_CFunction function;
    } functions[] = {
        {"fork", process_fork},       {"wait", process_wait},
        {"kill", process_kill},       {"pid", process_pid},
        {"setenv", process_setenv},   {"limit_files", process_limit_files},
        {"chmod", process_chmod},     {"umask", process_umask},
        {"become", process_become},   {"limit_file_size", process_limit_file_size},
        {"seteuid", process_seteuid},
    };
    lua_newtable(L);
    for (size_t i = 0; i < sizeof functions / sizeof *functions; i++) {
        lua_pushcfunction(L, functions[i].function);
        lua_setfield(L, -2, functions[i].name);
    }
    return 1;
}
