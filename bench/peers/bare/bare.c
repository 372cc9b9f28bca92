/* bare MODE [COUNT [EARLY]]
 *
 * The limit that calls are measured against: a loop around one libcurl handle that makes the
 * same POST, header for header, over a kept and verified TLS connection, and looks at nothing but
 * the status. No JSON, no time limits, no checks of input, no wiping. bench/run.lua says what the
 * modes mean. With BARE_TOKEN set it does what all the others do, too: it takes the token out of
 * the answer, with cJSON. With BARE_FORM set it posts a form to /oauth2/token instead: the sandbox
 * is meant to take as long for the one as for the other. The modes get-warm, get-turns and
 * get-memory do the same with a GET of $BENCH_GET that carries a token.
 *
 * Reads COREBANK_BASE_URL, COREBANK_CLIENT_ID, COREBANK_CLIENT_SECRET and COREBANK_CA_FILE.
 */
#include <cjson/cJSON.h>
#include <curl/curl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

struct answer {
    size_t length;
    char bytes[64 * 1024];
};

static const char *setting(const char *name) {
    const char *value = getenv(name);
    if (value == NULL) {
        fprintf(stderr, "bare: %s is not set\n", name);
        exit(2);
    }
    return value;
}

static void need(bool ok, const char *what) {
    if (!ok) {
        fprintf(stderr, "bare: %s\n", what);
        exit(1);
    }
}

static size_t take(char *bytes, size_t one, size_t count, void *owner) {
    struct answer *answer = owner;
    size_t length = one * count;
    if (length > sizeof answer->bytes - answer->length) {
        return 0;
    }
    memcpy(answer->bytes + answer->length, bytes, length);
    answer->length += length;
    return length;
}

static struct curl_slist *append(struct curl_slist *list, const char *line) {
    struct curl_slist *longer = curl_slist_append(list, line);
    need(longer != NULL, "out of memory");
    return longer;
}

static double seconds(struct timeval time) {
    return (double)time.tv_sec + (double)time.tv_usec * 1e-6;
}

static double wall_now(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static double cpu_now(void) {
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

static long peak_kib(void) {
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return usage.ru_maxrss;
}

static struct answer answer;
static char url[1024], body[1024];
static char token[sizeof answer.bytes];
static bool wants_token;

#define SET(option, value)                                                                         \
    need(curl_easy_setopt(easy, option, value) == CURLE_OK, "an option did not take")

static struct curl_slist *prepare(CURL *easy) {
    bool form = getenv("BARE_FORM") != NULL;
    snprintf(url, sizeof url, "%s%s", setting("COREBANK_BASE_URL"),
             form ? "/oauth2/token" : "/api/auth/v1/authenticate");
    snprintf(body, sizeof body,
             form ? "grant_type=client_credentials&client_id=%s&client_secret=%s"
                  : "{\"clientId\":\"%s\",\"clientSecret\":\"%s\"}",
             setting("COREBANK_CLIENT_ID"), setting("COREBANK_CLIENT_SECRET"));
    struct curl_slist *headers =
        append(NULL, form ? "Content-Type: application/x-www-form-urlencoded"
                          : "Content-Type: application/json");
    append(headers, "Accept: application/json");
    SET(CURLOPT_URL, url);
    SET(CURLOPT_CAINFO, setting("COREBANK_CA_FILE"));
    SET(CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    SET(CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    SET(CURLOPT_HTTPHEADER, headers);
    SET(CURLOPT_USERAGENT, "corebank-auth/bench");
    SET(CURLOPT_POSTFIELDS, body);
    SET(CURLOPT_NOSIGNAL, 1L);
    SET(CURLOPT_WRITEFUNCTION, take);
    SET(CURLOPT_WRITEDATA, &answer);
    return headers;
}

/* What is measured is a GET with the token from now on. */
static struct curl_slist *become_get(CURL *easy, struct curl_slist *old) {
    static char line[sizeof token];
    need(snprintf(url, sizeof url, "%s%s", setting("COREBANK_BASE_URL"), setting("BENCH_GET")) <
             (int)sizeof url,
         "BENCH_GET is too long");
    need(snprintf(line, sizeof line, "Authorization: Bearer %s", token) < (int)sizeof line,
         "the token is too long");
    struct curl_slist *headers = append(NULL, line);
    append(headers, "Accept: application/json");
    SET(CURLOPT_HTTPGET, 1L);
    SET(CURLOPT_URL, url);
    SET(CURLOPT_ACCEPT_ENCODING, "");
    SET(CURLOPT_HTTPHEADER, headers);
    curl_slist_free_all(old);
    return headers;
}

static void take_token(void) {
    cJSON *reply = cJSON_ParseWithLength(answer.bytes, answer.length);
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(reply, "accessToken"));
    need(text != NULL, "there is no token in the answer");
    memcpy(token, text, strlen(text) + 1); /* shorter than the answer that it was in */
    cJSON_Delete(reply);
}

static void exchange(CURL *easy) {
    long status = 0;
    answer.length = 0;
    need(curl_easy_perform(easy) == CURLE_OK, "a call failed");
    curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
    need(status == 200, "the status was not 200");
    if (wants_token) {
        take_token();
    }
}

static void warm(CURL *easy, long count) {
    exchange(easy);
    double wall = wall_now(), cpu = cpu_now();
    for (long i = 0; i < count; i++) {
        exchange(easy);
    }
    printf("%.9f %.9f\n", wall_now() - wall, cpu_now() - cpu);
}

static void turns(CURL *easy, long count) {
    exchange(easy);
    setvbuf(stdout, NULL, _IOLBF, 0);
    for (int byte = getchar(); byte != EOF; byte = getchar()) {
        double wall = wall_now();
        for (long i = 0; i < count; i++) {
            exchange(easy);
        }
        printf("%.9f\n", wall_now() - wall);
    }
}

static void memory(CURL *easy, long count, long early) {
    long peak_early = 0;
    for (long i = 1; i <= count; i++) {
        exchange(easy);
        if (i == early) {
            peak_early = peak_kib();
        }
    }
    printf("%ld %ld\n", peak_early, peak_kib());
}

int main(int argc, char **argv) {
    const char *mode = argc > 1 ? argv[1] : "";
    long count = argc > 2 ? strtol(argv[2], NULL, 10) : 0;
    CURL *easy = curl_easy_init();
    need(easy != NULL, "out of memory");
    struct curl_slist *headers = prepare(easy);
    wants_token = getenv("BARE_TOKEN") != NULL;
    if (strncmp(mode, "get-", 4) == 0) {
        mode += 4;
        exchange(easy);
        take_token();
        headers = become_get(easy, headers);
    }
    if (strcmp(mode, "once") == 0) {
        exchange(easy);
        printf("%.*s\n", (int)answer.length, answer.bytes);
    } else if (strcmp(mode, "warm") == 0 && count > 0) {
        warm(easy, count);
    } else if (strcmp(mode, "turns") == 0 && count > 0) {
        turns(easy, count);
    } else if (strcmp(mode, "memory") == 0 && argc > 3) {
        memory(easy, count, strtol(argv[3], NULL, 10));
    } else {
        need(strcmp(mode, "start") == 0,
             "usage: bare start | once | [get-]warm COUNT | [get-]turns COUNT | "
             "[get-]memory COUNT EARLY");
    }
    curl_slist_free_all(headers);
    curl_easy_cleanup(easy);
    return 0;
}
