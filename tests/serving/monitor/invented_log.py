"""A log of invented decisions, and what would be found if everyone were looked at."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
from sqlalchemy import Engine

from serving.audit.logged_decision import LoggedDecision, StoredAnswer
from serving.history.received_records import ReceivedRecord
from serving.scoring.shadow_scoring import ShadowScore
from serving.storage.repositories.decision_repository import DecisionRepository
from serving.storage.repositories.record_repository import RecordRepository
from serving.storage.repositories.shadow_score_repository import ShadowScoreRepository

BEGIN = datetime(2026, 8, 3, 8, 0, tzinfo=UTC)
"""A Monday."""

CUT, CONTROL = 0.30, 0.05
DELAY = timedelta(days=3)


@dataclass(frozen=True)
class Invented:
    """What no monitor sees: the truth of every subject, in the order of the log."""

    truth: np.ndarray
    lanes: list[str]
    days: int

    @property
    def prevalence(self) -> float:
        """Of all subjects."""
        return float(self.truth.mean())

    @property
    def recall(self) -> float:
        """Of what would be confirmed, the share that was inspected."""
        return float(self.truth[np.array(self.lanes) == "inspect"].sum() / self.truth.sum())

    @property
    def end(self) -> datetime:
        """Midnight after the last day."""
        return (BEGIN + timedelta(days=self.days)).replace(hour=0)


def invent(
    engine: Engine,
    days: int = 63,
    a_day: int = 60,
    *,
    control: float = CONTROL,
    shift_from: int | None = None,
    results_until: int | None = None,
) -> Invented:
    """Fill a database; from the day `shift_from` on, every mass is half as large again.

    Of decisions from the day `results_until` on no result comes.
    """
    lots = np.random.default_rng(1)
    truth, lanes, entries, outcomes = [], [], [], []
    for number in range(days * a_day):
        day = number // a_day
        at = BEGIN + timedelta(days=day, minutes=number % a_day)
        probability = float(lots.beta(0.6, 8))
        is_smuggled = bool(lots.random() < probability)
        is_drawn = lots.random() < control
        lane = "inspect" if probability > CUT else "control" if is_drawn else "release"
        mass = float(lots.lognormal(8, 0.4)) * (1.5 if shift_from and day >= shift_from else 1)
        entries.append(_entry(number, at, probability, lane, mass, control))
        if lane != "release" and (results_until is None or day < results_until):
            outcomes.append(_outcome(number, at, lane, is_smuggled))
        truth.append(is_smuggled)
        lanes.append(lane)
    DecisionRepository(engine).append(entries)
    RecordRepository(engine).add_new(outcomes)
    return Invented(np.array(truth), lanes, days)


def opine(engine: Engine, invented: Invented, *, knows: bool, first: int = 0) -> None:
    """A challenger's opinions, of decisions from `first` on: it knows the truth, or nothing."""
    lots = np.random.default_rng(3)
    scores = lots.random(len(invented.truth)) * (0.5 if knows else 1)
    scores += 0.5 * invented.truth if knows else 0.0
    ShadowScoreRepository(engine).append(
        [
            ShadowScore(
                f"d{n}", "challenger", "tidegate-shipment", "2", "-", 0.0, float(score), 0.0
            )
            for n, score in enumerate(scores)
            if n >= first
        ]
    )


def _entry(
    number: int, at: datetime, probability: float, lane: str, mass: float, control: float
) -> tuple[LoggedDecision, StoredAnswer]:
    selected = lane == "inspect"
    told = {
        "decision_id": f"d{number}",
        "scored_at": at.isoformat(),
        "subject_kind": "shipment",
        "subject_id": f"S-{number}",
        "office_id": f"office-{number % 2}",
        "model": {"version": "1"},
        "lane": lane,
        "lane_reason": "random" if lane == "control" else "score" if number % 5 else "watch_list",
        "lane_probabilities": {"inspect": 1.0, "control": 0.0}
        if selected
        else {"inspect": 0.0, "control": control, "release": 1 - control},
        "score": {
            "probability": probability,
            "log_odds": float(np.log(probability / (1 - probability))),
        },
        "reasons": {"indicators": {"D07": probability, "J30": 0.1}},
        "vector": {
            "mass_kg": mass,
            "hs_chapter": f"{number % 5:02}",
            "consignee_shipments_365d": float(number % 150),
            "packages": None if number % 3 else float(number % 7),
        },
        "request": json.dumps(
            {
                "shipment": {
                    "origin_country": "TR",
                    "dispatch_country": "TR",
                    "destination_country": "DE",
                },
                "journey": {"mode": "sea"},
            }
        ),
    }
    row = LoggedDecision(
        f"d{number}",
        at.isoformat(),
        "shipment",
        f"S-{number}",
        f"office-{number % 2}",
        "caller",
        lane,
        probability,
        json.dumps(told),
    )
    return row, StoredAnswer("caller", f"k{number}", "-", f"d{number}", at.isoformat(), b"")


def _outcome(number: int, at: datetime, lane: str, is_smuggled: bool) -> ReceivedRecord:
    known_at = (at + DELAY).isoformat()
    body = {
        "subject_kind": "shipment",
        "subject_id": f"S-{number}",
        "selected_by": "random" if lane == "control" else "model",
        "inspected_at": (at + timedelta(hours=5)).isoformat(),
        "known_at": known_at,
        "result": "confirmed" if is_smuggled else "not_confirmed",
        "typology": "undervaluation" if is_smuggled and number % 2 else None,
    }
    return ReceivedRecord(
        "outcomes", f"o{number:06}", "shipment", f"S-{number}", known_at, "c", json.dumps(body)
    )
