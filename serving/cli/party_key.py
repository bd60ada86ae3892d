"""The key under which a home makes pseudonyms of parties at the door."""

from pathlib import Path


def party_key(home: Path) -> bytes:
    """The first key of the home's pseudonyms: records from before a rotation have its names."""
    from features.home_keys import PSEUDONYMS, former_keys, read_key

    folder = home / "keys"
    return (read_key(folder, PSEUDONYMS), *former_keys(folder, PSEUDONYMS))[-1]
