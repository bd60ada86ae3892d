"""What is untrue in the letters about a decision, found from the decision and the plan alone.

Of every case that a decision opens, reviewers end it and write to every party, as the console has
them do; of what opened no case, and of rescues, nobody can be written to.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta

from serving.audit.decision import Decision
from serving.container import Services
from serving.errors import NotFound, Unprocessable
from serving.review.case_letters import AUDIENCES, Audience
from serving.review.errors import LetterDeferred, LetterNotDue
from serving.review.letter import Letter
from serving.review.letter_text import COMPUTER, SELECTED, sections_of
from serving.review.results import CaseResult
from serving.review.reviewer import Reviewer
from serving.triage.lane_rule import VISITED, LaneReason
from tests.serving.people import reviewer
from tests.serving.review.stated import NOTHING, end_by, result_of

ADA, BERT = (reviewer(name) for name in ("ada", "bert"))
RESCUER = reviewer("carla", is_rescue=True)

IN_ORDER = result_of("documents_in_order", "check_documents")
PURPOSE = "they asked for it"

SAID_OF: dict[LaneReason, str] = {
    "random": SELECTED["lot"],
    "rule": SELECTED["rule"],
    "watch_list": SELECTED["information"],
    "score": SELECTED["score"],
}
"""How a letter says that its subject was selected, by what selected it."""

OF_SCORES = ("What spoke for a look", "What spoke against a look", "What a correction would change")


def letters_about(services: Services, decision: Decision, at: datetime) -> list[Letter]:
    """The letters to all parties of a decision, written by the code that the console uses."""
    if not _end_case(services, decision, at):
        return []
    if decision.lane_reason == "watch_list":
        at = _wait_for_list(services, decision, at)
    return [*_written(services, decision, at)]


def untrue_in_letter(
    decision: Decision, letter: Letter, published: Mapping[str, str | None]
) -> Iterator[str]:
    """A sentence for each thing that a letter says and that did not select, or is not so.

    `published` are the published words of each rule by its words in the office.
    """
    text = "\n".join(
        " ".join((section.heading, *section.paragraphs, *section.items))
        for section in sections_of(letter)
    )
    reason = decision.lane_reason
    if [said for said in SELECTED.values() if said in text] != [SAID_OF[reason]]:
        yield f"it was selected by {reason}, and the letter says otherwise"
    if any(heading in text for heading in OF_SCORES) != (reason == "score"):
        yield f"it was selected by {reason}, and reasons are given or left out"
    if (COMPUTER["score"] in text) != (reason == "score"):
        yield f"it was selected by {reason}, and the score is said to have decided or not to"
    for hit in decision.hits:
        if hit in text or hit.partition(": ")[2] in text:
            yield f"it repeats what is kept in the office: {hit}"
    yield from _rules_that_did_not_select(decision, letter, published)
    yield from _reasons_that_are_not_the_decisions(decision, letter)


def _rules_that_did_not_select(
    decision: Decision, letter: Letter, published: Mapping[str, str | None]
) -> Iterator[str]:
    hit = [published[words] for words in decision.hits if words in published]
    if letter.rule is not None and (decision.lane_reason != "rule" or letter.rule not in hit):
        yield f"a rule is told that did not select: {letter.rule}"


def _reasons_that_are_not_the_decisions(decision: Decision, letter: Letter) -> Iterator[str]:
    for effect, given in (("for", letter.speaks_for), ("against", letter.speaks_against)):
        own = {
            seen.sentence
            for reason in decision.reasons_in()
            if reason.effect == effect
            for seen in reason.evidence
            if (seen.contribution > 0) == (effect == "for")
        }
        for sign in given.own:
            if sign.sentence not in own:
                yield f"a reason {effect} that the decision has not: {sign.sentence}"
        if given.others and not own:
            yield f"kinds of reasons {effect}, where the decision has none"


def _end_case(services: Services, decision: Decision, at: datetime) -> bool:
    """End the case of a decision; whether there is one that anybody can be written to about."""
    case_id, is_rescue = decision.case_id, decision.lane == "rescue"
    reviewer = RESCUER if is_rescue else ADA
    try:
        _, case = services.cases.case(reviewer, case_id)
    except NotFound:
        assert decision.lane in ("release", "manual")
        return False
    if case.status != "closed":
        end_by(services.cases, reviewer, case_id, at, _end_of(decision))
    if not is_rescue:
        return True
    for audience in AUDIENCES:
        assert _refused(services, RESCUER, decision, audience, at) is LetterNotDue
        assert _refused(services, ADA, decision, audience, at) is NotFound
    return False


def _end_of(decision: Decision) -> CaseResult:
    """What was found where the lane of a decision looks."""
    if decision.lane == "rescue":
        return result_of("nobody_in_danger", "rescue")
    return NOTHING if decision.lane in VISITED else IN_ORDER


def _wait_for_list(services: Services, decision: Decision, at: datetime) -> datetime:
    """Defer the letter of what a list selected, by two, as it must be; when it may be written."""
    case_id, until = decision.case_id, at + timedelta(days=30)
    for audience in AUDIENCES:
        assert _refused(services, ADA, decision, audience, at) is LetterDeferred
    services.letters.defer(ADA, case_id, at, "conditions_of_the_source", until, PURPOSE)
    services.letters.confirm(BERT, case_id, at)
    return until + timedelta(minutes=1)


def _refused(
    services: Services, reviewer: Reviewer, decision: Decision, audience: Audience, at: datetime
) -> type[Exception] | None:
    try:
        services.letters.write(reviewer, decision.case_id, at, audience, PURPOSE)
    except (LetterNotDue, LetterDeferred, NotFound) as refusal:
        return type(refusal)
    return None


def _written(services: Services, decision: Decision, at: datetime) -> Iterator[Letter]:
    for audience in AUDIENCES:
        try:
            services.letters.write(ADA, decision.case_id, at, audience, PURPOSE)
        except Unprocessable:  # it names no such party
            continue
        yield services.letters.read(ADA, decision.case_id, audience, at)[1]
