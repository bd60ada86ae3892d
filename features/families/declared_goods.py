"""Declared goods: masses, volume, packages, container number and description of one shipment."""

import re
import unicodedata

import numpy as np

from features.definition import (
    MonotoneConstraint,
    Peers,
    SuspiciousSide,
    Unit,
    shipment_feature,
)
from features.engine.columns import Column
from features.engine.expressions.arithmetic import ratio
from features.engine.string_table import STRING_TABLE
from features.publications import ICS2, PRACTICE, SEA_CONTAINERS_2002

# Unicode name prefixes of scripts that put no blanks between words.
_UNPARTED = re.compile(r"^(CJK|HIRAGANA|KATAKANA|THAI|LAO|KHMER|MYANMAR|TIBETAN|BOPOMOFO)\b")


@shipment_feature(
    unit=Unit.SHARE,
    when_missing="gross or net mass is missing",
    indicator="D07",
    warns=SuspiciousSide.EITHER,
    source=SEA_CONTAINERS_2002,
    sentence="packing makes up {value} of its gross mass",
    sentence_below_zero="its net mass is above its gross mass by {value}",
    among=Peers.GOODS,
)
def tare_ratio(gross_mass_kg: Column, net_mass_kg: Column) -> Column:
    """Share of the gross mass that is packing.

    Very much or none at all is suspicious; a net mass above the gross one is impossible.
    """
    return ratio(gross_mass_kg - net_mass_kg, gross_mass_kg)


@shipment_feature(
    unit=Unit.KILOGRAMS_PER_M3,
    when_missing="mass or volume is missing",
    indicator="D09",
    warns=SuspiciousSide.EITHER,
    source=SEA_CONTAINERS_2002,
    sentence="it weighs {value} kg per cubic metre",
    among=Peers.GOODS,
)
def density_kg_per_m3(gross_mass_kg: Column, volume_m3: Column) -> Column:
    """Gross mass over volume.

    A density out of line with the goods is suspicious: hidden space or hidden load.
    """
    return ratio(gross_mass_kg, volume_m3)


@shipment_feature(
    unit=Unit.KILOGRAMS,
    when_missing="mass or packages are missing",
    indicator="D07",
    warns=SuspiciousSide.EITHER,
    source=SEA_CONTAINERS_2002,
    sentence="a package weighs {value} kg on average",
    among=Peers.GOODS,
)
def mass_per_package_kg(gross_mass_kg: Column, packages: Column) -> Column:
    """Mean gross mass of a package.

    Unusual for the goods, it suggests that the declared packages are not the real ones.
    """
    return ratio(gross_mass_kg, packages)


@shipment_feature(
    unit=Unit.KILOGRAMS,
    when_missing="no mass was declared",
    indicator=None,
    source=SEA_CONTAINERS_2002,
    sentence="it weighs {value} kg",
    among=Peers.GOODS,
)
def mass_kg(mass_kg: Column) -> Column:
    """Net mass, or gross mass where net is not given.

    Neither much nor little is suspicious by itself; it sets the scale.
    """
    return mass_kg


@shipment_feature(
    unit=Unit.YES_NO,
    when_missing="no gross mass was declared",
    indicator="D36",
    warns=SuspiciousSide.HIGH,
    source=PRACTICE,
    sentence="its gross mass is a round hundred of kilograms",
    sentence_of_none="its gross mass is no round hundred of kilograms",
    among=Peers.GOODS,
)
def is_round_mass(gross_mass_kg: Column) -> Column:
    """Whether the gross mass is a multiple of a hundred kilograms.

    A round mass is mildly suspicious: it was estimated rather than weighed.
    """
    # Zero is a multiple of a hundred too, but no round mass.
    is_round = (gross_mass_kg >= 100) & (np.mod(gross_mass_kg, 100) == 0)
    return np.where(np.isnan(gross_mass_kg), np.nan, is_round)


@shipment_feature(
    unit=Unit.YES_NO,
    when_missing="no container was declared",
    indicator="D14",
    source="ISO 6346 check digit",
    sentence="its container number passes its check",
    sentence_of_none="its container number fails its check digit",
    direction=MonotoneConstraint.LOWER_IS_RISKIER,
)
def is_container_number_valid(is_container_number_valid: Column) -> Column:
    """Whether the container number satisfies its check digit.

    A failing number is suspicious: the container may not exist; most are typing mistakes.
    """
    return is_container_number_valid


@shipment_feature(
    unit=Unit.COUNT,
    when_missing="no description was given, or in a script without blanks between words",
    indicator="D04",
    warns=SuspiciousSide.LOW,
    source=ICS2,
    shows_from=2,
    sentence="its goods are described in {value} words",
    sentence_of_none="its goods are described without a word",
    sentence_of_one="its goods are described in one word",
    among=Peers.GOODS,
)
def description_words_count(goods_description: Column) -> Column:
    """Words with a letter or a digit in the description of the goods.

    One or two are mildly suspicious: a vague description can cover anything. In a script that puts
    no blanks between words there is nothing to count.
    """
    return STRING_TABLE.map_numbers(goods_description, _words)


def _words(text: str) -> float:
    if any(_UNPARTED.search(unicodedata.name(letter, "")) for letter in text):
        return np.nan
    return sum(any(map(str.isalnum, word)) for word in text.split())
