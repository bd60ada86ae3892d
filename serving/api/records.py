"""`POST /v1/records`: records about subjects, before and after they are scored."""

from fastapi import APIRouter, Request
from pydantic import ConfigDict, Field
from starlette.concurrency import run_in_threadpool

from features.records import (
    Document,
    Event,
    GoodsItem,
    Journey,
    Leg,
    NullIsAbsent,
    Outcome,
    Position,
    Transaction,
)
from features.submission import SubmittedShipment
from serving.api.examples import RECORDS
from serving.api.openapi import described_body, problems
from serving.degraded_modes import require_disk_reserve
from serving.web.admission import SMALL_BODY, limited_in_flight
from serving.web.authentication import MayIngest
from serving.web.bodies import JSON, ClosedModel, body_within, refuse_other_media
from serving.web.closed_routes import ClosedRoute
from serving.web.problems import FaultOut, fault_content
from serving.web.services import TheServices

router = APIRouter(prefix="/v1/records", tags=["records"], route_class=ClosedRoute)


class RecordsBody(NullIsAbsent):
    """Records of any of the types, at most 5,000 together."""

    model_config = ConfigDict(extra="forbid")

    journeys: list[Journey] = Field([], description="Journeys that nobody decides about here.")
    shipments: list[SubmittedShipment] = Field(
        [], description="Shipments that nobody decides about here, with their goods items."
    )
    legs: list[Leg] = Field([])
    positions: list[Position] = Field([])
    goods_items: list[GoodsItem] = Field([])
    documents: list[Document] = Field([])
    transactions: list[Transaction] = Field([])
    events: list[Event] = Field([])
    outcomes: list[Outcome] = Field([])


class RecordsAnswer(ClosedModel):
    """What became of the records: kept now, known before, and what is wrong with the others."""

    accepted: int
    repeated: int
    not_scored: list[str] = Field(
        description="Kept records, as JSON Pointers, that are linked to subjects that were never "
        "scored here. They count when their subjects are scored."
    )
    errors: list[FaultOut] = Field(
        description="The first 50 faults of those not kept, or beside a call for help that was."
    )


@router.post(
    "",
    openapi_extra=described_body(RecordsBody, records=("Records as they become known", RECORDS)),
    responses=problems(
        s400="The body is not acceptable JSON.",
        s413="The body is too large, or holds too many records.",
        s415="The body is not plain JSON.",
        s422="None of the records can be kept; `errors` says why.",
        s503="Nothing was kept; try again after `Retry-After`.",
        s507="The disk is almost full, and the body has more than 64 KiB: nothing was kept.",
    ),
)
@limited_in_flight
async def take_records(request: Request, services: TheServices, caller: MayIngest) -> RecordsAnswer:
    """Keep records; every later score knows them.

    A subject that was scored is scored again as of when records linked to it became known, unless
    its case ended. Journeys and shipments are history: nobody decides about them until they are
    submitted to be scored, which they may be at any time. A record is known by its id: send it
    again and nothing changes, send another under its id and that one is refused; what others sent
    under it keeps nothing out, but for a journey or shipment, whose id is its own, and of which
    what was decided about stays. Only the service draws: an outcome says `random` or a
    `selection_probability` only as a decision about its subject does. One bad record keeps no
    other out. A call for help (`is_distress` of a position) is kept without what is wrong beside
    when, where and of which journey it was heard; `errors` says what was left out. The answer comes
    when all is durable.
    """
    refuse_other_media(request, JSON)
    body = await body_within(request, services.settings.max_batch_bytes)
    if len(body) > SMALL_BODY:  # records about one subject, such as danger, are small
        require_disk_reserve(services.settings)
    # Parsing and storing up to 5,000 records would block the event loop.
    taken = await run_in_threadpool(services.ingestion.ingest, caller, body, services.clock())
    faults = [FaultOut(**fault_content(fault)) for fault in taken.faults]
    return RecordsAnswer(
        accepted=taken.accepted,
        repeated=taken.repeated,
        not_scored=list(taken.not_scored),
        errors=faults,
    )
