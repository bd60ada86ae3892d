"""Results of ordered actions and of rescues, and the label that each implies.

Possible results depend on the action, reasons on the result, and details of the finding on both.
The constructor refuses contradictions, so that none can enter through a caller, a form or stored
text. Only results are labels.
"""

from dataclasses import dataclass, fields, replace
from datetime import datetime
from typing import Literal, get_args

from features.offences import AGAINST_PERSONS, NOT_SMUGGLING, offences_in
from features.outcome_contradictions import FOUND_FIELDS, contradiction
from features.records import OF_DOCUMENTS, Depth, Examination, Outcome, Result
from serving.errors import Unprocessable
from serving.language import say, say_word
from serving.review.cases.typology_texts import typology_contradiction

# The action that led to it; `refer` is an agency's answer, `rescue` needs no earlier action.
FoundBy = Literal["inspect", "check_documents", "refer", "rescue"]

ResultCode = Literal[
    "goods_found",
    "persons_found",
    "other_offence",
    "documents_irregular",
    "documents_in_order",
    "nothing_found",
    "inconclusive",
    "not_carried_out",
    "people_helped",
    "nobody_in_danger",
    "nobody_found",
    "taken_over_elsewhere",
    "handed_to_protection",
    "same_incident",
]
ReasonCode = Literal[
    "hidden_space",
    "undeclared_goods",
    "goods_not_as_declared",
    "prohibited_goods",
    "persons_hidden",
    "documents_false",
    "documents_missing",
    "documents_disagree",
    "documents_complete",
    "explained",
    "as_declared",
    "reasons_wrong",
    "could_not_open",
    "evidence_unclear",
    "no_time_or_capacity",
    "already_gone",
    "seen_on_scene",
    "heard_by_call",
    "reported",
    "other",
]
Confidence = Literal["low", "medium", "high"]

MIN_TEXT, MAX_TEXT = 10, 4_000


@dataclass(frozen=True)
class ResultMeaning:
    """The meaning of a result code: its words, its possible reasons, and its label.

    `label` is None if nobody examined the subject. Another offence neither confirms nor refutes
    smuggling, so it is no label for training. An `is_adverse` result is reported to others as an
    offence and takes two persons.
    """

    words: str
    reasons: tuple[ReasonCode, ...]
    label: Result | None = None
    is_adverse: bool = False


_ON_SCENE: tuple[ReasonCode, ...] = ("seen_on_scene", "heard_by_call")

RESULT_MEANING: dict[ResultCode, ResultMeaning] = {
    "goods_found": ResultMeaning(
        "smuggled goods were found",
        (
            "hidden_space",
            "undeclared_goods",
            "goods_not_as_declared",
            "prohibited_goods",
            "documents_false",
        ),
        "confirmed",
        is_adverse=True,
    ),
    "persons_found": ResultMeaning(
        "people were being smuggled, and were found",
        ("hidden_space", "persons_hidden", "documents_false"),
        "confirmed",
        is_adverse=True,
    ),
    "other_offence": ResultMeaning(
        "another offence was found",
        ("undeclared_goods", "goods_not_as_declared", "documents_false"),
        "other_offence",
        is_adverse=True,
    ),
    "documents_irregular": ResultMeaning(
        "documents were irregular, nothing else",
        ("documents_false", "documents_missing", "documents_disagree"),
        "other_offence",
    ),
    "documents_in_order": ResultMeaning(
        "the documents were in order",
        ("documents_complete", "explained", "reasons_wrong"),
        "documents_in_order",
    ),
    "nothing_found": ResultMeaning(
        "an inspection found nothing",
        ("as_declared", "explained", "reasons_wrong"),
        "not_confirmed",
    ),
    "inconclusive": ResultMeaning(
        "it could not be settled",
        ("could_not_open", "evidence_unclear", "no_time_or_capacity"),
        "inconclusive",
    ),
    "not_carried_out": ResultMeaning(
        "what was ordered was not carried out", ("no_time_or_capacity", "already_gone")
    ),
    "people_helped": ResultMeaning("people were helped and brought to safety", _ON_SCENE),
    "nobody_in_danger": ResultMeaning("nobody was in danger", _ON_SCENE),
    "nobody_found": ResultMeaning("it was searched for, and nobody was found", _ON_SCENE),
    "taken_over_elsewhere": ResultMeaning("another centre took over", _ON_SCENE),
    "handed_to_protection": ResultMeaning("it was handed to those who protect people", _ON_SCENE),
    "same_incident": ResultMeaning("it is the same as another rescue", _ON_SCENE),
}
assert RESULT_MEANING.keys() == set(get_args(ResultCode))

