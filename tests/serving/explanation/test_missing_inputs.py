"""What is missing, and how far each of it could move the score, as the scorer itself says."""

import math
from typing import Any

import numpy as np
import pytest

from features.catalogue import feature_named
from features.input_dependencies import INPUTS, features_fed, filled_by, missing_inputs, shows_input
from serving.explanation.missing_inputs import (
    MIN_ROWS,
    _missing_input,
    _move,
    missing_in_words,
    missing_input_effects,
)
from serving.language import ENGLISH
from serving.models.model_pool import LoadedModel
from tests.serving.bodies import route, shipment, submission
from tests.serving.conftest import Service


@pytest.fixture
def champion(service: Service) -> LoadedModel:
    return service.services.models.champion("shipment")


def vector_of(service: Service, body: dict[str, Any]) -> dict[str, Any]:
    return service.services.history.vectors([submission(body)])[0]


def without_value() -> dict[str, Any]:
    return shipment(declared_value=None, currency=None)


def test_what_is_not_there_is_named_in_the_order_of_the_inputs() -> None:
    body = shipment(declared_value=None, currency=None)
    del body["transactions"]

    missing = missing_inputs(submission(body))

    assert missing == [path for path in INPUTS["shipment"] if path in missing]
    assert {"transactions", "documents.packing_list", "shipment.declared_value"} <= set(missing)
    assert not {"journey", "documents.invoice", "shipment.packages"} & set(missing)
    assert "legs" not in missing_inputs(submission(route()))


def test_a_value_without_its_currency_is_not_there() -> None:
    path = "shipment.declared_value"

    assert path in missing_inputs(submission(shipment(currency=None)))
    assert path not in missing_inputs(submission(shipment()))


@pytest.mark.parametrize("path", ["shipment.declared_value", "transactions"])
def test_the_range_is_that_of_the_scores_with_real_values(
    service: Service, champion: LoadedModel, path: str
) -> None:
    body = without_value() if path == "shipment.declared_value" else shipment()
    body.pop(path, None)
    vector = vector_of(service, body)

    (told,) = missing_input_effects(champion.scorer, vector, [path])

    fed = features_fed("shipment")[path]
    golden = [
        dict(zip(vector, each.values, strict=True)) for each in champion.model.manifest.golden
    ]
    scores = []
    for row in golden:
        if shows_input(fed[0], row[fed[0]]):
            taken = {name: row[name] for name in fed if vector[name] is None or vector[name] == 0}
            encoded, _ = champion.model.encode(vector | taken)
            scores.append(float(champion.scorer.score(encoded[np.newaxis]).probability[0]))
    assert told.rows == len(scores) >= MIN_ROWS
    assert told.low is not None
    assert min(scores) <= told.low < told.high <= max(scores)  # type: ignore[operator]  # not None, as asserted
    log_odds = [math.log(p / (1 - p)) for p in scores]
    for end, share in ((told.low, 0.05), (told.high, 0.95)):
        assert math.log(end / (1 - end)) == pytest.approx(np.quantile(log_odds, share))  # type: ignore[operator]  # not None, as asserted


def test_the_input_that_could_move_the_score_most_stands_first(
    service: Service, champion: LoadedModel
) -> None:
    vector = vector_of(service, without_value())
    now = float(champion.scorer.score(champion.model.encode(vector)[0][np.newaxis]).log_odds[0])
    missing = missing_inputs(submission(without_value()))

    for order in (missing[::-1], missing):
        told = missing_input_effects(champion.scorer, vector, order)
        assert {each.input for each in told} == set(missing)
        moves = [
            max(abs(math.log(end / (1 - end)) - now) for end in (each.low, each.high))
            for each in told
            if each.low is not None and each.high is not None
        ]
        assert moves == sorted(moves, reverse=True)
    most = [each.input for each in told[:3]]
    assert "shipment.declared_value" in most  # undervalued goods are a pattern of the world


def test_what_is_known_stays_as_it_is(service: Service, champion: LoadedModel) -> None:
    vector = vector_of(service, shipment())

    (told,) = missing_input_effects(champion.scorer, vector, ["shipment.goods_description"])

    assert told.low == pytest.approx(told.high)


