"""Links between the parties of a subject, and the inspection results of these parties.

A party is a node, whatever its role: a number made of its id. Containers and conveyances are nodes
too. A subject links its own parties from its declaration, those of its journey once both are known,
and third parties that pay or are paid once the payment is known as well.
"""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from hashlib import blake2b

import numpy as np

from features.derived.outcome import equal_pairs
from features.engine.columns import Column, Columns, rows
from features.engine.string_table import STRING_TABLE
from features.engine.windows.lifetimes import LIFETIME, both_count, counting, join_events
from features.engine.windows.window_declaration import Window, count, distinct, total
from features.records import SubjectKind

LINKS, PARTY_OUTCOMES = "links", "party_outcomes"

# A node's latest links that are considered, and the partners in them that make it a hub.
MAX_LINKS, MAX_PARTNERS = 32, 24
# A subject's own parties, their partners, and partners of these; of each level so many at most.
LEVELS, MAX_NODES = 3, 16
NEW_DAYS = 30

# Values of the network around a subject, in order, of which the first depend on results.
VALUES_OF_RESULTS = (
    "hops_to_confirmed",
    "partners_inspected",
    "partners_confirmed",
    "second_partners_inspected",
    "second_partners_confirmed",
)
NETWORK_VALUES = (
    *VALUES_OF_RESULTS,
    "members",
    "members_new_30d",
    "days_since_first_link",
    "unlinked_pairs",
)

# Columns of a subject with its own parties, and with those of its journey.
OWN_PARTIES: dict[SubjectKind, tuple[str, ...]] = {
    "route": ("carrier_id", "conveyance_id"),
    "shipment": (
        "consignor_id",
        "consignee_id",
        "notify_party_id",
        "forwarder_id",
        "declarant_id",
        "container_number",
    ),
}
JOURNEY_PARTIES: dict[SubjectKind, tuple[str, ...]] = {
    "route": (),
    "shipment": ("journey_carrier_id", "journey_conveyance_id"),
}
PAYMENT_PARTIES = ("payer_id", "payee_id")
# Nodes of one kind differ from those of another with the same id.
_THINGS = {
    "container_number": "container",
    "conveyance_id": "conveyance",
    "journey_conveyance_id": "conveyance",
}

# Windows over history from which the online feature store reads the network.
HISTORY_OF_LINKS: tuple[Window, ...] = (distinct(LINKS, "partner", by="party"),)
HISTORY_OF_RESULTS: tuple[Window, ...] = (
    *HISTORY_OF_LINKS,
    count(PARTY_OUTCOMES, by="party"),
    total(PARTY_OUTCOMES, "is_confirmed", by="party"),
)


def asking_columns(kind: SubjectKind) -> tuple[str, ...]:
    """Return the columns of a subject with the parties whose network it has."""
    paid = tuple(f"latest_{name}" for name in PAYMENT_PARTIES)
    return (*OWN_PARTIES[kind], *JOURNEY_PARTIES[kind], *paid)


def is_party(column: str) -> bool:
    """Return whether a column of nodes holds parties, and not containers or conveyances."""
    return column not in _THINGS


def node_column(column: str, texts: Column | Sequence[str | None]) -> Column:
    """Return the node of each id of a column, NaN for a missing one."""
    thing = _THINGS.get(column, "party")
    if isinstance(texts, np.ndarray):
        return STRING_TABLE.map_numbers(texts, lambda text: _node(thing, text))
    return np.array([np.nan if text is None else _node(thing, text) for text in texts], np.float64)


def nodes_of(columns: Mapping[str, Column | Sequence[str | None]], names: Sequence[str]) -> Column:
    """Return the nodes of some columns, a row for each of them."""
    size = len(next(iter(columns.values())))
    nodes = np.empty((len(names), size))
    for at, name in enumerate(names):
        nodes[at] = node_column(name, columns[name])
    return nodes


