"""Collect every text of which reasons are made, for translators."""

from collections.abc import Callable, Iterator
from typing import get_args

from features.catalogue import features_by_name
from features.definition import Feature
from features.indicators import CHECKS, INDICATORS, TOPICS
from features.input_dependencies import INPUTS
from features.records import ConveyanceKind, Mode
from serving.explanation.code_names import IN_EURO, chapter_names, money_in_words
from serving.explanation.comparison import (
    FEWER,
    NEARLY_ALL,
    PEERS,
    SAYINGS,
    SAYINGS_OF_INSTANTS,
    SAYINGS_OF_RATIOS,
    comparison_in_words,
)
from serving.explanation.estimate_text import (
    ESTIMATE,
    FOUND_LESS,
    FOUND_MORE,
    IN_SO_MANY,
    OF_OTHER_SCORES,
    WITHOUT_INSPECTIONS,
    estimate_in_words,
)
from serving.explanation.formatting import (
    A_YEAR_OR_MORE,
    AFTER,
    ALL_BUT_ALL,
    BETWEEN_HOURS,
    DAYS,
    HOUR,
    HOURS,
    LAST_OF_LIST,
    MINUTES,
    NEXT_OF_LIST,
    NO,
    NOT_KNOWN,
    PART_OF,
    SAME_AS,
    TIMES,
    UNITS,
    YES,
    readable,
)
from serving.explanation.interactions import DIVIDES, MULTIPLIES, strongest_interactions
from serving.explanation.missing_inputs import missing_in_words
from serving.explanation.provenance_text import provenance_messages
from serving.explanation.reasons_in_words import (
    TOO_FEW,
    WHY_NOT_KNOWN,
    WORDS,
    WORDS_OF_BRACKETED,
    sentence,
)

# A text, or its singular and plural.
Message = str | tuple[str, str]


def reason_messages() -> Iterator[tuple[Message, str]]:
    """Yield each message with the file it comes from; some occur twice."""
    for feature in features_by_name().values():
        yield from ((message, feature.defined_at) for message in _said_of(feature))
    for texts in (INDICATORS, TOPICS, CHECKS):
        yield from ((text, f"features/indicators.py {number}") for number, text in texts.items())
    for kind in INPUTS.values():
        yield from ((missing_in_words(path), _place(missing_in_words)) for path in kind)
    yield from ((text, _place(provenance_messages)) for text in provenance_messages())
    unlike = (SAYINGS_OF_INSTANTS, SAYINGS_OF_RATIOS)
    sayings = [*SAYINGS.values(), *(text for own in unlike for text in own.values())]
    for text in (*sayings, *PEERS.values(), FEWER, NEARLY_ALL):
        yield text, _place(comparison_in_words)
    yield from (
        (text, _place(sentence)) for text in (WORDS, WORDS_OF_BRACKETED, WHY_NOT_KNOWN, TOO_FEW)
    )
    yield IN_EURO, _place(money_in_words)
    yield from ((name, _place(chapter_names)) for name in chapter_names())
    for text in (
        ESTIMATE,
        OF_OTHER_SCORES,
        WITHOUT_INSPECTIONS,
        FOUND_MORE,
        FOUND_LESS,
        IN_SO_MANY,
    ):
        yield text, _place(estimate_in_words)
    yield from ((text, _place(strongest_interactions)) for text in (MULTIPLIES, DIVIDES))
    yield from ((forms, _place(readable)) for forms in (MINUTES, HOURS, DAYS, TIMES))
    ratios = (PART_OF, SAME_AS)
    others = (
        A_YEAR_OR_MORE,
        AFTER,
        NOT_KNOWN,
        YES,
        NO,
        NEXT_OF_LIST,
        LAST_OF_LIST,
        HOUR,
        BETWEEN_HOURS,
        ALL_BUT_ALL,
        *UNITS.values(),
    )
    for text in (*ratios, *others):
        yield text, _place(readable)
    for closed in (Mode, ConveyanceKind):
        yield from ((word.replace("_", " "), "features/records.py") for word in get_args(closed))


def _place(function: Callable[..., object]) -> str:
    """Return the file of a function."""
    return f"{function.__module__.replace('.', '/')}.py"


def _said_of(feature: Feature) -> Iterator[Message]:
    if feature.sentence_of_one is None:
        yield feature.sentence
    else:
        yield (feature.sentence_of_one, feature.sentence)
    if feature.sentence_below_zero is not None:
        yield feature.sentence_below_zero
    if feature.sentence_of_none is not None:
        yield feature.sentence_of_none
    if feature.sentence_of_few is not None:
        yield feature.sentence_of_few
    yield readable(feature.name)
    yield feature.when_missing
