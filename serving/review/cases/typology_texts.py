"""Ways of smuggling (typologies) as reviewers name them, with the offences of each.

Typologies of outcomes are counted by these (`training/evaluation`, `serving/monitor`). The console
offers this list; records and calls may contain others, of which nothing is known here.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from features.offences import OFFENCES, Offence
from features.records import Result


@dataclass(frozen=True)
class TypologyText:
    """A way of smuggling in words, and the offences that are committed by it."""

    words: str
    offences: frozenset[Offence]


_PEOPLE: frozenset[Offence] = frozenset({"migrant_smuggling", "trafficking_in_persons"})
_GOODS: frozenset[Offence] = frozenset(OFFENCES) - _PEOPLE - {"document_fraud", "other"}

TYPOLOGIES: Mapping[str, TypologyText] = {
    "small_craft_crossing": TypologyText("people taken over the sea in a small craft", _PEOPLE),
    "lorry_concealment": TypologyText("people hidden in the load of a lorry", _PEOPLE),
    "rail_wagon_concealment": TypologyText("people hidden in a freight wagon", _PEOPLE),
    "refrigerated_unit": TypologyText("people in a refrigerated unit", _PEOPLE),
    "coach_forged_transit": TypologyText("people on a coach with forged transit papers", _PEOPLE),
    "air_ticket_broker": TypologyText("people on air tickets that a broker bought", _PEOPLE),
    "hired_van_run": TypologyText("a hired van, driven one way", _PEOPLE | _GOODS),
    "fishing_vessel_transfer": TypologyText(
        "taken over at sea by a fishing vessel", _PEOPLE | _GOODS
    ),
    "boat_equipment_supply": TypologyText(
        "boats and engines supplied for crossings", _GOODS | {"migrant_smuggling"}
    ),
    "container_rip_on": TypologyText("put into somebody else's container", _GOODS),
    "cloned_container": TypologyText("a second container under the same number", _GOODS),
    "transit_diversion": TypologyText("goods in transit that never left", _GOODS),
    "misdeclared_goods": TypologyText("goods declared as others", _GOODS),
    "undervaluation": TypologyText("invoiced far below the price", frozenset({"undervaluation"})),
    "permit_reuse": TypologyText("one permit for many consignments", _GOODS),
    "split_consignments": TypologyText("split into many small consignments", _GOODS),
    "shell_consignee": TypologyText("a consignee without a business of its own", _GOODS),
    "other": TypologyText("another way", _PEOPLE | _GOODS),
}


def typology_contradiction(
    typology: str | None, result: Result, offences: Collection[Offence], is_of_goods: bool
) -> str | None:
    """Return why a typology contradicts a finding; None if it does not, or none is named.

    `is_of_goods` means that goods were found, whatever the offences name.
    """
    if typology is None:
        return None
    if result != "confirmed":
        return f"typology names a way of smuggling, and the result is {result}"
    # Other systems have lists of their own, so an unknown typology is accepted.
    if (known := TYPOLOGIES.get(typology)) is None:
        return None
    of_smuggling = (_PEOPLE | _GOODS) & {*offences}
    if of_smuggling and not of_smuggling & known.offences:
        named = " and ".join(sorted(of_smuggling))
        return f"typology {typology} ({known.words}) does not go with {named}"
    if is_of_goods and not known.offences & _GOODS:
        return f"typology {typology} ({known.words}) is of people, and goods were found"
    return None
