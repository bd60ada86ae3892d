"""The end of a call to another server, however slowly that answers.

The timeout of a socket is that of each operation, and an answer that drips never meets it: so a
timer breaks the connection off, whoever waits for it.
"""

import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Self


class CallDeadline:
    """Breaks a connection off once it has lasted for so long; the call is made within it.

    A failure after that leaves as TimeoutError. Of an answer without a stated length, only
    `is_over` tells whether it is whole.
    """

    def __init__(self, longest_s: float):
        self.is_over = False
        self._longest_s = longest_s
        self._timer: threading.Timer | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, _: object, failure: BaseException | None, __: object) -> None:
        if self._timer is not None:
            self._timer.cancel()
        if self.is_over and isinstance(failure, OSError):
            raise TimeoutError(f"the call took more than {self._longest_s:g} s") from failure

    def begin(self, socket_of: Callable[[], socket.socket | None]) -> None:
        """Let the time begin; `socket_of` tells what to break off, None where nothing is open."""
        self._timer = threading.Timer(self._longest_s, self._end, (socket_of,))
        self._timer.daemon = True
        self._timer.start()

    def _end(self, socket_of: Callable[[], socket.socket | None]) -> None:
        self.is_over = True
        if (open_socket := socket_of()) is not None:
            with suppress(OSError):
                # Past the method of an SSLSocket: that takes away what another thread reads from.
                socket.socket.shutdown(open_socket, socket.SHUT_RDWR)
