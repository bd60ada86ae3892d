"""Processes that a test starts with all that they start, and what is left of them."""

import os
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress

SOON_S = 10.0


@contextmanager
def in_a_session(
    command: Sequence[str], environment: Mapping[str, str] | None = None
) -> Iterator["subprocess.Popen[str]"]:
    """A command in a session of its own, all of whose processes end with the block.

    It hears signals that whoever runs the tests may ignore, as under `nohup`.
    """
    with subprocess.Popen(
        ["env", "--default-signal=HUP,INT,TERM", *command],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        env={**os.environ, **(environment or {})},
    ) as process:
        try:
            yield process
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)


def wait_until_nobody_is_left(process: "subprocess.Popen[str]") -> None:
    """Return when no process of its session is there any more; fail where one stays."""
    ends_at = time.monotonic() + SOON_S
    with suppress(ProcessLookupError):
        while True:
            os.killpg(process.pid, 0)
            assert time.monotonic() < ends_at, "a process is left behind"
            time.sleep(0.02)
