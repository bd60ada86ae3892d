"""Keyed codes of texts that keep which text begins with which, and nothing else.

A text becomes a code of its first three symbols and one of each further symbol, each keyed and made
of everything up to there. So texts that begin alike have codes that begin alike, a search by prefix
is a range of an index, and nobody reads a text from its code without the key. Whoever has the key
reads it symbol by symbol: codes are no encryption to whom the key is known (docs/security.md).
"""

from hashlib import blake2b
from typing import NamedTuple

# Letters and digits of the shortest search; what has fewer is found by the id of its subject.
LEAST_SYMBOLS = 3

# Symbols that have a code of their own; of what follows there is one code.
MOST_SYMBOLS = 40

_FIRST_BYTES, _SYMBOL_BYTES, _REST_BYTES = 4, 2, 8
_LONGEST = _FIRST_BYTES + _SYMBOL_BYTES * (MOST_SYMBOLS - LEAST_SYMBOLS) + _REST_BYTES


class CodeSpan(NamedTuple):
    """The codes of all texts that begin alike, both ends included."""

    first: bytes
    last: bytes


def prefix_code(key: bytes, text: str) -> bytes:
    """The code of a normalised text of at least LEAST_SYMBOLS."""
    code = _code(key, text[:MOST_SYMBOLS])
    if len(text) > MOST_SYMBOLS:
        code += blake2b(text.encode(), key=key, digest_size=_REST_BYTES).digest()
    return code


def prefix_span(key: bytes, text: str) -> CodeSpan:
    """The codes of all texts that begin with a text, as far as that has codes of its own."""
    first = _code(key, text[:MOST_SYMBOLS])
    return CodeSpan(first, first.ljust(_LONGEST + 1, b"\xff"))


def _code(key: bytes, text: str) -> bytes:
    upto = blake2b(text[:LEAST_SYMBOLS].encode(), key=key, digest_size=_FIRST_BYTES)
    codes = [upto.digest()]
    upto = blake2b(text[:LEAST_SYMBOLS].encode(), key=key, digest_size=_SYMBOL_BYTES)
    for symbol in text[LEAST_SYMBOLS:]:
        upto.update(symbol.encode())
        codes.append(upto.copy().digest())
    return b"".join(codes)