def test_an_input_fills_only_what_needs_no_other_missing_one() -> None:
    value, mass, net = (f"shipment.{n}" for n in ("declared_value", "gross_mass_kg", "net_mass_kg"))

    assert "unit_value_eur_per_kg" in filled_by("shipment", value, [value])
    assert "unit_value_eur_per_kg" not in filled_by("shipment", value, [value, mass])
    assert "unit_value_eur_per_kg" in filled_by("shipment", mass, [mass, net])
    assert "tare_ratio" not in filled_by("shipment", mass, [mass, net])
    assert "document_count" in filled_by(
        "shipment", "documents.invoice", ["documents.invoice", "documents.manifest"]
    )


def test_fewer_than_five_rows_give_no_range_and_move_nothing() -> None:
    rows = np.array([0.0, 1.0, 2.0, 3.0, 4.0])

    enough, few = (_missing_input("journey", each, ENGLISH) for each in (rows, rows[1:]))

    assert enough.low is not None
    assert (few.low, few.high, few.rows) == (None, None, 4)
    assert (_move(rows, 0.0), _move(rows[1:], 0.0)) == (pytest.approx(3.8), 0.0)


def test_of_an_input_that_no_row_had_nothing_is_said(
    service: Service, champion: LoadedModel
) -> None:
    vector = vector_of(service, shipment())

    (told,) = missing_input_effects(champion.scorer, vector, ["documents.manifest"])

    assert (told.low, told.high, told.rows) == (None, None, 0)


@pytest.mark.parametrize("kind", ["route", "shipment"])
def test_every_input_has_words(kind: Any) -> None:
    words = [missing_in_words(path) for path in INPUTS[kind]]

    assert len(set(words)) == len(words)
    assert all(word.startswith(("the ", "any ")) for word in words)
    assert not any(word.endswith((" id", " kg", " m3", " at")) for word in words)


def test_the_explanation_says_what_could_move_the_score_and_what_reasons_rest_on(
    service: Service,
) -> None:
    caller = service.key("score", "explain")
    body = without_value()
    decision_id = service.score(body, caller).json()["decision_id"]

    answer = service.client.get(f"/v1/decisions/{decision_id}/explanation", headers=caller).json()

    assert "shipment.declared_value" in [e["input"] for e in answer["missing_input_effects"][:3]]
    assert {each["input"] for each in answer["missing_input_effects"]} == set(answer["missing"])
    assert answer["interactions"] is None
    named = {seen["feature"] for reason in answer["reasons"] for seen in reason["evidence"]}
    named |= {fact["feature"] for fact in answer["unweighted"]}
    assert {each["feature"] for each in answer["provenance"]} <= named
    assert all(
        each["words"] for each in answer["provenance"] if each["declared"] or each["records"]
    )
    inspected = answer["inspected"]
    assert inspected["low"] <= inspected["confirmed"] / inspected["subjects"] <= inspected["high"]
    assert inspected["low"] < inspected["high"]
    total = answer["base_log_odds"] + sum(answer["families"].values())
    assert total == pytest.approx(answer["log_odds"], abs=1e-9)
    assert answer["is_unlike_training"] in (True, False)


def test_a_case_beyond_all_of_training_is_called_unlike_it(service: Service) -> None:
    caller = service.key("score", "explain")
    far = shipment(gross_mass_kg=9e9, declared_value=1e12, packages=9_999_999, office_id="XX-never")

    answers = [service.score(body, caller).json() for body in (shipment(), far)]

    assert len(answers[0]["outside_training"]) < len(answers[1]["outside_training"])
    assert answers[1]["is_unlike_training"]
    assert {"declared_value_eur", "mass_kg", "office_id"} <= set(answers[1]["outside_training"])


def test_an_explanation_has_as_many_interactions_as_were_asked_for(service: Service) -> None:
    caller = service.key("score", "explain")
    address = service.score(without_value(), caller).headers["Location"] + "/explanation"

    answer = service.client.get(
        address, headers=caller | {"Accept-Language": "fr"}, params={"interactions": 2}
    ).json()
    too_many = service.client.get(address, headers=caller, params={"interactions": 21})

    sizes = [abs(pair["log_odds"]) for pair in answer["interactions"]]
    assert len(sizes) == 2
    assert sizes == sorted(sizes, reverse=True)
    for pair in answer["interactions"]:
        first, second = map(feature_named, pair["features"])
        assert first.indicator != second.indicator or first.indicator is None
        assert ", avec : " in pair["words"]
        assert ("multiplie" if pair["log_odds"] > 0 else "divise") in pair["words"]
    assert too_many.status_code == 422
