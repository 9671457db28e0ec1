"""CRC-32 of joined pieces without their bytes.

The method is zlib's ``crc32_combine``: appending n bytes multiplies the first checksum by x^8n
modulo the CRC polynomial, in reflected bit order.
"""

from __future__ import annotations

from functools import cache

_POLYNOMIAL = 0xEDB88320
_ONE = 1 << 31
_SQUARINGS = 32


def joined_crc32(first: int, second: int, second_length: int) -> int:
    """Return the CRC-32 of two pieces, the second *second_length* bytes long, put together."""
    return _product(_power_of_x(second_length * 8), first) ^ second


def _product(a: int, b: int) -> int:
    result, bit = 0, _ONE
    while bit:
        if a & bit:
            result ^= b
        b = (b >> 1) ^ _POLYNOMIAL if b & 1 else b >> 1
        bit >>= 1
    return result


def _power_of_x(exponent: int) -> int:
    result, index = _ONE, 0
    while exponent:
        if exponent & 1:
            result = _product(_squares()[index % _SQUARINGS], result)
        exponent >>= 1
        index += 1
    return result


@cache
def _squares() -> tuple[int, ...]:
    """Return x^(2^k) for every k; the sequence repeats after 32 steps."""
    squares = [1 << 30]
    for _ in range(_SQUARINGS - 1):
        squares.append(_product(squares[-1], squares[-1]))
    return tuple(squares)
