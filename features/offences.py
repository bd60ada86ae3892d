"""Classes of offence that an inspection may find, and which of them are smuggling.

Smuggling means moving goods or people over a border against its rules: secretly, or under a false
value or name. Trafficking in persons is another crime, whose victims are protected. Neither it nor
forged papers or other offences are positive labels for smuggling.
"""

from typing import Annotated, Literal, get_args

from pydantic import Field

from features.field_kinds import Code

Offence = Literal[
    "migrant_smuggling",
    "trafficking_in_persons",
    "drugs",
    "arms",
    "tobacco",
    "excise",
    "counterfeit",
    "wildlife",
    "waste",
    "dual_use",
    "undervaluation",
    "misdescription",
    "document_fraud",
    "cash",
    "other",
]
OFFENCES: tuple[Offence, ...] = get_args(Offence)
NOT_SMUGGLING: frozenset[Offence] = frozenset({"trafficking_in_persons", "document_fraud", "other"})
# Offences that documents alone can prove.
SEEN_IN_DOCUMENTS: frozenset[Offence] = frozenset(
    {"undervaluation", "misdescription", "document_fraud", "other"}
)
AGAINST_PERSONS: frozenset[Offence] = frozenset({"migrant_smuggling", "trafficking_in_persons"})

_CHAPTER_DIGITS = 2
_ANY = "|".join(OFFENCES)
# One or more classes in one text, so that record files stay flat.
OffenceCodes = Annotated[
    str,
    Field(pattern=rf"^({_ANY})([ |]({_ANY}))*$", examples=["tobacco document_fraud"]),
    Code(),
]


def offences_in(codes: str | None) -> tuple[Offence, ...]:
    """Return the known classes in a text, without duplicates, in the order of the list.

    Empty if none is stated.

    >>> offences_in("document_fraud|tobacco document_fraud")
    ('tobacco', 'document_fraud')
    """
    named = frozenset((codes or "").replace("|", " ").split())
    return tuple(offence for offence in OFFENCES if offence in named)


def offence_group(mode: str | None, hs_code: str | None) -> str:
    """Return the group of subjects in which finds are compared: the chapter of goods, or the mode.

    >>> offence_group("sea", "240220"), offence_group("road", None)
    ('chapter 24', 'road')
    """
    return f"chapter {hs_code[:_CHAPTER_DIGITS]}" if hs_code else mode or "unknown"
