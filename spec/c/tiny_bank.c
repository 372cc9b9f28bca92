#include "tiny_bank.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { CONNECTIONS = 64, REQUEST_MAX = 8192, LARGE_BODY = 6000 };

struct connection {
    size_t used;
    char bytes[REQUEST_MAX + 1];
};

static const char path[] = "/api/auth/v1/authenticate HTTP/1.1\r\n";
static const char credentials[] =
    "{\"clientId\":\"" TINY_BANK_CLIENT_ID "\",\"clientSecret\":\"" TINY_BANK_CLIENT_SECRET "\"}";

static const char token[] =
    "HTTP/1.1 200 OK\r\nDate: Mon, 01 Jan 2024 00:00:00 GMT\r\nContent-Type: application/json\r\n"
    "Transfer-Encoding: chunked\r\n\r\n"
    "27\r\n{\"accessToken\":\"canary-token-Zx9-._~+/=\r\n"
    "36\r\n\",\"tokenType\":\"Bearer\",\"expirationTime\":4102444800000,\r\n"
    "24\r\n\"tokenValiditySec\":3600,\"more\":[{}]}\r\n0\r\n\r\n";
/* The same with blanks after it, more than the client has room for from the start. */
static const char *large_token(void) {
    static const char format[] =
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%-*s";
    static const char reply[] =
        "{\"accessToken\":\"canary-token-Zx9-._~+/=\",\"tokenType\":\"Bearer\","
        "\"expirationTime\":4102444800000,\"tokenValiditySec\":3600}";
    static char answer[sizeof format + LARGE_BODY];
    snprintf(answer, sizeof answer, format, LARGE_BODY, LARGE_BODY, reply);
    return answer;
}

static const char denied[] =
    "HTTP/1.1 401 Unauthorized\r\nContent-Type: application/json\r\nContent-Length: 47\r\n"
    "Retry-After: 1\r\n\r\n{\"error\":\"no " TINY_BANK_CLIENT_ID "\",\"token\":\"canary\"} ";
static const char garbage[] = "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n"
                              "Content-Length: 14\r\n\r\n<html>hi</html";
static const char unusable[] =
    "HTTP/1.1 200 OK\r\nContent-Length: 37\r\n\r\n{\"accessToken\":\"x\",\"tokenType\":\"mac\"}";
static const char redirect[] =
    "HTTP/1.1 307 Temporary Redirect\r\nLocation: /ok/api/auth/v1/authenticate\r\n"
    "Content-Length: 0\r\n\r\n";
static const char away[] =
    "HTTP/1.1 307 Temporary Redirect\r\nLocation: http://elsewhere.invalid:81/\r\n"
    "Content-Length: 0\r\n\r\n";
static const char busy[] = "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n";
static const char bad_request[] = "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n";

/* The one header line that begins with `name`, NULL when there is none or there are two. */
static const char *find_header(const char *head, const char *name) {
    const char *found = NULL;
    for (const char *line = strstr(head, "\r\n"); line != NULL; line = strstr(line, "\r\n")) {
        line += 2;
        if (strncasecmp(line, name, strlen(name)) == 0) {
            if (found != NULL) {
                return NULL;
            }
            found = line;
        }
    }
    return found;
}

/* Whether a PUT has all that the client was asked to send, and nothing that libcurl likes to add.
 */
static bool is_whole_put(const char *head, const char *body) {
    return find_header(head, TINY_BANK_GATEWAY_KEY "\r\n") != NULL &&
           find_header(head, "X-Own: 1\r\n") != NULL && find_header(head, "Expect:") == NULL &&
           find_header(head, "Content-Type:") == NULL && strlen(body) == TINY_BANK_PUT_BODY;
}

static bool is_whole(const char *head, const char *body) {
    static const char *const wanted[] = {
        "Host: ",
        "Content-Type: application/json\r\n",
        "Accept: application/json\r\n",
        "User-Agent: corebank-auth/",
    };
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++) {
        if (find_header(head, wanted[i]) == NULL) {
            return false;
        }
    }
    return find_header(head, "Expect:") == NULL && strcmp(body, credentials) == 0;
}

