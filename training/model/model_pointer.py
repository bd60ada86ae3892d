"""Pointers to models: the version that an alias names, signed by the key of the home.

models/<name>/champion.json, challenger.json, shadow.json hold a `ModelPointer` each. The signature
covers everything else in the file, including the alias. It is checked whenever a pointer is
followed, so a file that was written by hand, edited or moved to another alias has no effect.
"""

from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from pydantic import Field, ValidationError

from features.errors import Tampered
from features.home_keys import keys_in_pem
from features.signed_documents import SignedDocument
from training.errors import ArtefactError
from training.model.counted_cases import CountedCases
from training.model.manifest import FrozenModel, Manifest

Alias = Literal["champion", "challenger", "shadow"]
# The aliases for which a version must have passed the gates.
PASSED_GATES: tuple[Alias, ...] = ("champion", "shadow")

_MAX_BYTES = 1 << 24


class GateVerdict(FrozenModel):
    """The verdict of one gate at a promotion; `is_waived` if people answer for it.

    `not_required_in` is the profile that does without the gate (`training.gates.profiles`), `cases`
    those that it decides from.
    """

    gate: str
    verdict: Literal["passed", "refused", "undecided"]
    reason: str
    is_waived: bool = False
    not_required_in: str | None = None
    cases: CountedCases | None = None

    @property
    def answer(self) -> str:
        """The verdict with a mark, such as `undecided, waived`."""
        return marked(self.verdict, self.not_required_in, is_waived=self.is_waived)

    @property
    def is_open(self) -> bool:
        """True if a model may pass."""
        is_excused = self.verdict == "undecided" and self.not_required_in is not None
        return self.verdict == "passed" or self.is_waived or is_excused


def marked(verdict: str, not_required_in: str | None, *, is_waived: bool) -> str:
    """Return a verdict with a mark if it was waived or is not required."""
    if is_waived:
        return f"{verdict}, waived"
    return verdict if not_required_in is None else f"{verdict}, not required in a {not_required_in}"


class Approver(FrozenModel):
    """A person who took part in a promotion: an identity such as `account:grace`, and a name.

    `part` is `proposer` or `approver`; the identity is empty in a trial, where names are not
    verified.
    """

    identity: str = ""
    name: str
    part: Literal["proposer", "approver"] = "approver"


class ModelPointer(SignedDocument):
    """The version that an alias names; `previous` holds earlier ones, latest first.

    `approvals` are the signed statements of the persons who agreed, as `serving.access.approvals`
    reads them.
    """

    signed_as = "model pointer"

    name: str
    version: Annotated[str, Field(pattern=r"^[0-9]{1,18}$")]
    digest: str
    role: Alias | None = None
    approver: str | None = None
    approvers: tuple[Approver, ...] = ()
    verdicts: tuple[GateVerdict, ...] = ()
    approvals: tuple[dict[str, Any], ...] = ()
    set_at: datetime
    previous: tuple["ModelPointer", ...] = ()

    @classmethod
    def read_seat(cls, file: Path, role: Alias, public_key: bytes) -> Self:
        """Read the pointer in a file, which must be signed for this alias.

        Raises Tampered or ArtefactError with a remedy, and OSError.
        """
        # Before reading: a huge file must not exhaust memory.
        if file.stat().st_size > _MAX_BYTES:
            raise ArtefactError(f"{file}: larger than {_MAX_BYTES} bytes")
        refusal = f"{file} is not as the key of this home signed it{_ask_again(file)}"
        try:
            pointer = cls.read(file.read_bytes(), keys_in_pem(public_key), refusal)
        except ValidationError as error:
            first = error.errors(include_input=False, include_url=False)[0]
            raise ArtefactError(f"{file}: {first['loc']}: {first['msg']}") from None
        # The signature alone does not stop a copy of another alias's or model's file.
        if (pointer.role, pointer.name) != (role, file.parent.name):
            raise Tampered(
                f"{file} was signed for {pointer.name}@{pointer.role}, another seat"
                f"{_ask_again(file)}"
            )
        return pointer

    def signed_for(self, role: Alias, key: Ed25519PrivateKey) -> Self:
        """Return the pointer for an alias, signed with the home's key."""
        return self.model_copy(update={"role": role}).signed(key)

    def require(self, manifest: Manifest, digest: str, subject: str) -> None:
        """Raise Tampered unless this pointer names the model, and the alias may hold it.

        `subject` is the kind that the alias scores.
        """
        if digest != self.digest:
            raise Tampered(
                f"{self.name} version {self.version} has the digest {digest}, "
                f"named {self.role} was {self.digest}; restore its folder"
            )
        if (manifest.name, manifest.subject) != (self.name, subject):
            raise Tampered(
                f"{self.name} version {self.version} is a {manifest.subject} model, "
                f"{manifest.name}, and the seat scores {subject}s"
            )
        if self.role in PASSED_GATES and not self.is_through_all_gates:
            raise Tampered(
                f"no gate let {self.name} version {self.version} through; ask them with "
                f"`tidegate promote --model {self.name}/{self.version}`"
            )

    @property
    def content_digest(self) -> str:
        """The digest of the signed content, independent of the key."""
        return sha256(self.signed_bytes).hexdigest()

    @property
    def is_through_all_gates(self) -> bool:
        """True if gates were evaluated and each passed or was waived."""
        return bool(self.verdicts) and all(verdict.is_open for verdict in self.verdicts)


def _ask_again(file: Path) -> str:
    if file.stem == "challenger":
        return f"; name another with `tidegate retrain --subject {_kind(file)}`"
    shadow = " --shadow" if file.stem == "shadow" else ""
    # A damaged champion cannot be compared with, so its gate must be waived.
    waived = "" if shadow else " --waive champion --because WHY --until DAY"
    return (
        f"; name the version again with `tidegate promote --model {file.parent.name}/VERSION "
        f"--approver NAME{shadow}{waived}`"
    )


def _kind(file: Path) -> str:
    return file.parent.name.removeprefix("tidegate-")