# After these nobody looks any further: they need a report from the scene or a second person.
NEEDS_SCENE: frozenset[str] = frozenset({"nobody_in_danger", "nobody_found"})

# Reasons that any result may have: another system reported it, or the text explains it.
ALWAYS_POSSIBLE: tuple[ReasonCode, ...] = ("reported", "other")

# The possible results of each action; `hold`, `release` and other referrals have none.
RESULTS_OF: dict[FoundBy, tuple[ResultCode, ...]] = {
    "inspect": (
        "nothing_found",
        "goods_found",
        "persons_found",
        "other_offence",
        "documents_irregular",
        "inconclusive",
        "not_carried_out",
    ),
    "check_documents": (
        "documents_in_order",
        "documents_irregular",
        "inconclusive",
        "not_carried_out",
    ),
    "refer": (
        "nothing_found",
        "goods_found",
        "persons_found",
        "other_offence",
        "inconclusive",
        "not_carried_out",
    ),
    "rescue": (
        "people_helped",
        "nobody_in_danger",
        "nobody_found",
        "taken_over_elsewhere",
        "handed_to_protection",
        "same_incident",
    ),
}

# The source of a result, as a noun.
FOUND_BY_WORDS: dict[FoundBy, str] = {
    "inspect": "an inspection",
    "check_documents": "a check of its documents",
    "refer": "the answer of another agency",
    "rescue": "a rescue",
}

# The results of actions: all ways to end a case that is not a rescue.
OF_ENFORCEMENT: tuple[ResultCode, ...] = tuple(
    dict.fromkeys(
        code for found_by, codes in RESULTS_OF.items() if found_by != "rescue" for code in codes
    )
)

_OF_PAPERS = (None, "documents", "post_clearance")


@dataclass(frozen=True)
class Finding:
    """The details of an inspection that a reviewer states, as far as they are known.

    `offences` are classes of `features/offences.py`, separated by blanks; the amounts are those of
    what was found.
    """

    inspected_at: datetime | None = None
    examination: Examination | None = None
    depth: Depth | None = None
    offences: str | None = None
    found_mass_kg: float | None = None
    found_items: int | None = None
    found_persons: int | None = None
    typology: str | None = None


NOTHING_STATED = Finding()


@dataclass(frozen=True)
class StatedInspection:
    """The inspection in a case's newest outcome; `is_stated` means a person gave its time."""

    inspected_at: datetime
    is_stated: bool


