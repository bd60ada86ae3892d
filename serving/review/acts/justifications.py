"""The purposes of reading a case, which LED 25(2) requires in the log of consultations.

A purpose is evident if the work itself leads to the case: it waits in the queue, it is one's own,
for a letter, for a blind reading, one's own submission, or a study without names of parties. For
any other case the reader states one. The same holds for the decision of a case.
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

# A stated purpose holds this long for the same reader and case.
JUSTIFIED_FOR = timedelta(minutes=30)


class Justification(ActInput):
    """The stated purpose of reading a case outside the reader's own work."""

    code: StatedPurpose
    text: Words
