/* Reads a request for transfer.c, and checks it: a method, URL or header line with a control
 * character would end its line early, and begin another one. */
#include "lua/request.h"

#include <string.h>

#include "http/url.h"
#include "text/ascii.h"
#include "json/credentials.h"

enum { ANSWER_LIMIT = 1 << 30 }; /* that a request may say */

static double number_field(lua_State *L, int index, const char *name, double otherwise) {
    lua_getfield(L, index, name);
    double value = luaL_optnumber(L, -1, otherwise);
    lua_pop(L, 1);
    return value;
}

static bool flag_field(lua_State *L, int index, const char *name) {
    lua_getfield(L, index, name);
    bool value = lua_toboolean(L, -1);
    lua_pop(L, 1);
    return value;
}

/*   url        absolute
 *   method     default "GET"
 *   headers    a list of lines, "Name: value" or "Name;", beside the endpoint's; in place of those
 *              of the same name
 *   body       a string; or
 *   clientId, clientSecret   in its place, the JSON that asks the bank for a token is the body, and
 *              of an answer that refuses one 4 KiB are kept
 *   maxBytes   of the answer's body; default 64 KiB. A longer one of a 2xx is a failure
 *              ("too_large"), of another status it is cut off
 *   decode     true: asks for encodings that libcurl knows, and decodes the body. `maxBytes` counts
 *              what comes of it
 *   http2      true: HTTP/2 where this libcurl and the server have it. With once, stream or upload
 *              it is HTTP/1.1 all the same
 *   once       true: libcurl does not send it again when a kept connection turns out to be dead
 *   keepHeaders   true: the transfer's headers() has all lines of the answer
 *   stream     true: the body of a 2xx is taken in pieces, and `maxBytes` counts for others
 *   upload     true: the body is given in pieces
 *   size       of an upload, in bytes; absent: as long as it gets (chunked)
 *   idle       with stream or upload, the seconds in which no byte of a body moves; limits.h has
 *              the rule, and what the transfer's `seconds` are then */
void cba_read_request(lua_State *L, int index, struct cba_request *request,
                      struct cba_request_lines *lines) {
    static const double largest = 9007199254740991.0; /* 2^53 - 1 */
    memset(request, 0, sizeof *request);
    request->url = cba_string_field(L, index, "url");
    luaL_argcheck(L, request->url != NULL, index, "url is missing");
    luaL_argcheck(L, cba_url_is_clean(request->url), index, "url has white space in it");
    request->method = cba_string_field(L, index, "method");
    if (request->method == NULL) {
        request->method = "GET";
    }
    luaL_argcheck(L, cba_ascii_is_token(request->method, strlen(request->method)), index,
                  "method is no token");
    cba_lines_field(L, index, "headers", lines->list);
    request->headers = lines->list;
    double max_bytes = number_field(L, index, "maxBytes", CBA_ANSWER_BODY_MAX);
    luaL_argcheck(L, max_bytes >= 0 && max_bytes <= ANSWER_LIMIT, index, "maxBytes");
    request->answer_max = request->refusal_max = (size_t)max_bytes;
    request->decode = flag_field(L, index, "decode");
    request->http2 = flag_field(L, index, "http2");
    request->once = flag_field(L, index, "once");
    request->keep_headers = flag_field(L, index, "keepHeaders");
    request->stream = flag_field(L, index, "stream");
    request->upload = flag_field(L, index, "upload");
    double size = number_field(L, index, "size", CBA_SIZE_UNKNOWN);
    luaL_argcheck(L, size >= CBA_SIZE_UNKNOWN && size <= largest, index, "size");
    request->size = (long long)size;
    if (request->stream || request->upload) {
        request->idle = number_field(L, index, "idle", 0);
        luaL_argcheck(L, request->idle >= 0, index, "idle");
    }
}

/* Writes the JSON of credentials into memory of the transfer, with no copy in between. */
static void write_credentials(lua_State *L, int index, struct cba_transfer *transfer,
                              const char *id, struct cba_request *request) {
    char *body = cba_transfer_make_body(transfer, CBA_JSON_CREDENTIALS_MAX);
    /* Last: see cba_check_secret. */
    size_t length;
    const struct cba_secret *secret = cba_secret_field(L, index, "clientSecret");
    luaL_argcheck(L, secret != NULL, index, "credentials are missing or closed");
    if (body == NULL) {
        cba_nomemory(L);
        return;
    }
    request->body = body;
    request->body_length = cba_json_write_credentials(body, CBA_JSON_CREDENTIALS_MAX, id,
                                                      cba_secret_bytes(secret, &length));
    if (request->body_length == 0) {
        luaL_error(L, "the credentials do not fit into a request");
    }
}

/* Copies a string, which may be a secret too, into memory of the transfer. */
static void copy_body(lua_State *L, int index, struct cba_transfer *transfer,
                      struct cba_request *request) {
    lua_getfield(L, index, "body");
    const char *body = luaL_optlstring(L, -1, NULL, &request->body_length);
    if (body != NULL) {
        char *copy = cba_transfer_make_body(transfer, request->body_length);
        if (copy == NULL) {
            cba_nomemory(L);
            return;
        }
        request->body = memcpy(copy, body, request->body_length);
    }
    lua_pop(L, 1);
}

void cba_write_body(lua_State *L, int index, struct cba_transfer *transfer,
                    struct cba_request *request) {
    const char *id = cba_string_field(L, index, "clientId");
    if (id != NULL) {
        request->refusal_max = CBA_REFUSAL_SHOWN;
        write_credentials(L, index, transfer, id, request);
    } else {
        copy_body(L, index, transfer, request);
    }
}
