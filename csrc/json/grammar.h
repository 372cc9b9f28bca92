/* The grammar of RFC 8259. cJSON accepts texts that are not JSON. It also turns a malformed escape
 * into a NUL, which ends the string too early. So each text is checked here before cJSON reads it.
 */
#ifndef CBA_GRAMMAR_H
#define CBA_GRAMMAR_H

#include <stdbool.h>
#include <stddef.h>

/* cJSON's own limit: it parses whatever is accepted here. */
enum { CBA_JSON_DEPTH_MAX = 1000 };

/* Whether `bytes` is one JSON text in UTF-8 that nests no deeper than CBA_JSON_DEPTH_MAX. A byte
 * order mark at its start is ignored. Recursion is as deep as the text nests. */
bool cba_grammar_accepts(const char *bytes, size_t length);

enum cba_grammar_verdict { CBA_GRAMMAR_JSON, CBA_GRAMMAR_NOT_JSON, CBA_GRAMMAR_TOO_DEEP };

/* The same with another limit of depth. If the text is refused, `*at` is the offset of the first
 * byte that is wrong. */
enum cba_grammar_verdict cba_grammar_judge(const char *bytes, size_t length, size_t depth_max,
                                           size_t *at);

/* The next string or number of an accepted text, at or after `at`. It ends at `*after`. NULL when
 * there is none. `at` must not be inside a string or number. */
const char *cba_grammar_token(const char *at, const char *end, const char **after);

/* The next \u escape of an accepted text, at or after `at`, whose character a C string of UTF-8
 * cannot hold: U+0000, or half of a surrogate pair. NULL when there is none. */
const char *cba_grammar_odd_escape(const char *at, const char *end);

#endif
