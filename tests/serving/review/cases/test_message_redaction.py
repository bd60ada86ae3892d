"""What a reader sees of a message about consignments of several offices."""

from dataclasses import replace
from itertools import combinations

from features.messages.concerned_parts import ConcernedPart, Subject
from features.messages.stored_text import MessageText
from serving.history.kept_messages import KeptMessage, MessageContent, PlacedRecord, lines_of
from serving.review.cases.message_redaction import (
    NOT_SHOWN,
    ShownMessage,
    VisibleSubjects,
    shown_message,
)

LINES = ("header\n", "mine one\n", "mine two\n", "theirs one\n", "theirs two\n", "whose?\n", "end")
TEXT = "".join(LINES)
MINE, THEIRS = ("shipment", "S-1"), ("shipment", "S-2")
RECORDS = (
    PlacedRecord("documents", "D-1", *MINE, {"number": "one"}),
    PlacedRecord("shipments", "S-2", *THEIRS, {"packages": "two", "kind": "both"}),
)


def at(words: str) -> tuple[int, int]:
    return TEXT.index(words), TEXT.index(words) + len(words)


def parts_of(*owners: tuple[tuple[Subject, ...] | None, str]) -> tuple[ConcernedPart, ...]:
    return tuple(ConcernedPart(*at(words), subjects) for subjects, words in owners)


SPANS = {"one": at("one"), "two": at("theirs two"), "both": at("end")}
MESSAGE = KeptMessage(
    *("m", "c", "k", "2026-11-24T12:00:00+00:00", "ubl"),
    MessageContent(
        *("", "", 0, ""),
        {"records": {"documents": 1, "shipments": 1}, "refused": [1], "left_over": [1]},
        RECORDS,
        (),
        MessageText.of(TEXT),
        SPANS,
        parts_of(
            (None, "header\n"),
            ((MINE,), "mine one\nmine two\n"),
            ((THEIRS,), "theirs one\ntheirs two\n"),
            ((), "whose?\n"),
            (None, "end"),
        ),
        lines_of(MessageText.of(TEXT), SPANS),
    ),
)


def shown_to(*subjects: Subject, sees_rest: bool = False) -> ShownMessage:
    return shown_message(MESSAGE, VisibleSubjects(set(subjects), sees_rest))


def test_whoever_may_see_all_sees_the_message_as_it_is() -> None:
    assert shown_to(MINE, THEIRS, sees_rest=True) == ShownMessage(MESSAGE)


def test_what_concerns_others_is_left_out_and_each_line_keeps_its_number() -> None:
    for subjects in (own for count in range(3) for own in combinations((MINE, THEIRS), count)):
        shown = shown_to(*subjects)

        lines = str(shown.message.content.text).splitlines()
        seen = [*LINES[:1], *LINES[6:]]
        seen += LINES[1:3] if MINE in subjects else []
        seen += LINES[3:5] if THEIRS in subjects else []
        told = [line for line in LINES if line.strip() in lines]
        assert len(lines) == len(LINES)
        assert sorted(told) == sorted(seen)
        assert [lines.index(line.strip()) for line in told] == [LINES.index(line) for line in told]
        hidden = {number for run in shown.hidden_lines for number in run}
        assert hidden == {LINES.index(line) + 1 for line in set(LINES) - set(seen)}
        assert shown.hidden_line_count == len(hidden)


def test_places_and_records_are_those_that_may_be_seen() -> None:
    content = shown_to(THEIRS).message.content

    assert content.records == RECORDS[1:]
    assert content.report == {"records": {"shipments": 1}, "refused": [], "left_over": []}
    assert set(content.spans) == {"two", "both"}
    for place, words in (("two", "theirs two"), ("both", "end")):
        start, end = content.spans[place]
        assert content.text.part(start, end) == words
    assert content.line_of("two") == 5


def test_within_a_line_a_mark_stands_for_what_is_not_shown() -> None:
    text = "head, mine, theirs, tail"
    parts = tuple(
        ConcernedPart(start, end, owners)
        for start, end, owners in (
            (0, 6, None),
            (6, 12, (MINE,)),
            (12, 20, (THEIRS,)),
            (20, 24, None),
        )
    )
    content = replace(
        MESSAGE.content, text=MessageText.of(text), parts=parts, spans={"both": (20, 24)}
    )
    message = replace(MESSAGE, content=content)

    shown = shown_message(message, VisibleSubjects({THEIRS}, sees_rest=False))

    assert str(shown.message.content.text) == f"head, {NOT_SHOWN}theirs, tail"
    assert shown.hidden_lines == ()
    start, end = shown.message.content.spans["both"]
    assert shown.message.content.text.part(start, end) == "tail"


def test_of_a_text_whose_parts_nobody_noted_all_is_shown_or_nothing() -> None:
    older = replace(MESSAGE, content=replace(MESSAGE.content, parts=()))

    assert shown_message(older, VisibleSubjects({MINE, THEIRS}, sees_rest=True)).message is older
    for who in (VisibleSubjects({MINE, THEIRS}, False), VisibleSubjects({MINE}, True)):
        shown = shown_message(older, who)
        assert str(shown.message.content.text).strip("\n") == NOT_SHOWN
        assert shown.hidden_lines == (range(1, 8),)
