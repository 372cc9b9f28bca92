/* Binding: transfers as userdata. Lua starts a transfer, runs it by step or wait, reads its result,
 * and closes it. */
#include <string.h>

#include "http/transfer.h"
#include "lua/bindings.h"
#include "lua/object.h"
#include "lua/request.h"
#include "secret/redact.h"
#include "secret/secret.h"
#include "json/reply.h"

static const char transfer_type[] = "corebank.auth.transfer";

/* ---- starting ------------------------------------------------------------------------------ */

enum { ENDPOINT = 1, REQUEST = 2, SECONDS = 3 };

/* transfer(endpoint, request, seconds) -> transfer, started. See request.c for `request`. */
static int transfer_new(lua_State *L) {
    struct cba_request request;
    struct cba_request_lines lines;
    luaL_checktype(L, REQUEST, LUA_TTABLE);
    long timeout_ms = cba_milliseconds(luaL_checknumber(L, SECONDS));
    cba_read_request(L, REQUEST, &request, &lines);
    struct cba_transfer **slot = cba_newslot(L, transfer_type);
    struct cba_engine *engine = cba_get_engine(L);
    /* Looked at last, as a secret is: a finalizer may close it. */
    struct cba_transfer *transfer = cba_transfer_new(engine, cba_check_endpoint(L, ENDPOINT));
    *slot = transfer;
    if (transfer == NULL) {
        return cba_nomemory(L);
    }
    cba_write_body(L, REQUEST, transfer, &request);
    cba_transfer_start(transfer, &request, timeout_ms);
    return 1;
}

/* ---- methods ------------------------------------------------------------------------------- */

static struct cba_transfer **check_open(lua_State *L) {
    struct cba_transfer **slot = cba_check(L, 1, transfer_type);
    luaL_argcheck(L, *slot != NULL, 1, "the transfer is closed");
    return slot;
}

static struct cba_transfer *check_transfer(lua_State *L) {
    return *check_open(L);
}

static void release(struct cba_transfer **slot) {
    struct cba_transfer *transfer = *slot;
    *slot = NULL;
    cba_transfer_release(transfer);
}

static int transfer_close(lua_State *L) {
    release(cba_check(L, 1, transfer_type));
    return 0;
}

/* transfer:step() -> done. Never waits. */
static int transfer_step(lua_State *L) {
    lua_pushboolean(L, cba_transfer_step(check_transfer(L)));
    return 1;
}

/* transfer:is_done() -> done, as far as the engine's last step brought it. A step moves all
 * transfers: whoever has many steps one of them, and asks this of the others. */
static int transfer_is_done(lua_State *L) {
    lua_pushboolean(L, cba_transfer_is_done(check_transfer(L)));
    return 1;
}

/* transfer:wait(seconds) -> done. Waits for activity on any transfer, or a signal, and steps. */
static int transfer_wait(lua_State *L) {
    struct cba_transfer *transfer = check_transfer(L);
    lua_pushboolean(L, cba_transfer_wait(transfer, luaL_checknumber(L, 2)));
    return 1;
}

/* Raises what is not the network's doing. */
static const struct cba_result *check_result(lua_State *L, const struct cba_transfer *transfer) {
    const struct cba_result *result = cba_transfer_result(transfer);
    if (result->failure.outcome == CBA_PENDING) {
        luaL_error(L, "the transfer is not done");
    }
    cba_raise_own_failure(L, &result->failure);
    return result;
}

/* transfer:status() -> the HTTP status; nil when the transfer failed, and result says why */
static int transfer_status(lua_State *L) {
    const struct cba_result *result = check_result(L, check_transfer(L));
    if (result->failure.outcome == CBA_ANSWERED) {
        cba_pushwhole(L, (double)result->status);
    } else {
        lua_pushnil(L);
    }
    return 1;
}

static const char *const sent_words[] = {
    [CBA_NOT_SENT] = "no",
    [CBA_SENT_MAYBE] = "maybe",
    [CBA_SENT] = "yes",
};

