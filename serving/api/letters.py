"""`/v1/cases/{id}/letters` and `…/accounts`: write, release, defer and seal.

The rules are those of the console: a letter is released, or its deferral confirmed, by another
person than its author, and an API key is no person.
"""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends
from pydantic import AwareDatetime, BaseModel, Field

from features.home_keys import LOG, private_key
from serving.access.actors import Actor
from serving.access.callers import Caller
from serving.api.case_answers import CASE_PROBLEMS
from serving.api.case_revisions import ServicesAsRead
from serving.api.openapi import problems
from serving.container import Services
from serving.errors import Conflict
from serving.review.acts.act_declaration import Words
from serving.review.cases.case_state import Case
from serving.review.cases.reviewer import Reviewer
from serving.review.letters.case_letters import Audience, CaseLetter, DeferralGround, LetterDeferral
from serving.review.letters.letter_text import LetterSection, sections_of
from serving.review.letters.sealed_account import SealedFor, Sealing, seal_account
from serving.web.authentication import MayReview, WithScope
from serving.web.bodies import RequestBody
from serving.web.caller_first import CallerFirst
from serving.web.services import TheServices

router = APIRouter(prefix="/v1/cases/{case_id}", tags=["letters"], route_class=CallerFirst)

MaySeal = Annotated[Caller, Depends(WithScope("supervise"))]

NOT_FOUND = problems(
    s404="No such case or letter, or none that this key may see.",
    s410="It was erased when its time was over.",
)
LETTER_PROBLEMS = CASE_PROBLEMS | NOT_FOUND


class LetterBody(RequestBody):
    """The party a letter is written to, and its purpose."""

    audience: Audience
    text: Words


class ReleaseBody(RequestBody):
    """The reason to release a letter."""

    text: Words


class DeferralBody(RequestBody):
    """The reason to defer the letters of a case, and until when."""

    ground: DeferralGround
    until: AwareDatetime
    text: Words


class SealBody(RequestBody):
    """The recipient of a case's complete record, and the order or request for it."""

    sealed_for: SealedFor
    recipient: Annotated[str, Field(min_length=2, max_length=200)]
    text: Words


class WrittenLetter(BaseModel):
    """A letter without its text: addressee (a pseudonym), and who wrote and released it.

    `written_by_id` and `released_by_id` are the identities behind the names.
    """

    audience: Audience
    recipient: str
    purpose: str
    digest: str
    written_by: str
    written_by_id: str
    written_at: datetime
    released_by: str | None
    released_by_id: str | None
    released_at: datetime | None


class Deferral(BaseModel):
    """A deferral of letters: reason, end and author; one person alone can defer three days."""

    ground: DeferralGround
    until: datetime
    ends_at: datetime
    deferred_by: str
    deferred_by_id: str
    confirmed_by: str | None
    confirmed_by_id: str | None


class CaseLetters(BaseModel):
    """The letters of a case, the newest last, and their deferral, if any."""

    case_id: str
    letters: list[WrittenLetter]
    deferral: Deferral | None


class LetterInWords(BaseModel):
    """A letter as it is reviewed before its release, and printed afterwards."""

    letter: WrittenLetter
    sections: list[LetterSection]


class SealedAccount(BaseModel):
    """A sealed record of a case: its folder on the service's machine, and its digest."""

    case_id: str
    folder: str
    digest: str


@router.get("/letters", responses=LETTER_PROBLEMS)
def read_letters(services: TheServices, caller: MayReview, case_id: str) -> CaseLetters:
    """List the letters of a case; the read is audited."""
    reviewer = Reviewer.from_caller(caller)
    _, case = services.cases.read(reviewer, case_id, services.clock(), "letter")
    return _letters(case)


@router.post("/letters", responses=LETTER_PROBLEMS)
def write_letter(
    services: ServicesAsRead, caller: MayReview, case_id: str, body: LetterBody
) -> CaseLetters:
    """Write a letter to one party of a case that ended; another person releases it."""
    reviewer, now = Reviewer.from_caller(caller), services.clock()
    return _letters(services.letters.write(reviewer, case_id, now, body.audience, body.text))


