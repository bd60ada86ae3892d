"""The printed letters are those that the code writes, and each shows what it is there for."""

from pathlib import Path

from serving.review.letter_text import sections_of
from tests.docs.letters import letters, letters_page

PAGE = Path(__file__).parents[2] / "docs" / "examples" / "letters.md"


def test_the_printed_letters_are_those_that_the_code_writes() -> None:
    assert PAGE.read_text() == letters_page(), (
        "run `python -m tests.docs.letters > docs/examples/letters.md`"
    )


def test_only_a_letter_of_a_score_gives_reasons_and_none_is_left_without_a_way_to_contest() -> None:
    selections = []
    for _, letter in letters():
        headings = [section.heading for section in sections_of(letter)]
        assert ("What spoke for a look" in headings) == (letter.selection == "score")
        assert "If you do not agree" in headings
        selections.append(letter.selection)
        if letter.selection == "score":
            assert letter.speaks_for.own
            assert letter.speaks_against.own or letter.speaks_against.others
    assert selections == ["score", "lot", "rule", "score", "information"]
