#include "http/no_proxy.h"

#include <arpa/inet.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "text/ascii.h"

enum { NAME_MAX_LENGTH = 255, ADDRESS_BYTES_MAX = 16, BITS_OF_A_BYTE = 8 };

struct name {
    char text[NAME_MAX_LENGTH + 1]; /* lower case, without brackets and without a last dot */
    unsigned char address[ADDRESS_BYTES_MAX];
    size_t address_length; /* 0: it is none */
};

static void take_name(struct name *name, const char *text, size_t length) {
    memset(name, 0, sizeof *name);
    if (length > 1 && text[0] == '[' && text[length - 1] == ']') {
        text++;
        length -= 2;
    }
    if (length > 0 && text[length - 1] == '.') {
        length--;
    }
    if (length > NAME_MAX_LENGTH) {
        return; /* empty: like nothing */
    }
    for (size_t i = 0; i < length; i++) {
        name->text[i] = cba_ascii_lower(text[i]);
    }
    if (inet_pton(AF_INET, name->text, name->address) == 1) {
        name->address_length = sizeof(struct in_addr);
    } else if (inet_pton(AF_INET6, name->text, name->address) == 1) {
        name->address_length = sizeof(struct in6_addr);
    }
}

static bool same_bits(const unsigned char *one, const unsigned char *other, size_t bits) {
    size_t whole = bits / BITS_OF_A_BYTE, rest = bits % BITS_OF_A_BYTE;
    return memcmp(one, other, whole) == 0 &&
           (rest == 0 || (one[whole] ^ other[whole]) >> (BITS_OF_A_BYTE - rest) == 0);
}

/* `prefix` is what follows the slash, NULL: nothing does. */
static bool same_network(const struct name *host, const struct name *word, const char *prefix) {
    size_t most = word->address_length * BITS_OF_A_BYTE;
    size_t bits = most;
    if (prefix != NULL) {
        size_t digits = strspn(prefix, "0123456789");
        bits = digits > 0 && digits <= 3 ? (size_t)strtoul(prefix, NULL, 10) : most + 1;
    }
    return host->address_length == word->address_length && bits <= most &&
           same_bits(host->address, word->address, bits);
}

static bool is_like(const char *pattern, const char *text) {
    const char *star = NULL, *again = NULL;
    while (*text != '\0') {
        if (*pattern == '*') {
            star = pattern++;
            again = text;
        } else if (*pattern == *text) {
            pattern++;
            text++;
        } else if (star != NULL) {
            pattern = star + 1;
            text = ++again;
        } else {
            return false;
        }
    }
    pattern += strspn(pattern, "*");
    return *pattern == '\0';
}

/* Whether the host's name, or what is left of it behind one of its dots, is like a word. Of an
 * address that is no name. */
static bool is_below(const struct name *host, const char *pattern) {
    pattern += *pattern == '.' ? 1 : strncmp(pattern, "*.", 2) == 0 ? 2 : 0;
    const char *tail = host->text;
    bool found = *pattern != '\0' && is_like(pattern, tail);
    while (!found && host->address_length == 0 && (tail = strchr(tail, '.')) != NULL) {
        found = is_like(pattern, ++tail);
    }
    return found;
}

/* Where a word's port begins, behind a colon that is no part of an IPv6 address; or its end. */
static size_t name_length(const char *word, size_t length) {
    size_t i = word[0] == '[' ? strcspn(word, "] ,\t") : 0;
    const char *colon = i < length ? memchr(word + i, ':', length - i) : NULL;
    if (colon == NULL || memchr(colon + 1, ':', length - (size_t)(colon + 1 - word)) != NULL) {
        return length;
    }
    return (size_t)(colon - word);
}

static bool word_holds(const char *word, size_t length, const struct name *host, const char *port) {
    struct name name;
    size_t end = name_length(word, length);
    if (end < length) {
        size_t digits = length - end - 1;
        if (digits != strlen(port) || memcmp(word + end + 1, port, digits) != 0) {
            return false;
        }
    }
    const char *slash = memchr(word, '/', end);
    take_name(&name, word, slash != NULL ? (size_t)(slash - word) : end);
    if (name.address_length > 0) {
        return same_network(host, &name, slash != NULL ? slash + 1 : NULL);
    }
    return slash == NULL && is_below(host, name.text);
}

bool cba_no_proxy_holds(const char *list, const char *host, const char *port) {
    static const char between[] = " ,\t";
    struct name name;
    take_name(&name, host, strlen(host));
    for (list += strspn(list, between); *list != '\0'; list += strspn(list, between)) {
        size_t length = strcspn(list, between);
        if (word_holds(list, length, &name, port)) {
            return true;
        }
        list += length;
    }
    return false;
}
