"""What a replayed policy would have found, estimated from logged inspections: does it hold?

    python -m experiments.2026-11-27-figures-that-hold.backtest FOLDER [REDRAWS] [JOURNEYS]

One invented world is made in FOLDER unless it is there. Two policies are replayed over half a
year of its shipments as they were logged. Then who is inspected in these weeks is drawn again and
again, by the world's own tips, draws, rules and discretion, and each time the estimates are laid
beside what inspections of everybody would confirm. What an inspection of each subject would find
is drawn once. The selection of a policy is held fixed, or learnt anew from every redraw (a tenth of
them). One in a hundred is drawn at random, as the world does, or more.
"""

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd

from synthetic import inspection
from synthetic.journeys import drafted_journeys
from synthetic.networks.catalogue import typologies_of
from synthetic.networks.life import office_share
from synthetic.plan import Plan, planned
from synthetic.scenario import Scenario
from synthetic.shipments import drafted_shipments, shipment_ids
from synthetic.signs import Signs
from training.backtest.history import History
from training.backtest.ledger import PolicyReplay
from training.backtest.policy import Policy
from training.backtest.replay_policy import replay
from training.backtest.replayed_traffic import ReplayedTraffic
from training.data.training_set import TrainingSet
from training.estimation.population_figures import FoundAmong
from training.ranking import Floats

SEED, DAYS = 20261127, 365
HONEST_SENSITIVITY = 0.7
FIGURES = ("confirmed", "precision", "recall", "lift")
WEEKS = 26
BEGINS = datetime(2025, 5, 4, tzinfo=UTC)
TOP = Policy(begins=BEGINS, weeks=WEEKS, capacity_share=0.05, capacity_of="all")
RELEARNT = "top 5 %, relearnt"
EVERYTHING = TOP.model_copy(update={"capacity_share": 1.0, "exploration_share": 0.0})
POLICIES = {"top 5 %": TOP, "everything": EVERYTHING, RELEARNT: TOP}
CELLS = (
    ("everything", 0.01), ("everything", 0.05),
    ("top 5 %", 0.01), ("top 5 %", 0.05), ("top 5 %", 0.1),
    (RELEARNT, 0.1),
)  # fmt: skip


@dataclass(frozen=True)
class World:
    """A logged history with what only its maker knows, in the history's order."""

    history: History
    signs: Signs
    probability: Floats
    confirmable: Floats
    office_share: Floats
    scenario: Scenario

    @classmethod
    def made(cls, folder: Path, journeys: int) -> "World":
        """The world in `folder`, invented unless it is there."""
        records, built = folder / "records", folder / "set"
        tidegate = str(Path(sys.executable).parent / "tidegate")
        size = ["--journeys", str(journeys), "--days", str(DAYS), "--seed", str(SEED)]
        if not built.exists():
            for command in (
                ["synth", "--out", str(records), *size],
                ["build", "--records", str(records), "--subject", "shipment", "--out", str(built)],
            ):
                subprocess.run([tidegate, *command], check=True, stdout=subprocess.DEVNULL)
        data = TrainingSet.read(built, "shipment")
        return cls._of(History.logged(data), planned(Scenario(), journeys, DAYS, SEED))

    @classmethod
    def _of(cls, history: History, plan: Plan) -> "World":
        drafts = [
            drafted_shipments(plan, chapter, drafted_journeys(plan, chapter))
            for chapter in range(plan.chapters)
        ]
        ids = np.concatenate([shipment_ids(draft.number).to_pylist() for draft in drafts])
        order = pd.Index(ids).get_indexer(history.data.subject_ids)
        subjects = [draft.subjects for draft in drafts]
        typology = np.concatenate([each.typology for each in subjects])[order]
        truth = np.concatenate([each.truth for each in subjects])[order]
        rng = np.random.default_rng(SEED)
        finds = np.array([*(t.sensitivity for t in typologies_of("shipment")), HONEST_SENSITIVITY])
        return cls(
            history=history,
            signs={
                name: np.concatenate([each.signs[name] for each in subjects])[order]
                for name in subjects[0].signs
            },
            probability=np.concatenate([each.probability for each in subjects])[order],
            confirmable=(truth & (rng.random(len(order)) < finds[typology])).astype(np.float64),
            office_share=office_share(rng.random(len(order))),
            scenario=plan.scenario,
        )

    def redrawn(self, rng: np.random.Generator, drawn: float) -> History:
        """The history, had chance chosen others and `drawn` of all at random.

        Three inspections in a hundred tell nothing.
        """
        chosen = inspection.selected(
            rng,
            "shipment",
            replace(self.scenario, random_inspections=drawn),
            signs=self.signs,
            office_share=self.office_share,
            true_probability=self.probability,
        )
        is_settled = rng.random(len(chosen.by)) >= inspection.INCONCLUSIVE
        label = np.where((chosen.by > 0) & is_settled, self.confirmable, np.nan)
        ways = np.array([None, *inspection.SELECTED_BY[1:]], dtype=object)[chosen.by]
        data = self.history.data
        delay = (inspection.delay_days(rng, len(data)) * 86_400e6).astype("timedelta64[us]")
        outcomes = replace(
            data.outcomes,
            label=label,
            known_at=np.where(np.isnan(label), np.datetime64("NaT"), data.declared_at + delay),
            selected_by=ways,
            selection_probability=chosen.probability,
        )
        return History.logged(replace(data, outcomes=outcomes))


