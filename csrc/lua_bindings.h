/* What the parts of the core module offer core.c and each other. Each cba_open_* adds its functions
 * to the table on top of the stack. */
#ifndef CBA_LUA_BINDINGS_H
#define CBA_LUA_BINDINGS_H

#include <lua.h>

struct cba_secret;

void cba_open_folder(lua_State *L);
void cba_open_secret(lua_State *L);
void cba_open_seal(lua_State *L);
void cba_open_transfer(lua_State *L);
void cba_open_system(lua_State *L);

/* The secret at stack index `index`; raises when it is none or closed. */
struct cba_secret *cba_check_secret(lua_State *L, int index);

/* The same for a value that need not be a secret: NULL then. */
struct cba_secret *cba_test_secret(lua_State *L, int index);

#endif
