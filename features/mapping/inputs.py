"""Open the tables that the inputs of a command refer to."""

from collections.abc import Callable, Iterable
from pathlib import Path

from features.errors import TidegateError, nearest_of
from features.mapping.mapping import MappingFile, TableMapping
from features.mapping.source_tables import SourceTable, open_file

OpenDatabase = Callable[[str, TableMapping], SourceTable]

Named = tuple[str, str]


def open_inputs(
    mapping: MappingFile, given: Iterable[str], open_database: OpenDatabase
) -> dict[str, list[SourceTable]]:
    """Open the tables that a mapping reads, from the given inputs or its own file names.

    An input is a file or a database URL, optionally with a table name (`importers=register.csv`).
    If the mapping has several tables, a file without a name is the table with the file's name, and
    a URL applies to every table that names one in its database. Raises TidegateError.
    """
    read = [*mapping.tables_read]
    places: dict[str, list[str]] = {name: [] for name in read}
    for each in given:
        for name, place in _named(mapping, read, each):
            places[name].append(place)
    for name, found in places.items():
        if not found and (file := mapping.table(name).file):
            found.append(str(mapping.file.parent / file))
    return {
        name: [
            open_database(place, mapping.table(name))
            if is_url(place)
            else open_file(Path(place), mapping.table(name))
            for place in found
        ]
        for name, found in places.items()
        if found
    }


def is_url(place: str) -> bool:
    """Return whether an input is a database URL, not a file."""
    return "://" in place


def _named(mapping: MappingFile, read: list[str], given: str) -> list[Named]:
    name, sign, place = given.partition("=")
    if sign and name in read:
        return [(name, place)]
    if len(read) == 1:
        return [(read[0], given)]
    if is_url(given):
        in_database = [
            each for each in read if mapping.table(each).table or mapping.table(each).query
        ]
        if in_database:
            return [(each, given) for each in in_database]
    elif (stem := Path(given).stem) in read:
        return [(stem, given)]
    stem = name if sign else Path(given).stem
    shown = "the database" if is_url(given) else given
    raise TidegateError(
        f"{shown} is not one of the tables {', '.join(read)}; {nearest_of(stem, read)}; "
        "name it, as in TABLE=FILE"
    )
