"""`GET /v1/features`: what every number means, and where in the code it is computed."""

from fastapi import APIRouter

from features.catalogue import feature_named, features_by_name
from serving.api.answers import FeatureAnswer, FeaturesAnswer
from serving.api.openapi import problems
from serving.web.authentication import AnyCaller

router = APIRouter(prefix="/v1/features", tags=["features"])


@router.get("", responses=problems())
def list_features(_: AnyCaller) -> FeaturesAnswer:
    """The catalogue: features of routes, then those of shipments alone."""
    return FeaturesAnswer(features=[FeatureAnswer.of(f) for f in features_by_name().values()])


@router.get("/{name}", responses=problems(s404="No feature of that name."))
def read_feature(_: AnyCaller, name: str) -> FeatureAnswer:
    """One feature: meaning, unit, what it reads, source, and place in the code."""
    return FeatureAnswer.of(feature_named(name))
