"""Creation of the case that a decision opens."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from types import MappingProxyType

from pydantic import TypeAdapter

from features.identities import declarations, identifiers_of, parties_of, roles_of_parties
from features.records import Journey
from features.submission import Submission
from serving.audit.decision import Decision
from serving.review.cases.blind_cases import is_blind
from serving.review.cases.case_records import CaseLink, CaseRow, OpenedCase
from serving.review.cases.case_state import Case
from serving.review.cases.case_summary import describe_selection, describe_subject
from serving.review.cases.queue_risk import UNKNOWN_RISK, risk_of
from serving.review.cases.teams import Team, receiving_team
from serving.review.search.search_terms import CONVEYANCES, search_terms
from serving.triage.lane_declarations import QUEUE_RANK, WITHOUT_CASE

CASE: TypeAdapter[Case] = TypeAdapter(Case)

# Kinds of links that make past cases similar.
ALIKE = ("goods", "way")


def opens_case(decision: Decision) -> bool:
    """Return whether a decision needs a person."""
    return decision.lane not in WITHOUT_CASE


# A consignment without a known journey counts as stoppable for as long as it is scored again.
ARRIVES_WITHIN = timedelta(days=14)


def case_of_decision(
    seq: int,
    record: str,
    office_of_place: Mapping[str, str] = MappingProxyType({}),
    teams: Sequence[Team] = (),
    blind_share: float = 0.0,
) -> OpenedCase | None:
    """Return the case of a decision with its links and search terms; None for a release.

    There is no case either for what the manual procedure decides. If the decision names no office,
    its place of entry gives it by `office_of_place`. A rescored subject keeps the case of its first
    decision. The case starts in the inbox of the first of `teams` that receives it, if any.
    A `blind_share` of cases is judged first without lane and reasons, and queued without its risk.
    """
    decision = Decision.model_validate_json(record)
    if not opens_case(decision):
        return None
    submission = decision.submission
    journey: Journey | None = submission.journey
    due_at = journey.due_at if journey else decision.scored_at + ARRIVES_WITHIN
    office_id = decision.office_id or _office_of_entry(submission, office_of_place)
    mode, shipment = journey.mode if journey else None, submission.shipment
    chapter = shipment.goods_code[:2] if shipment else None
    is_rescue = decision.lane == "rescue"
    team = None if is_rescue else receiving_team(teams, office_id, mode, chapter)
    case = CaseRow(
        case_id=decision.case_id,
        seq=seq,
        subject_kind=decision.subject_kind,
        subject_id=decision.subject_id,
        office_id=office_id,
        lane=decision.lane,
        mode=mode,
        rank=QUEUE_RANK[decision.lane],
        due_at=due_at,
        opened_at=decision.scored_at,
        status="open",
        owner=None,
        waiting_until=None,
        what=describe_subject(submission),
        why=describe_selection(decision),
        state=CASE.dump_json(Case(decision.case_id, team=team)).decode(),
        decision_id=decision.decision_id if decision.rescores else None,
        # Its place must not tell what is hidden, nor make it wait.
        risk=UNKNOWN_RISK if is_blind(decision.case_id, blind_share) else risk_of(decision),
        team=team,
    )
    links = sorted(_links(submission).items())
    return OpenedCase(
        case,
        [
            CaseLink(case.case_id, seq, *link, roles=",".join(sorted(roles)))
            for link, roles in links
        ],
        search_terms(submission),
    )


def _office_of_entry(submission: Submission, office_of_place: Mapping[str, str]) -> str | None:
    """Return the office of the first place on the route that has one; else None."""
    journey = submission.journey
    if journey is None:
        return None
    on_the_way = sorted(submission.legs, key=lambda leg: leg.sequence)
    places = (*(leg.destination for leg in on_the_way), journey.destination)
    return next((office_of_place[place] for place in places if place in office_of_place), None)


def _links(submission: Submission) -> dict[tuple[str, str], set[str]]:
    """Return the links of a case by kind and value, with their roles in this case."""
    declared = declarations(submission)
    named = [*declared, *submission.transactions]
    # Agents appear in too many cases for a link to mean anything, so they get a kind of their own.
    linking = parties_of(named, only_linking=True)
    links = {
        ("party" if party in linking else "agent", party): roles
        for party, roles in roles_of_parties(named).items()
    }
    for container in identifiers_of(declared, "container"):
        links["container", container] = {"container"}
    if shipment := submission.shipment:
        links["goods", shipment.goods_code] = set()
    if journey := submission.journey:
        links["conveyance", journey.conveyance_id] = {CONVEYANCES[journey.mode]}
        links["way", f"{journey.origin} to {journey.destination}"] = set()
    return links
