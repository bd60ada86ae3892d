"""The same done with each of several cases."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from serving.errors import Conflict, NotFound, PersonNeeded, Unprocessable
from serving.review.errors import TooLong

MOST_TOGETHER = 200
"""Cases that one call names at most."""


@dataclass(frozen=True)
class BulkAct:
    """With which of several cases something was done, and with which not, with why."""

    done: tuple[str, ...]
    refused: tuple[tuple[str, str], ...]


def act_together(case_ids: Iterable[str], act: Callable[[str], object]) -> BulkAct:
    """Do the same with each of several cases, by an act and an event of its own.

    With what is refused, as a case that another has by now, nothing is done, and why is told.
    """
    done: list[str] = []
    refused: list[tuple[str, str]] = []
    for case_id in dict.fromkeys(case_ids):
        try:
            act(case_id)
            done.append(case_id)
        except (Conflict, PersonNeeded, NotFound, TooLong, Unprocessable) as refusal:
            refused.append((case_id, str(refusal)))
    return BulkAct(tuple(done), tuple(refused))
