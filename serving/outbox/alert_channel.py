"""The channel of alerts of monitoring: to one webhook, signed like rescue calls."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import orjson

from serving.access.signed_webhook import SignedWebhook
from serving.outbox.feeds import FeedChannel, FeedParts
from serving.outbox.outbox import RetryRule
from serving.settings import Settings

if TYPE_CHECKING:
    from serving.monitor.alerts import Alert
    from serving.storage.repositories.alert_repository import AlertRepository
    from serving.storage.repositories.receiver_repository import ReceiverRepository

# The only receiver.
RECEIVER = "alerts"


class AlertChannel(FeedChannel[SignedWebhook, "Alert"]):
    """The channel of the alerts of one database, oldest first."""

    name = "alert"
    max_concurrent = 1
    retry = RetryRule(timedelta(minutes=1), timedelta(hours=6), growth=3, jitter=0.2)

    def __init__(
        self,
        webhook: SignedWebhook,
        alerts: "AlertRepository",
        progress: "ReceiverRepository",
        clock: Callable[[], datetime],
    ):
        super().__init__(progress, clock)
        self._webhook = webhook
        self._alerts = alerts

    def receivers(self) -> dict[str, SignedWebhook]:
        """Return the webhook."""
        return {RECEIVER: self._webhook}

    def newest(self) -> str | None:
        """Return the number of the newest undelivered alert; None if all were delivered."""
        waiting = self._alerts.undelivered()
        return str(waiting[-1][0]) if waiting else None

    def following(self, receiver: SignedWebhook, reached: str | None) -> FeedParts["Alert"]:
        """Return the undelivered alerts; each has a row of its own, which the audit log covers."""
        waiting = [(str(number), alert) for number, alert in self._alerts.undelivered()]
        return FeedParts(waiting, waiting[-1][0] if waiting else reached)

    def send(self, receiver: SignedWebhook, part_id: str, part: "Alert", at: datetime) -> None:
        """Post an alert, and record that it was accepted."""
        body = {"type": "drift.alert", "timestamp": at.isoformat(), "data": vars(part)}
        receiver.post(f"alert-{part_id}", orjson.dumps(body), at)
        # Recorded one by one, so that a failure does not send earlier alerts again.
        self._alerts.mark_delivered(int(part_id), at)

    def deliver_all(self) -> str | None:
        """Deliver all alerts now, also if a retry waits; return why one was not accepted."""
        if self.newest() is None:
            return None
        self._progress.make_due(self.name, RECEIVER)
        return None if self.deliver(RECEIVER) else self.states[RECEIVER].failure


def alert_webhook(settings: Settings) -> SignedWebhook | None:
    """Return the webhook of an installation, or None; raise AddressRefused for an unsafe one."""
    if settings.alert_webhook is None:
        return None
    secret = settings.alert_secret.get_secret_value() if settings.alert_secret else ""
    return SignedWebhook.from_secret(settings.alert_webhook, secret)
