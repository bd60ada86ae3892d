"""A scan of uploaded files by a command of the deployer, such as a virus scanner."""

import os
import shlex
import signal
import subprocess
import threading
from contextlib import suppress

from serving.review.errors import FileNotClean

MAX_AT_ONCE = 4
PASSED_ON = ("PATH", "LANG", "LC_ALL", "TZ", "TMPDIR")  # none of our settings and secrets

_places = threading.BoundedSemaphore(MAX_AT_ONCE)


def require_clean(content: bytes, command: str, within_s: float) -> None:
    """Raise FileNotClean unless the command exits with 0 in time, given the content on stdin.

    A scanner that cannot be started passes nothing.
    """
    if not _places.acquire(timeout=within_s):
        raise FileNotClean("the scanner has too much to do; try again later", "busy")
    try:
        ended = _ended(content, command, within_s)
    finally:
        _places.release()
    if ended != 0:
        raise FileNotClean(
            "the scanner did not let this file pass; it was not kept", f"exit {ended}"
        )


def _ended(content: bytes, command: str, within_s: float) -> int:
    """Return the exit code; a timeout kills the command with all its child processes."""
    # The scanner parses hostile files, so it must not see keys and passwords in the environment.
    environment = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
    try:
        process = subprocess.Popen(  # noqa: S603 - the deployer's own command, read by no shell
            shlex.split(command),
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=environment,
            start_new_session=True,
        )
    except (OSError, ValueError, IndexError) as error:
        raise FileNotClean(
            "the scanner cannot be started, so the file is not stored; tell the operator",
            type(error).__name__,
        ) from None
    try:
        process.communicate(content, timeout=within_s)
    except subprocess.TimeoutExpired:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        raise FileNotClean("the scanner took too long; the file was not kept", "timeout") from None
    finally:
        if process.stdin:
            with suppress(OSError):
                process.stdin.close()
    return process.returncode
