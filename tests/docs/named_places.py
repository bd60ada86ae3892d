"""Files and tests that a page or a table names as code: which they are, and whether they exist."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]


def named(text: str) -> list[str]:
    """What a text has between backticks."""
    return re.findall(r"`([^`\n]+)`", text)


def is_there(place: str) -> bool:
    """Whether a file or folder (`*` may stand in its path) and the test named after `::` exist."""
    path, _, test = place.partition("::")
    found = list(ROOT.glob(path))
    return bool(found) and (not test or f"def {test}(" in found[0].read_text())
