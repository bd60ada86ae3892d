"""Names that people type, compared: whether two of them may be of one person."""

import unicodedata

# Letters of other scripts that look like Latin ones.
_LOOKALIKES = str.maketrans(
    "аеорсухіјѕһԁԛԝӏɡıαονρκτυχιηγ",
    "aeopcyxijshdqwlgiaovpktuxiny",
)


def comparable_name(name: str) -> str:
    """What is left of a name to compare: its letters and digits, however they were typed.

    Capitals, room, accents, punctuation, marks that nobody sees and letters that look like Latin
    ones make no difference. Empty for what names nobody.
    """
    folded = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", name).casefold())
    return "".join(letter for letter in folded if letter.isalnum()).translate(_LOOKALIKES)


def may_be_one_person(one: str, other: str) -> bool:
    """Whether two names may be of one person; whoever has no name may be anybody."""
    names = {comparable_name(one), comparable_name(other)}
    return len(names) == 1 or "" in names
