"""End a process on a signal that comes while Python cannot handle it.

Python's own handlers wait until the main thread runs Python again, which a compiler or a reader of
large files keeps it from for many seconds; and what they raise is lost, or printed, where it comes
up in a callback of the compiler.
"""

import os
import signal
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from multiprocessing import parent_process
from multiprocessing.connection import wait

# Exit codes, as a shell would report them, of who was kept from what it was to do.
STOPPED: Mapping[int, int] = {
    signal.SIGINT: 128 + signal.SIGINT,
    signal.SIGTERM: 128 + signal.SIGTERM,
}

SHOW_CURSOR = b"\x1b[?25h\n"  # a bar that was being shown hid it


@contextmanager
def ending_at_once(exit_codes: Mapping[int, int]) -> Iterator[None]:
    """While the block runs, end the process with its exit code at the first of these signals.

    For work that nobody was promised: no other code runs, so only what survives a kill is sound. A
    signal that the process was begun to ignore is still ignored. Does nothing in other threads
    than the main one, where no signals arrive.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    reading, writing = os.pipe()
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
    """End as on SIGTERM when the holder of the other end of a pipe is gone."""
    threading.Thread(target=_wait_for_the_end, args=(reading,), daemon=True).start()


def end_with_supervisor() -> None:
    """End as on SIGTERM when the process that began this worker is gone; one without is no worker.

    A worker that outlived it would hold the address and the database that the next service needs.
    """
    if (supervisor := parent_process()) is not None:
        waiting = threading.Thread(
            target=_wait_for_process, args=(supervisor.sentinel,), daemon=True
        )
        waiting.start()


def exit_on_signal(number: int, _: object) -> None:
    """A handler: leave as from any error, so that what was begun is put in order."""
    sys.exit(128 + number)


def _leave_to_the_thread(number: int, _: object) -> None:
    """A handler is needed for its number to be written to the pipe."""


def _listen(reading: int, exit_codes: Mapping[int, int]) -> None:
    """The numbers are written by the operating system's call itself, whatever else runs."""
    with os.fdopen(reading, "rb", buffering=0) as numbers:
        while number := numbers.read(1):
            if number[0] in exit_codes:
                if sys.stderr.isatty():
                    os.write(sys.stderr.fileno(), SHOW_CURSOR)
                os._exit(exit_codes[number[0]])


def _wait_for_process(sentinel: int) -> None:
    wait([sentinel])
    os.kill(os.getpid(), signal.SIGTERM)


def _wait_for_the_end(reading: int) -> None:
    while os.read(reading, 1):
        pass
    os.kill(os.getpid(), signal.SIGTERM)
