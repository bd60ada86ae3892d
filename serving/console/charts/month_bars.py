"""Cases of an entity by month, as bars; a list on the page has the same content."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

from serving.language import say, say_of
from serving.review.search.entities import EntityMonth
from serving.web.html import month_in_words, short_month

MAX_MONTHS = 24
BAR_PX, STEP_PX, HEIGHT_PX, LEFT_PX, TOP_PX = 20.0, 30.0, 90.0, 8.0, 18.0
# With more months than these, only every third is labelled.
WIDEST_LABELS = 12


@dataclass(frozen=True)
class MonthBar:
    """One month: its bar, the part with a confirmed finding, and its labels."""

    x: float
    y: float
    height: float
    confirmed_height: float
    count: int
    label: str
    year: str
    words: str


@dataclass(frozen=True)
class MonthBars:
    """Newest MAX_MONTHS months; `earlier` counts the months before them."""

    bars: tuple[MonthBar, ...]
    earlier: int

    @classmethod
    def from_months(cls, months: Sequence[EntityMonth]) -> Self:
        """Return the bars of months in order; the highest fills the picture."""
        shown = months[-MAX_MONTHS:]
        per_case = HEIGHT_PX / max(each.cases for each in shown) if shown else 0.0
        every = 1 if len(shown) <= WIDEST_LABELS else 3
        return cls(
            tuple(
                MonthBar(
                    LEFT_PX + STEP_PX * place,
                    round(TOP_PX + HEIGHT_PX - per_case * each.cases, 1),
                    round(per_case * each.cases, 1),
                    round(per_case * each.confirmed, 1),
                    each.cases,
                    short_month(each.begins) if place % every == 0 else "",
                    f"{each.begins:%Y}" if place == 0 or each.begins.month == 1 else "",
                    _words(each),
                )
                for place, each in enumerate(shown)
            ),
            len(months) - len(shown),
        )

    @property
    def width(self) -> float:
        """Width of the picture."""
        return LEFT_PX + STEP_PX * len(self.bars) + 12

    @property
    def height(self) -> float:
        """Height of the picture, including the labels below the bars."""
        return TOP_PX + HEIGHT_PX + 40

    @property
    def floor_y(self) -> float:
        """Baseline of the bars."""
        return TOP_PX + HEIGHT_PX


def _words(month: EntityMonth) -> str:
    cases = say_of(month.cases, "{count} case", "{count} cases")
    if month.confirmed:
        found = say("smuggling confirmed in {confirmed}", confirmed=month.confirmed)
        cases = f"{cases}, {found}"
    return f"{month_in_words(month.begins)}: {cases}"
