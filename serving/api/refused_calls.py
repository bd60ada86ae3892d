"""Calls for help inside of what is refused: no mistake of a sender keeps out who calls."""

from collections.abc import Sequence

from fastapi.concurrency import run_in_threadpool

from serving.container import Services
from serving.errors import RequestFault, ServingError
from serving.scoring.batcher import ScoreRequest

_KEPT = RequestFault(
    "/positions", "call_kept", "the calls for help among them are kept by themselves"
)


async def keep_calls(
    services: Services, refused: Sequence[tuple[ScoreRequest, ServingError]]
) -> None:
    """Keep the calls for help of refused requests as records, and let the refusals say so first.

    Raises LogUnavailable: then they are to be sent again.
    """
    await run_in_threadpool(_keep, services, refused)


def _keep(services: Services, refused: Sequence[tuple[ScoreRequest, ServingError]]) -> None:
    for request, refusal in refused:
        if services.ingestion.keep_calls(request.caller, request.body, request.at):
            refusal.faults = (_KEPT, *refusal.faults)
