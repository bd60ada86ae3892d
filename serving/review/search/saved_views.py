"""Saved views: named filters of the queue or of a search.

Each belongs to one account and is shown to nobody else.
"""

import unicodedata
from dataclasses import dataclass

from serving.errors import Unprocessable
from serving.language import say

# Limit of views of one account.
MAX_VIEWS = 20

MAX_NAME_LENGTH = 60
MAX_ADDRESS_LENGTH = 600


@dataclass(frozen=True)
class SavedView:
    """A view: its name, and the address of the page with its filters.

    `symbols` is its normalised search term; empty if it does not search.
    """

    view_id: str
    name: str
    address: str
    symbols: str = ""


def checked_name(name: str) -> str:
    """Return a name for a view, on one line; raises Unprocessable."""
    words = " ".join(name.split())
    if not words or len(words) > MAX_NAME_LENGTH:
        raise Unprocessable(
            say("name the view, in at most {max_length} characters", max_length=MAX_NAME_LENGTH)
        )
    if any(unicodedata.category(symbol).startswith("C") for symbol in words):
        raise Unprocessable("name the view in letters, digits and signs that can be seen")
    return words
