"""Whether every quoted value of a CSV file ends: one that does not swallows the rows behind it."""

from collections.abc import Iterable

from features.errors import InputRefused

MOST_LINES = 100
"""Of one value: no text of a declaration is longer, and rows that are lost are more."""

_QUOTE = '"'


def require_closed_quotes(lines: Iterable[str], delimiter: str, place: str) -> None:
    """Raise InputRefused where a value that begins with a quote does not end soon.

    `lines` are those of a file from the second on; a quote inside a value without quotes is text.
    """
    opened_at = None
    for number, line in enumerate(lines, start=2):
        if opened_at is None and _QUOTE not in line:
            continue
        is_open = _is_open_after(line, delimiter, is_open=opened_at is not None)
        opened_at = (opened_at or number) if is_open else None
        if opened_at is not None and number - opened_at >= MOST_LINES:
            raise _not_closed(place, opened_at)
    if opened_at is not None:
        raise _not_closed(place, opened_at)


def _is_open_after(line: str, delimiter: str, *, is_open: bool) -> bool:
    """Whether a quoted value goes on behind a line; `is_open` where one goes on in it."""
    at = 0
    while True:
        if is_open or line.startswith(_QUOTE, at):
            at = _end_of_quoted(line, at if is_open else at + 1)
            if at < 0:
                return True
        is_open = False
        at = line.find(delimiter, at) + 1
        if not at:
            return False


def _end_of_quoted(line: str, at: int) -> int:
    """The place behind the quote that ends a value; -1 where none does. Two stand for one."""
    while (at := line.find(_QUOTE, at)) >= 0:
        if not line.startswith(_QUOTE, at + 1):
            return at + 1
        at += 2
    return -1


def _not_closed(place: str, line: int) -> InputRefused:
    return InputRefused(
        f"{place}: the quote that begins a value in line {line:,} does not end within "
        f"{MOST_LINES} lines, and would take the rows behind it along; end it, or take it away"
    )
