"""What is untrue in the letters about a decision, found from the decision and the plan alone.

Of every case that a decision opens, reviewers end it in one of all ways and write to every party,
as the console has them do; of what opened no case, and of rescues, nobody can be written to.
"""

import re
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from hashlib import sha256

from features.field_kinds import Party, fields_of_kind
from features.submission import Submission
from serving.audit.decision import Decision
from serving.container import Services
from serving.errors import Conflict, NotFound, Unprocessable
from serving.explanation.formatting import figures
from serving.language import say
from serving.review.acts.act_declaration import ActRequest
from serving.review.acts.agree import AGREE, Judgement
from serving.review.acts.order import order_action
from serving.review.acts.state_result import record_result
from serving.review.cases.results import RESULT_MEANING, RESULTS_OF, CaseResult
from serving.review.cases.reviewer import Reviewer
from serving.review.letters.case_letters import AUDIENCES, Audience
from serving.review.letters.letter import Letter
from serving.review.letters.letter_text import COMPUTER, NO_DECISION, SELECTED, sections_of
from serving.review.letters.own_declarations import recipient_of
from serving.triage.lane_declarations import LaneReason
from tests.serving.people import reviewer
from tests.serving.review.cases.stated import RELEASE, TO_AGENCY, agree_by, end_by, result_of

ADA, BERT = (reviewer(name) for name in ("ada", "bert"))
RESCUER = reviewer("carla", is_rescue=True)

NOBODY = result_of("nobody_in_danger", "rescue")
ENDS: tuple[CaseResult | None, ...] = (
    *(
        result_of(code, found_by)
        for found_by, codes in RESULTS_OF.items()
        if found_by != "rescue"
        for code in codes
    ),
    None,
)
"""How a case ends in turn: every result of every action, and a release."""
PURPOSE = "they asked for it"

SAID_OF: dict[LaneReason, str] = {
    "random": SELECTED["lot"],
    "rule": SELECTED["rule"],
    "watch_list": SELECTED["information"],
    "score": SELECTED["score"],
}
"""How a letter says that its subject was selected, by what selected it."""

ADVERSE_WORDS = {
    RESULT_MEANING[code].words
    for code in ("goods_found", "persons_found", "other_offence", "documents_irregular")
}

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
    yield from untrue_in_words(decision.submission, letter, text)
    yield from _reasons_that_are_not_the_decisions(decision, letter)


def untrue_in_words(submission: Submission, letter: Letter, text: str) -> Iterator[str]:
    """A sentence for each remedy that the end does not give, and each thing that is another's."""
    yield from _wrong_remedies(letter, text)
    recipient = recipient_of(submission, letter.audience)
    for party in sorted(parties_of(submission) - {recipient}):
        if re.search(rf"(?<!\w){re.escape(party)}(?!\w)", text):
            yield f"it names another party: {party}"
    yield from _papers_of_others(submission, recipient, text)
    yield from _unlike_figures(submission, letter, text)


def _wrong_remedies(letter: Letter, text: str) -> Iterator[str]:
    if say(NO_DECISION) not in text:
        yield "it does not say that it is no decision"
    if found := re.search(r"within \d+|within one|deadline|days of|of receiving", text):
        yield f"it sets a time limit: {found[0]}"
    remedies = letter.remedies
    is_adverse = letter.ending in ADVERSE_WORDS
    named = [each.name in text for each in (remedies.hearing, remedies.appeal, remedies.court)]
    if any(named) != all(named) or (any(named) and not is_adverse):
        yield "it names a hearing, an appeal or a court that the end does not give"


def _unlike_figures(submission: Submission, letter: Letter, text: str) -> Iterator[str]:
    for correction in letter.corrections:
        if letter.audience == "carrier" and submission.subject_kind == "shipment":
            yield f"it compares a consignment with a journey: {correction.stated}"
        if submission.subject_kind == "route" and "manifest" not in correction.paper:
            yield f"it compares a paper with a whole load: {correction.paper}"
        factor = correction.odds_factor
        if factor is not None and factor > 1.005 and f"{figures(factor)} times" in text:
            yield "it says that to correct something would have made it worse"


