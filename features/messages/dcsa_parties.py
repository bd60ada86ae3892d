"""Parties of DCSA -> pseudonyms."""

from collections.abc import Iterator

from features.messages.element import Element
from features.messages.message_reading import MessageReading
from features.messages.parties import PartyNumber, number_of, register_of
from features.messages.record_drafts import Value


def party_value(party: Element | None, reading: MessageReading) -> Value | None:
    """The pseudonym of a party of a document."""
    return None if party is None else reading.party(_numbers(party))


def carrier_value(document: Element, reading: MessageReading) -> Value | None:
    """The pseudonym of the carrier that a document names by its code."""
    code = document.first("carrierCode")
    provider = document.says("carrierCodeListProvider")
    return reading.party(number_of("code", code)) if code is not None and provider else None


def _numbers(party: Element) -> Iterator[PartyNumber]:
    for code in party.every("identifyingCodes"):
        scheme = f"{code.says('codeListProvider')} {code.says('codeListName')}"
        register = "lei" if "GLEIF" in scheme else register_of(code.says("codeListName"))
        yield from number_of(register, code.first("partyCode"))
    for tax in party.every("taxLegalReferences"):
        yield from number_of("vat", tax.first("value"))
    yield from number_of("name", party.first("partyName"), party.first("address/countryCode"))
