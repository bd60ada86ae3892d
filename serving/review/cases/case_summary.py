"""A case in a few sentences: its subject, and why it was selected."""

from collections.abc import Callable
from datetime import datetime

from babel.dates import format_date

from features.records import Journey
from features.reference.goods_names import is_of_other_goods
from features.submission import Submission, SubmittedShipment
from serving.audit.decision import Decision
from serving.explanation.code_names import country_in_words, goods_in_words, place_in_words
from serving.explanation.reasons_in_words import Reason
from serving.language import ENGLISH, Language
from serving.triage.lane_declarations import LANES, VISITED

SELECTED_AT_RANDOM = "Selected at random: no fact about it led to this check."
UNFITTING_DESCRIPTION = "the description does not fit the goods code"


JOURNEY = "Journey {way}, declared {when}."
SHIPMENT = "Shipment of {what}, declared {when}."
UNFITTING_SHIPMENT = (
    "Shipment of {what}, declared {when}; the description does not fit the goods code."
)
GOODS = "{goods}, code {code}, from {origin} to {destination}"
UNNAMED_GOODS = "goods under code {code} from {origin} to {destination}"
WAY = "by {mode} from {origin} to {destination}"
WHEN = "on {day} at {time} UTC"
MAIN_REASON, AGAINST = "main reason: {fact}", "against: {fact}"
HARM = "ranked by probability × harm: the harm of a find here is {ratio} times that of a usual find"
# For a later decision that keeps the lane of the first although no rule matches any more.
SELECTED_BEFORE = "what selected it before it was scored again"


def describe_subject(
    submission: Submission, *, is_marked: bool = True, language: Language = ENGLISH
) -> str:
    """Describe the subject in one sentence, marking a description that does not fit its code.

    Letters ask for it unmarked: what did not select a case must not look like a reason.
    """
    subject, journey = submission.subject, submission.journey
    if isinstance(subject, Journey):
        way, when = _way(subject, language), _when(subject.declared_at, language)
        return language.say(JOURNEY, way=way, when=when)
    what = _goods(subject, language) + (f", {_way(journey, language)}" if journey else "")
    is_unfitting = is_of_other_goods(subject.goods_description, subject.goods_code)
    text = UNFITTING_SHIPMENT if is_marked and is_unfitting else SHIPMENT
    return language.say(text, what=what, when=_when(subject.declared_at, language))


def describe_lane(
    decision: Decision, language: Language = ENGLISH, said: Callable[[str], str] = str
) -> str:
    """Explain the lane with the strongest reason on each side, except for a random draw.

    Without derived reasons, none is named. `said` translates text that was stored in words.
    """
    why = language.say(LANES[decision.lane].proposal)
    if decision.life_at_risk:
        return f"{language.say(LANES['rescue'].proposal)}: {said(decision.life_at_risk)}."
    # Before the reasons: a draw has none, and any would look like one.
    if decision.is_drawn:
        return language.say(SELECTED_AT_RANDOM)
    if decision.lane_reason in ("watch_list", "rule"):
        hit = said(decision.hits[0]) if decision.hits else language.say(SELECTED_BEFORE)
        return f"{why}: {hit}."
    strongest = decision.strongest_reasons_in(language) if decision.reasons else {}
    parts = [why]
    if "for" in strongest:
        parts.append(language.say(MAIN_REASON, fact=_clause(strongest["for"])))
    if "against" in strongest:
        parts.append(language.say(AGAINST, fact=_clause(strongest["against"])))
    if decision.harm_ratio is not None and decision.lane_reason == "score":
        parts.append(language.say(HARM, ratio=language.figure(f"{decision.harm_ratio:.2g}")))
    return "; ".join(parts) + "."


def describe_selection(decision: Decision) -> str:
    """Explain the selection in one sentence that does not distinguish draws from scores.

    A control case has no reason; naming one would reveal the draw or mislead the reviewer.
    """
    if decision.lane in VISITED and decision.lane_reason in ("score", "random"):
        return f"{LANES['inspect'].proposal}."
    return describe_lane(decision)


def _clause(reason: Reason) -> str:
    """Return the leading fact of a reason, with a small initial."""
    telling = reason.evidence[0].sentence
    return telling[:1].lower() + telling[1:]


def _goods(shipment: SubmittedShipment, language: Language) -> str:
    code = goods_in_words(shipment.goods_code, language)
    goods = shipment.goods_description
    origin = country_in_words(shipment.dispatch_country, language)
    destination = country_in_words(shipment.destination_country, language)
    ends = {"code": code, "origin": origin, "destination": destination}
    return (
        language.say(GOODS, goods=goods, **ends) if goods else language.say(UNNAMED_GOODS, **ends)
    )


def _way(journey: Journey, language: Language) -> str:
    origin, destination = place_in_words(journey.origin), place_in_words(journey.destination)
    mode = language.say(journey.mode.replace("_", " "))
    return language.say(WAY, mode=mode, origin=origin, destination=destination)


def _when(instant: datetime, language: Language) -> str:
    day, time = format_date(instant, "d MMMM y", locale=language.locale), f"{instant:%H:%M}"
    return language.say(WHEN, day=day, time=time)
