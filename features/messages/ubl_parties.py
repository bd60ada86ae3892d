"""Map the parties of UBL to pseudonyms."""

from collections.abc import Iterator

from features.messages.element import Element
from features.messages.message_reading import MessageReading
from features.messages.parties import PartyNumber, party_numbers, scheme_number
from features.messages.record_drafts import Value


def ubl_party(party: Element | None, reading: MessageReading) -> Value | None:
    """Return the pseudonym of a party.

    None if it is missing or has no identifying number or name.
    """
    return None if party is None else reading.party(_numbers(party))


def _numbers(party: Element) -> Iterator[PartyNumber]:
    country = party.first("PostalAddress/Country/IdentificationCode")
    yield from party_numbers("vat", party.first("PartyTaxScheme/CompanyID"), country)
    yield from party_numbers("register", party.first("PartyLegalEntity/CompanyID"), country)
    for identification in party.every("PartyIdentification/ID"):
        scheme = identification.attributes.get("schemeID", "")
        yield from scheme_number(scheme, identification, country)
    endpoint = party.first("EndpointID")
    if endpoint is not None:
        yield from scheme_number(endpoint.attributes.get("schemeID", ""), endpoint, country)
    # A party with a person and no entity may be that person, who must not be identified by name.
    if party.first("Person") is None:
        name = party.first("PartyName/Name", "PartyLegalEntity/RegistrationName")
        yield from party_numbers("name", name, country)
