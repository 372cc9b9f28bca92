/* What the files of the torture test share: see torture.c. */
#ifndef TORTURE_H
#define TORTURE_H

#include <lua.h>
#include <stdbool.h>
#include <stddef.h>

#include "faults.h"

enum depth {
    COLD,  /* lua_newstate, the libraries, every module, the engine and the call */
    FIRST, /* the first call: the engine and the vault are made */
    WARM,  /* a later call: engine, transfer and connection are at hand */
    AGAIN, /* the same with the very table of options that was given before */
    KEPT,  /* for the third time: settings and libcurl's handle are at hand, too */
    DEPTHS,
};

struct scenario {
    const char *name;
    bool tls;
    unsigned depths; /* bit set */
};

/* One call and the circumstances of it. */
struct run {
    const struct scenario *scenario;
    enum depth depth;
    size_t set;
    enum fault_mode mode;
    unsigned long point;
    bool prepared;
};

extern struct torture {
    char url[64];         /* of the tiny bank */
    char secret_file[64]; /* holds the client secret */
    unsigned long violations, calls;
    double longest_call; /* seconds */
    unsigned long closed_by_libcurl;
} torture;

/* Prints what is wrong, and how to see it again. */
void violation(const struct run *run, const char *what);

double now(void);

/* ---- torture_call.c: inside the Lua state --------------------------------------------------- */

/* Protected functions of the run that is their argument. */
int attempt(lua_State *L);
int only_prepare(lua_State *L);

/* Lua 5.1 allocates for this, unprotected; later ones do not. */
void push_call(lua_State *L, lua_CFunction function, struct run *run);

/* Calls what push_call has pushed, protected and timed. */
int timed_call(lua_State *L, int results);

/* Judges a call that ended with `status`, and empties the stack. */
void judge_outcome(lua_State *L, struct run *run, int status, bool starved);

void healthy_call(lua_State *L, struct run *run);

/* ---- torture_place.c: files and descriptors ------------------------------------------------- */

unsigned count_descriptors(void);
bool write_secret(void); /* and the name of its file into `torture` */
void remove_files(void);

#endif
