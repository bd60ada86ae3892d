"""Columns that honest subjects and movements of networks share."""

from dataclasses import dataclass, fields

import numpy as np

from features.records import SubjectKind
from synthetic import inspection
from synthetic.chance import Flags, Floats, Ints
from synthetic.networks.catalogue import typologies_of
from synthetic.networks.life import HONEST_RATE, Movements, office_share
from synthetic.plan import Plan
from synthetic.rows import stacked
from synthetic.signs import HONEST, Signs, drawn_signs
from synthetic.tips import tip_probability

HIGHEST_HONEST_PROBABILITY = 0.03
# The usual chance to find what somebody smuggles without a network.
HONEST_SENSITIVITY = 0.7


@dataclass(frozen=True)
class Subjects:
    """One row per subject; `network` and `typology` are HONEST outside of networks."""

    network: Ints
    typology: Ints
    epoch: Ints
    probability: Floats
    truth: Flags
    found: Ints
    selected_by: Ints
    selection_probability: Floats
    signs: Signs


def honest_and_moved(
    plan: Plan,
    rng: np.random.Generator,
    kind: SubjectKind,
    moves: Movements,
    *,
    carelessness: Floats,
    exposure: Floats,
    lane: Ints,
    day: Ints,
) -> Subjects:
    """Return honest subjects, one per value of `carelessness`, then movements of networks.

    `exposure` is the probability of a tip about each honest subject, `lane` and `day` are its own.
    """
    moved = Subjects(**{f.name: getattr(moves, f.name) for f in fields(Subjects)})
    sensitivity = inspection.sensitivity(plan.scenario, HONEST_SENSITIVITY, lane, day)
    return stacked([_honest(plan, rng, kind, carelessness, exposure, sensitivity), moved])


def _honest(
    plan: Plan,
    rng: np.random.Generator,
    kind: SubjectKind,
    carelessness: Floats,
    exposure: Floats,
    sensitivity: Floats,
) -> Subjects:
    """Return subjects of honest operators, a very few of whom smuggle independently."""
    number = len(carelessness)
    none = np.full(number, HONEST)
    # Careless operators also smuggle on their own account more often.
    probability = np.minimum(HONEST_RATE * carelessness, HIGHEST_HONEST_PROBABILITY)
    signs = drawn_signs(
        rng,
        kind,
        carelessness=carelessness * plan.scenario.honest_mistakes,
        typology=none,
        strength=np.zeros(number),
        payment_epoch=np.zeros(number, dtype=np.int64),
    )
    selection = inspection.selected(
        rng,
        kind,
        plan.scenario,
        signs=signs,
        office_share=office_share(rng.random(number)),
        tip_probability=tip_probability(plan.scenario, exposure, probability),
    )
    truth = rng.random(number) < probability
    return Subjects(
        network=none,
        typology=none,
        epoch=np.zeros(number, dtype=np.int64),
        probability=probability,
        truth=truth,
        found=inspection.found(rng, truth, sensitivity),
        selected_by=selection.by,
        selection_probability=selection.probability,
        signs=signs,
    )


def fronts_of(kind: SubjectKind, subjects: Subjects, rng: np.random.Generator) -> Flags:
    """Return a mask of subjects that run under a network's own shell instead of an honest firm."""
    often = np.array([*(t.fronts for t in typologies_of(kind)), 0.0])
    return rng.random(len(subjects.typology)) < often[subjects.typology]
