"""Waivers: gates left open on purpose, with accountable persons, a reason and an end.

`waiver.json` lies next to a model, signed by the key of the home.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated, Self

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from pydantic import (
    AwareDatetime,
    Field,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)

from features.atomic_dir import write_durably
from features.errors import in_own_words
from features.home_keys import keys_in_pem
from features.person_names import may_be_one_person
from features.signed_documents import SignedDocument
from training.errors import TrainingError
from training.gates.verdict import Verdict
from training.gates.waivable import Waivable

WAIVER = "waiver.json"

# Half a year; then somebody must examine the groups and sign again.
MAX_WAIVER_LIFE = timedelta(days=183)

# Gates that one person may answer for: a difference between groups of traffic may be justified, and
# a model may follow a champion that cannot be read.
WAIVABLE_WHEN_REFUSED = ("groups", "proxies", "champion")


@dataclass(frozen=True)
class WaiverRequest:
    """A request to waive gates: reason, end, requester and signatory.

    Without `given_by`, the approver of the promotion signs.
    """

    gates: tuple[Waivable, ...]
    because: str
    until: datetime
    requested_by: str | None = None
    given_by: str | None = None


class Waiver(SignedDocument):
    """A waiver of gates for the model with this `digest`, signed by a person.

    An undecided gate takes two people: `requested_by` asks and `given_by` signs.
    """

    signed_as = "waiver"

    gates: Annotated[tuple[Waivable, ...], Field(min_length=1)]
    digest: str
    requested_by: Annotated[str, Field(min_length=1)] | None = None
    given_by: Annotated[str, Field(min_length=1)]
    because: Annotated[str, Field(min_length=20)]
    given_at: AwareDatetime
    until: AwareDatetime

    @field_validator("until")
    @classmethod
    def _end_in_time(cls, until: datetime, told: ValidationInfo) -> datetime:
        given_at = told.data.get("given_at")
        if given_at is not None and not given_at < until <= given_at + MAX_WAIVER_LIFE:
            raise ValueError(
                f"want an end within {MAX_WAIVER_LIFE.days} days from {given_at:%Y-%m-%d}"
            )
        return until

    @model_validator(mode="after")
    def _take_two_persons(self) -> Self:
        asked = self.requested_by
        if asked is not None and may_be_one_person(asked, self.given_by):
            raise ValueError(f"{asked!r} asks and signs; want two different people")
        # Undecided gates take two people: nobody alone may decide on missing evidence.
        if asked is None and (others := set(self.gates) - set(WAIVABLE_WHEN_REFUSED)):
            raise ValueError(f"{', '.join(sorted(others))}: want a requester who is not the signer")
        return self

    @classmethod
    def from_request(cls, request: WaiverRequest, digest: str, given_by: str, at: datetime) -> Self:
        """Return a waiver for the model with this digest, or raise TrainingError."""
        try:
            return cls(
                gates=request.gates,
                digest=digest,
                requested_by=request.requested_by and request.requested_by.strip(),
                given_by=given_by.strip(),
                because=" ".join(request.because.split()),
                given_at=at,
                until=request.until,
            )
        except ValidationError as error:
            first = error.errors(include_input=False, include_url=False)[0]
            where = ".".join(str(part) for part in first["loc"]) or "persons"
            raise TrainingError(f"waiver, {where}: {in_own_words(first['msg'])}") from None

    def opens(self, verdict: Verdict) -> bool:
        """Return whether the waiver lets a model through a gate that did not pass."""
        if verdict.gate not in self.gates:
            return False
        if verdict.verdict == "undecided":
            return self.requested_by is not None
        return verdict.verdict == "refused" and verdict.gate in WAIVABLE_WHEN_REFUSED

    @property
    def in_words(self) -> str:
        """The waiver as text, for verdicts, tags and cards."""
        asked = f", asked by {self.requested_by}," if self.requested_by else ""
        return f"waived by {self.given_by}{asked} until {self.until:%Y-%m-%d}: {self.because}"

    def write(self, folder: Path, key: Ed25519PrivateKey) -> None:
        """Sign the waiver and store it next to the model, replacing an earlier one."""
        write_durably(folder / WAIVER, f"{self.signed(key).model_dump_json(indent=1)}\n".encode())

    @classmethod
    def of_model(cls, folder: Path, public_key: bytes) -> Self | None:
        """Return the waiver next to a model, or None; raises Tampered or TrainingError."""
        file = folder / WAIVER
        if not file.exists():
            return None
        refusal = f"{folder}: {WAIVER} is not signed as it stands"
        try:
            return cls.read(file.read_bytes(), keys_in_pem(public_key), refusal)
        except ValidationError as error:
            raise TrainingError(
                f"{folder / WAIVER}: {in_own_words(error.errors()[0]['msg'])}"
            ) from None
