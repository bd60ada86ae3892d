"""The ways in which a case may end, and what each says about its subject."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal, get_args

from features.records import Depth, Examination, Result

DispositionCode = Literal[
    "confirmed_smuggling_goods",
    "confirmed_migrant_smuggling",
    "other_offence",
    "document_irregularity",
    "no_finding_after_inspection",
    "no_finding_after_document_check",
    "released_without_check",
    "inconclusive",
    "duplicate",
    "referred_protection",
    "people_helped",
    "nobody_in_danger",
    "nobody_found",
    "taken_over_elsewhere",
]
ReasonCode = Literal[
    "goods_found",
    "persons_found",
    "hidden_space_found",
    "documents_false",
    "documents_explained",
    "nothing_found",
    "reasons_wrong",
    "no_time_or_capacity",
    "known_otherwise",
    "other",
]
Confidence = Literal["low", "medium", "high"]

SHORTEST_TEXT, LONGEST_TEXT = 10, 4_000


@dataclass(frozen=True)
class Finding:
    """What a reviewer states of an inspection, as far as it is known.

    `offences` are classes of `features/offences.py` in one text; the amounts are those of what was
    found.
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
    """The inspection that a case's newest outcome tells of; `is_stated` as in its outcome."""

    inspected_at: datetime
    is_stated: bool


@dataclass(frozen=True)
class Disposition:
    """What a reviewer says at the end of a case; `text` is in the reviewer's own words.

    `is_protection` says that people were handed to those who protect them, whatever was found.
    """

    code: DispositionCode
    reason: ReasonCode
    confidence: Confidence
    text: str
    finding: Finding = NOTHING_STATED
    is_protection: bool = False

    def after(self, proposed: "Disposition | None") -> "Disposition":
        """The second person's word on a proposal.

        Whoever agrees and states nothing of the finding means the one that was proposed, and people
        whom either handed to protection stay protected. What then differs is another proposal.
        """
        if proposed is None:
            return self
        agrees = self.code == proposed.code and self.finding == NOTHING_STATED
        finding = proposed.finding if agrees else self.finding
        is_protection = self.is_protection or proposed.is_protection
        return replace(self, finding=finding, is_protection=is_protection)


@dataclass(frozen=True)
class DispositionMeaning:
    """What a code means: in words, for the label store, and for whom it weighs heavily.

    `result` is None where nobody looked into the subject, which then has no label. Another offence
    is neither a find of smuggling nor the lack of one, and no label either. `is_adverse` holds what
    is reported to others as an offence; it takes two persons.
    """

    words: str
    result: Result | None
    is_adverse: bool = False


MEANING: dict[DispositionCode, DispositionMeaning] = {
    "confirmed_smuggling_goods": DispositionMeaning("smuggled goods were found", "confirmed", True),
    "confirmed_migrant_smuggling": DispositionMeaning(
        "people were being smuggled, and were found", "confirmed", True
    ),
    "other_offence": DispositionMeaning("another offence was found", "other_offence", True),
    "document_irregularity": DispositionMeaning(
        "documents were irregular, nothing else", "other_offence"
    ),
    "no_finding_after_inspection": DispositionMeaning(
        "an inspection found nothing", "not_confirmed"
    ),
    "no_finding_after_document_check": DispositionMeaning(
        "the documents were in order", "documents_in_order"
    ),
    "released_without_check": DispositionMeaning("it went on without a check", None),
    "inconclusive": DispositionMeaning("an inspection could not settle it", "inconclusive"),
    "duplicate": DispositionMeaning("it is the same as another case", None),
    "referred_protection": DispositionMeaning("it was handed to those who protect people", None),
    "people_helped": DispositionMeaning("people were helped and brought to safety", None),
    "nobody_in_danger": DispositionMeaning("nobody was in danger", None),
    "nobody_found": DispositionMeaning("it was searched for, and nobody was found", None),
    "taken_over_elsewhere": DispositionMeaning("another centre took over", None),
}

ONLY_OF_RESCUE: frozenset[DispositionCode] = frozenset(
    {"people_helped", "nobody_in_danger", "nobody_found", "taken_over_elsewhere"}
)
OF_RESCUE: frozenset[DispositionCode] = ONLY_OF_RESCUE | {"referred_protection", "duplicate"}
"""What a rescue may end in: what became of people, never an offence."""

assert MEANING.keys() == set(get_args(DispositionCode))
