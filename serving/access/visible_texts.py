"""Whether a text that a person must write holds anything that can be seen."""

import unicodedata

# Fillers and joiners that Unicode takes for letters, marks or signs, and that show nothing.
_BLANK_LETTERS = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")


def is_visible(text: str) -> bool:
    """Return whether anything of a text is seen: blanks, controls and formats are not."""
    return any(
        unicodedata.category(symbol)[0] not in "CZ" and symbol not in _BLANK_LETTERS
        for symbol in text
    )
