"""The effect on the score if a party corrected its own papers.

The newest version of a paper that contradicts its party's own declaration (`filed_papers`) is given
the declared value. Only features that this changes are replaced, and only if their recorded values
equal what is computed now: then the new odds are exact, all else unchanged. Otherwise the letter
names what can be corrected without its weight.
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
from serving.review.letters.own_declarations import OwnDeclarations, field_words, paper_in_words

if TYPE_CHECKING:
    from serving.history.client import HistoryClient

# Fields of a paper that name no party.
_CORRECTABLE = (*AMOUNTS, "container_number", "seal_number")


@dataclass(frozen=True)
class Correction:
    """A paper to correct; `odds_factor` is the factor on the odds, None if unknown."""

    paper: str
    stated: str
    declared: str
    odds_factor: float | None


@dataclass(frozen=True)
class CorrectionScorer:
    """A scorer of cases with one paper corrected."""

    champions: Mapping[SubjectKind, LoadedModel]
    history: "HistoryClient"

    def corrections(self, decision: Decision, own: OwnDeclarations) -> tuple[Correction, ...]:
        """Return every own paper that contradicts the declaration, with its weight."""
        return tuple(
            Correction(
                paper_in_words(paper),
                field_words(paper, field),
                field_words(own.record, declared),
                self._odds_factor(decision, _corrected(own, paper, field, declared)),
            )
            for paper, field, declared in _different(own)
        )

    def _odds_factor(self, decision: Decision, corrected: Submission) -> float | None:
        champion = self.champions.get(decision.subject_kind)
        # Another model would give a factor that has nothing to do with the stored score.
        if champion is None or champion.model.digest != decision.result.model.digest:
            return None
        now, after = self.history.vectors([decision.submission, corrected])
        # What the model does not read, as a feature that is newer than it, moves nothing.
        moved = {
            name: value
            for name, value in after.items()
            if name in decision.vector and value != now[name]
        }
        # History has moved on: computed now, these features differ for other reasons too.
        if any(now[name] != decision.vector.get(name) for name in moved):
            return None
        rows = [champion.model.encode(decision.vector | change)[0] for change in ({}, moved)]
        before, then = champion.scorer.score(np.vstack(rows)).log_odds.tolist()
        return math.exp(then - before)


def _different(own: OwnDeclarations) -> Iterator[tuple[AttachedDocument, str, str]]:
    """Yield each own paper, a field of it, and the declared field that contradicts it."""
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
