"""Check that a required text contains something visible."""

import unicodedata

# Fillers and joiners that Unicode classifies as letters, marks or symbols, but that show nothing.
_BLANK_LETTERS = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")


def is_visible(text: str) -> bool:
    """Return whether a text has a visible character, other than spaces, controls and formats."""
    return any(
        unicodedata.category(symbol)[0] not in "CZ" and symbol not in _BLANK_LETTERS
        for symbol in text
    )
