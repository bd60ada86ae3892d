"""Shadow scores: the scores of challenger and shadow for the vectors of decisions."""

from collections.abc import Sequence

from sqlalchemy.exc import IntegrityError

from serving.scoring.shadow_scoring import ShadowScore
from serving.storage.repository import Repository
from serving.storage.tables.scoring import shadow_scores


class ShadowScoreRepository(Repository):
    """The shadow scores of one database."""

    def append(self, scores: Sequence[ShadowScore]) -> None:
        """Store scores of logged decisions; raise LogUnavailable."""
        try:
            with self._writing(but=IntegrityError) as connection:
                connection.execute(shadow_scores.insert(), [vars(score) for score in scores])
        except IntegrityError:
            # One score may be stored already, or lack its decision; it must not lose the others.
            if len(scores) > 1:
                for score in scores:
                    self.append([score])
