"""The hash chains over decisions and audit events: each link covers a row and the link before.

The chain of decisions covers outlines, which contain the digest of the encrypted whole. It stays
verifiable after the key is destroyed.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

FIRST_LINK = bytes(32)

DECISIONS, AUDIT_EVENTS = "decisions", "audit_events"
# Every chain of a database, named after its table.
CHAINS = (DECISIONS, AUDIT_EVENTS)


@dataclass(frozen=True)
class ChainedDecision:
    """A decision in the chain: its number, its link and the link before (hexadecimal).

    The chain covers `outline`; `encrypted` is base64; `record` is None if it was erased.
    """

    seq: int
    outline: str
    encrypted: str
    chain: str
    before: str
    record: str | None


@dataclass(frozen=True)
class LogHead:
    """The number of rows in a chain, and its last link at that size (hexadecimal)."""

    size: int
    head: str


EMPTY = LogHead(0, FIRST_LINK.hex())

# The heads of chains at one instant, by name.
ChainHeads = Mapping[str, LogHead]


def next_link(link: bytes, outline: str) -> bytes:
    """Return the link of a record that follows `link`."""
    return hashlib.sha256(link + outline.encode()).digest()
