"""List of cases next to the open one: tabs with counts, and a page of rows."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from textwrap import shorten
from typing import Annotated, Literal, Self, get_args
from urllib.parse import urlencode

from pydantic import BaseModel, Field, field_validator

from features.records import Journey, Mode
from features.reference.geography.places import stored_place_name
from features.reference.goods_names import is_of_other_goods
from features.submission import Submission
from serving.access.callers import Caller
from serving.audit.decision import Decision
from serving.console.case_view import is_blind_to
from serving.container import Services
from serving.explanation.code_names import country_in_words, name_of_goods
from serving.explanation.formatting import capital
from serving.language import ARROW, reading, say, say_word
from serving.review.acts.tag import MAX_TAG_LENGTH, normalised_tag
from serving.review.cases.case_records import CaseFilter, CaseRow, QueueFilter, QueueOrder
from serving.review.cases.case_redaction import amendment_shown
from serving.review.cases.case_state import Amendment
from serving.review.cases.case_summary import UNFITTING_DESCRIPTION, describe_lane
from serving.review.cases.reviewer import Reviewer
from serving.review.cases.teams import Inboxes
from serving.triage.lane_declarations import Lane, ShownLane, stored_lanes
from serving.web.queue_cursor import (
    decode_cursor,
    decode_found,
    decode_place,
    encode_cursor,
    encode_place,
)
from serving.web.stored_texts import said_again

PAGE_SIZE = 25

Tab = Literal[
    "mine",
    "inbox",
    "escalated",
    "unassigned",
    "waiting",
    "second_person",
    "others",
    "expired",
    "closed",
]
TAB_NAMES: dict[Tab, str] = {
    "mine": "Mine",
    "inbox": "Inbox",
    "escalated": "Escalated",
    "unassigned": "Unassigned",
    "waiting": "Waiting",
    "second_person": "Second person",
    "others": "With others",
    "expired": "Expired",
    "closed": "Closed",
}
# Without a chosen tab, the first of these that has a case is shown.
_FIRST_SHOWN: tuple[Tab, ...] = (
    "inbox",
    "unassigned",
    "mine",
    "second_person",
    "expired",
    "others",
    "waiting",
)

RiskLevel = Literal["high", "medium", "low", "not said"]
# Levels come from the lane, because a number would reveal the score before the first judgement. A
# case drawn at random has no risk that led to the check.
RISK_LEVELS: dict[Lane, RiskLevel] = {
    "rescue": "high",
    "inspect": "high",
    "control": "not said",
    "document_check": "medium",
    "post_review": "low",
}
# Characters per column, so that 20 rows fit on one screen; the open case shows full texts.
JUDGE_FIRST = "To be judged first, without its lane and reasons"
MAX_WHAT, MAX_WAY, MAX_FACT = 23, 28, 52


class Filters(BaseModel):
    """Filters that the reader chose; empty values do not filter."""

    tab: Tab | None = None
    lane: ShownLane | None = None
    office: Annotated[str, Field(max_length=64)] = ""
    inbox: Annotated[str, Field(max_length=64)] = ""
    mode: Mode | None = None
    tag: Annotated[str, Field(max_length=4 * MAX_TAG_LENGTH)] = ""
    older_than_hours: Annotated[int, Field(ge=0, le=8760)] | None = None
    sort: QueueOrder | None = None
    cursor: Annotated[str, Field(max_length=400)] = ""

    @field_validator("tab", "lane", "mode", "older_than_hours", "sort", mode="before")
    @classmethod
    def _nothing_chosen(cls, value: object) -> object:
        """Convert the empty text that a form sends for no choice."""
        return None if value == "" else value

    @field_validator("tag")
    @classmethod
    def _as_kept(cls, value: str) -> str:
        return normalised_tag(value)

    def queue_filter(self, now: datetime, inboxes: Inboxes) -> QueueFilter:
        """Return these filters as a filter of stored cases."""
        before = now - timedelta(hours=self.older_than_hours) if self.older_than_hours else None
        return QueueFilter(
            now=now,
            lanes=stored_lanes([self.lane] if self.lane else []),
            office_id=self.office or None,
            mode=self.mode,
            opened_before=before,
            tab=self.tab if self.tab != "closed" else None,
            inbox=inboxes.named(self.inbox) if self.inbox else None,
            tag=self.tag or None,
        )

    @property
    def is_narrowed(self) -> bool:
        """Return whether anything but a tab was chosen."""
        chosen = (self.lane, self.office, self.inbox, self.mode, self.tag, self.older_than_hours)
        return any(chosen)

    def sorted_by(self, column: str) -> str:
        """Return the value of `aria-sort` of a column; the queue itself is by falling risk."""
        if column == "risk":
            return "none" if self.sort else "descending"
        orders = {column: "ascending", f"-{column}": "descending"}
        return orders.get(self.sort or "", "none")

    def sorting_address(self, column: str, first: str) -> str:
        """Return the address of the list sorted by a column; a second press reverses it.

        The first order is `ascending` or `descending`, as is most useful for the column.
        """
        if column == "risk":
            return self.address(sort="")
        is_first = self.sorted_by(column) != first
        return self.address(sort=column if is_first == (first == "ascending") else f"-{column}")

    def query(self, **changed: str) -> str:
        """Return these filters with changes as the query of an address, empty for none."""
        kept = self.model_dump(exclude_none=True, exclude={"cursor"}) | changed
        chosen = {name: value for name, value in kept.items() if value}
        return f"?{urlencode(chosen)}" if chosen else ""

    def address(self, **changed: str) -> str:
        """Return the address of the list with these filters and changes."""
        return f"/console/queue{self.query(**changed)}"

    def case_address(self, case_id: str, **changed: str) -> str:
        """Return the address of a case next to the list with these filters."""
        return f"/console/cases/{case_id}{self.query(**changed)}"


@dataclass(frozen=True)
class CaseLine:
    """One row; a case drawn at random, or to be judged blind, shows neither risk nor fact."""

    row: CaseRow
    risk: RiskLevel
    hours_left: float | None
    what: str
    way: str
    fact: str
    is_mine: bool
    amendment: Amendment | None = None

    @classmethod
    def from_case(
        cls,
        row: CaseRow,
        decision: Decision | None,
        caller: Caller,
        now: datetime,
        *,
        is_blind: bool = False,
    ) -> Self:
        """Return the row of a case; `decision` is None if erased or not readable."""
        submission = decision.submission if decision else None
        lane: Lane = row.lane  # type: ignore[assignment]  # a lane, as it was stored
        return cls(
            row,
            "not said" if is_blind else RISK_LEVELS.get(lane, "low"),
            row.hours_left(submission, now),
            _shortened(subject_described(submission) if submission else row.what, MAX_WHAT),
            _short_way(submission) if submission else "",
            say(JUDGE_FIRST) if is_blind else _shortened(_fact(row, decision, caller), MAX_FACT),
            caller.actor.is_holder(row.holder),
            amendment_shown(row),
        )


@dataclass(frozen=True)
class CaseList:
    """Page of one tab with the counts of all tabs; `opened_to` is a sequence number of the log."""

    filters: Filters
    tab: Tab
    counts: dict[Tab, int]
    rows: tuple[CaseLine, ...]
    next: str | None
    opened_to: int

    @classmethod
    def read(cls, services: Services, caller: Caller, filters: Filters, now: datetime) -> Self:
        """Return the requested list; without a tab, the first tab with work to do."""
        reviewer = Reviewer.from_caller(caller)
        # Decisions since the last look may not have a case yet.
        services.cases.open_new()
        wanted = filters.queue_filter(now, services.cases.inboxes())
        known = services.cases.count_tabs(reviewer, wanted)
        counts: dict[Tab, int] = {tab: known[tab] for tab in get_args(Tab)}
        busy = (each for each in _FIRST_SHOWN if counts[each])
        tab: Tab = next(busy, "unassigned") if filters.tab is None else filters.tab
        shown = filters.model_copy(update={"tab": tab})
        found, following = _page(services, reviewer, shown, now)
        rows = tuple(_listed(services, found, caller, now, filters))
        return cls(shown, tab, counts, rows, following, services.cases.opened_to())

    def after(self, case_id: str, caller: Caller) -> str | None:
        """Return the first case that the reader can work on, other than `case_id`; None if none."""
        for each in self.rows:
            # Such cases wait for someone or something else.
            is_awaited = each.row.status in ("action_ordered", "waiting", "closed")
            is_taken = each.row.owner is not None and not caller.actor.is_holder(each.row.holder)
            if each.row.case_id != case_id and not is_awaited and not is_taken:
                return each.row.case_id
        return None


def _page(
    services: Services, reviewer: Reviewer, filters: Filters, now: datetime
) -> tuple[list[CaseRow], str | None]:
    """Return the cases of a page and the cursor of the next."""
    if filters.tab == "closed":
        wanted = CaseFilter(
            ("closed",),
            office_id=filters.office or None,
            mode=filters.mode,
            tag=filters.tag or None,
            before=decode_place(filters.cursor or None),
        )
        listed = services.cases.list_cases(reviewer, wanted, PAGE_SIZE)
        return [*listed.found], encode_place(listed.next)
    wanted_now = filters.queue_filter(now, services.cases.inboxes())
    wanted_now = services.cases.as_read_by(reviewer, wanted_now)
    if filters.sort:
        last = decode_found(filters.cursor or None)
        found = services.cases.queue_in_order(reviewer, wanted_now, filters.sort, last, PAGE_SIZE)
        return found, found[-1].case_id if len(found) == PAGE_SIZE else None
    after = decode_cursor(filters.cursor or None)
    found = services.cases.queue(reviewer, wanted_now, after, PAGE_SIZE)
    return found, encode_cursor(found[-1], now) if len(found) == PAGE_SIZE else None


def _listed(
    services: Services, found: list[CaseRow], caller: Caller, now: datetime, filters: Filters
) -> Iterator[CaseLine]:
    decisions = services.cases.decisions_of([r for r in found if not services.cases.is_masked(r)])
    for row in found:
        is_blind = is_blind_to(services, caller, row)
        # In a list of one lane, a row would tell the lane.
        if not (is_blind and filters.lane):
            # A case masked in the meantime is listed without its decision.
            decision = decisions.get(row.case_id)
            yield CaseLine.from_case(row, decision, caller, now, is_blind=is_blind)


def _shortened(text: str, longest: int) -> str:
    return shorten(text, longest, placeholder="…")


def subject_described(submission: Submission) -> str:
    """Return the described goods, or the conveyance of a journey."""
    subject = submission.subject
    if isinstance(subject, Journey):
        return capital(say_word(subject.conveyance_kind))
    named = name_of_goods(subject.goods_code, reading().language) or say(
        "Goods {code}", code=subject.goods_code
    )
    return subject.goods_description or named[0].upper() + named[1:]


def way_named(submission: Submission) -> str:
    """Return origin and destination by name."""
    return reading().language.from_to(*_ends_named(submission))


def _short_way(submission: Submission) -> str:
    """Return origin and destination within the width of a row.

    Each end is shortened on its own, so that its direction marks stay paired.
    """
    origin, destination = _ends_named(submission)
    origin = _shortened(origin, MAX_WAY - len(ARROW) - 1)
    room = MAX_WAY - len(origin) - len(ARROW)
    return reading().language.from_to(origin, _shortened(destination, room))


def _ends_named(submission: Submission) -> tuple[str, str]:
    journey, shipment = submission.journey, submission.shipment
    if journey is not None:
        origin, destination = journey.origin, journey.destination
        return stored_place_name(origin) or origin, stored_place_name(destination) or destination
    assert shipment is not None, "a submission is of a journey or a shipment"
    language = reading().language
    codes = (shipment.dispatch_country, shipment.destination_country)
    origin, destination = (country_in_words(code, language).split(" (")[0] for code in codes)
    return origin, destination


def _fact(row: CaseRow, decision: Decision | None, caller: Caller) -> str:
    """Return the strongest fact; neutral for a random draw and for readers without `explain`."""
    if decision is None or not caller.may("explain"):
        return row.why
    if decision.is_drawn:
        return say("Selected at random")
    if decision.life_at_risk or decision.hits:
        return said_again(decision.life_at_risk or decision.hits[0])
    shipment = decision.submission.shipment
    if shipment and is_of_other_goods(shipment.goods_description, shipment.goods_code):
        return capital(say(UNFITTING_DESCRIPTION))
    language = reading().language
    leads = (
        reason.evidence[0] for reason in decision.reasons_in(language) if reason.effect == "for"
    )
    told = (lead.sentence for lead in leads if lead.value is not None)
    return next(told, None) or describe_lane(decision, language, said_again)
