"""Stored decision in displayable form: facts, reasons for and against, and missing data."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

from features.records import Journey
from features.reference.goods_names import is_of_other_goods
from features.submission import Submission, SubmittedShipment
from serving.access.callers import Caller
from serving.audit.decision import Decision
from serving.container import Services
from serving.explanation.code_names import (
    country_in_words,
    goods_in_words,
    money_in_words,
    place_in_words,
)
from serving.explanation.estimate_text import estimate_in_words
from serving.explanation.formatting import exact_figure, listed
from serving.explanation.missing_inputs import missing_in_words
from serving.explanation.reason_ranking import MAX_CHECKS
from serving.explanation.reasons_in_words import Observation, Reason, UnweightedFact
from serving.language import reading, say, say_word, subject_named
from serving.review.acts.judge import has_said_a_view
from serving.review.cases.case_records import CaseRow, StoredEvent
from serving.review.cases.case_state import Case
from serving.review.cases.case_summary import describe_lane, describe_subject
from serving.review.cases.reviewer import Reviewer
from serving.triage.lane_declarations import LANE_NAMES
from serving.web.html import instant_in_words
from serving.web.stored_texts import said_again

MAX_FACTS = 5

# In place of the lane before a blind first judgement.
HIDDEN_LANE = "Judge it first"

# Declaration fields behind each fact of the summary, by its label.
FIELDS_OF_FACTS = {
    "Goods": ("hs_code",),
    "Description": ("goods_description",),
    "Origin": ("origin_country",),
    "Parties": ("consignor_id", "consignee_id"),
    "Declared value": ("declared_value",),
    "Gross mass": ("gross_mass_kg",),
    "Packages": ("packages",),
    "Container": ("container_number",),
    "Office": ("office_id",),
    "From": ("origin",),
    "To": ("destination",),
    "Carrier": ("carrier_id",),
    "Due": ("due_at",),
}


def is_score_shown(services: Services, caller: Caller, case: Case | CaseRow) -> bool:
    """Return whether a reader sees the score: not before their own judgement if so configured."""
    if not services.settings.is_score_after_judgement or not caller.may("review"):
        return True
    # Nothing is left to judge.
    if case.status == "closed":
        return True
    # A score seen first would anchor the reader's own judgement.
    return has_said_a_view(services.cases, Reviewer.from_caller(caller), case.case_id)


def is_blind_to(services: Services, caller: Caller, case: Case | CaseRow) -> bool:
    """Return whether lane, risk and reasons are hidden as well until the reader has judged."""
    return services.cases.is_blind(case.case_id) and not is_score_shown(services, caller, case)


def events_shown(events: Iterable[StoredEvent], *, is_blind: bool) -> list[StoredEvent]:
    """Return a case's events; in a blind view without scoring again, which tells lanes."""
    return [event for event in events if not (is_blind and event.action == "score_again")]


