"""Gates left open on purpose: who answers for it, why, and until when; signed, beside the model.

waiver.json   `Waiver`
waiver.sig    Ed25519 signature of waiver.json by the key of the home, 64 bytes
"""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import AwareDatetime, Field, ValidationError, model_validator

from training.errors import ArtefactTampered, WaiverError
from training.model.manifest import FrozenModel
from training.model.signing import SigningKey, verify

WAIVER = "waiver.json"
WAIVER_SIGNATURE = "waiver.sig"

LONGEST = timedelta(days=183)
"""Half a year: whoever needs longer looks at the groups again and signs again."""

Waivable = Literal["groups", "proxies", "champion"]
"""Gates that a person may answer for: whether a difference between groups of traffic is justified,
and whether a model may follow a champion that cannot be read any more to compare it with."""


class Waiver(FrozenModel):
    """Gates of one model, waived by a person; `digest` is the model's."""

    gates: Annotated[tuple[Waivable, ...], Field(min_length=1)]
    digest: str
    given_by: Annotated[str, Field(min_length=1)]
    because: Annotated[str, Field(min_length=20)]
    given_at: AwareDatetime
    until: AwareDatetime

    @model_validator(mode="after")
    def _end_in_time(self) -> Self:
        if not self.given_at < self.until <= self.given_at + LONGEST:
            raise ValueError(
                f"want an end within {LONGEST.days} days from {self.given_at:%Y-%m-%d}"
            )
        return self

    @classmethod
    def given(
        cls,
        gates: tuple[Waivable, ...],
        digest: str,
        given_by: str,
        because: str,
        times: tuple[datetime, datetime],
    ) -> Self:
        """A waiver from the first of the `times` until the second; raises WaiverError."""
        begins, until = times
        try:
            return cls(
                gates=gates,
                digest=digest,
                given_by=given_by.strip(),
                because=" ".join(because.split()),
                given_at=begins,
                until=until,
            )
        except ValidationError as error:
            first = error.errors(include_input=False, include_url=False)[0]
            where = ".".join(str(part) for part in first["loc"]) or "until"
            raise WaiverError(f"waiver, {where}: {first['msg']}") from None

    @property
    def in_words(self) -> str:
        """For a verdict, a tag and a card."""
        return f"waived by {self.given_by} until {self.until:%Y-%m-%d}: {self.because}"

    def write(self, folder: Path, key: SigningKey) -> None:
        """Sign it and lay it beside the model, in the place of an earlier one."""
        content = self.model_dump_json(indent=1).encode() + b"\n"
        (folder / WAIVER_SIGNATURE).write_bytes(key.sign(content))
        (folder / WAIVER).write_bytes(content)

    @classmethod
    def read(cls, folder: Path, public_key: bytes) -> Self | None:
        """The waiver beside a model, if there is one. Raises ArtefactTampered or WaiverError."""
        if not any((folder / name).exists() for name in (WAIVER, WAIVER_SIGNATURE)):
            return None
        try:
            content = (folder / WAIVER).read_bytes()
            verify(content, (folder / WAIVER_SIGNATURE).read_bytes(), public_key)
            return cls.model_validate_json(content)
        except (FileNotFoundError, ArtefactTampered):
            raise ArtefactTampered(f"{folder}: {WAIVER} is not signed as it stands") from None
        except ValidationError as error:
            raise WaiverError(f"{folder / WAIVER}: {error.errors()[0]['msg']}") from None
