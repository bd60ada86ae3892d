"""Sessions with a Spark server, or with a Spark started on this machine."""

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

from features.errors import RecordsSuspected, TidegateError

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

ANSWERS_WITHIN_S = 5.0
_PORTS = {"sc": 15002, "spark": 7077}
# Spark's default of ten thousand rows per batch is too much: each message holds many records.
_MESSAGES_AT_A_TIME = 16
_KINDS = {kind.__name__: kind for kind in (TidegateError, RecordsSuspected)}
_RAISED_BY_TASKS = re.compile(rf"\b({'|'.join(_KINDS)}): (.+)")
_SAID = 600


@contextmanager
def spark_session(master: str) -> Iterator["SparkSession"]:
    """Provide a Spark session for the duration of the block.

    `sc://host:port` is a Spark Connect server; anything else is a Spark master, which needs all of
    `pyspark` and Java. Raises TidegateError if the server does not answer.
    """
    importlib.import_module("pyspark")  # fail first if it is missing
    _hold_reachable(without_credentials(master))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # about pandas 3, which is not used here
        session = _connected(master) if master.startswith("sc://") else _begun(master)
    try:
        session.conf.set("spark.sql.execution.arrow.maxRecordsPerBatch", str(_MESSAGES_AT_A_TIME))
        yield session
    finally:
        with suppress(Exception):  # the server may already be gone
            session.stop()


@contextmanager
def spark_errors_in_words(master: str, work: str) -> Iterator[None]:
    """Raise TidegateError for a failure of Spark, or the error that one of our tasks raised."""
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", module="pyspark")  # pyspark raises what it warns of
            yield
    except Exception as error:
        # Errors of the server, Java and sockets have no common base class.
        if type(error).__module__.partition(".")[0] not in ("pyspark", "py4j", "grpc"):
            raise
        # Only the text of a worker's exception arrives, so its type is restored by name.
        if raised := _RAISED_BY_TASKS.findall(str(error)):
            kind, message = raised[-1]
            raise _KINDS[kind](message) from None
        raise TidegateError(
            f"{without_credentials(master)}: Spark ended {work}, and nothing was written: "
            f"{_end_of(error)}"
        ) from error


def without_credentials(master: str) -> str:
    """Return the Spark master URL without credentials.

    Parameters of Spark Connect, such as a token, follow `/;`.
    """
    return master.partition("/;")[0]


def _hold_reachable(master: str) -> None:
    """Raise TidegateError unless a host accepts connections.

    Spark itself would retry for minutes.
    """
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
    except Exception as error:  # Java errors have no common base class
        raise TidegateError(f"{master}: {_end_of(error)}") from None


def _end_of(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return " … ".join([lines[0], lines[-1]] if len(lines) > 1 else lines)[:_SAID]
