/* The grammar of RFC 8259. cJSON takes much that is no JSON, and of a malformed escape it makes a
 * character that ends a string early: what it reads goes through here first. */
#ifndef CBA_GRAMMAR_H
#define CBA_GRAMMAR_H

#include <stdbool.h>
#include <stddef.h>

/* cJSON's own limit: what is accepted here is not refused there. */
enum { CBA_JSON_DEPTH_MAX = 1000 };

/* Whether `bytes` is one JSON text in UTF-8 that nests no deeper than CBA_JSON_DEPTH_MAX. A byte
 * order mark at its start is ignored. Uses a fixed amount of stack. */
bool cba_grammar_accepts(const char *bytes, size_t length);

/* In a text that is accepted, the next six bytes at or after `at` that spell, with \u, what a C
 * string of UTF-8 cannot hold: U+0000, or half of a surrogate pair. NULL when there are no more. */
const char *cba_grammar_odd_escape(const char *at, const char *end);

#endif
