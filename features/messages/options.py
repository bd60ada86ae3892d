"""The options that an importer supplies with a message."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo

from features.messages.bounds import Bounds
from features.messages.id_templates import IdTemplate


@dataclass(frozen=True)
class Options:
    """The options of reading messages.

    `key` makes the pseudonyms of parties. `received_at` is when the authority received the message;
    None means the time at which the message says it was sent. `zone` applies to times without one.
    The patterns find the shipment or journey in a payment's references. `heard_at` is the time of
    reception of AIS sentences that state none.
    """

    key: bytes
    received_at: datetime | None = None
    zone: tzinfo = UTC
    shipment_pattern: IdTemplate | None = None
    journey_pattern: IdTemplate | None = None
    heard_at: datetime | None = None
    bounds: Bounds = field(default_factory=Bounds)
