"""A line to a server that is cut for good at a word, as when the server dies at that moment."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from urllib.parse import urlsplit


@dataclass
class Line:
    """Forwards what is told to `server`, until `word` is: that and all later never arrives."""

    server: tuple[str, int]
    word: bytes
    listening: socket.socket = field(default_factory=lambda: socket.create_server(("127.0.0.1", 0)))
    is_cut: threading.Event = field(default_factory=threading.Event)
    _ends: list[socket.socket] = field(default_factory=list)

    @property
    def address(self) -> str:
        """Where the line begins."""
        return f"http://127.0.0.1:{self.listening.getsockname()[1]}"

    def serve(self) -> None:
        """Take connections until the line is cut."""
        with suppress(OSError):
            while not self.is_cut.is_set():
                client, _ = self.listening.accept()
                server = socket.create_connection(self.server)
                self._ends += [client, server]
                for ends in ((client, server), (server, client)):
                    threading.Thread(target=self._forward, args=ends, daemon=True).start()

    def cut(self) -> None:
        """Close every connection and take no other."""
        self.is_cut.set()
        for end in (self.listening, *self._ends):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()

    def _forward(self, source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):
            while told := source.recv(1 << 16):
                if self.word in told:
                    self.cut()
                    return
                target.sendall(told)
            target.shutdown(socket.SHUT_WR)


@contextmanager
def line_cut_at(word: str, address: str) -> Iterator[Line]:
    """A line to the server at an address, cut when the word is told over it."""
    server = urlsplit(address)
    assert server.hostname is not None
    assert server.port is not None
    line = Line((server.hostname, server.port), word.encode())
    threading.Thread(target=line.serve, daemon=True).start()
    yield line
    line.cut()
