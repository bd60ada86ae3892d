"""One subject at a time, all features: `python -m experiments.benchmarks.online 1000000`.

A world of so many journeys (as many shipments, four documents and ten payments to each) is made or,
with a second argument, read from a folder; its state is rebuilt from the files, or opened where a
third argument names one. Subjects of the last days come one after the other, warm, and beside them
those of the consignee and the carrier that occur most. What each brings is known to the state
already; a second time it comes as the state never saw it, as live traffic does: other ids of the
subject and its payments, the rest the same.

Times are of the wall and of the processor over all calls, and of the wall for the best of each
subject's calls: what is left of it when other work does not interrupt. `together` is the mean time
of the processor for each where so many as wait for the desk are asked about in one call, in the
best round.
"""

import json
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from time import perf_counter, thread_time
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from features.catalogue import features_of
from features.engine.store.lmdb_store import LmdbStore
from features.history.online_store import OnlineStore
from features.history.rebuild import rebuild_store
from features.records import Journey, SubjectKind
from features.replay_submissions import submissions_of
from features.submission import Submission, history_records
from features.vector import GROUP_SIZE, feature_vector, feature_vectors
from synthetic.scenario import Scenario
from synthetic.world import invent

USUAL_SIZE = 20_000
SUBJECTS = 500
OF_HOTTEST = 50  # so few that they are of the last days
ROUNDS = 7
OWN: dict[SubjectKind, tuple[str, str, str]] = {
    "route": ("journeys", "journey_id", "carrier_id"),
    "shipment": ("shipments", "shipment_id", "consignee_id"),
}


def main() -> None:
    """Print one JSON document; arguments: journeys, a folder of records, a folder of a state."""
    asked = sys.argv[1:] if sys.argv[1:2] and sys.argv[1].isdigit() else []
    with tempfile.TemporaryDirectory() as scratch:
        records = Path(asked[1]) if len(asked) > 1 else Path(scratch) / "records"
        folder = Path(asked[2]) if len(asked) > 2 else Path(scratch) / "state"
        if not records.exists():
            journeys = int(asked[0]) if asked else USUAL_SIZE
            invent(records, scenario=Scenario(), journeys=journeys, days=365, seed=7)
        begin = thread_time()
        if not folder.exists():
            rebuild_store(records, folder)
        rebuilt = round(thread_time() - begin, 1)
        state = OnlineStore(LmdbStore(folder))
        measured = [line for kind in OWN for line in _measured(kind, records, state)]
    print(json.dumps({"rebuilt_cpu_s": rebuilt, "subjects": measured}, indent=1))


def _measured(kind: SubjectKind, records: Path, state: OnlineStore) -> Iterator[dict[str, Any]]:
    name, identity, party = OWN[kind]
    subjects = pq.read_table(records / f"{name}.parquet", columns=[identity, party, "declared_at"])
    subjects = subjects.sort_by("declared_at")
    parties = subjects[party].value_counts()
    hottest = parties[int(np.argmax(parties.field("counts")))]["values"]
    of_hottest = subjects.filter(pc.equal(subjects[party], hottest))
    hot = f"latest of the most frequent {party}"
    for which, some in (("latest", subjects[-SUBJECTS:]), (hot, of_hottest[-OF_HOTTEST:])):
        known = submissions_of_some(kind, records, some[identity])
        for brings, asked in (("known", known), ("new", [*map(as_new, known)])):
            about = {"kind": kind, "features": len(features_of(kind)), "which": which}
            yield {**about, "what it brings is": brings, **_times(asked, state)}


def as_new(submission: Submission) -> Submission:
    """The same under ids that the state never saw."""
    subject = submission.subject
    name = "journey_id" if isinstance(subject, Journey) else "shipment_id"
    subject_id = f"new-{submission.subject_id}"
    renamed = subject.model_copy(update={name: subject_id})
    payments = tuple(
        payment.model_copy(
            update={"transaction_id": f"new-{payment.transaction_id}", "subject_id": subject_id}
        )
        for payment in submission.transactions
    )
    field = submission.subject_kind.replace("route", "journey")
    return submission.model_copy(update={field: renamed, "transactions": payments})


def _times(submissions: list[Submission], state: OnlineStore) -> dict[str, Any]:
    for submission in submissions:
        feature_vector(submission, state, history_records([submission]))
    taken = np.array([[_ms(one, state) for one in submissions] for _ in range(ROUNDS)])
    told: dict[str, Any] = {"subjects": len(submissions)}
    for clock, ms in (
        ("wall", taken[..., 0]),
        ("cpu", taken[..., 1]),
        ("best", taken.min(0)[:, 0]),
    ):
        p50, p99 = np.percentile(ms, (50, 99)).round(3)
        told |= {f"{clock}_p50_ms": p50, f"{clock}_p99_ms": p99}
    together = min(_together_ms(submissions, state) for _ in range(ROUNDS))
    return told | {"together_mean_ms": round(together, 3)}


def _together_ms(submissions: list[Submission], state: OnlineStore) -> float:
    """Milliseconds of the processor for each, so many in one call."""
    begin = thread_time()
    for start in range(0, len(submissions), GROUP_SIZE):
        some = submissions[start : start + GROUP_SIZE]
        feature_vectors(some, state, [history_records([one]) for one in some])
    return 1000 * (thread_time() - begin) / len(submissions)


def _ms(submission: Submission, state: OnlineStore) -> tuple[float, float]:
    """Milliseconds of the wall and of the processor."""
    wall, cpu = perf_counter(), thread_time()
    feature_vector(submission, state, history_records([submission]))
    return 1000 * (perf_counter() - wall), 1000 * (thread_time() - cpu)


def submissions_of_some(kind: SubjectKind, records: Path, ids: pa.ChunkedArray) -> list[Submission]:
    """Submissions of some subjects, by way of a folder of their records alone."""
    own = OWN[kind][1]
    keys = {"documents": "subject_id", "transactions": "subject_id", OWN[kind][0]: own}
    if kind == "route":
        keys |= {"legs": "journey_id", "positions": "journey_id"}
    with tempfile.TemporaryDirectory() as folder:
        for name, key in keys.items():
            _copy(records, Path(folder), name, key, ids)
        if kind == "shipment":
            shipments = pq.read_table(Path(folder) / "shipments.parquet")
            _copy(records, Path(folder), "journeys", "journey_id", shipments["journey_id"])
        return list(submissions_of(Path(folder), kind))


def _copy(records: Path, folder: Path, name: str, key: str, ids: pa.ChunkedArray) -> None:
    meant = pc.is_in(pc.field(key), ids.combine_chunks().drop_null())
    rows = pq.read_table(records / f"{name}.parquet", filters=meant)
    pq.write_table(rows, folder / f"{name}.parquet")


if __name__ == "__main__":
    main()
