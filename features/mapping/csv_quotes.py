"""Check that every quoted value of a CSV file ends, since an open quote swallows later rows."""

import re
from collections.abc import Iterable

from features.errors import TidegateError

# Maximum number of lines of one row; no text of a declaration is longer.
MAX_LINES = 100

_QUOTE = '"'


def require_closed_quotes(lines: Iterable[str], delimiter: str, place: str) -> None:
    """Raise TidegateError if a quoted value does not end within `MAX_LINES` lines.

    `lines` begin with the second of the file. A quote inside an unquoted value is text.
    """
    # Possessive quantifiers prevent backtracking, which untrusted input could make exponential.
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
