"""Format values, names and lists for readers."""

import math
from collections.abc import Sequence
from functools import lru_cache

from features.definition import MAX_AGE_DAYS, Unit
from serving.language import ENGLISH, Language

Value = float | str | None

UNITS = {
    Unit.HOURS_BEFORE: "before",
    Unit.KILOMETRES: "km",
    Unit.KNOTS: "kn",
    Unit.KILOGRAMS: "kg",
    Unit.KILOGRAMS_PER_M3: "kg/m³",
    Unit.EURO: "EUR",
    Unit.EURO_PER_KG: "EUR/kg",
    Unit.PERCENT: "%",
}
AFTER = "after"  # for negative hours before an event
# Singular and plural of a span of time.
MINUTES, HOURS, DAYS = (
    ("one minute", "{value} minutes"),
    ("one hour", "{value} hours"),
    ("one day", "{value} days"),
)
A_YEAR_OR_MORE = "a year or more"

PART_OF, SAME_AS = "{value} of", "the same as"
# From here on a ratio is said in times.
MIN_TIMES = 10
# A ratio within a sentence that continues with the quantity compared.
TIMES = ("{value} times", "{value} times")

HOUR, BETWEEN_HOURS = "{hour} UTC", "{begin} and {end} UTC"
ALL_BUT_ALL = "more than 99 %"
HOURS_IN_A_DAY, MAX_HOURS = 24, 72  # above, days are easier to read
HOURS_OF_SPAN = {
    Unit.HOURS: 1,
    Unit.HOURS_BEFORE: 1,
    Unit.DAYS: HOURS_IN_A_DAY,
    Unit.DAYS_UP_TO_YEAR: HOURS_IN_A_DAY,
}
YES, NO, NOT_KNOWN = "yes", "no", "not known"
NEXT_OF_LIST, LAST_OF_LIST = "{others}, {next}", "{others} and {last}"
# Significant digits of a value in a sentence: as many as a reader can weigh.
DIGITS = 2

# More digits are used only if two do not distinguish a value from what it is compared with.
MAX_DIGITS = 4

_ABBREVIATIONS = {"eur": "EUR", "hs": "HS", "iban": "IBAN"}


# Cached because the bounds of comparisons recur in most cases.
@lru_cache(20_000)
def value_in_words(
    value: Value, unit: Unit, language: Language = ENGLISH, digits: int = DIGITS
) -> str:
    """Return a value with its unit, to stand alone.

    >>> value_in_words(0.4251, Unit.SHARE), value_in_words(12345.6, Unit.EURO)
    ('43 %', '12,000 EUR')
    >>> value_in_words(-2.1667, Unit.HOURS_BEFORE), value_in_words(None, Unit.DAYS)
    ('2.2 hours after', 'not known')
    >>> value_in_words(0.35, Unit.RATIO), value_in_words(1.18, Unit.RATIO)
    ('35 %', '118 %')
    """
    if value is None:
        return language.say(NOT_KNOWN)
    if not isinstance(value, str):
        if unit is Unit.HOURS_BEFORE and value < 0:
            return f"{figure(-value, unit, language, digits)} {language.say(AFTER)}"
        if unit is Unit.RATIO:
            percent = 100 * value
            whole = f"{percent:,.0f}" if percent >= 10 else figures(percent, digits)
            return language.figure(f"{whole} %")
        if unit is Unit.HOUR_OF_DAY:
            return language.say(HOUR, hour=f"{int(value):02}:00")
    written = figure(value, unit, language, digits)
    return f"{written} {language.say(UNITS[unit])}" if unit in UNITS else written


def figure(
    value: float | str, unit: Unit, language: Language = ENGLISH, digits: int = DIGITS
) -> str:
    """Return a value for a sentence that names the unit itself; spans of time include theirs.

    A ratio is said as a part of the quantity with which the sentence continues, in per cent as in
    comparisons with others.

    >>> figure(0.4251, Unit.SHARE), figure(12345.6, Unit.EURO), figure(1.0, Unit.YES_NO)
    ('43 %', '12,000', 'yes')
    >>> figure(0.957, Unit.HOURS), figure(2.26, Unit.HOURS), figure(479.2, Unit.HOURS)
    ('57 minutes', '2.3 hours', '20 days')
    >>> figure(0.35, Unit.RATIO), figure(1.18, Unit.RATIO), figure(3.42, Unit.RATIO)
    ('35 % of', '118 % of', '342 % of')
    >>> figure(364.0, Unit.DAYS_UP_TO_YEAR), figure(365.0, Unit.DAYS_UP_TO_YEAR)
    ('360 days', 'a year or more')
    """
    if isinstance(value, str):
        return language.say(value.replace("_", " "))
    if unit is Unit.DAYS_UP_TO_YEAR and value >= MAX_AGE_DAYS:
        return language.say(A_YEAR_OR_MORE)
    if unit in HOURS_OF_SPAN:
        return _span(value * HOURS_OF_SPAN[unit], language, digits)
    match unit:
        case Unit.YES_NO:
            written = language.say(YES if value else NO)
        case Unit.SHARE:
            written = share_in_percent(value, language, digits)
        case Unit.RATIO:
            written = _ratio(value, language, digits)
        case Unit.HOUR_OF_DAY:
            begin, end = (f"{int(hour) % 24:02}:00" for hour in (value, value + 1))
            written = language.say(BETWEEN_HOURS, begin=begin, end=end)
        case _:
            is_exact = unit is Unit.COUNT and value.is_integer() and abs(value) < 10_000
            written = language.figure(f"{value:,.0f}" if is_exact else figures(value, digits))
    return written


