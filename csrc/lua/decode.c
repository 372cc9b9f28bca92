/* JSON as Lua values. */
#include "json/decode.h"

#include <stdio.h>

#include "lua/bindings.h"
#include "lua/object.h"
#include "json/number.h"

static const char document_type[] = "corebank.auth.json_document";

struct reading {
    lua_State *L;
    struct cba_document *document; /* a userdata's */
    int mark;                      /* where on the stack the arrays' metatable is */
    bool big_as_text;              /* a number that Lua's do not hold becomes its digits */
    const char *fault;
};

static bool push_value(struct reading *reading, const struct cJSON *item);

/* With its NULs. */
static void push_string(lua_State *L, const char *string) {
    const char *nul = cba_json_find_nul(string);
    if (nul == NULL) {
        lua_pushstring(L, string);
        return;
    }
    luaL_Buffer buffer;
    luaL_buffinit(L, &buffer);
    for (; nul != NULL; nul = cba_json_find_nul(string)) {
        luaL_addlstring(&buffer, string, (size_t)(nul - string));
        luaL_addchar(&buffer, '\0');
        string = nul + CBA_JSON_NUL_LENGTH;
    }
    luaL_addstring(&buffer, string);
    luaL_pushresult(&buffer);
}

static bool push_number(struct reading *reading) {
    lua_State *L = reading->L;
    size_t length = cba_document_token(reading->document);
    struct cba_number number;
    cba_number_read(reading->document->token, length, &number);
    if (CBA_INTEGERS && number.is_whole) {
        lua_pushinteger(L, (lua_Integer)number.whole);
    } else if (number.is_double) {
        lua_pushnumber(L, number.value);
    } else if (reading->big_as_text) {
        lua_pushlstring(L, reading->document->token, length);
    } else {
        reading->fault =
            "has a number that no Lua number holds; with bigNumbers = \"string\" it is "
            "a string of its digits";
        return false;
    }
    return true;
}

static bool push_array(struct reading *reading, const struct cJSON *item) {
    lua_State *L = reading->L;
    int index = 0;
    lua_createtable(L, (int)cba_json_count(item), 0);
    lua_pushvalue(L, reading->mark);
    lua_setmetatable(L, -2);
    for (item = cba_json_first(item); item != NULL; item = cba_json_next(item)) {
        if (!push_value(reading, item)) {
            return false;
        }
        lua_rawseti(L, -2, ++index);
    }
    return true;
}

static bool push_object(struct reading *reading, const struct cJSON *item) {
    lua_State *L = reading->L;
    lua_createtable(L, 0, (int)cba_json_count(item));
    for (item = cba_json_first(item); item != NULL; item = cba_json_next(item)) {
        (void)cba_document_token(reading->document);
        push_string(L, cba_json_name(item));
        lua_pushvalue(L, -1);
        lua_rawget(L, -3);
        if (!lua_isnil(L, -1)) { /* null is not nil */
            reading->fault = "has a name twice in one object";
            return false;
        }
        lua_pop(L, 1);
        if (!push_value(reading, item)) {
            return false;
        }
        lua_rawset(L, -3);
    }
    return true;
}

/* Pushes a value; false with the fault, and something else on the stack. */
static bool push_value(struct reading *reading, const struct cJSON *item) {
    lua_State *L = reading->L;
    enum cba_json_kind kind = cba_json_kind(item);
    cba_need_stack(L);
    switch (kind) {
        case CBA_JSON_NULL:
            lua_pushlightuserdata(L, NULL);
            return true;
        case CBA_JSON_FALSE:
        case CBA_JSON_TRUE:
            lua_pushboolean(L, kind == CBA_JSON_TRUE);
            return true;
        case CBA_JSON_NUMBER:
            return push_number(reading);
        case CBA_JSON_STRING:
            (void)cba_document_token(reading->document);
            push_string(L, cba_json_string(item));
            return true;
        case CBA_JSON_ARRAY:
            return push_array(reading, item);
        default:
            return push_object(reading, item);
    }
}

/* Pushes nil and what is wrong, with the number of the byte where it is. */
static int refuse_text(lua_State *L, const struct cba_document *document, const char *fault) {
    char place[32];
    (void)snprintf(place, sizeof place, "byte %td", document->token - document->text + 1);
    lua_pushnil(L);
    if (document->text == document->end) {
        lua_pushliteral(L, "the text is empty");
    } else if (document->token == document->end) {
        lua_pushfstring(L, "the text ends before its JSON does, at %s", place);
    } else {
        lua_pushfstring(L, "at %s the text %s", place, fault);
    }
    return 2;
}

static int document_close(lua_State *L) {
    cba_document_close(cba_object(L, 1));
    return 0;
}

/* json_decode(text, whether what no number holds becomes a string) -> value | nil, reason */
static int json_decode(lua_State *L) {
    size_t length;
    const char *text = luaL_checklstring(L, 1, &length);
    struct reading reading = {.L = L, .mark = 3, .big_as_text = lua_toboolean(L, 2)};
    lua_settop(L, 2);
    cba_check_state(L);
    cba_push_array_mark(L);
    struct cba_document *document = cba_newobject(L, document_type, sizeof *document);
    reading.document = document;
    enum cba_document_status status = cba_document_open(document, text, length);
    if (status == CBA_DOCUMENT_NO_MEMORY) {
        return cba_nomemory(L);
    }
    if (status != CBA_DOCUMENT_OK) {
        return refuse_text(L, document,
                           status == CBA_DOCUMENT_TOO_DEEP ? "nests deeper than 100 levels"
                                                           : "ceases to be JSON (RFC 8259)");
    }
    bool pushed = push_value(&reading, document->root);
    cba_document_close(document);
    return pushed ? 1 : refuse_text(L, document, reading.fault);
}

void cba_open_decode(lua_State *L) {
    static const luaL_Reg functions[] = {{"json_decode", json_decode}, {NULL, NULL}};
    cba_newtype(L, document_type, document_close, NULL, NULL);
    cba_setfuncs(L, functions);
    lua_pushlightuserdata(L, NULL);
    lua_setfield(L, -2, "null");
}
