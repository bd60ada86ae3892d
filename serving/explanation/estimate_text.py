"""Render the estimate of a score, with the range that inspections leave open."""

from serving.explanation.explained_score import Score
from serving.explanation.formatting import figures, share_in_percent
from serving.language import ENGLISH, Language

ESTIMATE = (
    "About {odds} inspections of cases like this would find something: estimate {probability}, "
    "range {low} to {high}. The range rests on {subjects} inspections of cases with similar "
    "scores, {confirmed} of them confirmed."
)
OF_OTHER_SCORES = (
    "About {odds} inspections of cases like this would find something: estimate {probability}, "
    "range {low} to {high}. Too few cases with similar scores were inspected, so the range rests "
    "on {subjects} inspections of cases with estimates from {least} to {most}, {confirmed} of them "
    "confirmed."
)
WITHOUT_INSPECTIONS = (
    "About {odds} inspections of cases like this would find something: estimate {probability}. No "
    "inspection of a case with a similar score is known, so the true share may be any."
)
FOUND_MORE = (
    "Inspections found more than these scores expect: the true share is probably above the "
    "estimate."
)
FOUND_LESS = (
    "Inspections found less than these scores expect: the true share is probably below the "
    "estimate."
)
IN_SO_MANY = "{number} in {of}"
MAX_PART = 0.5
NINE_OF_TEN, OF_TEN = 9, 10


def estimate_in_words(score: Score, language: Language = ENGLISH) -> str:
    """Render the estimate of a decision and its range, the same everywhere.

    If the estimate is shown as an end of its own range, a last sentence says why.
    """
    inspected = score.inspected
    probability, low, high = (
        share_in_percent(share, language) for share in (score.probability, *score.estimate_range)
    )
    text = ESTIMATE if inspected.are_similar_to(score.probability) else OF_OTHER_SCORES
    estimate = language.say(
        text if inspected.subjects else WITHOUT_INSPECTIONS,
        odds=_odds(score.probability, language),
        probability=probability,
        low=low,
        high=high,
        least=share_in_percent(inspected.least, language),
        most=share_in_percent(inspected.most, language),
        subjects=language.figure(f"{inspected.subjects:,}"),
        confirmed=language.figure(f"{inspected.confirmed:,}"),
    )
    # Only a known expectation can be compared with what was found.
    if not inspected.subjects or inspected.expected is None or low == high:
        return estimate
    if probability not in (low, high):
        return estimate
    return f"{estimate} {language.say(FOUND_MORE if probability == low else FOUND_LESS)}"


def _odds(probability: float, language: Language) -> str:
    """Render a probability as odds: 1 in n up to a half, n in 10 above."""
    if probability > MAX_PART:
        number = min(round(OF_TEN * probability), NINE_OF_TEN)
        return language.say(IN_SO_MANY, number=str(number), of=str(OF_TEN))
    # The floor avoids a division by zero.
    of = figures(round(1 / max(probability, 1e-6)))
    return language.say(IN_SO_MANY, number="1", of=language.figure(of))
