"""HTML templates: one environment with the filters that format values for readers."""

import math
import re
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, tzinfo
from pathlib import Path
from typing import Any

from babel.dates import format_date, format_datetime
from jinja2 import Environment, FileSystemLoader, StrictUndefined, pass_eval_context
from jinja2.nodes import EvalContext
from markupsafe import Markup, escape

from features.engine.cache_folder import code_folder
from features.provenance import Provenance
from serving.access.actors import SERVICE
from serving.audit.decision import Decision
from serving.explanation.code_names import country_in_words, place_in_words
from serving.explanation.formatting import capital, listed, readable, share_in_percent
from serving.explanation.provenance_text import proof_in_words, provenance_in_words
from serving.language import (
    Language,
    reading,
    say,
    say_of,
    say_word,
    subject_named,
)
from serving.monitor.enough_outcomes import lane_so_far, so_far
from serving.review.cases.actions import CaseAction
from serving.review.cases.case_records import CaseRow
from serving.review.cases.results import CaseResult
from serving.scoring.earlier_finds import EarlierFind
from serving.web.compiled_templates import CompiledTemplates
from serving.web.figure_words import (
    figure_in_words,
    measure_in_words,
    share_in_words,
    times_in_words,
)
from serving.web.stored_texts import said_again

# Values of a translated text inside an attribute, such as a link: they are addresses, not prose.
_WITHIN_TAGS = re.compile(r'="[^"]*%\((\w+)\)s')

# A number that is no part of an id, and its unit; French groups digits by narrow spaces.
NUMBER_WITH_UNIT = re.compile(
    r"((?<![\w-])[+−-]?\d[\d.,:\u00a0\u202f]*(?:[ \u00a0\u202f]?[^\s\d]{1,12}(?!\S))?)"
)

THIS_FILE = Path(__file__)
STATIC = THIS_FILE.parent / "static"
TEMPLATES = THIS_FILE.parent / "templates"


def environment(*folders: Path) -> Environment:
    """Return an environment with the templates of some folders, the shared ones, and all filters.

    Texts marked by `trans` appear in the language of the reader.
    """
    templates = Environment(
        loader=FileSystemLoader([*folders, TEMPLATES]),
        bytecode_cache=CompiledTemplates(
            code_folder(THIS_FILE.parent).path, THIS_FILE.read_bytes()
        ),
        # The optimiser would evaluate filters on constants once, in one reader's language.
        optimized=False,
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
    )
    templates.policies["ext.i18n.trimmed"] = True
    templates.newstyle_gettext = True  # type: ignore[attr-defined]  # it is of the extension
    templates.globals.update(gettext=_gettext, ngettext=_ngettext, reading=reading)
    templates.filters.update(FILTERS)
    return templates


@pass_eval_context
def _gettext(context: EvalContext, text: str, /, **values: Any) -> str:
    return _filled(context, reading().language.catalogue.gettext(text), values)


@pass_eval_context
def _ngettext(
    context: EvalContext, of_one: str, of_many: str, number: int, /, **values: Any
) -> str:
    said = reading().language.catalogue.ngettext(of_one, of_many, number)
    return _filled(context, said, {"num": number} | values)


def _filled(context: EvalContext, said: str, values: dict[str, Any]) -> str:
    """Return a text with its values escaped, except values that are markup."""
    language = reading().language
    # Direction marks keep values in order within right-to-left prose, but would break an address.
    within_tags = set(_WITHIN_TAGS.findall(said)) if language.direction == "rtl" else set()
    shown = {
        name: value if name in within_tags else _shown(language, value)
        for name, value in values.items()
    }
    # A translation contains the same markup as its source: `Language.read` refuses any other.
    return (Markup(said) if context.autoescape else said) % shown  # noqa: S704 - values are escaped


def _shown(language: Language, value: Any) -> str:
    if hasattr(value, "__html__"):
        return Markup(language.shown(value.__html__()))  # noqa: S704 - it is markup already
    return language.shown(value)


def instant_in_words(instant: datetime) -> str:
    """Return an instant as pages show it: in UTC, and in the reader's time zone if set."""
    return _with_local_time(instant, say("{instant} UTC", instant=_day_and_hour(instant, DAY)))


DAY, SHORT_DAY, MONTH, SHORT_DAY_OF_YEAR = "d MMMM y", "d MMM y", "MMMM y", "d MMM"
HOUR = "HH:mm"  # patterns for instants, in Unicode's notation (LDML)


