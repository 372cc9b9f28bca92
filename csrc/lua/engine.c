/* Binding: the engine. There is one for each Lua state and process. The first transfer creates the
 * engine and puts it into the registry. */
#include "http/engine.h"

#include "lua/bindings.h"
#include "lua/object.h"

static const char engine_type[] = "corebank.auth.engine";
static const char engine_key = 0;

static int engine_gc(lua_State *L) {
    cba_engine_release(cba_let_go(cba_object(L, 1)));
    return 0;
}

struct cba_engine *cba_get_engine(lua_State *L) {
    struct cba_engine *engine = cba_kept(L, &engine_key);
    if (engine == NULL || !cba_engine_is_ours(engine)) {
        /* None yet, or the parent's, whose last release does nothing in this process. */
        void **slot = cba_keep(L, &engine_key, engine_type);
        *slot = engine = cba_engine_new();
    }
    if (engine == NULL) {
        cba_nomemory(L);
    }
    return engine;
}

void cba_forget_endpoint(lua_State *L, const struct cba_endpoint *endpoint) {
    void **slot = cba_kept_slot(L, &engine_key);
    struct cba_engine *engine = slot != NULL && *slot != cba_gone() ? *slot : NULL;
    if (engine != NULL && cba_engine_is_ours(engine)) {
        cba_engine_forget(engine, endpoint);
    }
}

/* end_engine(): closes all that it has open; the next transfer makes another. For a process that
 * becomes another program: libcurl has sockets that stay open then. */
static int engine_end(lua_State *L) {
    void **slot = cba_kept_slot(L, &engine_key);
    if (slot != NULL) {
        cba_engine_release(cba_let_go(slot));
        *slot = NULL;
    }
    return 0;
}

void cba_open_engine(lua_State *L) {
    static const luaL_Reg functions[] = {{"end_engine", engine_end}, {NULL, NULL}};
    cba_newtype(L, engine_type, engine_gc, NULL, NULL);
    cba_setfuncs(L, functions);
}
