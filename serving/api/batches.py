"""`POST /v1/scores/batch`: many subjects in, a decision or a problem for each out."""

from itertools import islice
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Depends, Request, Response

from serving.api.examples import ROUTE, SHIPMENT
from serving.api.idempotency_keys import IdempotencyKey
from serving.api.openapi import REF, problems
from serving.api.scores import worded_for
from serving.container import Services
from serving.errors import BodyTooLarge, ServingError
from serving.request_parsing import split_array
from serving.scoring.batcher import ScoreRequest
from serving.scoring.idempotency import Answer
from serving.web.admission import limited_in_flight
from serving.web.authentication import MayScore
from serving.web.bodies import JSON, NDJSON, ClosedModel, body_within, refuse_other_media
from serving.web.problems import problem_content
from serving.web.services import TheServices

router = APIRouter(prefix="/v1/scores/batch", tags=["scores"])

TOGETHER = 128  # asked before the first is waited for: while some are written, others are decided


BATCH_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            JSON: {
                "schema": {"type": "array", "items": {"$ref": REF.format(model="Submission")}},
                "examples": {"two": {"summary": "Two subjects", "value": [SHIPMENT, ROUTE]}},
            },
            NDJSON: {"schema": {"type": "string"}},
        },
    }
}


class NdjsonResponse(Response):
    """NDJSON."""

    media_type = NDJSON


class BatchLine(ClosedModel):
    """The answer to one subject: what `POST /v1/scores` would have answered, and its status."""

    line: int
    status: int
    answer: dict[str, Any]


async def batch_lines(request: Request, services: TheServices) -> list[bytes]:
    """The submissions in the body, as they came; raises as for a single one."""
    media_type = refuse_other_media(request, JSON, NDJSON)
    body = await body_within(request, services.settings.max_batch_bytes)
    lines = split_array(body) if media_type == JSON else body.splitlines()
    lines = [line for line in lines if line.strip()]
    if len(lines) > services.settings.max_batch_subjects:
        raise BodyTooLarge(f"a batch may hold {services.settings.max_batch_subjects} subjects")
    return lines


BatchLines = Annotated[list[bytes], Depends(batch_lines)]


@router.post(
    "",
    response_class=NdjsonResponse,
    openapi_extra=BATCH_BODY,
    responses={
        200: {"description": "NDJSON: a line per subject, in their order.", "model": BatchLine},
        **problems(
            s400="The body is no JSON array, or the idempotency key is missing.",
            s413="The body is too large, or holds too many subjects.",
            s415="The body is neither JSON nor NDJSON.",
        ),
    },
)
@limited_in_flight
async def score_subjects(
    request: Request,
    services: TheServices,
    caller: MayScore,
    idempotency_key: IdempotencyKey,
    lines: BatchLines,
) -> Response:
    """Score subjects from a JSON array or NDJSON, each for itself: one refused stops no other.

    Lines are decided in groups; what is known before a line is what was durable before its group.

    Send a batch again with the same key, and what was decided is repeated, what failed is tried.
    """
    services.rate_limits.take(caller.key_id, max(0, len(lines) - 1))  # the call itself was counted
    answers: list[bytes] = []
    numbered = enumerate(lines, start=1)
    while together := list(islice(numbered, TOGETHER)):
        # A space can't be in a caller's key, so no single request meets a line of a batch.
        requests = [
            ScoreRequest(
                caller, f"{idempotency_key} {number}", line, services.clock(), worded_for(caller)
            )
            for number, line in together
        ]
        answered = zip(together, await services.batcher.answer_all(requests), strict=True)
        answers += [_line(services, request, number, answer) for (number, _), answer in answered]
    return NdjsonResponse(b"".join(answers))


def _line(
    services: Services, request: Request, number: int, answer: Answer | ServingError
) -> bytes:
    if isinstance(answer, ServingError):
        content = orjson.dumps(problem_content(request.state.request_id, answer))
        return b'{"line":%d,"status":%d,"answer":%b}\n' % (number, answer.status, content)
    services.metrics.decisions.count(answer.decision)
    return b'{"line":%d,"status":200,"answer":%b}\n' % (number, answer.body)
