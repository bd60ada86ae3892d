"""TAXII 2.1: the calls by which partners hand objects over and fetch what is meant for them.

There is one API root with two collections: partners write to `inbox` and read `outbox`, in which
each sees its own sendings alone. Answers are complete at once; statuses are kept for a while only.
"""

import uuid
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Depends, Request, Response
from starlette.concurrency import run_in_threadpool

from features.errors import Tampered
from features.signed_documents import read_document
from serving.errors import BodyMalformed, Forbidden, MediaTypeUnsupported, NotFound
from serving.exchange.errors import ExchangeRefused
from serving.exchange.exchanged_objects import stix_time
from serving.exchange.taxii_partner import PartnerCall, ThePartner
from serving.exchange.taxii_resources import (
    INBOX,
    MAX_OBJECTS,
    OUTBOX,
    STIX_MEDIA_TYPE,
    Found,
    Page,
    collection,
    date_headers,
    envelope,
)
from serving.integrity.audit_log import AuditEvent
from serving.web.bodies import body_within

MEDIA_TYPE = "application/taxii+json;version=2.1"
ROOT = "exchange"
MAX_ENVELOPE_BYTES = 1_000_000
_MAX_STATUSES = 1_000

router = APIRouter(prefix="/taxii2", include_in_schema=False)


@router.get("/")
async def discover(request: Request, _: ThePartner) -> Response:
    """Return the API root."""
    root = f"{request.base_url}taxii2/{ROOT}/"
    return _answer({"title": "Tidegate exchange", "default": root, "api_roots": [root]})


@router.get(f"/{ROOT}/")
async def read_root(_: ThePartner) -> Response:
    """Return what the API root accepts."""
    return _answer(
        {
            "title": "Exchange between agencies",
            "versions": [MEDIA_TYPE],
            "max_content_length": MAX_ENVELOPE_BYTES,
        }
    )


@router.get(f"/{ROOT}/status/{{status_id}}/")
async def read_status(request: Request, status_id: str, call: ThePartner) -> Response:
    """Return the result of an earlier hand-over of this partner."""
    kept = _statuses(request).get((call.partner, status_id))
    if kept is None:
        raise NotFound("there is no such status, or it is no longer kept")
    return _answer(kept)


@router.get(f"/{ROOT}/collections/")
async def list_collections(_: ThePartner) -> Response:
    """Return both collections."""
    return _answer({"collections": [collection(INBOX), collection(OUTBOX)]})


@router.get(f"/{ROOT}/collections/{{collection_id}}/")
async def read_collection(collection_id: str, _: ThePartner) -> Response:
    """Return one collection."""
    return _answer(collection(collection_id))


@router.get(f"/{ROOT}/collections/{{collection_id}}/manifest/")
async def read_manifest(
    collection_id: str, call: ThePartner, page: Annotated[Page, Depends()]
) -> Response:
    """Return ids and versions of what is meant for the partner."""
    found, more = await run_in_threadpool(_outgoing, call, collection_id, page)
    entries = [
        {
            "id": document["id"],
            "date_added": stix_time(sending.approved_at or sending.proposed_at),
            "version": document["modified"],
            "media_type": STIX_MEDIA_TYPE,
        }
        for sending, document in found
    ]
    return _answer(envelope(entries, found, more), headers=date_headers(found))


@router.get(f"/{ROOT}/collections/{{collection_id}}/objects/")
async def read_objects(
    collection_id: str, call: ThePartner, page: Annotated[Page, Depends()]
) -> Response:
    """Return what is meant for the partner, in the order in which it was approved."""
    found, more = await run_in_threadpool(_outgoing, call, collection_id, page)
    documents = [document for _, document in found]
    return _answer(envelope(documents, found, more), headers=date_headers(found))


@router.get(f"/{ROOT}/collections/{{collection_id}}/objects/{{object_id}}/")
async def read_one_object(
    collection_id: str, object_id: str, call: ThePartner, page: Annotated[Page, Depends()]
) -> Response:
    """Return one object that is meant for the partner."""
    page.ids = {object_id}
    found, more = await run_in_threadpool(_outgoing, call, collection_id, page)
    if not found:
        raise NotFound("there is no such object for this partner")
    documents = [document for _, document in found]
    return _answer(envelope(documents, found, more), headers=date_headers(found))


