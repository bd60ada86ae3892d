"""What a model of one kind of subject takes in: the catalogue as training and serving share it."""

from dataclasses import dataclass
from typing import Self

from features.catalogue import catalogue
from features.definition import Feature
from features.digests.computations import fingerprint
from features.records import SubjectKind


@dataclass(frozen=True)
class ModelInputs:
    """The features of one kind of subject, in the model's order, and their fingerprint."""

    subject: SubjectKind
    features: tuple[Feature, ...]
    fingerprint: str

    @classmethod
    def of(cls, subject: SubjectKind) -> Self:
        """The catalogue's own features."""
        return cls(subject, catalogue(subject), fingerprint(subject))

    @property
    def names(self) -> tuple[str, ...]:
        """Column names in the model's order."""
        return tuple(feature.name for feature in self.features)

    @property
    def directions(self) -> tuple[int, ...]:
        """1, −1 or 0 per feature: which way alone the risk may go as the value rises."""
        return tuple(0 if f.is_categorical else f.direction.value for f in self.features)
