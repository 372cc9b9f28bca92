/* What a script says of a request, read for a transfer. */
#ifndef CBA_LUA_REQUEST_H
#define CBA_LUA_REQUEST_H

#include "http/transfer.h"
#include "lua/bindings.h"

enum { CBA_REFUSAL_SHOWN = 4096 }; /* bytes of a body that refuses a token */

/* The list of header lines that a request refers to. */
struct cba_request_lines {
    const char *list[CBA_LINES_MAX + 1];
};

/* Reads all but the body of the table at `index`, which keeps the strings alive; raises when
 * something is wrong. */
void cba_read_request(lua_State *L, int index, struct cba_request *request,
                      struct cba_request_lines *lines);

/* Writes the body into memory of the transfer. Asks for the secret last: see cba_check_secret. */
void cba_write_body(lua_State *L, int index, struct cba_transfer *transfer,
                    struct cba_request *request);

#endif
