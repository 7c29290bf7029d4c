"""
The checksum of FIT (CRC-16/ARC), folded with NumPy instead of byte by byte.

The checksum is the remainder of the message, taken for a polynomial over GF(2), by x^16 + x^15 + x^2 + 1, which
is (x + 1) (x^15 + x + 1). By the second factor a long message folds onto itself: squaring keeps the shape of a
polynomial, so x^(15 s) = x^s + 1 for every power of two s, and whatever stands above 15 s bits may be added (XOR)
14 s and 15 s bits lower. By the first factor only the parity of all bits counts. The two remainders make one.
"""

import numpy as np
from numpy.typing import NDArray

SHORT = 60
"""Bytes up to which a loop is quicker than folding."""
TRINOMIAL = 0xC001
"""x^15 + x + 1, the lowest power in the highest bit as everywhere in this checksum."""


def crc16(content: bytes | memoryview) -> int:
    """Return the CRC-16/ARC; it is 0 when `content` ends with its own checksum."""
    if len(content) <= SHORT:
        return _by_table(content)
    octets = np.frombuffer(content, dtype=np.uint8)
    remainder = _by_table(_folded(octets).tobytes())
    return remainder if _parity(octets) == remainder.bit_count() & 1 else remainder ^ TRINOMIAL


def _by_table(content: bytes | memoryview) -> int:
    crc = 0
    for octet in content:
        crc = (crc >> 8) ^ _TABLE[(crc ^ octet) & 0xFF]
    return crc


def _folded(octets: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return a few bytes that leave the same remainder by x^15 + x + 1; the first byte holds the highest powers."""
    step = 1 << (len(octets) // 15).bit_length() - 1
    while step >= SHORT // 15:
        while (above := len(octets) - 15 * step) > 0:
            start = min(above, 14 * step)
            folded = octets[start:].copy()
            folded[: above - start] = 0
            folded[-above:] ^= octets[:above]
            folded[-above - step : -step] ^= octets[:above]
            octets = folded
        step //= 2
    return octets


def _parity(octets: NDArray[np.uint8]) -> int:
    return int(np.bitwise_xor.reduce(octets)).bit_count() & 1


def _table_entry(octet: int) -> int:
    for _ in range(8):
        octet = (octet >> 1) ^ (0xA001 if octet & 1 else 0)
    return octet


_TABLE = tuple(_table_entry(octet) for octet in range(256))
