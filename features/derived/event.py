"""Derive the columns of an event: what happened at the destination, and to a transit."""

import numpy as np

from features.derived.beside_subject import differs, flag
from features.engine.columns import Column, Columns, hours_between, is_missing
from features.engine.string_table import STRING_TABLE
from features.records import SubjectKind
from features.reference.geography.places import country
from features.subject_types import SUBJECT_TYPES


def derive_event(kind: SubjectKind, event: Columns, subject: Columns) -> Columns:
    """Return the columns of an event relative to its subject.

    An event known before it happened was only announced, and does not count. An event without a
    place counts as at the destination, one without a container as for the declared one. A transit
    counts as opened if its time limit is known.
    """
    happened = event["occurred_at"] <= event["known_at"]
    declared_at, limit = subject["declared_at"], event["time_limit_at"]
    is_timed = (event["kind"] == "transit_opened") & ~is_missing(limit)
    columns = {
        "subject_id": event["subject_id"],
        "known_at": event["known_at"],
        "record_id": event["event_id"],
        "minutes_after_declaration": _minutes(declared_at, event["occurred_at"]),
        "limit_minutes_after_declaration": _minutes(declared_at, limit),
        "limit_minutes_after_known": _minutes(event["known_at"], limit),
        "is_transit_opened": flag(happened & is_timed),
        "is_transit_discharged": flag(happened & (event["kind"] == "transit_discharged")),
    }
    if not SUBJECT_TYPES[kind].declares_goods:
        is_there = happened & ~(differs(event["place"], subject["destination"]) == 1)
        return columns | {"is_arrived": flag(is_there & (event["kind"] == "arrived"))}
    is_there = happened & _is_of_goods_at_destination(event, subject)
    return columns | {
        "is_landed": flag(is_there & np.isin(event["kind"], ("arrived", "discharged"))),
        "is_discharged": flag(is_there & (event["kind"] == "discharged")),
        "is_gate_out": flag(is_there & (event["kind"] == "gate_out")),
    }


def _is_of_goods_at_destination(event: Columns, shipment: Columns) -> Column:
    """Return whether an event may concern the declared container in the destination country.

    A missing place or container number does not exclude it.
    """
    countries = STRING_TABLE.map_texts(event["place"], country)
    is_elsewhere = differs(countries, shipment["destination_country"]) == 1
    is_other_box = differs(event["container_number"], shipment["container_number"]) == 1
    return ~(is_elsewhere | is_other_box)


def _minutes(earlier: Column, later: Column) -> Column:
    return np.rint(hours_between(earlier, later) * 60)
