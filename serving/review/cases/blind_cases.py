"""The random share of cases that are judged first without lane, place in the queue and reasons.

Only such judgements tell an officer's own view from obedience to a label.
"""

from hashlib import sha256


def is_blind(case_id: str, share: float) -> bool:
    """Return whether a case is in the share: the same for all readers, and after a restart."""
    drawn = int.from_bytes(sha256(case_id.encode()).digest()[:8], "big")
    return drawn < share * 2**64
