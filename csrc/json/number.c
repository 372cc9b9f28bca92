#include "json/number.h"

#include <float.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const double largest_whole = 9007199254740992.0; /* 2^53 */

enum {
    DIGITS_MAX = 767,   /* no double has more */
    WHOLE_MAX = 19,     /* digits of a 64-bit integer */
    POWER_MAX = 400,    /* with a larger one the number overflows */
    POWER_MIN = -1200,  /* with a smaller one it is 0, or has too many digits */
    EXPONENT_SIZE = 16, /* characters of an e, an exponent and a NUL */
};

/* digits * 10^power. Neither the first digit nor the last one is 0. The number 0 has no digits. */
struct decimal {
    bool negative;
    size_t count; /* of all digits; those beyond DIGITS_MAX are not kept */
    long long power;
    char digits[DIGITS_MAX + EXPONENT_SIZE];
};

/* ---- reading ------------------------------------------------------------------------------- */

static bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

/* Whether a number has neither a point nor an exponent. */
static bool is_plain(const char *digits, size_t length) {
    size_t at = *digits == '-';
    while (at < length && is_digit(digits[at])) {
        at++;
    }
    return at == length;
}

static void add_digit(struct decimal *decimal, char digit) {
    if (decimal->count < DIGITS_MAX) {
        decimal->digits[decimal->count] = digit;
    }
    decimal->count++;
}

/* An exponent that is too large is cut: the number overflows in any case. */
static long long read_exponent(const char *at, const char *end) {
    enum { CUT = 1000000000 };
    long long exponent = 0;
    bool negative = *at == '-';
    for (at += !is_digit(*at); at < end; at++) {
        exponent = exponent < CUT ? exponent * 10 + (*at - '0') : exponent;
    }
    return negative ? -exponent : exponent;
}

static void read_decimal(const char *at, const char *end, struct decimal *decimal) {
    bool in_fraction = false;
    size_t zeros = 0; /* after the last digit that was added */
    decimal->count = 0;
    decimal->power = 0;
    decimal->negative = *at == '-';
    for (at += decimal->negative; at < end && *at != 'e' && *at != 'E'; at++) {
        if (*at == '.') {
            in_fraction = true;
            continue;
        }
        decimal->power -= in_fraction;
        if (*at == '0') {
            zeros += decimal->count > 0;
            continue;
        }
        for (; zeros > 0; zeros--) {
            add_digit(decimal, '0');
        }
        add_digit(decimal, *at);
    }
    decimal->power += (long long)zeros + (at < end ? read_exponent(at + 1, end) : 0);
}

static bool read_whole(const struct decimal *decimal, long long *whole) {
    unsigned long long value = 0;
    if (decimal->power < 0 || decimal->power > WHOLE_MAX ||
        decimal->count + (size_t)decimal->power > WHOLE_MAX) {
        return false;
    }
    for (size_t i = 0; i < decimal->count + (size_t)decimal->power; i++) {
        value = value * 10 + (i < decimal->count ? (unsigned)(decimal->digits[i] - '0') : 0);
    }
    if (value > (unsigned long long)LLONG_MAX + decimal->negative) {
        return false;
    }
    /* Unsigned, because the magnitude of the least long long is not a long long. */
    *whole = (long long)(decimal->negative ? 0 - value : value);
    return true;
}

/* Whether `value`, written with as many digits as the decimal, has the same digits. */
static bool gives_back(double value, const struct decimal *decimal) {
    char text[DIGITS_MAX + EXPONENT_SIZE + 8]; /* a sign, and the point of any locale */
    (void)snprintf(text, sizeof text, "%.*e", (int)decimal->count - 1, fabs(value));
    const char *at = text;
    for (size_t i = 0; i < decimal->count; i++, at++) {
        while (!is_digit(*at)) {
            at++;
        }
        if (*at != decimal->digits[i]) {
            return false;
        }
    }
    return strtoll(at + 1, NULL, 10) == decimal->power + (long long)decimal->count - 1;
}

static bool read_double(struct decimal *decimal, double *value) {
    if (decimal->count > DIGITS_MAX || decimal->power > POWER_MAX || decimal->power < POWER_MIN) {
        return false;
    }
    /* Without a point, because a locale may have another one. */
    (void)snprintf(decimal->digits + decimal->count, EXPONENT_SIZE, "e%d", (int)decimal->power);
    double magnitude = strtod(decimal->digits, NULL);
    *value = decimal->negative ? -magnitude : magnitude;
    if (isinf(magnitude)) {
        return false;
    }
    return (decimal->count <= DBL_DIG && magnitude >= DBL_MIN) || gives_back(magnitude, decimal);
}

void cba_number_read(const char *digits, size_t length, struct cba_number *number) {
    struct decimal decimal;
    memset(number, 0, sizeof *number);
    read_decimal(digits, digits + length, &decimal);
    if (decimal.count == 0) {
        number->is_whole = !decimal.negative;
        number->is_double = true;
        number->value = decimal.negative ? -0.0 : 0.0;
        return;
    }
    number->is_whole = read_whole(&decimal, &number->whole);
    number->value = (double)number->whole;
    if (number->is_whole && fabs(number->value) < largest_whole) {
        number->is_double = true;
        return;
    }
    number->is_double = read_double(&decimal, &number->value);
    if (number->is_double && !is_plain(digits, length)) {
        number->is_whole = false;
    }
}

/* ---- writing ------------------------------------------------------------------------------- */

/* Replaces the locale's point, which may be several bytes, by a point. */
static void replace_point(char *text) {
    char *to = text;
    for (const char *from = text; *from != '\0';) {
        if (is_digit(*from) || strchr("+-e", *from) != NULL) {
            *to++ = *from++;
            continue;
        }
        *to++ = '.';
        from += strcspn(from, "0123456789");
    }
    *to = '\0';
}

void cba_number_write(double value, char text[CBA_NUMBER_SIZE]) {
    if (fabs(value) < largest_whole && floor(value) == value && value != 0) { /* -0 has a sign */
        (void)snprintf(text, CBA_NUMBER_SIZE, "%lld", (long long)value);
        return;
    }
    for (int digits = DBL_DIG; digits <= DBL_DIG + 2; digits++) {
        (void)snprintf(text, CBA_NUMBER_SIZE, "%.*g", digits, value);
        if (strtod(text, NULL) == value) {
            break;
        }
    }
    replace_point(text);
}
