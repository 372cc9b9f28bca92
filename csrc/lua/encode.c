/* Lua values as JSON. */
#include <math.h>
#include <stdio.h>

#include "lua/bindings.h"
#include "lua/object.h"
#include "text/utf8.h"
#include "json/decode.h"
#include "json/encode.h"
#include "json/number.h"

static const char text_type[] = "corebank.auth.json_text";
static const char array_mark[] = "corebank.auth.array";

/* ---- the mark of arrays -------------------------------------------------------------------- */

void cba_push_array_mark(lua_State *L) {
    lua_pushlightuserdata(L, (void *)array_mark);
    lua_rawget(L, LUA_REGISTRYINDEX);
}

static void make_array_mark(lua_State *L) {
    cba_push_array_mark(L);
    if (lua_isnil(L, -1)) {
        lua_pushlightuserdata(L, (void *)array_mark);
        lua_newtable(L);
        lua_rawset(L, LUA_REGISTRYINDEX);
    }
    lua_pop(L, 1);
}

/* Whether the table on top has that metatable. */
static bool is_array(lua_State *L) {
    if (!lua_getmetatable(L, -1)) {
        return false;
    }
    cba_push_array_mark(L);
    bool is_marked = lua_rawequal(L, -1, -2);
    lua_pop(L, 2);
    return is_marked;
}

/* array(table) -> the same table, marked | nil, reason */
static int json_array(lua_State *L) {
    luaL_checktype(L, 1, LUA_TTABLE);
    lua_settop(L, 1);
    if (lua_getmetatable(L, 1) && !(lua_pop(L, 1), is_array(L))) {
        return cba_refuse(L, "the table has a metatable");
    }
    cba_push_array_mark(L);
    lua_setmetatable(L, 1);
    return 1;
}

/* ---- values -------------------------------------------------------------------------------- */

/* Where a value is. The tables around it are on the stack. */
struct level {
    const struct level *outer;
    const void *table; /* the value, when it is a table */
    int name;          /* where on the stack its name is; 0: it has an index */
    size_t index;
};

struct writing {
    lua_State *L;
    struct cba_json_text *text; /* a userdata's */
    unsigned depth;
};

/* Puts are true unless out of memory. */
static void must(lua_State *L, bool put) {
    if (!put) {
        cba_nomemory(L);
    }
}

/* A long name, or one that is no plain word, is not shown: it may be anything. */
static bool is_plain(const char *name, size_t length) {
    enum { LONGEST_SHOWN = 32 };
    static const char word[] = "0123456789_abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
    return length > 0 && length <= LONGEST_SHOWN && strspn(name, "0123456789") == 0 &&
           strspn(name, word) == length;
}

static void add_name(lua_State *L, luaL_Buffer *path, int index) {
    size_t length;
    const char *name = lua_tolstring(L, index, &length);
    if (is_plain(name, length)) {
        luaL_addchar(path, '.');
        luaL_addlstring(path, name, length);
    } else {
        luaL_addstring(path, "[?]");
    }
}

static void add_path(lua_State *L, luaL_Buffer *path, const struct level *level) {
    if (level->outer == NULL) {
        luaL_addstring(path, "value");
        return;
    }
    add_path(L, path, level->outer);
    if (level->name != 0) {
        add_name(L, path, level->name);
    } else {
        char index[32];
        (void)snprintf(index, sizeof index, "[%zu]", level->index);
        luaL_addstring(path, index);
    }
}

/* Pushes what is wrong with a value: its path, as value.amounts[3], and the reason. */
static bool refuse(lua_State *L, const struct level *level, const char *reason) {
    luaL_Buffer message;
    luaL_buffinit(L, &message);
    add_path(L, &message, level);
    luaL_addstring(&message, " ");
    luaL_addstring(&message, reason);
    luaL_pushresult(&message);
    return false;
}

/* Writes the number on top of the stack. Returns NULL, or why JSON does not have it. */
static const char *write_digits(lua_State *L, char digits[CBA_NUMBER_SIZE]) {
    double value = lua_tonumber(L, -1);
    if (isnan(value)) {
        return "is not a number (NaN), which JSON does not have";
    }
    if (isinf(value)) {
        return "is infinite, which JSON does not have";
    }
    if (lua_isinteger(L, -1)) {
        (void)snprintf(digits, CBA_NUMBER_SIZE, "%lld", (long long)lua_tointeger(L, -1));
    } else {
        cba_number_write(value, digits);
    }
    return NULL;
}

static bool write_number(struct writing *writing, const struct level *level) {
    char digits[CBA_NUMBER_SIZE];
    const char *fault = write_digits(writing->L, digits);
    if (fault != NULL) {
        return refuse(writing->L, level, fault);
    }
    must(writing->L, cba_json_put(writing->text, digits, strlen(digits)));
    return true;
}

/* The string on top, which may be a name. */
static bool write_string(struct writing *writing, const struct level *level, const char *fault) {
    size_t length;
    const char *bytes = lua_tolstring(writing->L, -1, &length);
    if (cba_utf8_count(bytes, length) < 0) {
        return refuse(writing->L, level, fault);
    }
    must(writing->L, cba_json_put_string(writing->text, bytes, length));
    return true;
}

static bool write_value(struct writing *writing, struct level *level);

/* What the keys of a table are. */
struct keys {
    size_t names, indexes, others;
    double highest; /* of the indexes */
};

