"""Which numbers fit, by Python's decimals: the reference for csrc/json/number.c.

Reads a number of JSON's in each line. Prints whether it is whole and has 64 bits, "yes" or "no", and
the double that gives its digits back, or "none".
"""

import decimal
import math
import sys

decimal.getcontext().prec = 2000


def double_of(number):
    value = float(number)
    if number == 0:
        return value
    digits = len(number.normalize().as_tuple().digits)
    if math.isinf(value) or decimal.Decimal("%.*e" % (digits - 1, value)) != number:
        return None
    return value


for line in sys.stdin:
    number = decimal.Decimal(line.strip())
    is_whole = number == number.to_integral_value() and -(2**63) <= number < 2**63
    double = double_of(number)
    print("yes" if is_whole else "no", "none" if double is None else repr(double))
