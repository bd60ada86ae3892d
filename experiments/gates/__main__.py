"""Answers of gates to scores that are right and wrong: `python -m experiments.gates --help`.

Traffic is drawn without records: groups of Zipf sizes in five groupings, log-odds of smuggling, a
champion that knows them but for noise, and inspections of the champion's highest and of a few drawn
by lot. A year has 40,000 subjects.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated

import numpy as np
import pandas as pd
import typer
from scipy.special import expit

from experiments.gates.hidden_knowledge import leak_rows, uninspected_rows
from training.estimation.inspected_sample import InspectedSample, inspected_sample
from training.evaluation.group_referrals import MIN_SUBJECTS, referrals_of
from training.evaluation.groups import masks
from training.gates.comparison_gate import mean_recall_of, no_worse
from training.gates.group_gate import on_groups
from training.gates.verdict import Answer
from training.outcomes import Bools
from training.ranking import Floats, Ints

SUBJECTS, CONFIRMED = 40_000, 150
GROUPS = {"mode": 4, "office": 40, "operator": 4, "origin": 50, "region of origin": 6}
# Log-odds of smuggling: their mean and spread without groups; noise of a champion.
MEAN, SPREAD, NOISE = -5.2, 1.5, 1.0
# Who of the champion's highest twentieth, and who of the others, is inspected.
INSPECTED_HIGHEST, INSPECTED_BY_LOT, HIGHEST = 0.6, 0.01, 0.05
RAISED = (1.5, 5.0)
# Challengers in a row against one champion, and the noise by which they differ from the truth.
IN_A_ROW, NOISES = 12, {"as good as the champion": 0.28, "worse by about the margin": 0.9}


class Table(StrEnum):
    """A table of the notes."""

    GROUPS = "groups"
    CHAMPION = "champion"
    SERIES = "series"
    UNINSPECTED = "uninspected"
    LEAK = "leak"


@dataclass(frozen=True, eq=False)
class Year:
    """A year of traffic: groups of each subject, log-odds of smuggling, a champion, and results."""

    groups: dict[str, "pd.Series[str]"]
    truth: Floats
    champion: Floats
    sample: InspectedSample

    @classmethod
    def draw(cls, rng: np.random.Generator, effect: float) -> "Year":
        """Draw a year in which log-odds of groups differ by `effect` (standard deviation)."""
        groups, truth = {}, rng.normal(MEAN, SPREAD, SUBJECTS)
        for by, count in GROUPS.items():
            sizes = 1 / np.arange(1, count + 1) ** 1.1
            codes = rng.choice(count, SUBJECTS, p=sizes / sizes.sum())
            truth += effect * rng.normal(size=count)[codes]
            groups[by] = pd.Series(codes).astype(str)
        champion = truth + NOISE * rng.normal(size=SUBJECTS)
        is_highest = np.argsort(np.argsort(-champion)) < HIGHEST * SUBJECTS
        chance = np.where(is_highest, INSPECTED_HIGHEST, INSPECTED_BY_LOT)
        is_inspected = rng.random(SUBJECTS) < chance
        is_smuggling = (rng.random(SUBJECTS) < expit(truth)).astype(np.float64)
        sample = inspected_sample(
            np.where(is_inspected, is_smuggling, np.nan),
            np.array([None, "model"], dtype=object)[is_inspected.astype(int)],
            np.where(is_inspected, chance, np.nan),
        )
        return cls(groups, truth, champion, sample)

    def named_groups(self) -> Iterator[tuple[str, str, Bools]]:
        """Yield each group by grouping, name and mask."""
        for by, groups in self.groups.items():
            for name, mask in masks(groups, MIN_SUBJECTS):
                yield by, name, mask

    def verdict(self, log_odds: Floats) -> Answer:
        """Return the verdict of the groups gate on scores."""
        return on_groups(referrals_of(self.named_groups(), self.sample, log_odds), SUBJECTS).verdict


def run(
    table: Annotated[Table, typer.Argument(help="A table of the notes.")],
    years: Annotated[int, typer.Option(min=1, help="Redraws of each row.")] = 60,
    seed: Annotated[int, typer.Option(help="Of the first redraw.")] = 1,
) -> None:
    """Print how often a gate passes, refuses or leaves open what is right and what is wrong."""
    rows = {
        Table.GROUPS: group_rows,
        Table.CHAMPION: champion_rows,
        Table.SERIES: series_rows,
        Table.UNINSPECTED: uninspected_rows,
        Table.LEAK: leak_rows,
    }[table]
    for case, found in rows(years, seed):
        shares = (
            f"{found[each] / found.total():6.1%}" for each in ("passed", "undecided", "refused")
        )
        typer.echo(f"{case:<62}" + "".join(f"{share:>9}" for share in shares))


def group_rows(years: int, seed: int) -> Iterator[tuple[str, "Counter[Answer]"]]:
    """Yield answers on scores that are fair, on the truth, and on one group's scores raised."""
    for effect in (0.0, 0.2, 0.4):
        fair, truth, raised = Counter[Answer](), Counter[Answer](), Counter[Answer]()
        confirmed = 0.0
        for number in range(years):
            rng = np.random.default_rng([seed, number])
            year = Year.draw(rng, effect)
            confirmed += year.sample.labels.sum() / years
            fair[year.verdict(year.champion)] += 1
            truth[year.verdict(year.truth)] += 1
            named = [mask for _, _, mask in year.named_groups()]
            mask = named[rng.integers(len(named))]
            raised[year.verdict(year.champion + rng.uniform(*RAISED) * mask)] += 1
        where = f"groups differ by {effect:.1f}, {confirmed:.0f} confirmed"
        yield f"{where}: the champion", fair
        yield f"{where}: the truth", truth
        yield f"{where}: a group raised by {RAISED[0]} to {RAISED[1]}", raised


