"""The Open Inference Protocol v2, as Triton, KServe and MLServer speak it."""

from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Depends, Path, Request, Response
from pydantic import ValidationError
from starlette.concurrency import run_in_threadpool

from serving.access.callers import Caller
from serving.api.inference_tensors import (
    Datatype,
    InferenceRequest,
    bytes_of,
    columns_of,
    split_body,
)
from serving.api.invocations import Name, tell_inference
from serving.api.openapi import (
    RELEASE,
    answer_headers,
    described_headers,
    described_model,
    described_problem,
    problems,
)
from serving.container import Services
from serving.errors import Forbidden, NotFound, SubmissionRefused
from serving.models.errors import NoModel
from serving.models.model_pool import MODEL_NAMES, LoadedModel
from serving.request_parsing import faults_of, read_json
from serving.scoring.vectors import ScoredVectors, champion_named, score_vectors, vectors_in
from serving.web.admission import limited_in_flight
from serving.web.authentication import AnyCaller, MayInfer, take_permits
from serving.web.bodies import JSON, OCTETS, ClosedModel, inflated_body, refuse_other_media
from serving.web.services import TheServices

router = APIRouter(prefix="/v2", tags=["feature vectors"])

OF_EXPLANATION = ("log_odds", "base_log_odds", "contributions")
JSON_LENGTH = "Inference-Header-Content-Length"
Version = Annotated[str, Path(max_length=64)]


class ServerHealth(ClosedModel):
    """Whether it is so."""

    live: bool | None = None
    ready: bool | None = None


class ServerMetadata(ClosedModel):
    """What this server is."""

    name: str = "tidegate"
    version: str = RELEASE
    extensions: tuple[str, ...] = ("binary_tensor_data",)


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


class ResponseOutput(Tensor):
    """What a model gave."""

    data: list[float] | None = None
    parameters: dict[str, int] | None = None


class InferenceAnswer(ClosedModel):
    """The outputs that were asked for, or all that the caller may have."""

    model_name: str
    model_version: str
    id: str | None = None
    outputs: list[ResponseOutput]


def champion(services: TheServices, _: AnyCaller, name: Name) -> LoadedModel:
    """The champion of that name."""
    return champion_named(services.models, name)


def champion_of_version(
    named: Annotated[LoadedModel, Depends(champion)], version: Version
) -> LoadedModel:
    """The champion of that name, if it is of that version; raises NotFound."""
    if version != named.version:
        raise NotFound("that version does not answer; only the promoted one does")
    return named


Champion = Annotated[LoadedModel, Depends(champion)]
ChampionOfVersion = Annotated[LoadedModel, Depends(champion_of_version)]


@router.get("")
def server_metadata(_: AnyCaller) -> ServerMetadata:
    """Which server this is."""
    return ServerMetadata()


@router.get("/health/live", response_model_exclude_none=True)
def server_live() -> ServerHealth:
    """Whether the process answers at all."""
    return ServerHealth(live=True)


@router.get(
    "/health/ready",
    response_model_exclude_none=True,
    responses={"503": described_problem("503", "No model is ready.")},
)
def server_ready(services: TheServices) -> ServerHealth:
    """Whether a model answers."""
    if not services.models.active_champions():
        raise NoModel("no model is ready; run `tidegate train` and `tidegate promote`")
    return ServerHealth(ready=True)


NOT_FOUND = problems(s404="No such model or version.", s503="No model of that name is ready.")


@router.get("/models/{name}", responses=NOT_FOUND)
def model_metadata(champion: Champion) -> ModelMetadata:
    """The inputs that a model reads, in its order, and its outputs."""
    return _metadata(champion)


@router.get("/models/{name}/versions/{version}", responses=NOT_FOUND)
def model_version_metadata(champion: ChampionOfVersion) -> ModelMetadata:
    """The inputs that a version reads, in its order, and its outputs."""
    return _metadata(champion)


@router.get("/models/{name}/ready", responses=NOT_FOUND, response_model_exclude_none=True)
def model_ready(_: Champion) -> ServerHealth:
    """Whether a model answers."""
    return ServerHealth(ready=True)


@router.get(
    "/models/{name}/versions/{version}/ready",
    responses=NOT_FOUND,
    response_model_exclude_none=True,
)
def model_version_ready(_: ChampionOfVersion) -> ServerHealth:
    """Whether a version answers."""
    return ServerHealth(ready=True)


