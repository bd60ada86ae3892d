"""Feature vectors by MLflow's and the Open Inference protocol: the scores of `/v1/scores` alone."""

from typing import Any

import pytest

from tests.serving.bodies import shipment
from tests.serving.conftest import Service

NAME = "tidegate-shipment"


@pytest.fixture
def decided(service: Service) -> dict[str, Any]:
    """A decision with its explanation: what the same vector must score."""
    answer: dict[str, Any] = service.score(shipment(), service.key("score", "explain")).json()
    return answer


def vector(decided: dict[str, Any]) -> dict[str, Any]:
    return {part["feature"]: part["value"] for part in decided["contributions"]}


def records(decided: dict[str, Any], rows: int = 2) -> dict[str, Any]:
    return {"dataframe_records": [vector(decided)] * rows}


def split(decided: dict[str, Any]) -> dict[str, Any]:
    turned = list(reversed(vector(decided).items()))
    names, values = [name for name, _ in turned], [value for _, value in turned]
    return {"dataframe_split": {"columns": names, "data": [values, values], "index": [0, 1]}}


def inputs(decided: dict[str, Any], rows: int = 2) -> list[dict[str, Any]]:
    return [
        {
            "name": name,
            "datatype": "BYTES" if isinstance(value, str) else "FP64",
            "shape": [rows, 1],
            "data": [value] * rows,
        }
        for name, value in vector(decided).items()
    ]


@pytest.mark.parametrize("body", [records, split])
def test_mlflow_clients_get_the_probabilities(
    service: Service, decided: dict[str, Any], body: Any
) -> None:
    answer = service.client.post("/invocations", json=body(decided), headers=service.key("infer"))

    assert answer.json() == {"predictions": [decided["probability"]] * 2}
    assert service.client.get("/ping").status_code == 200


def test_mlflow_clients_who_may_know_get_the_explanation(
    service: Service, decided: dict[str, Any]
) -> None:
    caller = service.key("infer", "explain")

    answer = service.client.post("/invocations", json=records(decided), headers=caller).json()

    parts = {each["feature"]: each["contribution"] for each in decided["contributions"]}
    assert len(answer["explanations"]) == 2
    for explanation in answer["explanations"]:
        assert explanation["contributions"] == parts
        assert explanation["log_odds"] == decided["log_odds"]
        assert explanation["base_log_odds"] == decided["base_log_odds"]


def test_inference_clients_get_what_they_may_have(
    service: Service, decided: dict[str, Any]
) -> None:
    address = f"/v2/models/{NAME}/infer"
    body = {"id": "a-1", "inputs": inputs(decided)}

    plain = service.client.post(address, json=body, headers=service.key("infer")).json()
    told = service.client.post(address, json=body, headers=service.key("infer", "explain")).json()

    assert plain == {
        "model_name": NAME,
        "model_version": "1",
        "id": "a-1",
        "outputs": [
            {
                "name": "probability",
                "datatype": "FP64",
                "shape": [2],
                "data": [decided["probability"]] * 2,
            }
        ],
    }
    outputs = {each["name"]: each for each in told["outputs"]}
    assert outputs["log_odds"]["data"] == [decided["log_odds"]] * 2
    assert outputs["contributions"]["shape"] == [2, len(decided["contributions"])]
    parts = [each["contribution"] for each in decided["contributions"]]
    assert outputs["contributions"]["data"] == parts * 2


def test_an_output_that_explains_needs_the_scope(service: Service, decided: dict[str, Any]) -> None:
    body = {"inputs": inputs(decided), "outputs": [{"name": "contributions"}]}
    address = f"/v2/models/{NAME}/infer"

    refused = service.client.post(address, json=body, headers=service.key("infer"))
    given = service.client.post(address, json=body, headers=service.key("infer", "explain"))

    assert refused.status_code == 403
    assert [each["name"] for each in given.json()["outputs"]] == ["contributions"]


def test_a_model_tells_its_inputs_in_order(service: Service, decided: dict[str, Any]) -> None:
    caller = service.key("infer")

    told = service.client.get(f"/v2/models/{NAME}", headers=caller).json()

    assert [each["name"] for each in told["inputs"]] == list(vector(decided))
    assert told["versions"] == ["1"]
    for address, status in {
        f"/v2/models/{NAME}/ready": 200,
        f"/v2/models/{NAME}/versions/1": 200,
        f"/v2/models/{NAME}/versions/2": 404,
        "/v2/models/another": 404,
        "/v2/health/live": 200,
        "/v2/health/ready": 200,
        "/v2": 200,
    }.items():
        assert service.client.get(address, headers=caller).status_code == status, address


@pytest.mark.parametrize("change", ["renamed", "left out", "added", "text", "list", "twice"])
def test_vectors_that_do_not_fit_are_refused(
    service: Service, decided: dict[str, Any], change: str
) -> None:
    given = inputs(decided)
    number = next(each for each in given if each["datatype"] == "FP64")
    if change == "renamed":
        number["name"] += "_"
    elif change == "left out":
        given.remove(number)
    elif change == "added":
        given.append({**number, "name": "another"})
    elif change == "text":
        number["data"] = ["1", "2"]
    elif change == "list":
        number["data"] = [[1, 1], [2]]
    else:
        given.append(number)
    caller = service.key("infer")

    answer = service.client.post(f"/v2/models/{NAME}/infer", json={"inputs": given}, headers=caller)
    invoked = service.client.post(
        "/invocations",
        json={"dataframe_split": {"columns": [e["name"] for e in given], "data": rows(given)}},
        headers=caller,
    )

    assert (answer.status_code, invoked.status_code) == (422, 422), answer.text


def rows(given: list[dict[str, Any]]) -> list[list[Any]]:
    return [list(row) for row in zip(*(each["data"] for each in given), strict=True)]


@pytest.mark.parametrize(
    "body",
    [
        {},
        [],
        {"dataframe_records": []},
        {"dataframe_records": [1]},
        {"dataframe_split": {"columns": ["a"], "data": [[1, 2]]}},
        {"inputs": [1]},
        {"instances": [[1]]},
    ],
    ids=str,
)
def test_what_is_no_vector_is_refused(service: Service, body: Any) -> None:
    answer = service.client.post("/invocations", json=body, headers=service.key("infer"))

    assert answer.status_code == 422


def test_a_vector_makes_no_decision(service: Service, decided: dict[str, Any]) -> None:
    before = service.services.decisions.size()
    service.client.post("/invocations", json=records(decided), headers=service.key("infer"))

    assert service.services.decisions.size() == before


def test_too_many_vectors_are_refused(service: Service, decided: dict[str, Any]) -> None:
    body = {"dataframe_records": [vector(decided)] * 1_001}

    answer = service.client.post("/invocations", json=body, headers=service.key("infer"))

    assert answer.status_code == 413
