"""Audit events for reads and refusals, written before the answer leaves.

This is plain ASGI around all routes, so that no route can be forgotten. `audited_reads` declares
what each route reads, authentication identifies the caller (`identify`), and handlers report what
they showed (`add_audit_details`). If the event cannot be written, nothing is shown.
"""

import asyncio
from http import HTTPStatus

from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from serving.access.acting import Acting, begin_acting
from serving.access.actors import SERVICE
from serving.container import Services
from serving.errors import LogUnavailable, TooBusy
from serving.integrity.audit_log import AuditEvent
from serving.web.audited_reads import READINGS
from serving.web.authentication import called
from serving.web.problems import problem

REFUSED = frozenset({401, 403})


class AuditTrail:
    """Middleware that records an audit event for a read, or for a refusal of a known caller."""

    def __init__(self, app: ASGIApp, services: Services):
        self._app = app
        self._services = services

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request through; the answer waits until its event is durable."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        acting = begin_acting()
        is_withheld = False

        async def send_once_written(message: Message) -> None:
            nonlocal is_withheld
            if message["type"] == "http.response.start":
                # The status decides on the event, and it is known here, before the first byte
                # leaves.
                refusal = await self._written_down(scope, message["status"], acting)
                if refusal is not None:
                    is_withheld = True
                    await problem(Request(scope), refusal)(scope, receive, send)
            if not is_withheld:
                await send(message)

        await self._app(scope, receive, send_once_written)

    async def _written_down(
        self, scope: Scope, status: int, acting: Acting
    ) -> LogUnavailable | TooBusy | None:
        """Return the error that withholds an answer; None if its event is durable or not needed."""
        event = self._event(scope, status, acting)
        if event is None:
            return None
        try:
            await asyncio.wrap_future(self._services.audit_log.submit(event))
        except (LogUnavailable, TooBusy) as failure:
            # A refusal shows nothing, so it may leave even if its event cannot be written.
            return None if event.action == "refuse" else failure
        return None

    def _event(self, scope: Scope, status: int, acting: Acting) -> AuditEvent | None:
        # Nobody was identified: there is no one to record.
        if acting.actor is SERVICE:
            return None
        call, now = called(Request(scope)), self._services.clock()
        if status in REFUSED:
            return AuditEvent(now, acting.actor, "refuse", "call", call, {"status": status})
        reading = READINGS.get(call)
        # Errors and answers without content disclose nothing.
        if reading is None or status >= 300 or status == HTTPStatus.NO_CONTENT:
            return None
        object_id = scope["path_params"][reading.named_by] if reading.named_by else ""
        details = {"call": call, **acting.details}
        return AuditEvent(
            now, acting.actor, reading.action, reading.object_kind, object_id, details
        )
