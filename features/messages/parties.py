"""Parties of a message -> keyed pseudonyms of the best register number that it gives.

The same number under the same key is the same party in every message and table; a name stands in
only where there is no number, with its country, and is never kept.
"""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

from features.ingest.mapping.register_pseudonyms import RegisterPseudonyms
from features.messages.element import Element

_REGISTERS = ("lei", "eori", "vat", "register", "iban", "account", "code", "bic", "name")
"""What a party may be known by, the most telling first."""


@dataclass(frozen=True)
class PartyNumber:
    """A number of a party in a register, and the elements that say it."""

    register: str
    number: str
    elements: tuple[Element, ...]

    @property
    def rank(self) -> int:
        """Its place among what a party may be known by."""
        return _REGISTERS.index(self.register)


def pseudonym(key: bytes, register: str, number: str) -> str:
    """The pseudonym of a number of a register: the same for every way to write the number.

    It is that of an imported table whose mapping gives the register the same name, if its numbers
    are written in capitals without blanks and signs.

    >>> pseudonym(b"k" * 32, "eori", "pt 502 011 378")
    'eori-393f8f0256d9e2c97239c904'
    """
    (name,) = RegisterPseudonyms(key).of(register, [_plain(register, number)])
    return name


def best_of(numbers: Iterable[PartyNumber]) -> PartyNumber | None:
    """The most telling number; the first of equals, and None where there is none."""
    told = [each for each in numbers if _plain(each.register, each.number)]
    return min(told, key=lambda each: each.rank, default=None)


def number_of(
    register: str, element: Element | None, *beside: Element | None
) -> tuple[PartyNumber, ...]:
    """A number that an element says, if there is one; a name is of the country said beside it."""
    if element is None or not element.text:
        return ()
    others = tuple(each for each in beside if each is not None and each.text)
    number = " ".join([element.text, *(each.text for each in others)])
    return (PartyNumber(register, number, (element, *others)),)


def register_of(scheme: str) -> str:
    """The register that a scheme of identification means, as far as it says so."""
    plain = re.sub(r"[^A-Z0-9]", "", scheme.upper())
    for register, words in _SCHEMES.items():
        if any(word in plain for word in words):
            return register
    return "code"


_SCHEMES = {
    "lei": ("LEI", "17442"),
    "eori": ("EORI",),
    "vat": ("VAT", "TXID", "TAX", "VA", "CUSTOMS"),
    "register": ("CVR", "ORGNR", "COID", "REGISTER", "CH", "KVK", "SIREN", "GLN", "DUNS", "EAN"),
    "bic": ("BIC", "SWIFT"),
}


def _plain(register: str, number: str) -> str:
    """A number without the signs and the case in which it may be written otherwise."""
    text = unicodedata.normalize("NFKC", number).upper()
    if register == "name":
        return " ".join(re.findall(r"\w+", text))
    return "".join(re.findall(r"\w", text))
