"""Redact the text of a message so that it may be stored.

Withheld elements are blanked, and so is what belongs to no element: comments, attributes, text next
to a sentence. Left-over elements that repeat a withheld text are blanked too. Everything else keeps
its line, and the locations of fields still lead to it.
"""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

from features.messages.conversion import Conversion
from features.messages.formats import FORMATS
from features.messages.located_text import LocatedText, NotLocated, TextSpan
from features.messages.options import Bounds
from features.messages.personal_elements import tells_of_a_party

# Words: of a longer withheld text, only this many leading words are searched for elsewhere.
_MAX_REPEATED_LENGTH = 8
# Characters: a shorter withheld text only matches a whole text, not part of one.
_MIN_WITHIN = 3


@dataclass(frozen=True)
class RedactedText:
    """A text that names no person, with the span of each location that a field came from.

    `elements` are the locations and spans of all elements, in order.
    """

    text: str
    spans: dict[str, TextSpan]
    elements: tuple[tuple[str, TextSpan], ...] = ()


NO_TEXT = RedactedText("", {})


def redacted(
    format: str,
    message: bytes,
    conversion: Conversion,
    bounds: Bounds,
    used: Collection[str] | None = None,
) -> RedactedText:
    """Return the redacted text of a message; empty if it cannot be located reliably.

    `used` are the locations of the stored records, if these are not those of the conversion.
    """
    if used is None:
        used = {place for record in conversion.records for place in record.places.values()}
    try:
        located = FORMATS[format].locate(message, bounds)
    except NotLocated:
        return NO_TEXT
    blanked = sorted({*_to_blank(located, conversion, used), *located.unsaid})
    return _without(located, blanked, used)


def _to_blank(
    located: LocatedText, conversion: Conversion, used: Collection[str]
) -> Iterator[TextSpan]:
    """Yield the spans of elements that must not be stored."""
    withheld = {each.place for each in conversion.withheld}
    left_over = {each.place for each in conversion.left_over}
    repeated = _Repeated(
        located.text_in(each.span) for each in located.elements if each.place in withheld
    )
    for each in located.elements:
        if each.place in withheld:
            yield each.span
        elif each.place in used:
            continue
        elif each.place in left_over:
            if repeated.stands_in(located.text_in(each.span)):
                yield each.span
        # Elements that no list mentions are blanked too if they may describe a person.
        elif not each.is_tag and tells_of_a_party(each.path):
            yield each.span


class _Repeated:
    """An index of withheld texts that finds them where they are repeated."""

    def __init__(self, texts: Iterable[str]):
        self._whole: set[tuple[str, ...]] = set()
        self._within: set[tuple[str, ...]] = set()
        for text in texts:
            words = _words(text)
            if words:
                self._whole.add(words)
                if len("".join(words)) >= _MIN_WITHIN:
                    self._within.add(words[:_MAX_REPEATED_LENGTH])
        self._counts = sorted({len(words) for words in self._within})

    def stands_in(self, text: str) -> bool:
        """Return whether a text contains one of them, word by word."""
        words = _words(text)
        if words in self._whole:
            return True
        return any(
            words[start : start + count] in self._within
            for count in self._counts
            for start in range(len(words) - count + 1)
        )


def _words(text: str) -> tuple[str, ...]:
    return tuple(re.findall(r"\w+", text.casefold()))


def _without(located: LocatedText, blanked: list[TextSpan], places: Iterable[str]) -> RedactedText:
    """Replace each span by a mark with as many line breaks, so that lines keep their numbers."""
    pieces: list[str] = []
    moves = _Moves()
    length = position = 0
    for span in blanked:
        start, end = max(span.start, position), span.end
        if start >= end:  # inside a span that is blanked already
            continue
        before = located.text[position:start]
        mark = located.mark + "\n" * located.text.count("\n", start, end)
        pieces += [before, mark]
        length += len(before)
        moves.add(TextSpan(start, end), TextSpan(length, length + len(mark)))
        length, position = length + len(mark), end
    text = "".join([*pieces, located.text[position:]])
    spans = {place: moves.moved(span) for place, span in _spans_of(places, located)}
    elements = tuple((each.place, moves.moved(each.span)) for each in located.elements)
    return RedactedText(text, spans, elements)


class _Moves:
    """A map of offsets from a text to its redacted form."""

    def __init__(self) -> None:
        self._starts: list[int] = []
        self._moves: list[tuple[TextSpan, TextSpan]] = []

    def add(self, before: TextSpan, after: TextSpan) -> None:
        """Record the next blanked span and that of its mark."""
        self._starts.append(before.start)
        self._moves.append((before, after))

    def moved(self, span: TextSpan) -> TextSpan:
        """Return the span in the redacted text."""
        start, _ = self._at(span.start)
        return TextSpan(start, max(start, self._at(span.end - 1)[1] + (span.end > span.start)))

    def _at(self, offset: int) -> tuple[int, int]:
        """Return the first and last new offset of a character.

        They are equal unless it was blanked: then they are those of the mark.
        """
        found = bisect_right(self._starts, offset) - 1
        if found < 0:
            return offset, offset
        before, after = self._moves[found]
        if offset < before.end:
            return after.start, after.end - 1
        moved = offset - before.end + after.end
        return moved, moved


def _spans_of(places: Iterable[str], located: LocatedText) -> Iterator[tuple[str, TextSpan]]:
    """Yield the span of each location: of its element, or of the first below it."""
    spans = {each.place: each.span for each in located.elements}
    in_order: list[str] = []
    for place in sorted(places):
        if place in spans:
            yield place, spans[place]
            continue
        in_order = in_order or sorted(spans)
        at = bisect_left(in_order, place)
        if at < len(in_order) and in_order[at].startswith(place):
            yield place, spans[in_order[at]]
