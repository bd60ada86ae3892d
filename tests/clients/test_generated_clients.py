"""Clients that generators make of the description: they score, page, and read problems."""

import importlib
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from typer.testing import CliRunner

from serving.api.examples import ROUTE, SHIPMENT
from tests.clients.conftest import Site

NAME = "generated_tidegate"


@pytest.fixture(scope="module")
def generated(document: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A package that openapi-python-client makes, importable as `generated_tidegate`."""
    from openapi_python_client.cli import app

    folder = tmp_path_factory.mktemp("generated")
    (folder / "openapi.json").write_text(json.dumps(document))
    (folder / "settings.yaml").write_text("post_hooks: []\n")
    made = CliRunner().invoke(
        app,
        [
            *("generate", "--path", str(folder / "openapi.json")),
            *("--output-path", str(folder / NAME), "--meta", "none"),
            *("--config", str(folder / "settings.yaml")),
        ],
    )
    assert made.exit_code == 0, made.output
    # The one thing it cannot do is to send NDJSON; no call is left out.
    assert made.output.count("WARNING") == made.output.count("Unsupported content type") == 1
    sys.path.insert(0, str(folder))
    yield folder
    sys.path.remove(str(folder))


def part(name: str) -> ModuleType:
    return importlib.import_module(f"{NAME}.{name}")


@pytest.fixture
def client(generated: Path, site: Site) -> Any:
    key = site.key("score", "explain", "review")
    return part("client").AuthenticatedClient(
        site.address, key, raise_on_unexpected_status=True, timeout=60
    )


def call(tag: str, name: str, **arguments: Any) -> Any:
    return part(f"api.{tag}.{name}").sync(**arguments)


def submission(body: dict[str, Any]) -> Any:
    return part("models").Submission.from_dict(body)


def shipment(number: str) -> Any:
    return submission(SHIPMENT | {"shipment": SHIPMENT["shipment"] | {"shipment_id": number}})


def test_a_generated_client_scores_and_reads_the_decision(client: Any) -> None:
    body = submission(SHIPMENT)

    answer = call("scores", "score_subject", client=client, body=body, idempotency_key="g-1")
    again = call("decisions", "read_decision", client=client, decision_id=answer.decision_id)

    assert type(answer).__name__ == "ExplainedDecisionAnswer"
    assert answer.subject_id == SHIPMENT["shipment"]["shipment_id"]
    assert again.probability == answer.probability


def test_a_generated_client_loses_no_answer_of_a_batch(client: Any) -> None:
    wrong = submission(SHIPMENT | {"shipment": SHIPMENT["shipment"] | {"hs_code": "8903"}})
    batch = [submission(SHIPMENT), wrong, submission(ROUTE)]

    answers = call("scores", "score_subjects", client=client, body=batch, idempotency_key="g-2")

    assert [each.status for each in answers] == [200, 422, 200]
    kinds = [type(each.answer).__name__ for each in answers]
    assert kinds == ["ExplainedDecisionAnswer", "Problem", "ExplainedDecisionAnswer"]
    assert answers[1].answer.errors[0].pointer == "/shipment/hs_code"


def test_a_generated_client_pages_through_cases_and_decisions(client: Any) -> None:
    batch = [shipment(f"G-{number}") for number in range(12)]
    call("scores", "score_subjects", client=client, body=batch, idempotency_key="g-3")

    seen, cursor = [], part("types").UNSET
    while cursor is not None:
        page = call("decisions", "list_decisions", client=client, limit=5, cursor=cursor)
        seen += [each.decision_id for each in page.decisions]
        cursor = page.next_
    assert len(seen) == len(set(seen)) >= 12

    page = call("review", "list_cases", client=client, limit=1)
    assert len(page.cases) <= 1


def test_a_generated_client_reads_a_problem(client: Any) -> None:
    wrong = submission(SHIPMENT | {"shipment": SHIPMENT["shipment"] | {"hs_code": "8903"}})

    problem = call("scores", "score_subject", client=client, body=wrong, idempotency_key="g-4")
    unknown = call("decisions", "read_decision", client=client, decision_id="x")

    assert (problem.type_, problem.status) == ("/problems/submission-refused", 422)
    assert problem.errors[0].pointer == "/shipment/hs_code"
    assert unknown.status == 404