def champion_rows(years: int, seed: int) -> Iterator[tuple[str, "Counter[Answer]"]]:
    """Yield answers on models of other noise than the champion's, by the number confirmed."""
    for confirmed in (30, 49, 100, CONFIRMED):
        for noise in (0.28, 0.9, 1.2):
            found, losses = Counter[Answer](), []
            for number in range(years):
                rng = np.random.default_rng([seed, number])
                truth, smuggling, labels = _known_smuggling(rng, confirmed)
                champion, model = (truth + sd * rng.normal(size=len(truth)) for sd in (0.28, noise))
                found[no_worse(labels, model, champion).verdict] += 1
                reached = mean_recall_of(model) - mean_recall_of(champion)
                losses.append(-reached[smuggling].mean())
            yield f"{confirmed} confirmed, mean recall lower by {np.mean(losses):.3f}", found


def series_rows(years: int, seed: int) -> Iterator[tuple[str, "Counter[Answer]"]]:
    """Yield the best answer of challengers in a row, each judged as the first and in its place."""
    for confirmed in (49, CONFIRMED):
        for kind, noise in NOISES.items():
            alone, in_place = Counter[Answer](), Counter[Answer]()
            for number in range(years):
                rng = np.random.default_rng([seed, number])
                truth, _, labels = _known_smuggling(rng, confirmed)
                champion = truth + 0.28 * rng.normal(size=len(truth))
                models = [truth + noise * rng.normal(size=len(truth)) for _ in range(IN_A_ROW)]
                for found, is_counted in ((alone, False), (in_place, True)):
                    answers = {
                        no_worse(labels, model, champion, None, place if is_counted else 1).verdict
                        for place, model in enumerate(models, 1)
                    }
                    found["passed" if "passed" in answers else "undecided"] += 1
            where = f"{confirmed} confirmed, any of {IN_A_ROW} {kind}"
            yield f"{where}: each alone", alone
            yield f"{where}: in its place", in_place


def _known_smuggling(rng: np.random.Generator, confirmed: int) -> tuple[Floats, Ints, Floats]:
    """Draw log-odds of traffic, the rows that smuggle, and labels of as many as are confirmed."""
    truth = rng.normal(-6.0, 1.8, SUBJECTS // 2)
    smuggling = np.flatnonzero(rng.random(len(truth)) < expit(truth))
    labels = np.full(len(truth), np.nan)
    labels[rng.choice(smuggling, confirmed, replace=False)] = 1.0
    return truth, smuggling, labels


if __name__ == "__main__":
    typer.run(run)
