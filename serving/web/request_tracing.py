"""OpenTelemetry spans for requests (`OTEL_EXPORTER_OTLP_ENDPOINT`).

This needs the extra `telemetry`; OpenTelemetry's own variables (`OTEL_…`) configure the export.
A span holds method, route, status and request id. Like a log line, it holds no path, body or
party.
"""

from opentelemetry.propagate import extract
from opentelemetry.trace import SpanKind, Status, StatusCode, TracerProvider
from starlette.types import ASGIApp, Message, Receive, Scope, Send


class Tracing:
    """Middleware that opens one span per request, as a child of the caller's `traceparent`."""

    def __init__(self, app: ASGIApp, provider: TracerProvider):
        self._app = app
        self._tracer = provider.get_tracer("tidegate")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request through within a span."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        # Extract only the two headers of W3C Trace Context; others, such as baggage, may carry
        # data.
        sent = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        parent = extract(
            {name: sent[name] for name in ("traceparent", "tracestate") if name in sent}
        )
        with self._tracer.start_as_current_span("request", parent, SpanKind.SERVER) as span:

            async def send_with_status(message: Message) -> None:
                if message["type"] == "http.response.start":
                    span.set_attribute("http.response.status_code", message["status"])
                    if message["status"] >= 500:
                        span.set_status(Status(StatusCode.ERROR))
                await send(message)

            await self._app(scope, receive, send_with_status)
            route = getattr(scope.get("route"), "path", "unknown")
            span.update_name(f"{scope['method']} {route}")
            span.set_attribute("http.request.method", scope["method"])
            span.set_attribute("http.route", route)
            span.set_attribute("tidegate.request_id", scope.get("state", {}).get("request_id", ""))


def exporting_provider() -> TracerProvider:
    """Return a provider that exports spans by OTLP; raises ImportError without `telemetry`."""
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider as Provider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    provider = Provider(resource=Resource.create({"service.name": "tidegate"}))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    return provider
