"""Patterns that find a subject in the references of a message, as whoever sends it writes them.

A pattern of a stranger could make a search endless: one that repeats what repeats is refused, and
so much of a reference is searched as a reference may be long.
"""

import re

LONGEST_SEARCHED = 500
"""Characters of a reference that are searched."""
LONGEST_PATTERN = 200
MOST_REPETITIONS = 2

_ESCAPED_OR_SET = re.compile(r"\\.|\[(?:\\.|[^\]\\])+\]", re.DOTALL)
_REPEATED_GROUP = re.compile(r"\)(?:[*+?]|\{)")
_REPETITION = re.compile(r"[*+]|\{\d*,\d*\}")


def search_pattern(written: str) -> re.Pattern[str]:
    """The pattern that somebody wrote; raises ValueError, which says what is wanted.

    >>> search_pattern("AC[0-9]+").search("for AC100").group()
    'AC100'
    >>> search_pattern("(a+)+b")
    Traceback (most recent call last):
    ValueError: want a pattern that repeats no group
    """
    if len(written) > LONGEST_PATTERN:
        raise ValueError(f"want a pattern of at most {LONGEST_PATTERN} characters")
    try:
        pattern = re.compile(written)
    except (re.error, RecursionError, OverflowError):
        raise ValueError("want a regular expression") from None
    if re.search(r"\\[1-9]", written):
        raise ValueError("want a pattern without references to its groups")
    bare = _ESCAPED_OR_SET.sub("x", written)
    if re.search(r"\(\?(?!:)", bare):
        raise ValueError("want a pattern whose groups are plain")
    if _REPEATED_GROUP.search(bare):
        raise ValueError("want a pattern that repeats no group")
    if len(_REPETITION.findall(bare)) > MOST_REPETITIONS:
        raise ValueError(f"want a pattern with at most {MOST_REPETITIONS} repetitions")
    return pattern
