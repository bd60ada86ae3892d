"""A session of Spark: a server that is named, or a Spark that begins on this machine."""

import importlib
import os
import re
import socket
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from features.errors import RecordsSuspected, TidegateError, WorkerMismatch

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

ANSWERS_WITHIN_S = 5.0
_PORTS = {"sc": 15002, "spark": 7077}
# A message has many rows of ours; Spark would hand over ten thousand at a time.
_MESSAGES_AT_A_TIME = 16
_KINDS = {kind.__name__: kind for kind in (WorkerMismatch, RecordsSuspected)}
_RAISED_BY_TASKS = re.compile(rf"\b({'|'.join(_KINDS)}): (.+)")
_SAID = 600


@contextmanager
def spark_session(master: str) -> Iterator["SparkSession"]:
    """A session for as long as the block lasts.

    `sc://host:port` is a server that speaks Spark Connect; anything else is a master of Spark's
    own, which needs the whole of `pyspark` and Java. Raises TidegateError where nobody answers.
    """
    importlib.import_module("pyspark")  # fails before anything else where it is missing
    _hold_reachable(without_credentials(master))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # pandas 3, of which nothing is used here
        session = _connected(master) if master.startswith("sc://") else _begun(master)
    try:
        session.conf.set("spark.sql.execution.arrow.maxRecordsPerBatch", str(_MESSAGES_AT_A_TIME))
        yield session
    finally:
        with suppress(Exception):  # of a server that is gone nothing is left to end
            session.stop()


@contextmanager
def spark_errors_in_words(master: str, work: str) -> Iterator[None]:
    """Raise TidegateError for any end that Spark gives the block, or what a task of ours raised."""
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", module="pyspark")  # what it gives up it raises too
            yield
    except Exception as error:
        # Of a server, of Java, of a socket between them: there is no common base.
        if type(error).__module__.partition(".")[0] not in ("pyspark", "py4j", "grpc"):
            raise
        if raised := _RAISED_BY_TASKS.findall(str(error)):
            kind, message = raised[-1]
            raise _KINDS[kind](message) from None
        raise TidegateError(
            f"{without_credentials(master)}: Spark ended {work}, and nothing was written: "
            f"{_end_of(error)}"
        ) from error


def without_credentials(master: str) -> str:
    """A master without what opens its door."""
    return master.partition("/;")[0]


def _hold_reachable(master: str) -> None:
    """Spark itself would try for minutes."""
    scheme, _, hosts = master.partition("://")
    if scheme not in _PORTS:
        return
    for host in hosts.partition("/")[0].split(","):
        url = urlsplit(f"//{host}")
        where = url.hostname or "", url.port or _PORTS[scheme]
        with suppress(OSError), socket.create_connection(where, ANSWERS_WITHIN_S):
            return
    raise TidegateError(
        f"{master}: nobody answers there; want a Spark Connect server as sc://host:15002, a "
        "Spark cluster as spark://host:7077, or local[2] for this machine"
    )


def _connected(master: str) -> "SparkSession":
    from pyspark.errors import PySparkException
    from pyspark.sql.connect.client.retries import DefaultPolicy
    from pyspark.sql.connect.session import SparkSession

    try:
        session: Any = SparkSession.builder.remote(master).create()
        session.client.set_retry_policies([DefaultPolicy(max_retries=3, max_backoff=1000)])
    except PySparkException as error:
        raise TidegateError(f"{without_credentials(master)}: {_end_of(error)}") from None
    return session


def _begun(master: str) -> "SparkSession":
    from pyspark.util import is_remote_only

    if is_remote_only():
        raise TidegateError(
            f"{master}: what is installed speaks with servers alone, as sc://host:15002; for a "
            "master of Spark's own: pip install pyspark, and Java"
        )
    from pyspark.sql import SparkSession

    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    builder = SparkSession.builder.master(master).appName("tidegate")
    for of in ("enabled", "showConsoleProgress"):
        builder = builder.config(f"spark.ui.{of}", "false")
    try:
        return builder.getOrCreate()
    except Exception as error:  # whatever Java ended with
        raise TidegateError(f"{master}: {_end_of(error)}") from None


def _end_of(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return " … ".join([lines[0], lines[-1]] if len(lines) > 1 else lines)[:_SAID]
