"""Values and sentences, written as they are read."""

import math

from features.definition import Feature, Unit

Value = float | str | None

_WITH_UNIT = {
    Unit.HOURS: "hours",
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

_ABBREVIATIONS = {"eur": "EUR", "hs": "HS", "iban": "IBAN"}


def value_in_words(value: Value, unit: Unit) -> str:
    """A value with its unit, as it stands alone.

    >>> value_in_words(0.4251, Unit.SHARE), value_in_words(12345.6, Unit.EURO)
    ('42.5 %', '12,300 EUR')
    >>> value_in_words(None, Unit.DAYS)
    'not known'
    """
    if value is None:
        return "not known"
    return f"{figure(value, unit)} {_WITH_UNIT.get(unit, '')}".rstrip()


def figure(value: float | str, unit: Unit) -> str:
    """A value as a sentence takes it that names the unit itself.

    >>> figure(0.4251, Unit.SHARE), figure(12345.6, Unit.EURO), figure(1.0, Unit.YES_NO)
    ('42.5 %', '12,300', 'yes')
    """
    if isinstance(value, str):
        return value
    if unit is Unit.YES_NO:
        return "yes" if value else "no"
    if unit is Unit.SHARE:
        return f"{figures(value * 100)} %"
    return figures(value)


def sentence(feature: Feature, value: Value) -> str:
    """What this case shows, without a full stop; a missing value says why it is missing."""
    if value is None:
        return f"{readable(feature.name)}: not known, because {feature.when_missing}"
    return _capital(feature.sentence.format(value=figure(value, feature.unit)))


def listed(parts: list[str]) -> str:
    """Parts joined as in a sentence.

    >>> listed(["the invoice", "the manifest", "the permit"])
    'the invoice, the manifest and the permit'
    """
    if len(parts) < 2:
        return "".join(parts)
    return f"{', '.join(parts[:-1])} and {parts[-1]}"


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

    >>> readable("unit_value_eur_per_kg")
    'Unit value EUR per kg'
    """
    return _capital(" ".join(_ABBREVIATIONS.get(word, word) for word in name.split("_")))


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
