"""The history of one party, container or conveyance across cases, without a score.

An entity is referred to by the token under which cases share it, so that addresses, browser
histories and the audit log name nobody. The token resolves while a visible case names the entity,
and no longer once that case is masked or erased.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Literal, get_args

from serving.access.acting import add_audit_details
from serving.audit.masking import Masking
from serving.errors import NotFound
from serving.review.cases.case_records import CaseRow
from serving.review.cases.cases import Cases
from serving.review.cases.results import CaseResult
from serving.review.cases.reviewer import Reviewer
from serving.review.search.search_terms import CONVEYANCES, SearchTerm

if TYPE_CHECKING:
    from serving.storage.repositories.entity_repository import EntityRepository

EntityKind = Literal["party", "container", "conveyance"]
ENTITY_KINDS: tuple[EntityKind, ...] = get_args(EntityKind)

# The newest cases of an entity that are read and counted, and those that are named.
MAX_LOOKED_AT, MAX_SHOWN = 250, 50

MAX_COMPANIONS = 12


@dataclass(frozen=True)
class EntityReference:
    """A reference to an entity: its kind, and the token that stands for it."""

    kind: EntityKind
    token: str


@dataclass(frozen=True)
class NamedEntity:
    """An entity with its real identifier."""

    reference: EntityReference
    value: str


@dataclass(frozen=True)
class Naming:
    """One case that names an entity, with its roles."""

    case: CaseRow
    roles: tuple[str, ...]


@dataclass(frozen=True)
class EntityLink:
    """The same for many cases at once, with the entity."""

    case_id: str
    entity: NamedEntity
    roles: tuple[str, ...]


@dataclass(frozen=True)
class EntityCase:
    """A case that names an entity; `result` is its finding once it is closed."""

    case: CaseRow
    roles: tuple[str, ...]
    result: CaseResult | None

    @property
    def is_closed(self) -> bool:
        """Return whether it is closed."""
        return self.case.status == "closed"

    @property
    def is_confirmed(self) -> bool:
        """Return whether it ended with a find of smuggling."""
        return self.result is not None and self.result.label == "confirmed"


@dataclass(frozen=True)
class Companion:
    """Another entity in the same cases; `confirmed` of these `cases` had a find."""

    entity: NamedEntity
    roles: tuple[str, ...]
    cases: int
    confirmed: int


@dataclass(frozen=True)
class EntityMonth:
    """One month's number of cases that name an entity, and of finds among them."""

    begins: datetime
    cases: int
    confirmed: int


@dataclass(frozen=True)
class EntityHistory:
    """The history of an entity in the cases that a reader may see.

    `cases` are the newest MAX_LOOKED_AT: open ones first, then by age. If there are more,
    `is_whole` is False, but `first_at` is still that of the oldest. `roles` are counted by cases.
    `companions` are the most frequent ones; `more_companions` counts the others.
    """

    entity: NamedEntity
    cases: tuple[EntityCase, ...]
    is_whole: bool
    roles: tuple[tuple[str, int], ...]
    first_at: datetime
    last_at: datetime
    months: tuple[EntityMonth, ...]
    companions: tuple[Companion, ...]
    more_companions: int

    @property
    def open_cases(self) -> int:
        """The number of cases that are not closed."""
        return sum(not each.is_closed for each in self.cases)

    @property
    def confirmed(self) -> int:
        """The number of cases that ended with a find of smuggling."""
        return sum(each.is_confirmed for each in self.cases)

    @property
    def with_result(self) -> int:
        """The number of cases that ended with any result."""
        return sum(each.result is not None for each in self.cases)


