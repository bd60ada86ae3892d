"""Values, names and lists, written as they are read."""

import math

from features.definition import Unit
from serving.explanation.language import ENGLISH, Language

Value = float | str | None

UNITS = {
    Unit.HOURS_BEFORE: "before",
    Unit.DAYS: "days",
    Unit.KILOMETRES: "km",
    Unit.KNOTS: "kn",
    Unit.KILOGRAMS: "kg",
    Unit.KILOGRAMS_PER_M3: "kg/m³",
    Unit.EURO: "EUR",
    Unit.EURO_PER_KG: "EUR/kg",
    Unit.PERCENT: "%",
    Unit.HOUR_OF_DAY: "h UTC",
}
AFTER = "after"  # of hours before, where they are below 0
MINUTES, HOURS, DAYS = (
    ("one minute", "{value} minutes"),
    ("one hour", "{value} hours"),
    ("one day", "{value} days"),
)
"""A span of one, and of others."""

HOURS_IN_A_DAY, MOST_HOURS = 24, 72  # above, days are easier to read
YES, NO, NOT_KNOWN = "yes", "no", "not known"
LAST_OF_LIST = "{others} and {last}"

_ABBREVIATIONS = {"eur": "EUR", "hs": "HS", "iban": "IBAN"}


def value_in_words(value: Value, unit: Unit, language: Language = ENGLISH) -> str:
    """A value with its unit, as it stands alone.

    >>> value_in_words(0.4251, Unit.SHARE), value_in_words(12345.6, Unit.EURO)
    ('42.5 %', '12,300 EUR')
    >>> value_in_words(-2.1667, Unit.HOURS_BEFORE), value_in_words(None, Unit.DAYS)
    ('2.17 hours after', 'not known')
    """
    if value is None:
        return language.say(NOT_KNOWN)
    if unit is Unit.HOURS_BEFORE and not isinstance(value, str) and value < 0:
        return f"{figure(-value, unit, language)} {language.say(AFTER)}"
    written = figure(value, unit, language)
    return f"{written} {language.say(UNITS[unit])}" if unit in UNITS else written


def figure(value: float | str, unit: Unit, language: Language = ENGLISH) -> str:
    """A value as a sentence takes it that names the unit itself; a span of hours has its own.

    >>> figure(0.4251, Unit.SHARE), figure(12345.6, Unit.EURO), figure(1.0, Unit.YES_NO)
    ('42.5 %', '12,300', 'yes')
    >>> figure(0.957, Unit.HOURS), figure(2.26, Unit.HOURS), figure(479.2, Unit.HOURS)
    ('57 minutes', '2.26 hours', '20 days')
    """
    if isinstance(value, str):
        return language.say(value.replace("_", " "))
    if unit is Unit.YES_NO:
        return language.say(YES if value else NO)
    if unit is Unit.SHARE:
        return language.figure(f"{figures(value * 100)} %")
    if unit in (Unit.HOURS, Unit.HOURS_BEFORE):
        return _span(value, language)
    written = figures(value)
    if unit is Unit.RATIO and written == "1":
        written = "1.00"  # "1 times" reads like a slip
    return language.figure(written)


def _span(hours: float, language: Language) -> str:
    if abs(hours) < 1:
        value, forms = float(round(hours * 60)), MINUTES
    elif abs(hours) <= MOST_HOURS:
        value, forms = hours, HOURS
    else:
        value, forms = hours / HOURS_IN_A_DAY, DAYS
    return language.say_of(
        int(value) if value.is_integer() else 2, *forms, language.figure(figures(value))
    )


def listed(parts: list[str], language: Language = ENGLISH) -> str:
    """Parts joined as in a sentence.

    >>> listed(["the invoice", "the manifest", "the permit"])
    'the invoice, the manifest and the permit'
    """
    if len(parts) < 2:
        return "".join(parts)
    return language.say(LAST_OF_LIST, others=", ".join(parts[:-1]), last=parts[-1])


def figures(value: float) -> str:
    """Three significant figures, whole numbers below ten thousand in full."""
    if value == 0:
        return "0"
    if value.is_integer() and abs(value) < 10_000:
        return f"{value:,.0f}"
    decimals = 2 - math.floor(math.log10(abs(value)))
    rounded = round(value, decimals)
    text = f"{rounded:,.{max(decimals, 0)}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def readable(name: str) -> str:
    """A name of ours as words.

    >>> readable("unit_value_eur_per_kg"), readable("carrier_journeys_30d")
    ('Unit value EUR per kg', 'Carrier journeys in 30 days')
    """
    return capital(" ".join(map(_word, name.split("_"))))


def _word(part: str) -> str:
    if part[:-1].isdigit() and part.endswith("d"):
        return f"in {part[:-1]} days"
    return _ABBREVIATIONS.get(part, part)


def capital(text: str) -> str:
    """With a capital first letter.

    >>> capital("its value")
    'Its value'
    """
    return text[:1].upper() + text[1:]