static const char *answer_to(const char *head, const char *body) {
    const char *end = strstr(head, path);
    if (strncmp(head, "PUT /put HTTP/1.1\r\n", 19) == 0) {
        return is_whole_put(head, body) ? large_token() : bad_request;
    }
    if (strncmp(head, "POST /", 6) != 0 || end == NULL || !is_whole(head, body)) {
        return bad_request;
    }
    size_t length = (size_t)(end - head) - 6;
    const char *name = head + 6;
    static const struct {
        const char *name, *answer;
    } plain[] = {
        {"ok", token},          {"denied", denied},     {"garbage", garbage},
        {"unusable", unusable}, {"redirect", redirect}, {"away", away},
    };
    for (size_t i = 0; i < sizeof plain / sizeof *plain; i++) {
        if (strlen(plain[i].name) == length && memcmp(name, plain[i].name, length) == 0) {
            return plain[i].answer;
        }
    }
    if (length == 5 && memcmp(name, "flaky", 5) == 0) {
        static bool busy_before;
        busy_before = !busy_before;
        return busy_before ? busy : token;
    }
    if (length == 5 && memcmp(name, "large", 5) == 0) {
        return large_token();
    }
    bool has_key = find_header(head, TINY_BANK_GATEWAY_KEY "\r\n") != NULL;
    return length == 7 && memcmp(name, "options", 7) == 0 && has_key ? token : bad_request;
}

/* Answers what has arrived whole; false when the connection is to be closed. */
static bool serve(int fd, struct connection *connection) {
    ssize_t got = read(fd, connection->bytes + connection->used, REQUEST_MAX - connection->used);
    if (got <= 0) {
        return false;
    }
    connection->used += (size_t)got;
    connection->bytes[connection->used] = '\0';
    char *body = strstr(connection->bytes, "\r\n\r\n");
    if (body == NULL) {
        return connection->used < REQUEST_MAX;
    }
    body[2] = '\0'; /* the head ends with its last line */
    body += 4;
    const char *length = find_header(connection->bytes, "Content-Length: ");
    size_t wanted = length == NULL ? 0 : strtoul(length + 16, NULL, 10);
    size_t here = connection->used - (size_t)(body - connection->bytes);
    if (here < wanted) {
        body[-2] = '\r';
        return connection->used < REQUEST_MAX;
    }
    const char *answer = answer_to(connection->bytes, here == wanted ? body : "");
    connection->used = 0;
    return write(fd, answer, strlen(answer)) == (ssize_t)strlen(answer);
}

static int accept_one(int listener) {
    int fd = accept(listener, NULL, NULL);
    int on = 1;
    if (fd >= 0) {
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    }
    return fd;
}

static void run(int listener, int lifeline) {
    static struct connection connections[CONNECTIONS];
    struct pollfd fds[CONNECTIONS + 2] = {
        {.fd = listener, .events = POLLIN},
        {.fd = lifeline, .events = POLLIN},
    };
    nfds_t used = 2;
    while (poll(fds, used, -1) >= 0 && fds[1].revents == 0) {
        for (nfds_t i = used; i-- > 2;) {
            if (fds[i].revents != 0 && !serve(fds[i].fd, &connections[i - 2])) {
                close(fds[i].fd);
                used--;
                fds[i] = fds[used];
                connections[i - 2] = connections[used - 2];
            }
        }
        if (fds[0].revents != 0 && used < CONNECTIONS + 2) {
            int fd = accept_one(listener);
            if (fd >= 0) {
                connections[used - 2].used = 0;
                fds[used++] = (struct pollfd){.fd = fd, .events = POLLIN};
            }
        }
    }
}

bool tiny_bank_start(struct tiny_bank *bank) {
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t size = sizeof address;
    int pipe_ends[2];
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    if (listener < 0 || bind(listener, (struct sockaddr *)&address, size) != 0 ||
        listen(listener, CONNECTIONS) != 0 ||
        getsockname(listener, (struct sockaddr *)&address, &size) != 0 || pipe(pipe_ends) != 0) {
        perror("tiny bank");
        return false;
    }
    bank->port = ntohs(address.sin_port);
    bank->lifeline = pipe_ends[1];
    bank->pid = fork();
    if (bank->pid == 0) {
        close(pipe_ends[1]);
        run(listener, pipe_ends[0]);
        _exit(0);
    }
    close(listener);
    close(pipe_ends[0]);
    return bank->pid > 0;
}

void tiny_bank_stop(struct tiny_bank *bank) {
    close(bank->lifeline);
    waitpid(bank->pid, NULL, 0);
}
