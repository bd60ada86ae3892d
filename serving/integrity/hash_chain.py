"""The hash chains over decisions and audit events: each link covers a row and the link before.

The chain of decisions is made of outlines, which hold the digest of the encrypted whole. So it
still holds when the key of that is destroyed.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

FIRST_LINK = bytes(32)

DECISIONS, AUDIT_EVENTS = "decisions", "audit_events"
# Every chain of a database, named as its table is.
CHAINS = (DECISIONS, AUDIT_EVENTS)


@dataclass(frozen=True)
class ChainedDecision:
    """A decision in the chain: its number, its link and the link before (hexadecimal).

    The chain is made of `outline`; `encrypted` is base64; `record` is None where it was erased.
    """

    seq: int
    outline: str
    encrypted: str
    chain: str
    before: str
    record: str | None


@dataclass(frozen=True)
class LogHead:
    """How many rows a chain has, and its last link at that size (hexadecimal)."""

    size: int
    head: str


EMPTY = LogHead(0, FIRST_LINK.hex())

# The heads of chains at one instant, by name.
ChainHeads = Mapping[str, LogHead]


def next_link(link: bytes, outline: str) -> bytes:
    """The link of a record that follows `link`."""
    return hashlib.sha256(link + outline.encode()).digest()
