"""The Open Inference Protocol v2, as Triton, KServe and MLServer speak it."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Request
from pydantic import FailFast, Field, ValidationError
from starlette.concurrency import run_in_threadpool

from serving.api.invocations import tell_inference
from serving.api.openapi import described_body, problems
from serving.errors import Forbidden, NoModel, NotFound, SubmissionRefused
from serving.models.model_pool import LoadedModel
from serving.request_parsing import faults_of, read_json
from serving.scoring.vectors import ScoredVectors, champion_named, score_vectors, vectors_in
from serving.web.admission import limited_in_flight
from serving.web.authentication import AnyCaller, MayInfer
from serving.web.bodies import JSON, ClosedModel, body_within, refuse_other_media
from serving.web.services import TheServices

router = APIRouter(prefix="/v2", tags=["feature vectors"])

Datatype = Literal["FP64", "BYTES"]
OF_EXPLANATION = ("log_odds", "base_log_odds", "contributions")
Name = Annotated[str, Path(pattern=r"^[a-z-]{1,64}$")]


class ServerHealth(ClosedModel):
    """Whether it is so."""

    live: bool | None = None
    ready: bool | None = None


class ServerMetadata(ClosedModel):
    """What this server is."""

    name: str = "tidegate"
    version: str = "1"
    extensions: tuple[str, ...] = ()


class Tensor(ClosedModel):
    """A tensor's name, type and shape; -1 stands for as many as are sent."""

    name: str
    datatype: Datatype
    shape: list[int]


class ModelMetadata(ClosedModel):
    """A model: one input per feature, and what it gives."""

    name: str
    versions: list[str]
    platform: str = "tidegate"
    inputs: list[Tensor]
    outputs: list[Tensor]


class RequestInput(ClosedModel):
    """One feature of every vector; null where it is missing."""

    name: Annotated[str, Field(max_length=64)]
    datatype: Datatype | Literal["FP32", "INT64", "INT32", "BOOL"]
    shape: Annotated[list[int], FailFast(), Field(max_length=2)]
    data: list[Any]
    parameters: dict[str, Any] = Field(default_factory=dict)


class RequestOutput(ClosedModel):
    """An output that is asked for."""

    name: Annotated[str, Field(max_length=64)]
    parameters: dict[str, Any] = Field(default_factory=dict)


class InferenceRequest(ClosedModel):
    """Feature vectors, a tensor per feature."""

    id: Annotated[str, Field(max_length=64, pattern=r"^[A-Za-z0-9._:/-]*$")] | None = None
    inputs: Annotated[list[RequestInput], FailFast()]
    outputs: Annotated[tuple[RequestOutput, ...], FailFast()] = ()
    parameters: dict[str, Any] = Field(default_factory=dict)


class ResponseOutput(Tensor):
    """What a model gave."""

    data: list[float]


class InferenceAnswer(ClosedModel):
    """The outputs that were asked for, or all that the caller may have."""

    model_name: str
    model_version: str
    id: str | None = None
    outputs: list[ResponseOutput]


@router.get("")
def server(_: AnyCaller) -> ServerMetadata:
    """Which server this is."""
    return ServerMetadata()


@router.get("/health/live", response_model_exclude_none=True)
def live() -> ServerHealth:
    """Whether the process answers at all."""
    return ServerHealth(live=True)


@router.get("/health/ready", response_model_exclude_none=True)
def ready(services: TheServices) -> ServerHealth:
    """Whether a model answers."""
    if not services.models.active_champions():
        raise NoModel("no model is ready; run `tidegate train` and `tidegate promote`")
    return ServerHealth(ready=True)


NOT_FOUND = problems(s404="No such model or version.", s503="No model of that name is ready.")


@router.get("/models/{name}", responses=NOT_FOUND)
@router.get("/models/{name}/versions/{version}", responses=NOT_FOUND)
def model(
    services: TheServices, _: AnyCaller, name: Name, version: str | None = None
) -> ModelMetadata:
    """The inputs that a model reads, in its order, and its outputs."""
    champion = champion_named(services.models, name)
    _refuse_other_version(champion, version)
    inputs = champion.model.encoding.inputs
    return ModelMetadata(
        name=name,
        versions=[champion.version],
        inputs=[
            Tensor(
                name=each.name,
                datatype="FP64" if each.categories is None else "BYTES",
                shape=[-1],
            )
            for each in inputs
        ],
        outputs=[
            Tensor(name="probability", datatype="FP64", shape=[-1]),
            *(_explaining(name, len(inputs)) for name in OF_EXPLANATION),
        ],
    )


