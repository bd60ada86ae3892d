"""Compiled templates, cached on disk for the next process.

A service compiles all templates before its first request, so that no page has to wait; that
takes about a second of one core. The cached code is executed, so it is stored in the folder of
compiled functions, which only this user can write.
"""

import marshal
import os
import sys
import tempfile
from contextlib import suppress
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path

from jinja2 import BytecodeCache
from jinja2.bccache import Bucket

_DIGEST_BYTES = 32


class CompiledTemplates(BytecodeCache):
    """Cache of compiled templates in a folder; it stores nothing without a folder or disk space.

    An entry is valid only for the exact source and for the same `compiler`, a digest input for
    everything else that affects the compiled code.
    """

    def __init__(self, folder: Path | None, compiler: bytes) -> None:
        self._folder = folder
        made_by = f"{sys.implementation.cache_tag} {version('jinja2')} ".encode()
        self._compiler = sha256(made_by + compiler).digest()

    def get_source_checksum(self, source: str) -> str:
        """Return a digest of a template and of everything that affects its compiled code."""
        return sha256(self._compiler + source.encode()).hexdigest()

    def load_bytecode(self, bucket: Bucket) -> None:
        """Load the code of a template, unless the entry is foreign or damaged."""
        if self._folder is None:
            return
        # A cache that cannot be read only costs time: the template is compiled again.
        with suppress(OSError):
            content = self._file(self._folder, bucket).read_bytes()
            digest, code = content[:_DIGEST_BYTES], content[_DIGEST_BYTES:]
            # `marshal` executes whatever it is given, so a truncated or foreign entry must not
            # reach it.
            if digest == _digest(bucket, code):
                bucket.code = marshal.loads(code)  # noqa: S302  compiled by this user

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Store the code of a template atomically: readers see the old or the new entry."""
        if self._folder is None:
            return
        code = marshal.dumps(bucket.code)
        with suppress(OSError):
            writing, name = tempfile.mkstemp(dir=self._folder)
            try:
                with os.fdopen(writing, "wb") as file:
                    file.write(_digest(bucket, code) + code)
                Path(name).replace(self._file(self._folder, bucket))
            except OSError:
                Path(name).unlink()
                raise

    @staticmethod
    def _file(folder: Path, bucket: Bucket) -> Path:
        return folder / f"{bucket.key}.template"


def _digest(bucket: Bucket, code: bytes) -> bytes:
    return sha256(bucket.checksum.encode() + code).digest()
