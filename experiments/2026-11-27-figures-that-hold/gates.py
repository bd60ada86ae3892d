"""Gates on calibration and on the champion: what they answer of scores whose worth is known.

    python -m experiments.2026-11-27-figures-that-hold.gates FOLDER [REDRAWS] [JOURNEYS...]

A world is invented once and a model trained once in FOLDER/<journeys>; who is inspected in the
evaluation window, and what is found, is then drawn again and again as the world would.
"""

import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, get_args

import numpy as np
from scipy import optimize
from scipy.special import expit

from features.build_training_set import build_training_set
from features.records import SUBJECT_KINDS, SubjectKind
from serving.cli.demo_world import last_days_begin, write_known_by
from synthetic import inspection
from synthetic.journeys import drafted_journeys, journey_ids
from synthetic.networks.catalogue import typologies_of
from synthetic.networks.life import office_share
from synthetic.plan import Plan, planned
from synthetic.rows import stacked, taken
from synthetic.scenario import Scenario
from synthetic.shipments import drafted_shipments, shipment_ids
from synthetic.subjects import Subjects
from synthetic.world import invent
from training.confidence_intervals import Estimate
from training.data.training_set import TrainingSet
from training.estimation.calibration_on_traffic import traffic_calibration
from training.estimation.inspected_sample import InspectedSample, inspected_sample
from training.evaluation.population_section import settled_until
from training.evaluation.reevaluation import scored_window, unseen_window
from training.gates.calibration_gate import calibration_verdict
from training.gates.comparison_gate import no_worse
from training.gates.verdict import Answer
from training.outcomes import Bools, Texts
from training.parameters import GATE_SHARE, TrainingParameters
from training.ranking import Floats, Ints, ScoreRanking, at_capacity, inspected_rows
from training.train import train

SEED = 20261127
DAYS, LIVE_DAYS, WORLD_SEED = 365, 2, 7
"""Those of `tidegate demo`."""

HONEST_SENSITIVITY = 0.7
SCENARIO = Scenario()
NEVER = -20.0
"""Log-odds of a model that says 0."""


@dataclass(frozen=True)
class StudiedWindow:
    """The subjects of an evaluation window as the world knows them; arrays are parallel.

    `log_odds` are those of a model, and `other_seed` those of one that differs by its seed alone;
    `is_settled` says whose results would have come by the end of the data.
    """

    kind: SubjectKind
    subjects: Subjects
    log_odds: Floats
    other_seed: Floats
    is_settled: Bools

    @cached_property
    def sensitivity(self) -> Floats:
        """The share of what is there that an inspection finds."""
        known = [*(each.sensitivity for each in typologies_of(self.kind)), HONEST_SENSITIVITY]
        return np.array(known)[self.subjects.typology]

    @cached_property
    def confirmable(self) -> Floats:
        """The true probability that an inspection would confirm."""
        return self.subjects.probability * self.sensitivity

    def redrawn(self, rng: np.random.Generator) -> "DrawnInspections":
        """The window as it might have been inspected."""
        truth = rng.random(len(self.log_odds)) < self.subjects.probability
        selection = inspection.selected(
            rng,
            self.kind,
            SCENARIO,
            signs=self.subjects.signs,
            office_share=office_share(rng.random(len(truth))),
            true_probability=self.subjects.probability,
        )
        found = inspection.found(rng, truth, self.sensitivity).astype(np.float64)
        ways = np.array([None, *inspection.SELECTED_BY[1:]], dtype=object)
        return DrawnInspections(
            labels=np.where((selection.by > 0) & (found >= 0), found, np.nan),
            selected_by=ways[selection.by],
            probability=selection.probability,
        )


@dataclass(frozen=True)
class DrawnInspections:
    """Results of one draw, for each subject of the traffic; NaN and None where nobody looked."""

    labels: Floats
    selected_by: Texts
    probability: Floats

    def only(self, mask: Bools) -> "DrawnInspections":
        """Those of the subjects where `mask` holds."""
        return DrawnInspections(self.labels[mask], self.selected_by[mask], self.probability[mask])


