"""The full version of a letter, sealed for a court or a data protection authority.

A court that hears both sides can weigh what a letter withholds: all reasons, the lane and its
procedure, the model's version, and the sources of the data (C-203/22: secrets go to the authority
or the court instead of being withheld altogether). It holds data of third parties and is for its
recipient only.
"""

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from features.atomic_dir import written_whole
from features.catalogue import features_by_name
from features.errors import Tampered, TidegateError
from features.home_keys import keys_in_lines
from features.provenance import SubmissionProvenance
from features.signed_documents import SIGNATURE, read_document, sign, verify
from serving.access.actors import Actor
from serving.audit.decision import Decision, digest_of
from serving.audit.erased_accounts import ACCOUNT
from serving.errors import Conflict, NotFound
from serving.explanation.formatting import exact_figure, readable
from serving.review.cases.case_of_decision import CASE, case_of_decision
from serving.review.cases.case_records import CaseAccess, StoredEvent
from serving.review.cases.case_state import Case

if TYPE_CHECKING:
    from serving.storage.repositories.case_repository import CaseRepository
    from serving.storage.repositories.decision_repository import DecisionRepository

TEXT = "account.md"
_KIND = "account of a case"

SealedFor = Literal["court", "data_protection_authority"]

PROCEDURE = (
    "Signs of danger to life come first, whatever else holds; then entries of watch-lists and "
    "rules that ask for an inspection. Of the rest, the scores of the office's newest subjects are "
    "ranked, and the cutoff of a lane is the score above which the share of subjects lies that the "
    "office can take that day; equal scores at a cutoff are drawn by lot. What the score did not "
    "send to inspection is drawn for control with the stored probability, whatever its score. "
    "`lane_probabilities` says with which probability this subject came into each lane, over all "
    "draws; no cutoff is stored by itself: it follows from the decisions logged before this one."
)


@dataclass(frozen=True)
class Sealing:
    """A request to seal a case: for whom, by whom, why and when."""

    case_id: str
    sealed_for: SealedFor
    recipient: str
    by: Actor
    because: str
    at: datetime


def seal_account(
    cases: "CaseRepository",
    decisions: "DecisionRepository",
    key: Ed25519PrivateKey,
    folder: Path,
    sealing: Sealing,
) -> str:
    """Write the sealed account of a case into a new `folder`, and return its digest.

    The folder appears complete or not at all, and the case records the event. Raises NotFound, or
    Conflict if `folder` exists.
    """
    if folder.exists():
        raise Conflict(f"{folder} is there already; each account has a folder of its own")
    with written_whole(folder) as partial:  # read inside, so that an erasure sees this use
        document = account(cases, decisions, sealing)
        document[SIGNATURE] = sign(_KIND, document, key)
        content = json.dumps(document, indent=1).encode() + b"\n"
        digest = digest_of(content)
        (partial / ACCOUNT).write_bytes(content)
        (partial / TEXT).write_text(account_in_words(json.loads(content), digest), "utf-8")
        # Inside the block: if the event cannot be stored, no account is left behind.
        cases.append_event(_event(sealing, digest))
    return digest


def verify_account(folder: Path, public_key: str) -> str:
    """Return the digest of an unaltered account; raises Tampered or TidegateError."""
    refusal = f"{folder}: {ACCOUNT} is not as it was sealed"
    try:
        content, text = (folder / ACCOUNT).read_bytes(), (folder / TEXT).read_bytes()
    except FileNotFoundError as error:
        raise TidegateError(f"{error.filename} is missing") from None
    document = read_document(content, refusal)
    verify(_KIND, document, keys_in_lines(public_key), refusal)
    digest = digest_of(content)
    # The signature covers the JSON only, so the text must be derived from it again.
    if text != account_in_words(document, digest).encode():
        raise Tampered(f"{folder}: {TEXT} does not say what {ACCOUNT} does")
    return digest


def account(
    cases: "CaseRepository", decisions: "DecisionRepository", sealing: Sealing
) -> dict[str, Any]:
    """Return everything on record about a case; raises NotFound."""
    cases.open_new(case_of_decision)
    # A court may ask about either side, so look for an ordinary case first, then a rescue.
    sides = (CaseAccess(frozenset(), is_rescue=side) for side in (False, True))
    row = next(filter(None, (cases.case(sealing.case_id, side) for side in sides)), None)
    record = decisions.record(sealing.case_id)
    if row is None or record is None:
        raise NotFound("there is no case with this id, or its time was over")
    decision, case = Decision.model_validate_json(record), CASE.validate_json(row.state)
    return {
        "sealed": asdict(sealing) | {"at": sealing.at.isoformat()},
        "selection": _selection(decision),
        "reasons": [asdict(reason) for reason in decision.reasons_in()],
        "inputs": list(_inputs(decision)),
        "model": decision.model and decision.model.model_dump(mode="json"),
        "sources": _sources(decision),
        "case": _ending(case),
        "events": [
            asdict(event) | {"at": event.at.isoformat()} for event in cases.events(sealing.case_id)
        ],
        "decision": json.loads(record),
    }


