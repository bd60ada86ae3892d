"""Tables of the exchange between agencies; empty unless the extra `exchange` is in use."""

from sqlalchemy import Column, Index, Integer, Table, Text

from serving.storage.tables.column_types import FLAG, INSTANT, JSON, TEXTS
from serving.storage.tables.schema import PLACE, metadata

# The agencies that an administrator approved, and this agency itself.
exchange_partners = Table(
    "exchange_partners",
    metadata,
    Column("name", Text, primary_key=True),
    # The Ed25519 key of the agency, in hexadecimal.
    Column("public_key", Text, nullable=False),
    Column("is_own", FLAG, nullable=False),
    # Where objects are sent to, and the API key with which the partner calls this service.
    Column("address", Text),
    Column("key_holder", Text),
    Column("kinds", TEXTS, nullable=False),
    # Kinds that the signer of this row lets travel without a person for each object.
    Column("kinds_by_rule", TEXTS, nullable=False),
    Column("marking", Text, nullable=False),
    Column("purposes", TEXTS, nullable=False),
    Column("questions_per_day", Integer, nullable=False),
    Column("approved_by", Text, nullable=False),
    Column("approved_at", INSTANT, nullable=False),
    Column("ended_at", INSTANT),
    sqlite_strict=True,
)

# The objects that this agency made or received, each as its originator signed it.
exchange_objects = Table(
    "exchange_objects",
    metadata,
    Column("object_id", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("originator", Text, nullable=False),
    # Where it came from; null for an own object.
    Column("received_from", Text),
    Column("received_at", INSTANT, nullable=False),
    Column("expires_at", INSTANT, nullable=False),
    # The document with its deliveries, encrypted.
    Column("document", Text, nullable=False),
    Column("recalled_at", INSTANT),
    sqlite_strict=True,
)

# What goes out: proposed by a person or a rule, and approved where the object names somebody.
exchange_sendings = Table(
    "exchange_sendings",
    metadata,
    Column("delivery_id", Text, primary_key=True),
    Column("object_id", Text, nullable=False),
    Column("partner", Text, nullable=False),
    Column("is_recall", FLAG, nullable=False),
    Column("distribution", JSON, nullable=False),
    Column("proposed_by", Text, nullable=False),
    Column("proposed_at", INSTANT, nullable=False),
    Column("approved_by", Text),
    # The place in the order of what was approved; null before.
    Column("place", PLACE, unique=True),
    Column("approved_at", INSTANT),
    Column("delivered_at", INSTANT),
    # The name under which the partner refused it.
    Column("refusal", Text),
    Index("exchange_sendings_of_partner", "partner", "place"),
    Index("exchange_sendings_of_object", "object_id"),
    sqlite_strict=True,
)

# The deliveries that were taken in; none is taken in twice.
exchange_arrivals = Table(
    "exchange_arrivals",
    metadata,
    Column("delivery_id", Text, primary_key=True),
    Column("object_id", Text, nullable=False),
    Column("partner", Text, nullable=False),
    Column("is_recall", FLAG, nullable=False),
    Column("arrived_at", INSTANT, nullable=False),
    sqlite_strict=True,
)
