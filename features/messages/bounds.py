"""How large a message may be."""

from dataclasses import dataclass

from features.errors import MessageRefused

_MEBIBYTE = 1024 * 1024


@dataclass(frozen=True)
class Bounds:
    """The limits of one message: beyond them it is refused before work is spent on it."""

    size: int = 16 * _MEBIBYTE
    depth: int = 64
    elements: int = 500_000

    def check_size(self, message: bytes) -> None:
        """Raise MessageRefused for a message of too many bytes, or of none."""
        if not message.strip(b"\x00 \t\r\n"):
            raise MessageRefused("line 1", "want a message; it is empty")
        if len(message) > self.size:
            raise MessageRefused("line 1", f"want at most {self.size / _MEBIBYTE:g} MiB")

    def check_count(self, count: int, place: str) -> None:
        """Raise MessageRefused where a message has too many elements."""
        if count > self.elements:
            raise MessageRefused(place, f"want at most {self.elements:,} elements")
