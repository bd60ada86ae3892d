"""A case in two sentences: what it is, and why it is here."""

from datetime import datetime

from features.records import Journey, Shipment
from features.submission import Submission
from serving.audit.decision import Decision
from serving.explanation.reasons_in_words import Reason
from serving.triage.lane_rule import Lane

# A control case must look like any other that is to be inspected.
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
    "rescue": "It is here because lives may be at risk",
    "inspect": "It is proposed for inspection",
    "control": "It is proposed for inspection",
    "document_check": "A check of its documents is proposed before it goes on",
    "post_review": "It may go on, and is proposed for review afterwards",
    "release": "Nothing calls for a closer look now",
    "manual": "No model could be asked: the manual procedure decides",
}


SELECTED_BEFORE = "what selected it before it was scored again"
"""Of a later decision, which keeps the lane of the first where nothing hits any more."""


def describe_subject(submission: Submission) -> str:
    """One sentence on the subject."""
    subject, journey = submission.subject, submission.journey
    if isinstance(subject, Journey):
        what = f"A journey {_way(subject)}"
    else:
        what = _goods(subject) + (f", travelling {_way(journey)}" if journey else "")
    return f"{what}, declared {_when(subject.declared_at)}."


def describe_lane(decision: Decision) -> str:
    """One sentence on the lane, with the strongest reason on either side."""
    if decision.life_at_risk:
        return f"{_WHY['rescue']}: {decision.life_at_risk}."
    if decision.lane_reason in ("watch_list", "rule"):
        hit = decision.hits[0] if decision.hits else SELECTED_BEFORE
        return f"{_WHY[decision.lane]}: {hit}."
    strongest = {r.effect: r for r in reversed(decision.reasons_in())}
    parts = [_WHY[decision.lane]]
    if "for" in strongest:
        mark = ";" if decision.lane == "release" else ":"
        parts.append(f"{mark} what speaks most for a look is that {_clause(strongest['for'])}")
    if "against" in strongest:
        parts.append(f"; what speaks most against is that {_clause(strongest['against'])}")
    if decision.harm_ratio is not None and decision.lane_reason == "score":
        harm = f"{decision.harm_ratio:.2g} times that of a usual find"
        parts.append(f". It is ranked by probability × harm; the harm of a find here is {harm}")
    return "".join(parts) + "."


def _clause(reason: Reason) -> str:
    telling = max(reason.evidence, key=lambda e: e.contribution * reason.log_odds)
    return telling.sentence[:1].lower() + telling.sentence[1:]


def _goods(shipment: Shipment) -> str:
    goods = shipment.goods_description or f"goods under code {shipment.hs_code}"
    return (
        f"A shipment of {goods} from {shipment.dispatch_country} to {shipment.destination_country}"
    )


def _way(journey: Journey) -> str:
    return f"by {journey.mode.replace('_', ' ')} from {journey.origin} to {journey.destination}"


def _when(instant: datetime) -> str:
    return f"on {instant:%-d %B %Y at %H:%M} UTC"
