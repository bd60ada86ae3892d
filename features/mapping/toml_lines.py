"""Find the line of each key in a TOML document, which `tomllib` does not report."""

import re
import tomllib
from typing import Any

KeyPath = tuple[str | int, ...]


def key_lines(text: str) -> dict[KeyPath, int]:
    """Return the line, from 1, of every key and header of a valid document.

    Paths of tables in an array contain their index. Keys inside a value have no line of their own:
    use the nearest path above (`line_at`).

    >>> key_lines("[a]\\nb = 1\\n[[c]]\\nd.e = [\\n 2]\\n")
    {('a',): 1, ('a', 'b'): 2, ('c', 0): 3, ('c', 0, 'd', 'e'): 4}
    """
    found: dict[KeyPath, int] = {}
    inside: KeyPath = ()
    statement, begins = "", 0
    for number, line in enumerate(text.splitlines(), 1):
        begins = begins if statement else number
        statement += line + "\n"
        # Trying to parse ever more lines avoids writing a TOML parser; mappings are short.
        said = _read(statement)
        if said is None:  # the statement continues on the next line
            continue
        whole, statement = statement.lstrip(), ""
        if whole.startswith("["):
            # Path of a header, with the indexes of the arrays that it passes through.
            path = _keys(whole)
            is_array = whole.startswith("[[")
            inside = ()
            for place, key in enumerate(path):
                inside = (*inside, key)
                tables = sum(other[:-1] == inside and isinstance(other[-1], int) for other in found)
                if is_array and place == len(path) - 1:
                    inside = (*inside, tables)
                elif tables:
                    inside = (*inside, tables - 1)
            found.setdefault(inside, begins)
        elif said:  # neither a comment nor blank
            found[inside + _keys(whole)] = begins
    return found


def line_at(lines: dict[KeyPath, int], path: KeyPath) -> int | None:
    """Return the line of a path, or else of the nearest path above it."""
    while path and path not in lines:
        path = path[:-1]
    return lines.get(path)


def _read(statement: str) -> dict[str, Any] | None:
    try:
        return tomllib.loads(statement)
    except tomllib.TOMLDecodeError:
        return None


def _keys(statement: str) -> KeyPath:
    """Return the keys of a header, or of the part before the value."""
    said = _read(statement) if statement.startswith("[") else _read_key(statement)
    path: KeyPath = ()
    while isinstance(said, dict) and said:
        (key,) = said
        path, said = (*path, key), said[key]
    return path


def _read_key(statement: str) -> dict[str, Any] | None:
    # an equals sign may be inside a quoted key
    ends = (sign.start() for sign in re.finditer("=", statement))
    return next(filter(None, (_read(f"{statement[:end]}= 0") for end in ends)), None)
