"""Journeys and shipments as subjects to be scored: their columns, with what one record implies.

What can be derived from a single record on entry (check digits, a price per kilogram, an amount on
one scale) is derived here once; features and windows only read it. Two columns every subject has:
`subject_id` and `declared_at`, the scoring instant. Whole numbers that windows add up are named by
their small unit (`_eur_cents`, `_g`, `_micro`).
"""

import re
from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path

import numpy as np
from stdnum import iso6346

from features.engine.columns import Column, Columns, columns_of_table, is_before, kinds_of, matched
from features.engine.expressions.arithmetic import ratio
from features.engine.expressions.opcodes import Kind
from features.engine.expressions.program import Program, traced_columns
from features.engine.string_table import NO_TEXT, VOCABULARY
from features.ingest.record_files import read_records
from features.records import RECORD_FILES, Journey, Shipment, SubjectKind
from features.reference.currencies import euro_cents
from features.reference.geography.distances import great_circle_km
from features.reference.geography.places import country, latitude, longitude

# Bands of prices are a sixteenth to a thirty-second wide, bands of masses a quarter to an eighth.
PRICE_DIGITS = 5
MASS_DIGITS = 3

# A container number as it is usually written, and what its letters and digits are worth.
_CONTAINER = re.compile(r"[A-Z]{3}[UJZR][0-9]{7}")
_WORTH = {letter: worth for worth, letter in enumerate("0123456789A.BCDEFGHIJK.LMNOPQRSTU.VWXYZ")}

Records = dict[str, Columns]
"""The columns of each record type, by the name of its file."""


def records_of_folder(folder: Path, names: Iterable[str] = RECORD_FILES) -> Records:
    """The columns of every record type in a folder, or of those named."""
    return {name: columns_of_table(read_records(folder, name)) for name in names}


def subjects_of(kind: SubjectKind, records: Records) -> Columns:
    """The subjects of one kind with all their columns, in the order of their records."""
    if kind == "route":
        return route_subjects(records["journeys"])
    return shipment_subjects(records["shipments"], records["journeys"])


def route_subjects(journeys: Columns) -> Columns:
    """One row per journey."""
    return journeys | implied("route").run(journeys)


def shipment_subjects(shipments: Columns, journeys: Columns) -> Columns:
    """One row per shipment, with the columns of its journey, prefixed `journey_`.

    They are missing where the journey was not declared before the shipment.
    """
    return shipments | joined_journeys(shipments, journeys) | implied("shipment").run(shipments)


@cache
def implied(kind: SubjectKind, wanted: frozenset[str] | None = None) -> Program:
    """What a subject's own record implies, as a program over the columns of its record type.

    Everything, or the `wanted` columns of it.
    """
    return traced_columns(IMPLIED_BY[kind], record_kinds(kind), wanted)


def record_kinds(kind: SubjectKind) -> dict[str, Kind]:
    """What each column of a subject's own record holds."""
    return kinds_of(Journey if kind == "route" else Shipment)


@cache
def subject_kinds(kind: SubjectKind) -> dict[str, Kind]:
    """What each column of a subject holds."""
    made = {name: column.kind for name, column in implied(kind).outputs.items()}
    followed = dict.fromkeys(("latest_payer_id", "latest_payee_id"), Kind.TEXT)
    joined = {} if kind == "route" else kinds_of(Journey)
    journey = {f"journey_{name}": held for name, held in joined.items()}
    return journey | record_kinds(kind) | made | followed


def _implied_by_journey(journey: Columns) -> Columns:
    origin, destination = journey["origin"], journey["destination"]
    return {
        "subject_id": journey["journey_id"],
        "known_at": journey["declared_at"],
        "direct_distance_km": np.rint(direct_km(origin, destination) * 1000) / 1000,
        "origin_country": VOCABULARY.map_texts(origin, country),
        "destination_country": VOCABULARY.map_texts(destination, country),
        "declared_cargo_mass_g": np.rint(journey["declared_cargo_mass_kg"] * 1000),
        "declared_cargo_mass_log_micro": log_micro(journey["declared_cargo_mass_kg"]),
    }


