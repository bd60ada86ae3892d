"""HTML from templates: one environment, with the filters that put values into words."""

import math
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from serving.explanation.code_names import country_in_words, goods_in_words, place_in_words
from serving.explanation.formatting import readable, share_in_percent
from serving.explanation.provenance_text import proof_in_words, provenance_in_words
from serving.monitor.enough_outcomes import so_far
from serving.web.figure_words import (
    figure_in_words,
    measure_in_words,
    share_in_words,
    times_in_words,
)

STATIC = Path(__file__).parent / "static"
TEMPLATES = Path(__file__).parent / "templates"


def environment(*folders: Path) -> Environment:
    """The templates of some folders and those shared by all, with every filter."""
    templates = Environment(
        loader=FileSystemLoader([*folders, TEMPLATES]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    templates.filters.update(FILTERS)
    return templates


def instant_in_words(instant: datetime) -> str:
    """An instant as every page shows it."""
    return f"{instant:%-d %B %Y, %H:%M} UTC"


def _signed(log_odds: float) -> str:
    return f"{log_odds:+.3f}".replace("-", "−")


def _odds(log_odds: float) -> str:
    """How many times the odds a part makes them; below one as a division, which reads easier."""
    factor = math.exp(abs(log_odds))
    return f"{'×' if log_odds >= 0 else '÷'} {factor:.2f}"


def _percent(probability: float) -> str:
    return share_in_percent(probability)


def _date(instant: datetime) -> str:
    return f"{instant:%-d %b %Y}"


def _short_instant(instant: datetime) -> str:
    """An instant in UTC for a column of a table."""
    return f"{instant:%-d %b %Y, %H:%M}"


def _moment(text: str) -> str:
    return instant_in_words(datetime.fromisoformat(text))


def _size(size_bytes: int) -> str:
    """A size in the unit that tells most."""
    if size_bytes < 1_024:
        return f"{size_bytes} bytes"
    kib = size_bytes / 1_024
    return f"{kib:.0f} KiB" if kib < 1_024 else f"{kib / 1_024:.1f} MiB"


def _time_left(hours: float) -> str:
    """How long until the conveyance is due, in the unit that tells most."""
    size = abs(hours)
    return f"due in {_duration(size)}" if hours >= 0 else f"due {_duration(size)} ago"


def _duration(hours: float) -> str:
    if hours < 1:
        return f"{60 * hours:.0f} min"
    return f"{hours:.0f} h" if hours < 48 else f"{hours / 24:.0f} days"


def _capitalize_first(text: str) -> str:
    return text[:1].upper() + text[1:]


def _lower_first(text: str) -> str:
    return text[:1].lower() + text[1:]


FILTERS: dict[str, Callable[..., object]] = {
    "as_instant": datetime.fromisoformat,
    "capitalize_first": _capitalize_first,
    "country": country_in_words,
    "date": _date,
    "duration": _duration,
    "figure": figure_in_words,
    "goods": goods_in_words,
    "instant": instant_in_words,
    "lower_first": _lower_first,
    "measure": measure_in_words,
    "moment": _moment,
    "odds": _odds,
    "percent": _percent,
    "place": place_in_words,
    "plural": "{}s".format,
    "proof_in_words": proof_in_words,
    "provenance_in_words": provenance_in_words,
    "short_instant": _short_instant,
    "share": share_in_words,
    "signed": _signed,
    "size": _size,
    "so_far": so_far,
    "time_left": _time_left,
    "times_as_many": times_in_words,
    "words": readable,
}
