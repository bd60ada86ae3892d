"""From when on what is known of a route, or that nothing more is, shows danger to life.

The rules are those of `life_at_risk`, and no score is needed for them. That nothing comes says
something only of a craft that something would come of: one that was heard since it was declared, or
any, where arrivals are reported. And it counts for whoever was declared here before it began: what
was over by then is history.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from features.rescoring_rules import JUST_AFTER
from features.submission import Submission
from serving.audit.decision import Decision
from serving.audit.earlier_decisions import EarlierDecisions
from serving.triage.life_at_risk import danger_begins_at, danger_signals, last_heard

# What waited for longer, as while a service stood still, calls nobody: by then it is history.
HEARD_FOR = timedelta(days=14)


@dataclass(frozen=True)
class DangerWatch:
    """Says when routes are looked at for danger; `arrivals_are_reported` for every small craft."""

    arrivals_are_reported: bool = False

    def watched_until(self, decision: Decision, submission: Submission) -> datetime | None:
        """When the route of a new decision is looked at again, if nothing more becomes known."""
        if decision.subject_kind != "route" or decision.lane == "rescue":
            return None
        begins = self._begins_by_time(submission, submission.scoring_instant)
        return begins if begins is not None and begins > decision.scored_at else None

    def danger_shown(
        self,
        earlier: EarlierDecisions,
        submission: Submission,
        known_at: Iterable[datetime],
        now: datetime,
    ) -> datetime | None:
        """As of when a route is to be scored now, since records show that it is in danger.

        `submission` holds all that was received, of which the records known at `known_at` did not
        count in the newest decision. What is here is known, whatever the clock of its sender says:
        the instant may lie ahead, where the declaration does. None where no record shows danger.
        """
        if not _is_watched(earlier):
            return None
        since = earlier.newest.next_from
        instants = [min(known + JUST_AFTER, now) for known in known_at]
        if not instants or not danger_signals(submission, since):
            return None
        return max(since, submission.first_instant, *instants)

    def danger_to_come(self, earlier: EarlierDecisions, submission: Submission) -> datetime | None:
        """When silence or delay puts a route in danger; None where it does not, or did long ago."""
        if not _is_watched(earlier):
            return None
        begins = self._begins_by_time(submission, earlier.newest.next_from)
        return begins if begins is not None and begins > earlier.first_at else None

    def _begins_by_time(self, submission: Submission, since: datetime) -> datetime | None:
        last = last_heard(submission)
        is_followed = last is not None and last.observed_at >= submission.declared_at
        if not (self.arrivals_are_reported or is_followed):
            return None
        return danger_begins_at(submission, since)


def _is_watched(earlier: EarlierDecisions) -> bool:
    return earlier.newest.subject_kind == "route" and earlier.newest.lane != "rescue"


# Where arrivals are not reported: nothing is expected of a craft that was never heard.
HEARD_ONLY = DangerWatch()
