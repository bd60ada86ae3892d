"""A letter in words: its sections in order, for a page, a print or an example."""

from collections.abc import Iterator
from dataclasses import dataclass

from serving.explanation.formatting import figures
from serving.explanation.reasons_in_words import with_usual
from serving.review.corrections import Correction
from serving.review.letter import Letter, LetterReasons, OwnSign, Selection
from serving.review.remedies import Addressee, Remedy


@dataclass(frozen=True)
class LetterSection:
    """A part of a letter: its heading, its paragraphs, and a list below them."""

    heading: str
    paragraphs: tuple[str, ...]
    items: tuple[str, ...] = ()


SELECTED: dict[Selection, str] = {
    "lot": "It was selected at random (drawn by lot). A set part of all traffic is, whatever was "
    "declared and by whomever, so that the office learns what it would otherwise miss. Nothing "
    "that you declared led to it, and therefore no reason is given.",
    "rule": "A written rule of the office selected it, which holds for everybody alike.",
    "information": "It was selected because of information that the office holds. What that is, "
    "and from whom, is not repeated here; the supervisory authority named below can examine it.",
    "score": "A computer compared what was declared and filed with many earlier declarations, and "
    "put it among those that were proposed for a closer look. What spoke for that and what "
    "against it is below.",
    "manual": "No computer proposed it: no score could be given at the time, and the office "
    "followed its procedure without one.",
}

COMPUTER: dict[Selection, str] = {
    "lot": "The computer made the random selection.",
    "rule": "The computer looked whether the condition of the rule holds.",
    "information": "The computer compared what was declared with that information.",
    "score": "The computer gave a score: an estimate of how often such a check finds something. "
    "The score decided that it was proposed for a look, within what the office can look at in a "
    "day. It is no evidence, and it did not decide how the case ended.",
    "manual": "The computer gave no score.",
}
BESIDES = "It also gave a score, which did not decide this."

DISCRETION = "That it was inspected after that was not proposed by anything: a person decided it."
PEOPLE = (
    "A person read the case, decided what was done, and is answerable for it. What is reported as "
    "an offence takes two persons."
)
DATA = (
    "What is scored is a consignment or a journey. Those who take part in it are known to the "
    "computer by pseudonyms; some of them may be natural persons, as a sole trader, a driver who "
    "owns the vehicle, or whoever paid, and then this is processing of personal data. It uses no "
    "name, nationality or other attribute of a person. It does use countries of goods, ways and "
    "accounts, which may stand close to them; whether some are selected in error more often than "
    "others is measured for every version."
)
FULLER = (
    "A court or the supervisory authority can have the whole: all reasons, the procedure of "
    "selection, the version of the model and the sources of the data."
)


def sections_of(letter: Letter) -> tuple[LetterSection, ...]:
    """The letter in words."""
    return (
        LetterSection("What this is about", (letter.what, _measure(letter))),
        LetterSection("How it was selected", _selected(letter)),
        *(_reasons(letter) if letter.selection == "score" else ()),
        LetterSection("What the computer did, and what people did", (_computer(letter), PEOPLE)),
        LetterSection("Data about you", (DATA,)),
        LetterSection("If you do not agree", _contest(letter), tuple(_remedies(letter))),
    )


def _measure(letter: Letter) -> str:
    further = f" {DISCRETION}" if letter.is_inspection_at_discretion else ""
    return (
        f"On {letter.decided_at:%-d %B %Y} it was proposed for {letter.measure}.{further} "
        f"The case has ended: {letter.ending}."
    )


def _computer(letter: Letter) -> str:
    said = COMPUTER[letter.selection]
    return f"{said} {BESIDES}" if letter.was_scored and letter.selection != "score" else said


def _selected(letter: Letter) -> tuple[str, ...]:
    said = SELECTED[letter.selection]
    if letter.selection != "rule":
        return (said,)
    if letter.rule:
        return (said, f"The rule: “{letter.rule}”")
    return (said, "Its words are not published. Those named below can have them examined.")


def _reasons(letter: Letter) -> Iterator[LetterSection]:
    yield _speaking("What spoke for a look", letter.speaks_for, is_for=True)
    yield _speaking("What spoke against a look", letter.speaks_against, is_for=False)
    changes = tuple(map(_correction, letter.corrections))
    opening = []
    if letter.correctable:
        opening.append(
            "Of what counted for a look you declared the following. If any of it is wrong, say so; "
            f"it will be judged again with what is right: {'; '.join(letter.correctable)}."
        )
    if letter.missing:
        opening.append(
            "These were not submitted; with them it could have been judged on more: "
            f"{', '.join(letter.missing)}."
        )
    if not opening and not changes:
        opening.append(
            "Nothing of what you declared counted for a look, so nothing of it needs mending."
        )
    yield LetterSection("What a correction would change", tuple(opening), changes)


def _speaking(heading: str, reasons: LetterReasons, *, is_for: bool) -> LetterSection:
    paragraphs = () if reasons.own else ("Nothing of what you declared yourself.",)
    others = (
        "Besides, and not repeated here because it rests on what others declared or on what was "
        f"known before: {'; '.join(reasons.others)}.",
    )
    signs = (_sign(sign, is_for=is_for) for sign in reasons.own)
    return LetterSection(heading, paragraphs, (*signs, *(others if reasons.others else ())))


def _sign(sign: OwnSign, *, is_for: bool) -> str:
    means = f" It can be a sign of {sign.sign_of}." if is_for and sign.sign_of else ""
    rests = f" It rests on what you declared: {'; '.join(sign.declared)}." if sign.declared else ""
    return f"{with_usual(sign.sentence, sign.usual)}{means}{rests}"


def _correction(correction: Correction) -> str:
    said = (
        f"Of {correction.paper}: it states {correction.stated}, and you declared "
        f"{correction.declared}."
    )
    if correction.odds_factor is None:
        return f"{said} How much that weighed cannot be told now."
    if changes_nothing(correction.odds_factor):
        return f"{said} If they agreed, the estimate would have been the same."
    return (
        f"{said} If they agreed, and all else were the same, the odds that the computer estimated "
        f"would have been {figures(correction.odds_factor)} times what they were."
    )


def changes_nothing(odds_factor: float) -> bool:
    """Whether a factor is too near to one to be said."""
    return abs(odds_factor - 1) < 0.005


def _contest(letter: Letter) -> tuple[str, ...]:
    controller = letter.remedies.controller
    return (
        f"The office answers to {_named(controller)}. Write there, and give the reference "
        f"{letter.reference}. You may state your view, send documents, correct what was declared "
        "by mistake, ask for access to the data about you, and ask for a person who was not part "
        "of the decision to look at it again.",
        FULLER,
    )


def _remedies(letter: Letter) -> Iterator[str]:
    remedies = letter.remedies
    yield f"To be heard before a decision against you: {_deadline(remedies.hearing)}"
    yield f"Appeal: {_deadline(remedies.appeal)}"
    yield f"Court: {_deadline(remedies.court)}"
    yield f"Data protection officer: {_named(remedies.data_protection_officer)}."
    yield (f"Complaint about personal data, at any time: {_named(remedies.supervisory_authority)}.")


def _deadline(remedy: Remedy) -> str:
    days = f"{remedy.deadline_days} days" if remedy.deadline_days > 1 else "one day"
    return f"{_named(remedy)}, within {days} of receiving this letter ({remedy.law})."


def _named(addressee: Addressee) -> str:
    return f"{addressee.name}, {addressee.address}"
