/* Fails every allocation in turn around corebank.auth's authenticate.
 *
 * For each scenario (torture.lua), each depth and each family of allocators (faults.h): the call is
 * made with its first allocation failing, its second, and so on until none is left to fail; and the
 * same with everything failing from there on. After each: the outcome is one that a want of memory
 * may have; the same call in the same Lua state then works; and after lua_close no block of any
 * family is live. At the end as many file descriptors are open as at the start.
 *
 *   torture [SCENARIO [DEPTH [FAMILY [MODE [POINT]]]]]     narrows; "-" stands for all
 *
 * The TLS scenarios need the sandbox bank: see with_bank. */
#include <fcntl.h>
#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "faults.h"
#include "http/transfer.h"
#include "modules.h"
#include "tiny_bank.h"
#include "torture.h"

/* ---- what is run ------------------------------------------------------------------------------
 */

static const char *const depth_names[] = {"cold", "first", "warm", "again", "kept"};
static const unsigned calls_before[] = {0, 0, 1, 1, 2};
static const char *const mode_names[] = {"never", "briefly", "once", "onwards"};

enum { ALL_FAMILIES = (1U << FAULT_FAMILIES) - 1, LUA_ONLY = 1U << FAULT_LUA };

static const struct {
    const char *name;
    unsigned set;
} families[] = {
    {"lua", LUA_ONLY},        {"cjson", 1U << FAULT_CJSON},     {"curl", 1U << FAULT_CURL},
    {"own", 1U << FAULT_OWN}, {"guarded", 1U << FAULT_GUARDED}, {"all", ALL_FAMILIES},
};
enum { SETS = sizeof families / sizeof *families };

static const struct scenario scenarios[] = {
    {"ok", false, 1U << COLD | 1U << FIRST | 1U << WARM | 1U << AGAIN | 1U << KEPT},
    {"options", false, 1U << FIRST | 1U << WARM},
    {"crowd", false, 1U << WARM},
    {"large", false, 1U << WARM | 1U << KEPT},
    {"stored", false, 1U << WARM},
    {"denied", false, 1U << WARM | 1U << KEPT},
    {"garbage", false, 1U << WARM},
    {"unusable", false, 1U << WARM},
    {"flaky", false, 1U << WARM | 1U << KEPT},
    {"json", false, 1U << FIRST | 1U << WARM},
    {"put", false, 1U << FIRST | 1U << WARM | 1U << KEPT},
    {"pieces", false, 1U << FIRST | 1U << WARM | 1U << KEPT},
    {"redirect", false, 1U << WARM | 1U << KEPT},
    {"away", false, 1U << WARM},
    {"thread", false, 1U << FIRST},
    {"tls", true, 1U << FIRST | 1U << WARM | 1U << KEPT},
    {"mtls", true, 1U << FIRST},
    {"untrusted", true, 1U << FIRST},
};

/* Lua 5.1's require takes a module whose loading failed for one that is being loaded, so that there
 * a cold start cannot be tried again; nor can it begin without an allocation that nothing protects.
 */
#if LUA_VERSION_NUM < 502
enum { LEAST_DEPTH = FIRST };
#else
enum { LEAST_DEPTH = COLD };
#endif

struct torture torture;

static unsigned long tried[SETS]; /* tried, by families */

enum {
    MOST_VIOLATIONS = 10,
    LONGEST_RUN = 30, /* seconds; every call has a timeout of 5 */
    SOAK_ROUNDS = 20,
};

double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

void violation(const struct run *run, const char *what) {
    printf("VIOLATION: %s\n  seen by: torture %s %s %s %s %lu\n", what, run->scenario->name,
           depth_names[run->depth], families[run->set].name, mode_names[run->mode], run->point);
    fflush(stdout);
    if (++torture.violations >= MOST_VIOLATIONS) {
        puts("enough.");
        exit(1);
    }
}

/* ---- one run ----------------------------------------------------------------------------------
 */

static void get_live(long live[FAULT_FAMILIES]) {
    for (unsigned i = 0; i < FAULT_FAMILIES; i++) {
        live[i] = faults_live(i);
    }
}

static void check_live(const struct run *run, const long before[FAULT_FAMILIES]) {
    long after[FAULT_FAMILIES];
    get_live(after);
    /* A resolver thread that is left behind (CURLOPT_QUICK_EXIT) frees what it has when it ends. */
    for (int i = 0; i < 2000 && after[FAULT_CURL] != before[FAULT_CURL] &&
                    strcmp(run->scenario->name, "thread") == 0;
         i++) {
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
        get_live(after);
    }
    for (unsigned i = 0; i < FAULT_FAMILIES; i++) {
        if (after[i] != before[i]) {
            char what[80];
            snprintf(what, sizeof what, "%+ld live blocks of family %s after lua_close",
                     after[i] - before[i], families[i].name);
            violation(run, what);
        }
    }
}

