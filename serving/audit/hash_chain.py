"""The hash chain over the decision log: each link covers a decision and the link before.

The chain is made of outlines, which hold the digest of the encrypted whole. So it still holds when
the key of that is destroyed.
"""

import hashlib
from dataclasses import dataclass

FIRST_LINK = bytes(32)


@dataclass(frozen=True)
class ChainedDecision:
    """A decision in the chain: its number, its link and the link before (hexadecimal).

    The chain is made of `outline`; `encrypted` (base64) is None for a record that an older release
    kept in the clear; `record` is None where it was erased.
    """

    seq: int
    outline: str
    encrypted: str | None
    chain: str
    before: str
    record: str | None


@dataclass(frozen=True)
class LogHead:
    """How many decisions the log has, and its last link at that size (hexadecimal)."""

    size: int
    head: str


def next_link(link: bytes, outline: str) -> bytes:
    """The link of a record that follows `link`."""
    return hashlib.sha256(link + outline.encode()).digest()
