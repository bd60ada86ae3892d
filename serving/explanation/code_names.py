"""Names of codes: goods, countries, places and amounts of money, for readers.

A code is always shown with its name; a code that no table contains is shown alone.
"""

from datetime import datetime
from functools import cache

import numpy as np
from babel import Locale

from features.engine.string_table import STRING_TABLE
from features.reference.currencies import euro_cents
from features.reference.geography.places import stored_place_name
from features.reference.goods_names import goods_name
from serving.explanation.formatting import exact_figure, figures
from serving.language import ENGLISH, Language

# The maximum length of a name of goods; official names have hundreds of characters.
MAX_NAME_LENGTH = 70

IN_EURO = "{amount} (about {euro} EUR)"


def chapter_names() -> list[str]:
    """Return the English names of the chapters of the Harmonized System."""
    return [name for chapter in range(1, 100) if (name := goods_name(f"{chapter:02}"))]


def name_of_goods(hs_code: str, language: Language = ENGLISH) -> str | None:
    """Return the name of a goods code; None if it is unknown.

    The names of codes are in English alone: in another language it is that of the chapter.
    """
    chapter = goods_name(hs_code[:2])
    if chapter and (said := language.say(chapter)) != chapter:
        return said
    return goods_name(hs_code)


def goods_in_words(hs_code: str, language: Language = ENGLISH) -> str:
    """Return a goods code with the beginning of its name.

    >>> goods_in_words("481910")
    '481910 (paper and paperboard; cartons, boxes and cases, of corrugated paper …)'
    >>> goods_in_words("000000")
    '000000'
    """
    name = name_of_goods(hs_code, language)
    if name is None:
        return hs_code
    # Keep the capital of words such as "T-shirts" and "LED".
    first = name[0].lower() if name[1:2].islower() else name[0]
    return f"{hs_code} ({_shortened(first + name[1:])})"


def country_in_words(code: str, language: Language = ENGLISH) -> str:
    """Return a country in the reader's language, with its code.

    >>> country_in_words("DE"), country_in_words("XX")
    ('Germany (DE)', 'XX')
    """
    name = _territories(language.code).get(code)
    return f"{name} ({code})" if name else code


def place_in_words(code: str) -> str:
    """Return a port, airport or border crossing by name, with its code.

    >>> place_in_words("ROCND"), place_in_words("EBL"), place_in_words("ZZZZZ")
    ('Constanta (ROCND)', 'Arbil (EBL)', 'ZZZZZ')
    """
    name = stored_place_name(code)
    return f"{name} ({code})" if name else code


def money_in_words(
    amount: float, currency: str | None, at: datetime, language: Language = ENGLISH
) -> str:
    """Return a declared amount, with its approximate value in euro in the month of `at`.

    Without a known rate the declared amount stands alone.

    >>> from datetime import UTC
    >>> money_in_words(1250.0, "EUR", datetime(2026, 3, 1, tzinfo=UTC))
    '1,250 EUR'
    """
    declared = language.figure(exact_figure(amount)) + (f" {currency}" if currency else "")
    if currency in (None, "EUR"):
        return declared
    codes = np.array([STRING_TABLE.code(currency)])
    instants = np.array([int(at.timestamp() * 1e6)], np.int64)
    euro = float(euro_cents(np.array([amount]), codes, instants)[0]) / 100
    if np.isnan(euro):
        return declared
    return language.say(IN_EURO, amount=declared, euro=language.figure(figures(euro)))


def _shortened(name: str) -> str:
    if len(name) <= MAX_NAME_LENGTH:
        return name
    kept = name[: MAX_NAME_LENGTH - 1].rsplit(" ", 1)[0]
    return f"{kept.rstrip(',;')} …"


@cache
def _territories(code: str) -> dict[str, str]:
    locale = Locale.parse(code, sep="-" if "-" in code else "_")
    return {name: str(words) for name, words in locale.territories.items()}
