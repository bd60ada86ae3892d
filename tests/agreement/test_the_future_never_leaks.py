"""Whatever becomes known at or after the scoring instant changes no feature of the subject.

Where a subject's features stay when all of its future is taken away, whatever the future was, no
record added to the future or changed in it can matter either.
"""

from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from features.build_training_set import feature_matrix
from features.catalogue import features_of
from features.engine.columns import NO_INSTANT, Columns, Records, is_text, length, rows
from features.engine.string_table import STRING_TABLE
from features.ingest.record_folder import InMemoryRecords, records_of_folder
from features.records import RECORD_FILES, SubjectKind
from tests.agreement.streams import Stream, on_every_edge, streams, write
from tests.counts import count

KNOWN_FROM = {name: record.known_from for name, record in RECORD_FILES.items()}
OWN = {"route": ("journeys", "journey_id"), "shipment": ("shipments", "shipment_id")}


def matrix_of(kind: SubjectKind, records: Records) -> pd.DataFrame:
    return feature_matrix(kind, InMemoryRecords(records)).to_pandas().set_index("subject_id")


def instant_of_the_middle(kind: SubjectKind, records: Records) -> int:
    return int(np.quantile(records[OWN[kind][0]]["declared_at"], 0.6, method="lower"))


def is_later(name: str, columns: Columns, instant: int) -> np.ndarray:
    known_at = columns[KNOWN_FROM[name]]
    told_at = columns.get("known_at", known_at)  # of a later version of a subject
    known_at = np.where(told_at == NO_INSTANT, known_at, told_at)
    is_declared = RECORD_FILES[name].is_part_of_declaration
    return (known_at >= instant) | ((known_at == NO_INSTANT) & (not is_declared))


def deleted(records: Records, instant: int) -> Records:
    """Without any record that became known at the instant or later."""
    return {
        name: rows(columns, ~is_later(name, columns, instant)) for name, columns in records.items()
    }


def scrambled(records: Records, instant: int, random: np.random.Generator) -> Records:
    """Every value of later records exchanged with that of another later record, ids apart."""
    changed = {}
    for name, columns in records.items():
        later = np.flatnonzero(is_later(name, columns, instant))
        kept = {KNOWN_FROM[name], "declared_at", "known_at", "received_at", "observed_at"}
        kept |= {"journey_id", "shipment_id", "subject_id", "subject_kind", "document_id"}
        kept |= {"transaction_id", "event_id", "sequence"}
        changed[name] = dict(columns)
        for column in set(columns) - kept:
            values = columns[column].copy()
            values[later] = values[random.permutation(later)]
            changed[name][column] = values
    return changed


def again_of(ids: np.ndarray) -> np.ndarray:
    """Ids that no other record has."""
    return STRING_TABLE.map_texts(ids, "{}-again".format) if is_text(ids) else ids + 500


def added(records: Records, instant: int) -> Records:
    """With earlier goods items, documents, payments and events once more, known from then on."""
    changed = dict(records)
    identities = {
        "goods_items": "number",
        "documents": "document_id",
        "transactions": "transaction_id",
        "events": "event_id",
    }
    for name, identity in identities.items():
        earlier = rows(records[name], ~is_later(name, records[name], instant))
        again = earlier | {
            KNOWN_FROM[name]: np.full(length(earlier), instant),
            identity: again_of(earlier[identity]),
        }
        changed[name] = {
            column: np.concatenate([records[name][column], again[column]]) for column in again
        }
    return changed


@pytest.mark.parametrize("kind", ["route", "shipment"])
@pytest.mark.parametrize("change", ["deleted", "scrambled", "added"])
def test_no_feature_changes_when_a_later_record_is(
    kind: SubjectKind, change: str, records: Records
) -> None:
    instant = instant_of_the_middle(kind, records)
    before = matrix_of(kind, records)
    asked = before.index[before["declared_at"] <= pd.Timestamp(instant, unit="us", tz="UTC")]
    changed = {
        "deleted": lambda: deleted(records, instant + 1),
        "scrambled": lambda: scrambled(records, instant + 1, np.random.default_rng(3)),
        "added": lambda: added(records, instant),
    }[change]()

    after = matrix_of(kind, changed)

    assert len(asked) >= 1_000
    names = [feature.name for feature in features_of(kind)]
    pd.testing.assert_frame_equal(
        after.loc[asked, names], before.loc[asked, names], check_exact=True
    )


def of_its_past(kind: SubjectKind, records: Records, place: int) -> Records:
    """A subject's own record, and what was known before its instant."""
    own, _ = OWN[kind]
    instant = records[own]["declared_at"][place]
    kept = {name: ~is_later(name, columns, instant) for name, columns in records.items()}
    kept[own][place] = True
    return {name: rows(columns, kept[name]) for name, columns in records.items()}


@pytest.mark.parametrize("kind", ["route", "shipment"])
@settings(
    max_examples=count(10, 500),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(stream=streams(), place=st.integers(0, 5))
@example(stream=on_every_edge(), place=0)
def test_in_any_stream_a_subject_without_its_future_has_the_same_features(
    kind: SubjectKind, stream: Stream, place: int
) -> None:
    own, identity = OWN[kind]
    if not stream[own]:
        return
    place %= len(stream[own])
    with TemporaryDirectory() as home:
        write(stream, Path(home) / "records")
        records = records_of_folder(Path(home) / "records")

    whole = matrix_of(kind, records)
    past = matrix_of(kind, of_its_past(kind, records, place))

    subject = [stream[own][place][identity]]
    pd.testing.assert_frame_equal(past.loc[subject], whole.loc[subject], check_exact=True)


@pytest.mark.parametrize("kind", ["route", "shipment"])
def test_the_past_does_matter(kind: SubjectKind, records: Records) -> None:
    """The check above can fail: earlier records scrambled the same way change most features."""
    instant = instant_of_the_middle(kind, records)
    before = matrix_of(kind, records)
    names = [feature.name for feature in features_of(kind)]

    after = matrix_of(kind, scrambled(records, 0, np.random.default_rng(3)))

    moved = [name for name in names if not after[name].equals(before[name])]
    assert instant > 0
    assert len(moved) > 0.8 * len(names)
