"""Keyed pseudonyms in place of the ids of a register, made before anything is stored.

The same id of the same register has the same pseudonym in every import under one key, and nobody
without the key can tell which id it was, even by trying all of them. Ids of two registers never
have the same one.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field

import pyarrow as pa

_BYTES = 12  # two parties of a world of billions do not meet
_MAX_REMEMBERED = 1 << 16


@dataclass
class RegisterPseudonyms:
    """Gives ids their pseudonyms, and remembers some that come again and again."""

    key: bytes = field(repr=False)
    _known: dict[str, dict[str, str]] = field(default_factory=dict, repr=False)

    def of(self, register: str, identities: Iterable[str]) -> list[str]:
        """The pseudonyms of ids of a register.

        >>> RegisterPseudonyms(b"k" * 32).of("eori", ["PT502011378"])
        ['eori-393f8f0256d9e2c97239c904']
        """
        begun = hashlib.blake2b(f"{register}\0".encode(), key=self.key, digest_size=_BYTES)
        names = []
        for identity in identities:
            digest = begun.copy()
            digest.update(identity.encode())
            names.append(f"{register}-{digest.hexdigest()}")
        return names

    def of_column(self, register: str, identities: pa.Array) -> pa.Array:
        """The pseudonyms of a column of texts; what is missing stays so."""
        encoded = identities.dictionary_encode()
        found = encoded.dictionary.to_numpy(zero_copy_only=False).tolist()
        known = self._known.get(register, {})
        if len(known) > _MAX_REMEMBERED:
            known = {}
        unknown = [identity for identity in found if identity not in known]
        known.update(zip(unknown, self.of(register, unknown), strict=True))
        self._known[register] = known
        return pa.array(map(known.__getitem__, found), pa.string()).take(encoded.indices)
