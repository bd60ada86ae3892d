"""Columns that honest subjects and movements of networks share."""

from dataclasses import dataclass, fields

import numpy as np

from features.records import SubjectKind
from synthetic import inspection
from synthetic.actors import CARRIER, CONSIGNEE, carelessness, proneness, smallness
from synthetic.chance import Flags, Floats, Ints
from synthetic.networks.catalogue import typologies_of
from synthetic.networks.life import Movements, office_share
from synthetic.plan import Plan
from synthetic.rows import stacked
from synthetic.signs import HONEST, Signs, drawn_signs
from synthetic.tips import exposure_of_firms, tip_probability

HIGHEST_HONEST_PROBABILITY = 0.15
SHOWN = 8.0  # a firm that carries something at probability p makes 1 + 8 p times the usual mistakes
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
    slot: Ints,
    corridor: Ints,
    day: Ints,
) -> Subjects:
    """Return subjects of honest firms, then movements of networks.

    `slot` is the firm behind each of both: the carrier of a route, the consignee of a shipment.
    """
    moved = Subjects(**{f.name: getattr(moves, f.name) for f in fields(Subjects)})
    number = len(slot) - len(moves.at_day)
    honest = _honest(plan, rng, kind, slot[:number], corridor[:number], day[:number])
    return stacked([honest, moved])


def _honest(
    plan: Plan, rng: np.random.Generator, kind: SubjectKind, slot: Ints, corridor: Ints, day: Ints
) -> Subjects:
    """Return subjects of honest operators, some of whom smuggle on their own account."""
    scenario, number = plan.scenario, len(slot)
    role = CARRIER if kind == "route" else CONSIGNEE
    careless = carelessness(plan.seed, role, slot)
    prone = proneness(plan.seed, role, slot, day, scenario.proneness_spread)
    if scenario.proneness_spread:
        prone *= smallness(plan.actors, role, slot)
    exposure = exposure_of_firms(scenario, plan.seed, role, slot, corridor, day)
    none = np.full(number, HONEST)
    # Careless operators also smuggle on their own account more often.
    probability = np.minimum(
        scenario.base_rate * scenario.unorganised * careless * prone,
        HIGHEST_HONEST_PROBABILITY,
    )
    signs = drawn_signs(
        rng,
        kind,
        carelessness=careless * scenario.honest_mistakes * (1 + SHOWN * probability),
        typology=none,
        strength=np.zeros(number),
        payment_epoch=np.zeros(number, dtype=np.int64),
    )
    selection = inspection.selected(
        rng,
        kind,
        scenario,
        signs=signs,
        office_share=office_share(rng.random(number)),
        tip_probability=tip_probability(scenario, exposure, probability),
    )
    truth = rng.random(number) < probability
    return Subjects(
        network=none,
        typology=none,
        epoch=np.zeros(number, dtype=np.int64),
        probability=probability,
        truth=truth,
        found=inspection.found(
            rng,
            truth,
            inspection.sensitivity(scenario, HONEST_SENSITIVITY, plan.ways.lane[corridor], day),
        ),
        selected_by=selection.by,
        selection_probability=selection.probability,
        signs=signs,
    )


def fronts_of(kind: SubjectKind, subjects: Subjects, rng: np.random.Generator) -> Flags:
    """Return a mask of subjects that run under a network's own shell instead of an honest firm."""
    often = np.array([*(t.fronts for t in typologies_of(kind)), 0.0])
    return rng.random(len(subjects.typology)) < often[subjects.typology]
