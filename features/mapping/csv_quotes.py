"""A check that every quoted value of a CSV file ends: one that does not swallows later rows."""

import re
from collections.abc import Iterable

from features.errors import TidegateError

# Of one row: no text of a declaration is longer, and rows that are lost are more.
MAX_LINES = 100

_QUOTE = '"'


def require_closed_quotes(lines: Iterable[str], delimiter: str, place: str) -> None:
    """Raise TidegateError where a value that begins with a quote does not end soon.

    `lines` are those of a file from the second on; a quote inside a value without quotes is text.
    """
    # Possessive, so that matching never goes back: a line of a stranger could else take for ever.
    end = re.escape(delimiter)
    quoted = rf'"[^"]*+(?:""[^"]*+)*+"[^{end}]*+'
    whole = re.compile(rf'(?:(?:{quoted}|[^"{end}][^{end}]*+)?+(?:{end}|\Z))++')
    row, first = "", 0
    for number, line in enumerate(lines, start=2):
        if not row and _QUOTE not in line:
            continue
        first = first if row else number
        row += line
        if whole.fullmatch(row):
            row = ""
        elif number - first >= MAX_LINES:
            break
    if row:
        raise TidegateError(
            f"{place}: the quote that begins a value in line {first:,} does not end within "
            f"{MAX_LINES} lines, and would take the rows behind it along; end it, or take it away"
        )
