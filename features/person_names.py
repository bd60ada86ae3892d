"""Compare names that people type, to find out whether two may belong to one person.

Source: Unicode Technical Standard 39, section 4 (confusable characters). Names in different scripts
belong to different persons unless they look alike: nothing is transliterated.
"""

import re
import unicodedata
from functools import cache, lru_cache

# Suffixes such as `+2` that distinguish equal names.
_TOLD_APART = re.compile(r"(?: *\+\d+)+$")


def may_be_one_person(one: str, other: str) -> bool:
    """Return whether two names may belong to one person: alike, or different only in a number.

    A name without letters or digits may belong to anybody.

    >>> [may_be_one_person("alpha", other) for other in ("Alpha.", "alph\u0430", "A1PHA", "alpine")]
    [True, True, True, False]
    >>> may_be_one_person("alpha", "alpha +2")
    True
    """
    is_anybody = not (names_somebody(one) and names_somebody(other))
    return is_anybody or not looks_of(base_of(one)).isdisjoint(looks_of(base_of(other)))


def base_of(name: str) -> str:
    """Return a name without the numbers that distinguish it from another."""
    return _TOLD_APART.sub("", name)


def names_somebody(name: str) -> bool:
    """Return whether a name contains letters or digits."""
    return all(looks_of(name))


@lru_cache(maxsize=10_000)
def looks_of(name: str) -> frozenset[str]:
    """Return the visual forms of a name, as it is and in lower case.

    Names that share a form are alike. Case, accents, punctuation, blanks and confusable letters do
    not distinguish names.
    """
    text = unicodedata.normalize("NFKC", name)
    return frozenset({_look(_replaced(text)), _look(text)})


def _look(text: str) -> str:
    plain = unicodedata.normalize("NFD", text.casefold())
    letters = "".join(each for each in plain if each.isalnum() or _is_mark(each))
    return _replaced(letters).casefold().replace("i", "l")


def _replaced(text: str) -> str:
    """Return a text with each character replaced by the prototype of its look-alikes."""
    return "".join(_prototypes().get(each, each) for each in text)


def _is_mark(char: str) -> bool:
    """Return whether a mark makes a different letter, such as vowel signs of Indic scripts."""
    return unicodedata.category(char)[0] == "M" and not "\u0300" <= char <= "\u036f"


@cache
def _prototypes() -> dict[str, str]:
    """Return the prototype of every character that has look-alikes."""
    # Imported on first use; the result is cached.
    from confusable_homoglyphs.confusables import confusables_data

    alike = {char: [each["c"] for each in found] for char, found in confusables_data.items()}
    prototypes = {}
    for char, others in alike.items():
        if len(char) == 1 and len(others) == 1:
            (other,) = others
            # For a pair that resembles nothing else, the first of the two stands for both.
            is_first = len(alike.get(other, ())) <= 1 and char <= other
            look = unicodedata.normalize("NFKC", char if is_first else other)
            prototypes[char] = look if _has_letters(look) or not _is_east_asian(char) else char
    return prototypes


def _has_letters(text: str) -> bool:
    return any(each.isalnum() for each in text)


def _is_east_asian(char: str) -> bool:
    """Return whether a character is Chinese or Japanese.

    These stay letters if they resemble signs.
    """
    return unicodedata.name(char, "").startswith(("CJK UNIFIED", "HIRAGANA", "KATAKANA"))
