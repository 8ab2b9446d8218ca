#include "formats/formats_internal.h"

#include "base/check.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Exponents beyond this are infinity or zero for any text shorter than a gigabyte of zeros. */
static const int64_t exponent_far = 4000000000;

static double read_decimal(const struct decimal *decimal)
{
    /* Digits and exponent without a decimal point, so that the locale has no say. */
    char text[DECIMAL_DIGITS_MAX + 32];
    snprintf(text, sizeof text, "%s%se%lld", decimal->is_negative ? "-" : "",
             decimal->count == 0 ? "0" : decimal->digits,
             (long long)(decimal->exponent - decimal->count));
    return strtod(text, NULL);
}

static void strip_zeros(struct decimal *decimal)
{
    while (decimal->count > 0 && decimal->digits[decimal->count - 1] == '0') {
        decimal->count--;
    }
    decimal->digits[decimal->count] = '\0';
}

/* `number` rounded to `count` digits, trailing zeros kept. */
static void round_to_digits(double number, int count, struct decimal *out)
{
    char text[40];
    snprintf(text, sizeof text, "%.*e", count - 1, fabs(number));
    out->digits[0] = text[0];
    /* text[1] is the locale's decimal point. */
    memcpy(out->digits + 1, text + 2, (size_t)count - 1);
    out->digits[count] = '\0';
    out->count = count;
    out->exponent = strtol(strchr(text, 'e') + 1, NULL, 10) + 1;
    out->is_negative = signbit(number) != 0;
}

/* The next decimal of as many digits, one unit in the last place further from zero. */
static void step_up(struct decimal *decimal)
{
    int at = decimal->count - 1;
    while (at >= 0 && decimal->digits[at] == '9') {
        decimal->digits[at--] = '0';
    }
    if (at >= 0) {
        decimal->digits[at]++;
        return;
    }
    decimal->digits[0] = '1';
    decimal->exponent++;
}

static bool reads_back(const struct decimal *decimal, double number)
{
    return read_decimal(decimal) == number;
}

static bool is_power_of_two(double number)
{
    int exponent;
    return fabs(frexp(number, &exponent)) == 0.5;
}

/* Prices and ratios with a few decimals: the double is the quotient of an integer below 10^15 and a
 * power of ten, both exact, and division rounds correctly; decimals of up to 15 digits never share
 * a double, so this one is the shortest. */
static bool read_short(double number, struct decimal *out)
{
    static const double powers[] = {1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8};
    double size = fabs(number);
    if (size >= 1e15 || size < 1e-5) {
        return false;
    }
    for (int places = 0; places < (int)(sizeof powers / sizeof powers[0]); places++) {
        double scaled = rint(size * powers[places]);
        if (scaled >= 1e15) {
            return false;
        }
        if (scaled / powers[places] == size) {
            char text[24];
            out->count = snprintf(text, sizeof text, "%lld", (long long)scaled);
            memcpy(out->digits, text, (size_t)out->count + 1);
            out->exponent = out->count - places;
            out->is_negative = number < 0;
            strip_zeros(out);
            return true;
        }
    }
    return false;
}

void formats_shortest_decimal(double number, struct decimal *out)
{
    CHECK(isfinite(number));
    *out = (struct decimal){0};
    if (number == 0 || read_short(number, out)) {
        return;
    }
    /* Normal doubles tell all decimals of 15 digits apart: that rounding, stripped, is the shortest
     * if it reads back at all. Subnormals have fewer digits. */
    int count = fabs(number) < 1e-300 ? 1 : 15;
    for (; count <= DECIMAL_DIGITS_MAX; count++) {
        round_to_digits(number, count, out);
        if (reads_back(out, number)) {
            break;
        }
        /* Below a power of two doubles lie twice as dense as above it, so the second nearest
         * decimal, above, may read back when the nearest, below, does not. */
        if (is_power_of_two(number)) {
            step_up(out);
            if (reads_back(out, number)) {
                break;
            }
        }
    }
    CHECK(count <= DECIMAL_DIGITS_MAX);
    strip_zeros(out);
}

/* The digits and the point of a number lexeme; false when it has more significant digits than any
 * double is written with. Leaves `at` behind them. */
static bool read_digits(const char **at, const char *end, struct decimal *out)
{
    int64_t places = 0; /* digits seen after the point */
    int64_t zeros = 0;  /* zeros seen since the last significant digit */
    bool is_fraction = false;
    for (; *at < end && (**at == '.' || (**at >= '0' && **at <= '9')); (*at)++) {
        if (**at == '.') {
            is_fraction = true;
            continue;
        }
        places += is_fraction;
        if (**at == '0') {
            zeros += out->count > 0;
            continue;
        }
        if (out->count + zeros >= DECIMAL_DIGITS_MAX) {
            return false;
        }
        memset(out->digits + out->count, '0', (size_t)zeros);
        out->count += (int)zeros;
        zeros = 0;
        out->digits[out->count++] = **at;
    }
    out->digits[out->count] = '\0';
    out->exponent = out->count + zeros - places;
    return true;
}

static int64_t read_exponent(const char *at, const char *end)
{
    bool is_negative = *at == '-';
    at += *at == '-' || *at == '+';
    int64_t exponent = 0;
    for (; at < end; at++) {
        exponent = exponent >= exponent_far ? exponent_far : exponent * 10 + (*at - '0');
    }
    return is_negative ? -exponent : exponent;
}

bool formats_is_exact_number(const char *lexeme, size_t length)
{
    const char *at = lexeme;
    const char *end = lexeme + length;
    struct decimal sent = {.is_negative = *at == '-'};
    at += sent.is_negative;
    if (!read_digits(&at, end, &sent)) {
        return false;
    }
    if (at < end) {
        sent.exponent += read_exponent(at + 1, end);
    }
    if (sent.count == 0) {
        return true;
    }
    if (sent.count <= 15 && sent.exponent > -300 && sent.exponent < 300) {
        return true;
    }
    if (sent.exponent < -400 || sent.exponent > 400) {
        return false;
    }
    double number = read_decimal(&sent);
    if (!isfinite(number) || number == 0) {
        return false;
    }
    struct decimal kept;
    formats_shortest_decimal(number, &kept);
    return kept.count == sent.count && kept.exponent == sent.exponent &&
           memcmp(kept.digits, sent.digits, (size_t)sent.count) == 0;
}
