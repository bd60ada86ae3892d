"""A text in compressed pieces is read as the text that it was made of."""

import random

import pytest

from features.messages.stored_text import MessageText, pack_texts

LONG = "".join(random.Random(2).choices(["a", "\n", "\u00e9", "\N{MONEY BAG}", "\r"], k=200_000))


@pytest.mark.parametrize("text", ["", "\n", "one", "one\ntwo\n", LONG, "\n" * 70_000])
def test_any_part_of_a_text_is_what_a_string_says(text: str) -> None:
    kept = MessageText(pack_texts([text[:1], text[1:3], text[3:]]))
    chosen = random.Random(3)
    offsets = [0, 1, 65_535, 65_536, 65_537, len(text), len(text) + 9]
    offsets += [chosen.randrange(len(text) + 1) for _ in range(20)]

    assert (str(kept), len(kept)) == (text, len(text))
    assert kept.count_line_breaks() == text.count("\n")
    assert [*kept.line_ends()] == [at for at, each in enumerate(text) if each == "\n"] + [len(text)]
    for start in offsets:
        for end in offsets:
            assert kept.part(start, end) == text[start:end]
            assert kept.count_line_breaks(start, end) == text[start:end].count("\n")
    kept.check()


def test_pieces_that_are_not_as_they_say_are_refused() -> None:
    whole = bytes(pack_texts([LONG]))
    damaged = [whole[:-1], whole[:5], whole + b"x", bytes(12), b"\xff" * 12]
    damaged += [
        whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :] for at in (3, 7, 11, 12, 20, 900)
    ]

    for each in damaged:
        with pytest.raises(ValueError):  # noqa: PT011  # any of them
            MessageText(each).check()
