"""The way of a journey on a map: what is expected, what was travelled, and where it was silent."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from itertools import pairwise
from typing import Self

from features.records import Leg, Position
from features.reference.geography.places import latitude, longitude
from features.submission import Submission

Spot = tuple[float, float]
"""A place in degrees on the canvas: longitude, and latitude downwards."""

# Beyond this, nobody knows where a conveyance was between two positions.
SILENCE = timedelta(hours=6)
SMALLEST_WIDTH, MARGIN_SHARE, WIDTH_TO_HEIGHT = 8.0, 0.15, 2.2


@dataclass(frozen=True)
class Stop:
    """A named place on the way; `dwell_hours` is None where nothing is known of a stay."""

    spot: Spot
    code: str
    dwell_hours: float | None


@dataclass(frozen=True)
class RouteMap:
    """What the map shows; `window` is the part of the world in view: left, top, width, height.

    `expected` leads over the places of the declared legs, `travelled` over where it was heard.
    """

    expected: tuple[Spot, ...]
    travelled: tuple[Spot, ...]
    silences: tuple[tuple[Spot, Spot], ...]
    stops: tuple[Stop, ...]
    window: tuple[float, float, float, float]

    @classmethod
    def from_submission(cls, submission: Submission) -> Self | None:
        """The way of a submission's journey; None where no place of it is known."""
        journey = submission.journey
        if journey is None:
            return None
        legs = sorted(submission.legs, key=lambda leg: leg.sequence)
        codes = [journey.origin, *(leg.destination for leg in legs), journey.destination]
        heard = sorted(submission.positions, key=lambda position: position.observed_at)
        expected = _known(map(_spot, dict.fromkeys(codes)))
        travelled = tuple((position.longitude, -position.latitude) for position in heard)
        stops = _stops(codes, legs)
        everything = [*expected, *travelled, *(stop.spot for stop in stops)]
        if not everything:
            return None
        return cls(expected, travelled, _silences(heard), stops, _window(everything))

    @property
    def unit(self) -> float:
        """A thousandth of the width in view, to draw lines and dots of one size at any scale."""
        return self.window[2] / 1000


def _silences(heard: list[Position]) -> tuple[tuple[Spot, Spot], ...]:
    return tuple(
        ((one.longitude, -one.latitude), (next_.longitude, -next_.latitude))
        for one, next_ in pairwise(heard)
        if next_.observed_at - one.observed_at > SILENCE
    )


def _stops(codes: list[str], legs: list[Leg]) -> tuple[Stop, ...]:
    stays = {
        before.destination: (after.departed_at - before.arrived_at) / timedelta(hours=1)
        for before, after in pairwise(legs)
        if before.arrived_at and after.departed_at
    }
    spots = ((code, _spot(code)) for code in dict.fromkeys(codes))
    return tuple(Stop(spot, code, stays.get(code)) for code, spot in spots if spot)


def _spot(code: str) -> Spot | None:
    at = (longitude(code), -latitude(code))
    return None if math.isnan(at[0]) else at


def _known(spots: Iterable[Spot | None]) -> tuple[Spot, ...]:
    return tuple(spot for spot in spots if spot is not None)


def _window(spots: list[Spot]) -> tuple[float, float, float, float]:
    """The smallest part of the world with all spots in it, some room, and one shape."""
    left, right = min(x for x, _ in spots), max(x for x, _ in spots)
    top, bottom = min(y for _, y in spots), max(y for _, y in spots)
    width = max((right - left) * (1 + 2 * MARGIN_SHARE), SMALLEST_WIDTH)
    height = (bottom - top) * (1 + 2 * MARGIN_SHARE)
    width = max(width, height * WIDTH_TO_HEIGHT)
    height = width / WIDTH_TO_HEIGHT
    return (left + right - width) / 2, (top + bottom - height) / 2, width, height
