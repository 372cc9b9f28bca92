/* corebank.auth and torture.lua as bytecode. Parsing is Lua's own code and would be most of a cold
 * start's allocations; this way a cold start is what our modules do when they are loaded. */
#ifndef CBA_MODULES_H
#define CBA_MODULES_H

#include <lua.h>
#include <stdbool.h>

/* Compiles every module that torture.lua comes to require; false, with a message, when one fails.
 */
bool modules_compile(void);

/* Offers the core and all that was compiled to this state's require. */
void modules_preload(lua_State *L);

void modules_free(void);

#endif
