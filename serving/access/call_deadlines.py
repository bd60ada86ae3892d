"""Total time limit of a call to another server.

A socket timeout limits each operation, so an answer that trickles in never reaches it. A timer
therefore closes the connection.
"""

import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Self


class CallDeadline:
    """Context that closes a connection after a time limit; the call is made within it.

    Failures after that are raised as TimeoutError. An answer without a declared length just ends,
    so check `is_over` to know whether it is complete.
    """

    def __init__(self, max_s: float):
        self.is_over = False
        self._max_s = max_s
        self._timer: threading.Timer | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, _: object, failure: BaseException | None, __: object) -> None:
        if self._timer is not None:
            self._timer.cancel()
        if self.is_over and isinstance(failure, OSError):
            raise TimeoutError(f"the call took more than {self._max_s:g} s") from failure

    def begin(self, socket_of: Callable[[], socket.socket | None]) -> None:
        """Start the time; `socket_of` returns the socket to close, None if there is none."""
        self._timer = threading.Timer(self._max_s, self._end, (socket_of,))
        self._timer.daemon = True
        self._timer.start()

    def _end(self, socket_of: Callable[[], socket.socket | None]) -> None:
        self.is_over = True
        if (open_socket := socket_of()) is not None:
            with suppress(OSError):
                # Call the plain socket's method: SSLSocket.shutdown would drop the TLS state that
                # another thread is reading from.
                socket.socket.shutdown(open_socket, socket.SHUT_RDWR)
