"""Rescue calls by e-mail, a fallback for when HTTP or its server fails.

Acceptance by the mail server means delivery only; as with a webhook, a person must acknowledge.
The message is unsigned and stored in the clear on mail servers, so it contains no more than the
call itself: no party, and nothing about other cases.
"""

import json
import re
import smtplib
import ssl
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from email.utils import format_datetime
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from serving.access.call_deadlines import CallDeadline
from serving.access.http_client import LOOPBACK, MAX_S

BY_MAIL = "mailto:"
# Covers the whole delivery, from connecting to the server's acceptance.
MAX_MAIL_S = 30.0
MailTls = Literal["starttls", "implicit", "none"]
MailAddress = Annotated[str, Field(pattern=r"^[^@\s<>()?,;:\"\\]+@[A-Za-z0-9.-]+$")]
Host = Annotated[str, Field(pattern=r"^[A-Za-z0-9.:-]+$")]

_MAILTO = re.compile(rf"{BY_MAIL}(?P<address>[^@\s<>()?,;:\"\\]+@[A-Za-z0-9.-]+)")


class MailServer(BaseModel):
    """The outgoing mail server; its password is not stored in the file."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    host: Host
    port: Annotated[int, Field(ge=1, le=65_535)] = 587
    tls: MailTls = "starttls"
    sender: MailAddress
    user_name: str | None = None

    @model_validator(mode="after")
    def _is_confidential(self) -> Self:
        if self.tls == "none" and self.host not in LOOPBACK:
            raise ValueError('want `tls` as "starttls" or "implicit", but for this machine')
        return self


def mail_address(address: str) -> str | None:
    """Return the mailbox of a `mailto:` address; None for any other text.

    >>> mail_address("mailto:watch@mrcc.example"), mail_address("mailto:a@b.example,c@d.example")
    ('watch@mrcc.example', None)
    """
    found = _MAILTO.fullmatch(address)
    return found["address"] if found else None


@dataclass(frozen=True)
class RescueMail:
    """One mailbox to call, through the server of the installation."""

    address: str
    server: MailServer
    password: str = ""

    def post(self, call_id: str, body: bytes, at: datetime) -> None:
        """Send the content of a call; raises OSError unless the server takes it for the mailbox."""
        message = self.message(call_id, body, at)
        with CallDeadline(MAX_MAIL_S) as deadline, self._connected(deadline) as smtp:
            smtp.send_message(message)

    def message(self, call_id: str, body: bytes, at: datetime) -> EmailMessage:
        """Return the call as readable text, with its content attached as JSON."""
        called: dict[str, Any] = json.loads(body)["data"]
        message = EmailMessage()
        message["From"] = self.server.sender
        message["To"] = mail_address(self.address)
        message["Date"] = format_datetime(at)
        message["Subject"] = _subject(called)
        # Each attempt needs its own id: a server may drop a message that it has already seen.
        domain = self.server.sender.partition("@")[2]
        message["Message-ID"] = f"<{call_id}.{int(at.timestamp() * 1000)}@{domain}>"
        message["Auto-Submitted"] = "auto-generated"
        message["Importance"] = "high"
        message.set_content(call_in_words(called))
        message.add_attachment(
            body, maintype="application", subtype="json", filename="rescue_call.json"
        )
        return message

    def _connected(self, deadline: CallDeadline) -> smtplib.SMTP:
        """Return a session with a verified server, signed in if required; raises OSError."""
        server, context = self.server, ssl.create_default_context()
        where = (server.host, server.port)
        if server.tls == "implicit":
            smtp: _Timed = _TimedTls(deadline, *where, timeout=MAX_S, context=context)
        else:
            smtp = _Timed(deadline, *where, timeout=MAX_S)
        try:
            if server.tls == "starttls":
                smtp.starttls(context=context)
            if server.user_name:
                smtp.login(server.user_name, self.password)
        except OSError:
            smtp.close()
            raise
        return smtp


class _Timed(smtplib.SMTP):
    """A session that is aborted when its call's time is up."""

    def __init__(self, deadline: CallDeadline, *given: Any, **named: Any):
        deadline.begin(lambda: self.sock)  # before it connects: a greeting may drip too
        super().__init__(*given, **named)


class _TimedTls(_Timed, smtplib.SMTP_SSL):
    """The same over TLS from the start; the handshake counts as one wait."""


def call_in_words(called: dict[str, Any]) -> str:
    """Return the content of a call (`rescue_calls.call_content`, its `data`) as readable text."""
    last, centre, answer = called["last_heard"], called["centre"], called["acknowledge"]
    lines = [
        f"{called['signal']}.",
        None if called["is_declared"] else "Nobody declared its journey: no more is known of it.",
        *(f"Told before as: {alert}" for alert in called["earlier_alerts"]),
        called["advice"],
        *_facts("", called, _TO_FIND),
        *(_facts("last heard: ", last, _HEARD) if last else ["last heard: never"]),
        f"Centre: {centre['name']}",
        called["desk_telephone"] and f"Call back: {called['desk_telephone']}",
        f"Say that you act, within {answer['within_minutes']:g} minutes: {answer['address']}",
        f"Case: {called['case_id']}",
    ]
    return "\n".join(filter(None, lines)) + "\n"


# Order matters: what helps to find and count the people comes first.
_TO_FIND = (
    *("persons_on_board", "certified_capacity", "conveyance_kind", "imo_number", "mmsi"),
    *("call_sign", "plate_number", "registration_country", "cargo_unit", "conveyance_id"),
    *("origin", "destination", "due_at"),
)
_HEARD = (
    *("latitude", "longitude", "at", "age_minutes", "source", "error_radius_m"),
    *("course_degrees", "speed_kn"),
)


def _facts(before: str, content: dict[str, Any], names: tuple[str, ...]) -> list[str]:
    known = [name for name in names if content[name] is not None]
    return [f"{before}{name.replace('_', ' ')}: {content[name]}" for name in known]


def _subject(called: dict[str, Any]) -> str:
    if not called["is_declared"] and called["mmsi"]:
        return f"Rescue call: MMSI {called['mmsi']}, which nobody declared"
    kind = (called["conveyance_kind"] or called["mode"]).replace("_", " ")
    persons = called["persons_on_board"]
    many = f"{persons} persons on a {kind}" if persons else f"a {kind}"
    return f"Rescue call: {many}"
