"""When a subject is scored again: after which records, how often, and until when.

The one meaning for a service, which learns of one record after the other, and for a training set,
which knows them all. Signs of danger to life wait for none of this (`serving/scoring`): such a
decision is the last that the service makes of its subject by itself, and teaches no model.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from features.records import SubjectKind

# A record counts at an instant after the one in which it became known.
JUST_AFTER = timedelta(microseconds=1)


@dataclass(frozen=True, kw_only=True)
class RescoringRules:
    """After which records subjects are scored again, and the bounds.

    `least_between` lies between two scoring instants of a subject, which has at most
    `most_per_subject` besides its declaration, none of them later than `longest_after_due` after
    its journey was due, or after the declaration of one without a journey.
    """

    least_between: timedelta = timedelta(hours=1)
    most_per_subject: int = 12
    longest_after_due: timedelta = timedelta(days=14)

    def next_instant(self, known_at: datetime, previous: datetime) -> datetime:
        """When a subject that was scored as of `previous` is scored for a record."""
        return max(known_at + JUST_AFTER, previous + self.least_between)

    def is_over(self, instant: datetime, due_at: datetime, later_scores: int) -> bool:
        """Return whether a subject with so many later scores is not scored again as of an
        instant.
        """
        is_late = instant > due_at + self.longest_after_due
        return is_late or later_scores >= self.most_per_subject

    def instants(
        self,
        declared_at: datetime,
        due_at: datetime,
        known_at: Iterable[datetime],
        stands_at: Callable[[datetime], bool] = lambda _: True,
    ) -> Iterator[datetime]:
        """The later scoring instants of a subject whose records became known at these instants.

        `stands_at` says whether its declaration was not withdrawn by an instant.
        """
        previous, count = declared_at, 0
        for known in sorted(known_at):
            if known < previous:  # counted already
                continue
            instant = self.next_instant(known, previous)
            if not stands_at(instant):
                continue
            if self.is_over(instant, due_at, count):
                return
            yield instant
            previous, count = instant, count + 1


# The record types of a subject's own after which it is scored again, its declaration apart.
#
# That is amended by a later version, after which it is scored again too; none that was withdrawn
# is.
RESCORED_AFTER: dict[SubjectKind, tuple[str, ...]] = {
    "route": ("documents", "transactions", "events", "legs", "positions"),
    "shipment": ("goods_items", "documents", "transactions", "events"),
}