@dataclass(frozen=True)
class Held:
    """One figure of one policy over all redraws; `unknown` is the share that was refused."""

    policy: str
    drawn: float
    figure: str
    truth: float
    bias: float | None
    held: float | None
    width: float | None
    unknown: float

    @property
    def in_words(self) -> str:
        """One line of the table."""
        told = "– | – | –"
        if self.bias is not None:
            told = f"{self.bias:+.1%} | {self.held:.1%} | {self.width:.2f}"
        return (
            f"| {self.policy} | {self.drawn:.0%} | {self.figure} | {self.truth:.4g} | {told} | "
            f"{self.unknown:.0%} |"
        )


def studied(world: World, name: str, drawn: float, redraws: int) -> Iterator[Held]:
    """Every figure of a policy, which learns anew from each redraw if its name says so."""
    policy = POLICIES[name]
    rng = np.random.default_rng(SEED)
    ledger = replay(name, policy, world.history)
    pairs = []
    for _ in range(redraws):
        history = world.redrawn(rng, drawn)
        lived = replay(name, policy, history) if name == RELEARNT else ledger
        pairs.append(_both(world, replace(lived, history=history)))
    for figure in FIGURES:
        yield _held(name, drawn, figure, pairs)


def _both(world: World, ledger: PolicyReplay) -> tuple[FoundAmong, FoundAmong]:
    """What is estimated, and what would be confirmed if everybody were inspected."""
    traffic = ReplayedTraffic.from_replay(ledger)
    known = replace(traffic, truth=world.confirmable[traffic.rows], sample=None)
    return traffic.found(traffic.selected), known.found(traffic.selected)


def _held(
    policy: str, drawn: float, figure: str, pairs: list[tuple[FoundAmong, FoundAmong]]
) -> Held:
    estimates = [(getattr(told, figure), getattr(true, figure).value) for told, true in pairs]
    known = np.array(
        [(e.value, e.low, e.high, truth) for e, truth in estimates if e.value is not None]
    ).reshape(-1, 4)
    value, low, high, truth = known.T
    mean = float(np.mean([truth for _, truth in estimates]))
    # What is certain has no width, and must not miss by a rounding.
    is_held = (low <= truth + 1e-9) & (truth <= high + 1e-9)
    is_known = len(known) > 0
    return Held(
        policy=policy,
        drawn=drawn,
        figure=figure,
        truth=mean,
        bias=float((value - truth).mean() / mean) if is_known else None,
        held=float(is_held.mean()) if is_known else None,
        width=float((high - low).mean() / mean) if is_known else None,
        unknown=1 - len(known) / len(pairs),
    )


def main() -> None:
    """Print the table."""
    folder = Path(sys.argv[1])
    redraws, journeys = (
        int(word) for word in [*sys.argv[2:], *("200", "40000")[len(sys.argv) - 2 :]]
    )
    world = World.made(folder, journeys)
    print(f"{redraws} redraws of {WEEKS} weeks of {journeys:,} shipments a year\n")
    print("| policy | drawn | figure | true | bias | holds | width | unknown |")
    print("|---|---|---|---|---|---|---|---|")
    for name, drawn in CELLS:
        for row in studied(world, name, drawn, redraws // 10 if name == RELEARNT else redraws):
            print(row.in_words, flush=True)


if __name__ == "__main__":
    main()
