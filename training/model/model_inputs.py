"""Inputs of the models of one kind of subject, as training and serving share them."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from itertools import takewhile
from operator import eq
from typing import Self

from features.catalogue import features_of
from features.definition import Feature
from features.digests.computations import catalogue_fingerprint, computation_digests
from features.errors import CatalogueMismatch
from features.records import SubjectKind

# The least number of characters of a digest that a message shows, including its kind.
MIN_DIGEST_LENGTH = 19


@dataclass(frozen=True)
class ModelInputs:
    """The features of one kind of subject, in the model's order, and their fingerprint.

    `computations` maps feature names to the digest of the code that computes them.
    """

    subject: SubjectKind
    features: tuple[Feature, ...]
    computations: Mapping[str, str]
    fingerprint: str

    @classmethod
    def for_subject(cls, subject: SubjectKind) -> Self:
        """Return the features of this release's catalogue."""
        digests = computation_digests(subject)
        return cls(subject, features_of(subject), digests, catalogue_fingerprint(subject))

    @property
    def names(self) -> tuple[str, ...]:
        """The column names in the model's order."""
        return tuple(feature.name for feature in self.features)

    @property
    def directions(self) -> tuple[int, ...]:
        """The direction per feature, 1, −1 or 0, in which risk may change as the value rises."""
        return tuple(0 if f.is_categorical else f.direction.value for f in self.features)

    def only(self, names: Collection[str]) -> Self:
        """Return the inputs with the features of these names alone, in the catalogue's order."""
        features = tuple(feature for feature in self.features if feature.name in names)
        return replace(self, features=features)

    def require_same_computations(
        self,
        recorded: Mapping[str, str | None],
        when: str,
        remedy: str,
        wanted: Collection[str] | None = None,
    ) -> None:
        """Raise CatalogueMismatch, naming the features, if any is absent or computed differently.

        `recorded` maps each feature name to its digest, None if there is none. `when` and `remedy`
        are phrases such as "the model was trained" and "train anew". `wanted` are the names to
        look at, all of these inputs by default.
        """
        wanted = self.names if wanted is None else wanted
        now = {name: self.computations[name] for name in self.names}
        gone = [name for name in wanted if name not in now]
        never = [name for name in wanted if name not in recorded]
        changed = [
            name for name in wanted if name not in {*gone, *never} and recorded[name] != now[name]
        ]
        if changed and not any(recorded.values()):
            raise CatalogueMismatch(
                f"{when} before computation digests were recorded, so nothing proves that its "
                f"features were computed as they are now; {remedy}"
            )
        faults = []
        if changed:
            named = [
                "{} ({} now, {} then)".format(name, *_told_apart(now[name], recorded[name]))
                for name in changed
            ]
            is_computed = "is computed" if len(changed) == 1 else "are computed"
            faults.append(f"{_features(named)} {is_computed} differently than when {when}")
        if gone:
            faults.append(f"{when} with {_features(gone)}, which this release does not have")
        if never:
            faults.append(f"{when} without {_features(never)}")
        if faults:
            raise CatalogueMismatch("; ".join([*faults, remedy]))


def _features(names: Collection[str]) -> str:
    return f"feature{'s' if len(names) > 1 else ''} {', '.join(names)}"


def _told_apart(now: str, then: str | None) -> tuple[str, str]:
    """Return two digests up to their first difference, but long enough to compare by eye."""
    if then is None:
        return now[:MIN_DIGEST_LENGTH], "no digest"
    common = len([*takewhile(bool, map(eq, now, then))])
    shown = max(MIN_DIGEST_LENGTH, common + 1)
    return now[:shown], then[:shown]
