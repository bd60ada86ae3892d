"""Shadow scores on disk: the scores of challenger and shadow for the vectors of decisions."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Engine, select
from sqlalchemy.exc import IntegrityError

from serving.db.engine import failing_as_unavailable
from serving.db.tables import decisions, shadow_scores
from serving.db.write_lock import writing
from serving.scoring.shadow_scoring import ShadowScore


@dataclass(frozen=True)
class ComparedScore:
    """A shadow score, with that of the champion of the day."""

    shadow: ShadowScore
    champion_probability: float
    lane: str


class ShadowScoreRepository:
    """The shadow scores of one database."""

    def __init__(self, engine: Engine):
        self._engine = engine

    def append(self, scores: Sequence[ShadowScore]) -> None:
        """Store scores of logged decisions; raises LogUnavailable."""
        try:
            with failing_as_unavailable(but=IntegrityError), writing(self._engine) as connection:
                connection.execute(shadow_scores.insert(), [vars(score) for score in scores])
        except IntegrityError:
            if len(scores) > 1:
                for score in scores:
                    self.append([score])

    def compared(self, role: str, most: int = 10_000) -> list[ComparedScore]:
        """The newest scores of a role with the champion's, newest first."""
        query = (
            select(shadow_scores, decisions.c.probability.label("first"), decisions.c.lane)
            .join(decisions, decisions.c.decision_id == shadow_scores.c.decision_id)
            .where(shadow_scores.c.role == role)
            .order_by(decisions.c.seq.desc())
            .limit(most)
        )
        with failing_as_unavailable(), self._engine.connect() as connection:
            rows = [dict(row._mapping) for row in connection.execute(query)]
        return [
            ComparedScore(
                champion_probability=row.pop("first"),
                lane=row.pop("lane"),
                shadow=ShadowScore(**row),
            )
            for row in rows
        ]
