"""Five letters about cases of a demonstration, as `docs/examples/letters.md` prints them.

    python -m tests.docs.letters HOME

HOME is what `tidegate demo --once` left. Its newest subjects are scored in a copy under a plan with
rules and a watch-list, their cases ended and every letter written; of each way of selection the
letter that says most is printed. Another run writes about other subjects, so that no test holds the
page; `tests/test_demo.py` holds what the letters of a demonstration may say.
"""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from shutil import copytree
from tempfile import TemporaryDirectory

from serving.audit.decision import Decision
from serving.review.letters.letter import Letter
from serving.review.letters.letter_text import sections_of
from tests.true_decisions import said_of

PAGE = Path(__file__).parents[2] / "docs" / "examples" / "letters.md"

HEAD = """\
# Five letters

Letters to traders and carriers, as `tidegate serve` prints them after a case has ended and a second
person has released them. The cases are those of a demonstration, under a plan with two rules and a
watch-list; the offices and their addresses are invented.
`python -m tests.docs.letters HOME` makes this page of a home of a demonstration.

Read them as a trader: what do I learn, what can I mend, by when must I act and where? And as a
lawyer: is a reason given that did not select, is anything told of others, is a remedy missing?
"""

LETTERS: dict[str, Callable[[Decision, Letter], bool]] = {
    "Selected by its score, to the consignee": lambda decision, letter: (
        letter.selection == "score" and letter.audience == "consignee"
    ),
    "Selected at random, to the consignee": lambda decision, letter: (
        letter.selection == "lot" and letter.audience == "consignee"
    ),
    "Selected by a rule, to the consignor": lambda decision, letter: (
        letter.rule is not None and letter.audience == "consignor"
    ),
    "A journey selected by its score, to the carrier": lambda decision, letter: (
        letter.selection == "score" and decision.subject_kind == "route"
    ),
    "Selected by a watch-list, after a deferral": lambda decision, letter: (
        letter.selection == "information" and letter.audience == "consignee"
    ),
}


def letters_page(letters: list[tuple[Decision, Letter]]) -> str:
    """The page, of the letters about a demonstration."""
    parts = [HEAD.rstrip()]
    for title, letter in _chosen(letters):
        parts.append(f"## {title}")
        for section in sections_of(letter):
            parts.append(" ".join((f"**{section.heading}.**", *section.paragraphs)))
            if section.items:
                parts.append("\n".join(f"- {item}" for item in section.items))
        parts.append(f"Reference {letter.reference}")
    return "\n\n".join(parts) + "\n"


def _chosen(letters: list[tuple[Decision, Letter]]) -> Iterator[tuple[str, Letter]]:
    for title, is_meant in LETTERS.items():
        fitting = [letter for decision, letter in letters if is_meant(decision, letter)]
        yield title, max(fitting, key=_what_it_says)


def _what_it_says(letter: Letter) -> tuple[int, int]:
    own = len(letter.speaks_for.own)
    return min(own, 2) + len(letter.corrections), len(letter.speaks_against.own)


def main() -> None:
    """Write the page."""
    with TemporaryDirectory() as folder:
        home = Path(folder) / "home"
        copytree(sys.argv[1], home)
        said = said_of(home)
    PAGE.write_text(letters_page(said.letters), encoding="utf-8")


if __name__ == "__main__":
    main()
