"""`POST /v1/scores`: one subject in, one durable decision out."""

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.routing import APIRoute

from features.submission import Submission
from serving.access.callers import Caller
from serving.api.answers import DecisionAnswer, ExplainedDecisionAnswer, decision_answer
from serving.api.examples import ROUTE, SHIPMENT
from serving.api.idempotency_keys import MEANING, required_key
from serving.api.openapi import (
    BEARER,
    answer_headers,
    described_body,
    described_headers,
    problems,
)
from serving.api.refused_calls import keep_calls
from serving.audit.decision import Decision
from serving.errors import ClockDoubted, Unprocessable
from serving.language import ENGLISH, Language
from serving.scoring.batcher import AnswerFormat, ScoreRequest
from serving.web.admission import limited_in_flight
from serving.web.authentication import PURPOSE_MEANING, caller_of
from serving.web.bodies import json_body
from serving.web.closed_routes import with_described_parameters
from serving.web.languages import language_asked_for
from serving.web.services import services_of


class ReadByEndpoint(APIRoute):
    """A route whose endpoint takes the request and returns the response, nothing else."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return the endpoint itself: FastAPI's search for parameters costs a third of the time."""
        return with_described_parameters(self, self.endpoint)


router = APIRouter(prefix="/v1/scores", tags=["scores"], route_class=ReadByEndpoint)

SUBMISSION_BODY = described_body(
    Submission,
    shipment=("A shipment with its journey", SHIPMENT),
    route=("A journey with its legs", ROUTE),
)

HEADERS = described_headers(
    Idempotency_Key=f"Required: {MEANING}",
    Tidegate_Purpose=PURPOSE_MEANING,
    Accept_Language="The language of reasons, for callers with the scope `explain`.",
)


@router.post(
    "",
    response_model=ExplainedDecisionAnswer | DecisionAnswer,
    openapi_extra=SUBMISSION_BODY | HEADERS | {"security": BEARER},
    responses={
        200: {"headers": answer_headers("Location", "Idempotency-Replayed")},
        **problems(
            s400="The body is not acceptable JSON, or the idempotency key is missing.",
            s409="The first request with this idempotency key is in progress.",
            s413="The body is too large.",
            s415="The body is not plain JSON.",
            s422="The submission is refused, or the idempotency key was used with another body.",
            s503="Nothing was decided; try again after `Retry-After`.",
        ),
    },
)
@limited_in_flight
async def score_subject(request: Request) -> Response:
    """Score one subject, and answer when the decision is durable.

    A retry with the same key and body gets the same bytes, with `Idempotency-Replayed: true`. With
    the scope `explain` the response contains reasons and contributions. If a request is refused,
    distress calls among its positions are still stored and sent to rescuers; `errors` reports them
    as `call_kept`.
    """
    # Read here, not by dependencies: those cost a fifth of a request (docs/adr/tried.md).
    services = await services_of(request)
    caller = await caller_of(request, services)
    caller.require("score")
    key = required_key(request.headers.get("idempotency-key"))
    answer_format = worded_for(caller, language_asked_for(request, services))
    body = await json_body(request, services)
    asked = ScoreRequest(caller, key, body, services.clock(), answer_format)
    try:
        answer = await services.batcher.answer(asked)
    except (Unprocessable, ClockDoubted) as refusal:
        await keep_calls(services, [(asked, refusal)])
        raise
    services.metrics.decisions.count(answer.decision)
    if answer.decision is None:
        return _json(answer.body, {"Idempotency-Replayed": "true"})
    return _json(answer.body, {"Location": f"/v1/decisions/{answer.decision.decision_id}"})


def worded_for(caller: Caller, language: Language = ENGLISH) -> AnswerFormat:
    """Return the serialiser of decisions for a caller, explained if the scope allows it."""

    def worded(decision: Decision) -> bytes:
        return decision_answer(decision, language if caller.may("explain") else None).as_json()

    return worded


def _json(body: bytes, headers: dict[str, str]) -> Response:
    return Response(body, 200, headers, "application/json")
