"""Records about demonstration subjects that become known later, and their effects."""

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import timedelta
from typing import Any

from features.submission import Submission
from serving.audit.decision import Decision

# Records by type, in the form of `POST /v1/records`.
Sent = dict[str, list[dict[str, Any]]]

# Time between two records of the sequel: longer than between two scores of a subject.
SEQUEL_STEP = timedelta(minutes=70)


def invented_sequel(submission: Submission) -> Sent:
    """Return invented later records of a shipment, more than an hour apart.

    A document amended with another seal, a cash payment that releases the goods, a container
    leaving the gate, and its arrival: one of each kind of record.
    """
    shipment = submission.shipment
    assert shipment is not None, "the sequel is one of goods"
    about = {"subject_kind": "shipment", "subject_id": submission.subject_id}
    amended, paid, out, arrived = (
        (submission.declared_at + number * SEQUEL_STEP).isoformat() for number in range(1, 5)
    )
    paper = {"document_id": f"demo-{submission.subject_id}", "kind": "manifest", "version": 2}
    payment = {
        "transaction_id": f"demo-{submission.subject_id}",
        "payer_id": shipment.consignee_id,
        "payee_id": shipment.consignor_id,
        "amount": 9_500.0,
        "currency": "EUR",
        "method": "cash",
        "purpose": "release",
        "paid_at": paid,
        "known_at": paid,
    }
    events = [
        {"event_id": f"demo-{kind}-{submission.subject_id}", "kind": kind}
        | {"occurred_at": at, "known_at": at}
        for kind, at in (("gate_out", out), ("arrived", arrived))
    ]
    return {
        "documents": [about | paper | {"received_at": amended, "seal_number": "SL-0000001"}],
        "transactions": [about | payment],
        "events": [about | event for event in events],
    }


def in_words(records: Sent) -> str:
    """Return counts by type as text, such as `3 events (2 arrived, 1 gate out), 1 documents`."""
    return ", ".join(f"{len(some)} {name}{_details(name, some)}" for name, some in records.items())


def most_changed(records: Iterable[str | None]) -> tuple[Decision, Decision] | None:
    """Return the first and newest decision of the subject whose score moved most.

    Returns None if no subject was scored again.
    """
    decisions = [Decision.model_validate_json(record) for record in records if record is not None]
    first = {decision.decision_id: decision for decision in decisions}
    newest = {each.rescores: each for each in decisions if each.rescores in first}
    pairs = [(first[id_], again) for id_, again in newest.items() if id_]
    return max(pairs, key=lambda pair: _movement(*pair), default=None)


def change_in_words(before: Decision, after: Decision) -> Iterator[str]:
    """Yield the changes of a subject that was scored again, one per line."""
    as_of = f"{after.scoring_instant:%Y-%m-%d %H:%M} UTC"
    yield f"{after.subject_kind} {after.subject_id}, as of {as_of}"
    yield f"probability {_probability(before)} -> {_probability(after)}"
    yield f"lane {before.lane} -> {after.lane}"
    yield f"since these became known: {', '.join(after.because)}"


def decisions_in_words(records: Iterable[str | None], subject_id: str) -> list[str]:
    """Return a line for each decision about a subject: instant, probability and reason."""
    decisions = (Decision.model_validate_json(record) for record in records if record is not None)
    return [
        f"as of {one.scoring_instant:%Y-%m-%d %H:%M} UTC: {_probability(one)}, {one.lane}"
        f"; {', '.join(one.because) or 'declared'}"
        for one in decisions
        if one.subject_id == subject_id
    ]


def _details(name: str, records: list[dict[str, Any]]) -> str:
    if name == "events":
        kinds = Counter(one["kind"].replace("_", " ") for one in records)
        return f" ({', '.join(f'{count} {kind}' for kind, count in kinds.most_common())})"
    amended = sum(one.get("version", 1) > 1 for one in records)
    return f" ({amended} amended)" if amended else ""


def _movement(before: Decision, after: Decision) -> float:
    if before.score is None or after.score is None:
        return 0.0
    return abs(after.score.probability - before.score.probability)


def _probability(decision: Decision) -> str:
    return "unknown" if decision.score is None else f"{decision.score.probability:.3f}"
