/* A bank in a child process that answers thousands of plain HTTP requests a second, and is strict:
 * a request that lacks anything gets a 400, so that a header lost to a failed allocation shows as a
 * denial. The first segment of the path chooses the answer:
 *
 *   /ok        a token, in chunks          /denied    401 with a JSON body
 *   /options   the same, for a request     /garbage   200 that is no JSON
 *              with the gateway's header   /redirect  307 to /ok
 *   /flaky     503 and /ok in turn         /away      307 to another origin
 *   /unusable  200 with another tokenType  /large     /ok in more than 4 KiB
 *   /put       the same for a PUT with two header lines and a body of TINY_BANK_PUT_BODY bytes
 */
#ifndef CBA_TINY_BANK_H
#define CBA_TINY_BANK_H

#include <stdbool.h>
#include <sys/types.h>

#define TINY_BANK_CLIENT_ID "torture-client"
#define TINY_BANK_CLIENT_SECRET "canary-\\\"secret\\\"-Kq83" /* as JSON writes it */
#define TINY_BANK_GATEWAY_KEY "X-Gateway-Key: canary-key-77"

enum { TINY_BANK_PUT_BODY = 4096 };

struct tiny_bank {
    pid_t pid;
    int lifeline; /* the child ends when this end is closed */
    unsigned port;
};

/* Call it before anything that a child should not inherit. */
bool tiny_bank_start(struct tiny_bank *bank);
void tiny_bank_stop(struct tiny_bank *bank);

#endif
