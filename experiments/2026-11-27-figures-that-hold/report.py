"""Do the figures of all traffic in an evaluation report hold what their intervals say?

    tidegate synth --out HOME/world --journeys 40000 --seed SEED
    tidegate build --records HOME/world --subject shipment --out HOME/training_sets/shipment
    tidegate train --subject shipment --home HOME --trainer study
    python -m experiments.2026-11-27-figures-that-hold.report HOME SEED [REDRAWS]

One invented world and one model; what inspections of the evaluation window would confirm, and who
is inspected, are drawn again and again as the world draws them. The figures are laid beside
what inspecting all of that traffic would confirm, those of calibration beside the true chances.
"""

import sys
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.special import expit
from sklearn.linear_model import LogisticRegression

from synthetic import inspection
from synthetic.journeys import drafted_journeys
from synthetic.networks.catalogue import typologies_of
from synthetic.networks.life import office_share
from synthetic.plan import Plan, plan_world
from synthetic.scenario import Scenario
from synthetic.shipments import drafted_shipments, shipment_ids
from synthetic.signs import Signs
from training.confidence_intervals import Estimate
from training.data.training_set import TrainingSet
from training.evaluation.evaluation_report import PopulationSection
from training.evaluation.population_section import population_section
from training.evaluation.reevaluation import scored_window, unseen_window
from training.evaluation.scored_window import ScoredWindow
from training.model.model_home import ModelHome
from training.model.risk_model import RiskModel
from training.outcomes import Bools, Texts
from training.parameters import GATE_SHARE
from training.ranking import Floats, ScoreRanking, at_capacity, roc_auc

JOURNEYS, DAYS = 40_000, 365
SEED = 20261127
DRAWN_AT_RANDOM = (0.01, 0.05, 0.1)
SHARES = (0.01, 0.02, 0.05, 0.1)
HONEST_SENSITIVITY = 0.7
MICROSECONDS_PER_HOUR = 3_600_000_000


@dataclass(frozen=True)
class Traffic:
    """The subjects of an evaluation window as the world made them, in order of declaration.

    `chance` is that of being confirmed if inspected, `is_confirmable` how it came out.
    """

    scored: ScoredWindow
    signs: Signs
    office_share: Floats
    true_probability: Floats
    chance: Floats
    is_confirmable: Bools

    def come_true_again(self, rng: np.random.Generator) -> "Traffic":
        """The same subjects, with what their inspections would confirm drawn again."""
        return replace(self, is_confirmable=rng.random(len(self.chance)) < self.chance)

    def inspected(self, rng: np.random.Generator, scenario: Scenario) -> PopulationSection:
        """What the report says after one more draw of inspections and of their delays."""
        selection = inspection.selected(
            rng,
            "shipment",
            scenario,
            signs=self.signs,
            office_share=self.office_share,
            true_probability=self.true_probability,
        )
        is_known = (selection.by > 0) & (rng.random(len(selection.by)) >= inspection.INCONCLUSIVE)
        ways: Texts = np.array([name or None for name in inspection.SELECTED_BY], dtype=object)
        data, rows = self.scored.data, self.scored.rows
        hours = rng.uniform(1, 36, len(rows)) + 24 * inspection.delay_days(rng, len(rows))
        known_at = data.declared_at[rows] + (hours * MICROSECONDS_PER_HOUR).astype(
            "timedelta64[us]"
        )
        outcomes = replace(
            data.outcomes,
            label=_with(data.outcomes.label, rows, np.where(is_known, self.is_confirmable, np.nan)),
            known_at=_with(data.outcomes.known_at, rows, np.where(is_known, known_at, None)),
            selected_by=_with(data.outcomes.selected_by, rows, ways[selection.by]),
            selection_probability=_with(
                data.outcomes.selection_probability, rows, selection.probability
            ),
        )
        redrawn = replace(self.scored, data=replace(data, outcomes=outcomes))
        everyone = redrawn.subjects(labelled_only=False)
        return population_section(everyone, redrawn.log_odds, redrawn.window, SHARES)

    def truths(self, section: PopulationSection) -> dict[str, float]:
        """Every figure of a section as it is on the traffic that the section speaks of."""
        of = slice(0, section.figures.subjects)
        log_odds, truth = self.scored.log_odds[of], self.is_confirmable[of].astype(np.float64)
        ranking = ScoreRanking.from_scores(truth, log_odds)
        top = log_odds >= np.sort(log_odds)[-round(GATE_SHARE * len(log_odds))]
        told = {
            "prevalence": ranking.prevalence,
            "roc_auc": roc_auc(ranking),
            "observed over expected": float(self.chance[of].sum() / expit(log_odds).sum()),
            "observed over expected, top 5%": float(
                self.chance[of][top].sum() / expit(log_odds[top]).sum()
            ),
            "slope": _slope(log_odds, self.chance[of]),
        }
        for share in SHARES:
            found = at_capacity(ranking, share)
            told |= {f"{name}@{share:.0%}": found[name] for name in ("precision", "recall", "lift")}
        status_quo = section.status_quo
        if status_quo is not None:
            told["recall of the status quo"] = status_quo.confirmed / float(truth.sum())
            as_many = at_capacity(ranking, status_quo.share)
            told["precision of as many"] = as_many["precision"]
            told["recall of as many"] = as_many["recall"]
        return told

    def bands_hold(self, section: PopulationSection) -> Iterator[bool]:
        """Whether the interval of each band by score holds the share that is confirmable."""
        of = slice(0, section.figures.subjects)
        log_odds = self.scored.log_odds[of]
        for band in section.bands:
            is_in = (log_odds >= band.least) & (log_odds <= band.most)
            if band.share.low is not None and band.share.high is not None:
                truth = float(self.is_confirmable[of][is_in].mean())
                yield band.share.low <= truth <= band.share.high


