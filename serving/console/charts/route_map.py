"""Map of a journey: declared and travelled route, silences, and calls for help."""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby, pairwise
from typing import NamedTuple, Self

from features.records import Leg, Position
from features.reference.geography.distances import EARTH_RADIUS_KM
from features.reference.geography.place_names import place_name
from features.reference.geography.places import latitude, longitude
from features.submission import Submission
from serving.console.charts.coastline import (
    FINEST,
    TILE_PX,
    Land,
    MapWindow,
    country_names,
    degrees_down,
    land_in,
)
from serving.console.charts.label_places import Label, LabelPlaces
from serving.language import say
from serving.web.html import instant_in_words

# Longer gaps between positions are shown as silence: the route in between is unknown.
SILENCE = timedelta(hours=6)

WIDTH_PX, HEIGHT_PX = 720.0, 400.0
SMALLEST_DEGREES, MARGIN_SHARE = 2.5, 0.14
LAND_UNITS_PER_PX = 2
# More positions than this are thinned to dots; the line and the text still use all of them.
MAX_DOTS = 120
SCALES_KM = (5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000)
MAX_SCALE_PX = 130.0


class Spot(NamedTuple):
    """Point on the picture, and in degrees (east may exceed 180 along a line)."""

    x: float
    y: float
    east: float
    north: float


@dataclass(frozen=True)
class Heard:
    """Reported position and its time."""

    spot: Spot
    at: datetime
    words: str


@dataclass(frozen=True)
class Silence:
    """Gap between two reported positions."""

    begins: Heard
    ends: Heard

    @property
    def hours(self) -> float:
        """Length of the silence in hours."""
        return (self.ends.at - self.begins.at) / timedelta(hours=1)


@dataclass(frozen=True)
class Stop:
    """Named place of the route; `dwell_hours` is None if no stay is known."""

    spot: Spot
    code: str
    name: str
    dwell_hours: float | None
    label: Label | None


@dataclass(frozen=True)
class RouteLeg:
    """One leg as text; instants are None if unknown."""

    sequence: int
    origin: str
    destination: str
    places: tuple[str, str]
    mode: str | None
    departed_at: datetime | None
    arrived_at: datetime | None


@dataclass(frozen=True)
class Scale:
    """Length of a scale bar, valid in the middle of the picture."""

    length_px: float
    km: int


@dataclass(frozen=True)
class RouteMap:
    """Content of the map, on a picture of `WIDTH_PX` × `HEIGHT_PX`.

    `expected` runs through the places of the declared legs, `travelled` through reported
    positions; `dots` is a subset of these that stays legible. `caller` is the origin of a call
    for help without a known route.
    """

    land: Land
    expected: tuple[Spot, ...]
    travelled: tuple[Heard, ...]
    dots: tuple[Heard, ...]
    silences: tuple[Silence, ...]
    stops: tuple[Stop, ...]
    countries: tuple[Label, ...]
    scale: Scale
    legs: tuple[RouteLeg, ...]
    unplaced: tuple[str, ...]
    caller: Spot | None = None

    @classmethod
    def of_caller(cls, position: Position, near: Iterable[str]) -> Self:
        """Return the map of a call for help, among known places nearby."""
        at = (position.longitude, position.latitude)
        known = {code: place for code in near if (place := _degrees(code))}
        around = _without_jumps([*known.values()], at)
        view = _View.around([at, *around])
        places = LabelPlaces(WIDTH_PX, HEIGHT_PX, 8.6, 17)
        caller = view.spot(*at)
        places.reserve(caller.x, caller.y, 20)
        return cls(
            land=land_in(view.window, view.zoom, LAND_UNITS_PER_PX * view.px_per_degree),
            expected=(),
            travelled=(),
            dots=(),
            silences=(),
            stops=tuple(_stops(view, dict(zip(known, around, strict=True)), [], places)),
            countries=tuple(_country_labels(view, places)),
            scale=view.scale(),
            legs=(),
            unplaced=(),
            caller=caller,
        )

    @classmethod
    def from_submission(cls, submission: Submission) -> Self | None:
        """Return the route of a submission's journey; None if none of its places is known."""
        journey = submission.journey
        if journey is None:
            return None
        legs = sorted(submission.legs, key=lambda leg: leg.sequence)
        reached = [leg.destination for leg in legs]
        codes = [code for code, _ in groupby([journey.origin, *reached, journey.destination])]
        positions = sorted(submission.positions, key=lambda position: position.observed_at)
        known = {code: at for code in codes if (at := _degrees(code))}
        declared = _without_jumps([known[code] for code in codes if code in known])
        heard = _without_jumps([(p.longitude, p.latitude) for p in positions], *declared[:1])
        if not declared and not heard:
            return None
        view = _View.around([*declared, *heard])
        places = LabelPlaces(WIDTH_PX, HEIGHT_PX, 8.6, 17)
        travelled = tuple(_heard(view, at, p) for at, p in zip(heard, positions, strict=True))
        placed = dict(zip([code for code in codes if code in known], declared, strict=True))
        stops = tuple(_stops(view, placed, legs, places))
        expected = tuple(view.spot(*at) for at in declared)
        for line in (expected, tuple(each.spot for each in travelled)):
            _keep_off(line, places)
        return cls(
            land=land_in(view.window, view.zoom, LAND_UNITS_PER_PX * view.px_per_degree),
            expected=expected,
            travelled=travelled,
            dots=tuple(_thinned(travelled)),
            silences=tuple(_silences(travelled)),
            stops=stops,
            countries=tuple(_country_labels(view, places)),
            scale=view.scale(),
            legs=tuple(_legs(legs)),
            unplaced=tuple(dict.fromkeys(code for code in codes if code not in known)),
        )


