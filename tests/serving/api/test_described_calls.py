"""Calls as the description allows and forbids them, made by somebody else's generator."""

from collections import Counter
from contextlib import suppress
from typing import Any, get_args

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from serving.access.roles import Scope
from tests.counts import count
from tests.serving.conftest import Service

EXAMPLES = count(4, 200)
"""Of each call, as often right as wrong."""

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]


@pytest.mark.faults
@pytest.mark.parametrize("mode", list(GenerationMode), ids=lambda mode: mode.value)
def test_every_call_answers_as_it_is_described(service: Service, mode: GenerationMode) -> None:
    document: Any = service.client.get("/openapi.json").json()
    caller = service.key(*get_args(Scope))
    statuses: Counter[int] = Counter()

    for found in schemathesis.openapi.from_dict(document).get_all_operations():
        call = found.ok()

        @seed(20261124)
        @settings(
            max_examples=EXAMPLES,
            phases=[Phase.generate],
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
        )
        @given(case=call.as_strategy(generation_mode=mode))
        def answers_as_described(case: schemathesis.Case) -> None:
            sent = case.as_transport_kwargs(base_url=str(service.client.base_url))
            sent.pop("cookies")
            sent["headers"] = {**sent["headers"], **caller, "Tidegate-Purpose": "risk_assessment"}
            response = service.client.request(**sent)
            statuses[response.status_code] += 1
            case.validate_response(response, checks=CHECKS)

        with suppress(Unsatisfiable):  # nothing about some calls can be wrong
            answers_as_described()

    assert statuses[200] > 0
    if mode == GenerationMode.NEGATIVE:
        assert sum(statuses[status] for status in (400, 404, 415, 422)) > statuses[200]
