"""`GET /v1/entities/{kind}/{token}`: one party, container or conveyance across cases."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Path
from pydantic import BaseModel, Field

from features.records import SubjectKind
from serving.access.callers import Caller
from serving.api.openapi import problems
from serving.review.cases.results import ResultCode
from serving.review.cases.reviewer import Reviewer
from serving.review.search.entities import (
    MAX_SHOWN,
    Companion,
    EntityCase,
    EntityHistory,
    EntityKind,
    EntityReference,
    NamedEntity,
)
from serving.web.authentication import WithScope
from serving.web.closed_routes import ClosedRoute
from serving.web.services import TheServices

router = APIRouter(prefix="/v1/entities", tags=["review"], route_class=ClosedRoute)

MaySeeEntity = Annotated[Caller, Depends(WithScope("review", "audit"))]


class EntityAnswer(BaseModel):
    """A party, container or conveyance; `token` is its key in addresses and names nobody."""

    kind: EntityKind
    token: str
    value: str

    @classmethod
    def from_entity(cls, entity: NamedEntity) -> "EntityAnswer":
        """Return the response for an entity."""
        return cls(**vars(entity.reference), value=entity.value)


class RoleCount(BaseModel):
    """The number of cases in which an entity has a role, such as payer or vessel."""

    role: str
    cases: int


class MonthCount(BaseModel):
    """The cases opened in the month that begins on a day, and those with a find."""

    begins: date
    cases: int
    confirmed: int


class CaseOfEntity(BaseModel):
    """A case that names an entity; `result` is the finding of a case that has ended."""

    case_id: str
    subject_kind: SubjectKind
    subject_id: str
    what: str
    opened_at: datetime
    status: str
    result: ResultCode | None
    is_confirmed: bool
    roles: list[str]

    @classmethod
    def from_case(cls, each: EntityCase) -> "CaseOfEntity":
        """Return the response for a case."""
        result = each.result.code if each.result else None
        stated = {"result": result, "is_confirmed": each.is_confirmed, "roles": [*each.roles]}
        return cls.model_validate(vars(each.case) | stated)


class CompanionAnswer(EntityAnswer):
    """Another entity of the same cases, with the number of shared cases and of finds in them.

    Being named together proves nothing by itself.
    """

    roles: list[str]
    cases: int
    confirmed: int

    @classmethod
    def from_companion(cls, each: Companion) -> "CompanionAnswer":
        """Return the response for a companion."""
        named = vars(each.entity.reference) | {"value": each.entity.value}
        counts = {"roles": [*each.roles], "cases": each.cases, "confirmed": each.confirmed}
        return cls.model_validate(named | counts)


class EntityFacts(EntityAnswer):
    """Facts about an entity from the cases that the caller may see; an entity has no score.

    `case_count` covers the newest 250 cases; if there are more, `is_whole` is false, and `first_at`
    is still the time of the oldest. `cases` lists at most 50, open ones first.
    """

    case_count: int
    is_whole: bool
    open_cases: int
    with_result: int
    confirmed: int
    first_at: datetime
    last_at: datetime
    roles: list[RoleCount]
    months: list[MonthCount] = Field(
        description="Every month from the first case to the last, those without any too."
    )
    cases: list[CaseOfEntity]
    companions: list[CompanionAnswer]
    more_companions: int

    @classmethod
    def from_history(cls, history: EntityHistory) -> "EntityFacts":
        """Return the response for a history."""
        entity = EntityAnswer.from_entity(history.entity)
        names = ("is_whole", "open_cases", "with_result", "confirmed", "first_at", "last_at")
        return cls(
            **dict(entity),
            **{name: getattr(history, name) for name in names},
            case_count=len(history.cases),
            roles=[RoleCount(role=role, cases=count) for role, count in history.roles],
            months=[
                MonthCount(begins=each.begins.date(), cases=each.cases, confirmed=each.confirmed)
                for each in history.months
            ],
            cases=[CaseOfEntity.from_case(each) for each in history.cases[:MAX_SHOWN]],
            companions=[CompanionAnswer.from_companion(each) for each in history.companions],
            more_companions=history.more_companions,
        )


@router.get(
    "/{kind}/{token}",
    responses=problems(s404="No case that this key may see names it, or not any more."),
)
def read_entity(
    services: TheServices,
    caller: MaySeeEntity,
    kind: EntityKind,
    token: Annotated[
        str, Path(max_length=64, description="The token from a case or another entity.")
    ],
) -> EntityFacts:
    """Return the cases of one party, container or conveyance over time; the read is audited.

    Covers cases of the caller's offices, without rescues and masked or erased cases.
    """
    reviewer = Reviewer.from_caller(caller)
    return EntityFacts.from_history(
        services.entities.history(reviewer, EntityReference(kind, token))
    )


def named_entities(named: Mapping[str, EntityReference]) -> list[EntityAnswer]:
    """Return the entities of a case, sorted by identifier."""
    found = (NamedEntity(reference, value) for value, reference in sorted(named.items()))
    return [EntityAnswer.from_entity(each) for each in found]
