"""A case in a few sentences: what it is, and why it is here."""

from datetime import datetime

from features.records import Journey, Shipment
from features.reference.goods_names import is_of_other_goods
from features.submission import Submission
from serving.audit.decision import Decision
from serving.explanation.code_names import country_in_words, goods_in_words, place_in_words
from serving.explanation.reasons_in_words import Reason
from serving.triage.lane_rule import VISITED, Lane

# A control case stands among the inspections, and is inspected like any other.
LANE_NAMES: dict[Lane, str] = {
    "rescue": "Rescue",
    "inspect": "Inspection",
    "control": "Inspection",
    "document_check": "Document check",
    "post_review": "Review after release",
    "release": "Release",
    "manual": "Manual procedure",
}
_WHY: dict[Lane, str] = {
    "rescue": "Lives may be at risk",
    "inspect": "Proposed for inspection",
    "control": "Proposed for inspection",
    "document_check": "Proposed for a check of its documents",
    "post_review": "May go on, and is proposed for review afterwards",
    "release": "Nothing calls for a closer look now",
    "manual": "No score could be made: the manual procedure decides",
}
SELECTED_AT_RANDOM = "Selected at random: no fact about it led to this check."
UNFITTING_DESCRIPTION = "the description does not fit the goods code"


SELECTED_BEFORE = "what selected it before it was scored again"
"""Of a later decision, which keeps the lane of the first where nothing hits any more."""


def describe_subject(submission: Submission, *, is_marked: bool = True) -> str:
    """One sentence on the subject, which marks a description of other goods than its code's.

    A letter asks for it unmarked: what did not select is no reason to be given.
    """
    subject, journey = submission.subject, submission.journey
    if isinstance(subject, Journey):
        return f"Journey {_way(subject)}, declared {_when(subject.declared_at)}."
    what = _goods(subject) + (f", {_way(journey)}" if journey else "")
    said = f"Shipment of {what}, declared {_when(subject.declared_at)}"
    is_unfitting = is_of_other_goods(subject.goods_description, subject.hs_code)
    return f"{said}; {UNFITTING_DESCRIPTION}." if is_marked and is_unfitting else f"{said}."


def describe_lane(decision: Decision) -> str:
    """Why it is here, with the strongest reason on either side; of a random draw there is none."""
    why = _WHY[decision.lane]
    if decision.life_at_risk:
        return f"{_WHY['rescue']}: {decision.life_at_risk}."
    if decision.lane_reason == "random":
        return SELECTED_AT_RANDOM
    if decision.lane_reason in ("watch_list", "rule"):
        hit = decision.hits[0] if decision.hits else SELECTED_BEFORE
        return f"{why}: {hit}."
    strongest = {r.effect: r for r in reversed(decision.reasons_in())}
    parts = [why]
    if "for" in strongest:
        parts.append(f"main reason: {_clause(strongest['for'])}")
    if "against" in strongest:
        parts.append(f"against: {_clause(strongest['against'])}")
    if decision.harm_ratio is not None and decision.lane_reason == "score":
        harm = f"{decision.harm_ratio:.2g} times that of a usual find"
        parts.append(f"ranked by probability × harm: the harm of a find here is {harm}")
    return "; ".join(parts) + "."


def describe_selection(decision: Decision) -> str:
    """One sentence on why a case is here, which tells no draw from a selection by the score.

    A control case has no reason, and one that was invented would give it away or mislead.
    """
    if decision.lane in VISITED and decision.lane_reason in ("score", "random"):
        return f"{_WHY['inspect']}."
    return describe_lane(decision)


def _clause(reason: Reason) -> str:
    """The fact that heads a reason."""
    telling = reason.evidence[0].sentence
    return telling[:1].lower() + telling[1:]


def _goods(shipment: Shipment) -> str:
    code = goods_in_words(shipment.hs_code)
    goods = shipment.goods_description
    what = f"{goods}, code {code}," if goods else f"goods under code {code}"
    origin = country_in_words(shipment.dispatch_country)
    return f"{what} from {origin} to {country_in_words(shipment.destination_country)}"


def _way(journey: Journey) -> str:
    origin, destination = place_in_words(journey.origin), place_in_words(journey.destination)
    return f"by {journey.mode.replace('_', ' ')} from {origin} to {destination}"


def _when(instant: datetime) -> str:
    return f"on {instant:%-d %B %Y at %H:%M} UTC"
