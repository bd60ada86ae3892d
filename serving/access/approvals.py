"""Approvals: two people agree to one exact act, by their own keys or in the console.

An act identifies its object by digest, so an approval cannot be used for another object. One person
proposes, another approves. Each signs the act with an Ed25519 key registered to their account, or
agrees in the console. An approval expires and can be used once.
"""

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self, get_args

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from features.errors import in_own_words
from features.home_keys import keys_in_lines
from features.person_names import may_be_one_person
from features.signed_documents import SignedDocument, canonical_json
from serving.access.accounts import Account
from serving.access.errors import ApprovalRefused
from serving.access.roles import Role

if TYPE_CHECKING:
    from serving.storage.repositories.account_repository import AccountRepository
    from serving.storage.repositories.approval_repository import ApprovalRepository

ActKind = Literal[
    "promote", "roll_back", "shadow", "waive", "erase", "lift", "overrule", "switch_on"
]
Part = Literal["proposer", "approver"]
PARTS: tuple[Part, ...] = get_args(Part)

# Roles that may propose and approve. Auditors only observe, and reviewers judge cases.
APPROVING_ROLES: tuple[Role, ...] = ("supervisor", "data_scientist", "admin")

LASTING = timedelta(days=7)
# Older approvals would say too little about the current situation.
MAX_APPROVAL_LIFE = timedelta(days=30)

# Allowed lead of a signer's clock.
CLOCKS_APART = timedelta(minutes=5)

Digest = Annotated[str, Field(max_length=128)]
Word = Annotated[str, Field(max_length=128)]


