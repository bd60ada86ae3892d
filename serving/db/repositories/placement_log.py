"""Where decisions put their subjects, in the order of the log: what workers tell each other."""

from collections import Counter
from dataclasses import dataclass, fields
from datetime import datetime

from sqlalchemy import Engine, func, select

from serving.db.data_keys import DataKeys
from serving.db.engine import failing_as_unavailable
from serving.db.raw_sql import Direct
from serving.db.tables import decisions

MOST = 100_000


@dataclass(frozen=True)
class PlacedRow:
    """Where and when a decision put its subject; `seq` is its place in the log.

    `subject_id` is the token of the subject, in rows of an older release its id; `probability` is
    None where no model was asked.
    """

    seq: int
    subject_kind: str
    subject_id: str
    office_id: str | None
    scored_at: str
    probability: float | None
    lane: str


@dataclass(frozen=True)
class LaneCount:
    """How many subjects of one kind came into a lane, and which share of all of that kind."""

    subject_kind: str
    lane: str
    subjects: int
    share: float


_NAMES = tuple(each.name for each in fields(PlacedRow))
_COLUMNS = tuple(decisions.c[name] for name in _NAMES)
_AFTER = f"SELECT {', '.join(_NAMES)} FROM decisions WHERE seq > ? ORDER BY seq LIMIT {MOST}"  # noqa: S608 - names of our own


class PlacedLog:
    """The placements of one database. Every method raises LogUnavailable where it fails."""

    def __init__(self, engine: Engine):
        self._engine = engine
        self._keys = DataKeys(engine)

    def subject(self, kind: str, subject_id: str) -> str:
        """What stands for a subject in the rows."""
        return self._keys.token(kind, subject_id)

    def size(self) -> int:
        """How many decisions there are."""
        with failing_as_unavailable(), self._engine.connect() as connection:
            return connection.scalar(select(func.max(decisions.c.seq))) or 0

    def since(self, instant: datetime) -> list[PlacedRow]:
        """What decisions since an instant did: the newest of them, oldest first."""
        wanted = (
            select(*_COLUMNS)
            .where(decisions.c.scored_at >= instant.isoformat())
            .order_by(decisions.c.seq.desc())
            .limit(MOST)
        )
        with failing_as_unavailable(), self._engine.connect() as connection:
            rows = connection.execute(wanted).all()
        return [PlacedRow(**row._mapping) for row in reversed(rows)]

    def counts(self, since: datetime) -> list[LaneCount]:
        """What came into which lane since an instant, by kind; the fullest lane first."""
        wanted = (
            select(decisions.c.subject_kind, decisions.c.lane, func.count())
            .where(decisions.c.scored_at >= since.isoformat())
            .group_by(decisions.c.subject_kind, decisions.c.lane)
        )
        with failing_as_unavailable(), self._engine.connect() as connection:
            rows = connection.execute(wanted).all()
        totals: Counter[str] = Counter()
        for kind, _, subjects in rows:
            totals[kind] += subjects
        counts = [LaneCount(kind, lane, n, n / totals[kind]) for kind, lane, n in rows]
        return sorted(counts, key=lambda each: (each.subject_kind, -each.subjects, each.lane))

    def after(self, seq: int) -> list[PlacedRow]:
        """What the decisions after a place in the log did, in order."""
        with failing_as_unavailable(), Direct(self._engine) as direct:
            return [PlacedRow(*row) for row in direct.rows(_AFTER, [seq])]