@router.get("/letters/{audience}", responses=LETTER_PROBLEMS)
def read_letter(
    services: TheServices, caller: MayReview, case_id: str, audience: Audience
) -> LetterInWords:
    """Return the text of the newest letter to a party; the read is audited.

    The letter says what counted and how much, so the call needs the scope `explain` too.
    """
    caller.require("explain")
    reviewer = Reviewer.from_caller(caller)
    kept, letter = services.letters.read(reviewer, case_id, audience, services.clock())
    return LetterInWords(letter=_written(kept), sections=list(sections_of(letter)))


@router.post("/letters/{audience}/release", responses=LETTER_PROBLEMS)
def release_letter(
    services: ServicesAsRead, caller: MayReview, case_id: str, audience: Audience, body: ReleaseBody
) -> CaseLetters:
    """Release a letter that another person wrote."""
    reviewer, now = Reviewer.from_caller(caller), services.clock()
    return _letters(services.letters.release(reviewer, case_id, now, audience, body.text))


@router.post("/letter-deferrals", responses=LETTER_PROBLEMS)
def defer_letters(
    services: ServicesAsRead, caller: MayReview, case_id: str, body: DeferralBody
) -> CaseLetters:
    """Defer the letters of a case until an instant; another person confirms it."""
    reviewer, now = Reviewer.from_caller(caller), services.clock()
    return _letters(
        services.letters.defer(reviewer, case_id, now, body.ground, body.until, body.text)
    )


@router.post("/letter-deferrals/confirm", responses=LETTER_PROBLEMS)
def confirm_deferral(services: ServicesAsRead, caller: MayReview, case_id: str) -> CaseLetters:
    """Confirm the deferral of the letters of a case."""
    reviewer = Reviewer.from_caller(caller)
    return _letters(services.letters.confirm(reviewer, case_id, services.clock()))


@router.post("/accounts", responses=LETTER_PROBLEMS)
def seal_case(
    services: TheServices, caller: MaySeal, case_id: str, body: SealBody
) -> SealedAccount:
    """Seal the complete record of a case for a court or an authority, on the service's machine.

    It contains data of third parties, so an administrator of the machine hands the folder out.
    """
    reviewer, now = Reviewer.from_caller(caller), services.clock()
    # Raises NotFound for a case that the caller must not see; sealing itself reads any case.
    services.cases.case(reviewer, case_id)
    sealing = Sealing(case_id, body.sealed_for, body.recipient, reviewer.actor, body.text, now)
    return _sealed(services, sealing)


def _sealed(services: Services, sealing: Sealing) -> SealedAccount:
    # One folder for each second: sealing twice at once fails instead of overwriting.
    name = f"{sealing.case_id}-{sealing.at:%Y%m%dT%H%M%S}"
    folder = services.settings.accounts_of_cases / name
    key = private_key(services.settings.keys, LOG)
    try:
        digest = seal_account(services.case_store, services.decisions, key, folder, sealing)
    except Conflict:
        raise Conflict("a record of this case was sealed within this second; try again") from None
    return SealedAccount(case_id=sealing.case_id, folder=name, digest=digest)


def _letters(case: Case) -> CaseLetters:
    return CaseLetters(
        case_id=case.case_id,
        letters=[_written(letter) for letter in case.letters],
        deferral=_deferral(case.deferral) if case.deferral else None,
    )


def _written(letter: CaseLetter) -> WrittenLetter:
    acted = _named("written_by", letter.written_by) | _named("released_by", letter.released_by)
    return WrittenLetter.model_validate(vars(letter) | acted)


def _deferral(deferral: LetterDeferral) -> Deferral:
    acted = _named("deferred_by", deferral.deferred_by)
    acted |= _named("confirmed_by", deferral.confirmed_by)
    return Deferral.model_validate(vars(deferral) | acted | {"ends_at": deferral.ends_at})


def _named(field: str, actor: Actor | None) -> dict[str, str | None]:
    name, identity = (actor.name, actor.identity) if actor else (None, None)
    return {field: name, f"{field}_id": identity}
