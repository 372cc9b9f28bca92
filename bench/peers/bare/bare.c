/* bare MODE [COUNT [EARLY]]
 *
 * The limit that calls are measured against: a loop around one libcurl handle that makes the
 * same POST, header for header, over a kept and verified TLS connection, and looks at nothing but
 * the status. No JSON, no time limits, no checks of input, no wiping. bench/run.lua says what the
 * modes mean. With BARE_TOKEN set it does what all the others do, too: it takes the token out of
 * the answer, with cJSON. With BARE_FORM set it posts a form to /oauth2/token instead: the sandbox
 * is meant to take as long for the one as for the other. The modes get-warm, get-turns and
 * get-memory make a GET of $BENCH_GET, a path with one parameter, with a token. They do what each
 * request of an API needs: its URL with the encoded parameter, its header lines, and the header
 * lines of the answer beside the body. Nothing is checked.
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

static struct answer answer, answer_headers;
static char url[1024], body[1024];
static char token[sizeof answer.bytes];
static bool wants_token;
static struct { char path[512], name[64], value[64]; } parameter;

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

static void become_get(CURL *easy) {
    need(sscanf(setting("BENCH_GET"), "%511[^?]?%63[^=]=%63s", parameter.path, parameter.name,
                parameter.value) == 3,
         "BENCH_GET is no path with one parameter");
    SET(CURLOPT_HTTPGET, 1L);
    SET(CURLOPT_ACCEPT_ENCODING, "");
    SET(CURLOPT_HEADERFUNCTION, take);
    SET(CURLOPT_HEADERDATA, &answer_headers);
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

static void get(CURL *easy) {
    static char line[sizeof token];
    char *value = curl_easy_escape(easy, parameter.value, 0);
    need(value != NULL, "out of memory");
    need(snprintf(url, sizeof url, "%s%s?%s=%s", setting("COREBANK_BASE_URL"), parameter.path,
                  parameter.name, value) < (int)sizeof url,
         "BENCH_GET is too long");
    curl_free(value);
    need(snprintf(line, sizeof line, "Authorization: Bearer %s", token) < (int)sizeof line,
         "the token is too long");
    struct curl_slist *headers = append(NULL, line);
    append(headers, "Accept: application/json");
    SET(CURLOPT_URL, url);
    SET(CURLOPT_HTTPHEADER, headers);
    answer_headers.length = 0;
    exchange(easy);
    SET(CURLOPT_HTTPHEADER, NULL);
    curl_slist_free_all(headers);
}

/* What is measured: `exchange` or `get`. */
static void (*call)(CURL *easy) = exchange;

static void warm(CURL *easy, long count) {
    call(easy);
    double wall = wall_now(), cpu = cpu_now();
    for (long i = 0; i < count; i++) {
        call(easy);
    }
    printf("%.9f %.9f\n", wall_now() - wall, cpu_now() - cpu);
}

static void turns(CURL *easy, long count) {
    call(easy);
    setvbuf(stdout, NULL, _IOLBF, 0);
    for (int byte = getchar(); byte != EOF; byte = getchar()) {
        double wall = wall_now();
        for (long i = 0; i < count; i++) {
            call(easy);
        }
        printf("%.9f\n", wall_now() - wall);
    }
}

static void memory(CURL *easy, long count, long early) {
    long peak_early = 0;
    for (long i = 1; i <= count; i++) {
        call(easy);
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
        become_get(easy);
        call = get;
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
