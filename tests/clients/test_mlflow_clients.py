"""MLflow's own clients against `/invocations` and `/endpoints`: with a key, and nothing changed."""

from pathlib import Path
from typing import Any

import httpx2
import pandas as pd
import pytest
from mlflow.deployments import get_deploy_client
from mlflow.pyfunc.scoring_server.client import ScoringServerClient

from tests.clients.conftest import Site


@pytest.fixture
def frame(vector: dict[str, Any]) -> pd.DataFrame:
    return pd.DataFrame([vector] * 2)


@pytest.fixture
def client(site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ScoringServerClient:
    """A client that takes its key from `.netrc`, as it can take none otherwise."""
    host, port = site.host.split(":")
    netrc = tmp_path / ".netrc"
    netrc.write_text(f"machine {host} login tidegate password {site.key('infer')}\n")
    monkeypatch.setenv("NETRC", str(netrc))
    return ScoringServerClient(host, port)


def test_the_scoring_client_scores_a_frame(
    client: ScoringServerClient, frame: pd.DataFrame, decided: dict[str, Any]
) -> None:
    assert frame.isna().any(axis=None)

    client.ping()
    predictions = client.invoke(frame).get_predictions()

    assert predictions[0].tolist() == [decided["probability"]] * 2
    assert client.get_version()


def test_the_scoring_client_scores_rows_with_names_and_reads_why_others_are_refused(
    client: ScoringServerClient, vector: dict[str, Any], decided: dict[str, Any]
) -> None:
    predictions = client.invoke([vector]).get_predictions()

    assert predictions[0].tolist() == [decided["probability"]]
    with pytest.raises(Exception, match="a name for each value"):
        client.invoke([[1.0, 2.0]])


def test_a_deployment_client_predicts_by_the_name_of_a_model(
    site: Site, frame: pd.DataFrame, decided: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_TOKEN", site.key("infer", "explain"))
    inputs = {"dataframe_split": frame.astype(object).where(frame.notna(), None).to_dict("split")}

    answer = get_deploy_client(site.address).predict(endpoint="tidegate-shipment", inputs=inputs)

    assert answer["predictions"] == [decided["probability"]] * 2
    assert answer["explanations"][0]["log_odds"] == decided["log_odds"]


@pytest.mark.parametrize(
    "form", ["inputs by column", "inputs by row", "instances", "records", "CSV"]
)
def test_every_form_scores_alike(
    site: Site, vector: dict[str, Any], frame: pd.DataFrame, decided: dict[str, Any], form: str
) -> None:
    bodies: dict[str, Any] = {
        "inputs by column": {"inputs": {name: [value] * 2 for name, value in vector.items()}},
        "inputs by row": {"inputs": [vector] * 2},
        "instances": {"instances": [vector] * 2},
        "records": {"dataframe_records": [vector] * 2},
    }
    headers = site.headers("infer")
    sent: dict[str, Any] = {"json": bodies.get(form)}
    if form == "CSV":
        sent = {"content": frame.to_csv(index=False)}
        headers |= {"Content-Type": "text/csv"}

    answer = httpx2.post(f"{site.address}/invocations", headers=headers, timeout=60, **sent)

    assert answer.json() == {"predictions": [decided["probability"]] * 2}


@pytest.mark.parametrize("body", ["", "a,b\n1\n", 'a\n"', "a,a\n1,2\n", "\xff"])
def test_what_is_no_table_is_refused(site: Site, body: str) -> None:
    headers = site.headers("infer") | {"Content-Type": "text/csv"}
    content = body.encode("latin-1")

    answer = httpx2.post(f"{site.address}/invocations", content=content, headers=headers)

    assert answer.status_code in {400, 422}


def test_a_password_is_a_key_for_mlflow_alone(site: Site, vector: dict[str, Any]) -> None:
    login = httpx2.BasicAuth("tidegate", site.key("infer", "score"))
    wrong = httpx2.BasicAuth("tidegate", "tg_000000000000.no")
    body = {"dataframe_records": [vector]}

    def status(path: str, auth: httpx2.BasicAuth) -> int:
        return httpx2.post(f"{site.address}{path}", json=body, auth=auth).status_code

    assert status("/invocations", login) == 200
    assert status("/invocations", wrong) == 401
    assert status("/v1/scores", login) == 401
