"""Revisions of accounts and teams, which forms send back to detect concurrent changes."""

import hashlib


def revision_of(*stated: object) -> str:
    """Return a digest of the values, 16 hex digits, which changes if any value does."""
    return hashlib.sha256(repr(stated).encode()).hexdigest()[:16]
