/* Removes the errors that libcurl leaves in OpenSSL's error queue. There is one queue for each
 * thread, and a program such as nginx would take these errors for its own. Errors that were in the
 * queue before stay, unless libcurl itself empties the queue, as it does before a handshake.
 *
 * This library does not link OpenSSL. If the process has OpenSSL, its functions are looked up. */
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
