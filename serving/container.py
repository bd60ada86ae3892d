"""What an application is assembled from, in one place for those who serve it."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from serving.access.oidc import Provider
from serving.access.pseudonyms import Pseudonyms
from serving.access.rate_limits import Limits
from serving.access.tokens import Tokens
from serving.audit.purpose import Uses
from serving.db.repositories.account_repository import AccountRegister, SessionRegister
from serving.db.repositories.api_key_repository import KeyRegister
from serving.db.repositories.decision_log import DecisionLog
from serving.db.repositories.kill_switch_repository import KillSwitchRepository
from serving.db.repositories.placement_log import PlacedLog
from serving.db.repositories.rollup_repository import SummaryStore
from serving.history.ingestion import Intake
from serving.observability import Metrics
from serving.review.rescue_calls import RescueCalls
from serving.review.reviewing import Reviewing
from serving.scoring.batcher import Desk
from serving.settings import Settings

Clock = Callable[[], datetime]


@dataclass(frozen=True)
class Beginning:
    """When the service began, by the clock on the wall and by one that nobody sets."""

    at: datetime
    monotonic_s: float = field(default_factory=time.monotonic)

    def drift_s(self, now: datetime) -> float:
        """How much further than time itself the clock on the wall has moved since."""
        return (now - self.at).total_seconds() - (time.monotonic() - self.monotonic_s)


@dataclass(frozen=True)
class House:
    """The parts that calls and pages share; `clock` is the only source of the present."""

    settings: Settings
    clock: Clock
    desk: Desk
    log: DecisionLog
    keys: KeyRegister
    accounts: AccountRegister
    sessions: SessionRegister
    metrics: Metrics
    reviewing: Reviewing
    intake: Intake
    limits: Limits
    tokens: Tokens | None
    rescue_calls: RescueCalls | None
    provider: Provider | None
    placed: PlacedLog
    pseudonyms: Pseudonyms
    began: Beginning
    summaries: SummaryStore
    switches: KillSwitchRepository
    uses: Uses
