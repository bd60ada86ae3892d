"""Who read what, written down before the answer leaves; and who was refused.

Plain ASGI around all routes, so that no door can be forgotten: what a route reads stands in
`readings`, who calls is said by the door (`identify`), and what was shown by the handler
(`tell_audit`). Where the event cannot be written, nothing is shown.
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
from serving.web.authentication import called
from serving.web.problems import problem
from serving.web.readings import READINGS

REFUSED = frozenset({401, 403})


class AuditTrail:
    """Middleware: appends the audit event of a reading, or of a refusal to a known caller."""

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
        """Why an answer must not leave; None where its event is durable, or it needs none."""
        event = self._event(scope, status, acting)
        if event is None:
            return None
        try:
            await asyncio.wrap_future(self._services.audit_log.submit(event))
        except (LogUnavailable, TooBusy) as failure:
            return None if event.action == "refuse" else failure
        return None

    def _event(self, scope: Scope, status: int, acting: Acting) -> AuditEvent | None:
        if acting.actor is SERVICE:
            return None
        call, now = called(Request(scope)), self._services.clock()
        if status in REFUSED:
            return AuditEvent(now, acting.actor, "refuse", "call", call, {"status": status})
        reading = READINGS.get(call)
        if reading is None or status >= 300 or status == HTTPStatus.NO_CONTENT:
            return None
        object_id = scope["path_params"][reading.named_by] if reading.named_by else ""
        details = {"call": call, **acting.details}
        return AuditEvent(
            now, acting.actor, reading.action, reading.object_kind, object_id, details
        )
