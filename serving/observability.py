"""Logging and metrics: structured log lines without bodies, and domain metrics.

A log line contains ids of requests, keys and decisions, routes and durations; never a body, a
header, a query or a party.
"""

import logging
import platform
import sys
from collections.abc import Iterable
from contextlib import suppress
from importlib.metadata import version
from typing import BinaryIO, Generic, Literal, TypeVar, cast

import orjson
import structlog
from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    disable_created_metrics,
)

from features.subject_types import SUBJECT_TYPES
from serving.audit.decision import Decision

SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
SIZES = (1, 2, 4, 8, 16, 32, 64, 128, 256)
# Finds are rare, so the bounds are densest at low probabilities.
PROBABILITIES = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 0.9)


def log_as_json() -> None:
    """Write log lines as JSON to stderr, with times in UTC."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.JSONRenderer(serializer=orjson.dumps),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        # orjson encodes to bytes, so the lines are written as bytes too.
        logger_factory=structlog.BytesLoggerFactory(cast("BinaryIO", LogLines(sys.stderr.buffer))),
        cache_logger_on_first_use=True,
    )


class LogLines:
    """A file of log lines; a line that cannot be written is dropped, so that no request fails."""

    def __init__(self, file: BinaryIO):
        self._file = file

    def write(self, line: bytes) -> None:
        """Write a line; ignores I/O errors such as a full disk."""
        with suppress(OSError):
            self._file.write(line)

    def flush(self) -> None:
        """Flush the file."""
        with suppress(OSError):
            self._file.flush()


T = TypeVar("T", Counter, Histogram)

Area = Literal["scores", "api", "console", "other"]
KeptEvent = Literal["checkpoint", "witnessed", "backup", "monitoring"]

# When a series began is known from the start of the process, and would be a third of a scrape.
disable_created_metrics()  # type: ignore[no-untyped-call]  # prometheus_client has no types


class Metrics:
    """The metrics of one application, in a registry of its own."""

    def __init__(self) -> None:
        # The global registry would not allow two applications in one process.
        self.registry = own = CollectorRegistry()
        self.requests = RequestMetrics(own)
        self.decisions = DecisionMetrics(own)
        self.shadow_scores_left_out = Counter(
            "tidegate_shadow_scores_left_out",
            "Decisions that no shadow or challenger scored",
            registry=own,
        )
        # livemax: workers of two releases, or with two versions of a model, both show theirs.
        build = Gauge(
            "tidegate_build_info",
            "1; the release that answers, and its Python",
            ("version", "python"),
            registry=own,
            multiprocess_mode="livemax",
        )
        build.labels(version("tidegate"), platform.python_version()).set(1)
        self._models = Gauge(
            "tidegate_model_info",
            "1 for the versions of models that score now",
            ("model", "version"),
            registry=own,
            multiprocess_mode="livemax",
        )
        self._models_told: set[tuple[str, str]] = set()
        self._kept_at = Gauge(
            "tidegate_last_timestamp_seconds",
            "When the newest checkpoint, witnessed checkpoint, backup or monitoring report was "
            "made; 0 if it is wanted and never was",
            ("of",),
            registry=own,
            multiprocess_mode="livemax",
        )
        # livemax: a mode counts as active if any live worker reports it.
        self.degraded = Gauge(
            "tidegate_degraded",
            "1 while the service is less than whole",
            ("mode",),
            registry=own,
            multiprocess_mode="livemax",
        )
        self.failing_threads = Gauge(
            "tidegate_failing_threads",
            "1 while a thread beside the requests is dead, or has shown nothing for ten minutes",
            ("thread", "fault"),
            registry=own,
            multiprocess_mode="livemax",
        )
        # livemostrecent: every worker reads this from the shared database, so the newest value
        # counts.
        self.capacity_used_ratio = Gauge(
            "tidegate_capacity_used_ratio",
            "Part of the capacity of all offices that their last whole days used, up to 14",
            ("lane",),
            registry=own,
            multiprocess_mode="livemostrecent",
        )
        self.cases = Gauge(
            "tidegate_cases",
            "Cases that wait for a person, by lane; of these overdue; decisions without their case",
            ("state", "lane"),
            registry=own,
            multiprocess_mode="livemostrecent",
        )
        self.oldest_case_seconds = Gauge(
            "tidegate_oldest_case_seconds",
            "Age of the oldest case that waits for a person, by lane",
            ("lane",),
            registry=own,
            multiprocess_mode="livemostrecent",
        )
        self.webhook_endpoints = Gauge(
            "tidegate_webhook_endpoints",
            "Endpoints of webhooks, by how they fare",
            ("condition",),
            registry=own,
            multiprocess_mode="livemostrecent",
        )
        self._webhook_calls = Counter(
            "tidegate_webhook_calls", "Calls to endpoints of webhooks", ("answer",), registry=own
        )
        # livesum: every worker has a queue of its own.
        self.queue_depth = Gauge(
            "tidegate_queue_depth",
            "Requests that wait to be decided, or their decision to be durable",
            registry=own,
            multiprocess_mode="livesum",
        )
        self.commit_size = Histogram(
            "tidegate_commit_size", "Decisions made durable together", buckets=SIZES, registry=own
        )
        self.commit_seconds = Histogram(
            "tidegate_commit_seconds", "Until a group was durable", buckets=SECONDS, registry=own
        )

    def tell_models(self, answering: Iterable[tuple[str, str]]) -> None:
        """Set the models that score now, each with its version; former ones become 0."""
        now = set(answering)
        self._models_told |= now
        for model in self._models_told:
            self._models.labels(*model).set(model in now)

    def tell_kept(self, event: KeptEvent, at_unix_s: float) -> None:
        """Set when the newest of a kind was made."""
        self._kept_at.labels(event).set(at_unix_s)

    def count_webhook_call(self, answer: str) -> None:
        """Count a webhook call by its outcome, `taken` or `not_taken`."""
        self._webhook_calls.labels(answer).inc()

    def observe_commit(self, size: int, seconds: float) -> None:
        """Record the size and duration of a group commit."""
        self.commit_size.observe(size)
        self.commit_seconds.observe(seconds)


class RequestMetrics:
    """Counts and durations of answered and rejected requests."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.inside = 0  # machine requests in flight
        self.in_flight = Gauge(
            "tidegate_requests_in_flight",
            "Requests that are being answered",
            registry=registry,
            multiprocess_mode="livesum",
        )
        self.shed = Counter(
            "tidegate_shed_requests",
            "Requests turned away by the limit in flight",
            registry=registry,
        )
        self._answered = _Labelled(
            Counter(
                "tidegate_requests",
                "Requests that were answered",
                ("method", "route", "status"),
                registry=registry,
            )
        )
        # Not by route: hundreds of routes times the buckets would be most of a scrape.
        self._seconds = _Labelled(
            Histogram(
                "tidegate_request_seconds",
                "Until a request was answered",
                ("area",),
                buckets=SECONDS,
                registry=registry,
            )
        )

    def observe(self, method: str, route: str, status: int, seconds: float) -> None:
        """Record the answer and the duration of a request."""
        self._answered.by(method, route, str(status)).inc()
        self._seconds.by(area_of(route)).observe(seconds)