/* transfer:result() -> a table:
 *   status       HTTP status, when there is one
 *   failure      else a problem code
 *   tlsFault     "trust", "store", "client", "pin", "refused" or "handshake", with failure "tls"
 *   step         with failure "timeout", what was under way: "name", "connection", "tunnel" or
 *                "handshake"; absent: the answer was waited for
 *   limit        "connectTimeout" or "idle", when that was over and not the time of the whole
 *   atProxy      true: it was the proxy that it failed with
 *   detail       what libcurl or the system says of it, printable; may be absent
 *   begun        whether a line of an answer arrived, a proxy's counted
 *   sent         "no": no byte of the request has left, or the server says that it has not looked
 * at it; "maybe": some have, and no status came; "yes": a status came cut          true: the body
 * is not whole; it broke off, or was longer than is kept httpVersion  "1.0", "1.1" or "2", of the
 * answer; may be absent date, retryAfter, retryAt, contentType, location   from the answer's
 * headers; may be absent Out of memory raises. */
static int transfer_result(lua_State *L) {
    const struct cba_result *result = check_result(L, check_transfer(L));
    lua_createtable(L, 0, 12);
    if (result->failure.outcome == CBA_ANSWERED) {
        cba_pushwhole(L, (double)result->status);
        lua_setfield(L, -2, "status");
    }
    cba_set_failure(L, &result->failure);
    if (result->idle_limited) {
        cba_set_string(L, "limit", "idle");
    }
    cba_set_string(L, "sent", sent_words[result->how_far]);
    if (result->is_cut) {
        cba_set_flag(L, "cut", true);
    }
    cba_set_string(L, "httpVersion", cba_http_version_name(result->http_version));
    cba_set_flag(L, "begun", result->begun || result->failure.proxy_answered);
    cba_set_number(L, "date", cba_answer_date(&result->answer));
    cba_set_number(L, "retryAfter", result->answer.retry_after);
    cba_set_number(L, "retryAt", result->answer.retry_at);
    cba_set_string(L, "contentType", result->answer.content_type);
    if (result->answer.has_location) {
        lua_pushstring(L, result->answer.location);
        lua_setfield(L, -2, "location");
    }
    return 1;
}

static const char *const reply_faults[] = {
    [CBA_REPLY_COMPRESSED] = "is compressed, which nobody asked for",
    [CBA_REPLY_EMPTY] = "is empty",
    [CBA_REPLY_NOT_JSON] = "is not one JSON document",
    [CBA_REPLY_NOT_OBJECT] = "is not a JSON object",
    [CBA_REPLY_DUPLICATE] = "has a field twice",
    [CBA_REPLY_NO_ACCESS_TOKEN] = "has no accessToken",
    [CBA_REPLY_ACCESS_TOKEN] = "has no usable accessToken",
    [CBA_REPLY_TOKEN_TYPE] = "has a tokenType other than Bearer",
    [CBA_REPLY_EXPIRATION_TIME] = "has no usable expirationTime",
    [CBA_REPLY_TOKEN_VALIDITY] = "has no usable tokenValiditySec",
    [CBA_REPLY_NO_LIFETIME] = "has neither expirationTime nor tokenValiditySec",
};

static void push_number(lua_State *L, bool present, double value) {
    if (present) {
        cba_pushwhole(L, value);
    } else {
        lua_pushnil(L);
    }
}

/* transfer:reply() -> accessToken, sentBoot, sentWall, date, expirationTime, tokenValiditySec,
 *   and status
 *   sentBoot, sentWall   just before the request was sent, on the two clocks
 *   date        the answer's Date as epoch seconds, or nil
 *   expirationTime, tokenValiditySec   as the bank gave them; one of them may be nil
 *   status      of 200 to 299
 * and closes the transfer: reading moves the token to the front of the buffer, so that nothing more
 * can be asked of it. For a 2xx without a token: nil, what is wrong with the body, and whether the
 * bank would say the same again. Nil alone when the transfer failed or the status is another. Out
 * of memory raises. */
