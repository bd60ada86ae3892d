"""Map the parties of DCSA documents to pseudonyms."""

from collections.abc import Iterator

from features.messages.element import Element
from features.messages.message_reading import MessageReading
from features.messages.parties import PartyNumber, party_numbers, scheme_number
from features.messages.record_drafts import Value


def dcsa_party(party: Element | None, reading: MessageReading) -> Value | None:
    """Return the pseudonym of a party; None if there is none."""
    return None if party is None else reading.party(_numbers(party))


def carrier_value(document: Element, reading: MessageReading) -> Value | None:
    """Return the pseudonym of the carrier, by its code; None without a code list provider."""
    code = document.first("carrierCode")
    provider = document.says("carrierCodeListProvider")
    return reading.party(party_numbers("code", code, provider)) if provider else None


def _numbers(party: Element) -> Iterator[PartyNumber]:
    country = party.first("address/countryCode")
    for code in party.every("identifyingCodes"):
        provider, name = code.says("codeListProvider"), code.says("codeListName")
        # ZZZ marks a list that the parties agreed between themselves, so it names no scheme.
        scheme = "LEI" if provider == "GLEIF" else f"{provider} {name}".replace("ZZZ", "")
        yield from scheme_number(scheme, code.first("partyCode"), country)
    for tax in party.every("taxLegalReferences"):
        yield from party_numbers("vat", tax.first("value"), tax.first("countryCode") or country)
    yield from party_numbers("name", party.first("partyName"), country)
