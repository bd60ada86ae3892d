"""Redaction of a message to what concerns a reader's own cases.

Withheld text leaves its line breaks, so that line numbers stay the same.
"""

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator, Set
from dataclasses import dataclass, replace
from typing import Any

from features.messages.concerned_parts import ConcernedPart, Subject
from features.messages.stored_text import MessageText, pack_texts
from serving.history.kept_messages import KeptMessage, MessageContent, PlacedRecord

# Replaces text that is not shown.
NOT_SHOWN = "[not shown]"


@dataclass(frozen=True)
class VisibleSubjects:
    """The subjects that a reader may see; `sees_rest` adds parts about no known subject."""

    subjects: Set[Subject]
    sees_rest: bool

    def sees(self, part: ConcernedPart) -> bool:
        """Return whether a part of a message is shown."""
        if not part.subjects:
            # None marks text that concerns every reader, such as an envelope; () an unknown
            # subject.
            return part.subjects is None or self.sees_rest
        return not self.subjects.isdisjoint(part.subjects)

    def sees_record(self, record: PlacedRecord) -> bool:
        """Return whether a record of a message is shown."""
        return (record.subject_kind, record.subject_id) in self.subjects


@dataclass(frozen=True)
class ShownMessage:
    """The visible part of a message, and the withheld ranges of lines, counted from 1."""

    message: KeptMessage
    hidden_lines: tuple[range, ...] = ()

    @property
    def hidden_line_count(self) -> int:
        """Count the lines that are not shown."""
        return sum(map(len, self.hidden_lines))


def shown_message(message: KeptMessage, visible: VisibleSubjects) -> ShownMessage:
    """Return the part of a message that is visible to a reader of some subjects."""
    content = message.content
    hidden = _hidden_stretches(content, visible)
    records = tuple(filter(visible.sees_record, content.records))
    if not hidden and len(records) == len(content.records):
        return ShownMessage(message)
    shortened = _Shortened(content.text, hidden)
    places = {place for record in records for place in record.places.values()}
    shown = replace(
        content,
        report=_report(content.report, records),
        records=records,
        text=shortened.text(),
        spans={
            place: (shortened.moved(start), shortened.moved(end))
            for place, (start, end) in content.spans.items()
            if place in places
        },
        lines={place: line for place, line in content.lines.items() if place in places},
    )
    lines = tuple(_whole_lines(content.text, hidden))
    return ShownMessage(replace(message, content=shown), lines)


def _hidden_stretches(content: MessageContent, visible: VisibleSubjects) -> list[tuple[int, int]]:
    """Return the hidden ranges of offsets; without known parts, all of the text or nothing."""
    if not content.parts and content.text and not _sees_all(content, visible):
        return [(0, len(content.text))]
    stretches: list[tuple[int, int]] = []
    for part in content.parts:
        if visible.sees(part):
            continue
        # Join adjacent ranges, so that the mark appears once.
        if stretches and stretches[-1][1] == part.start:
            stretches[-1] = stretches[-1][0], part.end
        else:
            stretches.append((part.start, part.end))
    return stretches


def _sees_all(content: MessageContent, visible: VisibleSubjects) -> bool:
    return visible.sees_rest and visible.subjects >= set(content.subjects)


def _report(report: dict[str, Any], records: tuple[PlacedRecord, ...]) -> dict[str, Any]:
    """Return the report reduced to some records; faults are dropped: their owner is unknown."""
    counts = dict(sorted(Counter(each.record_type for each in records).items()))
    nothing: dict[str, Any] = {
        name: [] for name in ("refused", "left_over", "withheld", "remarks") if name in report
    }
    uncounted = {"counts": dict.fromkeys(report["counts"], 0)} if "counts" in report else {}
    return report | nothing | uncounted | {"records": counts}


class _Shortened:
    """A text with some ranges replaced by a mark."""

    def __init__(self, text: MessageText, hidden: list[tuple[int, int]]):
        self._text, self._hidden = text, hidden
        self._starts: list[int] = []
        self._moves: list[tuple[int, int, int]] = []
        last = length = 0
        for start, end in hidden:
            mark_length = len(NOT_SHOWN) + text.count_line_breaks(start, end)
            length += start - last
            self._starts.append(start)
            self._moves.append((end, length, length + mark_length))
            length, last = length + mark_length, end

    def text(self) -> MessageText:
        """Return the shortened text."""
        return MessageText(pack_texts(self._parts()))

    def _parts(self) -> Iterator[str]:
        last = 0
        for start, end in self._hidden:
            yield from self._text.parts(last, start)
            yield NOT_SHOWN
            yield from ("\n" * part.count("\n") for part in self._text.parts(start, end))
            last = end
        yield from self._text.parts(last)

    def moved(self, offset: int) -> int:
        """Return the offset in the shortened text of an offset in the original."""
        found = bisect_right(self._starts, offset) - 1
        if found < 0:
            return offset
        end, begins, goes_on = self._moves[found]
        return begins if offset < end else offset - end + goes_on


def _whole_lines(text: MessageText, hidden: list[tuple[int, int]]) -> Iterator[range]:
    """Yield the ranges of lines, counted from 1, that are hidden completely."""
    for start, end in hidden:
        is_within = start > 0 and text.part(start - 1, start) != "\n"
        is_last = end == len(text) and text.part(end - 1, end) != "\n"
        first, after = (text.count_line_breaks(0, at) for at in (start, end))
        lines = range(first + 1 + is_within, after + 1 + is_last)
        if lines:
            yield lines