@router.get("/models/{name}/ready", responses=NOT_FOUND, response_model_exclude_none=True)
@router.get(
    "/models/{name}/versions/{version}/ready",
    responses=NOT_FOUND,
    response_model_exclude_none=True,
)
def model_ready(
    services: TheServices, _: AnyCaller, name: Name, version: str | None = None
) -> ServerHealth:
    """Whether a model answers."""
    _refuse_other_version(champion_named(services.models, name), version)
    return ServerHealth(ready=True)


INFERRED = problems(
    s400="The body is not acceptable JSON.",
    s404="No such model or version.",
    s413="The body is too large, or holds too many vectors.",
    s415="The body is not plain JSON.",
    s422="The inputs are not the model's features.",
    s503="No model of that name is ready.",
)
INFERENCE_BODY = described_body(InferenceRequest)


@router.post(
    "/models/{name}/infer",
    responses=INFERRED,
    response_model_exclude_none=True,
    openapi_extra=INFERENCE_BODY,
)
@router.post(
    "/models/{name}/versions/{version}/infer",
    responses=INFERRED,
    response_model_exclude_none=True,
    openapi_extra=INFERENCE_BODY,
)
@limited_in_flight
async def infer(
    request: Request,
    services: TheServices,
    caller: MayInfer,
    name: Name,
    version: str | None = None,
) -> InferenceAnswer:
    """Score feature vectors; log-odds and contributions are outputs for the scope `explain`.

    A vector is no subject: no lane follows, and no decision is made or stored.
    """
    refuse_other_media(request, JSON)
    body = await body_within(request, services.settings.max_batch_bytes)
    inference = await run_in_threadpool(_read, body)
    output_names = _output_names(inference, may_explain=caller.may("explain"))
    champion = champion_named(services.models, name)
    _refuse_other_version(champion, version)
    columns = await run_in_threadpool(_columns, inference)
    services.rate_limits.take(caller.key_id, vectors_in(columns) - 1)  # the call itself was counted
    vectors = await run_in_threadpool(score_vectors, champion, columns)
    tell_inference(services, caller, vectors)
    outputs = [_output(each, vectors) for each in output_names]
    return InferenceAnswer(
        model_name=name, model_version=champion.version, id=inference.id, outputs=outputs
    )


def _read(body: bytes) -> InferenceRequest:
    read_json(body)
    try:
        return InferenceRequest.model_validate_json(body)
    except ValidationError as refusal:
        raise SubmissionRefused(
            "the request is not one of this protocol", faults_of(refusal)
        ) from None


def _output_names(inference: InferenceRequest, *, may_explain: bool) -> tuple[str, ...]:
    names = tuple(dict.fromkeys(output.name for output in inference.outputs))
    if not set(names) <= {"probability", *OF_EXPLANATION}:
        raise SubmissionRefused(f"the outputs are probability, {', '.join(OF_EXPLANATION)}")
    if set(names) & set(OF_EXPLANATION) and not may_explain:
        raise Forbidden("this needs a key with the scope explain")
    return names or (("probability", *OF_EXPLANATION) if may_explain else ("probability",))


def _columns(inference: InferenceRequest) -> dict[str, list[Any]]:
    columns = {each.name: each.data for each in inference.inputs}
    if len(columns) != len(inference.inputs):
        raise SubmissionRefused("an input is given twice")
    for each in inference.inputs:
        if each.shape not in ([len(each.data)], [len(each.data), 1]):
            raise SubmissionRefused("want inputs of the shape [n] or [n, 1] with n values")
    return columns


def _output(name: str, vectors: ScoredVectors) -> ResponseOutput:
    scores = vectors.scores
    n = len(scores.probability)
    data = {
        "probability": scores.probability,
        "log_odds": scores.log_odds,
        "contributions": scores.contributions.ravel(),
    }
    values = data[name].tolist() if name in data else [scores.base_log_odds] * n
    shape = [n, scores.contributions.shape[1]] if name == "contributions" else [n]
    return ResponseOutput(name=name, datatype="FP64", shape=shape, data=values)


def _explaining(name: str, features: int) -> Tensor:
    shape = [-1, features] if name == "contributions" else [-1]
    return Tensor(name=name, datatype="FP64", shape=shape)


def _refuse_other_version(champion: LoadedModel, version: str | None) -> None:
    if version not in {None, champion.version}:
        raise NotFound("that version does not answer; only the promoted one does")
