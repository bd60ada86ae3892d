"""End a process on signals that Python cannot handle at that moment.

Python's handlers run only when the main thread executes bytecode. A compiler or a reader of large
files can prevent that for many seconds, and an exception raised inside a compiler's callback is
lost or only printed.
"""

import os
import signal
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from multiprocessing import parent_process
from multiprocessing.connection import wait

# Exit codes for interrupted work, as a shell reports them: 128 + signal.
STOPPED: Mapping[int, int] = {
    signal.SIGINT: 128 + signal.SIGINT,
    signal.SIGTERM: 128 + signal.SIGTERM,
}

SHOW_CURSOR = b"\x1b[?25h\n"  # a bar that was being shown hid it


@contextmanager
def ending_at_once(exit_codes: Mapping[int, int]) -> Iterator[None]:
    """End the process with its exit code at the first of these signals while the block runs.

    For work that may be lost: no cleanup runs, so files must survive a kill. Signals that the
    process ignores stay ignored. Does nothing outside the main thread, which alone can set
    handlers.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    reading, writing = os.pipe()
    # The C-level handler writes to this end and must never block.
    os.set_blocking(writing, False)
    heard = [number for number in exit_codes if signal.getsignal(number) is not signal.SIG_IGN]
    former = {number: signal.signal(number, _leave_to_the_thread) for number in heard}
    former_descriptor = signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
    threading.Thread(target=_listen, args=(reading, exit_codes), daemon=True).start()
    try:
        yield
    finally:
        signal.set_wakeup_fd(former_descriptor)
        for number, handler in former.items():
            signal.signal(number, handler)
        os.close(writing)


def end_with_parent(reading: int) -> None:
    """Send SIGTERM to this process when the other end of a pipe is closed."""
    threading.Thread(target=_wait_for_the_end, args=(reading,), daemon=True).start()


def end_with_supervisor() -> None:
    """Send SIGTERM to this worker when its supervisor is gone; do nothing outside a worker.

    An orphaned worker would hold the address and the database that the next service needs.
    """
    if (supervisor := parent_process()) is not None:
        waiting = threading.Thread(
            target=_wait_for_process, args=(supervisor.sentinel,), daemon=True
        )
        waiting.start()


def exit_on_signal(number: int, _: object) -> None:
    """Exit with 128 + signal through SystemExit, so that cleanup code runs."""
    sys.exit(128 + number)


def _leave_to_the_thread(number: int, _: object) -> None:
    """Do nothing: Python writes a signal's number to the pipe only if it has a handler."""


def _listen(reading: int, exit_codes: Mapping[int, int]) -> None:
    """End the process at the first signal number read from the pipe.

    The C-level signal handler writes the number, so this works while the main thread runs C code.
    """
    with os.fdopen(reading, "rb", buffering=0) as numbers:
        while number := numbers.read(1):
            if number[0] in exit_codes:
                if sys.stderr.isatty():
                    os.write(sys.stderr.fileno(), SHOW_CURSOR)
                # Not sys.exit: that raises in this thread only, and the main thread may never get
                # to run.
                os._exit(exit_codes[number[0]])


def _wait_for_process(sentinel: int) -> None:
    wait([sentinel])
    os.kill(os.getpid(), signal.SIGTERM)


def _wait_for_the_end(reading: int) -> None:
    while os.read(reading, 1):
        pass
    os.kill(os.getpid(), signal.SIGTERM)
