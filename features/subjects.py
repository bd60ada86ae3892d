"""Journeys and shipments as subjects to be scored: their columns, with what one record implies.

What can be derived from a single record on entry (check digits, a price per kilogram, an amount on
one scale) is derived here once; features and windows only read it. Two columns every subject has:
`subject_id` and `declared_at`, the scoring instant. Whole numbers that windows add up are named by
their small unit (`_eur_cents`, `_g`, `_micro`).
"""

import numpy as np
import pandas as pd
from stdnum import iso6346

from features.columns import Column, Columns, is_before, matched
from features.currencies import euro_cents
from features.geography.distances import distance_km
from features.geography.places import country_of
from features.records import SubjectKind

Records = dict[str, Columns]
"""The columns of each record type, by the name of its file."""


def subjects_of(kind: SubjectKind, records: Records) -> Columns:
    """The subjects of one kind with all their columns, in the order of their records."""
    if kind == "route":
        return route_subjects(records["journeys"])
    return shipment_subjects(records["shipments"], records["journeys"])


def route_subjects(journeys: Columns) -> Columns:
    """One row per journey."""
    origins, destinations = journeys["origin"], journeys["destination"]
    return journeys | {
        "subject_id": journeys["journey_id"],
        "known_at": journeys["declared_at"],
        "direct_distance_km": np.rint(distance_km(origins, destinations) * 1000) / 1000,
        "origin_country": country_of(origins),
        "destination_country": country_of(destinations),
        "declared_cargo_mass_g": np.rint(journeys["declared_cargo_mass_kg"] * 1000),
    }


def shipment_subjects(shipments: Columns, journeys: Columns) -> Columns:
    """One row per shipment, with the columns of its journey, prefixed `journey_`.

    They are missing where the journey was not declared before the shipment.
    """
    subjects = shipments | _joined_journeys(shipments, journeys)
    net, gross = shipments["net_mass_kg"], shipments["gross_mass_kg"]
    mass_kg = np.where(net > 0, net, gross)
    value_eur_cents = euro_cents(shipments["declared_value"], shipments["currency"])
    unit_value_eur_per_kg = _ratio(value_eur_cents / 100, mass_kg)
    return subjects | {
        "subject_id": shipments["shipment_id"],
        "known_at": shipments["declared_at"],
        "mass_kg": mass_kg,
        "mass_g": np.rint(mass_kg * 1000),
        "declared_value_eur_cents": value_eur_cents,
        "declared_value_eur": value_eur_cents / 100,
        "unit_value_eur_per_kg": unit_value_eur_per_kg,
        "unit_value_micro_eur_per_kg": np.rint(np.minimum(unit_value_eur_per_kg, 1e9) * 1e6),
        "unit_value_text": _unit_value_text(shipments, mass_kg),
        "hs_chapter": _prefix(shipments["hs_code"], 2),
        "hs_heading": _prefix(shipments["hs_code"], 4),
        "tax_rate_text": _as_text(shipments["tax_rate"]),
        "is_container_number_valid": _is_valid_container(shipments["container_number"]),
    }


def _joined_journeys(shipments: Columns, journeys: Columns) -> Columns:
    joined = matched(journeys, shipments["journey_id"], journeys["journey_id"], prefix="journey_")
    is_known = is_before(joined["journey_declared_at"], shipments["declared_at"])
    of = shipments["journey_id"].copy()
    of[~is_known] = None
    return matched(journeys, of, journeys["journey_id"], prefix="journey_") | {
        "journey_id": shipments["journey_id"]
    }


def _ratio(part: Column, whole: Column) -> Column:
    """part / whole; NaN where either is missing or the whole is not positive."""
    return np.where(whole > 0, part / np.where(whole > 0, whole, 1), np.nan)


def _unit_value_text(shipments: Columns, mass_kg: Column) -> Column:
    """The declared price per kilogram to six digits, with its currency, to find equal prices."""
    prices = _ratio(shipments["declared_value"], mass_kg)
    return _texts(
        None if currency is None or np.isnan(price) else f"{currency} {price:.6g}"
        for currency, price in zip(shipments["currency"], prices, strict=True)
    )


def _as_text(numbers: Column) -> Column:
    return _texts(None if np.isnan(number) else f"{number:g}" for number in numbers)


def _prefix(codes: Column, size: int) -> Column:
    return _texts(None if code is None else code[:size] for code in codes)


def _texts(values: object) -> Column:
    return np.array(list(values), dtype=object)  # type: ignore[call-overload]


def _is_valid_container(numbers: Column) -> Column:
    """1 where the ISO 6346 check digit holds, 0 where it fails, NaN without a number."""
    codes, uniques = pd.factorize(numbers)
    is_valid = np.array([*(float(iso6346.is_valid(number)) for number in uniques), np.nan])
    return is_valid[codes]
