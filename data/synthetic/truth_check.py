"""Measure how the truth of a world lies: tips, parties that were confirmed before, concentration.

Everything is read from a world's files. Subjects are compared by their true probability, which
varies less by chance than what came true.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from synthetic.chance import Ints

Tables = dict[str, pd.DataFrame]
MIN_SUBJECTS = 100  # tips or subjects on which a claim is judged
PARTIES = {
    "route": ("carrier_id", "conveyance_id"),
    "shipment": ("consignee_id", "consignor_id", "declarant_id", "forwarder_id"),
}
REPEATERS = {"route": ("carrier_id",), "shipment": ("consignee_id", "consignor_id")}
RECENT, LONG_AGO = pd.Timedelta(days=60), pd.Timedelta(days=180)
MOST_OF_THE_TRUTH = 0.9


def subjects_with_truth(tables: Tables, kind: str) -> pd.DataFrame:
    """Return a kind's subjects by id, in order of declaration, with their truth and outcome."""
    name = "journeys" if kind == "route" else "shipments"
    subjects = tables[name].set_index("journey_id" if kind == "route" else "shipment_id")
    oracle = tables["oracle"].query("subject_kind == @kind").set_index("subject_id")
    outcomes = tables["outcomes"].query("subject_kind == @kind").set_index("subject_id")
    known = outcomes[["selected_by", "result", "known_at"]].add_prefix("outcome_")
    joined = subjects.join(oracle[["true_probability", "typology"]]).join(known)
    return joined.sort_values("declared_at", kind="stable")


def tip_findings(subjects: pd.DataFrame, party: str) -> dict[str, float]:
    """Return how often tips are right, the smuggling that they cover, and how they cluster.

    `in_clusters` is the share of tips with another one about the same party within the same week,
    `in_clusters_by_chance` the share if the same number of tips fell on random subjects.
    """
    is_tipped = (subjects.outcome_selected_by == "intelligence").to_numpy()
    is_true = subjects.typology.notna().to_numpy()
    week = (subjects.declared_at - subjects.declared_at.min()).dt.days // 7
    group = subjects.groupby([subjects[party], week], sort=False).ngroup().to_numpy()
    drawn = np.random.default_rng(1).permutation(is_tipped)
    return {
        "share": float(is_tipped.mean()),
        "right": float(is_true[is_tipped].mean()),
        "of_smuggling": float(is_tipped[is_true].mean()),
        "in_clusters": _with_another(group[is_tipped]),
        "in_clusters_by_chance": _with_another(group[drawn]),
    }


def _with_another(groups: Ints) -> float:
    return float((pd.Series(groups).groupby(groups).transform("size") > 1).mean())


def effect_of_confirmation(subjects: pd.DataFrame, party: str) -> dict[str, float]:
    """Return the factor on true probability after a confirmed result of the same party is known.

    `factor` compares with subjects without one; `recent` and `long_ago` count only those whose
    party's newest confirmation is at most 60 or at least 180 days old.
    """
    known = subjects[["declared_at", party, "true_probability"]].dropna(subset=[party])
    confirmed = subjects[subjects.outcome_result == "confirmed"][
        [party, "outcome_known_at"]
    ].dropna()
    newest = pd.merge_asof(
        known.reset_index(drop=True),
        confirmed.sort_values("outcome_known_at"),
        left_on="declared_at",
        right_on="outcome_known_at",
        by=party,
        allow_exact_matches=False,
    )
    ago = newest.declared_at - newest.outcome_known_at
    risk = newest.true_probability
    without = risk[ago.isna()].mean()
    return {
        "subjects": int(ago.notna().sum()),
        "factor": float(risk[ago.notna()].mean() / without),
        "recent": float(risk[ago <= RECENT].mean() / without),
        "long_ago": float(risk[ago >= LONG_AGO].mean() / without),
    }


def traffic_with_most_truth(subjects: pd.DataFrame) -> float:
    """Return the smallest share of traffic with nine tenths of the true probability."""
    risk = np.sort(subjects.true_probability.to_numpy())[::-1]
    return float((np.cumsum(risk) < MOST_OF_THE_TRUTH * risk.sum()).mean())


@dataclass(frozen=True)
class Claim:
    """A claim about a world: a value, and the bounds that it should keep."""

    name: str
    value: float
    low: float
    high: float
    subjects: float

    @property
    def holds(self) -> bool | None:
        """Return None where too few subjects can tell."""
        if self.subjects < MIN_SUBJECTS:
            return None
        return self.low <= self.value <= self.high


def truth_claims(tables: Tables) -> list[Claim]:
    """Return the claims about the truth of a world of the second edition."""
    claims = []
    for kind, (main, *_) in PARTIES.items():
        subjects = subjects_with_truth(tables, kind)
        tips = tip_findings(subjects, main)
        number = round(tips["share"] * len(subjects))
        claims += [
            Claim(f"{kind}: share of tips that are right", tips["right"], 0.10, 0.25, number),
            Claim(f"{kind}: smuggling that tips cover", tips["of_smuggling"], 0.03, 0.10, number),
            Claim(
                f"{kind}: tips in clusters beyond chance",
                tips["in_clusters"] - tips["in_clusters_by_chance"],
                0.05,
                1.0,
                number,
            ),
            Claim(
                f"{kind}: share of traffic with nine tenths of the truth",
                traffic_with_most_truth(subjects),
                0.08,
                1.0,
                len(subjects),
            ),
        ]
        effects = {party: effect_of_confirmation(subjects, party) for party in REPEATERS[kind]}
        claims += [
            Claim(
                f"{kind}: factor on risk after a confirmation of the same {party}",
                *(effect["factor"], 2.0, 6.0, effect["subjects"]),
            )
            for party, effect in effects.items()
        ]
        # Of all parties together, because few are confirmed that long before.
        recent, long_ago = (
            np.mean([effect[when] for effect in effects.values()])
            for when in ("recent", "long_ago")
        )
        claims.append(
            Claim(
                f"{kind}: this factor within {RECENT.days} days against after {LONG_AGO.days}",
                float(recent / long_ago),
                1.2,
                np.inf,
                min(effect["subjects"] for effect in effects.values()),
            )
        )
    return claims
