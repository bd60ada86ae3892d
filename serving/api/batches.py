"""`POST /v1/scores/batch`: score many subjects, with a decision or a problem for each."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response
from pydantic import Field
from starlette.concurrency import run_in_threadpool

from serving.api.answers import DecisionAnswer, ExplainedDecisionAnswer
from serving.api.examples import ROUTE, SHIPMENT
from serving.api.idempotency_keys import MEANING, IdempotencyKey
from serving.api.openapi import REF, described_answer, described_headers, problems
from serving.api.refused_calls import keep_calls
from serving.api.scores import worded_for
from serving.container import Services
from serving.errors import BodyTooLarge, ClockDoubted, ServingError, Unprocessable
from serving.request_parsing import split_array
from serving.scoring.batcher import ScoreRequest
from serving.scoring.idempotency import Answer
from serving.web.admission import limited_in_flight
from serving.web.authentication import MayScore, take_permits
from serving.web.bodies import JSON, NDJSON, ClosedModel, body_within, refuse_other_media
from serving.web.closed_routes import ClosedRoute
from serving.web.problems import MAX_FAULTS, Problem, problem_body
from serving.web.services import TheServices

router = APIRouter(prefix="/v1/scores/batch", tags=["scores"], route_class=ClosedRoute)

_LINE = re.compile(rb"[^\r\n]+")
BATCH_SIZE = 256  # while one group is written, the next is decided


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


class BatchLine(ClosedModel):
    """The response for one subject: the body and status that `POST /v1/scores` would return."""

    line: int = Field(
        description="Its line in NDJSON, as an editor counts them; in an array its place; from 1."
    )
    status: int
    answer: ExplainedDecisionAnswer | DecisionAnswer | Problem


BATCH_ANSWER: dict[str, Any] = {
    "description": "An answer per subject, in their order: a JSON array, or NDJSON.",
    "content": {
        JSON: {"schema": {"type": "array", "items": described_answer(BatchLine)}},
        NDJSON: {"schema": {"type": "string", "description": "A `BatchLine` in each line."}},
    },
}


@dataclass(frozen=True)
class BatchSubject:
    """One submission as received, with its line in the body, or its position in an array."""

    line: int
    body: bytes


async def batch_subjects(request: Request, services: TheServices) -> list[BatchSubject]:
    """Return the submissions in the body; raises as for a single one."""
    settings = services.settings
    media_type = refuse_other_media(request, JSON, NDJSON)
    # The media type was checked first, so a wrong one costs no reading.
    body = await body_within(request, settings.max_batch_bytes)
    most = settings.max_batch_subjects
    if media_type == JSON:
        items = await run_in_threadpool(split_array, body, most, settings.max_body_bytes)
        return [BatchSubject(place, item) for place, item in enumerate(items, start=1)]
    return await run_in_threadpool(_split_lines, body, most)


def _split_lines(body: bytes, most: int) -> list[BatchSubject]:
    """Return the lines that are not blank; raises BodyTooLarge at the first one too many."""
    subjects: list[BatchSubject] = []
    line, reached = 1, 0
    for count, found in enumerate(_LINE.finditer(body)):
        is_blank = not found[0].strip()
        # Blank lines are limited too, or a body of nothing else could be scanned at length.
        if (len(subjects) == most and not is_blank) or count == 2 * most:
            raise BodyTooLarge(f"a batch may hold {most} subjects")
        line += _line_ends(body[reached : found.start()])
        reached = found.end()
        if not is_blank:
            subjects.append(BatchSubject(line, found[0]))
    return subjects


def _line_ends(between: bytes) -> int:
    return between.count(b"\n") + between.count(b"\r") - between.count(b"\r\n")


def answer_media(request: Request) -> str:
    """Return JSON or NDJSON: the one that `Accept` requests alone, else that of the body."""
    accepted = request.headers.get("accept", "").lower()
    if (JSON in accepted) != (NDJSON in accepted):
        return JSON if JSON in accepted else NDJSON
    return JSON if request.headers["content-type"].lower().startswith(JSON) else NDJSON


BatchSubjects = Annotated[list[BatchSubject], Depends(batch_subjects)]


@router.post(
    "",
    response_class=Response,
    openapi_extra=BATCH_BODY | described_headers(Idempotency_Key=f"Required: {MEANING}"),
    responses={
        200: BATCH_ANSWER,
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
    subjects: BatchSubjects,
) -> Response:
    """Score the subjects of a JSON array or NDJSON independently: one refused stops no other.

    The response has the format of the request, unless `Accept` names only the other one. Subjects
    are decided in groups; a decision knows the records that were durable before its group.

    A batch that is sent again with the same key repeats the decisions and retries the failures.
    """
    more = max(0, len(subjects) - 1)  # the call itself has already taken one
    take_permits(request, services, caller, more)
    most = services.settings.max_body_bytes
    answers: dict[int, Answer | ServingError] = {}
    numbered = enumerate(subjects, start=1)
    while together := list(islice(numbered, BATCH_SIZE)):
        # Callers cannot put a blank into a key, so no single request collides with a subject of a
        # batch. Blank lines are not counted, so adding some to a repeated batch changes no key.
        requests = {
            number: ScoreRequest(
                caller,
                f"{idempotency_key} {number}",
                subject.body,
                services.clock(),
                worded_for(caller),
            )
            for number, subject in together
            if len(subject.body) <= most
        }
        too_large = BodyTooLarge(f"a subject of a batch may have {most} bytes")
        answers |= {number: too_large for number, _ in together}
        answered = await services.batcher.answer_all(list(requests.values()))
        asked = zip(requests.values(), answered, strict=True)
        refused = [
            (each, said) for each, said in asked if isinstance(said, (Unprocessable, ClockDoubted))
        ]
        await keep_calls(services, refused)
        answers |= zip(requests, answered, strict=True)
    by_line = {subjects[number - 1].line: answer for number, answer in answers.items()}
    answered_lines = _lines(services, request, by_line)
    media_type = answer_media(request)
    if media_type == JSON:
        return Response(b"[%b]\n" % b",\n".join(answered_lines), media_type=JSON)
    return Response(b"".join(line + b"\n" for line in answered_lines), media_type=NDJSON)


def _lines(
    services: Services, request: Request, answers: dict[int, Answer | ServingError]
) -> Iterator[bytes]:
    """Yield the answers by line, with at most MAX_FAULTS faults in all."""
    left = MAX_FAULTS
    for line, answer in answers.items():
        if isinstance(answer, ServingError):
            status, content = answer.status, problem_body(request.state.request_id, answer, left)
            left = max(0, left - len(answer.faults))
        else:
            services.metrics.decisions.count(answer.decision)
            status, content = 200, answer.body
        yield b'{"line":%d,"status":%d,"answer":%b}' % (line, status, content)