def traffic_of(scored: ScoredWindow, plan: Plan, rng: np.random.Generator) -> Traffic:
    """What the world of that plan knows of the subjects of a window."""
    ids, drafts = [], []
    for chapter in range(plan.chapters):
        draft = drafted_shipments(plan, chapter, drafted_journeys(plan, chapter))
        ids.append(pd.Index(shipment_ids(draft.number).to_pylist()))
        drafts.append(draft.subjects)
    places = ids[0].append(ids[1:]).get_indexer(scored.data.subject_ids[scored.rows])

    def of(name: str) -> Floats:
        return np.concatenate([getattr(draft, name) for draft in drafts])[places]

    by_typology = [*(t.sensitivity for t in typologies_of("shipment")), HONEST_SENSITIVITY]
    sensitivity = np.array(by_typology)[of("typology").astype(int)]
    is_found = rng.random(len(places)) < sensitivity
    return Traffic(
        scored=without_groups(scored),
        signs={
            name: np.concatenate([draft.signs[name] for draft in drafts])[places]
            for name in drafts[0].signs
        },
        office_share=office_share(rng.random(len(places))),
        true_probability=of("probability"),
        chance=of("probability") * sensitivity,
        is_confirmable=of("truth").astype(np.bool_) & is_found,
    )


def without_groups(scored: ScoredWindow) -> ScoredWindow:
    """The same subjects, of one group: groups take two thirds of a redraw, and are not studied."""
    subjects = scored.data.subjects.assign(
        mode=None, office_id=None, origin_country=None, operator_subjects_before=0
    )
    return replace(scored, data=replace(scored.data, subjects=subjects))