def links_of_subjects(kind: SubjectKind, subjects: Columns, payments: Columns) -> Columns:
    """Return the links of subjects of one kind and of those who paid for them, unsorted.

    `subjects` have a row for each version, with its lifetime if any was amended.
    """
    own, of_journey = (nodes_of(subjects, names[kind]) for names in (OWN_PARTIES, JOURNEY_PARTIES))
    subjects = subjects | {"known_at": subjects["declared_at"]}
    paid, row = _paid_for(kind, subjects, payments)
    times = _times(rows(subjects, row), paid)
    return join_events(
        [
            link_events(own, of_journey, subjects),
            link_events(own[:, row], nodes_of(paid, PAYMENT_PARTIES), times, of_added=True),
        ]
    )


def party_outcomes_of_subjects(kind: SubjectKind, found: Columns, payments: Columns) -> Columns:
    """Return the inspection results of the parties of subjects of one kind, unsorted.

    `found` are the events of these results, with the columns of their subjects.
    """
    own, of_journey = (nodes_of(found, names[kind]) for names in (OWN_PARTIES, JOURNEY_PARTIES))
    paid, row = _paid_for(kind, found, payments)
    times, nodes = _times(rows(found, row), paid), nodes_of(paid, PAYMENT_PARTIES)
    is_confirmed = found["is_confirmed"]
    return join_events(
        [
            party_outcome_events(own, of_journey, is_confirmed, found),
            party_outcome_events(own[:, row], nodes, is_confirmed[row], times, of_added=True),
        ]
    )


def _paid_for(kind: SubjectKind, subjects: Columns, payments: Columns) -> tuple[Columns, Column]:
    """Return each payment for each row of its subject, and these rows."""
    paid = rows(payments, payments["subject_kind"] == STRING_TABLE.code(kind))
    payment, row = equal_pairs(paid["subject_id"], subjects["subject_id"])
    return rows(paid, payment), row


def _times(subjects: Columns, payments: Columns) -> Columns:
    """Return from when, and during which time, both a subject and a payment are known."""
    known_at = np.maximum(subjects["known_at"], payments["known_at"])
    return {"known_at": known_at} | both_count(subjects, payments)


def link_events(own: Column, added: Column, times: Columns, *, of_added: bool = False) -> Columns:
    """Return the links of subjects in both directions, unsorted.

    `own` and `added` hold nodes, a column for each subject; `times` are their instants and
    lifetimes. With `of_added`, only links of added nodes are returned.
    """
    own, added = _each_once(own, added)
    together = [*own, *added]
    first = len(own) if of_added else 0
    parts = [
        (one, other)
        for at, one in enumerate(together)
        for place, other in enumerate(together)
        if at != place and max(at, place) >= first
    ]
    none = np.empty((0, own.shape[1]))
    party = np.array([one for one, _ in parts]) if parts else none
    partner = np.array([other for _, other in parts]) if parts else none
    return _present({"party": party, "partner": partner}, times)


def party_outcome_events(
    own: Column, added: Column, is_confirmed: Column, times: Columns, *, of_added: bool = False
) -> Columns:
    """Return the inspection results of the parties of subjects, unsorted."""
    own, added = _each_once(own, added)
    party = added if of_added else np.concatenate([own, added])
    return _present({"party": party, "is_confirmed": np.tile(is_confirmed, (len(party), 1))}, times)


def _each_once(own: Column, added: Column) -> tuple[Column, Column]:
    """Return the nodes of each subject without repetitions, which are missing."""
    together = np.concatenate([own, added])
    for at in range(1, len(together)):
        together[at, (together[:at] == together[at]).any(axis=0)] = np.nan
    return together[: len(own)], together[len(own) :]


def _present(columns: Columns, times: Columns) -> Columns:
    """Return the rows without missing nodes that count at some instant."""
    size = len(columns["party"])
    is_present = ~np.isnan(columns["party"]) & ~np.isnan(columns.get("partner", columns["party"]))
    kept = {name: times[name] for name in ("known_at", *sorted(LIFETIME)) if name in times}
    columns = columns | {
        name: np.broadcast_to(column, (size, len(column))) for name, column in kept.items()
    }
    return counting({name: column[is_present] for name, column in columns.items()})


@lru_cache(maxsize=1 << 16)
def _node(thing: str, text: str) -> float:
    # 53 bits, which a float64 holds exactly: equal numbers in files, in the store and in SQL.
    digest = blake2b(f"{thing} {text}".encode(), digest_size=8).digest()
    return float(int.from_bytes(digest, "big") >> 11)
