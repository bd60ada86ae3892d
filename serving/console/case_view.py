"""A stored decision as a page shows it: facts, what speaks for and against, what is missing."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Self

from features.records import Journey, Shipment
from features.submission import Submission
from serving.audit.decision import Decision
from serving.explanation.estimate_text import estimate_in_words
from serving.explanation.formatting import exact_figure, listed
from serving.explanation.missing_inputs import missing_in_words
from serving.explanation.reasons_in_words import Reason
from serving.request_parsing import read_submission
from serving.review.case_summary import LANE_NAMES, describe_lane, describe_subject


@dataclass(frozen=True)
class DocumentStatement:
    """One thing a document states, and whether it is not what was declared or stated before."""

    words: str
    is_different: bool


@dataclass(frozen=True)
class DocumentVersion:
    """One version of a document."""

    name: str
    version: int
    received_at: datetime
    statements: tuple[DocumentStatement, ...]


@dataclass(frozen=True)
class CaseView:
    """What a page shows of one decision; of one that is not explained no reason."""

    decision: Decision
    title: str
    lane: str
    what: str
    why: str
    facts: tuple[tuple[str, str], ...]
    reasons_for: tuple[Reason, ...]
    reasons_against: tuple[Reason, ...]
    missing: tuple[str, ...]
    documents: tuple[DocumentVersion, ...]
    largest_log_odds: float
    is_explained: bool
    estimate: str | None

    @classmethod
    def from_decision(cls, decision: Decision, *, is_explained: bool) -> Self:
        """The case of a decision, read from what was stored with it."""
        submission = read_submission(decision.request.encode())
        reasons = decision.reasons_in() if is_explained else ()
        return cls(
            decision=decision,
            title=f"{decision.subject_kind.capitalize()} {decision.subject_id}",
            lane=LANE_NAMES[decision.lane],
            what=describe_subject(submission),
            why=describe_lane(decision),
            facts=tuple(_facts(submission)),
            reasons_for=tuple(r for r in reasons if r.effect == "for"),
            reasons_against=tuple(r for r in reasons if r.effect == "against"),
            missing=tuple(missing_in_words(path) for path in decision.missing),
            documents=tuple(_filed(submission)),
            largest_log_odds=max((abs(r.log_odds) for r in reasons), default=1.0),
            is_explained=is_explained,
            estimate=estimate_in_words(decision.score) if decision.score else None,
        )


# What a document may state, in words, as its own field and the shipment's are named.
_STATED = {
    "gross_mass_kg": "{} kg",
    "packages": "{} packages",
    "value": "{} value",
    "container_number": "container {}",
    "seal_number": "seal {}",
    "consignor_id": "consignor {}",
    "consignee_id": "consignee {}",
}
_DECLARED_AS = {"value": "declared_value"}


def _filed(submission: Submission) -> Iterator[DocumentVersion]:
    """Every document in the order of receipt, marked where it differs."""
    before: dict[str, dict[str, object]] = {}
    for document in sorted(submission.documents, key=lambda d: d.received_at):
        stated = {name: getattr(document, name) for name in _STATED}
        earlier = before.get(document.kind, {})
        yield DocumentVersion(
            document.kind.replace("_", " "),
            document.version,
            document.received_at,
            tuple(_stated(stated, earlier, submission.shipment)),
        )
        before[document.kind] = stated


def _stated(
    stated: dict[str, object], earlier: dict[str, object], shipment: Shipment | None
) -> Iterator[DocumentStatement]:
    for name, value in stated.items():
        if value is None:
            continue
        declared = getattr(shipment, _DECLARED_AS.get(name, name), None)
        others = [other for other in (declared, earlier.get(name)) if other is not None]
        words = _STATED[name].format(exact_figure(value) if isinstance(value, float) else value)
        yield DocumentStatement(words, any(value != other for other in others))


def _facts(submission: Submission) -> list[tuple[str, str]]:
    """The records at a glance; what is absent is said under what is missing."""
    facts = _shipment_facts(submission.shipment) if submission.shipment else []
    facts += _journey_facts(submission.journey) if submission.journey else []
    documents = [document.kind.replace("_", " ") for document in submission.documents]
    payments = [
        f"{exact_figure(p.amount)} {p.currency} by {p.method.replace('_', ' ')}"
        for p in submission.transactions
    ]
    facts.append(("Documents", listed(documents) or "none"))
    facts.append(("Payments", listed(payments) or "none"))
    return facts


def _shipment_facts(shipment: Shipment) -> list[tuple[str, str]]:
    value = shipment.declared_value
    mass = shipment.gross_mass_kg
    facts = [
        ("Goods", f"code {shipment.hs_code}, origin {shipment.origin_country}"),
        ("Parties", f"{shipment.consignor_id} to {shipment.consignee_id}"),
        ("Declared value", f"{exact_figure(value)} {shipment.currency or ''}" if value else ""),
        ("Gross mass", f"{exact_figure(mass)} kg" if mass else ""),
        ("Packages", str(shipment.packages or "")),
        ("Container", shipment.container_number or ""),
        ("Office", shipment.office_id or ""),
    ]
    return [(label, text) for label, text in facts if text]


def _journey_facts(journey: Journey) -> list[tuple[str, str]]:
    crowd = (
        f"{journey.persons_on_board} on board, certified for {journey.certified_capacity}"
        if journey.persons_on_board is not None and journey.certified_capacity is not None
        else ""
    )
    facts = [
        ("Carrier", f"{journey.carrier_id}, {journey.conveyance_kind.replace('_', ' ')}"),
        ("Due", f"{journey.due_at:%-d %B %Y, %H:%M} UTC"),
        ("Persons", crowd),
    ]
    return [(label, text) for label, text in facts if text]