def _event(sealing: Sealing, digest: str) -> StoredEvent:
    told = {"for": sealing.sealed_for, "recipient": sealing.recipient, "digest": digest}
    changed = json.dumps({"account": [None, told]})
    who = sealing.by
    return StoredEvent(
        sealing.case_id, sealing.at, who.identity, "seal", changed, sealing.because, who.name
    )


def _selection(decision: Decision) -> dict[str, Any]:
    score = decision.score
    return {
        "lane": decision.lane,
        "lane_reason": decision.lane_reason,
        "hits": decision.hits,
        "lane_probabilities": decision.lane_probabilities,
        "selection_probability": decision.selection_probability,
        "plan": decision.plan,
        "probability": score and score.probability,
        "percentile": score and score.percentile,
        "unscored": decision.unscored,
        "procedure": PROCEDURE,
    }


def _inputs(decision: Decision) -> Iterator[dict[str, Any]]:
    """Yield every input of the model: its value, its exact part in log-odds, and its meaning."""
    parts = decision.score.contributions if decision.score else [None] * len(decision.vector)
    known = features_by_name()
    for (name, value), part in zip(decision.vector.items(), parts, strict=True):
        face = known[name].face() if name in known else {}
        yield {"feature": name, "value": value, "contribution": part, **face}


def _sources(decision: Decision) -> dict[str, Any]:
    """Return the sources of the data: sender, records that came later, and inputs' origins."""
    provenance = SubmissionProvenance(decision.submission)
    known = features_by_name()
    return {
        "submitted_by": decision.caller_name,
        "purpose": decision.purpose,
        "request_digest": decision.request_digest,
        "records_that_came_by_themselves": decision.linked_records,
        "inputs": {
            name: asdict(provenance.feature(known[name]))
            for name in decision.vector
            if name in known
        },
    }


def _ending(case: Case) -> dict[str, Any]:
    stored: dict[str, Any] = CASE.dump_python(case, mode="json")
    return stored


def account_in_words(account: dict[str, Any], digest: str) -> str:
    """Return the account as readable text; details that it omits are in the JSON."""
    sealed, selection, model = account["sealed"], account["selection"], account["model"]
    parts = [
        f"# Account of case {sealed['case_id']}",
        f"For {sealed['recipient']} ({sealed['sealed_for'].replace('_', ' ')}), made by "
        f"{Actor(**sealed['by']).shown} on {sealed['at']}: {sealed['because']}. "
        f"It holds data of third parties. `{ACCOUNT}` has the digest `{digest}`.",
        f"## Selection\n\nLane {selection['lane']}, by {selection['lane_reason']}, with the "
        f"probability {selection['selection_probability']} of being looked at. "
        f"{selection['procedure']}",
        _listed("Watch-lists and rules", selection["hits"]),
        _listed("Model", [f"{name}: {value}" for name, value in (model or {}).items()]),
        _listed("Reasons", [_reason(reason) for reason in account["reasons"]]),
        _listed("Inputs", [_input(each) for each in account["inputs"]]),
        _listed("Events", [_told(event) for event in account["events"]]),
    ]
    return "\n\n".join(filter(None, parts)) + "\n"


def _listed(heading: str, lines: list[str]) -> str:
    rows = "\n".join(f"- {line}" for line in lines) or "None."
    return f"## {heading}\n\n{rows}"


def _reason(reason: dict[str, Any]) -> str:
    return f"{reason['effect']}, {reason['log_odds']:+.4f} in log-odds: {reason['words']}"


def _input(given: dict[str, Any]) -> str:
    value, part = given["value"], given["contribution"]
    said = (
        "missing" if value is None else exact_figure(value) if isinstance(value, float) else value
    )
    weighs = "" if part is None else f", {part:+.4f} in log-odds"
    return f"{readable(given['feature'])}: {said}{weighs}"


def _told(event: dict[str, Any]) -> str:
    who = Actor(event["actor"], event["actor_name"]).shown
    action = event["action"].replace("_", " ")
    return f"{event['at']} {who}: {action} {event['text']}"