def _papers_of_others(submission: Submission, recipient: str, text: str) -> Iterator[str]:
    """Papers that others issued, and versions of papers that are not the newest."""
    newest: dict[str, int] = {}
    for paper in submission.documents:
        if paper.number:
            newest[paper.number] = max(paper.version, newest.get(paper.number, 0))
    for number, version in re.findall(r" (\S+?)\u2069?, [^\W\d]+ (\d+)(?!\S*\w)", text):
        if number.strip("\u2068") in newest and int(version) < newest[number.strip("\u2068")]:
            yield f"it names version {version} of {number}, of which there is a newer one"
    for paper in submission.documents:
        if paper.number and paper.issuer_id not in (None, recipient) and paper.number in text:
            yield f"it names a paper of another: {paper.number}"


def parties_of(submission: Submission) -> set[str]:
    """Every party that the records of a submission name."""
    records = [submission.journey, submission.shipment, *submission.documents]
    records += [*submission.transactions]
    return {
        value
        for record in records
        if record is not None
        for field in fields_of_kind(type(record), Party)
        if (value := getattr(record, field, None))
    }


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
        result = NOBODY if is_rescue else _end_of(decision)
        _end_with(services, case_id, at, reviewer, result)
    if not is_rescue:
        return True
    for audience in AUDIENCES:
        assert _refused(services, RESCUER, decision, audience, at) is Conflict
        assert _refused(services, ADA, decision, audience, at) is NotFound
    return False


def _end_of(decision: Decision) -> CaseResult | None:
    """One of the ways in which a case ends, always the same for a subject; None is a release."""
    place = int.from_bytes(sha256(decision.subject_id.encode()).digest()[:4])
    return ENDS[place % len(ENDS)]


def _end_with(
    services: Services, case_id: str, at: datetime, reviewer: Reviewer, result: CaseResult | None
) -> None:
    """End a case by one person, or by two where its end or what led to it takes two."""
    cases = services.cases
    if result is None:
        order_action(ActRequest(cases, reviewer, case_id, at, takes=True), RELEASE)
        return
    if result.found_by == "refer":
        order_action(ActRequest(cases, ADA, case_id, at, takes=True), TO_AGENCY)
        order_action(ActRequest(cases, BERT, case_id, at, takes=True), TO_AGENCY)
        AGREE.perform(ActRequest(cases, BERT, case_id, at), Judgement(text="so it is"))
        record_result(ActRequest(cases, ADA, case_id, at, takes=True), lambda _: result)
    else:
        end_by(cases, reviewer, case_id, at, result)
    if result.is_adverse:
        agree_by(cases, BERT, case_id, at, result)


def _wait_for_list(services: Services, decision: Decision, at: datetime) -> datetime:
    """Defer the letter of what a list selected, by two, as it must be; when it may be written."""
    case_id, until = decision.case_id, at + timedelta(days=30)
    for audience in AUDIENCES:
        assert _refused(services, ADA, decision, audience, at) is Conflict
    services.letters.defer(ADA, case_id, at, "conditions_of_the_source", until, PURPOSE)
    services.letters.confirm(BERT, case_id, at)
    return until + timedelta(minutes=1)


def _refused(
    services: Services, reviewer: Reviewer, decision: Decision, audience: Audience, at: datetime
) -> type[Exception] | None:
    try:
        services.letters.write(reviewer, decision.case_id, at, audience, PURPOSE)
    except (Conflict, NotFound) as refusal:
        return type(refusal)
    return None


def _written(services: Services, decision: Decision, at: datetime) -> Iterator[Letter]:
    for audience in AUDIENCES:
        try:
            services.letters.write(ADA, decision.case_id, at, audience, PURPOSE)
        except Unprocessable:  # it names no such party
            continue
        yield services.letters.read(ADA, decision.case_id, audience, at)[1]
