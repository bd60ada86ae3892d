"""What a correction is said to weigh: the odds of the same case with one paper mended."""

import math
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from features.submission import Submission
from serving.review.corrections import CorrectionScorer
from serving.review.own_declarations import OwnDeclarations
from tests.serving.bodies import route, shipment, submission

WEIGHTS = {"document_mass_difference_ratio": 0.75, "mass_kg": 0.5, "consignee_shipments_30d": 2.0}


class Papers:
    """Vectors in which one feature follows the invoice's mass; the rest is history."""

    def vectors(self, submissions: Any) -> list[Any]:
        return [self.vector(each) for each in submissions]

    @staticmethod
    def vector(of: Submission) -> dict[str, float | str | None]:
        assert of.shipment
        assert of.shipment.gross_mass_kg
        stated = of.documents[0].gross_mass_kg or of.shipment.gross_mass_kg
        difference = abs(stated - of.shipment.gross_mass_kg) / of.shipment.gross_mass_kg
        return {
            "document_mass_difference_ratio": difference,
            "mass_kg": of.shipment.gross_mass_kg,
            "consignee_shipments_30d": 3.0,  # by now; one at the time of the decision
        }


def champion(digest: str = "sha256:1") -> Any:
    """A model that is a weighted sum."""
    model = SimpleNamespace(
        digest=digest, encode=lambda v: (np.array([v[name] for name in WEIGHTS]), None)
    )

    def score(rows: Any) -> Any:
        return SimpleNamespace(log_odds=rows @ np.array([*WEIGHTS.values()]))

    return SimpleNamespace(model=model, scorer=SimpleNamespace(score=score))


def decided(of: Submission, **stored: float) -> Any:
    vector = Papers.vector(of) | {"consignee_shipments_30d": 1.0} | stored
    result = SimpleNamespace(model=SimpleNamespace(digest="sha256:1"))
    return SimpleNamespace(subject_kind="shipment", submission=of, vector=vector, result=result)


def papered(**stated: Any) -> Submission:
    body = shipment(gross_mass_kg=1_000.0)
    body["documents"][0] |= {"issuer_id": "c-0012", **stated}
    return submission(body)


def factors(of: Submission, decision: Any = None, **champions: Any) -> list[float | None]:
    known = champions or {"shipment": champion()}
    scorer = CorrectionScorer(known, Papers())  # type: ignore[arg-type]  # by kind
    own = OwnDeclarations.from_submission(of, "consignee")
    return [each.odds_factor for each in scorer.corrections(decision or decided(of), own)]


def test_the_odds_change_by_what_the_paper_alone_moves_and_by_nothing_of_since() -> None:
    of = papered(gross_mass_kg=1_200.0)

    assert factors(of) == [pytest.approx(math.exp(-0.75 * 0.2))]


def test_where_what_was_scored_is_not_what_is_computed_now_nothing_is_said() -> None:
    of = papered(gross_mass_kg=1_200.0)

    assert factors(of, decided(of, document_mass_difference_ratio=0.3)) == [None]


def test_another_model_is_not_asked() -> None:
    of = papered(gross_mass_kg=1_200.0)

    assert factors(of, shipment=champion("sha256:2")) == [None]
    assert factors(of, route=champion()) == [None]


@pytest.mark.parametrize(
    "stated",
    [
        {"gross_mass_kg": 1_000.0},
        {},
        {"value": 1.0, "currency": "USD"},
        {"gross_mass_kg": 1_200.0, "issuer_id": "k-3"},
        {"gross_mass_kg": 1_200.0, "issuer_id": None},
    ],
)
def test_a_paper_that_agrees_or_is_anothers_is_no_correction(stated: dict[str, Any]) -> None:
    assert factors(papered(**stated)) == []


def test_a_carrier_corrects_its_manifest_and_nothing_of_a_shipment() -> None:
    body = route(declared_cargo_mass_kg=5_000.0)
    manifest = {
        "document_id": "D-2",
        "kind": "manifest",
        "issuer_id": "k-3",
        "received_at": "2026-11-23T10:00:00Z",
        "gross_mass_kg": 6_000.0,
    }
    body["documents"] = [manifest]
    own = OwnDeclarations.from_submission(submission(body), "carrier")
    nothing: Any = SimpleNamespace(subject_kind="route", submission=own.submission)
    scorer = CorrectionScorer({}, Papers())

    (correction,) = scorer.corrections(nothing, own)

    assert (correction.stated, correction.declared) == (
        "gross mass 6,000 kg",
        "declared cargo mass 5,000 kg",
    )
    of_shipment = shipment()
    of_shipment["documents"][0] |= {"issuer_id": "k-3", "gross_mass_kg": 9.0}
    carried = OwnDeclarations.from_submission(submission(of_shipment), "carrier")
    assert scorer.corrections(nothing, carried) == ()
