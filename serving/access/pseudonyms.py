"""Short names in place of party ids, for those who study models and need not know who is who.

The same party has the same name everywhere in one installation and another one in any other; with
the key, and only with it, a name is led back to its party.
"""

import base64
import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from serving.access.secrets import kept_secret

_BYTES = 5  # eight letters


@dataclass(frozen=True)
class Pseudonyms:
    """Gives party ids their short names."""

    key: bytes

    @classmethod
    def kept_in(cls, folder: Path) -> Self:
        """The pseudonyms of an installation."""
        return cls(kept_secret(folder, "pseudonyms.key"))

    def of(self, party_id: str, called: str = "party") -> str:
        """The name of a party, or of something else that has an id."""
        digest = hashlib.blake2b(party_id.encode(), key=self.key, digest_size=_BYTES).digest()
        return f"{called}-" + base64.b32encode(digest).decode().lower()

    def over(self, text: str, party_ids: Iterable[str], called: str = "party") -> str:
        """A text with the names of these parties in place of their ids."""
        known = sorted(party_ids, key=len, reverse=True)
        if not known:
            return text
        any_of_them = "|".join(map(re.escape, known))
        return re.sub(
            rf"(?<!\w)(?:{any_of_them})(?!\w)", lambda found: self.of(found[0], called), text
        )