/* Descriptor 0 is held by /dev/null throughout. libcurl 7.88.1 closes it, whoever's it is, when it
 * cannot allocate what a resolver thread needs: the clean-up in lib/asyn-thread.c takes a socket
 * pair that is still zeroed for one that is open. (Seen in gdb: close(0), twice, from inside
 * curl_multi_perform.) Nothing of ours can prevent it, so it is put right here, and tolerated in
 * the one scenario with a thread. */
static void hold_descriptor_0(const struct run *run) {
    if (fcntl(0, F_GETFD) >= 0) {
        return;
    }
    if (open("/dev/null", O_RDONLY) != 0 || strcmp(run->scenario->name, "thread") != 0) {
        violation(run, "descriptor 0 was closed");
    }
    torture.closed_by_libcurl++;
}

/* The call under the run's plan, then the same call in health. Returns how many allocations the
 * plan saw, and in `struck` whether it failed any. */
static unsigned long call_in_state(struct run *run, bool *struck) {
    if (run->depth == COLD) {
        faults_arm(families[run->set].set, run->mode, run->point);
    }
    lua_State *L = lua_newstate(faults_lua, NULL);
    if (L == NULL) {
        return faults_disarm(struck);
    }
    if (run->depth == FIRST) {
        push_call(L, only_prepare, run);
        timed_call(L, 0);
    }
    for (unsigned i = 0; i < calls_before[run->depth]; i++) {
        healthy_call(L, run);
    }
    if (run->depth == COLD) {
        push_call(L, attempt, run);
    } else {
        lua_gc(L, LUA_GCCOLLECT, 0); /* else strings left from the preparation save allocations */
        push_call(L, attempt, run);
        faults_arm(families[run->set].set, run->mode, run->point);
    }
    int status = timed_call(L, 3);
    unsigned long seen = faults_disarm(struck);
    hold_descriptor_0(run);
    judge_outcome(L, run, status, *struck);
    healthy_call(L, run);
    if (run->depth >= AGAIN) {
        healthy_call(L, run);
    }
    lua_close(L);
    return seen;
}

static char hang_message[160];

static void on_alarm(int number) {
    (void)number;
    ssize_t written = write(STDOUT_FILENO, hang_message, strlen(hang_message));
    _exit(written > 0 ? 1 : 2);
}

static unsigned long run_once(struct run run, bool *struck) {
    long before[FAULT_FAMILIES];
    snprintf(hang_message, sizeof hang_message,
             "\nVIOLATION: a call hangs\n  seen by: torture %s %s %s %s %lu\n", run.scenario->name,
             depth_names[run.depth], families[run.set].name, mode_names[run.mode], run.point);
    alarm(LONGEST_RUN);
    get_live(before);
    unsigned long seen = call_in_state(&run, struck);
    check_live(&run, before);
    return seen;
}

/* ---- all runs ---------------------------------------------------------------------------------
 */

static void run_points(struct run run, const char *only_point) {
    bool struck = true;
    if (only_point != NULL) {
        run.point = strtoul(only_point, NULL, 10);
        run_once(run, &struck);
        printf("%s\n", struck ? "failed an allocation" : "no such allocation");
        return;
    }
    /* Until a run ends with its point not reached; a thread's timing may move the last ones. */
    for (run.point = 1; struck; run.point++) {
        run_once(run, &struck);
        tried[run.set] += struck;
    }
}

static bool is_wanted(const char *wanted, const char *name) {
    return wanted == NULL || strcmp(wanted, "-") == 0 || strcmp(wanted, name) == 0;
}

/* `wanted`: depth, family, mode and point, each may be NULL. */
static void run_scenario(const struct scenario *scenario, char *const wanted[4]) {
    double started = now();
    printf("%-9s", scenario->name);
    for (unsigned depth = LEAST_DEPTH; depth < DEPTHS; depth++) {
        if (!(scenario->depths >> depth & 1U) || !is_wanted(wanted[0], depth_names[depth])) {
            continue;
        }
        printf("  %s:", depth_names[depth]);
        for (size_t set = 0; set < SETS; set++) {
            struct run run = {.scenario = scenario, .depth = depth, .set = set};
            bool struck;
            if (!is_wanted(wanted[1], families[set].name)) {
                continue;
            }
            printf(" %s %lu", families[set].name, run_once(run, &struck));
            fflush(stdout);
            for (run.mode = FAULT_BRIEFLY; run.mode <= FAULT_ONWARDS; run.mode++) {
                /* Only Lua asks twice. */
                bool same = run.mode == FAULT_BRIEFLY && families[set].set != LUA_ONLY;
                if (!same && is_wanted(wanted[2], mode_names[run.mode])) {
                    run_points(run, wanted[3]);
                }
            }
        }
    }
    printf("  (%.1f s)\n", now() - started);
}

