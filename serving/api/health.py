"""Health and metrics: liveness, readiness, and the figures for Prometheus.

No key is needed, except for metrics that are read from another machine.
"""

from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime
from typing import Annotated, Any, Literal, get_args

from fastapi import APIRouter, Depends, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST
from pydantic import Field

from features.records import SUBJECT_KINDS, SubjectKind
from serving.api.openapi import BEARER, described_problem, problems
from serving.container import Services
from serving.degraded_modes import (
    DegradedMode,
    degradations,
    failing_threads,
    set_degradation_metrics,
)
from serving.errors import LogUnavailable, Unavailable
from serving.integrity.audit_log import EventFilter
from serving.integrity.checkpoints import Checkpoint
from serving.models.errors import NoModel
from serving.observability import KeptEvent
from serving.outbox.feeds import Condition
from serving.process.background_threads import ThreadFault
from serving.process.worker_metrics import exposed
from serving.review.cases.case_records import CaseAccess
from serving.scoring.batcher import NOBODY_DECIDES
from serving.storage.repositories.checkpoint_repository import CheckpointRepository
from serving.triage.lane_declarations import QUEUE_RANK
from serving.web.authentication import require_known_caller
from serving.web.bodies import ClosedModel
from serving.web.hosts import is_on_this_machine
from serving.web.services import TheServices

router = APIRouter(tags=["health"])

NOT_READY = described_problem("503", "No score can be given now; the detail says what is lacking.")


class Live(ClosedModel):
    """The process answers."""

    status: Literal["live"] = "live"


class FailingThread(ClosedModel):
    """A background thread of the answering worker that has stopped working."""

    thread: str = Field(description="Its purpose.", examples=["case-opening"])
    fault: ThreadFault = Field(
        description="`dead`: it ended; `stuck`: it has shown nothing for ten minutes."
    )


class Ready(ClosedModel):
    """The service can decide: model versions by kind (null: that kind is decided without one)."""

    status: Literal["ready", "degraded"]
    is_live: bool = Field(description="True in live use; false in a trial.")
    degraded: list[DegradedMode] = Field(
        description="In which ways the service is less than whole."
    )
    models: dict[SubjectKind, str | None]
    decisions: int
    witnesses_behind: list[int] = Field(
        description="The witnesses that did not take the last checkpoints, by their place in "
        "`TIDEGATE_WITNESS`, from 1."
    )
    failing_threads: list[FailingThread] = Field(
        description="Background threads that have stopped working; a restart of the "
        "process begins them again."
    )


@router.get("/health/live")
def read_liveness() -> Live:
    """Return 200 while the process answers."""
    return Live()


@router.get("/health/ready", responses={"503": NOT_READY})
def read_readiness(services: TheServices) -> Ready:
    """Return 200 if decisions can be made and stored; a 503 problem says what is missing."""
    degraded = _degradations(services)
    # No answer without a durable decision (docs/adr/0004-log-before-answer.md).
    if "log_not_written" in degraded:
        raise LogUnavailable("the decision log is not being written")
    failing = failing_threads(services)
    if failing.get(services.batcher.thread.called) == "dead":
        raise Unavailable(NOBODY_DECIDES)
    pool = services.models
    if not pool.champions():
        raise NoModel("no model is ready; run `tidegate train` and `tidegate promote`")
    answering = pool.active_champions()
    models = {
        kind: answering[kind].version if kind in answering else None for kind in SUBJECT_KINDS
    }
    return Ready(
        status="degraded" if degraded else "ready",
        is_live=services.settings.is_live,
        degraded=degraded,
        models=models,
        decisions=services.decisions.size(),
        witnesses_behind=services.witnesses.behind,
        failing_threads=[
            FailingThread(thread=called, fault=fault) for called, fault in failing.items()
        ],
    )


def _degradations(services: Services) -> list[DegradedMode]:
    """Return the degraded modes now; another process may have restored missing history."""
    degraded = degradations(services)
    if "history_missing" not in degraded:
        return degraded
    with suppress(Unavailable):
        services.history.refresh_counts()
    return degradations(services)


