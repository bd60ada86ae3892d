"""Short names in place of party ids, for people who study models.

A party has the same name everywhere in one installation, and another name in any other. Only with
the key can a name be traced back to its party.
"""

import base64
import hashlib
import re
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from features.home_keys import PSEUDONYMS, former_keys, read_key

# Five bytes give eight letters in base32.
_BYTES = 5


@dataclass(frozen=True)
class Pseudonyms:
    """Generator of short names for party ids."""

    key: bytes
    former: tuple[bytes, ...] = ()

    @classmethod
    def kept_in(cls, folder: Path) -> Self:
        """Return the pseudonyms of an installation."""
        return cls(read_key(folder, PSEUDONYMS), former_keys(folder, PSEUDONYMS))

    def of(self, party_id: str, called: str = "party") -> str:
        """Return the name of a party, or of something else with an id."""
        digest = hashlib.blake2b(party_id.encode(), key=self.key, digest_size=_BYTES).digest()
        return f"{called}-" + base64.b32encode(digest).decode().lower()

    def every_name_of(self, party_id: str, called: str = "party") -> tuple[str, ...]:
        """Return the current name of a party, then those of earlier keys, the newest first."""
        return tuple(Pseudonyms(key).of(party_id, called) for key in (self.key, *self.former))

    def over(self, text: str, party_ids: Iterable[str], called: str = "party") -> str:
        """Return a text in which the ids of these parties are replaced by names."""
        # Longest first, so that an id is not replaced within a longer one that starts with it.
        known = sorted(party_ids, key=len, reverse=True)
        if not known:
            return text
        any_of_them = "|".join(map(re.escape, known))
        return re.sub(
            rf"(?<!\w)(?:{any_of_them})(?!\w)", lambda found: self.of(found[0], called), text
        )

    def in_fields(self, document: Any, fields: Collection[str], called: str = "party") -> Any:
        """Return a JSON document in which the values of these fields are replaced by names."""
        return _replaced(document, fields, lambda identity: self.of(identity, called))

    def in_texts(self, document: Any, fields: Collection[str], party_ids: Iterable[str]) -> Any:
        """Return a JSON document with names in place of party ids in the texts of these fields."""
        return _replaced(document, fields, lambda text: self.over(text, party_ids))


def values_at(document: Any, fields: Collection[str]) -> set[str]:
    """Return all texts in fields of these names, at any depth of a JSON document."""
    if isinstance(document, list):
        return {text for item in document for text in values_at(item, fields)}
    if not isinstance(document, dict):
        return set()
    texts = {text for name, text in document.items() if name in fields and isinstance(text, str)}
    return texts | {text for value in document.values() for text in values_at(value, fields)}


def _replaced(document: Any, fields: Collection[str], replacement: Callable[[str], str]) -> Any:
    if isinstance(document, list):
        return [_replaced(item, fields, replacement) for item in document]
    if not isinstance(document, dict):
        return document
    return {
        name: replacement(value)
        if isinstance(value, str) and name in fields
        else _replaced(value, fields, replacement)
        for name, value in document.items()
    }
