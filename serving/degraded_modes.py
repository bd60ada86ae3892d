"""Degraded modes: what the service does in each, and which are active now.

Each has a name that `/health/ready` lists and `/metrics` counts, a row in `docs/conditions.md`, and
a test that provokes it.
"""

import asyncio
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Literal, get_args

from serving.container import MAX_CLOCK_DRIFT_S, Services
from serving.errors import ServingError
from serving.models.model_pool import MODEL_NAMES, ModelPool
from serving.process.background_threads import ThreadFault
from serving.settings import Settings

METRICS_INTERVAL_S = 1.0

# A scrape and the timer both set the metrics; the lock keeps older values from overwriting newer.
_SETTING = threading.Lock()

DegradedMode = Literal[
    "log_not_written",
    "log_not_sealed",
    "disk_reserve_reached",
    "thread_failing",
    "witness_behind",
    "model_missing",
    "model_refused",
    "models_off",
    "history_missing",
    "requests_turned_away",
    "clock_suspect",
    "rescoring_behind",
    "rescue_not_called",
    "rescue_not_acknowledged",
]

MEANINGS: dict[DegradedMode, str] = {
    "log_not_written": "The last decisions could not be made durable. Scores are refused with 503 "
    "until they can be; nothing that was answered is lost.",
    "log_not_sealed": "The last checkpoint could not be kept. Scores go on; until it can, a cut "
    "off end of the log would go unnoticed.",
    "disk_reserve_reached": "The disk of the home has fewer free bytes than "
    "512 MiB. Attachments, messages and records in bulk are refused with "
    "507, so that what is left is for decisions, which go on. Make room, or give the disk more.",
    "thread_failing": "A thread beside the requests has died, or has shown nothing for ten "
    "minutes: what it does is left undone, or late. Scores go on, but where it is the one that "
    "decides. `/health/ready` names it; a new start of the process begins it again.",
    "witness_behind": "A witness did not take the last checkpoints. Scores go on; what it lacks is "
    "handed over when it takes it. `/health/ready` says which are behind.",
    "model_missing": "No model of a kind is promoted, or none that was could be believed. Subjects "
    "of that kind are decided without a score, by signs of danger to life, watch-lists, rules and "
    "the lot, and never by a default score; the other kind is scored.",
    "model_refused": "The version that was named last failed its checks, or none is named any "
    "more. The one before it keeps answering.",
    "models_off": "Somebody switched the models of a kind off. Subjects of that kind are decided "
    "without a score until somebody switches them on again; `/v1/switches` says who and why.",
    "history_missing": "The service knows fewer than half of the records of some type that a model "
    "was trained on, so that its features are not those the model learnt from. Scores go on, and "
    "say so; who knows of the missing history lays its record files in HOME/records and runs "
    "`tidegate state rebuild`.",
    "requests_turned_away": "As many requests are here as can be answered soon. The rest get a 503 "
    "with Retry-After at once.",
    "clock_suspect": "The clock of this machine jumped, or is behind what was decided last. "
    "Decisions keep their order, which no clock decides; their times may be wrong.",
    "rescoring_behind": "Subjects of which something became known wait for more than a minute to "
    "be looked at again, and calls for help may be among them. Scores by call go on.",
    "rescue_not_called": "A rescue centre did not take a call. It is made again until it does; "
    "the case stands first in the queue all the same. Call by telephone.",
    "rescue_not_acknowledged": "A rescue centre took a call, and no person has acknowledged it in "
    "time. It goes on to the next address until somebody does. Call by telephone.",
}


def degradations(services: Services) -> list[DegradedMode]:
    """Return the active modes in declaration order."""
    current = set(_current_modes(services))
    return [mode for mode in get_args(DegradedMode) if mode in current]


def free_disk_bytes(home: Path) -> int:
    """Return the free bytes for this user on the disk of the home; 0 if it is gone."""
    try:
        return shutil.disk_usage(home).free
    except OSError:
        return 0