@dataclass(frozen=True)
class CaseResult:
    """The result of an action, as a reviewer states it; `text` is in their own words.

    `is_protection` means that people were handed to those who protect them, whatever was found.
    Raises Unprocessable if the action cannot have this result or the result cannot have this
    reason, and Unprocessable if the finding contradicts the result.
    """

    found_by: FoundBy
    code: ResultCode
    reason: ReasonCode
    confidence: Confidence
    text: str
    finding: Finding = NOTHING_STATED
    is_protection: bool = False

    def __post_init__(self) -> None:
        if self.code not in RESULTS_OF[self.found_by]:
            possible = RESULTS_OF[self.found_by]
            raise Unprocessable(
                f"{self.found_by} cannot end in {self.code}: want one of {', '.join(possible)}",
                in_words=say(
                    "{found_by} cannot end in “{result}”: choose one of: {results}",
                    found_by=say(FOUND_BY_WORDS[self.found_by]),
                    result=say(self.words),
                    results="; ".join(say(RESULT_MEANING[code].words) for code in possible),
                ),
                code="impossible-result",
            )
        if self.reason not in reasons_of(self.code):
            reasons = reasons_of(self.code)
            raise Unprocessable(
                f"{self.code} cannot be because of {self.reason}: want one of {', '.join(reasons)}",
                in_words=say(
                    "“{result}” cannot be because of “{reason}”: choose one of: {reasons}",
                    result=say(self.words),
                    reason=say_word(self.reason),
                    reasons="; ".join(map(say_word, reasons)),
                ),
                code="impossible-result",
            )
        if wrong := self._contradiction():
            raise Unprocessable(wrong, code="contradictory-finding")

    @property
    def words(self) -> str:
        """The result as a clause."""
        return RESULT_MEANING[self.code].words

    @property
    def is_adverse(self) -> bool:
        """Return whether it is reported to others as an offence, which takes two persons."""
        return RESULT_MEANING[self.code].is_adverse

    @property
    def is_hearsay(self) -> bool:
        """Return whether it ends a rescue without a report from the scene."""
        return self.code in NEEDS_SCENE and self.reason != "seen_on_scene"

    @property
    def label(self) -> Result | None:
        """Return its label; None without an examination, and for a rescue."""
        # Papers in order do not prove goods in order, so a check of papers has labels of its own.
        if self.found_by == "check_documents":
            of_papers: dict[ResultCode, Result] = {
                "documents_in_order": "documents_in_order",
                "documents_irregular": "documents_irregular",
            }
            return of_papers.get(self.code)
        return RESULT_MEANING[self.code].label

    @property
    def offences(self) -> str | None:
        """The stated and implied offences, separated by blanks; None if there are none."""
        stated = {*offences_in(self.finding.offences)}
        if self.code == "persons_found":
            stated.add("migrant_smuggling")
        elif self.label == "other_offence" and not stated:
            stated.add("document_fraud" if self.reason == "documents_false" else "other")
        return " ".join(sorted(stated)) or None

    def with_protection_of(self, other: "CaseResult | None") -> "CaseResult":
        """Return the result, marked as protection if either reviewer's result is."""
        is_protection = self.is_protection or (other is not None and other.is_protection)
        return replace(self, is_protection=is_protection)

    def _contradiction(self) -> str | None:
        stated, label = self.finding, self.label
        if label is None:
            found = any(getattr(stated, name) for name in FOUND_FIELDS)
            is_examined = stated.examination and self.code != "inconclusive"
            if stated.offences or is_examined or stated.typology or found:
                return "nothing was examined that could have shown it, and a finding is stated"
            return None
        if self.found_by == "check_documents" and stated.examination not in _OF_PAPERS:
            return "examination was more than the check of documents that was ordered"
        named = {*offences_in(stated.offences)}
        # Goods were found, so at least one offence must concern goods.
        if self.code == "goods_found" and named and named <= AGAINST_PERSONS | NOT_SMUGGLING:
            return "smuggled goods were found, and the offences name none"
        quantities = [getattr(stated, name) for name in FOUND_FIELDS]
        wrong = contradiction(label, self.offences, stated.examination, quantities)
        if wrong:
            return f"{wrong[0]} {wrong[1]}"
        is_of_goods = self.code == "goods_found"
        return typology_contradiction(
            stated.typology, label, offences_in(self.offences), is_of_goods
        )


def reported_result(outcome: Outcome) -> CaseResult:
    """Return an outcome of another system as a result reported by record."""
    codes: dict[Result, ResultCode] = {
        "confirmed": "goods_found",
        "not_confirmed": "nothing_found",
        "other_offence": "other_offence",
        "inconclusive": "inconclusive",
        "documents_in_order": "documents_in_order",
        "documents_irregular": "documents_irregular",
    }
    named = {*offences_in(outcome.offences)}
    is_of_persons = bool(named) and named <= AGAINST_PERSONS | NOT_SMUGGLING
    code = codes[outcome.result]
    # An outcome only confirms; its offences tell whether people or goods were smuggled.
    if code == "goods_found" and is_of_persons:
        code = "persons_found"
    found_by: FoundBy = "check_documents" if outcome.result in OF_DOCUMENTS else "inspect"
    stated = {each.name: getattr(outcome, each.name) for each in fields(Finding)}
    return CaseResult(found_by, code, "reported", "high", "reported by record", Finding(**stated))


def reasons_of(code: ResultCode) -> tuple[ReasonCode, ...]:
    """Return the reasons that a result may have."""
    return RESULT_MEANING[code].reasons + ALWAYS_POSSIBLE
