"""Names that people type, compared: whether two of them may be of one person.

Source: Unicode Technical Standard 39, section 4 (what looks alike). Names in letters of other
scripts are of others unless they look alike: nothing is transliterated.
"""

import re
import unicodedata
from functools import cache, lru_cache

_TOLD_APART = re.compile(r"(?: *\+\d+)+$")


def may_be_one_person(one: str, other: str) -> bool:
    """Return whether two names may be of one person: alike, or different in a number alone.

    A party without a name may be anybody.

    >>> [may_be_one_person("alpha", other) for other in ("Alpha.", "alph\u0430", "A1PHA", "alpine")]
    [True, True, True, False]
    >>> may_be_one_person("alpha", "alpha +2")
    True
    """
    is_anybody = not (names_somebody(one) and names_somebody(other))
    return is_anybody or not looks_of(base_of(one)).isdisjoint(looks_of(base_of(other)))


def base_of(name: str) -> str:
    """A name without the numbers that distinguish it from another."""
    return _TOLD_APART.sub("", name)


def names_somebody(name: str) -> bool:
    """Return whether a name has letters or digits, whatever looks like them."""
    return all(looks_of(name))


@lru_cache(maxsize=10_000)
def looks_of(name: str) -> frozenset[str]:
    """Return what a name looks like, as it is and in small letters: names that share a look are
    alike.

    Neither case, accents, signs and blanks, nor letters that look alike tell names apart.
    """
    text = unicodedata.normalize("NFKC", name)
    return frozenset({_look(_replaced(text)), _look(text)})


def _look(text: str) -> str:
    plain = unicodedata.normalize("NFD", text.casefold())
    letters = "".join(each for each in plain if each.isalnum() or _is_mark(each))
    return _replaced(letters).casefold().replace("i", "l")


def _replaced(text: str) -> str:
    """The text with every character in place of those that look like it."""
    return "".join(_prototypes().get(each, each) for each in text)


def _is_mark(char: str) -> bool:
    """Return whether it is a mark that makes another letter, as vowels of Indic scripts are."""
    return unicodedata.category(char)[0] == "M" and not "\u0300" <= char <= "\u036f"


@cache
def _prototypes() -> dict[str, str]:
    """The one look of every character that looks like others."""
    from confusable_homoglyphs.confusables import confusables_data

    alike = {char: [each["c"] for each in found] for char, found in confusables_data.items()}
    prototypes = {}
    for char, others in alike.items():
        if len(char) == 1 and len(others) == 1:
            (other,) = others
            # Of two that look like nothing else, either may stand for both.
            is_first = len(alike.get(other, ())) <= 1 and char <= other
            look = unicodedata.normalize("NFKC", char if is_first else other)
            prototypes[char] = look if _has_letters(look) or not _is_east_asian(char) else char
    return prototypes


def _has_letters(text: str) -> bool:
    return any(each.isalnum() for each in text)


def _is_east_asian(char: str) -> bool:
    """Return whether it is a letter of Chinese or Japanese, which stays one if it looks like a
    sign.
    """
    return unicodedata.name(char, "").startswith(("CJK UNIFIED", "HIRAGANA", "KATAKANA"))
