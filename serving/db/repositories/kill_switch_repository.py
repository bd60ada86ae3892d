"""When models were switched off and on, by whom and why; appended, never changed."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from sqlalchemy import Engine, Select, func, select

from serving.db.engine import failing_as_unavailable
from serving.db.tables import switches
from serving.db.write_lock import writing


@dataclass(frozen=True)
class Switched:
    """The models of one kind of subject, switched on or off from an instant on."""

    subject_kind: str
    is_on: bool
    switched_at: str
    switched_by: str
    because: str


_COLUMNS = [switches.c[name] for name in Switched.__annotations__]


class SwitchRegister:
    """The switches of one database. Every method raises LogUnavailable where it fails."""

    def __init__(self, engine: Engine):
        self._engine = engine

    def add(self, switched: Sequence[Switched]) -> None:
        """Keep what was switched: all of it, or nothing."""
        last = select(func.coalesce(func.max(switches.c.seq), 0))
        with failing_as_unavailable(), writing(self._engine) as connection:
            seq = connection.scalar(last) or 0
            rows = [
                {**asdict(each), "is_on": int(each.is_on), "seq": seq + place}
                for place, each in enumerate(switched, start=1)
            ]
            connection.execute(switches.insert(), rows)

    def newest(self) -> dict[str, Switched]:
        """How each kind was switched last; those never touched are left out."""
        last = select(func.max(switches.c.seq)).group_by(switches.c.subject_kind)
        wanted = select(*_COLUMNS).where(switches.c.seq.in_(last))
        return {each.subject_kind: each for each in self._read(wanted)}

    def history(self, most: int) -> list[Switched]:
        """The newest acts, newest first."""
        return self._read(select(*_COLUMNS).order_by(switches.c.seq.desc()).limit(most))

    def _read(self, wanted: Select[tuple[object, ...]]) -> list[Switched]:
        with failing_as_unavailable(), self._engine.connect() as connection:
            rows = connection.execute(wanted).all()
        return [Switched(**{**row._mapping, "is_on": bool(row.is_on)}) for row in rows]
