"""Lists that the online feature store keeps in addition to event logs.

They hold the inspections of subjects, the payments for subjects, the shipments of journeys and the
versions of records.
"""

from collections.abc import Callable, Iterable, Sequence
from itertools import chain
from operator import itemgetter
from typing import Any, NamedTuple
from zlib import crc32

import numpy as np
import orjson

from features.engine.columns import Column
from features.engine.store.blob_store import BlobReader, BlobTransaction
from features.engine.store.raw_columns import RawColumns, number_column, text_column
from features.engine.store.row_index import RowIndex
from features.records import SubjectKind

INSPECTED: dict[SubjectKind, bytes] = {"route": b"qr", "shipment": b"qs"}
PAID: dict[SubjectKind, bytes] = {"route": b"zr", "shipment": b"zs"}
_CARRIED, _VERSIONS = b"n", b"v"
_BUCKETS = 4  # per journey: an append rewrites its whole list

# Instant of inspection, instant the result became known, result, and whether it is withdrawn.
Inspection = Sequence[Any]
# Identifies an inspection result of a subject; two with equal instants are the same.
WHEN_FOUND = itemgetter(0, 1)

# Instant the payment became known, payer, payee and payment id.
Paid = Sequence[Any]


class KeptVersion(NamedTuple):
    """Stored version of a record: its number, instant known, withdrawal flag and row."""

    number: int
    known_at: int
    is_withdrawn: bool
    row: list[Any]


def keys_of_lists(start: bytes, ids: Iterable[str]) -> list[bytes]:
    """Return the list keys of records with these ids."""
    return [start + id_.encode() for id_ in ids]


def lists(store: BlobReader, keys: Sequence[bytes]) -> list[list[Any]]:
    """Return the list at each key, empty if the key is absent."""
    return [orjson.loads(blob) if blob else [] for blob in store.get(keys)]


def append(
    store: BlobTransaction,
    items: Sequence[tuple[bytes, Any]],
    known_by: Callable[[Any], Any] = lambda item: item,
) -> Column:
    """Append items that their lists do not contain yet, and return a mask of the new ones."""
    keys = sorted({key for key, _ in items})
    found = dict(zip(keys, lists(store, keys), strict=True))
    is_new = np.zeros(len(items), bool)
    for at, (key, item) in enumerate(items):
        if known_by(item) not in map(known_by, found[key]):
            found[key].append(item)
            is_new[at] = True
    store.put((key, orjson.dumps(entries)) for key, entries in found.items())
    return is_new


def inspections_of(outcomes: RawColumns) -> list[Inspection]:
    """Return outcomes as stored inspections."""
    instants = (number_column(outcomes, name).tolist() for name in ("inspected_at", "known_at"))
    is_withdrawn = (number_column(outcomes, "withdrawn") == 1).tolist()
    rows = zip(*instants, text_column(outcomes, "result"), is_withdrawn, strict=True)
    return [[*row] for row in rows]


def paid_of(payments: RawColumns) -> list[Paid]:
    """Return payments as stored list items."""
    names = ("payer_id", "payee_id", "record_id")
    texts = (text_column(payments, name) for name in names)
    known_at = number_column(payments, "known_at").tolist()
    return [[*row] for row in zip(known_at, *texts, strict=True)]


def keep_carried(store: BlobTransaction, shipments: RawColumns) -> None:
    """Store which journeys carry which shipments."""
    named = zip(
        text_column(shipments, "journey_id"), text_column(shipments, "subject_id"), strict=True
    )
    # Spread over buckets by checksum, so that a journey with many shipments appends to short lists.
    append(store, [(_carried_key(j, crc32(s.encode())), s) for j, s in named if j is not None])


def complete_kept(store: BlobReader, journey_ids: Sequence[str]) -> list[bool]:
    """Return, per journey, whether stored shipments or inspections wait for it."""
    keys = [key for id_ in journey_ids for key in _keys_of_waiting(id_)]
    blobs = store.get(keys)
    size = 1 + _BUCKETS
    return [any(blobs[at : at + size]) for at in range(0, len(blobs), size)]


def _keys_of_waiting(journey_id: str) -> list[bytes]:
    own = keys_of_lists(INSPECTED["route"], [journey_id])
    return own + [_carried_key(journey_id, bucket) for bucket in range(_BUCKETS)]


def carried(store: BlobReader, journey_ids: Iterable[str]) -> list[str]:
    """Return the ids of shipments that name any of these journeys."""
    keys = [_carried_key(id_, bucket) for id_ in journey_ids for bucket in range(_BUCKETS)]
    return [*chain.from_iterable(lists(store, keys))]


def _carried_key(journey_id: str, bucket: int) -> bytes:
    return b"%b%c%b" % (_CARRIED, ord("a") + bucket % _BUCKETS, journey_id.encode())


def versions_of_records(records: RawColumns, index: RowIndex) -> list[KeptVersion]:
    """Return records as stored versions."""
    columns = (
        number_column(records, "version").astype(np.int64).tolist(),
        _known_at(records).tolist(),
        (number_column(records, "withdrawn") == 1).tolist(),
        index.values(records),
    )
    return [KeptVersion(*row) for row in zip(*columns, strict=True)]


def append_versions(store: BlobTransaction, records: RawColumns, index: RowIndex) -> Column:
    """Store versions with a new number per record, and return a mask of the new ones."""
    ids, versions = text_column(records, index.identity), versions_of_records(records, index)
    found = versions_kept(store, index, ids)
    is_new = np.zeros(len(ids), bool)
    for at, (id_, version) in enumerate(zip(ids, versions, strict=True)):
        if version.number not in {each.number for each in found[id_]}:
            found[id_].append(version)
            is_new[at] = True
    store.put(
        # orjson refuses named tuples.
        (_VERSIONS + index.prefix + id_.encode(), orjson.dumps([*map(tuple, kept)]))
        for id_, kept in found.items()
    )
    return is_new


def versions_kept(
    store: BlobReader, index: RowIndex, ids: Iterable[str]
) -> dict[str, list[KeptVersion]]:
    """Return the stored versions of each record, an empty list where there are none."""
    unique = sorted({*ids})
    found = lists(store, keys_of_lists(_VERSIONS + index.prefix, unique))
    return {
        id_: [KeptVersion(*row) for row in rows] for id_, rows in zip(unique, found, strict=True)
    }


def _known_at(records: RawColumns) -> Column:
    """Return the instant each version became known, for subjects at least the declaration."""
    learnt_at = number_column(records, "learnt_at")
    if "declared_at" not in records:
        return learnt_at
    return np.maximum(learnt_at, number_column(records, "declared_at"))
