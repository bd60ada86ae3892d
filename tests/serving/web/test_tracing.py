"""Traces: one span per request, joined to the caller's, and nothing in it that came in a body."""

import sys
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from features.errors import TidegateError
from serving.app import create_app
from serving.settings import Settings
from serving.web.request_tracing import Tracing
from tests.serving.bodies import shipment
from tests.serving.conftest import Service

CANARY = "canary4417"


@pytest.fixture
def spans(service: Service) -> InMemorySpanExporter:
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    app: Any = service.client.app
    service.client.app = Tracing(app, provider)
    service.client._transport.app = service.client.app  # type: ignore[attr-defined]  # of another transport
    return exporter


def test_a_request_is_one_span_within_the_callers_trace(
    service: Service, spans: InMemorySpanExporter
) -> None:
    trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    caller = {**service.key("score"), "traceparent": f"00-{trace}-00f067aa0ba902b7-01"}

    answer = service.score(shipment(consignee_id=CANARY), caller)
    (span,) = spans.get_finished_spans()

    assert span.name == "POST /v1/scores"
    assert f"{span.context.trace_id:032x}" == trace
    assert span.attributes is not None
    assert span.attributes["http.response.status_code"] == 200
    assert span.attributes["tidegate.request_id"] == answer.headers["X-Request-ID"]
    assert CANARY not in span.to_json()


def test_without_the_extra_the_setting_is_refused(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = "opentelemetry.exporter.otlp.proto.http.trace_exporter"
    monkeypatch.setitem(sys.modules, name, None)

    with pytest.raises(TidegateError, match="telemetry"):
        create_app(Settings(home=home, telemetry=True))
