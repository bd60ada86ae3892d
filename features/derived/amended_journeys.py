"""Join shipments with journeys that were amended or withdrawn."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import pairwise

import numpy as np

from features.derived.shipment import join_journeys
from features.engine.columns import Columns, rows, take_or_missing
from features.engine.windows.lifetimes import (
    COUNTS_FROM,
    COUNTS_UNTIL,
    FOREVER,
    LIFETIME,
    endless_lifetimes,
    join_events,
)

# A row of a journey, with the start and end of the time in which it counts. Identical rows share
# the number of the first.
_Version = tuple[int, int, int]


def join_amended_journeys(shipments: Columns, journeys: Columns) -> Columns:
    """Return shipments with the columns of their journeys, prefixed `journey_`, and lifetimes.

    Both have a row for each version. A shipment gets an additional row for each version of its
    journey that becomes known after the shipment's declaration. The columns are missing if no
    version counts, or if the journey was not declared before the shipment.
    """
    # Most journeys are never amended: these shipments take the fast join without versions.
    shipments = endless_lifetimes(shipments["declared_at"]) | shipments
    is_special = journeys[COUNTS_UNTIL] != FOREVER
    is_special |= journeys[COUNTS_FROM] != journeys["declared_at"]
    amended = np.isin(journeys["journey_id"], journeys["journey_id"][is_special])
    is_amended = np.isin(shipments["journey_id"], journeys["journey_id"][amended])
    others = rows(shipments, ~is_amended)
    plain = {name: column[~amended] for name, column in journeys.items() if name not in LIFETIME}
    beside = _beside_versions(rows(shipments, is_amended), rows(journeys, amended))
    return join_events([others | join_journeys(others, plain), beside])


def _beside_versions(shipments: Columns, journeys: Columns) -> Columns:
    versions = _versions(journeys)
    made: list[_Version] = []
    of_shipment: list[int] = []
    declared_at = journeys["declared_at"]
    lifetimes = zip(
        *(shipments[name].tolist() for name in ("journey_id", "declared_at", *_LIFETIME)),
        strict=True,
    )
    for at, (journey_id, declared, since, until) in enumerate(lifetimes):
        known = [each for each in versions[journey_id] if declared_at[each[0]] < declared]
        for piece in _pieces(known, since, until):
            made.append(piece)
            of_shipment.append(at)
    row, *lifetime = np.array(made, np.int64).reshape(-1, 3).T
    joined = {
        f"journey_{name}": take_or_missing(column, row)
        for name, column in journeys.items()
        if name not in LIFETIME
    }
    own = rows(shipments, np.array(of_shipment, np.int64))
    return own | joined | dict(zip(_LIFETIME, lifetime, strict=True))


def _pieces(versions: Sequence[_Version], since: int, until: int) -> Iterator[_Version]:
    """Yield the journey row that counts (-1 for none) in each part of a shipment's lifetime."""
    instants = {instant for _, *life in versions for instant in life if since < instant < until}
    begin, row = since, _row_between(versions, since, min(instants, default=until))
    for at, then in pairwise([*sorted(instants), until]):
        if (later := _row_between(versions, at, then)) != row:
            yield row, begin, at
            begin, row = at, later
    yield row, begin, until


def _row_between(versions: Sequence[_Version], begin: int, end: int) -> int:
    return next((row for row, known, ended in versions if known <= begin and end <= ended), -1)


def _versions(journeys: Columns) -> dict[int, list[_Version]]:
    versions: dict[int, list[_Version]] = defaultdict(list)
    columns = zip(*(journeys[name].tolist() for name in ("journey_id", *_LIFETIME)), strict=True)
    told = [column for name, column in sorted(journeys.items()) if name not in LIFETIME]
    first: dict[bytes, int] = {}
    for row, (journey_id, since, until) in enumerate(columns):
        says = b"".join(column[row].tobytes() for column in told)
        versions[journey_id].append((first.setdefault(says, row), since, until))
    return versions


_LIFETIME = COUNTS_FROM, COUNTS_UNTIL
