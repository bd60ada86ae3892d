"""Letters as reviewers use them: written by one, released by another, deferred by two."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from serving.audit.decision import Decision
from serving.errors import Conflict, Forbidden, NotFound
from serving.language import ENGLISH, reading, say
from serving.models.model_pool import ModelPool
from serving.review.cases.case_change import CaseChange
from serving.review.cases.case_state import Case
from serving.review.cases.cases import Cases
from serving.review.cases.reviewer import Reviewer
from serving.review.letters.case_letters import Audience, CaseLetter, DeferralGround
from serving.review.letters.corrections import CorrectionScorer
from serving.review.letters.letter import LETTER, Letter, LetterSources, case_letter, letter_in
from serving.review.letters.letter_rules import (
    confirm_deferral,
    defer_letter,
    release_letter,
    require_letter_due,
    write_letter,
)
from serving.review.letters.own_declarations import OwnDeclarations
from serving.review.letters.remedies import Remedies
from serving.triage.triage_plan import TriagePlan

if TYPE_CHECKING:
    from serving.history.client import HistoryClient


@dataclass(frozen=True)
class LetterWriter:
    """The letters of cases, as reviewers write and release them; `remedies` is a file."""

    cases: Cases
    remedies: Path
    plan: TriagePlan
    models: ModelPool
    history: "HistoryClient"

    def write(
        self, reviewer: Reviewer, case_id: str, at: datetime, audience: Audience, purpose: str
    ) -> Case:
        """Write a letter to one party of a closed case.

        Raises Unprocessable if there is no such party, and Conflict if no letter is due or the case
        has changed.
        """
        # Written before the write lock is taken; the rule below checks that nothing has changed.
        case, decision = self._open(reviewer, case_id)
        require_letter_due(case, decision.lane_reason, at)
        own = OwnDeclarations.from_submission(decision.submission, audience)
        letter = Letter.from_case(decision, case, own, self._sources(), at)
        written = case_letter(letter, own.recipient, purpose, reviewer.actor)

        def write(current: Case) -> CaseChange:
            # Check again under the write lock: the case may have changed since it was read.
            require_letter_due(current, decision.lane_reason, at)
            if current.result != case.result:
                raise Conflict(
                    "the case has changed since you read it, and nothing was done",
                    code="case-changed",
                )
            return write_letter(current, written)

        return self.cases.act(reviewer, case_id, write)

    def release(
        self, reviewer: Reviewer, case_id: str, at: datetime, audience: Audience, because: str
    ) -> Case:
        """Release a letter that another person wrote; raises Conflict."""
        _, decision = self._open(reviewer, case_id)

        def release(current: Case) -> CaseChange:
            require_letter_due(current, decision.lane_reason, at)
            return release_letter(current, reviewer.actor, at, audience, because)

        return self.cases.act(reviewer, case_id, release)

    def defer(
        self,
        reviewer: Reviewer,
        case_id: str,
        at: datetime,
        ground: DeferralGround,
        until: datetime,
        because: str,
    ) -> Case:
        """Hold back the letters of a case until a day, for another person to confirm."""
        return self.cases.act(
            reviewer,
            case_id,
            lambda case: defer_letter(case, reviewer.actor, at, ground, until, because),
        )

    def confirm(self, reviewer: Reviewer, case_id: str, at: datetime) -> Case:
        """Confirm, as a second person, that the letters of a case are held back."""
        return self.cases.act(
            reviewer, case_id, lambda case: confirm_deferral(case, reviewer.actor, at)
        )

    def read(
        self, reviewer: Reviewer, case_id: str, audience: Audience, at: datetime
    ) -> tuple[CaseLetter, Letter]:
        """Return the newest letter to an audience, and record the read; raises NotFound.

        Its sentences are in the reader's language unless the case is masked.
        """
        row, case = self.cases.read(reviewer, case_id, at, "letter")
        found = [letter for letter in case.letters if letter.audience == audience]
        if not found:
            raise NotFound(
                say("no letter to the {audience} was written of this case", audience=audience)
            )
        letter = LETTER.validate_json(found[-1].content)
        language = reading().language
        if language is not ENGLISH and not self.cases.is_masked(row):
            decision = self.cases.decision(case_id)
            own = OwnDeclarations.from_submission(decision.submission, audience)
            letter = letter_in(language, letter, decision, own)
        return found[-1], letter

    def _open(self, reviewer: Reviewer, case_id: str) -> tuple[Case, Decision]:
        row, case = self.cases.case(reviewer, case_id)
        if self.cases.is_masked(row):
            raise Forbidden("the case is masked by now: nobody can be written to about it")
        return case, self.cases.decision(case_id)

    def _sources(self) -> LetterSources:
        scorer = CorrectionScorer(self.models.active_champions(), self.history)
        return LetterSources(Remedies.read(self.remedies), self.plan, scorer)