def _metadata(champion: LoadedModel) -> ModelMetadata:
    inputs = champion.model.encoding.inputs
    return ModelMetadata(
        name=MODEL_NAMES[champion.model.manifest.subject],
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


BINARY: dict[str, Any] = {"schema": {"type": "string", "format": "binary"}}
INFERENCE_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "description": "JSON, or JSON with binary tensors behind it; gzip and deflate are taken.",
        "content": {JSON: {"schema": described_model(InferenceRequest)}, OCTETS: BINARY},
    },
    **described_headers(
        Inference_Header_Content_Length="How many bytes of JSON come before binary tensors."
    ),
}
INFERRED: dict[int | str, dict[str, Any]] = {
    200: {"content": {OCTETS: BINARY}, "headers": answer_headers(JSON_LENGTH)},
    **problems(
        s400="The body is not acceptable JSON, or its binary tensors are not as it says.",
        s404="No such model or version.",
        s413="The body is too large, or holds too many vectors.",
        s415="The body is of another media type.",
        s422="The inputs are not the model's features.",
        s503="No model of that name is ready.",
    ),
}


@router.post(
    "/models/{name}/infer",
    response_model=InferenceAnswer,
    responses=INFERRED,
    openapi_extra=INFERENCE_BODY,
)
@limited_in_flight
async def model_infer(
    request: Request, services: TheServices, caller: MayInfer, champion: Champion
) -> Response:
    """Score feature vectors; log-odds and contributions are outputs for the scope `explain`.

    A vector is no subject: no lane follows, and no decision is made or stored.
    """
    return await _infer(request, services, caller, champion)


@router.post(
    "/models/{name}/versions/{version}/infer",
    response_model=InferenceAnswer,
    responses=INFERRED,
    openapi_extra=INFERENCE_BODY,
)
@limited_in_flight
async def model_version_infer(
    request: Request, services: TheServices, caller: MayInfer, champion: ChampionOfVersion
) -> Response:
    """Score feature vectors by one version, if it is the one that answers."""
    return await _infer(request, services, caller, champion)


async def _infer(
    request: Request, services: Services, caller: Caller, champion: LoadedModel
) -> Response:
    refuse_other_media(request, JSON, OCTETS, "", encodings=("gzip", "deflate"))
    body = await inflated_body(request, services.settings.max_batch_bytes)
    length = request.headers.get(JSON_LENGTH)

    def scored() -> tuple[InferenceRequest, ScoredVectors]:
        told, behind = split_body(body, length)
        inference = _read(told)
        _require_outputs(inference, may_explain=caller.may("explain"))
        columns = columns_of(inference.inputs, behind)
        # The call itself was counted.
        take_permits(request, services, caller, vectors_in(columns) - 1)
        return inference, score_vectors(champion, columns)

    inference, vectors = await run_in_threadpool(scored)
    tell_inference(services, caller, vectors)
    return _answer(inference, vectors, may_explain=caller.may("explain"))


def _read(told: bytes) -> InferenceRequest:
    try:
        return InferenceRequest.model_validate(read_json(told, is_nan_taken=True))
    except ValidationError as refusal:
        raise SubmissionRefused(
            "the request is not one of this protocol", faults_of(refusal)
        ) from None


def _require_outputs(inference: InferenceRequest, *, may_explain: bool) -> None:
    """Raise SubmissionRefused for outputs that no model has, Forbidden for the caller."""
    names = {output.name for output in inference.outputs}
    if not names <= {"probability", *OF_EXPLANATION}:
        raise SubmissionRefused(f"the outputs are probability, {', '.join(OF_EXPLANATION)}")
    if names & set(OF_EXPLANATION) and not may_explain:
        raise Forbidden("this needs a key with the scope explain")


def _answer(inference: InferenceRequest, vectors: ScoredVectors, *, may_explain: bool) -> Response:
    names = tuple(dict.fromkeys(output.name for output in inference.outputs))
    all_names = ("probability", *(OF_EXPLANATION if may_explain else ()))
    outputs, behind = list[dict[str, Any]](), list[bytes]()
    for name in names or all_names:
        shape, values = _output(name, vectors)
        output: dict[str, Any] = {"name": name, "datatype": "FP64", "shape": shape}
        if inference.is_binary(name):
            behind.append(bytes_of(values))
            outputs.append(output | {"parameters": {"binary_data_size": len(behind[-1])}})
        else:
            outputs.append(output | {"data": values})
    champion = vectors.champion
    answer = {
        "model_name": MODEL_NAMES[champion.model.manifest.subject],
        "model_version": champion.version,
        **({"id": inference.id} if inference.id else {}),
        "outputs": outputs,
    }
    told = orjson.dumps(answer)
    if not behind:
        return Response(told, media_type=JSON)
    return Response(b"".join([told, *behind]), 200, {JSON_LENGTH: str(len(told))}, OCTETS)


def _output(name: str, vectors: ScoredVectors) -> tuple[list[int], list[float]]:
    """The shape and the values of an output."""
    scores = vectors.scores
    n = len(scores.probability)
    if name == "contributions":
        return [n, scores.contributions.shape[1]], scores.contributions.ravel().tolist()
    if name == "base_log_odds":
        return [n], [scores.base_log_odds] * n
    return [n], getattr(scores, name).tolist()


def _explaining(name: str, features: int) -> Tensor:
    shape = [-1, features] if name == "contributions" else [-1]
    return Tensor(name=name, datatype="FP64", shape=shape)