def studied_window(folder: Path, journeys: int, kind: SubjectKind) -> StudiedWindow:
    """One kind of a world, invented and built as far as the folder does not hold it yet."""
    world, built = folder / "world", folder / "sets" / kind
    if not world.exists():
        whole = folder / "invented"
        invent(whole, scenario=SCENARIO, journeys=journeys, days=DAYS, seed=WORLD_SEED, cores=2)
        write_known_by(whole, last_days_begin(whole, LIVE_DAYS), world)
    if not built.exists():
        build_training_set(world, kind, built, lambda done, total: None)
    data = TrainingSet.read(built, kind)
    model, other = (train(data, _parameters(seed)).model for seed in (7, 8))
    window = unseen_window(model, data)
    scored = scored_window(model, data, window)
    return StudiedWindow(
        kind=kind,
        subjects=_subjects(planned(SCENARIO, journeys, DAYS, WORLD_SEED), kind, data, scored.rows),
        log_odds=scored.log_odds,
        other_seed=scored_window(other, data, window).log_odds,
        is_settled=data.declared_at[scored.rows] < settled_until(data, window),
    )


def _parameters(seed: int) -> TrainingParameters:
    without_figures = {"leakage": {"is_checked": False}, "evaluation": {"redraws": 10}}
    return TrainingParameters.model_validate({"seed": seed, **without_figures})


def _subjects(plan: Plan, kind: SubjectKind, data: TrainingSet, rows: Ints) -> Subjects:
    parts, ids = [], []
    for chapter in range(plan.chapters):
        draft: Any = drafted_journeys(plan, chapter)
        name = journey_ids
        if kind == "shipment":
            draft, name = drafted_shipments(plan, chapter, draft), shipment_ids
        parts.append(draft.subjects)
        ids += name(draft.number).to_pylist()
    place = {name: at for at, name in enumerate(ids)}
    return taken(stacked(parts), np.array([place[each] for each in data.subject_ids[rows]]))


def spoilt(log_odds: Floats, rng: np.random.Generator) -> dict[str, Floats]:
    """A model's scores as they are, and as nobody should let them pass."""
    return {
        "as trained": log_odds,
        "always 0": np.full(len(log_odds), NEVER),
        "shuffled": rng.permutation(log_odds),
        "odds x 8": log_odds + np.log(8),
        "odds x .01": log_odds + np.log(0.01),
        "slope x 3": 3 * log_odds,
    }


@dataclass(frozen=True)
class Answered:
    """How often a gate gave each answer about some scores, and a figure of their true worth."""

    gate: str
    window: StudiedWindow
    scores: str
    worth: str
    answers: Counter[Answer]

    @property
    def line(self) -> str:
        """The row of a table."""
        redraws = self.answers.total()
        shares = (f"{self.answers[answer] / redraws:.1%}" for answer in get_args(Answer))
        kind, subjects = self.window.kind, len(self.window.log_odds)
        return f"| {kind} | {subjects:,} | {self.scores} | {self.worth} | {' | '.join(shares)} |"


def calibration_answers(window: StudiedWindow, redraws: int) -> Iterator[Answered]:
    """What the gate on calibration says of right and of spoilt scores."""
    rng = np.random.default_rng(SEED)
    settled = window.is_settled
    every = {name: scores[settled] for name, scores in spoilt(window.log_odds, rng).items()}
    answers: dict[str, Counter[Answer]] = {name: Counter() for name in every}
    for _ in range(redraws):
        drawn = window.redrawn(rng).only(settled)
        sample = inspected_sample(drawn.labels, drawn.selected_by, drawn.probability)
        for name, scores in every.items():
            calibration = traffic_calibration(sample, scores, GATE_SHARE)
            answers[name][calibration_verdict(calibration, int(sample.is_drawn.sum())).verdict] += 1
    for name, scores in every.items():
        expected = max(float(expit(scores).sum()), 1e-9)
        ratio = float(window.confirmable[settled].sum()) / expected
        yield Answered("calibration", window, name, f"{ratio:.3g}", answers[name])


