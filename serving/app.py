"""Assemble the service from its parts."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime

from fastapi import FastAPI
from starlette.routing import BaseRoute
from starlette.staticfiles import StaticFiles

from features.errors import TidegateError
from serving.api import (
    batches,
    case_acts,
    case_attachments,
    cases,
    decisions,
    description,
    entities,
    events,
    features,
    health,
    kill_switches,
    letters,
    messages,
    models,
    notices,
    offices,
    records,
    rescue_calls,
    scores,
)
from serving.api.openapi_document import DESCRIPTION, describe
from serving.audit.impact_assessment import require_assessment
from serving.container import Clock, Services, build_services
from serving.degraded_modes import keep_degradation_metrics
from serving.process.start_stages import StageReport, ignore_stage
from serving.process.worker_metrics import is_shared
from serving.review.rescue.rescue_centres import require_rescue_centres
from serving.settings import Settings
from serving.web.admission import Admission, AdmissionLimits, limited_paths
from serving.web.audit_trail import AuditTrail
from serving.web.head_requests import HeadRequests
from serving.web.hosts import TransportSecurity
from serving.web.html import STATIC
from serving.web.problems import add_problem_handlers
from serving.web.request_ids import RequestIds
from serving.web.routes_on_demand import RoutesOnDemand

# The resources of the API, one module each.
RESOURCES = (
    *(scores, batches, records, messages, decisions),
    *(cases, case_acts, case_attachments, offices, entities),
    *(notices, events),
    *(features, models, health),
    *(kill_switches, rescue_calls, letters, description),
)


def utc_now() -> datetime:
    """Return the present; the service reads the clock nowhere else."""
    return datetime.now(UTC)


def create_app(
    settings: Settings, clock: Clock = utc_now, report: StageReport = ignore_stage
) -> FastAPI:
    """Build the service over one home folder; raises TidegateError if the folder is unusable."""
    if settings.is_live:
        require_assessment(settings.impact, clock().date())
        require_rescue_centres(settings.rescue_centres)
    services = build_services(settings, clock, report)
    app = FastAPI(
        title="Tidegate",
        description=DESCRIPTION,
        lifespan=_lifespan,
        webhooks=events.webhooks,
        openapi_url=None,  # serving/api/description.py serves it, with access control
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        # Built-in telemetry would record paths, and paths contain ids; ours does not.
        telemetry={"tracing": False, "metrics": False, "logs": False},
    )
    app.state.services, app.state.failures = services, None
    routes = [route for resource in RESOURCES for route in resource.router.routes]
    # Not include_router: it copies every route and makes each request match twice.
    app.router.routes.extend(routes)
    app.mount("/console/static", StaticFiles(directory=STATIC), name="static")
    app.router.routes.append(RoutesOnDemand(_exchange_routes, below="/taxii2/"))
    app.router.routes.append(RoutesOnDemand(_page_routes))
    add_problem_handlers(app)
    app.add_middleware(AuditTrail, services=services)
    app.add_middleware(HeadRequests)
    app.add_middleware(RequestIds, metrics=services.metrics)
    if settings.telemetry:
        _trace(app)
    app.add_middleware(
        Admission,
        paths=limited_paths(routes),
        limits=AdmissionLimits.from_settings(settings),
        metrics=services.metrics,
    )
    # The middleware added last runs first: no other part sees a request for a foreign host.
    app.add_middleware(TransportSecurity, hosts=settings.known_hosts)
    describe(app, settings.public_address)
    return app


def _page_routes() -> list[BaseRoute]:
    from serving.console.all_pages import page_routes

    return page_routes()


def _exchange_routes() -> list[BaseRoute]:
    """Return the calls of partner agencies; none without the extra `exchange`."""
    try:
        from serving.exchange.taxii import router
    except ModuleNotFoundError as error:
        if error.name != "stix2":
            raise
        return []
    return router.routes


def _trace(app: FastAPI) -> None:
    try:
        from serving.web.request_tracing import Tracing, exporting_provider

        app.add_middleware(Tracing, provider=exporting_provider())
    except ImportError:
        raise TidegateError(
            "OTEL_EXPORTER_OTLP_ENDPOINT needs the extra: pip install 'tidegate[telemetry]'"
        ) from None


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    """Start the services, and stop them at the end.

    An error while stopping is appended to `app.state.failures` if the starter set a list there: the
    server would only print an exception raised here, and exit as if all was well.
    """
    services: Services = app.state.services
    services.start()
    metrics_task = asyncio.create_task(keep_degradation_metrics(services)) if is_shared() else None
    try:
        yield
    finally:
        if metrics_task:
            metrics_task.cancel()
        try:
            services.stop()
        except Exception as failure:  # of any part
            if app.state.failures is None:
                raise
            app.state.failures.append(failure)
