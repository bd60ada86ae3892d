"""What a page showed of an account or a team, as its form says it again."""

import hashlib


def revision_of(*stated: object) -> str:
    """Names what was stated of something: another once any of it changes; 16 digits of hex."""
    return hashlib.sha256(repr(stated).encode()).hexdigest()[:16]
