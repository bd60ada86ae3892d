"""The digest of a row of a covered table, as audit events state it.

SHA-256 of a JSON object of the non-null columns, by name, without spaces, in ASCII; bytes are
hexadecimal. A column added by a later release is null in older rows and leaves their digests
unchanged.
"""

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any

from features.signed_documents import canonical_json

# Enough to name a changed column; the digest of the row is what proves the change.
_COLUMN_DIGITS = 6
_BYTES_AT_ONCE = 64 * 1024


def row_digest(row: Mapping[str, Any]) -> str:
    """Return the digest of a row (hexadecimal)."""
    digest = hashlib.sha256(b"{")
    for number, (name, value) in enumerate(sorted(_said(row).items())):
        digest.update(f"{',' if number else ''}{canonical_json(name).decode()}:".encode())
        _add(digest, value)
    digest.update(b"}")
    return digest.hexdigest()


def links_digest(rows: Iterable[Mapping[str, Any]]) -> str:
    """Return the digest of all links of a case (hexadecimal), ordered by kind and value."""
    ordered = sorted(rows, key=lambda row: (row["kind"], row["value"]))
    return hashlib.sha256("".join(map(row_digest, ordered)).encode()).hexdigest()


def column_digests(row: Mapping[str, Any]) -> dict[str, str]:
    """Return a short digest of each non-null column, to show which column was changed."""
    digests = {}
    for name, value in _said(row).items():
        digest = hashlib.sha256()
        _add(digest, value)
        digests[name] = digest.hexdigest()[:_COLUMN_DIGITS]
    return digests


def _said(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if value is not None}


def _add(digest: "hashlib._Hash", value: Any) -> None:
    """Add a value as JSON; bytes are added in blocks, to avoid a copy of a large file."""
    if not isinstance(value, bytes | bytearray | memoryview):
        digest.update(canonical_json(value))
        return
    digest.update(b'"')
    with memoryview(value) as whole:
        # A large file in hexadecimal would take twice its size in memory.
        for start in range(0, len(whole), _BYTES_AT_ONCE):
            digest.update(whole[start : start + _BYTES_AT_ONCE].hex().encode())
    digest.update(b'"')
