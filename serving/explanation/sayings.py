"""What is said of a value beside what was usual in training, made once for equal values.

Most values come again and again (nothing, none, yes, the same few counts), and words cost more than
all arithmetic of a score.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple, Self

from features.definition import Feature, Peers
from features.records import SubjectKind
from serving.explanation.usual import Usual, usual_for, usual_in_words
from serving.explanation.wording import Value, sentence
from training.risk_model import RiskModel

MOST_REMEMBERED = 20_000


class Said(NamedTuple):
    """What a value is in words, what is usual in words, and the facts of that."""

    sentence: str
    usual: str
    beside: Usual

    @classmethod
    def of(cls, feature: Feature, value: Value, beside: Usual, kind: SubjectKind) -> Self:
        """What is said of a value for which `beside` holds."""
        return cls(sentence(feature, value), usual_in_words(beside, feature.unit, kind), beside)


@dataclass(frozen=True)
class Sayings:
    """What is said beside the training of one model; for one thread."""

    model: RiskModel
    _remembered: dict[tuple[str, Value, str | None], Said] = field(default_factory=dict)

    def of(self, groups: Mapping[Peers, str], feature: Feature, value: Value) -> Said:
        """What is said of a value of a subject that belongs to these groups of peers."""
        key = (feature.name, value, groups.get(feature.among))
        said = self._remembered.get(key)
        if said is None:
            if len(self._remembered) >= MOST_REMEMBERED:
                self._remembered.clear()
            beside = usual_for(self.model, groups, feature, value)
            said = Said.of(feature, value, beside, self.model.manifest.subject)
            self._remembered[key] = said
        return said
