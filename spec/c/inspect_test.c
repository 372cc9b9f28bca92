/* csrc/http/inspect.c, with a libcurl that lacks an option. */
#include <curl/curl.h>
#include <dlfcn.h>
#include <stdarg.h>
#include <stdio.h>

#include "check.h"
#include "http/inspect.h"
#include "tiny_bank.h"

static CURLoption refused;
static CURLcode refusal;

/* In place of libcurl's, which it calls. */
#undef curl_easy_setopt
CURLcode curl_easy_setopt(CURL *curl, CURLoption option, ...) {
    static CURLcode (*real)(CURL *, CURLoption, ...);
    va_list arguments;
    CURLcode code;
    if (real == NULL) {
        *(void **)&real = dlsym(RTLD_NEXT, "curl_easy_setopt");
    }
    va_start(arguments, option);
    /* An inspection sets no option that takes a curl_off_t. */
    code = option == refused ? refusal : real(curl, option, va_arg(arguments, void *));
    va_end(arguments);
    return code;
}

static struct cba_inspection inspect(unsigned port) {
    static const struct cba_settings settings = {.connect_timeout_ms = 1000, .proxy = ""};
    struct cba_inspection found;
    char url[64];
    snprintf(url, sizeof url, "http://127.0.0.1:%u/", port);
    cba_inspect(&settings, url, 5000, &found);
    return found;
}

int main(void) {
    struct tiny_bank bank;
    if (!tiny_bank_start(&bank)) {
        return 1;
    }
    struct cba_inspection found = inspect(bank.port);
    check(found.failure.outcome == CBA_ANSWERED, "connected");

    refused = CURLOPT_CERTINFO;
    refusal = CURLE_NOT_BUILT_IN; /* as libcurl with wolfSSL */
    found = inspect(bank.port);
    check(found.failure.outcome == CBA_ANSWERED, "connected without certificates");
    check(found.certificate_end[0] == '\0', "of which nothing is known");

    refusal = CURLE_OUT_OF_MEMORY;
    check(inspect(bank.port).failure.outcome == CBA_NO_MEMORY, "no memory for certificates");
    tiny_bank_stop(&bank);
    return check_summary("inspect_test");
}
