"""What a correction is said to weigh: the odds of the same case with one paper mended."""

import math
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from features.submission import Submission
from serving.review.letters.corrections import CorrectionScorer
from serving.review.letters.own_declarations import OwnDeclarations
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


def filed(**stated: Any) -> dict[str, Any]:
    paper = {
        "document_id": "D-9",
        "kind": "packing_list",
        "issuer_id": "c-0012",
        "number": "N-1",
        "received_at": "2026-11-23T10:00:00Z",
    }
    return paper | stated


def differences(*papers: dict[str, Any], audience: Any = "consignee") -> list[tuple[str, str]]:
    body = shipment(gross_mass_kg=1_000.0, packages=12, declarant_id="c-0012")
    body["journey"]["declared_cargo_mass_kg"] = 1_108_521.2
    own = OwnDeclarations.from_submission(submission(body | {"documents": [*papers]}), audience)
    given: Any = SimpleNamespace(subject_kind="shipment", submission=own.submission)
    found = CorrectionScorer({}, Papers()).corrections(given, own)
    return [(each.paper, each.stated) for each in found]


def test_one_consignments_mass_is_not_compared_with_the_load_of_its_conveyance() -> None:
    manifest = filed(kind="manifest", issuer_id="k-3", gross_mass_kg=5_483.9)

    assert differences(manifest, audience="carrier") == []


@pytest.mark.parametrize(
    "same", [{"document_id": "D-9"}, {"document_id": "D-10"}, {"document_id": "X", "version": 3}]
)
def test_the_newest_version_of_a_paper_is_compared_alone(same: dict[str, Any]) -> None:
    older = filed(gross_mass_kg=900.0)
    newer = filed(gross_mass_kg=1_100.0) | {"version": 2} | same

    found = differences(older, newer)

    assert found == [(f"the packing list N-1, version {newer['version']}", "gross mass 1,100 kg")]
    assert differences(newer, older) == found
    assert differences(older, newer | {"gross_mass_kg": 1_000.0}) == []
    assert differences(older, newer | {"withdrawn": True}) == []


@pytest.mark.parametrize(
    "paper",
    [
        {"kind": "permit", "gross_mass_kg": 5_000.0},
        {"kind": "bill_of_lading", "gross_mass_kg": 5_000.0, "consignee_id": "c-0012"},
    ],
)
def test_what_is_allowed_or_covers_more_is_compared_with_nothing(paper: dict[str, Any]) -> None:
    assert differences(filed(**paper)) == []


def test_each_of_several_papers_may_cover_a_part() -> None:
    parts = (
        filed(gross_mass_kg=400.0),
        filed(document_id="D-10", number="N-2", gross_mass_kg=600.0),
    )

    assert differences(*parts) == []
    assert len(differences(parts[0])) == 1


@pytest.mark.parametrize(
    "changed",
    [
        {"kind": "bill_of_lading"},
        {"consignee_id": "c-1"},
        {"issuer_id": "k-4"},
        {"gross_mass_kg": 5_000.0},
    ],
)
def test_a_load_is_compared_with_the_carriers_one_whole_manifest(changed: dict[str, Any]) -> None:
    manifest = filed(kind="manifest", issuer_id="k-3", gross_mass_kg=6_000.0)
    other = manifest | {"document_id": "D-11", "number": "N-3"}

    def found(*papers: dict[str, Any]) -> int:
        body = route(declared_cargo_mass_kg=5_000.0) | {"documents": [*papers]}
        own = OwnDeclarations.from_submission(submission(body), "carrier")
        given: Any = SimpleNamespace(subject_kind="route", submission=own.submission)
        return len(CorrectionScorer({}, Papers()).corrections(given, own))

    assert found(manifest) == 1
    assert found(manifest | changed) == 0
    assert found(manifest, other) == 0