@dataclass(frozen=True)
class Entities:
    """The entities in the cases of a reader's offices, without rescues."""

    store: "EntityRepository"
    masking: Masking

    def history(self, reviewer: Reviewer, reference: EntityReference) -> EntityHistory:
        """Return the history of an entity.

        Raises NotFound if no visible case names it, the same as if it did not exist.
        """
        # Rescuers have no such page (docs/cases.md).
        value = None if reviewer.access.is_rescue else self.store.value(reference)
        entity = NamedEntity(reference, value or "")
        access, most = reviewer.access, MAX_LOOKED_AT
        # One more than is shown tells whether there are more, without counting them all.
        namings = self.store.namings(access, entity, most + 1) if value else []
        found, is_whole = self._shown(namings[:most]), len(namings) <= most
        if not found:
            raise NotFound("no case that you may see names this, or not any more")
        cases = [EntityCase(each.case, each.roles, _result_of(each.case)) for each in found]
        first = found[-1].case
        # The oldest case is beyond those read, so look it up for `first_at`.
        if not is_whole:
            oldest = self._shown(self.store.namings(access, entity, 1, is_oldest=True))
            first = oldest[0].case if oldest else first
        companions, more_companions = self._companions(entity, cases)
        cases.sort(key=lambda each: (each.is_closed, -each.case.seq))
        add_audit_details(cases=[each.case.case_id for each in cases[:MAX_SHOWN]])
        return EntityHistory(
            entity,
            tuple(cases),
            is_whole,
            _counted(each.roles for each in cases),
            first.opened_at,
            found[0].case.opened_at,
            tuple(_months(cases)),
            tuple(companions),
            more_companions,
        )

    def named_by(self, cases: Iterable[CaseRow]) -> dict[str, EntityReference]:
        """Return the entities of cases by identifier, without masked cases and rescues."""
        ids = [row.case_id for row in cases if row.lane != "rescue" and not Cases.is_masked(row)]
        links = self.store.links(ids) if ids else []
        return {link.entity.value: link.entity.reference for link in links}

    def _shown(self, found: Iterable[Naming]) -> list[Naming]:
        """Return the namings by cases that are not masked."""
        covers = self.masking.covers
        return [
            each
            for each in found
            if not covers(each.case.subject_kind, each.case.subject_id, each.case.opened_at)
        ]

    def _companions(
        self, entity: NamedEntity, cases: Sequence[EntityCase]
    ) -> tuple[list[Companion], int]:
        """Return the entities named most often, then most recently, and the number of others."""
        confirmed = {each.case.case_id for each in cases if each.is_confirmed}
        places = {each.case.case_id: each.case.seq for each in cases}
        links, total = self.store.companions(entity, list(places), MAX_COMPANIONS)
        named: dict[tuple[str, str], list[EntityLink]] = defaultdict(list)
        for link in links:
            named[link.entity.reference.kind, link.entity.value].append(link)
        found = []
        for of_one in named.values():
            ids = {link.case_id for link in of_one}
            roles = tuple(role for role, _ in _counted(link.roles for link in of_one))
            companion = Companion(of_one[0].entity, roles, len(ids), len(ids & confirmed))
            found.append((-len(ids), -max(places[each] for each in ids), companion))
        # The identifier breaks ties, so that the order is always the same.
        found.sort(key=lambda each: (*each[:2], each[2].entity.value))
        shown = len({link.entity.reference.token for link in links})
        return [companion for *_, companion in found], total - shown


def roles_as(kind: EntityKind, names: Iterable[str]) -> tuple[str, ...]:
    """Return the roles of an identifier in which it is an entity of this kind."""
    by_kind: Mapping[EntityKind, frozenset[str]] = {
        "container": frozenset({"container"}),
        "conveyance": frozenset(CONVEYANCES.values()),
    }
    if kind in by_kind:
        return tuple(name for name in names if name in by_kind[kind])
    return tuple(name for name in names if SearchTerm("", (name,)).is_party)


def _result_of(row: CaseRow) -> CaseResult | None:
    """Return the result of a closed case; a result that is only proposed is not disclosed."""
    return Cases.result_of(row) if row.status == "closed" else None


def _counted(roles: Iterable[tuple[str, ...]]) -> tuple[tuple[str, int], ...]:
    """Return each role with its frequency, most frequent first."""
    counts = Counter(role for each in roles for role in each)
    return tuple(sorted(counts.items(), key=lambda each: (-each[1], each[0])))


def _months(cases: Iterable[EntityCase]) -> Iterable[EntityMonth]:
    """Yield every month from the first case to the last, including months without cases."""
    opened: dict[datetime, list[EntityCase]] = defaultdict(list)
    for each in cases:
        at = each.case.opened_at
        opened[datetime(at.year, at.month, 1, tzinfo=at.tzinfo)].append(each)
    month, last = min(opened), max(opened)
    while month <= last:
        of_month = opened.get(month, [])
        confirmed = sum(each.is_confirmed for each in of_month)
        yield EntityMonth(month, len(of_month), confirmed)
        month = month.replace(year=month.year + month.month // 12, month=month.month % 12 + 1)
