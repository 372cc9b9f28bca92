/* Keeps what libcurl leaves in OpenSSL's queue of errors from the host. There is one queue for each
 * thread, and a host such as nginx takes what it finds there for its own. What was in the queue
 * before stays, unless libcurl itself empties it, as it does before a handshake.
 *
 * OpenSSL is not linked for this: where the process has it, its functions are found. */
#ifndef CBA_OPENSSL_QUEUE_H
#define CBA_OPENSSL_QUEUE_H

struct cba_openssl_queue {
    int (*set_mark)(void);    /* NULL: there is no OpenSSL */
    int (*pop_to_mark)(void); /* of an empty queue, which takes no mark, it removes all that came */
};

void cba_openssl_queue_find(struct cba_openssl_queue *queue);
void cba_openssl_queue_hold(const struct cba_openssl_queue *queue);
/* Once for each hold; they do not nest. */
void cba_openssl_queue_release(const struct cba_openssl_queue *queue);

#endif
