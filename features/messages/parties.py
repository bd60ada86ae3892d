"""Map the parties of a message to keyed pseudonyms of their best register number.

The same number under the same key is the same party in every message and table. A name with its
country is used only if there is no number, and is never stored.
"""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

from features.messages.element import Element
from features.register_pseudonyms import RegisterPseudonyms

# Kinds of numbers, the most specific first. `own` is a number that only its sender assigns, so
# another sender may use it for another party.
_REGISTERS = (
    *("lei", "eori", "vat", "gln", "duns", "register", "iban", "account", "bic", "code", "name"),
    "own",
)


@dataclass(frozen=True)
class PartyNumber:
    """A number of a party in a register, with its source elements."""

    register: str
    number: str
    elements: tuple[Element, ...]

    @property
    def rank(self) -> int:
        """Return the position of the register in the order of preference; lower is better."""
        return _REGISTERS.index(self.register)


def pseudonym(key: bytes, register: str, number: str) -> str:
    """Return the pseudonym of a register number, whatever its spelling.

    It equals the pseudonym in an imported table whose mapping gives the register the same name, if
    the table's numbers are in capitals without blanks and signs.

    >>> pseudonym(b"k" * 32, "eori", "pt 502 011 378")
    'eori-393f8f0256d9e2c97239c904'
    """
    (name,) = RegisterPseudonyms(key).of(register, [_plain(register, number)])
    return name


def best_party_number(numbers: Iterable[PartyNumber]) -> PartyNumber | None:
    """Return the most specific number, the first of equals; None if there is none."""
    known = [each for each in numbers if _plain(each.register, each.number)]
    return min(known, key=lambda each: each.rank, default=None)


def party_numbers(
    register: str, element: Element | None, within: Element | str | None = None
) -> tuple[PartyNumber, ...]:
    """Return the number in an element, if any; `within` is the scope in which it is unique.

    The scope is the country of a name or register, the bank of an account, the list of a code.
    """
    if element is None or not element.text:
        return ()
    beside = (within,) if isinstance(within, Element) and within.text else ()
    scope = within.text if isinstance(within, Element) else within or ""
    if register == "vat":
        # Most VAT numbers already begin with their country.
        number = f"{scope}{element.text}" if element.text[:1].isdigit() else element.text
    else:
        number = f"{element.text} {scope}".strip()
    return (PartyNumber(register, number, (element, *beside)),)


def scheme_number(
    scheme: str, element: Element | None, country: Element | str | None = None
) -> tuple[PartyNumber, ...]:
    """Return a number by its identification scheme; without a scheme it is the sender's own."""
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
    """Return a number in capitals without signs and blanks, so that spellings compare equal."""
    text = unicodedata.normalize("NFKC", number).upper()
    if register == "name":
        return " ".join(re.findall(r"\w+", text))
    return "".join(re.findall(r"\w", text))
