"""Parties of a message -> keyed pseudonyms of the best register number that it gives.

The same number under the same key is the same party in every message and table; a name stands in
only where there is no number, with its country, and is never kept.
"""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

from features.messages.element import Element
from features.register_pseudonyms import RegisterPseudonyms

# What a party may be known by, the most telling first; `own` is a number that only its sender
# knows, which may be another party's at another sender.
_REGISTERS = (
    *("lei", "eori", "vat", "gln", "duns", "register", "iban", "account", "bic", "code", "name"),
    "own",
)


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


def best_party_number(numbers: Iterable[PartyNumber]) -> PartyNumber | None:
    """The most telling number; the first of equals, and None where there is none."""
    told = [each for each in numbers if _plain(each.register, each.number)]
    return min(told, key=lambda each: each.rank, default=None)


def party_numbers(
    register: str, element: Element | None, within: Element | str | None = None
) -> tuple[PartyNumber, ...]:
    """A number that an element says, if there is one; `within` is where it is the only such one.

    That is the country of a name or a register, the bank of an account, the list of a code.
    """
    if element is None or not element.text:
        return ()
    beside = (within,) if isinstance(within, Element) and within.text else ()
    scope = within.text if isinstance(within, Element) else within or ""
    if register == "vat":
        # Most numbers begin with their country.
        number = f"{scope}{element.text}" if element.text[:1].isdigit() else element.text
    else:
        number = f"{element.text} {scope}".strip()
    return (PartyNumber(register, number, (element, *beside)),)


def scheme_number(
    scheme: str, element: Element | None, country: Element | str | None = None
) -> tuple[PartyNumber, ...]:
    """A number by its scheme of identification; one of no scheme is its sender's own."""
    for register, pattern in _SCHEMES.items():
        if re.search(pattern, scheme, re.IGNORECASE):
            is_national = register in ("vat", "register")
            return party_numbers(register, element, country if is_national else None)
    return (
        party_numbers("code", element, scheme) if scheme.strip() else party_numbers("own", element)
    )


_SCHEMES = {
    "lei": r"\bLEI\b|17442",
    "eori": r"EORI",
    "vat": r"VAT\b|\bVA\b|\bTXID\b|\bTAX\b",
    "gln": r"\bGLN\b|\bEAN\b",
    "duns": r"DUNS",
    "register": r"\bCVR\b|ORGNR|\bCOID\b|\bSIREN\b|\bSIRET\b|\bKVK\b|\bCH\b",
    "bic": r"\bBIC|SWIFT",
}


def _plain(register: str, number: str) -> str:
    """A number without the signs and the case in which it may be written otherwise."""
    text = unicodedata.normalize("NFKC", number).upper()
    if register == "name":
        return " ".join(re.findall(r"\w+", text))
    return "".join(re.findall(r"\w", text))
