"""Order of events: by the instant they became known, then by record id."""

import numpy as np

from features.engine.columns import Columns, is_text, rows
from features.engine.string_table import STRING_TABLE


def sorted_by_known_at(events: Columns) -> Columns:
    """Return events sorted by `known_at` and, within an instant, by `record_id`."""
    known_at, ids = events["known_at"], events["record_id"]
    order = np.argsort(known_at, kind="stable")
    instants = known_at[order]
    # Only tied rows are compared by id, since decoding ids is slow and ties are few.
    is_same = np.zeros(len(order) + 1, dtype=bool)
    is_same[1:-1] = instants[1:] == instants[:-1]
    tied = np.flatnonzero(is_same[1:] | is_same[:-1])
    ranks = STRING_TABLE.in_order(ids[order[tied]]) if is_text(ids) else ids[order[tied]]
    order[tied] = order[tied[np.lexsort((ranks, instants[tied]))]]
    return rows(events, order)
