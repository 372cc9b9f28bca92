/* The functions that the bindings have for core.c and for each other. Each cba_open_* adds the
 * functions of its binding to the table on top of the stack. */
#ifndef CBA_LUA_BINDINGS_H
#define CBA_LUA_BINDINGS_H

#include <lauxlib.h>
#include <stdbool.h>

#include "secret/secret.h"

#define CBA_EXPORT __attribute__((visibility("default")))

/* What Lua calls to open the module: loader.c's calls core.c's. */
CBA_EXPORT int luaopen_corebank_auth_core(lua_State *L);

struct cba_endpoint;
struct cba_engine;
struct cba_failure;
struct cba_header_lines;
struct cba_invisible;

void cba_open_clock(lua_State *L);
void cba_open_decode(lua_State *L);
void cba_open_encode(lua_State *L);
void cba_open_endpoint(lua_State *L);
void cba_open_engine(lua_State *L);
void cba_open_header_lines(lua_State *L);
void cba_open_inspect(lua_State *L);
void cba_open_libraries(lua_State *L);
void cba_open_private_file(lua_State *L);
void cba_open_process(lua_State *L);
void cba_open_seal(lua_State *L);
void cba_open_secret(lua_State *L);
void cba_open_store(lua_State *L);
void cba_open_terminal(lua_State *L);
void cba_open_text(lua_State *L);
void cba_open_transfer(lua_State *L);
void cba_open_url(lua_State *L);
void cba_open_window(lua_State *L);

/* Raises in a finalizer of a closing state: Lua 5.1 never frees what is made there. */
void cba_check_state(lua_State *L);

/* The secret at stack index `index`; raises when it is none or closed. Valid until Lua allocates:
 * a finalizer that the collector then runs may close it. So it is asked for last, and so is
 * cba_secret_field. */
struct cba_secret *cba_check_secret(lua_State *L, int index);

/* The same; NULL for another value. */
struct cba_secret *cba_test_secret(lua_State *L, int index);

/* Pushes an empty secret. */
struct cba_secret *cba_push_secret(lua_State *L);

/* Returns `secret`, which is on top of the stack, or pushes nil and the reason. A status that is
 * not about a secret's bytes needs no secret. */
int cba_secret_outcome(lua_State *L, const struct cba_secret *secret, enum cba_secret_status status,
                       int system_error);

/* Pushes nil and what was found at the ends. */
int cba_refuse_ends(lua_State *L, const struct cba_invisible *ends);

/* Pushes the metatable of arrays, which tells [] from {}. */
void cba_push_array_mark(lua_State *L);

enum { CBA_LINES_MAX = 32 }; /* in a list of header lines */

/* A field of a table, or NULL; of a list of lines as many as there is room for, and NULL. The table
 * keeps it alive; for the secret see cba_check_secret. */
const char *cba_string_field(lua_State *L, int table, const char *name);
const struct cba_secret *cba_secret_field(lua_State *L, int table, const char *name);
void cba_lines_field(lua_State *L, int table, const char *name,
                     const char *lines[CBA_LINES_MAX + 1]);

/* Seconds as libcurl takes a time limit. */
long cba_milliseconds(double seconds);

/* Sets a field of the table on top of the stack; not to an empty string or a negative number. */
void cba_set_string(lua_State *L, const char *name, const char *value);
void cba_set_number(lua_State *L, const char *name, double value);
void cba_set_flag(lua_State *L, const char *name, bool value);

/* This state's engine, which is made when there is none. */
struct cba_engine *cba_get_engine(lua_State *L);

/* The endpoint at stack index `index`; raises when it is none or closed. */
struct cba_endpoint *cba_check_endpoint(lua_State *L, int index);

/* An endpoint is about to be closed: the engine, if there is one, keeps nothing for it. */
void cba_forget_endpoint(lua_State *L, const struct cba_endpoint *endpoint);

/* Raises what is not the network's doing: out of memory, an option that libcurl lacks. */
void cba_raise_own_failure(lua_State *L, const struct cba_failure *failure);

/* Does that too, and sets what is known of another failure, if it is one: failure, tlsFault, step,
 * limit, atProxy, detail. */
void cba_set_failure(lua_State *L, const struct cba_failure *failure);

static inline int cba_nomemory(lua_State *L) {
    return luaL_error(L, "not enough memory");
}

/* Pushes nil and the reason. */
static inline int cba_refuse(lua_State *L, const char *reason) {
    lua_pushnil(L);
    lua_pushstring(L, reason);
    return 2;
}

/* Room on the stack for one more level of nesting. luaL_checkstack would take a want of memory for
 * an overflow. */
static inline void cba_need_stack(lua_State *L) {
    if (!lua_checkstack(L, LUA_MINSTACK)) {
        cba_nomemory(L);
    }
}

/* Pushes an object with a copy of the lines. */
void cba_push_header_lines(lua_State *L, const struct cba_header_lines *lines);

#endif