def share_in_percent(share: float, language: Language = ENGLISH, digits: int = DIGITS) -> str:
    """Return a share in per cent; nearly all is never written as 100 %.

    >>> share_in_percent(0.0042), share_in_percent(0.9991), share_in_percent(1.0)
    ('0.42 %', 'more than 99 %', '100 %')
    """
    if 0.99 < share < 1 and figures(share * 100, digits) == "100":
        return language.say(ALL_BUT_ALL)
    return language.figure(f"{figures(share * 100, digits)} %")


def _ratio(ratio: float, language: Language, digits: int) -> str:
    """Return a ratio as a part in per cent, or a multiple from MIN_TIMES on."""
    if ratio >= MIN_TIMES:
        times = figures(ratio, digits)
        return language.say_of(number_of(times), *TIMES, value=language.figure(times))
    if abs(ratio - 1) < 0.005:
        return language.say(SAME_AS)
    return language.say(PART_OF, value=value_in_words(ratio, Unit.RATIO, language, digits))


def _span(hours: float, language: Language, digits: int = DIGITS) -> str:
    if round(abs(hours) * 60) < 60:
        value, forms = float(round(hours * 60)), MINUTES
    elif abs(hours) <= MAX_HOURS:
        value, forms = hours, HOURS
    else:
        value, forms = hours / HOURS_IN_A_DAY, DAYS
    written = figures(value, digits)
    return language.say_of(number_of(written), *forms, value=language.figure(written))


def listed(parts: list[str], language: Language = ENGLISH) -> str:
    """Join parts as in a sentence.

    >>> listed(["the invoice", "the manifest", "the permit"])
    'the invoice, the manifest and the permit'
    """
    if len(parts) < 2:
        return "".join(parts)
    return language.say(LAST_OF_LIST, others=enumerated(parts[:-1], language), last=parts[-1])


def enumerated(parts: Sequence[str], language: Language = ENGLISH) -> str:
    """Join parts with the comma of the language.

    >>> enumerated(["INV-1", "INV-2"])
    'INV-1, INV-2'
    """
    so_far = "".join(parts[:1])
    for part in parts[1:]:
        so_far = language.say(NEXT_OF_LIST, others=so_far, next=part)
    return so_far


def figures(value: float, digits: int = DIGITS) -> str:
    """Return a number with this many significant digits, with commas.

    >>> figures(2.7183), figures(0.00941), figures(12345.0), figures(999.6), figures(3.0)
    ('2.7', '0.0094', '12,000', '1,000', '3')
    """
    if value == 0:
        return "0"
    decimals = digits - 1 - math.floor(math.log10(abs(value)))
    text = f"{round(value, decimals):,.{max(decimals, 0)}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def number_of(figures: str) -> float:
    """Parse the number that `figures` shows, which may be rounded.

    >>> number_of(figures(12345.6))
    12000.0
    """
    return float(figures.replace(",", ""))


def exact_figure(value: float) -> str:
    """Return a declared number with commas and all its digits.

    >>> exact_figure(43250.0), exact_figure(1234.5)
    ('43,250', '1,234.5')
    """
    text = f"{value:,.10f}"
    return text.rstrip("0").rstrip(".")


def readable(name: str) -> str:
    """Return an identifier as words.

    >>> readable("unit_value_eur_per_kg"), readable("carrier_journeys_30d")
    ('Unit value EUR per kg', 'Carrier journeys in 30 days')
    """
    return capital(" ".join(map(_word, name.split("_"))))


def _word(part: str) -> str:
    if part[:-1].isdigit() and part.endswith("d"):
        return f"in {part[:-1]} days"
    return _ABBREVIATIONS.get(part, part)


def capital(text: str) -> str:
    """Return a text with a capital first letter.

    >>> capital("its value")
    'Its value'
    """
    return text[:1].upper() + text[1:]