static int transfer_reply(lua_State *L) {
    size_t length;
    struct cba_reply reply;
    struct cba_transfer **slot = check_open(L);
    const struct cba_result *result = check_result(L, *slot);
    if (result->failure.outcome != CBA_ANSWERED || !cba_is_success(result->status)) {
        lua_pushnil(L);
        return 1;
    }
    char *body = cba_transfer_answer_body(*slot, &length);
    enum cba_reply_status status = result->answer.is_compressed
                                       ? CBA_REPLY_COMPRESSED
                                       : cba_json_read_reply(body, length, &reply);
    if (status != CBA_REPLY_OK) {
        (void)cba_refuse(L, reply_faults[status]);
        lua_pushboolean(L, status >= CBA_REPLY_COMPRESSED);
        return 3;
    }
    lua_pushlstring(L, reply.token, reply.token_length);
    lua_pushnumber(L, result->sent.boot);
    lua_pushnumber(L, result->sent.wall);
    double date = cba_answer_date(&result->answer);
    push_number(L, date >= 0, date);
    push_number(L, reply.has_expiration, reply.expiration);
    push_number(L, reply.has_validity, reply.validity);
    cba_pushwhole(L, (double)result->status);
    release(slot);
    return 7;
}

/* Blanks both credentials, which are arguments 2 and 3. */
static void redact_credentials(lua_State *L, char *text, size_t length, bool is_cut) {
    size_t sizes[2];
    const char *const needles[2] = {luaL_checklstring(L, 2, &sizes[0]),
                                    cba_secret_bytes(cba_check_secret(L, 3), &sizes[1])};
    for (size_t i = 2; i-- > 0;) {
        cba_redact_value(text, length, needles[i], sizes[i]);
        if (is_cut) {
            cba_redact_end(text, length, needles[i], sizes[i]);
        }
    }
}

/* transfer:excerpt(clientId, clientSecret) -> the first 4 KiB of the answer, with both blanked, and
 * whatever looks like a token too; nil when it is compressed, or no text */
static int transfer_excerpt(lua_State *L) {
    size_t length;
    struct cba_transfer *transfer = check_transfer(L);
    const struct cba_result *result = cba_transfer_result(transfer);
    char *body = cba_transfer_answer_body(transfer, &length);
    if (result->answer.is_compressed || !cba_redact_is_text(body, length)) {
        lua_pushnil(L);
        return 1;
    }
    redact_credentials(L, body, length, result->is_cut);
    cba_redact_members(body, length);
    lua_pushlstring(L, body, length < CBA_REFUSAL_SHOWN ? length : CBA_REFUSAL_SHOWN);
    return 1;
}

/* transfer:request_id(clientId, clientSecret) -> by which the bank knows the request, with both
 * blanked; nil when its headers do not say, or what they say may be a token */
static int transfer_request_id(lua_State *L) {
    char id[CBA_REQUEST_ID_MAX];
    const struct cba_result *result = cba_transfer_result(check_transfer(L));
    memcpy(id, result->answer.request_id, sizeof id);
    redact_credentials(L, id, strlen(id), false);
    bool is_shown = id[strspn(id, "*")] != '\0' && !cba_redact_suspects(id);
    lua_pushstring(L, is_shown ? id : NULL);
    return 1;
}

/* transfer:headers() -> the header lines of the answer as far as they have come, which tostring
 * makes a text; none unless the request has keepHeaders. See header_lines.c. */
static int transfer_headers(lua_State *L) {
    cba_push_header_lines(L, cba_transfer_headers(check_transfer(L)));
    return 1;
}

/* transfer:take() -> bytes of a streamed body; nil when there are none at the moment, or no more
 * because the transfer is done */
