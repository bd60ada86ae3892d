"""Changes to a declaration, or its withdrawal, since its first decision."""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from features.records import VERSION_FIELDS
from features.submission import Submission
from serving.audit.decision import Decision
from serving.container import Services
from serving.errors import Erased
from serving.explanation.provenance_text import field_name
from serving.language import reading, say
from serving.review.cases.case_records import CaseRow
from serving.scoring.standing_declarations import as_declared_last, as_standing, withdrawn_at
from serving.web.html import instant_in_words


class FieldChange(NamedTuple):
    """A field as first declared and as it stands now."""

    words: str
    before: str
    after: str


@dataclass(frozen=True)
class AmendedDeclaration:
    """Later state of a declaration; `withdrawn_at` is when the withdrawal became known."""

    changes: Sequence[FieldChange] = ()
    withdrawn_at: datetime | None = None


def amended_declaration(
    services: Services, row: CaseRow, counted: Submission, now: datetime
) -> AmendedDeclaration:
    """Return the changes to a case's declaration by now; empty if the case is masked.

    `counted` is the submission behind the case's current decision. Newer versions can exist that
    scored lower or arrived after the case was closed.
    """
    if services.cases.is_masked(row):
        return AmendedDeclaration()
    subject = (str(counted.subject_kind), counted.subject_id)
    received = services.records.about([subject])[subject]
    # The case may rest on a middle version, so compare across all scored versions.
    scored = [counted, *_scored(services, row)]
    first = min(scored, key=_version)
    newest = max(scored, key=_version)
    standing = as_standing(newest, received, now)
    declared = standing or as_declared_last(newest, received)
    changes = _changes(first.subject, declared.subject)
    return AmendedDeclaration(
        tuple(changes), withdrawn_at(newest, received, now) if standing is None else None
    )


def _scored(services: Services, row: CaseRow) -> Iterator[Submission]:
    """Yield the submissions of all scores of a case, except erased ones."""
    for decision_id in {row.case_id, *(each.decision_id for each in services.cases.scores(row))}:
        # Scores that were erased in the meantime cannot be compared.
        with suppress(Erased):
            if record := services.decisions.record(decision_id):
                yield Decision.model_validate_json(record).submission


def _version(submission: Submission) -> int:
    return int(submission.subject.version)


def _changes(before: Any, after: Any) -> Iterator[FieldChange]:
    for name in type(before).model_fields:
        was, became = getattr(before, name), getattr(after, name)
        if was != became and name not in (*VERSION_FIELDS, "declared_at"):
            yield FieldChange(say(field_name(name)), _in_words(was), _in_words(became))


def _in_words(value: Any) -> str:
    match value:
        case None:
            return say("not stated")
        case bool():
            return say("yes") if value else say("no")
        case datetime():
            return instant_in_words(value)
        case tuple():
            return reading().language.shown(len(value))
        case int() | float():
            return reading().language.figure(f"{value:,}")
    return str(value)
