"""By what a case is found: what its subject names, and how a search for it is read.

Case and separators count for nothing, so that `mscu 123-456` finds MSCU123456.
"""

import unicodedata
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from features.field_kinds import IdentifierOf
from features.identities import declarations, identifiers_of, roles_of_parties
from features.records import Journey, Mode
from features.submission import Submission
from serving.crypto.prefix_codes import LEAST_SYMBOLS
from serving.errors import RequestFault, Unprocessable
from serving.language import say

# Characters of the longest search.
LONGEST_SEARCH = 200

# What a conveyance is called, by how it travels.
CONVEYANCES: dict[Mode, str] = {
    "sea": "vessel",
    "inland_waterway": "vessel",
    "air": "aircraft",
    "road": "vehicle",
    "rail": "train",
}

# Identifiers by which cases are found, beside the conveyance, which is named by its kind.
THINGS: tuple[IdentifierOf, ...] = (
    "journey",
    "shipment",
    "document_number",
    "imo_number",
    "mmsi",
    "call_sign",
    "plate",
    "container",
    "seal",
)

CASE_NAME = "case"
_OF_NO_PARTY = frozenset({CASE_NAME, *THINGS, *CONVEYANCES.values()})
_WILDCARDS = frozenset("*?%")
_REPLACEMENT = "\ufffd"  # what stands for bytes that are no text


@dataclass(frozen=True)
class SearchTerm:
    """One identifier that a case names, and as what: container, payer, consignee ..."""

    value: str
    names: tuple[str, ...]

    @property
    def is_party(self) -> bool:
        """Return whether a case names it as a party, which whoever rescues has no need of."""
        return not _OF_NO_PARTY.issuperset(self.names)


def normalised(text: str) -> str:
    """A text without case and separators, as searches compare it."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    return "".join(filter(str.isalnum, folded))


def search_terms(submission: Submission) -> tuple[SearchTerm, ...]:
    """By what the case of a submission is found besides its own id, each identifier once."""
    declared = declarations(submission)
    papers = [*declared, *submission.documents, *submission.transactions]
    names: dict[str, set[str]] = defaultdict(set, roles_of_parties(papers))
    for thing in THINGS:
        for value in identifiers_of(papers, thing):
            names[value].add(thing)
    journey: Journey | None = submission.journey
    if journey is not None:
        names[journey.conveyance_id].add(CONVEYANCES[journey.mode])
    return distinct_terms(SearchTerm(value, tuple(sorted(names[value]))) for value in sorted(names))


def distinct_terms(terms: Iterable[SearchTerm]) -> tuple[SearchTerm, ...]:
    """Terms without those too short to be found; what is written in two ways is there once."""
    found: dict[str, SearchTerm] = {}
    for term in terms:
        symbols = normalised(term.value)
        if len(symbols) < LEAST_SYMBOLS:
            continue
        first = found.get(symbols, term)
        found[symbols] = SearchTerm(first.value, tuple(sorted({*first.names, *term.names})))
    return tuple(found.values())


def read_search(text: str) -> str:
    """Return what a search is for, normalised; raises Unprocessable where it is none."""
    if len(text) > LONGEST_SEARCH:
        raise _refused(
            say("want at most {longest_search} characters", longest_search=LONGEST_SEARCH)
        )
    if any(_is_unreadable(symbol) for symbol in text):
        raise _refused("want letters, digits and separators, without control characters")
    if _WILDCARDS.intersection(text):
        raise _refused("want no wildcard: a search finds whatever begins with it")
    symbols = normalised(text)
    if len(symbols) < LEAST_SYMBOLS:
        raise _refused(
            say("want at least {least_symbols} letters or digits", least_symbols=LEAST_SYMBOLS)
        )
    return symbols


def _is_unreadable(symbol: str) -> bool:
    """Control characters, halves of characters, and what no character has."""
    return symbol == _REPLACEMENT or unicodedata.category(symbol) in {"Cc", "Cs", "Co", "Cn"}


def _refused(detail: str) -> Unprocessable:
    return Unprocessable("the search is refused", (RequestFault("/q", "q", detail),))