static void count_keys(lua_State *L, struct keys *keys) {
    memset(keys, 0, sizeof *keys);
    lua_pushnil(L);
    while (lua_next(L, -2) != 0) {
        lua_pop(L, 1);
        double index = lua_type(L, -1) == LUA_TNUMBER ? lua_tonumber(L, -1) : 0;
        if (lua_type(L, -1) == LUA_TSTRING) {
            keys->names++;
        } else if (index >= 1 && floor(index) == index) {
            keys->indexes++;
            keys->highest = fmax(keys->highest, index);
        } else {
            keys->others++;
        }
    }
}

static bool write_array(struct writing *writing, const struct level *level, size_t count) {
    lua_State *L = writing->L;
    struct level entry = {.outer = level};
    must(L, cba_json_put(writing->text, "[", 1));
    for (entry.index = 1; entry.index <= count; entry.index++) {
        lua_rawgeti(L, -1, (int)entry.index);
        if (lua_isnil(L, -1)) {
            return refuse(L, &entry,
                          "is missing, though later entries are there; null is auth.null");
        }
        must(L, cba_json_put(writing->text, ",", entry.index > 1));
        if (!write_value(writing, &entry)) {
            return false;
        }
        lua_pop(L, 1);
    }
    must(L, cba_json_put(writing->text, "]", 1));
    return true;
}

static bool write_object(struct writing *writing, const struct level *level) {
    lua_State *L = writing->L;
    struct level entry = {.outer = level, .name = lua_gettop(L) + 1};
    must(L, cba_json_put(writing->text, "{", 1));
    lua_pushnil(L);
    for (bool is_first = true; lua_next(L, entry.name - 1) != 0; is_first = false) {
        must(L, cba_json_put(writing->text, ",", !is_first));
        lua_pushvalue(L, entry.name);
        if (!write_string(writing, level, "has a name that is not UTF-8")) {
            return false;
        }
        lua_pop(L, 1);
        must(L, cba_json_put(writing->text, ":", 1));
        if (!write_value(writing, &entry)) {
            return false;
        }
        lua_pop(L, 1);
    }
    must(L, cba_json_put(writing->text, "}", 1));
    return true;
}

static bool write_entries(struct writing *writing, const struct level *level) {
    lua_State *L = writing->L;
    struct keys keys;
    count_keys(L, &keys);
    if (keys.others > 0) {
        return refuse(L, level, "has a key that is neither a name nor an index from 1 on");
    }
    if (keys.names == 0 && (keys.indexes > 0 || is_array(L))) {
        return write_array(writing, level, keys.indexes);
    }
    if (keys.indexes > 0) {
        return refuse(L, level, "has both names and indexes");
    }
    if (is_array(L)) {
        return refuse(L, level, "is marked by auth.array, but has names");
    }
    return write_object(writing, level);
}

static bool write_table(struct writing *writing, struct level *level) {
    level->table = lua_topointer(writing->L, -1);
    for (const struct level *outer = level->outer; outer != NULL; outer = outer->outer) {
        if (outer->table == level->table) {
            return refuse(writing->L, level, "contains itself");
        }
    }
    if (writing->depth == CBA_JSON_VALUE_DEPTH_MAX) {
        return refuse(writing->L, &(struct level){.outer = NULL}, "nests deeper than 100 levels");
    }
    cba_need_stack(writing->L);
    writing->depth++;
    bool written = write_entries(writing, level);
    writing->depth--;
    return written;
}

static bool write_word(struct writing *writing, const char *word) {
    must(writing->L, cba_json_put(writing->text, word, strlen(word)));
    return true;
}

/* Writes the value on top of the stack and leaves it there; false with a message on top of it. */
static bool write_value(struct writing *writing, struct level *level) {
    lua_State *L = writing->L;
    switch (lua_type(L, -1)) {
        case LUA_TBOOLEAN:
            return write_word(writing, lua_toboolean(L, -1) ? "true" : "false");
        case LUA_TNUMBER:
            return write_number(writing, level);
        case LUA_TSTRING:
            return write_string(writing, level, "is not UTF-8");
        case LUA_TTABLE:
            return write_table(writing, level);
        case LUA_TNIL:
            return refuse(L, level, "is nil; null is auth.null");
        default:
            if (lua_type(L, -1) == LUA_TLIGHTUSERDATA && lua_touserdata(L, -1) == NULL) {
                return write_word(writing, "null");
            }
            return refuse(
                L, level,
                lua_pushfstring(L, "is a %s, which JSON does not have", luaL_typename(L, -1)));
    }
}

static int text_close(lua_State *L) {
    cba_json_text_free(cba_object(L, 1));
    return 0;
}

/* json_encode(value) -> text | nil, what is wrong with the value or a part of it. Tables are read
 * without their metatables. */
static int json_encode(lua_State *L) {
    lua_settop(L, 1);
    char digits[CBA_NUMBER_SIZE];
    if (lua_type(L, 1) == LUA_TNUMBER && write_digits(L, digits) == NULL) {
        lua_pushstring(L, digits); /* with no object to collect, as in the query of a URL */
        return 1;
    }
    cba_check_state(L);
    struct writing writing = {.L = L};
    writing.text = cba_newobject(L, text_type, sizeof *writing.text);
    lua_pushvalue(L, 1);
    bool written = write_value(&writing, &(struct level){.outer = NULL});
    if (written) {
        lua_pushlstring(L, writing.text->bytes, writing.text->length);
    } else {
        lua_pushnil(L);
        lua_insert(L, -2);
    }
    cba_json_text_free(writing.text);
    return written ? 1 : 2;
}

void cba_open_encode(lua_State *L) {
    static const luaL_Reg functions[] = {
        {"json_array", json_array},
        {"json_encode", json_encode},
        {NULL, NULL},
    };
    cba_newtype(L, text_type, text_close, NULL, NULL);
    make_array_mark(L);
    cba_setfuncs(L, functions);
}
