"""Determine when records, or their absence, show that a route is in danger.

The rules are those of `life_at_risk`; no score is needed. Silence is meaningful only for a craft
that would otherwise be heard: one that was heard since its declaration, or any craft where arrivals
are reported. Danger counts only if the journey was declared to this service before the danger
began; anything earlier is history.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from features.rescoring_rules import JUST_AFTER
from features.submission import Submission
from serving.audit.decision import Decision
from serving.audit.earlier_decisions import EarlierDecisions
from serving.triage.life_at_risk import danger_begins_at, danger_signals, last_heard

# Danger signs that waited longer, for example during an outage, raise no alarm: they are history.
HEARD_FOR = timedelta(days=14)


@dataclass(frozen=True)
class DangerWatch:
    """Decides when to look at routes for danger.

    `arrivals_are_reported` extends the watch by time from craft that were heard to every small
    craft.
    """

    arrivals_are_reported: bool = False

    def watched_until(self, decision: Decision, submission: Submission) -> datetime | None:
        """Return when to look at a new decision's route again, if no record arrives; or None."""
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
        """Return the instant as of which to score a route that records show in danger.

        `submission` holds all received records; `known_at` lists the known instants of those that
        did not count in the newest decision. They have been received, so they count now whatever
        the sender's clock says: the result may lie ahead of now only if the declaration does. None
        if no record shows danger.
        """
        if not _is_watched(earlier):
            return None
        since = earlier.newest.next_from
        instants = [min(known + JUST_AFTER, now) for known in known_at]
        if not instants or not danger_signals(submission, since):
            return None
        return max(since, submission.first_instant, *instants)

    def danger_to_come(self, earlier: EarlierDecisions, submission: Submission) -> datetime | None:
        """Return when silence or delay puts a route in danger.

        None if it does not, or if that was before the route was first decided.
        """
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


# For installations without reported arrivals: silence of a craft never heard means nothing.
HEARD_ONLY = DangerWatch()
