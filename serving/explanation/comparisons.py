"""How values compare with the training of one model, looked up once for equal values.

Most values come again and again, and looking one up among its peers costs more than its part of a
score.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from features.definition import Feature, Peers
from serving.explanation.comparison import Usual, usual_for
from serving.explanation.formatting import Value
from training.model.risk_model import RiskModel

MOST_REMEMBERED = 20_000


@dataclass(frozen=True)
class Comparisons:
    """How values compare with those that one model learnt from; for one thread."""

    model: RiskModel
    _remembered: dict[tuple[str, Value, str | None], Usual] = field(default_factory=dict)

    def of(self, groups: Mapping[Peers, str], feature: Feature, value: Value) -> Usual:
        """How a value of a subject compares that belongs to these groups of peers."""
        key = (feature.name, value, groups.get(feature.among))
        beside = self._remembered.get(key)
        if beside is None:
            if len(self._remembered) >= MOST_REMEMBERED:
                self._remembered.clear()
            beside = self._remembered[key] = usual_for(self.model, groups, feature, value)
        return beside