def _day_and_hour(instant: datetime, day_form: str, zone: tzinfo = UTC) -> str:
    """Return day and hour, as the reader's language joins them."""
    day, hour = (_in_zone(instant, form, zone) for form in (day_form, HOUR))
    return say("{day}, {hour}", day=day, hour=hour)


def _in_zone(instant: datetime, form: str, zone: tzinfo = UTC) -> str:
    in_utc = instant.astimezone(UTC) if instant.tzinfo else instant.replace(tzinfo=UTC)
    return format_datetime(in_utc, form, tzinfo=zone, locale=reading().language.locale)


def _with_local_time(instant: datetime, said: str) -> str:
    """Return a formatted instant with the reader's local time, and the day if it differs."""
    zone = reading().time_zone
    if zone is None:
        return said
    in_utc = instant.astimezone(UTC) if instant.tzinfo else instant.replace(tzinfo=UTC)
    local = in_utc.astimezone(zone)
    is_same_day = local.date() == in_utc.date()
    there = (
        _in_zone(instant, HOUR, zone)
        if is_same_day
        else _day_and_hour(instant, SHORT_DAY_OF_YEAR, zone)
    )
    return say("{time} ({local} in {place})", time=said, local=there, place=city_of(zone.key))


def day_in_words(day: date) -> str:
    """Return a day without its year, for narrow spaces; an instant gives its day in UTC."""
    if isinstance(day, datetime):
        return _in_zone(day, SHORT_DAY_OF_YEAR)
    return format_date(day, SHORT_DAY_OF_YEAR, locale=reading().language.locale)


def city_of(time_zone: str) -> str:
    """Return the city in the name of a time zone.

    >>> city_of("America/New_York")
    'New York'
    """
    return time_zone.rpartition("/")[2].replace("_", " ")


def _signed(log_odds: float) -> str:
    return _number(log_odds, "+.3f").replace("-", "−")


def _odds(log_odds: float) -> str:
    """Return the factor on the odds; below 1 as a division, which is easier to read."""
    factor = math.exp(abs(log_odds))
    return f"{'×' if log_odds >= 0 else '÷'} {_number(factor, '.2f')}"


def _percent(probability: float) -> str:
    return share_in_percent(probability, reading().language)


def date_in_words(instant: datetime) -> str:
    """Return the day of an instant with its year."""
    return _in_zone(datetime(instant.year, instant.month, instant.day, tzinfo=UTC), SHORT_DAY)


def month_in_words(day: date) -> str:
    """Return a month with its year."""
    return format_date(day, MONTH, locale=reading().language.locale)


def short_month(day: date) -> str:
    """Return the short name of a month, for labels of pictures."""
    return format_date(day, "MMM", locale=reading().language.locale)


def _short_instant(instant: datetime) -> str:
    """Return an instant in short form, for tables and narrow spaces."""
    said = say("{instant} UTC", instant=_day_and_hour(instant, SHORT_DAY))
    return _with_local_time(instant, said)


def _moment(text: str) -> str:
    return instant_in_words(datetime.fromisoformat(text))


def _size(size_bytes: int) -> str:
    """Return a size in bytes, KiB or MiB."""
    if size_bytes < 1_024:
        return say_of(size_bytes, "{count} byte", "{count} bytes")
    kib = size_bytes / 1_024
    figure = reading().language.figure
    if kib < 1_024:
        return say("{size} KiB", size=figure(f"{kib:.0f}"))
    return say("{size} MiB", size=figure(f"{kib / 1_024:.1f}"))


def _time_left(hours: float) -> str:
    """Return the time until the conveyance is due, in the most readable unit."""
    size = _duration(abs(hours))
    return (
        say("due in {duration}", duration=size)
        if hours >= 0
        else say("due {duration} ago", duration=size)
    )


def _duration(hours: float) -> str:
    if hours < 1:
        return say("{minutes} min", minutes=round(60 * hours))
    if hours < 48:
        return say("{hours} h", hours=round(hours))
    return say_of(round(hours / 24), "{count} day", "{count} days")


def _number(number: float, form: str = ",.0f") -> str:
    """Format a number with the separators of the language."""
    return reading().language.figure(format(number, form))


def _coordinate(number: float) -> str:
    """Format a number for SVG, which needs a decimal point in every language."""
    return f"{number:.1f}"


def _lower_first(text: str) -> str:
    return text[:1].lower() + text[1:]


