"""What a correction of a party's own papers would change: the case scored again as it would be.

A paper that states something else than its party declared is given the declared value. Only
features that the change moves are taken over, and only where what was scored is what is computed
now: then the odds after it are exact, with all else as it was. Where they cannot be had, it is said
what can be corrected and nothing of how much that would weigh.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from features.records import SubjectKind
from features.submission import AttachedDocument, Submission
from features.vector import Vector
from serving.audit.decision import Decision
from serving.models.model_pool import LoadedModel
from serving.review.own_declarations import OwnDeclarations, field_in_words, paper_in_words

# A field of a document, and what a shipment and a journey call the same.
_ALIKE = {
    "gross_mass_kg": ("gross_mass_kg", "declared_cargo_mass_kg"),
    "packages": ("packages",),
    "value": ("declared_value",),
    "container_number": ("container_number",),
    "seal_number": ("seal_number",),
}


class VectorSource(Protocol):
    """What computes the features of subjects against what was known before each."""

    def vectors(self, submissions: Sequence[Submission]) -> list[Vector]:
        """The features of each subject."""
        ...


@dataclass(frozen=True)
class Correction:
    """A paper that could state what was declared; `odds_factor` is of the odds, if it is known."""

    paper: str
    stated: str
    declared: str
    odds_factor: float | None


@dataclass(frozen=True)
class CorrectionScorer:
    """Scores a case again with a paper corrected."""

    champions: Mapping[SubjectKind, LoadedModel]
    history: VectorSource

    def corrections(self, decision: Decision, own: OwnDeclarations) -> tuple[Correction, ...]:
        """Every own paper that states something else than was declared, with what that weighs."""
        return tuple(
            Correction(
                paper_in_words(paper),
                field_in_words(paper, field),
                field_in_words(own.record, declared),
                self._odds_factor(decision, _corrected(own, paper, field, declared)),
            )
            for paper, field, declared in _different(own)
        )

    def _odds_factor(self, decision: Decision, corrected: Submission) -> float | None:
        champion = self.champions.get(decision.subject_kind)
        if champion is None or champion.model.digest != decision.result.model.digest:
            return None
        now, after = self.history.vectors([decision.submission, corrected])
        moved = {name: value for name, value in after.items() if value != now[name]}
        if any(now[name] != decision.vector.get(name) for name in moved):
            return None
        rows = [champion.model.encode(decision.vector | change)[0] for change in ({}, moved)]
        before, then = champion.scorer.score(np.vstack(rows)).log_odds.tolist()
        return math.exp(then - before)


def _different(own: OwnDeclarations) -> Iterator[tuple[AttachedDocument, str, str]]:
    """Each own paper with a field of it and the declared field that says something else."""
    for paper in own.papers:
        for field, alike in _ALIKE.items():
            stated = getattr(paper, field)
            for declared in alike:
                value = getattr(own.record, declared, None)
                if None not in (stated, value) and stated != value and _is_alike(own, paper, field):
                    yield paper, field, declared


def _is_alike(own: OwnDeclarations, paper: AttachedDocument, field: str) -> bool:
    """Whether two amounts are in one currency; of all else they are comparable."""
    return field != "value" or paper.currency == getattr(own.record, "currency", None)


def _corrected(
    own: OwnDeclarations, paper: AttachedDocument, field: str, declared: str
) -> Submission:
    mended = paper.model_copy(update={field: getattr(own.record, declared)})
    documents = tuple(mended if each is paper else each for each in own.submission.documents)
    return own.submission.model_copy(update={"documents": documents})
