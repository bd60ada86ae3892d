"""Replace register ids by keyed pseudonyms before anything is stored.

An id of a register has the same pseudonym in every import under one key. Without the key nobody can
find the id, not even by trying all of them. Ids of different registers have different pseudonyms.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field

import pyarrow as pa

_BYTES = 12  # collisions are negligible even for billions of parties
_MAX_REMEMBERED = 1 << 16


@dataclass
class RegisterPseudonyms:
    """A source of pseudonyms that caches the ones of recent ids."""

    key: bytes = field(repr=False)
    _known: dict[str, dict[str, str]] = field(default_factory=dict, repr=False)

    def of(self, register: str, identities: Iterable[str]) -> list[str]:
        """Return the pseudonyms of ids of a register.

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
        """Return the pseudonyms of a column of texts; missing values stay missing."""
        encoded = identities.dictionary_encode()
        found = encoded.dictionary.to_numpy(zero_copy_only=False).tolist()
        known = self._known.get(register, {})
        if len(known) > _MAX_REMEMBERED:
            known = {}
        unknown = [identity for identity in found if identity not in known]
        known.update(zip(unknown, self.of(register, unknown), strict=True))
        self._known[register] = known
        return pa.array(map(known.__getitem__, found), pa.string()).take(encoded.indices)