@dataclass(frozen=True)
class CaseView:
    """Parts of a decision that a page shows; `reasons_*` are empty if not explained.

    A blind view has neither lane nor reasons, and looks alike however the case was selected.
    """

    decision: Decision
    title: str
    lane: str
    what: str
    why: str
    facts: tuple[tuple[str, str], ...]
    reasons_for: tuple[Reason, ...]
    reasons_against: tuple[Reason, ...]
    unweighted: tuple[UnweightedFact, ...]
    missing: tuple[str, ...]
    largest_log_odds: float
    is_explained: bool
    is_drawn: bool
    is_blind: bool
    estimate: str | None

    @property
    def has_reasons(self) -> bool:
        """Return whether the reader sees any reason."""
        return bool(self.reasons_for or self.reasons_against)

    @property
    def leading_facts(self) -> tuple[tuple[Observation, Reason | None], ...]:
        """First measured facts for an inspection; the first three with the reason to check.

        None for a random draw. It takes the first of each reason, then fills up to MAX_FACTS with
        the next ones.
        """
        told = [
            (each, [s for s in each.evidence if s.value is not None and s.contribution > 0])
            for each in self.reasons_for
        ]
        first = [(facts[0], reason) for reason, facts in told if facts]
        unchecked = [seen for seen, _ in first[MAX_CHECKS:]]
        more = [*unchecked, *(seen for _, facts in told for seen in facts[1:])]
        return tuple([*first[:MAX_CHECKS], *((seen, None) for seen in more)][:MAX_FACTS])

    @classmethod
    def from_decision(
        cls, decision: Decision, *, is_explained: bool, is_blind: bool = False
    ) -> Self:
        """Return the view of a decision, from what was stored with it."""
        submission = decision.submission
        # A draw has no reason, and reasons would bias the inspector towards where to look.
        is_drawn = decision.is_drawn and not is_blind
        language = reading().language
        has_reasons = is_explained and not (decision.is_drawn or is_blind)
        reasons = decision.reasons_in(language) if has_reasons else ()
        return cls(
            decision=decision,
            title=subject_named(decision.subject_kind, decision.subject_id),
            lane=HIDDEN_LANE if is_blind else LANE_NAMES[decision.lane],
            what=describe_subject(submission, language=language),
            why="" if is_blind else describe_lane(decision, language, said_again),
            facts=tuple(_facts(submission)),
            reasons_for=tuple(r for r in reasons if r.effect == "for"),
            reasons_against=tuple(r for r in reasons if r.effect == "against"),
            unweighted=decision.unweighted_in(language) if has_reasons else (),
            missing=tuple(missing_in_words(path, language) for path in decision.missing),
            largest_log_odds=max((abs(r.log_odds) for r in reasons), default=1.0),
            is_explained=is_explained,
            is_drawn=is_drawn,
            is_blind=is_blind,
            estimate=estimate_in_words(decision.score, language) if decision.score else None,
        )


def _facts(submission: Submission) -> list[tuple[str, str]]:
    """Return the main facts of the records; absent ones appear under missing data."""
    facts = _shipment_facts(submission.shipment) if submission.shipment else []
    facts += _journey_facts(submission.journey) if submission.journey else []
    language = reading().language
    documents = [say_word(document.kind) for document in submission.standing("documents")]
    payments = [
        say(
            "{amount} by {method}",
            amount=money_in_words(p.amount, p.currency, p.paid_at, language),
            method=say_word(p.method),
        )
        for p in submission.standing("transactions")
    ]
    facts.append((say("Documents"), listed(documents, language) or say("none")))
    facts.append((say("Payments"), listed(payments, language) or say("none")))
    return facts


def _shipment_facts(shipment: SubmittedShipment) -> list[tuple[str, str]]:
    language = reading().language
    value, at = shipment.declared_value, shipment.declared_at
    mass = shipment.gross_mass_kg
    worth = money_in_words(value, shipment.currency, at, language) if value else ""
    weight = say("{mass} kg", mass=language.figure(exact_figure(mass))) if mass else ""
    facts = [
        (say("Goods"), goods_in_words(shipment.goods_code, language)),
        (say("Description"), _described(shipment)),
        (say("Origin"), country_in_words(shipment.origin_country, language)),
        (
            say("Parties"),
            say(
                "{consignor} to {consignee}",
                consignor=shipment.consignor_id,
                consignee=shipment.consignee_id,
            ),
        ),
        (say("Declared value"), worth),
        (say("Gross mass"), weight),
        (say("Packages"), str(shipment.packages or "")),
        (say("Container"), shipment.container_number or ""),
        (say("Office"), shipment.office_id or ""),
    ]
    return [(label, text) for label, text in facts if text]


def _described(shipment: SubmittedShipment) -> str:
    """Return the declared description, marked if it does not fit the goods code."""
    said = shipment.goods_description or ""
    is_unfitting = is_of_other_goods(said, shipment.goods_code)
    return (
        say("{description}: does not fit the goods code", description=said)
        if is_unfitting
        else said
    )


def _journey_facts(journey: Journey) -> list[tuple[str, str]]:
    """Return the main facts of a journey, without the persons on board, which only rescuers see."""
    facts = [
        (say("From"), place_in_words(journey.origin)),
        (say("To"), place_in_words(journey.destination)),
        (say("Carrier"), f"{journey.carrier_id}, {say_word(journey.conveyance_kind)}"),
        (say("Due"), instant_in_words(journey.due_at)),
    ]
    return [(label, text) for label, text in facts if text]
