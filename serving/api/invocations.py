"""`/ping` and `/invocations`, as MLflow's scoring server answers them."""

from typing import Any

from fastapi import APIRouter, Request, Response
from starlette.concurrency import run_in_threadpool

from serving.access.acting import tell_audit
from serving.access.callers import Caller
from serving.api.openapi import problems
from serving.container import Services
from serving.errors import NoModel, SubmissionRefused
from serving.models.model_pool import MODEL_NAMES
from serving.request_parsing import read_json
from serving.scoring.vectors import ScoredVectors, champion_reading, score_vectors, vectors_in
from serving.web.admission import limited_in_flight
from serving.web.authentication import MayInfer
from serving.web.bodies import JSON, ClosedModel, body_within, refuse_other_media
from serving.web.services import TheServices

router = APIRouter(tags=["feature vectors"])


VECTORS_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            JSON: {
                "schema": {
                    "type": "object",
                    "description": "`dataframe_split` with `columns` and `data`, or "
                    "`dataframe_records`; every feature of one model, null where missing.",
                }
            }
        },
    }
}


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


@router.get("/ping", response_class=Response)
def ping(services: TheServices) -> Response:
    """Whether any model answers."""
    if not services.models.active_champions():
        raise NoModel("no model is ready; run `tidegate train` and `tidegate promote`")
    return Response(b"\n", media_type=JSON)


@router.post(
    "/invocations",
    response_model=InvokedExplained | Invoked,
    openapi_extra=VECTORS_BODY,
    responses=problems(
        s400="The body is not acceptable JSON.",
        s413="The body is too large, or holds too many rows.",
        s415="The body is not plain JSON.",
        s422="The columns are not a model's features, or a value is not of its type.",
        s503="No model is ready.",
    ),
)
@limited_in_flight
async def invoke(request: Request, services: TheServices, caller: MayInfer) -> Invoked:
    """Score feature vectors (`dataframe_records`, `dataframe_split`) by the model that reads them.

    A vector is no subject: no lane follows, and no decision is made or stored.
    """
    refuse_other_media(request, JSON)
    body = await body_within(request, services.settings.max_batch_bytes)

    def scored() -> ScoredVectors:
        columns = _columns(read_json(body))
        services.rate_limits.take(
            caller.key_id, vectors_in(columns) - 1
        )  # the call itself was counted
        champion = champion_reading(services.models, list(columns))
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


def _columns(given: Any) -> dict[str, list[Any]]:
    match given:
        case {"dataframe_split": {"columns": [*names], "data": [*rows]}}:
            return _by_column(names, rows)
        case {"dataframe_records": [{**first}, *rest]}:
            names = list(first)
            if not all(isinstance(row, dict) and set(row) == set(names) for row in rest):
                raise SubmissionRefused("want records with the same fields")
            return {name: [first[name], *(row[name] for row in rest)] for name in names}
    raise SubmissionRefused("want an object with dataframe_records or dataframe_split")


def _by_column(names: list[Any], rows: list[Any]) -> dict[str, list[Any]]:
    is_named = all(isinstance(name, str) for name in names) and len(set(names)) == len(names)
    if not is_named or not all(isinstance(row, list) and len(row) == len(names) for row in rows):
        raise SubmissionRefused("want different column names, and rows with a value for each")
    return {name: [row[place] for row in rows] for place, name in enumerate(names)}


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
