"""The text of a message without what it says of persons, as it may be kept.

What a conversion withholds is blanked where it stands, and so is what no element says: comments,
attributes, words beside a sentence. What is left over and repeats what is withheld goes too. All
else stays in its line, and the places that fields came from lead to it.
"""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

from features.messages.bounds import Bounds
from features.messages.conversion import Conversion
from features.messages.located_text import LOCATED, LocatedText, NotLocated, TextSpan
from features.messages.personal_elements import tells_of_a_party

# Words: of a longer text that is withheld its beginning is looked for elsewhere.
_MAX_REPEATED_LENGTH = 8
# Characters: a shorter text that is withheld is looked for as a whole, and not within others.
_MIN_WITHIN = 3


@dataclass(frozen=True)
class RedactedText:
    """A text that names no person, and the span in it of each place that a field came from.

    `elements` are the places of all elements in order, each with its span.
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
    """The text of a message that was read, redacted; nothing of one that cannot be surely.

    `used` are the places of the records that are stored, where they are not those of the
    conversion alone.
    """
    if used is None:
        used = {place for record in conversion.records for place in record.places.values()}
    try:
        located = LOCATED[format](message, bounds)
    except NotLocated:
        return NO_TEXT
    blanked = sorted({*_to_blank(located, conversion, used), *located.unsaid})
    return _without(located, blanked, used)


def _to_blank(
    located: LocatedText, conversion: Conversion, used: Collection[str]
) -> Iterator[TextSpan]:
    """The spans of elements that say something which must not be kept."""
    withheld = {each.place for each in conversion.withheld}
    left_over = {each.place for each in conversion.left_over}
    repeated = _Repeated(
        located.said(each.span) for each in located.elements if each.place in withheld
    )
    for each in located.elements:
        if each.place in withheld:
            yield each.span
        elif each.place in used:
            continue
        elif each.place in left_over:
            if repeated.stands_in(located.said(each.span)):
                yield each.span
        elif not each.is_tag and tells_of_a_party(each.path):
            yield each.span


class _Repeated:
    """Finds texts that are withheld where they are repeated."""

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
        """Return whether one of them stands in a text, word by word."""
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
    """The text with a mark in the place of each span, and as many lines as before."""
    pieces: list[str] = []
    moves = _Moves()
    length = position = 0
    for span in blanked:
        start, end = max(span.start, position), span.end
        if start >= end:  # within one that was blanked already
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
    """The move of places from a text to its redacted form."""

    def __init__(self) -> None:
        self._starts: list[int] = []
        self._moves: list[tuple[TextSpan, TextSpan]] = []

    def add(self, before: TextSpan, after: TextSpan) -> None:
        """Note the next span that was blanked, and that of its mark."""
        self._starts.append(before.start)
        self._moves.append((before, after))

    def moved(self, span: TextSpan) -> TextSpan:
        """The span that one has become."""
        start, _ = self._at(span.start)
        return TextSpan(start, max(start, self._at(span.end - 1)[1] + (span.end > span.start)))

    def _at(self, offset: int) -> tuple[int, int]:
        """Of a character its place now; of one that was blanked the first and last of the mark."""
        found = bisect_right(self._starts, offset) - 1
        if found < 0:
            return offset, offset
        before, after = self._moves[found]
        if offset < before.end:
            return after.start, after.end - 1
        moved = offset - before.end + after.end
        return moved, moved


def _spans_of(places: Iterable[str], located: LocatedText) -> Iterator[tuple[str, TextSpan]]:
    """The span of each place: of its element, or of the first that lies below it."""
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
