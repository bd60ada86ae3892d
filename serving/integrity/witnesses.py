"""The witnesses named by `TIDEGATE_WITNESS`: files, addresses and commands.

A file is appended to, an address receives a POST, and a command gets the lines as its input. Their
content is read back where possible: from the file, by a GET of the address, or from the command
with the argument `tell`.
"""

import os
import shlex
import subprocess
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import BinaryIO

from serving.access.errors import AddressRefused
from serving.access.http_client import fetch, fetch_end, refuse_unsafe, send
from serving.access.signed_webhook import SignedWebhook
from serving.settings import Settings

COMMAND = "command:"
NEWEST_BYTES = 1 << 16
PIECE_BYTES = 1 << 20
MAX_COMMAND_S = 10.0
# Limits for reading everything from an address: three years of a checkpoint each minute.
MAX_TOLD_S, MAX_TOLD_BYTES = 600.0, 1 << 30


@dataclass(frozen=True)
class FileWitness:
    """A file that lines are appended to, best on a disk of another machine."""

    path: Path

    @property
    def name(self) -> str:
        """Return the path."""
        return str(self.path)

    def take(self, content: bytes, at: datetime) -> None:
        """Append lines, with a line break first if an earlier write was cut short."""
        descriptor = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            if self._ends_within_a_line():
                content = b"\n" + content
            if os.write(descriptor, content) != len(content):
                raise OSError(f"{self.path}: only a part was written")
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def newest(self) -> bytes | None:
        """Return the last 64 KiB."""
        pieces = self._pieces(NEWEST_BYTES)
        return None if pieces is None else b"".join(pieces)

    def everything(self) -> Iterable[bytes] | None:
        """Return the whole file."""
        return self._pieces(None)

    def _pieces(self, most: int | None) -> Iterator[bytes] | None:
        """Yield the present file or its last bytes in pieces; None if it is not readable."""
        try:
            file = self.path.open("rb")
        except FileNotFoundError:
            return iter(())
        except PermissionError:
            return None
        # Only up to the present size: lines appended while reading belong to the next check.
        size = os.fstat(file.fileno()).st_size
        return _read_in_pieces(file, 0 if most is None else max(0, size - most), size)

    def _ends_within_a_line(self) -> bool:
        try:
            with self.path.open("rb") as file:
                size = file.seek(0, os.SEEK_END)
                file.seek(max(0, size - 1))
                return file.read(1) not in {b"\n", b""}
        # Permission to append does not imply permission to read; an extra line break is harmless.
        except PermissionError:
            return True


@dataclass(frozen=True)
class WebWitness:
    """An address that receives lines by POST, signed like all webhooks if there is a secret."""

    address: str
    webhook: SignedWebhook | None

    @property
    def name(self) -> str:
        """Return the address."""
        return self.address

    def take(self, content: bytes, at: datetime) -> None:
        """Send lines; only a 2xx answer counts."""
        headers = {}
        if self.webhook:
            headers = self.webhook.headers(f"checkpoints-{int(at.timestamp())}", at, content)
        send(self.address, content, headers | {"Content-Type": "application/x-ndjson"})

    def newest(self) -> bytes | None:
        """Return the last 64 KiB of the answer to a GET, which may be all there is."""
        return self._told(lambda: fetch_end(self.address, NEWEST_BYTES))

    def everything(self) -> Iterable[bytes] | None:
        """Return the whole answer; raise OSError if it exceeds the limits of size or time."""
        ask = partial(fetch, self.address, most=MAX_TOLD_BYTES, max_s=MAX_TOLD_S)
        told = self._told(ask)
        return None if told is None else [told]

    @staticmethod
    def _told(ask: Callable[[], bytes]) -> bytes | None:
        try:
            return ask()
        except OSError as failure:
            # The address takes lines only, and does not return them.
            if getattr(failure, "code", None) in (404, 405, 501):
                return None
            raise


@dataclass(frozen=True)
class CommandWitness:
    """A command that takes lines as its input, and exits with 0 if it stored them."""

    words: tuple[str, ...]

    @property
    def name(self) -> str:
        """Return the program alone, since its arguments may contain secrets."""
        return f"{COMMAND}{self.words[0]}"

    def take(self, content: bytes, at: datetime) -> None:
        """Run the command with the argument `take`."""
        self._run("take", content)

    def newest(self) -> bytes | None:
        """Return the output of the command with the argument `tell`; None if it is empty."""
        return self._run("tell", b"") or None

    def everything(self) -> Iterable[bytes] | None:
        """Return the same as `newest`, in one piece."""
        told = self.newest()
        return None if told is None else [told]

    def _run(self, word: str, content: bytes) -> bytes:
        try:
            done = subprocess.run(  # noqa: S603 - the words are the deployer's own
                [*self.words, word],
                input=content,
                capture_output=True,
                timeout=MAX_COMMAND_S,
                check=True,
            )
        except subprocess.SubprocessError as failure:
            raise OSError(f"{self.name} {word}: {type(failure).__name__}") from failure
        return done.stdout


# `take` stores framed lines durably; `newest` and `everything` return what it has, None if that
# cannot be read. Each raises OSError on failure.
Witness = FileWitness | WebWitness | CommandWitness


def _read_in_pieces(file: BinaryIO, begin: int, end: int) -> Iterator[bytes]:
    with file:
        file.seek(begin)
        while (at := file.tell()) < end and (piece := file.read(min(PIECE_BYTES, end - at))):
            yield piece


def witnesses_of(settings: Settings) -> list[Witness]:
    """Return the witnesses of an installation; raise AddressRefused for an invalid one."""
    return [_witness(name, settings) for name in settings.witnesses]


def is_apart(witness: Witness, home: Path) -> bool:
    """Return whether a witness is not a file of the home, where the service could rewrite it."""
    if not isinstance(witness, FileWitness):
        return True
    return not witness.path.resolve().is_relative_to(home.resolve())


def _witness(name: str, settings: Settings) -> Witness:
    if name.startswith(COMMAND):
        try:
            words = tuple(shlex.split(name.removeprefix(COMMAND)))
        except ValueError:
            words = ()
        if not words:
            raise AddressRefused(f"want a command of a witness as {COMMAND}PROGRAM ARGUMENTS")
        return CommandWitness(words)
    if "://" not in name:
        return FileWitness(Path(name))
    secret = settings.witness_secret
    if secret is None:
        refuse_unsafe(name)
        return WebWitness(name, None)
    return WebWitness(name, SignedWebhook.from_secret(name, secret.get_secret_value()))
