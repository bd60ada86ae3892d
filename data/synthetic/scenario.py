"""Scenarios: the kind of world to make, from a TOML file or by default."""

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Self

from features.errors import TidegateError

SCENARIOS = Path(__file__).parent / "scenarios"


@dataclass(frozen=True)
class Scenario:
    """The parameters of a world; shares are of 1, instants are shares of the world's length.

    Before day one lie `history_days`, but not more than the world is long.

    `drift` states how networks change together from `drift_at` on: "payments", "corridors", or
    which typologies they practise. With "typologies", networks that form later practise formerly
    rare ones; with "all_typologies" all change at once, because each is replaced by another; with
    "late_typologies" the replacements practise typologies never seen before. From `regime_at` on,
    smuggling is multiplied by `regime_factor`, and corridors from `closed_region` are closed.
    With a `sensitivity_spread` of 0, an inspection finds as much in each lane and on each day. Half
    of the results with a finding are known after `evidence_days`, half of the others after
    `cleared_days`; offices differ by a factor, `office_delay_spread` is the deviation of its log.
    Declarations follow `office_hours` in "local" time of the office or in "utc". `tips` multiplies
    the usual number of tips, which depend on exposure. With `tips_from_truth` instead, the
    probability of a tip is about that share of the true probability.

    `reuse` is the share of a network's movements by its accustomed firms, vehicles and containers;
    after a seizure it `returns` with them at this probability. `unorganised` is the share of
    smuggling by firms on their own account, which are more or less prone to it: the deviation of
    the log is `proneness_spread`. `contrast` is the deviation of the log-odds that a network's
    movement carries something: with a high one it almost surely does or does not. `agents` is the
    share of payments for journeys to an agent instead of the carrier, `second_offices` that of
    shipments declared at another office than the firm's own. A share of networks is `adaptive`:
    they see which of their consignments are inspected, and give up what is cheap to change.
    """

    history_days: float = 365.0
    base_rate: float = 0.015
    late_typology_from: float = 0.8
    random_inspections: float = 0.01
    inspection_capacity: float = 0.07
    sensitivity_spread: float = 1.0
    evidence_days: float = 21.0
    cleared_days: float = 4.0
    office_delay_spread: float = 0.3
    tips: float = 1.0
    tips_from_truth: float = 0.0
    other_offences: float = 0.04
    itemised: float = 0.8
    missing: float = 0.04
    honest_mistakes: float = 1.0
    season: float = 0.25
    office_hours: str = "local"
    drift: str = "none"
    drift_at: float = 0.6
    regime_at: float = 1.0
    regime_factor: float = 1.0
    closed_region: str = ""
    reuse: float = 0.8
    returns: float = 0.5
    unorganised: float = 0.3
    proneness_spread: float = 1.5
    contrast: float = 2.0
    agents: float = 0.08
    second_offices: float = 0.12
    adaptive: float = 0.0

    @classmethod
    def read(cls, file: Path) -> Self:
        """Read a scenario from a TOML file, or the shipped one with this name.

        Raises TidegateError with the key and its allowed range.
        """
        shipped = SCENARIOS / f"{file}.toml"
        source = shipped if not file.exists() and shipped.exists() else file
        try:
            keys = tomllib.loads(source.read_text(encoding="utf-8"))
        except FileNotFoundError:
            names = ", ".join(sorted(f.stem for f in SCENARIOS.glob("*.toml")))
            raise TidegateError(f"{file}: no such scenario file; shipped ones: {names}") from None
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise TidegateError(f"{file}: not a TOML file ({error})") from None
        checked: dict[str, Any] = {k: _checked(k, value, file) for k, value in keys.items()}
        scenario = cls(**checked)
        for conflicting, reason in _conflicts(scenario):
            raise TidegateError(
                f"{file}: {' and '.join(conflicting)} contradict each other: {reason}"
            )
        return scenario


RANGES: dict[str, tuple[float, float]] = {
    "history_days": (0.0, 3_650.0),
    "base_rate": (0.005, 0.1),
    "late_typology_from": (0.0, 1.0),
    "random_inspections": (0.0, 0.2),
    "inspection_capacity": (0.0, 0.5),
    "sensitivity_spread": (0.0, 2.0),
    "evidence_days": (1.0, 90.0),
    "cleared_days": (1.0, 90.0),
    "office_delay_spread": (0.0, 1.0),
    "tips": (0.0, 5.0),
    "tips_from_truth": (0.0, 1.0),
    "other_offences": (0.0, 0.5),
    "itemised": (0.0, 1.0),
    "missing": (0.0, 0.5),
    "honest_mistakes": (0.0, 5.0),
    "season": (0.0, 0.9),
    "drift_at": (0.0, 1.0),
    "regime_at": (0.0, 1.0),
    "regime_factor": (0.1, 10.0),
    "reuse": (0.0, 1.0),
    "returns": (0.0, 1.0),
    "unorganised": (0.0, 0.9),
    "proneness_spread": (0.0, 2.0),
    "contrast": (0.5, 4.0),
    "agents": (0.0, 1.0),
    "second_offices": (0.0, 1.0),
    "adaptive": (0.0, 1.0),
}
CHOICES: dict[str, tuple[str, ...]] = {
    "office_hours": ("local", "utc"),
    "drift": ("none", "payments", "corridors", "typologies", "all_typologies", "late_typologies"),
    "closed_region": (
        "",
        "Northern Africa",
        "Western Asia",
        "Southern Europe",
        "Eastern Europe",
        "Eastern Asia",
        "Latin America and the Caribbean",
        "Sub-Saharan Africa",
    ),
}


def _conflicts(scenario: Scenario) -> Iterator[tuple[tuple[str, ...], str]]:
    """Yield the keys that contradict each other, and why."""
    if scenario.tips and scenario.tips_from_truth:
        yield ("tips", "tips_from_truth"), "one kind of tips must be 0"
    if scenario.closed_region and scenario.regime_at == 1:
        yield ("closed_region", "regime_at"), "at the end of time a region closes for nobody"
    if scenario.regime_factor != 1 and scenario.regime_at == 1:
        yield ("regime_factor", "regime_at"), "at the end of time nothing can change"


def _checked(key: str, value: Any, file: Path) -> float | str:
    if key in RANGES:
        low, high = RANGES[key]
        # In Python a bool is an int, too.
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise TidegateError(f"{file}, {key}: want a number from {low} to {high}")
        if not low <= value <= high:
            raise TidegateError(f"{file}, {key}: {value} is outside {low} to {high}")
        return float(value)
    if key in CHOICES:
        if value not in CHOICES[key]:
            raise TidegateError(f"{file}, {key}: {value!r} is none of {list(CHOICES[key])}")
        return str(value)
    known = ", ".join(field.name for field in fields(Scenario))
    raise TidegateError(f"{file}, {key}: no such key; a scenario may set {known}")
