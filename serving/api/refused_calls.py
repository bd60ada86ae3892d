"""Distress calls in refused requests: a sender's mistake must not silence a call for help."""

from collections.abc import Sequence

from fastapi.concurrency import run_in_threadpool

from serving.container import Services
from serving.errors import RequestFault, ServingError
from serving.scoring.batcher import ScoreRequest

_KEPT = RequestFault(
    "/positions", "call_kept", "the distress calls among them are stored all the same"
)


async def keep_calls(
    services: Services, refused: Sequence[tuple[ScoreRequest, ServingError]]
) -> None:
    """Store the distress calls of refused requests as records, and report so in the refusals.

    Raises LogUnavailable, after which the sender must repeat the request.
    """
    await run_in_threadpool(_keep, services, refused)


def _keep(services: Services, refused: Sequence[tuple[ScoreRequest, ServingError]]) -> None:
    for request, refusal in refused:
        if services.ingestion.keep_calls(request.caller, request.body, request.at):
            # First, since a problem lists a limited number of faults.
            refusal.faults = (_KEPT, *refusal.faults)
