"""Derive the columns of a shipment: price per kilogram, bands and check digits.

Integers that windows add up are named after their small unit (`_eur_cents`, `_g`, `_micro`).
"""

import re
import unicodedata

import numpy as np
from stdnum import iso6346

from features.derived.scales import log_micro, round_to_digits
from features.engine.columns import Column, Columns, is_before, matched
from features.engine.expressions.arithmetic import ratio
from features.engine.string_table import NO_TEXT, STRING_TABLE
from features.reference.currencies import euro_cents
from features.reference.de_minimis import de_minimis_eur

# Binary digits: price bands are 1/16 to 1/32 wide, mass bands 1/4 to 1/8.
PRICE_DIGITS = 5
MASS_DIGITS = 3
# A value from this share of the duty limit up to the limit counts as just under it.
JUST_UNDER = 0.7
# Headings and subheadings of equipment for crossings by small boat, and its kind.
BOAT_EQUIPMENT = {
    "8903": "craft",
    "8407": "engine",
    "8408": "engine",
    "630720": "vest",
    "8414": "pump",
}

# The usual form of a container number, and the values of its characters.
_CONTAINER = re.compile(r"[A-Z]{3}[UJZR][0-9]{7}")
_WORTH = {letter: worth for worth, letter in enumerate("0123456789A.BCDEFGHIJK.LMNOPQRSTU.VWXYZ")}


def derive_shipment(shipment: Columns) -> Columns:
    """Return the columns that follow from a shipment's own record."""
    net, gross = shipment["net_mass_kg"], shipment["gross_mass_kg"]
    mass_kg = np.where(net > 0, net, gross)
    value_eur_cents = euro_cents(
        shipment["declared_value"], shipment["currency"], shipment["declared_at"]
    )
    unit_value_eur_per_kg = ratio(value_eur_cents / 100, mass_kg)
    limit_eur = STRING_TABLE.map_numbers(shipment["destination_country"], de_minimis_eur)
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
        "rounded_unit_value": round_to_digits(ratio(shipment["declared_value"], mass_kg)),
        "unit_value_band": round_to_digits(unit_value_eur_per_kg, PRICE_DIGITS),
        "mass_log_micro": log_micro(mass_kg),
        "mass_band": round_to_digits(mass_kg, MASS_DIGITS),
        "density_g_per_m3": np.rint(ratio(gross, shipment["volume_m3"]) * 1000),
        "package_mass_g": np.rint(ratio(gross, shipment["packages"]) * 1000),
        "net_share_ppm": np.rint(np.minimum(ratio(net, gross), 1e3) * 1e6),
        "description_key": STRING_TABLE.map_texts(shipment["goods_description"], _plain),
        "boat_equipment_kind": STRING_TABLE.map_texts(shipment["hs_code"], boat_equipment_kind),
        "is_boat_equipment": STRING_TABLE.map_numbers(shipment["hs_code"], _is_boat_equipment),
        # Both in euro cents.
        "is_just_under_de_minimis": _is_just_under(value_eur_cents, 100 * limit_eur),
        "hs_chapter": STRING_TABLE.map_texts(shipment["hs_code"], _chapter),
        "hs_heading": STRING_TABLE.map_texts(shipment["hs_code"], _heading),
        "is_container_number_valid": STRING_TABLE.map_numbers(
            shipment["container_number"], is_container_number
        ),
    }


def join_journeys(shipments: Columns, journeys: Columns) -> Columns:
    """Return the columns of each shipment's journey, prefixed `journey_`.

    They are missing if the journey was not declared before the shipment.
    """
    joined = matched(journeys, shipments["journey_id"], journeys["journey_id"], prefix="journey_")
    is_known = is_before(joined["journey_declared_at"], shipments["declared_at"])
    journey_ids = np.where(is_known, shipments["journey_id"], np.int32(NO_TEXT))
    return matched(journeys, journey_ids, journeys["journey_id"], prefix="journey_") | {
        "journey_id": shipments["journey_id"]
    }


def _is_just_under(value: Column, limit: Column) -> Column:
    """Return whether a value is just under a limit; NaN if either is missing."""
    is_known = ~(np.isnan(value) | np.isnan(limit))
    return np.where(is_known, (value >= JUST_UNDER * limit) & (value < limit), np.nan)


def is_container_number(text: str) -> bool:
    """Return whether the check digit of ISO 6346 is valid.

    Same result as the library, but faster for numbers in the usual form.

    >>> is_container_number("CSQU3054383"), is_container_number("csqu 305438 4")
    (True, False)
    """
    if not _CONTAINER.fullmatch(text):
        return bool(iso6346.is_valid(text))
    weighed = sum(_WORTH[letter] << place for place, letter in enumerate(text[:10]))
    return weighed % 11 % 10 == int(text[10])


def _plain(description: str) -> str | None:
    """Return lower-case letters and digits in words; None if there are none."""
    words = re.findall(r"[^\W_]+", unicodedata.normalize("NFKC", description).casefold())
    return " ".join(words) or None


def boat_equipment_kind(hs_code: str) -> str | None:
    """Return the kind of boat-crossing equipment that goods are; None for other goods.

    >>> boat_equipment_kind("890310"), boat_equipment_kind("630720"), boat_equipment_kind("630790")
    ('craft', 'vest', None)
    """
    return BOAT_EQUIPMENT.get(hs_code) or BOAT_EQUIPMENT.get(hs_code[:4])


def _is_boat_equipment(hs_code: str) -> float:
    return float(boat_equipment_kind(hs_code) is not None)


def _chapter(hs_code: str) -> str:
    return hs_code[:2]


def _heading(hs_code: str) -> str:
    return hs_code[:4]
