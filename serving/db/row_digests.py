"""The digest of a row of a covered table, as audit events state it.

SHA-256 of a JSON object of the columns that are not null, by name, without spaces, in ASCII; bytes
are hexadecimal. A column that a later release adds, null in older rows, changes none of theirs.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import Any

_COLUMN_DIGITS = 6


def row_digest(row: Mapping[str, Any]) -> str:
    """The digest of a row (hexadecimal)."""
    return hashlib.sha256(_canonical(_said(row)).encode()).hexdigest()


def links_digest(rows: Iterable[Mapping[str, Any]]) -> str:
    """The digest of all links of a case (hexadecimal), by kind and value."""
    ordered = sorted(rows, key=lambda row: (row["kind"], row["value"]))
    return hashlib.sha256("".join(map(row_digest, ordered)).encode()).hexdigest()


def column_digests(row: Mapping[str, Any]) -> dict[str, str]:
    """A short digest of each column that is not null: enough to tell which was changed."""
    return {
        name: hashlib.sha256(_canonical(value).encode()).hexdigest()[:_COLUMN_DIGITS]
        for name, value in _said(row).items()
    }


def _said(row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: bytes(value).hex() if isinstance(value, bytes | memoryview) else value
        for name, value in row.items()
        if value is not None
    }


def _canonical(value: Any) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"))