async def require_monitor(request: Request, services: TheServices) -> None:
    """Raise NotSignedIn without a key, except for listed addresses and this machine in a trial."""
    if services.settings.is_live or not is_on_this_machine(request):
        await require_known_caller(request, services)


MayMonitor = Annotated[None, Depends(require_monitor)]


FIGURES: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "Figures, a line each.",
        "content": {"text/plain": {"schema": {"type": "string"}}},
    }
}


@router.get(
    "/metrics",
    response_class=Response,
    responses=FIGURES | problems(),
    openapi_extra={"security": [{}, *BEARER]},
)
def read_metrics(services: TheServices, _: MayMonitor) -> Response:
    """Return counts and times of all workers in Prometheus' text format.

    In a trial, this machine needs no key if there is no proxy. Otherwise send any live key, ideally
    one with the scope `monitor`, or call from an address in `TIDEGATE_OPEN_NETWORKS`.
    """
    set_degradation_metrics(services)
    for lane, ratio in services.lanes.capacity_used(services.clock()).items():
        services.metrics.capacity_used_ratio.labels(lane).set(ratio)
    _set_case_metrics(services)
    _set_webhook_metrics(services)
    _set_kept_metrics(services)
    return Response(exposed(services.metrics.registry), media_type=CONTENT_TYPE_LATEST)


def _set_webhook_metrics(services: Services) -> None:
    """Set the number of webhook endpoints by condition, or keep the old ones without a database."""
    with suppress(LogUnavailable):
        conditions = Counter(state.condition for _, state in services.webhooks.live())
        # Also those without endpoints, or their old counts would stay.
        for condition in get_args(Condition):
            services.metrics.webhook_endpoints.labels(condition).set(conditions[condition])


def _set_kept_metrics(services: Services) -> None:
    """Set when what an operator must keep was last kept, or leave it without the database."""
    with suppress(LogUnavailable):
        for event, at in _last_kept(services):
            services.metrics.tell_kept(event, at.timestamp() if at else 0.0)


def _last_kept(services: Services) -> Iterator[tuple[KeptEvent, datetime | None]]:
    """Yield when each was last kept; None for one that ought to be and never was."""
    store = services.checkpoints
    newest = _checkpoint(store, store.newest_number())
    if newest is not None:
        yield "checkpoint", datetime.fromisoformat(newest.signed_at)
        backups = EventFilter(
            action="backup", object_kind="database", object_ids=(newest.database_id,)
        )
        made = services.audit_events.newest(backups, 1)
        yield "backup", made[0].at if made else None
    if names := services.witnesses.receivers():
        taken = _checkpoint(store, min(map(store.handed_over, names)))
        yield "witnessed", datetime.fromisoformat(taken.signed_at) if taken else None
    reports = filter(None, map(services.rollups.newest_report_at, SUBJECT_KINDS))
    if oldest := min(reports, default=None):
        yield "monitoring", oldest


def _checkpoint(store: CheckpointRepository, number: int) -> Checkpoint | None:
    return next(iter(store.after(number - 1, 1)), None) if number > 0 else None


def _set_case_metrics(services: Services) -> None:
    """Set the gauges of cases: waiting and overdue ones by lane, and the oldest age.

    Without the database they keep their last values.
    """
    load, now, metrics = services.case_load, services.clock(), services.metrics
    with suppress(LogUnavailable):
        metrics.cases.labels("unopened", "").set(services.case_store.count_unopened())
        # Access covers one side at a time, and the gauges count both.
        for is_rescue in (False, True):
            access = CaseAccess(frozenset(), is_rescue=is_rescue)
            oldest = load.oldest_waiting(access, now)
            waiting = load.count_waiting(QUEUE_RANK, access, now)
            for lane, count in waiting.items():
                metrics.cases.labels("waiting", lane).set(count)
                overdue = load.count_overdue(lane, now)
                metrics.cases.labels("overdue", lane).set(overdue)
                # Zero without a waiting case, or the last age would stay.
                since = oldest.get(lane, now)
                metrics.oldest_case_seconds.labels(lane).set((now - since).total_seconds())