def _implied_by_shipment(shipment: Columns) -> Columns:
    net, gross = shipment["net_mass_kg"], shipment["gross_mass_kg"]
    mass_kg = np.where(net > 0, net, gross)
    value_eur_cents = euro_cents(shipment["declared_value"], shipment["currency"])
    unit_value_eur_per_kg = ratio(value_eur_cents / 100, mass_kg)
    return {
        "subject_id": shipment["shipment_id"],
        "known_at": shipment["declared_at"],
        "mass_kg": mass_kg,
        "mass_g": np.rint(mass_kg * 1000),
        "declared_value_eur_cents": value_eur_cents,
        "declared_value_eur": value_eur_cents / 100,
        "unit_value_eur_per_kg": unit_value_eur_per_kg,
        "unit_value_micro_eur_per_kg": np.rint(np.minimum(unit_value_eur_per_kg, 1e9) * 1e6),
        "unit_value_log_micro": log_micro(unit_value_eur_per_kg),
        "rounded_unit_value": rounded(ratio(shipment["declared_value"], mass_kg)),
        "unit_value_band": rounded(unit_value_eur_per_kg, digits=PRICE_DIGITS),
        "mass_log_micro": log_micro(mass_kg),
        "mass_band": rounded(mass_kg, digits=MASS_DIGITS),
        "density_g_per_m3": np.rint(ratio(gross, shipment["volume_m3"]) * 1000),
        "package_mass_g": np.rint(ratio(gross, shipment["packages"]) * 1000),
        "net_share_ppm": np.rint(np.minimum(ratio(net, gross), 1e3) * 1e6),
        "hs_chapter": VOCABULARY.map_texts(shipment["hs_code"], _chapter),
        "hs_heading": VOCABULARY.map_texts(shipment["hs_code"], _heading),
        "is_container_number_valid": VOCABULARY.map_numbers(
            shipment["container_number"], is_container_number
        ),
    }


IMPLIED_BY: dict[SubjectKind, Callable[[Columns], Columns]] = {
    "route": _implied_by_journey,
    "shipment": _implied_by_shipment,
}


def joined_journeys(shipments: Columns, journeys: Columns) -> Columns:
    """The columns of each shipment's journey, prefixed `journey_`; missing as said above."""
    joined = matched(journeys, shipments["journey_id"], journeys["journey_id"], prefix="journey_")
    is_known = is_before(joined["journey_declared_at"], shipments["declared_at"])
    of = np.where(is_known, shipments["journey_id"], np.int32(NO_TEXT))
    return matched(journeys, of, journeys["journey_id"], prefix="journey_") | {
        "journey_id": shipments["journey_id"]
    }


def rounded(numbers: Column, digits: int = 20) -> Column:
    """Numbers to so many binary digits (twenty are a millionth), to find equal ones, or those of
    one band: Veltkamp's splitting.
    """
    wide = numbers * (2.0 ** (53 - digits) + 1)
    return wide - (wide - numbers)


def log_micro(numbers: Column) -> Column:
    """Natural logarithms in whole millionths; missing for what is not above zero."""
    return np.rint(np.log(np.where(numbers > 0, numbers, np.nan)) * 1e6)


def direct_km(origins: Column, destinations: Column) -> Column:
    """Great-circle distance between places by their codes; NaN where one is unknown."""
    ends = [
        VOCABULARY.map_numbers(place, angle)
        for place in (origins, destinations)
        for angle in (latitude, longitude)
    ]
    return great_circle_km(*ends)


def is_container_number(text: str) -> bool:
    """Whether the check digit of ISO 6346 holds: the library's answer, sooner where it is clear.

    >>> is_container_number("CSQU3054383"), is_container_number("csqu 305438 4")
    (True, False)
    """
    if not _CONTAINER.fullmatch(text):
        return bool(iso6346.is_valid(text))
    weighed = sum(_WORTH[letter] << place for place, letter in enumerate(text[:10]))
    return weighed % 11 % 10 == int(text[10])


def _chapter(hs_code: str) -> str:
    return hs_code[:2]


def _heading(hs_code: str) -> str:
    return hs_code[:4]
