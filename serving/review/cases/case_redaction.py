"""Redaction of cases and their events for a reader.

A possible second person sees nothing of a proposal, and nobody sees the texts of a masked case.
"""

from dataclasses import replace

from serving.access.actors import Actor
from serving.audit.masking import MASKED, MASKED_CASE
from serving.review.cases.case_of_decision import CASE
from serving.review.cases.case_records import CaseRow, StoredEvent
from serving.review.cases.case_state import Amendment, Case, Statement
from serving.review.cases.event_kinds import EVENT_KINDS


def redact_for(case: Case, reader: Actor) -> Case:
    """Return a case without the first statement, for a reader who may be the second person."""
    if case.proposal is None or not case.hides_proposal_from(reader):
        return case
    # Author and time stay: the second person must know that someone else proposed it.
    return replace(case, proposal=Statement(case.proposal.by, case.proposal.at), second_view=None)


def without_proposal(events: list[StoredEvent]) -> list[StoredEvent]:
    """Return events without the content of proposals and of second views."""
    return [
        replace(event, changed="{}", text="") if EVENT_KINDS[event.action].is_of_proposal else event
        for event in events
    ]


def amendment_shown(row: CaseRow) -> Amendment | None:
    """Return the amendment that lists show for a case; None if the case is masked."""
    return None if row.what == MASKED_CASE else CASE.validate_json(row.state).amendment


def without_words(case: Case) -> Case:
    """Return a case without anything that reviewers wrote, for a masked case."""
    return replace(
        case,
        letters=(),
        amendment=None,
        deferral=None,
        reopening=None,
        tags=(),
        proposal=None,
        second_view=None,
        escalation=case.escalation and replace(case.escalation, because=MASKED),
        action=case.action and replace(case.action, text=MASKED),
        result=case.result and replace(case.result, text=MASKED),
    )


def masked_events(events: list[StoredEvent]) -> list[StoredEvent]:
    """Return events without anyone's sentences and without the changed values."""
    return [
        event if EVENT_KINDS[event.action].has_code else replace(event, changed="{}", text=MASKED)
        for event in events
    ]