def estimates(section: PopulationSection) -> Iterator[tuple[str, Estimate]]:
    """Every figure that a section gives an interval of."""
    figures, calibration, status_quo = section.figures, section.calibration, section.status_quo
    yield "prevalence", figures.prevalence
    yield "roc_auc", figures.roc_auc
    for at in figures.at_share:
        for name in ("precision", "recall", "lift"):
            yield f"{name}@{at.share:.0%}", getattr(at, name)
    yield "observed over expected", calibration.observed_over_expected
    yield "observed over expected, top 5%", calibration.top_observed_over_expected
    yield "slope", calibration.slope
    if status_quo is not None:
        yield "recall of the status quo", status_quo.recall
        yield "precision of as many", status_quo.model_precision
        yield "recall of as many", status_quo.model_recall


def scored_world(home: Path) -> ScoredWindow:
    """The evaluation window of the challenger."""
    data = TrainingSet.read(home / "training_sets/shipment", "shipment")
    models = ModelHome(home)
    model = RiskModel.read(models.find("tidegate-shipment@challenger"), models.public_key)
    return scored_window(model, data, unseen_window(model, data))


def main(home: Path, world_seed: int, redraws: int) -> None:
    """Print a table for each share that is drawn at random."""
    plan = plan_world(Scenario(), JOURNEYS, DAYS, world_seed)
    traffic = traffic_of(scored_world(home), plan, np.random.default_rng(SEED))
    for at_random in DRAWN_AT_RANDOM:
        rng = np.random.default_rng(SEED)
        scenario = Scenario(random_inspections=at_random)
        sections, in_bands = [], []
        held: dict[str, list[tuple[float, Estimate]]] = defaultdict(list)
        for _ in range(redraws):
            drawn = traffic.come_true_again(rng)
            section = drawn.inspected(rng, scenario)
            truths = drawn.truths(section)
            for figure, estimate in estimates(section):
                held[figure].append((truths[figure], estimate))
            in_bands.extend(drawn.bands_hold(section))
            sections.append(section)
        figures = [section.figures for section in sections]
        print(
            f"\n{at_random:.0%} drawn at random, {redraws} redraws: {figures[0].subjects:,} "
            f"subjects, {np.mean([f.drawn for f in figures]):,.0f} results drawn, worth "
            f"{np.mean([f.effective_size for f in figures]):,.0f} drawn evenly, "
            f"{np.mean([f.certain for f in figures]):,.0f} of tips\n"
        )
        print("| figure | true | bias | holds | width | unknown |")
        print("|---|---|---|---|---|---|")
        for figure, pairs in held.items():
            print(_line(figure, pairs), flush=True)
        print(
            f"\n{len(in_bands) / redraws:.1f} bands by score hold what is true of them "
            f"{np.mean(in_bands):.1%} of the time.",
            flush=True,
        )


def _line(figure: str, pairs: list[tuple[float, Estimate]]) -> str:
    known = np.array(
        [(truth, e.value, e.low, e.high) for truth, e in pairs if e.value is not None], np.float64
    )
    unknown = len(pairs) - len(known)
    if not len(known):
        return f"| {figure} | {np.mean([truth for truth, _ in pairs]):.4f} | | | | {unknown} |"
    truth, value, low, high = known.T
    bias = value.mean() / truth.mean() - 1
    holds = ((low <= truth) & (truth <= high)).mean()
    width = (high - low).mean() / truth.mean()
    return (
        f"| {figure} | {truth.mean():.4f} | {bias:+.1%} | {holds:.1%} | {width:.2f} | {unknown} |"
    )


def _slope(log_odds: Floats, chance: Floats) -> float:
    """The slope of log-odds that fits chances best: each subject counts as both of its ends."""
    ends = np.repeat([1, 0], len(chance))
    line = LogisticRegression(C=np.inf, tol=1e-8)
    line.fit(np.tile(log_odds, 2)[:, None], ends, np.concatenate([chance, 1 - chance]))
    return float(line.coef_[0, 0])


def _with(values: np.ndarray, rows: np.ndarray, new: np.ndarray) -> np.ndarray:
    changed = values.copy()
    changed[rows] = new
    return changed


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int((sys.argv[3:] or ["200"])[0]))
