"""`GET /v1/models`: the models in service."""

from fastapi import APIRouter

from serving.api.answers import ModelAnswer, ModelsAnswer
from serving.api.openapi import problems
from serving.web.authentication import AnyCaller
from serving.web.services import TheServices

router = APIRouter(prefix="/v1/models", tags=["models"])


@router.get("", responses=problems())
def list_models(services: TheServices, _: AnyCaller) -> ModelsAnswer:
    """Role, name, version, digest, what it was trained on and its figures, by kind of subject."""
    champions = services.models
    return ModelsAnswer(
        models=[
            ModelAnswer.of(model, role)
            for kind, champion in champions.champions().items()
            for role, model in (("champion", champion), *champions.challengers(kind).items())
        ]
    )
