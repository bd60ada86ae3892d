"""Logging and metrics: structured lines without bodies, and metrics of the domain.

A log line holds ids of requests, keys and decisions, routes and durations; never a body, a header,
a query or a party.
"""

import logging
import sys
from contextlib import suppress
from typing import Any, BinaryIO, TypeVar, cast

import orjson
import structlog
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from features.subject_types import SUBJECT_TYPES
from serving.audit.decision import Decision

SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
SIZES = (1, 2, 4, 8, 16, 32, 64, 128, 256)
PROBABILITIES = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 0.9)


def log_as_json() -> None:
    """Write log lines as JSON to stderr, times in UTC."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.JSONRenderer(serializer=orjson.dumps),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.BytesLoggerFactory(cast("BinaryIO", LogLines(sys.stderr.buffer))),
        cache_logger_on_first_use=True,
    )


class LogLines:
    """A file of log lines; a line that cannot be written is lost, never the answer it is about."""

    def __init__(self, file: BinaryIO):
        self._file = file

    def write(self, line: bytes) -> None:
        """Write a line, where there is room for it."""
        with suppress(OSError):
            self._file.write(line)

    def flush(self) -> None:
        """Flush the file."""
        with suppress(OSError):
            self._file.flush()


T = TypeVar("T", Counter, Histogram)


class Metrics:
    """The metrics of one application, in a registry of its own."""

    def __init__(self) -> None:
        self.registry = own = CollectorRegistry()
        self.inside = 0  # requests of machines that are being answered
        self._labelled: dict[tuple[object, ...], Any] = {}
        self.in_flight = Gauge(
            "tidegate_requests_in_flight",
            "Requests that are being answered",
            registry=own,
            multiprocess_mode="livesum",
        )
        self.scores = Counter(
            "tidegate_scores", "Decisions made", ("model", "version", "lane"), registry=own
        )
        self.probabilities = Histogram(
            "tidegate_probability",
            "Calibrated probabilities",
            ("model",),
            buckets=PROBABILITIES,
            registry=own,
        )
        self.unseen = Counter(
            "tidegate_unseen_categories",
            "Values of categories that the model never saw",
            ("feature",),
            registry=own,
        )
        self.missing = Counter(
            "tidegate_missing_inputs",
            "Inputs that a submission did not bring",
            ("input",),
            registry=own,
        )
        self.repeated = Counter(
            "tidegate_repeated_answers",
            "Answers repeated under their idempotency key",
            registry=own,
        )
        self.shed = Counter(
            "tidegate_shed_requests", "Requests turned away by the limit in flight", registry=own
        )
        self.shadow_scores_left_out = Counter(
            "tidegate_shadow_scores_left_out",
            "Decisions that no shadow or challenger scored",
            registry=own,
        )
        self.degraded = Gauge(
            "tidegate_degraded",
            "1 while the service is less than whole",
            ("mode",),
            registry=own,
            multiprocess_mode="livemax",
        )
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
        self.request_seconds = Histogram(
            "tidegate_request_seconds",
            "Until a request was answered",
            ("method", "route", "status"),
            buckets=SECONDS,
            registry=own,
        )

    def count_decision(self, decision: Decision | None) -> None:
        """Count one new decision, or the repetition of an earlier one's answer."""
        if decision is None:
            self.repeated.inc()
            return
        if decision.model is None or decision.score is None:
            self._labelled_metric(
                self.scores, SUBJECT_TYPES[decision.subject_kind].model_name, "none", decision.lane
            ).inc()
        else:
            model = decision.model
            self._labelled_metric(self.scores, model.name, model.version, decision.lane).inc()
            self._labelled_metric(self.probabilities, model.name).observe(
                decision.score.probability
            )
        for feature in decision.unseen:
            self._labelled_metric(self.unseen, feature).inc()
        for path in decision.missing:
            self._labelled_metric(self.missing, path).inc()

    def observe_request(self, method: str, route: str, status: int, seconds: float) -> None:
        """Record how long a request took."""
        self._labelled_metric(self.request_seconds, method, route, str(status)).observe(seconds)

    def observe_commit(self, size: int, seconds: float) -> None:
        """Record one group of decisions that became durable."""
        self.commit_size.observe(size)
        self.commit_seconds.observe(seconds)

    def _labelled_metric(self, metric: T, *labels: str) -> T:
        """A metric with these labels, remembered: to check them takes longer than to count."""
        figure: T | None = self._labelled.get((metric, labels))
        if figure is None:
            figure = self._labelled[metric, labels] = metric.labels(*labels)
        return figure
