"""What a correction of a party's own papers would change: the case scored again as it would be.

The newest version of a paper that states something else than its party declared of the same thing
(`filed_papers`) is given the declared value. Only features that the change moves are taken over,
and only where what was scored is what is computed now: then the odds after it are exact, with all
else as it was. Where they cannot be had, it is said what can be corrected and nothing of how much
that would weigh.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from features.records import SubjectKind
from features.submission import AttachedDocument, Submission
from serving.audit.decision import Decision
from serving.models.model_pool import LoadedModel
from serving.review.letters.filed_papers import AMOUNTS, declared_field, newest_papers
from serving.review.letters.own_declarations import OwnDeclarations, field_in_words, paper_in_words

if TYPE_CHECKING:
    from serving.history.client import HistoryClient

# Fields of a paper that name no party.
_CORRECTABLE = (*AMOUNTS, "container_number", "seal_number")


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
    history: "HistoryClient"

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
    """Yield each own paper with a field of it and the own declared field that says otherwise."""
    subject = own.submission.subject
    if own.record is not subject:  # the declaration that papers state again is another's
        return
    filed = newest_papers(own.submission.documents)
    for paper in own.papers:
        for field in _CORRECTABLE:
            declared = declared_field(subject, filed, paper, field)
            if declared is None:
                continue
            stated, value = getattr(paper, field), getattr(subject, declared)
            is_other_money = field == "value" and paper.currency != getattr(
                subject, "currency", None
            )
            if None not in (stated, value) and stated != value and not is_other_money:
                yield paper, field, declared


def _corrected(
    own: OwnDeclarations, paper: AttachedDocument, field: str, declared: str
) -> Submission:
    mended = paper.model_copy(update={field: getattr(own.record, declared)})
    documents = tuple(mended if each is paper else each for each in own.submission.documents)
    return own.submission.model_copy(update={"documents": documents})
