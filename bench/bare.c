/* bare COUNT
 *
 * The limit that warm calls are measured against: a loop around one libcurl handle that makes the
 * same POST, header for header, over a kept and verified TLS connection, and looks at nothing but
 * the status. No JSON, no time limits, no checks of input, no wiping.
 *
 * Reads COREBANK_BASE_URL, COREBANK_CLIENT_ID, COREBANK_CLIENT_SECRET and COREBANK_CA_FILE, makes
 * one call that is not counted, then COUNT more, and prints the seconds they took: wall, CPU.
 */
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

#define SET(option, value)                                                                         \
    need(curl_easy_setopt(easy, option, value) == CURLE_OK, "an option did not take")

int main(int argc, char **argv) {
    static struct answer answer;
    char url[1024], body[1024];
    long count = argc == 2 ? strtol(argv[1], NULL, 10) : 0;
    need(count > 0, "usage: bare COUNT");
    snprintf(url, sizeof url, "%s/api/auth/v1/authenticate", setting("COREBANK_BASE_URL"));
    snprintf(body, sizeof body, "{\"clientId\":\"%s\",\"clientSecret\":\"%s\"}",
             setting("COREBANK_CLIENT_ID"), setting("COREBANK_CLIENT_SECRET"));

    CURL *easy = curl_easy_init();
    need(easy != NULL, "out of memory");
    struct curl_slist *headers = append(NULL, "Content-Type: application/json");
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

    double wall = 0, cpu = 0;
    for (long i = 0; i <= count; i++) {
        long status = 0;
        if (i == 1) {
            wall = wall_now();
            cpu = cpu_now();
        }
        answer.length = 0;
        need(curl_easy_perform(easy) == CURLE_OK, "a call failed");
        curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
        need(status == 200, "the status was not 200");
    }
    printf("%.9f %.9f\n", wall_now() - wall, cpu_now() - cpu);
    curl_slist_free_all(headers);
    curl_easy_cleanup(easy);
    return 0;
}