# Place by longitude and latitude.
Degrees = tuple[float, float]


class _View(NamedTuple):
    """Part of the world in view, and its scale."""

    window: MapWindow
    px_per_degree: float

    @classmethod
    def around(cls, places: list[Degrees]) -> Self:
        """Return the smallest view that shows all places with a margin."""
        across = [east for east, _ in places]
        down = [float(degrees_down(north)) for _, north in places]
        width = max((max(across) - min(across)) * (1 + 2 * MARGIN_SHARE), SMALLEST_DEGREES)
        height = (max(down) - min(down)) * (1 + 2 * MARGIN_SHARE)
        # Never more than the whole world.
        width = min(max(width, height * WIDTH_PX / HEIGHT_PX), 360.0)
        height = width * HEIGHT_PX / WIDTH_PX
        left, top = (min(across) + max(across) - width) / 2, (min(down) + max(down) - height) / 2
        return cls(MapWindow(left, top, width, height), WIDTH_PX / width)

    @property
    def zoom(self) -> int:
        """Zoom of a tiled map with the detail that this scale needs."""
        return max(0, min(FINEST, math.ceil(math.log2(self.px_per_degree * 360 / TILE_PX))))

    def spot(self, east: float, north: float) -> Spot:
        """Return a place on the picture, to a tenth of a pixel."""
        x = (east - self.window.left) * self.px_per_degree
        y = (float(degrees_down(north)) - self.window.top) * self.px_per_degree
        return Spot(round(x, 1), round(y, 1), round(east, 4), round(north, 4))

    def scale(self) -> Scale:
        """Return the longest round distance that fits, exact in the middle of the picture."""
        # Mercator stretches distances by cosh(y), which equals 1 / cos(latitude).
        middle = math.radians(self.window.top + self.window.height / 2)
        km_per_degree = math.pi / 180 * EARTH_RADIUS_KM / math.cosh(middle)
        px_per_km = self.px_per_degree / km_per_degree
        fitting = [km for km in SCALES_KM if km * px_per_km <= MAX_SCALE_PX]
        km = fitting[-1] if fitting else SCALES_KM[0]
        return Scale(round(km * px_per_km, 1), km)


def _degrees(code: str) -> Degrees | None:
    at = (longitude(code), latitude(code))
    return None if math.isnan(at[0]) else at


def _without_jumps(places: list[Degrees], *before: Degrees) -> list[Degrees]:
    """Return places in order, each on the side of the antimeridian nearer to its predecessor."""
    found = list(before)
    for east, north in places:
        turn = round((found[-1][0] - east) / 360) if found else 0
        found.append((east + 360 * turn, north))
    return found[len(before) :]


def _heard(view: _View, at: Degrees, position: Position) -> Heard:
    said = [instant_in_words(position.observed_at)]
    if position.speed_kn is not None:
        said.append(say("{knots} kn", knots=round(position.speed_kn)))
    if position.source is not None:
        said.append(position.source.upper() if len(position.source) < 5 else position.source)
    return Heard(view.spot(*at), position.observed_at, ", ".join(said))


def _thinned(heard: tuple[Heard, ...]) -> Iterator[Heard]:
    """Yield evenly spaced positions, plus the last and both ends of each silence."""
    every = max(1, math.ceil(len(heard) / MAX_DOTS))
    ends = {id(end) for silence in _silences(heard) for end in (silence.begins, silence.ends)}
    for number, each in enumerate(heard):
        if number % every == 0 or each is heard[-1] or id(each) in ends:
            yield each


def _silences(heard: Iterable[Heard]) -> Iterator[Silence]:
    for one, following in pairwise(heard):
        if following.at - one.at > SILENCE:
            yield Silence(one, following)


def _stops(
    view: _View, placed: dict[str, Degrees], legs: list[Leg], labels: LabelPlaces
) -> Iterator[Stop]:
    stays = {
        before.destination: (after.departed_at - before.arrived_at) / timedelta(hours=1)
        for before, after in pairwise(legs)
        if before.arrived_at and after.departed_at
    }
    spots = {code: view.spot(*at) for code, at in placed.items()}
    for spot in spots.values():
        labels.reserve(spot.x, spot.y, 7)
    for code, spot in spots.items():
        name, hours = place_name(code) or code, stays.get(code)
        said = f"{name}, {say('{hours} h', hours=round(hours))}" if hours else name
        yield Stop(spot, code, name, hours, labels.place(spot.x, spot.y, 11, said))


def _keep_off(line: tuple[Spot, ...], labels: LabelPlaces) -> None:
    """Keep later labels off a line."""
    for one, following in pairwise(line):
        across, down = following.x - one.x, following.y - one.y
        for part in range(steps := 1 + int(math.hypot(across, down) / 12)):
            labels.reserve(one.x + across * part / steps, one.y + down * part / steps, 4)


def _country_labels(view: _View, labels: LabelPlaces) -> Iterator[Label]:
    """Yield labels of countries in view, the largest first, where they are free."""
    for country in sorted(country_names(), key=lambda country: country.first_zoom):
        if country.first_zoom > view.zoom:
            break
        # The view may extend beyond the antimeridian on either side.
        for turn in (-360, 0, 360):
            spot = view.spot(country.east + turn, country.north)
            if label := labels.place_over(spot.x, spot.y, country.name):
                yield label


def _legs(legs: list[Leg]) -> Iterator[RouteLeg]:
    for leg in legs:
        names = (
            place_name(leg.origin) or leg.origin,
            place_name(leg.destination) or leg.destination,
        )
        yield RouteLeg(
            leg.sequence,
            *names,
            (leg.origin, leg.destination),
            leg.mode,
            leg.departed_at,
            leg.arrived_at,
        )