def is_disk_reserve_reached(settings: Settings) -> bool:
    """Return True if the remaining disk space is reserved for decisions."""
    return free_disk_bytes(settings.home) < settings.disk_reserve_bytes


def require_disk_reserve(settings: Settings) -> None:
    """Raise ServingError if the remaining disk space is reserved for decisions."""
    if is_disk_reserve_reached(settings):
        raise ServingError(
            "the disk is almost full, and what is left is kept for decisions; nothing of this was "
            "kept: ask whoever runs the service to make room",
            code="disk-reserve-reached",
        )


def failing_threads(services: Services) -> dict[str, ThreadFault]:
    """Return the fault of each dead or stuck background thread, by name."""
    faults = {each.called: each.fault() for each in services.background_threads}
    failing = {called: fault for called, fault in sorted(faults.items()) if fault is not None}
    # The state writer is not a BackgroundThread and reports its state through the history.
    return failing | ({"state-writer": "stuck"} if services.history.is_stuck else {})


def set_degradation_metrics(services: Services) -> None:
    """Set the metrics of degraded modes, requests in flight and the queue."""
    with _SETTING:
        _set_metrics(services)


def _set_metrics(services: Services) -> None:
    current = degradations(services)
    for mode in MEANINGS:
        services.metrics.degraded.labels(mode).set(mode in current)
    failing = failing_threads(services)
    for called in ("state-writer", *(each.called for each in services.background_threads)):
        for fault in get_args(ThreadFault):
            is_so = failing.get(called) == fault
            services.metrics.failing_threads.labels(called, fault).set(is_so)
    services.metrics.tell_models(
        (MODEL_NAMES[kind], champion.version)
        for kind, champion in services.models.active_champions().items()
    )
    services.metrics.requests.in_flight.set(services.metrics.requests.inside)
    services.metrics.queue_depth.set(services.batcher.depth)


async def keep_degradation_metrics(services: Services) -> None:
    """Set those metrics every second, so that another worker's scrape finds current values."""
    while True:
        set_degradation_metrics(services)
        await asyncio.sleep(METRICS_INTERVAL_S)


def _current_modes(services: Services) -> Iterator[DegradedMode]:
    yield from _modes_of_log(services)
    assessor = services.assessor
    yield from _modes_of_models(assessor.models)
    if any(map(assessor.is_history_missing, assessor.models.champions().values())):
        yield "history_missing"
    if is_disk_reserve_reached(services.settings):
        yield "disk_reserve_reached"
    if services.metrics.requests.inside >= services.settings.max_in_flight:
        yield "requests_turned_away"
    now = services.clock()
    is_behind = services.decisions.seconds_behind(now) > MAX_CLOCK_DRIFT_S
    if is_behind or services.start_clock.has_jumped(now):
        yield "clock_suspect"
    if services.rescoring.is_behind:
        yield "rescoring_behind"
    if services.rescue_calls and services.rescue_calls.is_refused:
        yield "rescue_not_called"
    if services.rescue_calls and services.rescue_calls.is_unheard:
        yield "rescue_not_acknowledged"


def _modes_of_log(services: Services) -> Iterator[DegradedMode]:
    writer = services.log_writer
    if writer.has_failed or not writer.is_alive:
        yield "log_not_written"
    if writer.checkpoints.has_failed:
        yield "log_not_sealed"
    if failing_threads(services):
        yield "thread_failing"
    if services.witnesses.behind:
        yield "witness_behind"


def _modes_of_models(models: ModelPool) -> Iterator[DegradedMode]:
    if len(models.champions()) < len(MODEL_NAMES):
        yield "model_missing"
    # A refused champion without an earlier model is reported as `model_missing` instead.
    if any(seat[0] != "champion" or seat[1] in models.champions() for seat in models.refused):
        yield "model_refused"
    if models.kill_switch.kinds_off:
        yield "models_off"
