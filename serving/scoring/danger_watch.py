"""From when on what is known of a route, or that nothing more is, shows danger to life.

The rules are those of `life_at_risk`, and no score is needed for them. That nothing comes says
something only of a craft that something would come of: one that was heard since it was declared, or
any, where arrivals are reported. And it counts for whoever was declared here before it began: what
was over by then is history.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from features.rescoring_rules import JUST_AFTER
from features.submission import Submission
from serving.audit.decision import Decision
from serving.audit.earlier_decisions import EarlierDecisions
from serving.triage.life_at_risk import danger_begins_at, danger_signals, last_heard


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

    def danger_instant(
        self,
        earlier: EarlierDecisions,
        submission: Submission,
        known_at: Iterable[datetime],
        now: datetime,
    ) -> datetime | None:
        """As of when a route is to be scored since it is, or by then will be, in danger.

        `submission` holds all that is known by now, of which the records known at `known_at` did
        not count in the newest decision. None where no sign of danger is to come.
        """
        newest = earlier.newest
        if newest.subject_kind != "route" or newest.lane == "rescue":
            return None
        since = newest.scoring_instant
        instants = [min(known + JUST_AFTER, now) for known in known_at]
        if instants and danger_signals(submission, since):
            return max(since, *instants)
        begins = self._begins_by_time(submission, since)
        return begins if begins is not None and begins > earlier.first_at else None

    def _begins_by_time(self, submission: Submission, since: datetime) -> datetime | None:
        last = last_heard(submission)
        is_followed = last is not None and last.observed_at >= submission.declared_at
        if not (self.arrivals_are_reported or is_followed):
            return None
        return danger_begins_at(submission, since)


HEARD_ONLY = DangerWatch()
"""Where arrivals are not reported: nothing is expected of a craft that was never heard."""
