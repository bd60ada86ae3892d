"""The witnesses that `TIDEGATE_WITNESS` names: files, addresses and commands.

A file is appended to, an address takes a POST, a command is run with the lines as its input. What
they have is read back where they let it be: the file itself, a GET of the address, the command with
the word `tell`.
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
from serving.integrity.witness_delivery import Witness
from serving.settings import Settings

COMMAND = "command:"
NEWEST_BYTES = 1 << 16
PIECE_BYTES = 1 << 20
LONGEST_COMMAND_S = 10.0
# For an address to tell everything: three years of a checkpoint each minute.
LONGEST_TOLD_S, MOST_TOLD_BYTES = 600.0, 1 << 30


@dataclass(frozen=True)
class FileWitness:
    """A file that lines are appended to, best on a disk of another machine."""

    path: Path

    @property
    def name(self) -> str:
        """The path."""
        return str(self.path)

    def take(self, content: bytes, at: datetime) -> None:
        """Append lines; what an earlier write left half is ended first."""
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
        """The last 64 KiB."""
        pieces = self._pieces(NEWEST_BYTES)
        return None if pieces is None else b"".join(pieces)

    def everything(self) -> Iterable[bytes] | None:
        """The whole file."""
        return self._pieces(None)

    def _pieces(self, most: int | None) -> Iterator[bytes] | None:
        """The file as it is now, or its last bytes, some at a time."""
        try:
            file = self.path.open("rb")
        except FileNotFoundError:
            return iter(())
        except PermissionError:
            return None
        size = os.fstat(file.fileno()).st_size
        return _read_in_pieces(file, 0 if most is None else max(0, size - most), size)

    def _ends_within_a_line(self) -> bool:
        try:
            with self.path.open("rb") as file:
                size = file.seek(0, os.SEEK_END)
                file.seek(max(0, size - 1))
                return file.read(1) not in {b"\n", b""}
        except PermissionError:  # one may append without being allowed to read
            return True


@dataclass(frozen=True)
class WebWitness:
    """An address that takes lines by POST; signed as all webhooks are, where there is a secret."""

    address: str
    webhook: SignedWebhook | None

    @property
    def name(self) -> str:
        """The address."""
        return self.address

    def take(self, content: bytes, at: datetime) -> None:
        """Send lines; only an answer with a 2xx counts."""
        headers = {}
        if self.webhook:
            headers = self.webhook.headers(f"checkpoints-{int(at.timestamp())}", at, content)
        send(self.address, content, headers | {"Content-Type": "application/x-ndjson"})

    def newest(self) -> bytes | None:
        """The last 64 KiB of what the address answers to a GET; it may answer them alone."""
        return self._told(lambda: fetch_end(self.address, NEWEST_BYTES))

    def everything(self) -> Iterable[bytes] | None:
        """All that it answers; raises OSError where that is more, or takes longer, than is read."""
        ask = partial(fetch, self.address, most=MOST_TOLD_BYTES, longest_s=LONGEST_TOLD_S)
        told = self._told(ask)
        return None if told is None else [told]

    @staticmethod
    def _told(ask: Callable[[], bytes]) -> bytes | None:
        try:
            return ask()
        except OSError as failure:
            if getattr(failure, "code", None) in (404, 405, 501):  # it tells nothing
                return None
            raise


@dataclass(frozen=True)
class CommandWitness:
    """A command that takes lines as its input, and ends with 0 where it took them."""

    words: tuple[str, ...]

    @property
    def name(self) -> str:
        """The program alone, since words after it may be secret."""
        return f"{COMMAND}{self.words[0]}"

    def take(self, content: bytes, at: datetime) -> None:
        """Run it with the word `take`."""
        self._run("take", content)

    def newest(self) -> bytes | None:
        """What it writes when run with the word `tell`; nothing where it can't tell."""
        return self._run("tell", b"") or None

    def everything(self) -> Iterable[bytes] | None:
        """The same."""
        told = self.newest()
        return None if told is None else [told]

    def _run(self, word: str, content: bytes) -> bytes:
        try:
            done = subprocess.run(  # noqa: S603 - the words are the deployer's own
                [*self.words, word],
                input=content,
                capture_output=True,
                timeout=LONGEST_COMMAND_S,
                check=True,
            )
        except subprocess.SubprocessError as failure:
            raise OSError(f"{self.name} {word}: {type(failure).__name__}") from failure
        return done.stdout


def _read_in_pieces(file: BinaryIO, begin: int, end: int) -> Iterator[bytes]:
    with file:
        file.seek(begin)
        while (at := file.tell()) < end and (piece := file.read(min(PIECE_BYTES, end - at))):
            yield piece


def witnesses_of(settings: Settings) -> list[Witness]:
    """The witnesses of an installation; raises AddressRefused for one that can't be one."""
    return [_witness(name, settings) for name in settings.witnesses]


def is_apart(witness: Witness, home: Path) -> bool:
    """Whether a witness is anything else than a file of the home, as its own checkpoints are."""
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
