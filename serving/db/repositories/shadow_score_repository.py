"""Second opinions on disk: what other models said about the vector of a decision."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Engine, select
from sqlalchemy.exc import IntegrityError

from serving.db.engine import failing_as_unavailable
from serving.db.tables import decisions, second_opinions
from serving.db.write_lock import writing


@dataclass(frozen=True)
class Opinion:
    """What one model beside the champion said about one decision's vector."""

    decision_id: str
    role: str
    model: str
    version: str
    digest: str
    log_odds: float
    probability: float
    percentile: float


@dataclass(frozen=True)
class Compared:
    """An opinion, with what the champion of the day had said."""

    opinion: Opinion
    champion_probability: float
    lane: str


class OpinionRegister:
    """The second opinions of one database."""

    def __init__(self, engine: Engine):
        self._engine = engine

    def add(self, opinions: Sequence[Opinion]) -> None:
        """Keep opinions about decisions in the log; raises LogUnavailable."""
        try:
            with failing_as_unavailable(but=IntegrityError), writing(self._engine) as connection:
                connection.execute(second_opinions.insert(), [vars(each) for each in opinions])
        except IntegrityError:
            if len(opinions) > 1:
                for each in opinions:
                    self.add([each])

    def compared(self, role: str, most: int = 10_000) -> list[Compared]:
        """The newest opinions of a role beside the champion's, newest first."""
        wanted = (
            select(second_opinions, decisions.c.probability.label("first"), decisions.c.lane)
            .join(decisions, decisions.c.decision_id == second_opinions.c.decision_id)
            .where(second_opinions.c.role == role)
            .order_by(decisions.c.seq.desc())
            .limit(most)
        )
        with failing_as_unavailable(), self._engine.connect() as connection:
            rows = [dict(row._mapping) for row in connection.execute(wanted)]
        return [
            Compared(
                champion_probability=row.pop("first"), lane=row.pop("lane"), opinion=Opinion(**row)
            )
            for row in rows
        ]
