"""A letter in words: its sections in order, for a page, a print or an example."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from babel.dates import format_date

from serving.explanation.formatting import capital, figures
from serving.explanation.reasons_in_words import with_usual
from serving.language import reading, say, say_of
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


def sections_of(letter: Letter, said: Callable[[str], str] = str) -> tuple[LetterSection, ...]:
    """The letter in words of the reader's language; `said` says again what was kept in words."""
    people = (_computer(letter), say(PEOPLE))
    return (
        LetterSection(say("What this is about"), (said(letter.what), _measure(letter, said))),
        LetterSection(say("How it was selected"), _selected(letter)),
        *(_reasons(letter, said) if letter.selection == "score" else ()),
        LetterSection(say("What the computer did, and what people did"), people),
        LetterSection(say("Data about you"), (say(DATA),)),
        LetterSection(say("If you do not agree"), _contest(letter), tuple(_remedies(letter))),
    )


def _measure(letter: Letter, said: Callable[[str], str]) -> str:
    day = format_date(letter.decided_at, "d MMMM y", locale=reading().language.locale)
    measure = said(letter.measure)
    parts = [say("On {day} it was proposed for {measure}.", day=day, measure=measure)]
    if letter.is_inspection_at_discretion:
        parts.append(say(DISCRETION))
    return " ".join([*parts, say("The case has ended: {ending}.", ending=said(letter.ending))])


def _computer(letter: Letter) -> str:
    said = say(COMPUTER[letter.selection])
    return f"{said} {say(BESIDES)}" if letter.was_scored and letter.selection != "score" else said


def _selected(letter: Letter) -> tuple[str, ...]:
    said = say(SELECTED[letter.selection])
    if letter.selection != "rule":
        return (said,)
    if letter.rule:
        return (said, say("The rule: “{rule}”", rule=letter.rule))
    return (
        said,
        say("Its words are not published. Those named below can have them examined."),
    )


def _reasons(letter: Letter, said: Callable[[str], str]) -> Iterator[LetterSection]:
    heading = say("What spoke for a look")
    yield _speaking(heading, letter.speaks_for, said, is_for=True)
    heading = say("What spoke against a look")
    yield _speaking(heading, letter.speaks_against, said, is_for=False)
    changes = tuple(map(_correction, letter.corrections))
    opening = []
    if letter.correctable:
        opening.append(
            say(
                "Of what counted for a look you declared the following. If any of it is wrong, say "
                "so; it will be judged again with what is right: {declared}.",
                declared="; ".join(map(said, letter.correctable)),
            )
        )
    if letter.missing:
        opening.append(
            say(
                "These were not submitted; with them it could have been judged on more: {missing}.",
                missing=", ".join(map(said, letter.missing)),
            )
        )
    if not opening and not changes:
        opening.append(
            say("Nothing of what you declared counted for a look, so nothing of it needs mending.")
        )
    yield LetterSection(say("What a correction would change"), tuple(opening), changes)


def _speaking(
    heading: str, reasons: LetterReasons, said: Callable[[str], str], *, is_for: bool
) -> LetterSection:
    paragraphs = () if reasons.own else (say("Nothing of what you declared yourself."),)
    others = (
        say(
            "Besides, and not repeated here because it rests on what others declared or on what "
            "was known before: {topics}.",
            topics="; ".join(map(said, reasons.others)),
        ),
    )
    signs = (_sign(sign, said, is_for=is_for) for sign in reasons.own)
    return LetterSection(heading, paragraphs, (*signs, *(others if reasons.others else ())))


def _sign(sign: OwnSign, said: Callable[[str], str], *, is_for: bool) -> str:
    language = reading().language
    parts = [with_usual(capital(said(sign.sentence)), said(sign.usual), language)]
    if is_for and sign.sign_of:
        parts.append(say("It can be a sign of {sign}.", sign=said(sign.sign_of)))
    if sign.declared:
        declared = "; ".join(map(said, sign.declared))
        parts.append(say("It rests on what you declared: {declared}.", declared=declared))
    return " ".join(parts)


def _correction(correction: Correction) -> str:
    said = say(
        "Of {paper}: it states {stated}, and you declared {declared}.",
        paper=correction.paper,
        stated=correction.stated,
        declared=correction.declared,
    )
    if correction.odds_factor is None:
        unknown = say("How much that weighed cannot be told now.")
        return f"{said} {unknown}"
    if changes_nothing(correction.odds_factor):
        same = say("If they agreed, the estimate would have been the same.")
        return f"{said} {same}"
    would = say(
        "If they agreed, and all else were the same, the odds that the computer estimated would "
        "have been {times} times what they were.",
        times=reading().language.figure(figures(correction.odds_factor)),
    )
    return f"{said} {would}"


def changes_nothing(odds_factor: float) -> bool:
    """Whether a factor is too near to one to be said."""
    return abs(odds_factor - 1) < 0.005


def _contest(letter: Letter) -> tuple[str, ...]:
    controller = letter.remedies.controller
    return (
        say(
            "The office answers to {controller}. Write there, and give the reference {reference}. "
            "You may state your view, send documents, correct what was declared by mistake, ask "
            "for access to the data about you, and ask for a person who was not part of the "
            "decision to look at it again.",
            controller=_named(controller),
            reference=letter.reference,
        ),
        say(FULLER),
    )


def _remedies(letter: Letter) -> Iterator[str]:
    remedies = letter.remedies
    hearing, officer = _deadline(remedies.hearing), _named(remedies.data_protection_officer)
    yield say("To be heard before a decision against you: {remedy}", remedy=hearing)
    yield say("Appeal: {remedy}", remedy=_deadline(remedies.appeal))
    yield say("Court: {remedy}", remedy=_deadline(remedies.court))
    yield say("Data protection officer: {officer}.", officer=officer)
    yield say(
        "Complaint about personal data, at any time: {authority}.",
        authority=_named(remedies.supervisory_authority),
    )


def _deadline(remedy: Remedy) -> str:
    return say_of(
        remedy.deadline_days,
        "{remedy}, within one day of receiving this letter ({law}).",
        "{remedy}, within {count} days of receiving this letter ({law}).",
        remedy=_named(remedy),
        law=remedy.law,
    )


def _named(addressee: Addressee) -> str:
    return f"{addressee.name}, {addressee.address}"
