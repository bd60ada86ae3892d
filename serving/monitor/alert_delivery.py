"""Alerts to a webhook: signed as calls to rescuers are, and kept until they are taken."""

from datetime import datetime

import orjson

from serving.access.http_client import fetch
from serving.monitor.alerts import Alert, AlertStore
from serving.review.rescue_calls import RescueWebhook


def deliver(book: AlertStore, webhook: RescueWebhook, now: datetime) -> int:
    """Send every alert that was not taken yet, oldest first; how many were taken.

    Raises OSError where one is not; it and those after it are sent by the next run.
    """
    waiting = book.undelivered()
    for alert_id, alert in waiting:
        body = orjson.dumps(told(alert, now))
        fetch(webhook.address, body, webhook.headers(f"alert-{alert_id}", now, body))
        book.delivered([alert_id], now.isoformat())
    return len(waiting)


def told(alert: Alert, now: datetime) -> dict[str, object]:
    """The content of the call."""
    return {"type": "drift.alert", "timestamp": now.isoformat(), "data": vars(alert)}