@router.get(f"/{ROOT}/collections/{{collection_id}}/objects/{{object_id}}/versions/")
async def read_versions(
    collection_id: str, object_id: str, call: ThePartner, page: Annotated[Page, Depends()]
) -> Response:
    """Return the versions of one object: the newest alone, for a recall leaves nothing else."""
    page.ids = {object_id}
    found, _ = await run_in_threadpool(_outgoing, call, collection_id, page)
    if not found:
        raise NotFound("there is no such object for this partner")
    versions = sorted({document["modified"] for _, document in found})
    return _answer({"versions": versions}, headers=date_headers(found))


@router.post(f"/{ROOT}/collections/{{collection_id}}/objects/")
async def add_objects(request: Request, collection_id: str, call: ThePartner) -> Response:
    """Take in the objects of an envelope, each by itself, and report each refusal by name."""
    if not collection(collection_id)["can_write"]:
        raise Forbidden("this collection takes nothing in")
    _refuse_other_media(request)
    body = await body_within(request, MAX_ENVELOPE_BYTES)
    status = await run_in_threadpool(_take_in_all, call, _objects_in(body))
    kept = _statuses(request)
    kept[call.partner, status["id"]] = status
    while len(kept) > _MAX_STATUSES:
        kept.pop(next(iter(kept)))
    return _answer(status, status_code=202)


def _outgoing(call: PartnerCall, collection_id: str, page: Page) -> tuple[Found, bool]:
    """Return a page of what is meant for the partner, and whether there is more of it."""
    if not collection(collection_id)["can_read"]:
        raise Forbidden("this collection is not to be read")
    found: Found = []
    for sending in call.node.exchange.sendings(call.partner, page.after):
        if page.has(sending) and (document := call.node.document_of(sending)) is not None:
            found.append((sending, document))
        if len(found) > page.limit:
            break
    found, more = found[: page.limit], len(found) > page.limit
    now, actor = call.services.clock(), call.caller.actor
    event = AuditEvent(now, actor, "read", "exchange", "", {"objects": len(found)})
    call.services.audit_events.append(event)
    return found, more


def _take_in_all(call: PartnerCall, documents: list[Any]) -> dict[str, Any]:
    now = call.services.clock()
    successes, failures = [], []
    for document in documents:
        named = {name: str(document.get(key, ""))[:100] for name, key in _NAMED_BY}
        try:
            call.node.take_in(document, call.partner, now)
            successes.append(named)
        except ExchangeRefused as refusal:
            failures.append({**named, "message": str(refusal)})
    return {
        "id": str(uuid.uuid4()),
        "status": "complete",
        "request_timestamp": stix_time(now),
        "total_count": len(documents),
        "success_count": len(successes),
        "successes": successes,
        "failure_count": len(failures),
        "failures": failures,
        "pending_count": 0,
    }


_NAMED_BY = (("id", "id"), ("version", "modified"))


def _objects_in(body: bytes) -> list[Any]:
    try:
        objects = read_document(body, "the envelope is not one JSON object").get("objects", [])
    except Tampered as refusal:
        raise BodyMalformed(str(refusal)) from None
    if not isinstance(objects, list) or not all(isinstance(each, dict) for each in objects):
        raise BodyMalformed("want an envelope whose `objects` are a list of objects")
    if len(objects) > MAX_OBJECTS:
        raise BodyMalformed(f"an envelope has at most {MAX_OBJECTS} objects")
    return objects


def _refuse_other_media(request: Request) -> None:
    given = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    encoding = request.headers.get("content-encoding", "identity").strip().lower()
    if given != "application/taxii+json" or encoding != "identity":
        raise MediaTypeUnsupported(f"send the body as {MEDIA_TYPE} without Content-Encoding")


def _statuses(request: Request) -> dict[tuple[str, str], dict[str, Any]]:
    state = request.app.state
    if not hasattr(state, "taxii_statuses"):
        state.taxii_statuses = {}
    kept: dict[tuple[str, str], dict[str, Any]] = state.taxii_statuses
    return kept


def _answer(
    content: Any, *, status_code: int = 200, headers: dict[str, str] | None = None
) -> Response:
    return Response(orjson.dumps(content), status_code, headers, MEDIA_TYPE)
