"""Findings that inspections report: offences, amounts, methods and depth.

Honest traffic has offences other than smuggling, such as forged papers or a missing licence. Some
inspections find one of those, but no smuggling.
"""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from features.offences import Offence
from features.records import Depth, Examination, SubjectKind
from synthetic.chance import Flags, Floats, Ints
from synthetic.networks.catalogue import typologies_of

UNORGANISED: dict[SubjectKind, tuple[Offence, ...]] = {
    "route": ("migrant_smuggling", "tobacco", "cash"),
    "shipment": ("undervaluation", "counterfeit", "tobacco", "wildlife"),
}
OTHERS: tuple[Offence, ...] = ("document_fraud", "other", "trafficking_in_persons")
OTHERS_SHARE: dict[SubjectKind, tuple[float, ...]] = {
    "route": (0.45, 0.5, 0.05),
    "shipment": (0.6, 0.4, 0.0),
}
WITH_FORGED_PAPERS = 0.15

# By whether something was found: a closer look finds more.
EXAMINED_SHARE = {True: (0.7, 0.15, 0.15), False: (0.5, 0.4, 0.1)}
EXAMINED: tuple[Examination, ...] = ("physical", "scan", "canine")
FULL_SHARE = {True: 0.65, False: 0.35}
MASS_OFFENCES = ("drugs", "arms", "tobacco", "excise", "counterfeit", "wildlife", "waste")


@dataclass(frozen=True)
class Findings:
    """Findings of each inspection; texts are None and amounts NaN if not reported."""

    offences: list[str | None]
    found_mass_kg: Floats
    found_persons: Floats
    examination: list[Examination]
    depth: list[Depth]

    def columns(self) -> dict[str, pa.Array]:
        """Return the columns for outcome records."""
        persons = pa.array(self.found_persons, mask=np.isnan(self.found_persons))
        return {
            "offences": pa.array(self.offences, pa.string()),
            "found_mass_kg": pa.array(self.found_mass_kg, mask=np.isnan(self.found_mass_kg)),
            "found_persons": persons.cast(pa.int64()),
            "examination": pa.array(self.examination, pa.string()),
            "depth": pa.array(self.depth, pa.string()),
        }


def stated_findings(
    rng: np.random.Generator,
    kind: SubjectKind,
    typology: Ints,
    *,
    is_confirmed: Flags,
    is_other_offence: Flags,
) -> Findings:
    """Return the findings of inspections; `typology` is negative without a network."""
    rows = len(typology)
    draws = rng.random((rows, 4))
    main = _main_offences(kind, typology, draws[:, 0])
    others = [OTHERS[at] for at in rng.choice(len(OTHERS), rows, p=OTHERS_SHARE[kind])]
    has_forged = draws[:, 1] < WITH_FORGED_PAPERS
    offences: list[str | None] = [
        (f"{own} document_fraud" if forged else own) if found else other if is_other else None
        for own, forged, found, other, is_other in zip(
            main, has_forged, is_confirmed, others, is_other_offence, strict=True
        )
    ]
    has_mass = is_confirmed & np.isin(main, MASS_OFFENCES)
    has_persons = is_confirmed & (np.array(main) == "migrant_smuggling")
    return Findings(
        offences=offences,
        found_mass_kg=np.where(has_mass, rng.lognormal(4.5, 1.3, rows).round(1), np.nan),
        found_persons=np.where(has_persons, 1.0 + rng.poisson(6.0, rows), np.nan),
        examination=_examinations(rng, is_confirmed),
        depth=[
            "full" if draw < FULL_SHARE[bool(found)] else "partial"
            for draw, found in zip(draws[:, 2], is_confirmed, strict=True)
        ],
    )


def _main_offences(kind: SubjectKind, typology: Ints, draws: Floats) -> list[Offence]:
    """Return one of the offence classes of each typology, drawn evenly."""
    classes = [*(each.offences for each in typologies_of(kind)), UNORGANISED[kind]]
    return [
        classes[row][int(draw * len(classes[row]))]
        for row, draw in zip(typology.tolist(), draws.tolist(), strict=True)
    ]


def _examinations(rng: np.random.Generator, is_confirmed: Flags) -> list[Examination]:
    draws = rng.random(len(is_confirmed))
    ends = {found: np.cumsum(EXAMINED_SHARE[found])[:-1] for found in (True, False)}
    return [
        EXAMINED[int(np.searchsorted(ends[bool(found)], draw, side="right"))]
        for found, draw in zip(is_confirmed, draws, strict=True)
    ]
