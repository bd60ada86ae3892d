"""Keyed codes of texts that preserve common prefixes and nothing else.

A text becomes a code of its first three symbols followed by a code of each further symbol, each
keyed and computed from everything up to there. Texts with the same beginning have codes with the
same beginning, so a search by prefix is a range of an index. Without the key no text can be read
from its code. With the key it can be found symbol by symbol: codes are no encryption against a
holder of the key (docs/security.md).
"""

from hashlib import blake2b
from typing import NamedTuple

# The length of the shortest search in letters and digits; shorter ids are found by their subject.
MIN_SYMBOLS = 3

# Symbols with a code of their own; everything after them has one common code.
MAX_SYMBOLS = 40

_FIRST_BYTES, _SYMBOL_BYTES, _REST_BYTES = 4, 2, 8
_MAX_CODE_BYTES = _FIRST_BYTES + _SYMBOL_BYTES * (MAX_SYMBOLS - MIN_SYMBOLS) + _REST_BYTES


class CodeSpan(NamedTuple):
    """The range of codes of all texts with a prefix, both ends included."""

    first: bytes
    last: bytes


def prefix_code(key: bytes, text: str) -> bytes:
    """Return the code of a normalised text of at least MIN_SYMBOLS."""
    code = _code(key, text[:MAX_SYMBOLS])
    if len(text) > MAX_SYMBOLS:
        code += blake2b(text.encode(), key=key, digest_size=_REST_BYTES).digest()
    return code


def prefix_span(key: bytes, text: str) -> CodeSpan:
    """Return the range of codes of all texts with a prefix.

    Symbols beyond MAX_SYMBOLS have no codes of their own and are ignored.
    """
    first = _code(key, text[:MAX_SYMBOLS])
    # Longer than any code and filled with the highest byte, so it sorts after all of them.
    return CodeSpan(first, first.ljust(_MAX_CODE_BYTES + 1, b"\xff"))


def _code(key: bytes, text: str) -> bytes:
    upto = blake2b(text[:MIN_SYMBOLS].encode(), key=key, digest_size=_FIRST_BYTES)
    codes = [upto.digest()]
    upto = blake2b(text[:MIN_SYMBOLS].encode(), key=key, digest_size=_SYMBOL_BYTES)
    for symbol in text[MIN_SYMBOLS:]:
        upto.update(symbol.encode())
        codes.append(upto.copy().digest())
    return b"".join(codes)
