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
    """The result for the records: newly stored, already known, and faults of the others."""

    accepted: int
    repeated: int
    not_scored: list[str] = Field(
        description="Kept records, as JSON Pointers, that are linked to subjects that were never "
        "scored here. They count when their subjects are scored."
    )
    errors: list[FaultOut] = Field(
        description="The first 50 faults, of records not stored or of a stored distress call."
    )


@router.post(
    "",
    openapi_extra=described_body(RecordsBody, records=("Records as they become known", RECORDS)),
    responses=problems(
        s400="The body is not acceptable JSON.",
        s413="The body is too large, or holds too many records.",
        s415="The body is not plain JSON.",
        s422="None of the records can be stored; `errors` says why.",
        s503="Nothing was stored; try again after `Retry-After`.",
        s507="The disk is almost full, and the body has more than 64 KiB: nothing was stored.",
    ),
)
@limited_in_flight
async def take_records(request: Request, services: TheServices, caller: MayIngest) -> RecordsAnswer:
    """Store records; every later score knows them.

    A subject that was already scored is scored again as of when its linked records became known,
    unless its case has ended. Journeys and shipments become history: they are decided only once
    they are submitted for scoring, at any time. A record is identified by its id: repeating it
    changes nothing, and a different record under the same id is refused. Another sender's record
    under that id blocks nothing, except for a journey or shipment: its id is global, and a
    declaration that was decided on stays. Only the service draws at random: an outcome may say
    `random` or a `selection_probability` only as a decision about its subject does. A faulty record
    stops no other. A distress call (`is_distress` of a position) is stored even if anything but its
    time, place and journey is wrong; `errors` says what was left out. The response comes when
    everything is durable.
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
