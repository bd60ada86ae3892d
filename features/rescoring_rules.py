"""The rules for rescoring a subject: after which records, how often, and until when.

The service, which receives records one at a time, and the training set, which has all of them,
share these rules. Signs of danger to life are exempt (`serving/scoring`): such a decision is the
last automatic one for its subject, and is not used for training.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from features.records import SubjectKind

# A record counts at instants after the one at which it became known.
JUST_AFTER = timedelta(microseconds=1)


@dataclass(frozen=True, kw_only=True)
class RescoringRules:
    """The limits on rescoring a subject.

    `least_between` is the minimum time between two scoring instants. `most_per_subject` is the
    maximum number of later scores. The last one is at most `longest_after_due` after the journey
    was due, or after the declaration if there is no journey.
    """

    least_between: timedelta = timedelta(hours=1)
    most_per_subject: int = 12
    longest_after_due: timedelta = timedelta(days=14)

    def next_instant(self, known_at: datetime, previous: datetime) -> datetime:
        """Return the scoring instant for a record, given the previous scoring instant."""
        return max(known_at + JUST_AFTER, previous + self.least_between)

    def is_over(self, instant: datetime, due_at: datetime, later_scores: int) -> bool:
        """Return whether a subject is not rescored at an instant after so many later scores."""
        is_late = instant > due_at + self.longest_after_due
        return is_late or later_scores >= self.most_per_subject

    def instants(
        self,
        declared_at: datetime,
        due_at: datetime,
        known_at: Iterable[datetime],
        stands_at: Callable[[datetime], bool] = lambda _: True,
    ) -> Iterator[datetime]:
        """Yield the later scoring instants of a subject, given when its records became known.

        `stands_at` tells whether its declaration was still in force at an instant.
        """
        previous, count = declared_at, 0
        for known in sorted(known_at):
            if known < previous:  # already included in the previous score
                continue
            instant = self.next_instant(known, previous)
            if not stands_at(instant):
                continue
            if self.is_over(instant, due_at, count):
                return
            yield instant
            previous, count = instant, count + 1


# Types of a subject's own records after which it is rescored. A later version of its declaration
# also triggers a rescore; a withdrawn subject is not rescored.
RESCORED_AFTER: dict[SubjectKind, tuple[str, ...]] = {
    "route": ("documents", "transactions", "events", "legs", "positions"),
    "shipment": ("goods_items", "documents", "transactions", "events"),
}
