"""`POST /v1/scores/batch`: many subjects in, a decision or a problem for each out."""

from functools import partial
from itertools import islice
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Depends, Request, Response

from serving.access.callers import Caller
from serving.api.openapi import BATCH_BODY, problems
from serving.api.problems import problem_content
from serving.api.requests import (
    JSON,
    NDJSON,
    IdempotencyKey,
    MayScore,
    TheHouse,
    body_within,
    refuse_other_media,
)
from serving.api.scores import worded_for
from serving.api.shapes import Shape
from serving.assessment import Request as Asked
from serving.desk import Pending
from serving.errors import BodyTooLarge, ServingError
from serving.house import House
from serving.submitted import read_submission, split_array

router = APIRouter(prefix="/v1/scores/batch", tags=["scores"])

TOGETHER = 64  # taken before the first is waited for: one flush serves them all

Taken = Pending | ServingError


class Lines(Response):
    """NDJSON."""

    media_type = NDJSON


class BatchLine(Shape):
    """The answer to one subject: what `POST /v1/scores` would have answered, and its status."""

    line: int
    status: int
    answer: dict[str, Any]


async def batch_lines(request: Request, house: TheHouse) -> list[bytes]:
    """The submissions in the body, as they came; raises as for a single one."""
    media_type = refuse_other_media(request, JSON, NDJSON)
    body = await body_within(request, house.settings.max_batch_bytes)
    lines = split_array(body) if media_type == JSON else body.splitlines()
    lines = [line for line in lines if line.strip()]
    if len(lines) > house.settings.max_batch_subjects:
        raise BodyTooLarge(f"a batch may hold {house.settings.max_batch_subjects} subjects")
    return lines


BatchLines = Annotated[list[bytes], Depends(batch_lines)]


@router.post(
    "",
    response_class=Lines,
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
async def score_subjects(
    request: Request,
    house: TheHouse,
    caller: MayScore,
    idempotency_key: IdempotencyKey,
    lines: BatchLines,
) -> Response:
    """Score subjects from a JSON array or NDJSON, each for itself: one refused stops no other.

    Send a batch again with the same key, and what was decided is repeated, what failed is tried.
    """
    house.limits.take(caller.key_id, max(0, len(lines) - 1))  # the call itself was counted
    answers: list[bytes] = []
    numbered = iter(enumerate(lines, start=1))
    while together := list(islice(numbered, TOGETHER)):
        taken = await house.desk.handle(partial(_taken, house, caller, together, idempotency_key))
        answers += [
            await _answered(house, number, each, request.state.request_id) for number, each in taken
        ]
    return Lines(b"".join(answers))


def _taken(
    house: House, caller: Caller, lines: list[tuple[int, bytes]], key: str
) -> list[tuple[int, Taken]]:
    worded = worded_for(caller)
    taken: list[tuple[int, Taken]] = []
    for number, line in lines:
        try:
            asked = Asked(caller, read_submission(line), line, house.clock())
            # A space can't be in a caller's key, so no single request meets a line of a batch.
            taken.append((number, house.desk.take(asked, f"{key} {number}", worded)))
        except ServingError as error:
            taken.append((number, error))
    return taken


async def _answered(house: House, number: int, taken: Taken, request_id: str) -> bytes:
    try:
        if isinstance(taken, ServingError):
            raise taken
        answer = await house.desk.answered(taken)
        house.metrics.count(answer.decision)
    except ServingError as error:
        content = orjson.dumps(problem_content(request_id, error))
        return b'{"line":%d,"status":%d,"answer":%b}\n' % (number, error.status, content)
    return b'{"line":%d,"status":200,"answer":%b}\n' % (number, answer.body)
