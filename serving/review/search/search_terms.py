"""The identifiers by which cases are found, and the parsing of a search.

Case and separators are ignored, so that `mscu 123-456` finds MSCU123456.
"""

import unicodedata
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from features.field_kinds import IdentifierOf
from features.identities import declarations, identifiers_of, roles_of_parties
from features.records import Journey, Mode
from features.submission import Submission
from serving.crypto.prefix_codes import MIN_SYMBOLS
from serving.errors import RequestFault, Unprocessable
from serving.language import say

# Limit of characters of a search.
MAX_SEARCH_LENGTH = 200

# The role of a conveyance, by its mode of transport.
CONVEYANCES: dict[Mode, str] = {
    "sea": "vessel",
    "inland_waterway": "vessel",
    "air": "aircraft",
    "road": "vehicle",
    "rail": "train",
}

# Identifiers by which cases are found, besides the conveyance, which has a role of its own.
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
_REPLACEMENT = "\ufffd"  # replaces bytes that are not valid text


@dataclass(frozen=True)
class SearchTerm:
    """One identifier in a case, with its roles: container, payer, consignee ..."""

    value: str
    names: tuple[str, ...]

    @property
    def is_party(self) -> bool:
        """Return whether a case names it as a party, which rescuers do not need."""
        return not _OF_NO_PARTY.issuperset(self.names)


def normalised(text: str) -> str:
    """Return a text without case and separators, as searches compare it."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    return "".join(filter(str.isalnum, folded))


def search_terms(submission: Submission) -> tuple[SearchTerm, ...]:
    """Return the identifiers by which a submission's case is found, besides its own id."""
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
    """Return terms without those too short to search, joining spellings that compare equal."""
    found: dict[str, SearchTerm] = {}
    for term in terms:
        symbols = normalised(term.value)
        if len(symbols) < MIN_SYMBOLS:
            continue
        first = found.get(symbols, term)
        found[symbols] = SearchTerm(first.value, tuple(sorted({*first.names, *term.names})))
    return tuple(found.values())


def read_search(text: str) -> str:
    """Return the normalised term of a search; raises Unprocessable for an invalid one."""
    if len(text) > MAX_SEARCH_LENGTH:
        raise _refused(say("want at most {max_length} characters", max_length=MAX_SEARCH_LENGTH))
    if any(_is_unreadable(symbol) for symbol in text):
        raise _refused("want letters, digits and separators, without control characters")
    if _WILDCARDS.intersection(text):
        raise _refused("want no wildcard: a search finds whatever begins with it")
    symbols = normalised(text)
    if len(symbols) < MIN_SYMBOLS:
        raise _refused(
            say("want at least {least_symbols} letters or digits", least_symbols=MIN_SYMBOLS)
        )
    return symbols


def _is_unreadable(symbol: str) -> bool:
    """Return whether a symbol is a control, private, unassigned or replaced character."""
    return symbol == _REPLACEMENT or unicodedata.category(symbol) in {"Cc", "Cs", "Co", "Cn"}


def _refused(detail: str) -> Unprocessable:
    return Unprocessable("the search is refused", (RequestFault("/q", "q", detail),))
