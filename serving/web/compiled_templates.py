"""Templates as compiled code, kept on disk for the next process.

Whoever reads pages waits for none to be compiled: a service compiles all of them before its first
request, which takes a second of one core. What is kept is executed, so it lies where compiled
functions do.
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
    """The code of templates in a folder, while its disk has room; none is kept without a folder.

    Code counts for the very source that it was compiled of, and by the same `compiler`: whatever
    else decides what code is made.
    """

    def __init__(self, folder: Path | None, compiler: bytes) -> None:
        self._folder = folder
        made_by = f"{sys.implementation.cache_tag} {version('jinja2')} ".encode()
        self._compiler = sha256(made_by + compiler).digest()

    def get_source_checksum(self, source: str) -> str:
        """A digest of a template and of what compiles it."""
        return sha256(self._compiler + source.encode()).hexdigest()

    def load_bytecode(self, bucket: Bucket) -> None:
        """Take the code of a template that is kept, unless it is of another or was damaged."""
        if self._folder is None:
            return
        with suppress(OSError):
            content = self._file(self._folder, bucket).read_bytes()
            digest, code = content[:_DIGEST_BYTES], content[_DIGEST_BYTES:]
            if digest == _digest(bucket, code):
                bucket.code = marshal.loads(code)  # noqa: S302  compiled by this user

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Keep the code of a template; a reader finds all of it or what was there before."""
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
