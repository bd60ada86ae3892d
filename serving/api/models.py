"""`GET /v1/models`: the models that answer now."""

from fastapi import APIRouter

from serving.api.answers import ModelAnswer, ModelsAnswer
from serving.api.openapi import problems
from serving.api.requests import AnyCaller, TheHouse

router = APIRouter(prefix="/v1/models", tags=["models"])


@router.get("", responses=problems())
def list_models(house: TheHouse, _: AnyCaller) -> ModelsAnswer:
    """Name, version, digest, what it was trained on and its figures, for each kind of subject."""
    champions = house.desk.assessor.champions.loaded()
    return ModelsAnswer(models=[ModelAnswer.of(champion) for champion in champions.values()])
