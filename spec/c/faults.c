#include "faults.h"

#include <cjson/cJSON.h>
#include <curl/curl.h>
#include <errno.h>
#include <pthread.h>
#include <string.h>

#include "counted.h"
/* Here the real ones are called. */
#undef malloc
#undef calloc
#undef realloc
#undef free
#undef sodium_malloc
#undef sodium_free

/* libcurl's resolver threads allocate too, hence the lock. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static long live[FAULT_FAMILIES];
static struct {
    unsigned families;
    enum fault_mode mode;
    unsigned long point, seen;
    bool struck;
    bool retry_expected; /* Lua's second request is its next one: a collection allocates nothing */
    const void *retry_block;
    size_t retry_size;
} plan;

static bool is_retry(enum fault_family family, const void *block, size_t size) {
    if (family != FAULT_LUA || !plan.retry_expected) {
        return false;
    }
    plan.retry_expected = false;
    return block == plan.retry_block && size == plan.retry_size;
}

static bool is_due(enum fault_family family, const void *block, size_t size) {
    if (!(plan.families >> family & 1U)) {
        return false;
    }
    if (is_retry(family, block, size)) {
        return true;
    }
    plan.seen++;
    if (plan.mode == FAULT_NEVER || plan.seen < plan.point) {
        return false;
    }
    if (plan.mode == FAULT_ONCE && plan.seen == plan.point) {
        plan.retry_expected = true;
        plan.retry_block = block;
        plan.retry_size = size;
    }
    return plan.seen == plan.point || plan.mode == FAULT_ONWARDS;
}

static bool strikes(enum fault_family family, const void *block, size_t size) {
    pthread_mutex_lock(&lock);
    bool due = is_due(family, block, size);
    plan.struck = plan.struck || due;
    pthread_mutex_unlock(&lock);
    if (due) {
        errno = ENOMEM;
    }
    return due;
}

static void *count(enum fault_family family, void *block, long change) {
    if (block != NULL) {
        pthread_mutex_lock(&lock);
        live[family] += change;
        pthread_mutex_unlock(&lock);
    }
    return block;
}

static void *allocate(enum fault_family family, size_t size) {
    return strikes(family, NULL, size) ? NULL : count(family, malloc(size), 1);
}

static void *allocate_zeroed(enum fault_family family, size_t number, size_t size) {
    return strikes(family, NULL, number * size) ? NULL : count(family, calloc(number, size), 1);
}

static void *reallocate(enum fault_family family, void *block, size_t size) {
    if (strikes(family, block, size)) {
        return NULL;
    }
    void *moved = realloc(block, size);
    return block == NULL ? count(family, moved, 1) : moved;
}

static void release(enum fault_family family, void *block) {
    free(count(family, block, -1));
}

/* ---- one set of functions a family ------------------------------------------------------------
 */

void *counted_malloc(size_t size) {
    return allocate(FAULT_OWN, size);
}

void *counted_calloc(size_t number, size_t size) {
    return allocate_zeroed(FAULT_OWN, number, size);
}

void *counted_realloc(void *block, size_t size) {
    return reallocate(FAULT_OWN, block, size);
}

void counted_free(void *block) {
    release(FAULT_OWN, block);
}

void *counted_sodium_malloc(size_t size) {
    return strikes(FAULT_GUARDED, NULL, size) ? NULL : count(FAULT_GUARDED, sodium_malloc(size), 1);
}

void counted_sodium_free(void *block) {
    sodium_free(count(FAULT_GUARDED, block, -1));
}

static void *cjson_malloc(size_t size) {
    return allocate(FAULT_CJSON, size);
}

static void cjson_free(void *block) {
    release(FAULT_CJSON, block);
}

static void *curl_malloc(size_t size) {
    return allocate(FAULT_CURL, size);
}

static void *curl_calloc(size_t number, size_t size) {
    return allocate_zeroed(FAULT_CURL, number, size);
}

static void *curl_realloc(void *block, size_t size) {
    return reallocate(FAULT_CURL, block, size);
}

static void curl_release(void *block) {
    release(FAULT_CURL, block);
}

static char *curl_duplicate(const char *text) {
    size_t size = strlen(text) + 1;
    char *copy = allocate(FAULT_CURL, size);
    return copy == NULL ? NULL : memcpy(copy, text, size);
}

void *faults_lua(void *unused, void *block, size_t old_size, size_t new_size) {
    (void)unused;
    if (new_size == 0) {
        release(FAULT_LUA, block);
        return NULL;
    }
    /* Lua before 5.4 relies on shrinking never to fail. */
    if (block != NULL && new_size <= old_size) {
        return realloc(block, new_size);
    }
    return reallocate(FAULT_LUA, block, new_size);
}

/* ---- plans ------------------------------------------------------------------------------------
 */

bool faults_install(void) {
    cJSON_Hooks hooks = {.malloc_fn = cjson_malloc, .free_fn = cjson_free};
    cJSON_InitHooks(&hooks);
    return curl_global_init_mem(CURL_GLOBAL_DEFAULT, curl_malloc, curl_release, curl_realloc,
                                curl_duplicate, curl_calloc) == CURLE_OK;
}

void faults_arm(unsigned families, enum fault_mode mode, unsigned long point) {
    pthread_mutex_lock(&lock);
    memset(&plan, 0, sizeof plan);
    plan.families = families;
    plan.mode = mode;
    plan.point = point;
    pthread_mutex_unlock(&lock);
}

unsigned long faults_disarm(bool *struck) {
    pthread_mutex_lock(&lock);
    unsigned long seen = plan.seen;
    if (struck != NULL) {
        *struck = plan.struck;
    }
    memset(&plan, 0, sizeof plan);
    pthread_mutex_unlock(&lock);
    return seen;
}

long faults_live(enum fault_family family) {
    pthread_mutex_lock(&lock);
    long blocks = live[family];
    pthread_mutex_unlock(&lock);
    return blocks;
}
