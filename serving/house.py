"""What an application is assembled from, in one place for those who serve it."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from serving.access.limits import Limits
from serving.access.oidc import Provider
from serving.access.pseudonyms import Pseudonyms
from serving.access.tokens import Tokens
from serving.desk import Desk
from serving.intake import Intake
from serving.observability import Metrics
from serving.review.rescue_calls import RescueCalls
from serving.review.reviewing import Reviewing
from serving.settings import Settings
from serving.store.account_register import AccountRegister, SessionRegister
from serving.store.decision_log import DecisionLog
from serving.store.key_register import KeyRegister
from serving.store.placed_log import PlacedLog
from serving.store.summary_store import SummaryStore
from serving.store.switch_register import SwitchRegister
from serving.uses import Uses

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
    switches: SwitchRegister
    uses: Uses
