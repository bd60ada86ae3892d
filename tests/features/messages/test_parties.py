"""Which number a party is known by, and when two messages mean one party."""

from itertools import chain

import pytest

from features.messages.element import Element
from features.messages.parties import best_party_number, party_numbers, pseudonym, scheme_number

KEY = b"k" * 32


def said(text: str) -> Element:
    return Element("ID", "/ID", "/ID", text)


def name_of(scheme: str, number: str, country: str = "") -> str:
    (found,) = scheme_number(scheme, said(number), country)
    return pseudonym(KEY, found.register, found.number)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (("VAT", "DE123456789", "DE"), ("DKVAT", "de 123 456 789", "")),
        (("VAT", "123456789", "DE"), ("TXID", "DE123456789", "")),
        (("CVR", "45789034", "DK"), ("CVR", "4578 9034", "DK")),
        (("LEI", "529900T8BM49AURSDO55", "DE"), ("GLEIF LEI", "529900t8bm49aursdo55", "FR")),
        (("NMFTA", "ACAR", ""), ("nmfta", "ACAR", "PT")),
    ],
)
def test_a_number_of_one_register_is_one_party(
    one: tuple[str, str, str], other: tuple[str, str, str]
) -> None:
    assert name_of(*one) == name_of(*other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (("CVR", "45789034", "DK"), ("CVR", "45789034", "PT")),
        (("VAT", "123456789", "DE"), ("VAT", "123456789", "FR")),
        (("SMDG", "HMM", ""), ("NMFTA", "HMM", "")),
        (("", "8596", ""), ("CVR", "8596", "")),
    ],
)
def test_one_number_of_two_registers_or_countries_is_two_parties(
    one: tuple[str, str, str], other: tuple[str, str, str]
) -> None:
    assert name_of(*one) != name_of(*other)


def test_what_tells_most_is_taken_and_a_senders_own_number_last() -> None:
    told = chain(
        scheme_number("", said("8596")),
        party_numbers("name", said("Nordwind Boote GmbH"), said("DE")),
        party_numbers("iban", said("DE02120300000000202051")),
        scheme_number("EORI", said("DE1234567")),
        scheme_number("CVR", said("45789034"), "DK"),
    )
    numbers = sorted(told, key=lambda each: each.rank)

    registers = [each.register for each in numbers]
    assert registers == ["eori", "register", "iban", "name", "own"]
    assert best_party_number(reversed(numbers)) == numbers[0]
    assert best_party_number([]) is None
    assert best_party_number(party_numbers("lei", said("--"))) is None
