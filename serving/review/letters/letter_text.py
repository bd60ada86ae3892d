"""The text of a letter: its sections in order, for page, print and example."""

from collections.abc import Iterator
from dataclasses import dataclass

from babel.dates import format_date

from serving.explanation.formatting import capital, figures
from serving.explanation.reason_ranking import Strength
from serving.explanation.reasons_in_words import with_usual
from serving.language import reading, say
from serving.review.letters.corrections import Correction
from serving.review.letters.letter import Letter, LetterReasons, OwnSign, Selection
from serving.review.letters.own_declarations import stated_in_words
from serving.review.letters.remedies import Addressee, Consequence, Remedy


@dataclass(frozen=True)
class LetterSection:
    """A part of a letter: its heading, its paragraphs, and a list below them."""

    heading: str
    paragraphs: tuple[str, ...]
    items: tuple[str, ...] = ()


# Each text discloses only what its ground of selection permits (see `letter`).
SELECTED: dict[Selection, str] = {
    "lot": "It was selected at random (drawn by lot). A set part of all traffic is, whatever was "
    "declared and by whomever, so that the office learns what it would otherwise miss. Nothing "
    "that you declared led to it, and therefore no reason is given.",
    "rule": "A written rule of the office selected it, which applies to everyone equally.",
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

# A letter is no decision, so no time limit of a remedy starts with it (see `remedies`).
NO_DECISION = (
    "This letter is not a decision. It explains how your consignment or journey was selected and "
    "how the case ended. You need not do anything because of it, and no time limit runs from it."
)
DISCRETION = "Nothing proposed the inspection that followed: a person decided it."
PEOPLE = (
    "A person read the case, decided what was done, and is answerable for it. What is reported as "
    "an offence takes two persons."
)
DATA = (
    "What is scored is a consignment or a journey. Those who take part in it are known to the "
    "computer by pseudonyms; some of them may be natural persons, as a sole trader, a driver who "
    "owns the vehicle, or the payer, and then this is processing of personal data. It uses no "
    "name, nationality or other attribute of a person. It does use countries of goods, routes and "
    "accounts, which may be closely related to them; whether some are selected in error more "
    "often than others is measured for every version."
)
FULLER = (
    "A full account is on record: all reasons, the procedure of selection, the version of the "
    "model and the sources of the data. A court or the supervisory authority can have it."
)

CONSEQUENCES: dict[Consequence, str] = {
    "none": "The case ended without a decision against you.",
    "decision": "A decision against you may follow from what was found. It would reach "
    "you as a separate notice. Before it is taken you are told its grounds and are heard, and it "
    "states how it can be contested and until when.",
    "other_authority": "The case was given to another authority, and what was found is for that "
    "authority to judge. Before it takes a decision against you it tells you the grounds and hears "
    "you, and the decision states how it can be contested and until when.",
}

COUNTED: dict[Strength, str] = {
    "strong": "It counted strongly.",
    "moderate": "It counted moderately.",
    "weak": "It counted a little.",
}
OTHERS_COUNTED: dict[Strength, str] = {
    "strong": "What follows counted strongly. It is not repeated here, because it rests on what "
    "others declared or on earlier records: {topics}.",
    "moderate": "What follows counted moderately. It is not repeated here, because it rests on "
    "what others declared or on earlier records: {topics}.",
    "weak": "What follows counted a little. It is not repeated here, because it rests on what "
    "others declared or on earlier records: {topics}.",
}


def sections_of(letter: Letter) -> tuple[LetterSection, ...]:
    """Return the letter in the reader's language, except its stored sentences.

    `letter_in` derives those again in that language, from the decision itself.
    """
    people = (_computer(letter), say(PEOPLE))
    about = (letter.what, _measure(letter), say(NO_DECISION))
    return (
        LetterSection(say("What this is about"), about),
        LetterSection(say("How it was selected"), _selected(letter)),
        *(_reasons(letter) if letter.selection == "score" else ()),
        LetterSection(say("What the computer did, and what people did"), people),
        LetterSection(say("Data about you"), (say(DATA),)),
        LetterSection(say("If you do not agree"), _contest(letter), tuple(_remedies(letter))),
    )


def _measure(letter: Letter) -> str:
    day = format_date(letter.decided_at, "d MMMM y", locale=reading().language.locale)
    measure = say(letter.measure)
    parts = [say("On {day} it was proposed for {measure}.", day=day, measure=measure)]
    if letter.is_inspection_at_discretion:
        parts.append(say(DISCRETION))
    return " ".join([*parts, say("The case has ended: {ending}.", ending=say(letter.ending))])


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


def _reasons(letter: Letter) -> Iterator[LetterSection]:
    heading = say("What spoke for a look")
    yield _speaking(heading, letter.speaks_for, is_for=True)
    heading = say("What spoke against a look")
    yield _speaking(heading, letter.speaks_against, is_for=False)
    changes = tuple(map(_correction, letter.corrections))
    opening = []
    if letter.correctable:
        opening.append(
            say(
                "Of what counted for a look you declared the following. If any of it is wrong, say "
                "so; it will be judged again with what is right: {declared}.",
                declared="; ".join(map(stated_in_words, letter.correctable)),
            )
        )
    if letter.missing:
        opening.append(
            say(
                "These were not submitted; with them it could have been judged on more: {missing}.",
                missing=", ".join(map(say, letter.missing)),
            )
        )
    if not opening and not changes:
        opening.append(
            say("Nothing of what you declared counted for a look, so nothing of it needs mending.")
        )
    yield LetterSection(say("What a correction would change"), tuple(opening), changes)


def _speaking(heading: str, reasons: LetterReasons, *, is_for: bool) -> LetterSection:
    paragraphs = () if reasons.own else (say("Nothing of what you declared yourself."),)
    signs = (_sign(sign, is_for=is_for) for sign in reasons.own)
    return LetterSection(heading, paragraphs, (*signs, *_others(reasons)))


def _others(reasons: LetterReasons) -> Iterator[str]:
    """Yield the other kinds of facts by weight; letters of earlier releases have no weights."""
    # Letters of earlier releases store these kinds without weights.
    if len(reasons.strengths) != len(reasons.others):
        yield say(
            "Besides, and not repeated here because it rests on what others declared or on what "
            "was known before: {topics}.",
            topics="; ".join(map(say, reasons.others)),
        )
        return
    kinds = [*zip(reasons.others, reasons.strengths, strict=True)]
    for strength, words in OTHERS_COUNTED.items():
        if topics := [say(topic) for topic, counted in kinds if counted == strength]:
            yield say(words, topics="; ".join(topics))


def _sign(sign: OwnSign, *, is_for: bool) -> str:
    language = reading().language
    parts = [with_usual(capital(sign.sentence), sign.usual, language)]
    # A fact against a look is no sign of the indicator.
    if is_for and sign.sign_of:
        parts.append(say("It can be a sign of {sign}.", sign=sign.sign_of))
    if sign.strength:
        parts.append(say(COUNTED[sign.strength]))
    if sign.declared:
        declared = "; ".join(map(stated_in_words, sign.declared))
        parts.append(say("It rests on what you declared: {declared}.", declared=declared))
    return " ".join(parts)


def _correction(correction: Correction) -> str:
    said = say(
        "Of {paper}: it states {stated}, and you declared {declared}.",
        paper=stated_in_words(correction.paper),
        stated=stated_in_words(correction.stated),
        declared=stated_in_words(correction.declared),
    )
    if correction.odds_factor is None:
        unknown = say("How much that weighed cannot be told now.")
        return f"{said} {unknown}"
    if changes_nothing(correction.odds_factor):
        same = say("If they agreed, the estimate would have been the same.")
        return f"{said} {same}"
    if correction.odds_factor > 1:  # correct data must not look like a fault
        return said
    would = say(
        "If they agreed, and all else were the same, the odds that the computer estimated would "
        "have been {times} times what they were.",
        times=reading().language.figure(figures(correction.odds_factor)),
    )
    return f"{said} {would}"


def changes_nothing(odds_factor: float) -> bool:
    """Return whether a factor is too close to one to be reported."""
    return abs(odds_factor - 1) < 0.005


def _contest(letter: Letter) -> tuple[str, ...]:
    controller = letter.remedies.controller
    return (
        say(CONSEQUENCES[letter.may_be_followed_by]),
        say(
            "The office answers to {controller}. Write there, and give the reference {reference}. "
            "You may state your view, send documents, correct what was declared by mistake, ask "
            "for access to the data about you, and ask for a person who had no part in the case "
            "to look at it again.",
            controller=_named(controller),
            reference=letter.reference,
        ),
        say(FULLER),
    )


def _remedies(letter: Letter) -> Iterator[str]:
    remedies = letter.remedies
    # Without a possible decision against the reader there is nothing to appeal.
    if letter.may_be_followed_by == "decision":
        hearing, appeal, court = map(_by_law, (remedies.hearing, remedies.appeal, remedies.court))
        yield say("To be heard before such a decision: {remedy}", remedy=hearing)
        yield say("Appeal against such a decision, once it is taken: {remedy}", remedy=appeal)
        yield say("Court, against such a decision: {remedy}", remedy=court)
    officer = _named(remedies.data_protection_officer)
    yield say("Data protection officer: {officer}.", officer=officer)
    yield say(
        "Complaint about personal data, at any time: {authority}.",
        authority=_named(remedies.supervisory_authority),
    )


def _by_law(remedy: Remedy) -> str:
    return say("{remedy} ({law}).", remedy=_named(remedy), law=remedy.law)


def _named(addressee: Addressee) -> str:
    return f"{addressee.name}, {addressee.address}"
