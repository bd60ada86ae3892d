"""Why somebody reads a case: LED 25(2) wants the log of a consultation to show its justification.

It is evident where the work itself brings a reader there: a case that waits in the queue, one's
own, a letter, a blind reading, what one submitted oneself, or a study without names of parties. For
everything else the reader states it. The decision behind a case is read as the case is.
"""

from datetime import timedelta
from typing import Literal, get_args

from serving.review.acts.act_declaration import ActInput, Words

EvidentPurpose = Literal["queue", "own_case", "letter", "reread", "own_submission", "study"]

StatedPurpose = Literal[
    "second_opinion",
    "like_case",
    "supervision",
    "audit",
    "request_of_a_person",
    "court_or_authority",
    "incident",
]

STATED: dict[StatedPurpose, str] = {
    "second_opinion": "a colleague asks what I think of it",
    "like_case": "it may bear on a case that I work on",
    "supervision": "to see how cases are worked on",
    "audit": "an audit",
    "request_of_a_person": "somebody asks about data or a decision about them",
    "court_or_authority": "a court or an authority asks",
    "incident": "an incident is looked into",
}
assert STATED.keys() == set(get_args(StatedPurpose))

# How long a stated justification holds for the same reader and case.
JUSTIFIED_FOR = timedelta(minutes=30)


class Justification(ActInput):
    """Why a case is read that the reader's work did not bring."""

    code: StatedPurpose
    text: Words
