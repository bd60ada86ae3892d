"""Chart of the share confirmed by week, for inspected and randomly drawn subjects."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal

from serving.language import reading, say
from serving.monitor.monitoring_report import WeekReport
from serving.web.html import day_in_words

PHRASES = {"inspected": "the inspected", "control": "those drawn at random"}

WIDTH_A_WEEK, LEFT, TOP, HEIGHT = 56, 56, 16, 180


@dataclass(frozen=True)
class Point:
    """One share and its interval in picture units; `words` is the text for screen readers."""

    kind: Literal["inspected", "control"]
    x: float
    y: float
    y_low: float
    y_high: float
    words: str


@dataclass(frozen=True)
class WeeklyFindings:
    """Picture with week labels, grid lines and points."""

    width: int
    height: int
    labels: tuple[tuple[float, str], ...]
    grid: tuple[tuple[float, str], ...]
    points: tuple[Point, ...]

    @classmethod
    def from_weeks(cls, weeks: Sequence[WeekReport]) -> "WeeklyFindings":
        """Return the chart of the newest 26 weeks."""
        shown = weeks[-26:]
        middles = {
            week.week: LEFT + WIDTH_A_WEEK * (place + 0.5) for place, week in enumerate(shown)
        }
        # At most 14 labels: more would overlap.
        step = (len(shown) + 13) // 14
        return cls(
            width=LEFT + WIDTH_A_WEEK * max(len(shown), 1) + 16,
            height=TOP + HEIGHT + 36,
            labels=tuple(
                (x, day_in_words(week))
                for n, (week, x) in enumerate(middles.items())
                if n % step == 0
            ),
            grid=tuple((_y(share), f"{share:.0%}") for share in (0, 0.25, 0.5, 0.75, 1)),
            points=tuple(point for week in shown for point in _points(week, middles)),
        )


def _points(week: WeekReport, middles: dict[date, float]) -> Iterator[Point]:
    parts: tuple[tuple[Literal["inspected", "control"], float], ...] = (
        ("inspected", -7.0),
        ("control", 7.0),
        # Left and right of the middle of the week, so that the two intervals do not overlap.
    )
    for kind, aside in parts:
        share = week.inspected if kind == "inspected" else week.control
        if share.value is None or share.low is None or share.high is None:
            continue
        yield Point(
            kind,
            middles[week.week] + aside,
            _y(share.value),
            _y(share.low),
            _y(share.high),
            say(
                "week of {week}: {share} of {whom} ({low} to {high})",
                week=day_in_words(week.week),
                share=_percent(share.value),
                whom=say(PHRASES[kind]),
                low=_percent(share.low),
                high=_percent(share.high),
            ),
        )


def _percent(share: float) -> str:
    return reading().language.figure(f"{share:.1%}")


def _y(share: float) -> float:
    return TOP + HEIGHT * (1 - share)