static int transfer_take(lua_State *L) {
    struct cba_transfer *transfer = check_transfer(L);
    size_t length;
    const char *bytes = cba_transfer_piece(transfer, &length);
    if (bytes == NULL) {
        lua_pushnil(L);
        return 1;
    }
    lua_pushlstring(L, bytes, length);
    cba_transfer_drop_piece(transfer);
    return 1;
}

/* transfer:is_ready() -> whether take or give can move a piece, as far as the engine's last step
 * brought it */
static int transfer_is_ready(lua_State *L) {
    lua_pushboolean(L, cba_transfer_is_ready(check_transfer(L)));
    return 1;
}

/* transfer:is_wanting() -> whether give has room, and what it takes can leave */
static int transfer_is_wanting(lua_State *L) {
    lua_pushboolean(L, cba_transfer_is_wanting(check_transfer(L)));
    return 1;
}

/* transfer:give(bytes, offset) -> how many of them, after the first `offset` (default 0), were
 * taken: 0 when the window is full; all when the transfer is done, for then nobody wants them.
 * give(nil) ends the upload. */
static int transfer_give(lua_State *L) {
    long long left;
    size_t length;
    struct cba_transfer *transfer = check_transfer(L);
    bool is_upload = cba_transfer_is_upload(transfer, &left);
    luaL_argcheck(L, is_upload, 1, "no upload, or one that has ended");
    if (lua_isnoneornil(L, 2)) {
        cba_transfer_end_upload(transfer);
        return 0;
    }
    const char *bytes = luaL_checklstring(L, 2, &length);
    double offset = luaL_optnumber(L, 3, 0);
    luaL_argcheck(L, offset >= 0 && offset <= (double)length, 3, "beyond the bytes");
    bytes += (size_t)offset;
    length -= (size_t)offset;
    luaL_argcheck(L, (long long)length <= left, 2, "longer than the upload's size");
    cba_pushwhole(L, (double)cba_transfer_give(transfer, bytes, length));
    return 1;
}

/* transfer:body() -> the answer's body; nil when it is compressed, which nobody asked for */
static int transfer_body(lua_State *L) {
    size_t length;
    struct cba_transfer *transfer = check_transfer(L);
    const struct cba_result *result = check_result(L, transfer);
    const char *body = cba_transfer_answer_body(transfer, &length);
    if (result->is_withheld) {
        lua_pushnil(L);
    } else {
        lua_pushlstring(L, body, length);
    }
    return 1;
}

static int transfer__tostring(lua_State *L) {
    struct cba_transfer **slot = cba_check(L, 1, transfer_type);
    lua_pushstring(L, *slot != NULL ? "transfer" : "transfer (closed)");
    return 1;
}

/* numbers_requests(name) -> whether a header of this name only numbers requests */
static int numbers_requests(lua_State *L) {
    size_t length;
    const char *name = luaL_checklstring(L, 1, &length);
    lua_pushboolean(L, cba_numbers_requests(name, length));
    return 1;
}

void cba_open_transfer(lua_State *L) {
    static const luaL_Reg functions[] = {
        {"transfer", transfer_new},
        {"numbers_requests", numbers_requests},
        {NULL, NULL},
    };
    static const luaL_Reg methods[] = {
        {"step", transfer_step},
        {"is_done", transfer_is_done},
        {"wait", transfer_wait},
        {"status", transfer_status},
        {"result", transfer_result},
        {"is_ready", transfer_is_ready},
        {"take", transfer_take},
        {"is_wanting", transfer_is_wanting},
        {"give", transfer_give},
        {"headers", transfer_headers},
        {"reply", transfer_reply},
        {"body", transfer_body},
        {"excerpt", transfer_excerpt},
        {"close", transfer_close},
        {"request_id", transfer_request_id},
        {NULL, NULL},
    };
    cba_newtype(L, transfer_type, transfer_close, methods, transfer__tostring);
    cba_setfuncs(L, functions);
}
