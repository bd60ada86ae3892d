"""`/ping` and `/invocations`, as MLflow's scoring server answers them."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Request, Response
from fastapi.security import HTTPBasic, HTTPBasicCredentials
from starlette.concurrency import run_in_threadpool
from starlette.responses import PlainTextResponse

from serving.access.acting import tell_audit
from serving.access.callers import Caller
from serving.api.invocation_inputs import (
    CSV,
    FORMS,
    columns_in_csv,
    columns_in_json,
    numbers_in,
)
from serving.api.openapi import RELEASE, described_problem, problems
from serving.container import Services
from serving.models.errors import NoModel
from serving.models.model_pool import MODEL_NAMES
from serving.scoring.vectors import (
    ScoredVectors,
    champion_named,
    champion_reading,
    score_vectors,
    vectors_in,
)
from serving.web.admission import limited_in_flight
from serving.web.authentication import MayInfer, WithScope, caller_of, take_permits
from serving.web.bodies import JSON, ClosedModel, body_within, refuse_other_media
from serving.web.services import TheServices

router = APIRouter(tags=["feature vectors"])

Name = Annotated[str, Path(pattern=r"^[a-z-]{1,64}$")]


VECTORS_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            JSON: {
                "schema": {
                    "type": "object",
                    "description": f"One of {FORMS}, with every feature of one model by name; "
                    "null or NaN where it is missing.",
                }
            },
            CSV: {"schema": {"type": "string", "description": "A line of names, then vectors."}},
        },
    }
}
_BASIC = HTTPBasic(auto_error=False, description="Any name, and the API key as password.")


async def authenticated_client(
    request: Request,
    services: TheServices,
    credentials: Annotated[HTTPBasicCredentials | None, Depends(_BASIC)],
) -> Caller:
    """The caller, whose key may be a password: MLflow's client sends no other, from `.netrc`."""
    return await caller_of(request, services, credentials.password if credentials else None)


class MayInvoke(WithScope):
    """A dependency: a caller with the scope `infer`, who may be known by a password."""

    async def __call__(self, caller: Annotated[Caller, Depends(authenticated_client)]) -> Caller:
        """The caller; raises Forbidden without the scope."""
        return await super().__call__(caller)


class VectorExplanation(ClosedModel):
    """Why a vector scored as it did: base and contributions add up to the log-odds."""

    log_odds: float
    base_log_odds: float
    contributions: dict[str, float]


class Invoked(ClosedModel):
    """Probabilities in the order of the rows; explanations for callers who may have them."""

    predictions: list[float]


class InvokedExplained(Invoked):
    """Probabilities with their explanations, for callers with the scope `explain`."""

    explanations: list[VectorExplanation]


NOT_READY: dict[int | str, dict[str, Any]] = {"503": described_problem("503", "No model is ready.")}


@router.get("/ping", response_class=Response, responses=NOT_READY)
@router.get("/health", response_class=Response, responses=NOT_READY, name="health")
def ping(services: TheServices) -> Response:
    """Whether any model answers."""
    if not services.models.active_champions():
        raise NoModel("no model is ready; run `tidegate train` and `tidegate promote`")
    return Response(b"\n", media_type=JSON)


@router.get("/version", response_class=PlainTextResponse, responses=problems())
def read_version(_: Annotated[Caller, Depends(authenticated_client)]) -> str:
    """The release of this service."""
    return RELEASE


INVOKED = problems(
    s400="The body is not acceptable JSON or CSV.",
    s404="No model of that name.",
    s413="The body is too large, or holds too many rows.",
    s415="The body is neither JSON nor CSV.",
    s422="The columns are not a model's features, or a value is not of its type.",
    s503="No model is ready.",
)


@router.post(
    "/invocations",
    response_model=InvokedExplained | Invoked,
    openapi_extra=VECTORS_BODY,
    responses=INVOKED,
)
@limited_in_flight
async def invoke(
    request: Request, services: TheServices, caller: Annotated[Caller, Depends(MayInvoke("infer"))]
) -> Invoked:
    """Score feature vectors by the model that reads just their columns.

    A vector is no subject: no lane follows, and no decision is made or stored.
    """
    return await _invoked(request, services, caller, None)


@router.post(
    "/endpoints/{name}/invocations",
    response_model=InvokedExplained | Invoked,
    openapi_extra=VECTORS_BODY,
    responses=INVOKED,
)
@limited_in_flight
async def invoke_endpoint(
    request: Request, services: TheServices, caller: MayInfer, name: Name
) -> Invoked:
    """Score feature vectors by a model, as `mlflow.deployments` asks for it by its name."""
    return await _invoked(request, services, caller, name)


async def _invoked(
    request: Request, services: Services, caller: Caller, name: str | None
) -> Invoked:
    media_type = refuse_other_media(request, JSON, CSV)
    body = await body_within(request, services.settings.max_batch_bytes)

    def scored() -> ScoredVectors:
        columns = columns_in_csv(body) if media_type == CSV else columns_in_json(body)
        # The call itself was counted.
        take_permits(request, services, caller, vectors_in(columns) - 1)
        models = services.models
        champion = champion_named(models, name) if name else champion_reading(models, [*columns])
        if media_type == CSV:
            inputs = champion.model.encoding.inputs
            columns = numbers_in(columns, [each.name for each in inputs if each.categories])
        return score_vectors(champion, columns)

    vectors = await run_in_threadpool(scored)
    tell_inference(services, caller, vectors)
    predictions = vectors.scores.probability.tolist()
    if not caller.may("explain"):
        return Invoked(predictions=predictions)
    return InvokedExplained(predictions=predictions, explanations=_explained(vectors))


def tell_inference(services: Services, caller: Caller, vectors: ScoredVectors) -> None:
    """Count the vectors of a caller, and let the audit event tell the model and how many."""
    champion, count = vectors.champion, len(vectors.scores.probability)
    services.metrics.requests.count_vectors(caller.key_id, count)
    name = MODEL_NAMES[champion.model.manifest.subject]
    tell_audit(model=name, version=champion.version, vectors=count)


def _explained(vectors: ScoredVectors) -> list[VectorExplanation]:
    names, scores = vectors.champion.model.encoding.names, vectors.scores
    return [
        VectorExplanation(
            log_odds=log_odds,
            base_log_odds=scores.base_log_odds,
            contributions=dict(zip(names, parts, strict=True)),
        )
        for log_odds, parts in zip(
            scores.log_odds.tolist(), scores.contributions.tolist(), strict=True
        )
    ]
