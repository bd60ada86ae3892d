"""The partner behind a TAXII call, by an API key in HTTP Basic or as a bearer token."""

import base64
import binascii
from typing import Annotated

from fastapi import Depends, Request
from starlette.concurrency import run_in_threadpool

from serving.access.callers import Caller
from serving.container import Services
from serving.errors import Forbidden
from serving.exchange.node import ExchangeNode
from serving.web.authentication import caller_of
from serving.web.services import TheServices


class PartnerCall:
    """One call of a partner: the node of this service, and the name of the partner."""

    def __init__(self, services: Services, node: ExchangeNode, caller: Caller, partner: str):
        self.services, self.node, self.caller, self.partner = services, node, caller, partner


async def partner_call(request: Request, services: TheServices) -> PartnerCall:
    """Return the call of an approved partner; raise NotSignedIn, Forbidden or NotFound."""
    caller = await caller_of(request, services, _presented_key(request))
    caller.require("exchange")
    node = await run_in_threadpool(_opened_node, request, services)
    found = [each for each in node.partners.all() if each.key_holder == caller.key_id]
    if len(found) != 1:
        raise Forbidden("this key belongs to no approved partner")
    return PartnerCall(services, node, caller, found[0].name)


ThePartner = Annotated[PartnerCall, Depends(partner_call)]


def _presented_key(request: Request) -> str | None:
    """Return the key in HTTP Basic, whose user is the key's id; None for any other scheme."""
    scheme, _, given = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        user, _, key = base64.b64decode(given, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return ""
    return key if key.startswith((f"{user}.", f"tg_{user}.")) else ""


def _opened_node(request: Request, services: Services) -> ExchangeNode:
    """Return the node, opened once: its key may take a passphrase to unwrap."""
    state = request.app.state
    if getattr(state, "exchange_node", None) is None:
        state.exchange_node = ExchangeNode.opened(services.stores, services.settings.keys)
    node: ExchangeNode = state.exchange_node
    return node