def calibration_intervals(window: StudiedWindow, redraws: int) -> Iterator[str]:
    """How often the intervals of each figure hold what is true, and between which they lie."""
    rng, settled = np.random.default_rng(SEED), window.is_settled
    scores, confirmable = window.log_odds[settled], window.confirmable[settled]
    everyone = np.ones(len(scores))
    top = inspected_rows(ScoreRanking.from_scores(everyone, scores), GATE_SHARE)
    all_known = InspectedSample(
        rows=np.arange(len(scores)),
        labels=confirmable,
        weights=everyone,
        is_drawn=np.ones(len(scores), dtype=np.bool_),
        traffic=len(scores),
        certain=0,
        uncounted=0,
        refusal=None,
    )
    truths = {
        "observed_over_expected": float(confirmable.sum() / expit(scores).sum()),
        "top_observed_over_expected": float(top @ confirmable / (top @ expit(scores))),
        "slope": traffic_calibration(all_known, scores, GATE_SHARE).slope.value,
    }
    found: dict[str, list[tuple[float | None, ...]]] = {name: [] for name in truths}
    for _ in range(redraws):
        drawn = window.redrawn(rng).only(settled)
        sample = inspected_sample(drawn.labels, drawn.selected_by, drawn.probability)
        calibration = traffic_calibration(sample, scores, GATE_SHARE)
        for name in truths:
            estimate: Estimate = getattr(calibration, name)
            found[name].append((estimate.value, estimate.low, estimate.high))
    for name, truth in truths.items():
        value, low, high = np.array(found[name], dtype=np.float64).T
        held = float(((low <= truth) & (truth <= high)).mean())
        yield (
            f"| {window.kind} | {len(scores):,} | {name} | {truth:.2f} | {np.median(value):.2f} | "
            f"{held:.1%} | {np.median(low):.2f} to {np.median(high):.2f} |"
        )


def comparison_answers(window: StudiedWindow, redraws: int) -> Iterator[Answered]:
    """What the gate says of challengers that are as good as the champion, or worse."""
    rng = np.random.default_rng(SEED)
    spreads = {f"noise to {share:.0%}": spread_of_noise(window, share) for share in (0.75, 0.9)} | {
        "noise of .1": 0.1,
        "another seed": 0.0,
    }
    few = np.zeros(len(window.log_odds), dtype=np.bool_)
    few[: len(few) // 20] = True
    drawn = [window.redrawn(rng) for _ in range(redraws)]
    for name, spread in spreads.items():
        base = window.other_seed if name == "another seed" else window.log_odds
        challengers = [base + spread * rng.normal(size=len(base)) for _ in drawn]
        pairs = [*zip(drawn, challengers, strict=True)]
        worth = np.mean([precision_share(window, challenger) for challenger in challengers])
        for labels_of, among in (("", ~few | few), (", a twentieth of the labels", few)):
            verdicts = (
                no_worse(np.where(among, draw.labels, np.nan), scores, window.log_odds).verdict
                for draw, scores in pairs
            )
            yield Answered("no worse", window, name + labels_of, f"{worth:.0%}", Counter(verdicts))


def precision_share(window: StudiedWindow, log_odds: Floats) -> float:
    """True precision at 5 % of all traffic, as a share of the champion's."""
    of_both = (
        at_capacity(ScoreRanking.from_scores(window.subjects.probability, scores), GATE_SHARE)
        for scores in (log_odds, window.log_odds)
    )
    challenger, champion = (found["precision"] for found in of_both)
    return challenger / champion


def spread_of_noise(window: StudiedWindow, share: float) -> float:
    """How much noise on the log-odds leaves that share of the true precision at 5 %."""
    noise = np.random.default_rng(SEED).normal(size=(5, len(window.log_odds)))

    def too_good(spread: float) -> float:
        kept = [precision_share(window, window.log_odds + spread * each) for each in noise]
        return float(np.mean(kept)) - share

    return float(optimize.bisect(too_good, 0.0, 8.0, xtol=0.01))


def main() -> None:
    """Print the tables."""
    folder, redraws, *sizes = sys.argv[1:]
    worth = {calibration_answers: "confirmable over expected", comparison_answers: "precision@5 %"}
    windows = [
        studied_window(Path(folder) / size, int(size), kind)
        for size in (sizes or ["40000", "100000"])
        for kind in SUBJECT_KINDS
    ]
    print(f"{redraws} redraws\n")
    print("| kind | settled subjects | figure | true | median | holds | median interval |")
    print("|---|---|---|---|---|---|---|")
    for window in windows:
        print("\n".join(calibration_intervals(window, int(redraws))), flush=True)
    for study, of_worth in worth.items():
        print(f"\n{redraws} redraws\n")
        print(f"| kind | subjects | scores | {of_worth} | {' | '.join(get_args(Answer))} |")
        print("|---|---|---|---|---|---|---|")
        for window in windows:
            for answered in study(window, int(redraws)):
                print(answered.line, flush=True)


if __name__ == "__main__":
    main()
