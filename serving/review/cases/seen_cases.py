"""What of a case and its events a reader does not see.

Whoever may be the second person sees nothing of what was proposed, and nobody the words about a
case that is masked.
"""

from dataclasses import replace

from serving.access.actors import Actor
from serving.audit.masking import MASKED, MASKED_CASE
from serving.review.cases.case_records import CaseRecord, StoredEvent
from serving.review.cases.case_state import Amendment, Case, Statement
from serving.review.cases.event_kinds import EVENT_KINDS
from serving.review.cases.opening import CASE


def as_seen_by(case: Case, reader: Actor) -> Case:
    """A case without what a first person said, for whoever may be the second."""
    if case.proposal is None or not case.hides_proposal_from(reader):
        return case
    return replace(case, proposal=Statement(case.proposal.by, case.proposal.at), second_view=None)


def without_proposal(events: list[StoredEvent]) -> list[StoredEvent]:
    """Events without what was proposed and what second persons thought of it."""
    return [
        replace(event, changed="{}", text="") if EVENT_KINDS[event.action].is_of_proposal else event
        for event in events
    ]


def amendment_shown(row: CaseRecord) -> Amendment | None:
    """Return the amendment of a case that lists show; None if the case is masked."""
    return None if row.what == MASKED_CASE else CASE.validate_json(row.state).amendment


def without_words(case: Case) -> Case:
    """A case without what reviewers wrote at its end and to anyone."""
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
    """Events without anyone's sentences, and without what they changed."""
    return [
        event if EVENT_KINDS[event.action].has_code else replace(event, changed="{}", text=MASKED)
        for event in events
    ]