def words_of(code: str) -> str:
    """Return a code of Tidegate's as a text that stands alone."""
    plain = code.replace("_", " ")
    said = say(plain)
    return capital(said) if said != plain else say(readable(code))


def _unbroken(text: object) -> Markup:
    """Keep each number on one line with its unit, or the short word after it."""
    parts = re.split(NUMBER_WITH_UNIT, str(text))
    return Markup("").join(
        Markup('<span class="unbroken">{}</span>').format(part) if number % 2 else escape(part)
        for number, part in enumerate(parts)
    )


def _from_to(first: object, then: object) -> Markup:
    """Return two ends, which may be markup, with an arrow in reading direction."""
    # Both ends are escaped, and the arrow is no markup.
    return Markup(reading().language.from_to(escape(first), escape(then)))  # noqa: S704  as said above


def _way(stored: str) -> str:
    """Return a route between two ports, which is stored as `TRIZM to GRPIR`."""
    origin, to, destination = stored.partition(" to ")
    return _from_to(origin, destination) if to else stored


def _country(code: str) -> str:
    return country_in_words(code, reading().language)


def subject_of(kind: str) -> str:
    """Return a kind of subject as a text that stands alone."""
    return say(SUBJECTS[kind][0])


def subjects_of(kind: str) -> str:
    """Return the plural of a kind of subject, for use within a sentence."""
    return say(SUBJECTS[kind][1])


# Kinds of subject: singular standing alone, and plural within a sentence.
SUBJECTS = {"route": ("Route", "routes"), "shipment": ("Shipment", "shipments")}


def period_in_words(name: str) -> str:
    """Return a period by its name: a number of days, or a month."""
    days, _, rest = name.partition(" ")
    if rest:
        return say_of(int(days), "Last {count} day", "Last {count} days")
    return month_in_words(datetime.fromisoformat(f"{name}-01"))


def _actor(name: str) -> str:
    """Return the name of an actor; only the service's own name is translated."""
    return say(name) if name == SERVICE.name else name


def _browser(text: str) -> str:
    """Return a browser in the form that sessions store."""
    name, _, system = text.partition(" on ")
    return say("{browser} on {system}", browser=name, system=system) if system else say(text)


def _in_words(stated: CaseAction | CaseResult) -> str:
    return stated.in_words if isinstance(stated, CaseAction) else say(stated.words)


def _title(row: CaseRow | Decision | EarlierFind) -> str:
    return subject_named(row.subject_kind, row.subject_id)


def _listed(parts: list[str]) -> str:
    return listed(parts, reading().language)


def _proof(provenance: Provenance) -> list[str]:
    return proof_in_words(provenance, reading().language)


def _provenance(provenance: Provenance) -> list[str]:
    return provenance_in_words(provenance, reading().language)


def _mention_parts(text: str, names: Sequence[str]) -> list[tuple[str, bool]]:
    """Split a text into parts, each with whether it mentions one of these names."""
    if not names:
        return [(text, False)]
    # `@ann` must not match within `@anna`.
    longest_first = sorted(names, key=len, reverse=True)
    parts = re.split("(" + "|".join(re.escape(f"@{name}") for name in longest_first) + ")", text)
    return [(part, number % 2 == 1) for number, part in enumerate(parts)]


FILTERS: dict[str, Callable[..., object]] = {
    "as_instant": datetime.fromisoformat,
    "actor": _actor,
    "browser": _browser,
    "capitalize_first": capital,
    "coordinate": _coordinate,
    "country": _country,
    "city": city_of,
    "date": date_in_words,
    "duration": _duration,
    "figure": figure_in_words,
    "from_to": _from_to,
    "in_words": _in_words,
    "instant": instant_in_words,
    "listed": _listed,
    "lower_first": _lower_first,
    "measure": measure_in_words,
    "mention_parts": _mention_parts,
    "moment": _moment,
    "month": month_in_words,
    "number": _number,
    "odds": _odds,
    "percent": _percent,
    "period": period_in_words,
    "place": place_in_words,
    "proof_in_words": _proof,
    "provenance_in_words": _provenance,
    "short_instant": _short_instant,
    "share": share_in_words,
    "signed": _signed,
    "size": _size,
    "so_far": so_far,
    "lane_so_far": lane_so_far,
    "time_left": _time_left,
    "title": _title,
    "way": _way,
    "subject": subject_of,
    "subjects": subjects_of,
    "times_as_many": times_in_words,
    "word": say_word,
    "translate": said_again,
    "unbroken": _unbroken,
    "words": words_of,
}
