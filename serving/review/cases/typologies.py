"""Ways of smuggling (typologies) as reviewers name them, with the offences of each.

Typologies of outcomes are counted by these (`training/evaluation`, `serving/monitor`). The console
offers this list; records and calls may contain others, of which nothing is known here.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from features.offences import OFFENCES, Offence
from features.records import Result


@dataclass(frozen=True)
class Typology:
    """A way of smuggling in words, and the offences that are committed by it."""

    words: str
    offences: frozenset[Offence]


_PEOPLE: frozenset[Offence] = frozenset({"migrant_smuggling", "trafficking_in_persons"})
_GOODS: frozenset[Offence] = frozenset(OFFENCES) - _PEOPLE - {"document_fraud", "other"}

TYPOLOGIES: Mapping[str, Typology] = {
    "small_craft_crossing": Typology("people taken over the sea in a small craft", _PEOPLE),
    "lorry_concealment": Typology("people hidden in the load of a lorry", _PEOPLE),
    "rail_wagon_concealment": Typology("people hidden in a freight wagon", _PEOPLE),
    "refrigerated_unit": Typology("people in a refrigerated unit", _PEOPLE),
    "coach_forged_transit": Typology("people on a coach with forged transit papers", _PEOPLE),
    "air_ticket_broker": Typology("people on air tickets that a broker bought", _PEOPLE),
    "hired_van_run": Typology("a hired van, driven one way", _PEOPLE | _GOODS),
    "fishing_vessel_transfer": Typology("taken over at sea by a fishing vessel", _PEOPLE | _GOODS),
    "boat_equipment_supply": Typology(
        "boats and engines supplied for crossings", _GOODS | {"migrant_smuggling"}
    ),
    "container_rip_on": Typology("put into somebody else's container", _GOODS),
    "cloned_container": Typology("a second container under the same number", _GOODS),
    "transit_diversion": Typology("goods in transit that never left", _GOODS),
    "misdeclared_goods": Typology("goods declared as others", _GOODS),
    "undervaluation": Typology("invoiced far below the price", frozenset({"undervaluation"})),
    "permit_reuse": Typology("one permit for many consignments", _GOODS),
    "split_consignments": Typology("split into many small consignments", _GOODS),
    "shell_consignee": Typology("a consignee without a business of its own", _GOODS),
    "other": Typology("another way", _PEOPLE | _GOODS),
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