def area_of(route: str) -> Area:
    """Return the part of the service that a route belongs to; `scores` is scoring one subject."""
    if route == "/v1/scores":
        return "scores"
    first = route.strip("/").partition("/")[0]
    return "api" if first == "v1" else "console" if first == "console" else "other"


class DecisionMetrics:
    """Counts of decisions, and of missing or unseen inputs."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._scores = _Labelled(
            Counter(
                "tidegate_scores",
                "Decisions made, but for rescues",
                ("model", "version", "lane"),
                registry=registry,
            )
        )
        self._probabilities = _Labelled(
            Histogram(
                "tidegate_probability",
                "Calibrated probabilities",
                ("model",),
                buckets=PROBABILITIES,
                registry=registry,
            )
        )
        self._unseen = _Labelled(
            Counter(
                "tidegate_unseen_categories",
                "Values of categories that the model never saw",
                ("feature",),
                registry=registry,
            )
        )
        self._missing = _Labelled(
            Counter(
                "tidegate_missing_inputs",
                "Inputs that a submission did not bring",
                ("input",),
                registry=registry,
            )
        )
        self._repeated = Counter(
            "tidegate_repeated_answers",
            "Answers repeated under their idempotency key",
            registry=registry,
        )

    def count(self, decision: Decision | None) -> None:
        """Count a new decision, or a repeated answer if None.

        Rescues are not counted, because inspectors, who may not see rescues, can read the metrics.
        """
        if decision is None:
            self._repeated.inc()
            return
        if decision.lane == "rescue":
            return
        model, score = decision.model, decision.score
        if model is None or score is None:
            name = SUBJECT_TYPES[decision.subject_kind].model_name
            self._scores.by(name, "none", decision.lane).inc()
        else:
            self._scores.by(model.name, model.version, decision.lane).inc()
            self._probabilities.by(model.name).observe(score.probability)
        for feature in decision.unseen:
            self._unseen.by(feature).inc()
        for path in decision.missing:
            self._missing.by(path).inc()


class _Labelled(Generic[T]):
    """A metric with its labelled children cached: looking up labels costs more than counting."""

    def __init__(self, metric: T) -> None:
        self._metric: T = metric
        self._figures: dict[tuple[str, ...], T] = {}

    def by(self, *labels: str) -> T:
        """Return the child with these label values, in the order of the label names."""
        figure = self._figures.get(labels)
        if figure is None:
            figure = self._figures[labels] = self._metric.labels(*labels)
        return figure
