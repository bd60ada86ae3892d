"""Options that the importer of a message states with it."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo

from features.messages.bounds import Bounds
from features.messages.id_templates import IdTemplate


@dataclass(frozen=True)
class Options:
    """Options of reading messages.

    `key` makes the pseudonyms of parties. `received_at` is when the authority received the message;
    None takes the time at which the message says it was sent. `zone` is that of times that name
    none. The templates find the shipment or journey that a payment's references name. `heard_at`
    is when AIS sentences without a time of their own were heard.
    """

    key: bytes
    received_at: datetime | None = None
    zone: tzinfo = UTC
    shipment_pattern: IdTemplate | None = None
    journey_pattern: IdTemplate | None = None
    heard_at: datetime | None = None
    bounds: Bounds = field(default_factory=Bounds)
