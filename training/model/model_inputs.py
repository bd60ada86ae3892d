"""What a model of one kind of subject takes in: the catalogue as training and serving share it."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import takewhile
from operator import eq
from typing import Self

from features.catalogue import catalogue
from features.definition import Feature
from features.digests.computations import catalogue_fingerprint, computation_digests
from features.errors import CatalogueMismatch
from features.records import SubjectKind

# Characters of a digest with its kind that a message shows at least.
SHORTEST_DIGEST = 19


@dataclass(frozen=True)
class ModelInputs:
    """The features of one kind of subject, in the model's order, and their fingerprint.

    `computations` holds by name the digest of what computes each.
    """

    subject: SubjectKind
    features: tuple[Feature, ...]
    computations: Mapping[str, str]
    fingerprint: str

    @classmethod
    def for_subject(cls, subject: SubjectKind) -> Self:
        """The catalogue's own features."""
        digests = computation_digests(subject)
        return cls(subject, catalogue(subject), digests, catalogue_fingerprint(subject))

    @property
    def names(self) -> tuple[str, ...]:
        """Column names in the model's order."""
        return tuple(feature.name for feature in self.features)

    @property
    def directions(self) -> tuple[int, ...]:
        """1, −1 or 0 per feature: which way alone the risk may go as the value rises."""
        return tuple(0 if f.is_categorical else f.direction.value for f in self.features)

    def require_same_computations(
        self, recorded: Mapping[str, str | None], when: str, remedy: str
    ) -> None:
        """Raise CatalogueMismatch, naming the features, where one was computed differently.

        `recorded` holds a digest for each name, None where there was none. `when` and `remedy` are
        words: "the model was trained", "train anew".
        """
        changed = [name for name in self.names if recorded.get(name) != self.computations[name]]
        if not changed:
            return
        if not any(recorded.values()):
            raise CatalogueMismatch(
                f"{when} before computation digests were recorded, so nothing proves that its "
                f"features were computed as they are now; {remedy}"
            )
        verb = "feature {} is" if len(changed) == 1 else "features {} are"
        named = ", ".join(
            "{} ({} now, {} then)".format(
                name, *_told_apart(self.computations[name], recorded.get(name))
            )
            for name in changed
        )
        raise CatalogueMismatch(
            f"{verb.format(named)} computed differently than when {when}; {remedy}"
        )


def _told_apart(now: str, then: str | None) -> tuple[str, str]:
    """Two digests as far as their first difference, and at least as far as a person compares."""
    if then is None:
        return now[:SHORTEST_DIGEST], "no digest"
    common = len([*takewhile(bool, map(eq, now, then))])
    shown = max(SHORTEST_DIGEST, common + 1)
    return now[:shown], then[:shown]
