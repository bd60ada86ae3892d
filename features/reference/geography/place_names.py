"""Names of places for people to read; no feature depends on them."""

from functools import cache

from features.reference.geography.places import place_table


def place_name(code: str) -> str | None:
    """Return the name of a place, such as Piraeus for GRPIR; None if the code is unknown."""
    return _names().get(code)


@cache
def _names() -> dict[str, str]:
    table = place_table()
    names = zip(table["code"].to_pylist(), table["name"].to_pylist(), strict=True)
    return {code: name for code, name in names if name}
