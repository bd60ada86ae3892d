"""Compression of what is kept of a decision, before it is encrypted.

A decision says in full what its some 200 features are called and worth, and what each contributed:
18 kB, of which a third is left. In the format of zlib (RFC 1950), which whoever verifies an export
can read with what every Python has; made by ISA-L, in a quarter of the time that zlib takes.
"""

from isal import isal_zlib

_HEADER = b"\x78"
"""What the format begins with, and neither a record nor an answer does."""


def compressed(content: bytes) -> bytes:
    """A record or an answer, as it is encrypted."""
    return isal_zlib.compress(content, 1)


def decompressed(kept: bytes) -> bytes:
    """What was compressed; what an older release kept is as it was."""
    return isal_zlib.decompress(kept) if kept[:1] == _HEADER else kept