/* One state lives through a failure at every point, again and again; what it keeps must not pile
 * up. Transfers of failed calls wait for the garbage collector, and a number of them is kept. */
static void run_soak(void) {
    static const long slack[FAULT_FAMILIES] = {[FAULT_LUA] = 16,
                                               [FAULT_OWN] = CBA_HANDLES_KEPT_MAX,
                                               [FAULT_GUARDED] = CBA_HANDLES_KEPT_MAX};
    struct run run = {.scenario = scenarios, .depth = WARM, .set = SETS - 1, .mode = FAULT_ONCE};
    long early[FAULT_FAMILIES], late[FAULT_FAMILIES];
    unsigned long points = 0;
    lua_State *L = lua_newstate(faults_lua, NULL);
    healthy_call(L, &run);
    for (unsigned round = 0; round < SOAK_ROUNDS; round++) {
        bool struck = true;
        for (run.point = 1; struck; run.point++) {
            push_call(L, attempt, &run);
            faults_arm(families[run.set].set, run.mode, run.point);
            int status = timed_call(L, 3);
            faults_disarm(&struck);
            judge_outcome(L, &run, status, struck);
            points += struck;
        }
        healthy_call(L, &run);
        lua_gc(L, LUA_GCCOLLECT, 0);
        lua_gc(L, LUA_GCCOLLECT, 0);
        get_live(round == 0 ? early : late);
    }
    lua_close(L);
    printf("soak       %lu points in one state; live blocks early and late:", points);
    for (unsigned i = 0; i < FAULT_FAMILIES; i++) {
        printf(" %s %ld %ld", families[i].name, early[i], late[i]);
        if (late[i] > early[i] + slack[i]) {
            violation(&run, "live blocks pile up in a state that lives on");
        }
    }
    puts("");
}

/* ---- all of it ------------------------------------------------------------------------------
 */

static void run_all(char *const wanted[5]) {
    for (size_t i = 0; i < sizeof scenarios / sizeof *scenarios; i++) {
        if (!is_wanted(wanted[0], scenarios[i].name)) {
            continue;
        }
        if (scenarios[i].tls && getenv("SANDBOX_URL") == NULL) {
            printf("%-9s  left out: no sandbox bank (see spec/c/with_bank)\n", scenarios[i].name);
        } else {
            run_scenario(&scenarios[i], wanted + 1);
        }
    }
    if (is_wanted(wanted[0], "soak")) {
        run_soak();
    }
}

static void print_summary(double seconds) {
    unsigned long sum = 0;
    printf("tried");
    for (size_t set = 0; set < SETS; set++) {
        printf(" %s %lu,", families[set].name, tried[set]);
        sum += tried[set];
    }
    printf(" together %lu points in %lu calls; longest call %.3f s; %.1f s; %lu violations\n", sum,
           torture.calls, torture.longest_call, seconds, torture.violations);
    if (torture.closed_by_libcurl > 0) {
        printf("tolerated: libcurl closed descriptor 0 %lu times (see hold_descriptor_0)\n",
               torture.closed_by_libcurl);
    }
}

int main(int count, char **arguments) {
    char *wanted[6] = {NULL};
    struct tiny_bank bank;
    double started = now();
    for (int i = 1; i < count && i <= 5; i++) {
        wanted[i - 1] = arguments[i];
    }
    close(0);
    if (open("/dev/null", O_RDONLY) != 0 || !tiny_bank_start(&bank) || !faults_install() ||
        !modules_compile() || !write_secret()) {
        fputs("torture: cannot start\n", stderr);
        return 1;
    }
    atexit(remove_files);
    signal(SIGALRM, on_alarm);
    snprintf(torture.url, sizeof torture.url, "http://127.0.0.1:%u", bank.port);

    /* Whatever a library makes once and for all is made here. */
    bool struck;
    for (size_t i = 0; i < sizeof scenarios / sizeof *scenarios; i++) {
        if (!scenarios[i].tls || getenv("SANDBOX_URL") != NULL) {
            call_in_state(&(struct run){.scenario = &scenarios[i], .depth = WARM}, &struck);
        }
    }
    unsigned descriptors = count_descriptors();
    run_all(wanted);
    if (count_descriptors() != descriptors) {
        violation(&(struct run){.scenario = scenarios}, "file descriptors were left open");
    }
    print_summary(now() - started);
    tiny_bank_stop(&bank);
    modules_free();
    return torture.violations == 0 ? 0 : 1;
}
