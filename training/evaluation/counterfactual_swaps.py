"""Test of equal treatment: similar routes must score alike in other countries.

The origin or destination of a subject is replaced by another country of the same region, one with
seaports if the first has them. Every country field follows, including those of payers and payees,
and every place moves to the nearest one of its kind there, so that the route keeps its shape. Only
location can explain how the score then changes: what is known about other traffic there, or the
country itself.

Across regions, the replacement comes from another region. The route then changes its length, and
with it what a model may legitimately use. So the mean of each region shows a tendency, and the
bound is no test of it.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from features.engine.online.history_of_records import HistoryReader
from features.reference.geography import country_of, region_of
from features.reference.geography.stand_ins import class_of, nearest_in
from features.submission import Submission
from features.vector import feature_vector
from training.confidence_intervals import Estimate
from training.fit.booster_predict import Margins
from training.model.calibration import log_odds_of
from training.model.manifest import FrozenModel
from training.model.risk_model import RiskModel
from training.ranking import Floats

COUNTRIES = (
    "origin_country",
    "dispatch_country",
    "destination_country",
    "registration_country",
    "payer_country",
    "payee_country",
)
PLACES = ("origin", "destination", "hire_return_location")
TYPICAL_SHARE = 0.95


@dataclass(frozen=True)
class Swap:
    """A subject as it was, and with one country replaced by another."""

    before: Submission
    after: Submission
    country: str
    stand_in: str


class RegionShift(FrozenModel):
    """The shift of scores of countries in one region; `mean` shows a tendency."""

    region: str
    swaps: int
    mean: Estimate
    bound: float


class SwapFigures(FrozenModel):
    """Shifts of calibrated log-odds.

    95 % of swaps moved the score by at most `bound`, half by at most `median`; `largest` is the
    maximum; `left` counts subjects without a possible swap.
    """

    swaps: int
    left: int
    median: float
    bound: float
    largest: float
    regions: tuple[RegionShift, ...]


def swaps_of(
    submissions: Iterable[Submission],
    seed: int,
    stand_ins: Callable[[str], Sequence[str]] = class_of,
) -> Iterator[Swap | None]:
    """Yield one swap per submission, of origin or destination; None if none keeps the route.

    `stand_ins` returns the possible replacements of a country, `across_regions` for instance.
    """
    rng = np.random.default_rng(seed)
    for submission in submissions:
        yield _swapped(submission, rng, stand_ins)


def shifts(model: RiskModel, swaps: Iterable[Swap | None], history: HistoryReader) -> SwapFigures:
    """Return how far the model's scores move, all computed against the same history."""
    drawn_swaps = list(swaps)
    valid = [swap for swap in drawn_swaps if swap is not None]
    margins = Margins.from_text(model.booster_text, threads=1)
    before, after = (
        _log_odds(model, margins, [getattr(swap, side) for swap in valid], history)
        for side in ("before", "after")
    )
    changes = after - before
    regions = region_of([swap.country for swap in valid]) if valid else np.array([], dtype=object)
    size = np.abs(changes)
    return SwapFigures(
        swaps=len(valid),
        left=len(drawn_swaps) - len(valid),
        median=_quantile(size, 0.5),
        bound=_quantile(size, TYPICAL_SHARE),
        largest=_quantile(size, 1.0),
        regions=tuple(_of_region(str(r), changes[regions == r]) for r in sorted(set(regions))),
    )


def _swapped(
    submission: Submission, rng: np.random.Generator, stand_ins: Callable[[str], Sequence[str]]
) -> Swap | None:
    """Return the swap of one end of a submission; None if there is no suitable country.

    Both versions lack positions, because none were received along the other route.
    """
    ends = _ends(submission)
    if ends is None:
        return None
    at = int(rng.integers(2))
    country, other = ends[at], ends[1 - at]
    candidates = [candidate for candidate in stand_ins(country) if candidate != other]
    # Replacing one end of a domestic movement would make it an international one.
    if country == other or not candidates:
        return None
    stand_in = candidates[int(rng.integers(len(candidates)))]
    before = submission.model_copy(update={"positions": ()})
    try:
        after = _with_country(before, country, stand_in)
    except LookupError:
        return None
    return Swap(before, after, country, stand_in)


def _ends(submission: Submission) -> tuple[str, str] | None:
    if submission.shipment is not None:
        return submission.shipment.origin_country, submission.shipment.destination_country
    assert submission.journey is not None
    first, last = country_of([submission.journey.origin, submission.journey.destination])
    return None if first is None or last is None else (first, last)


def _with_country(submission: Submission, country: str, stand_in: str) -> Submission:
    """Return a submission with a country replaced; LookupError for a place without a match."""
    linked = {
        name: tuple(
            _record_with_country(record, country, stand_in) for record in submission.linked(name)
        )
        for name in ("goods_items", "legs", "transactions")
    }
    submission = submission.with_linked(linked)
    parts: dict[str, Any] = {}
    for name in ("shipment", "journey"):
        if (part := getattr(submission, name)) is not None:
            parts[name] = _record_with_country(part, country, stand_in)
    return submission.model_copy(update=parts)


def _record_with_country(record: Any, country: str, stand_in: str) -> Any:
    """Return a record with its countries and places replaced."""
    changed: dict[str, str] = {
        name: stand_in for name in COUNTRIES if getattr(record, name, None) == country
    }
    for name in PLACES:
        code = getattr(record, name, None)
        if code is not None and country in _countries(code):
            place = nearest_in(stand_in, code)
            if place is None:
                raise LookupError(code)
            changed[name] = place
    return record.model_copy(update=changed)


def _countries(code: str) -> tuple[str, ...]:
    """Return the country of a place; for a border crossing both, from the start of its code."""
    if "/" in code:
        return tuple(code.split("/", maxsplit=1)[0].split("-"))
    (country,) = country_of([code])
    return () if country is None else (country,)


def _log_odds(
    model: RiskModel, margins: Margins, submissions: list[Submission], history: HistoryReader
) -> Floats:
    if not submissions:
        return np.array([])
    rows = np.array(
        [model.encode(feature_vector(submission, history))[0] for submission in submissions]
    )
    return log_odds_of(margins.predict(rows), model.manifest.calibration)


def _of_region(region: str, changes: Floats) -> RegionShift:
    mean, error = float(changes.mean()), None
    if len(changes) > 1:
        error = 1.96 * float(changes.std(ddof=1)) / float(np.sqrt(len(changes)))
    interval = Estimate(mean) if error is None else Estimate(mean, mean - error, mean + error)
    return RegionShift(
        region=region,
        swaps=len(changes),
        mean=interval,
        bound=_quantile(np.abs(changes), TYPICAL_SHARE),
    )


def _quantile(values: Floats, share: float) -> float:
    return float(np.quantile(values, share)) if len(values) else 0.0
