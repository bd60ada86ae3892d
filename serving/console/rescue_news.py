"""Content shared by rescuers' pages: unattended emergencies, and choices to end one."""

from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any, get_args

from serving.access.acting import add_audit_details
from serving.access.callers import Caller
from serving.container import Services
from serving.errors import Erased, LogUnavailable, NotFound
from serving.review.cases.results import (
    NEEDS_SCENE,
    RESULT_MEANING,
    RESULTS_OF,
    Confidence,
    reasons_of,
)
from serving.review.cases.reviewer import Reviewer
from serving.review.rescue.distress_alerts import HEARD_WITHIN, DistressAlert
from serving.review.rescue.rescue_incidents import (
    CallsMade,
    RescueIncident,
    RescueReading,
    ToldAlert,
    incidents,
)
from serving.review.rescue.rescue_watch import BoardItem
from serving.scoring.enrichment import with_newest_positions

# Known places that a page gives the distances to.
NEAR_PLACES = 6

# Titles above a page; further emergencies are only counted there and listed on the board.
MAX_TITLES = 8


@dataclass(frozen=True)
class RescueNews:
    """Emergencies that wait for a person, as of `at`; `more` counts those without a title.

    `version` is the version of the board, None if the database cannot be read.
    """

    at: datetime
    version: str | None
    alerts: tuple[DistressAlert, ...] = ()
    incidents: tuple[RescueIncident, ...] = ()
    more: int = 0

    @property
    def count(self) -> int:
        """Number of emergencies that nobody attends to."""
        return len(self.alerts) + len(self.incidents) + self.more


def rescue_news(services: Services, caller: Caller) -> RescueNews:
    """Return the unattended emergencies, for a reader who may rescue."""
    now = services.clock()
    try:
        state = services.rescue_watch.seen_by(caller.offices, is_read_anew=True)
        named = state.unattended[:MAX_TITLES]
        alerts = [services.distress_alerts.find(each.item_id) for each in _of("alert", named)]
        reports = []
        reading = reading_of(services, caller)
        for each in _of("rescue", named):
            try:
                reports.append(reading.report(each.item_id))
            # It is still counted, but has no title.
            except (Erased, NotFound):
                continue
    except LogUnavailable:
        return RescueNews(now, None)
    shown = tuple(each for each in alerts if each is not None)
    add_audit_details(
        alerts=[each.alert_id for each in shown], cases=[each.row.case_id for each in reports]
    )
    more = len(state.unattended) - len(shown) - len(reports)
    return RescueNews(now, state.version, shown, tuple(incidents(reports)), more)


def reading_of(services: Services, caller: Caller) -> RescueReading:
    """Return the access to rescues for a caller."""
    return RescueReading(
        services.cases,
        services.rescue_outbox,
        Reviewer.from_caller(caller),
        partial(with_newest_positions, records=services.records, clock=services.clock),
    )


def told_alerts(services: Services) -> tuple[ToldAlert, ...]:
    """Return the alerts of the board: those without a rescue in progress."""
    recent = services.distress_alerts.recent(services.clock() - HEARD_WITHIN)
    found = [each for each in recent if each.case_id is None]
    steps = services.distress_alerts.events([each.alert_id for each in found])
    return tuple(ToldAlert(each, CallsMade(tuple(steps.get(each.alert_id, ())))) for each in found)


def _of(kind: str, items: tuple[BoardItem, ...]) -> list[BoardItem]:
    return [each for each in items if each.kind == kind]


def result_choices() -> dict[str, Any]:
    """Return the choices of the form that ends a rescue."""
    return {
        "codes": [(code, RESULT_MEANING[code].words) for code in RESULTS_OF["rescue"]],
        "reasons": [(code, code.replace("_", " ")) for code in reasons_of("people_helped")],
        "levels": get_args(Confidence),
    }


def is_hearsay(form: dict[str, str]) -> bool:
    """Return whether a form reports people safe or not found without having been on scene."""
    return form.get("code") in NEEDS_SCENE and form.get("reason") != "seen_on_scene"