class ProposedAct(BaseModel):
    """One act, identified unambiguously.

    `object_id` is the name of a model, the number of a proposal or hold, a day, or a kind of
    subject. `digest` covers the model, the proposal or hold, entries of the log, or the current
    state of switches; `before` identifies the current champion, and `installation` the public key
    of the home.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: ActKind
    object_id: Word
    version: Word = ""
    digest: Digest
    before: Digest = ""
    gates: Annotated[tuple[Word, ...], Field(max_length=32)] = ()
    because: Annotated[str, Field(max_length=2_000)] = ""
    until: Word = ""
    installation: Digest

    @property
    def act_id(self) -> str:
        """Digest of the whole act."""
        return hashlib.sha256(canonical_json(self.model_dump(mode="json"))).hexdigest()

    @property
    def in_words(self) -> str:
        """Description for the person who is asked to agree."""
        version = f" version {self.version}" if self.version else ""
        gates = f", gates {', '.join(self.gates)} until {self.until}" if self.gates else ""
        because = f", because: {self.because}" if self.because else ""
        return f"{_WORDS[self.kind]} {self.object_id}{version}{gates} ({self.digest}){because}"


_WORDS: dict[ActKind, str] = {
    "promote": "make champion",
    "roll_back": "return to the former champion",
    "shadow": "let score in the shadow",
    "waive": "leave gates open of",
    "erase": "erase by proposal",
    "lift": "lift the hold",
    "overrule": "overrule entries dated after",
    "switch_on": "switch on the models of",
}


class GivenApproval(SignedDocument):
    """Agreement of one person to one act, in one part, until an instant.

    `key_id` and `signature` belong to the person's key; agreement in the console has an `account`
    instead.
    """

    signed_as = "approval"

    act: ProposedAct
    part: Part
    account: Word = ""
    key_id: Word = ""
    nonce: Annotated[str, Field(min_length=32, max_length=128)]
    given_at: AwareDatetime
    expires_at: AwareDatetime
    signature: Annotated[str, Field(max_length=128)] = ""

    @classmethod
    def parse(cls, content: bytes | str) -> Self:
        """Parse an approval from a file; raises ApprovalRefused."""
        try:
            return cls.model_validate_json(content)
        except ValidationError as error:
            first = error.errors(include_input=False, include_url=False)[0]
            place = ".".join(map(str, first["loc"])) or "the document"
            raise ApprovalRefused(
                f"this is not an approval: {place}: {in_own_words(first['msg'])}"
            ) from None

    @classmethod
    def of(
        cls, act: ProposedAct, part: Part, at: datetime, *, account: str = "", key_id: str = ""
    ) -> Self:
        """Return a new, unsigned approval with the usual validity."""
        return cls(
            act=act,
            part=part,
            account=account,
            key_id=key_id,
            nonce=secrets.token_hex(16),
            given_at=at,
            expires_at=at + LASTING,
        )

    @property
    def approval_id(self) -> str:
        """Digest of the signed bytes."""
        return hashlib.sha256(self.signed_bytes).hexdigest()

    @property
    def is_signed(self) -> bool:
        """Return whether the approval is signed by a key, not given in the console."""
        return bool(self.key_id)


@dataclass(frozen=True)
class RegisteredKey:
    """Public key (hex) of a person, registered to an account."""

    key_id: str
    account: str
    public_key: str
    registered_at: datetime
    registered_by: str
    revoked_at: datetime | None = None

    def was_live(self, at: datetime) -> bool:
        """Return whether the key was valid at an instant."""
        is_over = self.revoked_at is not None and self.revoked_at <= at
        return self.registered_at <= at + CLOCKS_APART and not is_over

    def signed(self, approval: GivenApproval) -> bool:
        """Return whether the key signed exactly this approval."""
        return approval.is_signed_by(keys_in_lines(self.public_key))


@dataclass(frozen=True)
class TwoPersons:
    """Proposer and approver of an act, by account name, with their approvals."""

    act: ProposedAct
    proposer: str
    approver: str
    documents: tuple[GivenApproval, ...]

    @property
    def names(self) -> tuple[str, str]:
        """Names of proposer and approver."""
        return self.proposer, self.approver


def public_key_id(public_key: bytes) -> str:
    """Return the id of a key: a prefix of its digest."""
    return hashlib.sha256(public_key).hexdigest()[:32]


def digest_of(document: Any) -> str:
    """Return the digest of the object of an act."""
    return f"sha256:{hashlib.sha256(canonical_json(document)).hexdigest()}"


def signer_of(approval: GivenApproval, register: "ApprovalRepository") -> str:
    """Return the account that gave an approval; raises ApprovalRefused if it cannot be verified."""
    if not approval.is_signed:
        if not approval.account or not register.is_given(approval):
            raise ApprovalRefused("an approval without a key was not given in the console")
        return approval.account
    key = register.key(approval.key_id)
    if key is None:
        raise ApprovalRefused(
            f"key {approval.key_id} is registered to nobody; an admin does so with "
            "`tidegate accounts change ACCOUNT --approval-key PUBLIC_KEY`"
        )
    if approval.account not in ("", key.account) or not key.signed(approval):
        raise ApprovalRefused(f"the holder of key {approval.key_id} did not sign this approval")
    # Check the time of signing only: a later revocation must not undo acts already done.
    if not key.was_live(approval.given_at):
        raise ApprovalRefused(f"key {approval.key_id} did not count when this was signed")
    return key.account


def two_persons(
    act: ProposedAct,
    approvals: Sequence[GivenApproval],
    register: "ApprovalRepository",
    accounts: "AccountRepository",
    now: datetime,
) -> TwoPersons:
    """Return the two people of an act to be done now; raises ApprovalRefused with the reason."""
    for approval in approvals:
        _require_for(act, approval, register, now)
    found = _one_of_each_part(act, approvals, register)
    if f"account:{found.approver}" in accounts.one_person_with(found.proposer, now):
        raise ApprovalRefused(
            f"{found.proposer} and {found.approver} count as one person for now: one of them was "
            "given a password or lost a second factor by the other, or both by a third"
        )
    for name in found.names:
        _require_approving(accounts.find(name), name)
    # Stricter than for past acts: a key that is revoked by now cannot approve anything new.
    for approval in approvals:
        key = register.key(approval.key_id) if approval.is_signed else None
        if key is not None and not key.was_live(now):
            raise ApprovalRefused(f"key {approval.key_id} was revoked; sign with another")
    return found


def agreed(
    act: ProposedAct, approvals: Sequence[GivenApproval], register: "ApprovalRepository"
) -> TwoPersons:
    """Return the two people of an act already done; raises ApprovalRefused."""
    for approval in approvals:
        if approval.act != act:
            raise ApprovalRefused(f"an approval is of another act: {approval.act.in_words}")
        if not register.is_used(approval.approval_id):
            raise ApprovalRefused("nothing on record was done by an approval that is named")
    return _one_of_each_part(act, approvals, register)


def require_others(waiver: TwoPersons, act: TwoPersons) -> None:
    """Raise ApprovalRefused if the approver of an act also waived one of its gates."""
    if any(may_be_one_person(act.approver, name) for name in waiver.names):
        raise ApprovalRefused(
            f"{act.approver} approves it and waives its gates; want another person for one of them"
        )


def _require_for(
    act: ProposedAct, approval: GivenApproval, register: "ApprovalRepository", now: datetime
) -> None:
    if approval.act != act:
        raise ApprovalRefused(
            f"an approval is of another act: {approval.act.in_words}; wanted: {act.in_words}"
        )
    if not approval.given_at <= now + CLOCKS_APART:
        raise ApprovalRefused("an approval was given in the future; look at the clocks")
    if not now < approval.expires_at <= approval.given_at + MAX_APPROVAL_LIFE:
        raise ApprovalRefused(
            f"an approval ended, or lasts longer than {MAX_APPROVAL_LIFE.days} days; sign anew"
        )
    if register.is_used(approval.approval_id):
        raise ApprovalRefused("an approval was used already; each is for one act, sign anew")


def _one_of_each_part(
    act: ProposedAct, approvals: Sequence[GivenApproval], register: "ApprovalRepository"
) -> TwoPersons:
    by_part = {approval.part: approval for approval in approvals}
    if len(approvals) != len(PARTS) or set(by_part) != set(PARTS):
        raise ApprovalRefused(
            f"want two approvals of {act.in_words}: one person proposes, another approves"
        )
    proposer, approver = (signer_of(by_part[part], register) for part in PARTS)
    if may_be_one_person(proposer, approver):
        raise ApprovalRefused(f"{proposer} proposes and approves; want two different persons")
    return TwoPersons(act, proposer, approver, tuple(by_part[part] for part in PARTS))


def _require_approving(account: Account | None, name: str) -> None:
    if account is None or account.disabled_at is not None:
        raise ApprovalRefused(f"{name} has no account in use")
    if account.role not in APPROVING_ROLES:
        raise ApprovalRefused(f"{name} is a {account.role}; want {', '.join(APPROVING_ROLES)}")
