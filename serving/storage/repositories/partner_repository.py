"""Partners of the exchange, as administrators approved them; every change is an audit event."""

from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Engine, select, update

from serving.access.acting import current_actor
from serving.errors import NotFound
from serving.integrity.audit_log import AuditEvent
from serving.storage.repositories.audit_repository import append_audit_events
from serving.storage.repository import Repository
from serving.storage.row_audit.reader import AuditedRows
from serving.storage.tables.exchange import exchange_partners


@dataclass(frozen=True)
class ExchangePartner:
    """An agency as an administrator approved it; `is_own` for this agency itself."""

    name: str
    public_key: str
    approved_by: str
    approved_at: datetime
    is_own: bool = False
    address: str | None = None
    key_holder: str | None = None
    kinds: tuple[str, ...] = ()
    kinds_by_rule: tuple[str, ...] = ()
    marking: str = "clear"
    purposes: tuple[str, ...] = ()
    questions_per_day: int = 0
    ended_at: datetime | None = None


class PartnerRepository(Repository):
    """The partners of one database."""

    def __init__(self, engine: Engine):
        super().__init__(engine)
        self._audited = AuditedRows("exchange_partners", "partner")

    def approve(self, partner: ExchangePartner) -> None:
        """Store a partner, in place of what was approved for it before."""
        terms = {"kinds": partner.kinds, "marking": partner.marking, "purposes": partner.purposes}
        is_it = _is_named(partner.name)
        with self._writing() as connection:
            if connection.execute(select(exchange_partners).where(is_it)).first() is None:
                connection.execute(exchange_partners.insert(), asdict(partner))
            else:
                connection.execute(update(exchange_partners).where(is_it).values(asdict(partner)))
            by = current_actor()
            event = AuditEvent(
                partner.approved_at, by, "approve_partner", "partner", partner.name, terms
            )
            append_audit_events(connection, [event])

    def end(self, name: str, at: datetime) -> None:
        """End the exchange with a partner; raise NotFound. Recalls still reach it."""
        alive = _is_named(name), exchange_partners.c.ended_at.is_(None)
        with self._writing() as connection:
            changed = connection.execute(
                update(exchange_partners).where(*alive).values(ended_at=at)
            )
            if changed.rowcount == 0:
                raise NotFound("there is no such partner; `tidegate exchange list` has them")
            event = AuditEvent(at, current_actor(), "end_partner", "partner", name)
            append_audit_events(connection, [event])

    def all(self) -> list[ExchangePartner]:
        """Return every agency by name, but those whose rows fail the audit."""
        names = select(exchange_partners.c.name).order_by(exchange_partners.c.name)
        with self._reading() as connection:
            rows = [
                # A key or a marking that somebody put into the table must count for nothing.
                self._audited.read(connection, select(exchange_partners).where(_is_named(name)))
                for name in connection.scalars(names).all()
            ]
        return [ExchangePartner(**row._mapping) for row in rows if row is not None]


def _is_named(name: str) -> ColumnElement[bool]:
    return exchange_partners.c.name == name
