"""Map the parties of Cargo-XML to pseudonyms."""

from collections.abc import Iterator

from features.messages.element import Element
from features.messages.message_reading import MessageReading
from features.messages.parties import PartyNumber, party_numbers
from features.messages.record_drafts import Value

# Content codes in the customs notes of a waybill that identify a trader to customs.
_TRADER_CODES = {"T": "vat", "EO": "eori"}


def cargo_party(
    own: Element, party: Element | None, role: str, reading: MessageReading
) -> Value | None:
    """Return the pseudonym of a party, from its customs notes, else its accounts, else its name."""
    return reading.party([*_of_customs(own, role), *_of_party(party)])


def _of_customs(own: Element, role: str) -> Iterator[PartyNumber]:
    for note in own.every("IncludedCustomsNote"):
        register = _TRADER_CODES.get(note.says("ContentCode"))
        if register and note.says("SubjectCode") == role:
            yield from party_numbers(register, note.first("Content"), note.first("CountryID"))


def _of_party(party: Element | None) -> Iterator[PartyNumber]:
    if party is None:
        return
    yield from party_numbers("code", party.first("CargoAgentID"), "IATA")
    for path in ("PrimaryID", "AdditionalID", "AccountID"):
        yield from party_numbers("own", party.first(path))
    country = party.first("PostalStructuredAddress/CountryID", "FreightForwarderAddress/CountryID")
    yield from party_numbers("name", party.first("Name"), country)
