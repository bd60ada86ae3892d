"""A stored decision in words: what it is, why it is here, what speaks for and against."""

from dataclasses import dataclass
from datetime import datetime
from typing import Self

from features.records import Journey, Shipment
from features.submission import Submission
from serving.decisions.decision import Decision
from serving.explanation.missing import missing_in_words
from serving.explanation.reasons import Reason
from serving.explanation.wording import figures, listed
from serving.lanes.placement import Lane
from serving.submitted import read_submission

# A control case must look like any other that is to be inspected.
LANE_NAMES: dict[Lane, str] = {
    "rescue": "Rescue",
    "inspect": "Inspection",
    "control": "Inspection",
    "document_check": "Document check",
    "post_review": "Review after release",
    "release": "Release",
}
_WHY: dict[Lane, str] = {
    "rescue": "It is here because lives may be at risk",
    "inspect": "It is proposed for inspection",
    "control": "It is proposed for inspection",
    "document_check": "A check of its documents is proposed before it goes on",
    "post_review": "It may go on, and is proposed for review afterwards",
    "release": "Nothing calls for a closer look now",
}


@dataclass(frozen=True)
class Case:
    """What a page shows of one decision."""

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

    @classmethod
    def of(cls, decision: Decision) -> Self:
        """The case of a decision, read from what was stored with it."""
        submission = read_submission(decision.request.encode())
        reasons = decision.reasons.reasons
        return cls(
            decision=decision,
            title=f"{decision.subject_kind.capitalize()} {decision.subject_id}",
            lane=LANE_NAMES[decision.lane],
            what=what_it_is(submission),
            why=why_it_is_here(decision),
            facts=tuple(_facts(submission)),
            reasons_for=tuple(r for r in reasons if r.effect == "for"),
            reasons_against=tuple(r for r in reasons if r.effect == "against"),
            missing=tuple(missing_in_words(path) for path in decision.missing),
            largest_log_odds=max((abs(r.log_odds) for r in reasons), default=1.0),
        )


def what_it_is(submission: Submission) -> str:
    """One sentence on the subject."""
    if submission.subject_kind == "route":
        return f"A journey {_way(submission.journey)}, declared {_when(submission.declared_at)}."
    shipment, journey = submission.shipment, submission.journey
    assert shipment is not None, "a shipment's submission has one"
    goods = shipment.goods_description or f"goods under code {shipment.hs_code}"
    way = f", travelling {_way(journey)}" if journey else ""
    return (
        f"A shipment of {goods} from {shipment.dispatch_country} to "
        f"{shipment.destination_country}{way}, declared {_when(shipment.declared_at)}."
    )


def why_it_is_here(decision: Decision) -> str:
    """One sentence on the lane, with the strongest reason on either side."""
    if decision.life_at_risk:
        return f"{_WHY['rescue']}: {decision.life_at_risk}."
    strongest = {r.effect: r for r in reversed(decision.reasons.reasons)}
    parts = [_WHY[decision.lane]]
    if "for" in strongest:
        mark = ";" if decision.lane == "release" else ":"
        parts.append(f"{mark} what speaks most for a look is that {_clause(strongest['for'])}")
    if "against" in strongest:
        parts.append(f"; what speaks most against is that {_clause(strongest['against'])}")
    return "".join(parts) + "."


def _clause(reason: Reason) -> str:
    telling = max(reason.evidence, key=lambda e: e.contribution * reason.log_odds)
    return telling.sentence[:1].lower() + telling.sentence[1:]


def _way(journey: Journey | None) -> str:
    assert journey is not None, "a route's submission has one"
    return f"by {journey.mode.replace('_', ' ')} from {journey.origin} to {journey.destination}"


def _when(instant: datetime) -> str:
    return f"on {instant:%-d %B %Y at %H:%M} UTC"


def _facts(submission: Submission) -> list[tuple[str, str]]:
    """The records at a glance; what is absent is said under what is missing."""
    facts = _shipment_facts(submission.shipment) if submission.shipment else []
    facts += _journey_facts(submission.journey) if submission.journey else []
    documents = [document.kind.replace("_", " ") for document in submission.documents]
    payments = [
        f"{figures(p.amount)} {p.currency} by {p.method.replace('_', ' ')}"
        for p in submission.transactions
    ]
    facts.append(("Documents", listed(documents) or "none"))
    facts.append(("Payments", listed(payments) or "none"))
    return facts


def _shipment_facts(shipment: Shipment) -> list[tuple[str, str]]:
    value = shipment.declared_value
    mass = shipment.gross_mass_kg
    told = [
        ("Goods", f"code {shipment.hs_code}, origin {shipment.origin_country}"),
        ("Parties", f"{shipment.consignor_id} to {shipment.consignee_id}"),
        ("Declared value", f"{figures(value)} {shipment.currency or ''}" if value else ""),
        ("Gross mass", f"{figures(mass)} kg" if mass else ""),
        ("Packages", str(shipment.packages or "")),
        ("Container", shipment.container_number or ""),
        ("Office", shipment.office_id or ""),
    ]
    return [(label, text) for label, text in told if text]


def _journey_facts(journey: Journey) -> list[tuple[str, str]]:
    crowd = (
        f"{journey.persons_on_board} on board, certified for {journey.certified_capacity}"
        if journey.persons_on_board is not None and journey.certified_capacity is not None
        else ""
    )
    told = [
        ("Carrier", f"{journey.carrier_id}, {journey.conveyance_kind.replace('_', ' ')}"),
        ("Due", f"{journey.due_at:%-d %B %Y, %H:%M} UTC"),
        ("Persons", crowd),
    ]
    return [(label, text) for label, text in told if text]
