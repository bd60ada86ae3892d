"""The fundamental rights impact assessment that a deployer makes before live use.

The questions are those of Regulation (EU) 2024/1689 (AI Act), Article 27(1)(a) to (f), (3) and (4),
with the persons responsible and the period. The answers are a file of the deployer,
`HOME/impact.toml`; the service only checks that every question has one.
"""

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from features.errors import TidegateError
from features.home_files import write_home_file

# A shorter answer about people's rights says nothing.
MIN_ANSWER_LENGTH = 40

# Article 27(2) requires an update after a change; here at least once a year.
MAX_REVIEW_INTERVAL = timedelta(days=366)

QUESTIONS: dict[str, str] = {
    "process": "In which processes of yours will scores be used, for which purpose? (27(1)(a))",
    "period_and_frequency": "From when until when, and how often, will it be used? (27(1)(b))",
    "persons_affected": "Which groups of persons and operators may be affected, drivers, crews, "
    "small traders and people being smuggled included? (27(1)(c))",
    "risks_of_harm": "Which harm may come to them: delay, loss, suspicion by origin, danger to "
    "life when a sign is missed? (27(1)(d))",
    "human_oversight": "Who decides, how were they trained, and how do they overrule a score? "
    "(27(1)(e))",
    "measures": "What happens when harm is done: who stops the models, who is told, where can an "
    "operator complain? (27(1)(f))",
    "notification": "When and how was the market surveillance authority told of the results, with "
    "the filled-in template of the AI Office, or which exemption holds? (27(3))",
    "data_protection": "Where is the data protection impact assessment that goes with this one? "
    "(27(4))",
}

NAMES: dict[str, str] = {
    "deployer": "The authority that uses the scores.",
    "answered_by": "The role that answers for this assessment.",
    "approved_by": "Another role, that read and approved it.",
}

DAYS: dict[str, str] = {
    "assessed_on": "The day it was approved, as 2026-11-24 without quotes.",
    "review_by": f"The day it must be looked at again, within {MAX_REVIEW_INTERVAL.days} days.",
}


@dataclass(frozen=True)
class MissingEntry:
    """A missing entry of an assessment."""

    field: str
    reason: str


def template() -> str:
    """Return the questions as a TOML file without answers."""
    names = (f'# {text}\n{name} = ""\n' for name, text in NAMES.items())
    days = (f"# {text}\n# {name} =\n" for name, text in DAYS.items())
    questions = (f'# {text}\n{name} = """\n"""\n' for name, text in QUESTIONS.items())
    return "\n".join((*names, *days, "[answers]\n", *questions))


def write_template(file: Path) -> None:
    """Write the questions; existing answers are never overwritten."""
    write_home_file(file, template())


def require_assessment(file: Path, today: date) -> None:
    """Raise TidegateError with everything missing, unless live use may begin or continue."""
    lacks = missing_from(file, today)
    if lacks:
        named = "; ".join(f"{lack.field}: {lack.reason}" for lack in lacks)
        raise TidegateError(
            f"live use needs an assessment of its impact on fundamental rights in {file}: {named}"
        )


def missing_from(file: Path, today: date) -> list[MissingEntry]:
    """Return the missing entries of the assessment on a day; empty if it is complete."""
    try:
        given = tomllib.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return [MissingEntry("file", "there is none; `tidegate init impact` writes the questions")]
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        return [MissingEntry("file", f"cannot be read as TOML: {error}")]
    return [*_names(given), *_days(given, today), *_answers(given.get("answers"))]


def _names(given: dict[str, object]) -> Iterator[MissingEntry]:
    for name, text in NAMES.items():
        if not _text(given.get(name)):
            yield MissingEntry(name, text)
    by, approved = (_text(given.get(name)).casefold() for name in ("answered_by", "approved_by"))
    if by and by == approved:
        yield MissingEntry("approved_by", "want another role than the one that answered")


def _days(given: dict[str, object], today: date) -> Iterator[MissingEntry]:
    assessed, review = (given.get(name) for name in DAYS)
    for name, value in zip(DAYS, (assessed, review), strict=True):
        # `datetime` is a subclass of `date`, and TOML has both: an instant is not accepted as a
        # day.
        if type(value) is not date:
            yield MissingEntry(name, DAYS[name])
    if type(assessed) is not date or type(review) is not date:
        return
    if assessed > today:
        yield MissingEntry("assessed_on", f"{assessed} is still to come")
    if not assessed < review <= assessed + MAX_REVIEW_INTERVAL:
        yield MissingEntry(
            "review_by", f"want a day within {MAX_REVIEW_INTERVAL.days} days after {assessed}"
        )
    elif review < today:
        yield MissingEntry("review_by", f"was due on {review}; look at the answers again")


def _answers(given: object) -> Iterator[MissingEntry]:
    answers = given if isinstance(given, dict) else {}
    for name, question in QUESTIONS.items():
        if len(_text(answers.get(name))) < MIN_ANSWER_LENGTH:
            yield MissingEntry(f"answers.{name}", question)


def _text(value: object) -> str:
    return " ".join(value.split()) if isinstance(value, str) else ""
