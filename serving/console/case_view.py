"""A stored decision as a page shows it: facts, what speaks for and against, what is missing."""

from dataclasses import dataclass
from typing import Self

from features.records import Journey, Shipment
from features.reference.goods_names import is_of_other_goods
from features.submission import Submission
from serving.audit.decision import Decision
from serving.explanation.code_names import (
    country_in_words,
    goods_in_words,
    money_in_words,
    place_in_words,
)
from serving.explanation.estimate_text import estimate_in_words
from serving.explanation.formatting import exact_figure, listed
from serving.explanation.missing_inputs import missing_in_words
from serving.explanation.reasons_in_words import Observation, Reason
from serving.request_parsing import read_submission
from serving.review.case_summary import LANE_NAMES, describe_lane, describe_subject

MOST_FACTS = 5


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
    largest_log_odds: float
    is_explained: bool
    is_drawn: bool
    estimate: str | None

    @property
    def leading_facts(self) -> tuple[Observation, ...]:
        """The most telling measured facts that speak for a look; none of a draw.

        One of each reason, and where that are fewer than MOST_FACTS, the next of the strongest.
        """
        told = [
            [seen for seen in reason.evidence if seen.value is not None and seen.contribution > 0]
            for reason in self.reasons_for
        ]
        first = [seen for facts in told for seen in facts[:1]]
        return tuple([*first, *(seen for facts in told for seen in facts[1:])][:MOST_FACTS])

    @classmethod
    def from_decision(cls, decision: Decision, *, is_explained: bool) -> Self:
        """The case of a decision, read from what was stored with it."""
        submission = read_submission(decision.request.encode())
        # A draw has no reason, and whoever looks at what it drew is not told where to look.
        is_drawn = decision.lane_reason == "random"
        reasons = decision.reasons_in() if is_explained and not is_drawn else ()
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
            largest_log_odds=max((abs(r.log_odds) for r in reasons), default=1.0),
            is_explained=is_explained,
            is_drawn=is_drawn,
            estimate=estimate_in_words(decision.score) if decision.score else None,
        )


def _facts(submission: Submission) -> list[tuple[str, str]]:
    """The records at a glance; what is absent is said under what is missing."""
    facts = _shipment_facts(submission.shipment) if submission.shipment else []
    facts += _journey_facts(submission.journey) if submission.journey else []
    documents = [document.kind.replace("_", " ") for document in submission.documents]
    payments = [
        f"{money_in_words(p.amount, p.currency, p.paid_at)} by {p.method.replace('_', ' ')}"
        for p in submission.transactions
    ]
    facts.append(("Documents", listed(documents) or "none"))
    facts.append(("Payments", listed(payments) or "none"))
    return facts


def _shipment_facts(shipment: Shipment) -> list[tuple[str, str]]:
    value, at = shipment.declared_value, shipment.declared_at
    mass = shipment.gross_mass_kg
    facts = [
        ("Goods", goods_in_words(shipment.hs_code)),
        ("Description", _described(shipment)),
        ("Origin", country_in_words(shipment.origin_country)),
        ("Parties", f"{shipment.consignor_id} to {shipment.consignee_id}"),
        ("Declared value", money_in_words(value, shipment.currency, at) if value else ""),
        ("Gross mass", f"{exact_figure(mass)} kg" if mass else ""),
        ("Packages", str(shipment.packages or "")),
        ("Container", shipment.container_number or ""),
        ("Office", shipment.office_id or ""),
    ]
    return [(label, text) for label, text in facts if text]


def _described(shipment: Shipment) -> str:
    """The description as it was declared, marked where it is of other goods than the code."""
    said = shipment.goods_description or ""
    is_unfitting = is_of_other_goods(said, shipment.hs_code)
    return f"{said}: does not fit the goods code" if is_unfitting else said


def _journey_facts(journey: Journey) -> list[tuple[str, str]]:
    crowd = (
        f"{journey.persons_on_board} on board, certified for {journey.certified_capacity}"
        if journey.persons_on_board is not None and journey.certified_capacity is not None
        else ""
    )
    facts = [
        ("From", place_in_words(journey.origin)),
        ("To", place_in_words(journey.destination)),
        ("Carrier", f"{journey.carrier_id}, {journey.conveyance_kind.replace('_', ' ')}"),
        ("Due", f"{journey.due_at:%-d %B %Y, %H:%M} UTC"),
        ("Persons", crowd),
    ]
    return [(label, text) for label, text in facts if text]
