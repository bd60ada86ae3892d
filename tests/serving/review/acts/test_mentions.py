"""Mentions: a colleague is named exactly, or the note is refused."""

import pytest

from serving.errors import Unprocessable
from serving.review.acts.note import MAX_MENTIONS, find_mentions
from serving.web.html import FILTERS

PEOPLE = ("ana", "jan", "o'neil", "jan van dam")


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("@ana please look", ("ana",)),
        ("(@ana), @jan: see @ana.", ("ana", "jan")),
        ("as @jan van dam said", ("jan van dam",)),
        ("as @jan van said", ("jan",)),
        ("ask @o'neil's office", ("o'neil",)),
        ("write to ana@jan.example", ()),
        ("it costs 5 @ 3 each, or 3@5", ()),
        ("<b>@ana</b>", ("ana",)),
    ],
)
def test_a_name_is_mentioned_exactly(text: str, named: tuple[str, ...]) -> None:
    assert find_mentions(text, PEOPLE) == named


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("@nobody", "`@nobody` may see"),
        ("@Ana", "`@ana` may"),
        ("@\u0430na", "`@ana` may"),
        ("@anastasia", "nobody"),
        ("@jan_", "nobody"),
        (" ".join(f"@p{number}" for number in range(MAX_MENTIONS + 1)), "at most"),
    ],
)
def test_a_name_of_nobody_or_nearly_of_somebody_is_refused(text: str, said: str) -> None:
    many = [f"p{number}" for number in range(MAX_MENTIONS + 1)]
    with pytest.raises(Unprocessable, match=said):
        find_mentions(text, (*PEOPLE, *many) if "@p0" in text else PEOPLE)


def test_a_text_is_shown_whole_in_parts_and_only_names_are_mentions() -> None:
    parts = FILTERS["mention_parts"]
    assert parts("<i>@o'neil & @ana", ("ana", "o'neil")) == [
        ("<i>", False),
        ("@o'neil", True),
        (" & ", False),
        ("@ana", True),
        ("", False),
    ]
    assert parts("@jan van dam", ("jan", "jan van dam"))[1] == ("@jan van dam", True)
    assert parts("<script>", ()) == [("<script>", False)]
