"""`GET /v1/features`: the meaning of each feature, and its place in the code."""

from typing import Literal

from fastapi import APIRouter
from pydantic import Field

from features.catalogue import feature_named, features_by_name
from features.definition import Feature
from features.digests.computations import digests_of
from features.indicators import sign_of
from features.records import SubjectKind
from serving.api.openapi import problems
from serving.web.authentication import AnyCaller
from serving.web.bodies import ClosedModel
from serving.web.closed_routes import ClosedRoute

router = APIRouter(prefix="/v1/features", tags=["features"], route_class=ClosedRoute)


class FeatureAnswer(ClosedModel):
    """A feature: its meaning, its source, and its place in the code."""

    name: str
    subjects: list[SubjectKind]
    family: str
    meaning: str
    unit: str
    reads: list[str]
    when_missing: str
    indicator: str | None = Field(
        description="The meaning of a value on the side `warns`; null for a scale."
    )
    warns: Literal["high", "low", "either", "never"]
    sign_of: str = Field(description="The indicator, as it completes `a sign of`.")
    source: str
    direction: Literal["higher_is_riskier", "lower_is_riskier", "either"]
    sentence: str
    check: str | None = Field(
        description="What to examine, and what would clear it, if a value is a sign; null for a "
        "scale."
    )
    among: Literal["all", "goods_code", "corridor"] = Field(
        description="The group of subjects in which a value is called usual or unusual."
    )
    known_by: str | None = Field(
        description="The feature that is 0 or missing where a 0 of this one says nothing, because "
        "nothing is known that it could count; null where every value says something."
    )
    defined_at: str
    computation: dict[SubjectKind, str] = Field(
        description="By kind of subject, the digest of everything that decides its numbers. A "
        "model answers only while those of all its features are as they were in training."
    )

    @classmethod
    def from_feature(cls, feature: Feature) -> "FeatureAnswer":
        """Return the description of a feature, with its place in the code."""
        return cls.model_validate(
            {
                **feature.face(),
                "sign_of": sign_of(feature.indicator),
                "defined_at": feature.defined_at,
                "computation": digests_of(feature),
            }
        )


class FeaturesAnswer(ClosedModel):
    """The catalogue, in the order in which models read it."""

    features: list[FeatureAnswer]


@router.get("", responses=problems())
def list_features(_: AnyCaller) -> FeaturesAnswer:
    """List the catalogue: features of routes, then features of shipments only."""
    return FeaturesAnswer(
        features=[FeatureAnswer.from_feature(f) for f in features_by_name().values()]
    )


@router.get("/{name}", responses=problems(s404="No feature of that name."))
def read_feature(_: AnyCaller, name: str) -> FeatureAnswer:
    """Return a feature: meaning, unit, inputs, source, and place in the code."""
    return FeatureAnswer.from_feature(feature_named(name))
