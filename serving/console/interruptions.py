"""Pages that interrupt a reader: sign-in, a remaining step of it, or a proof of identity.

A submitted form is not lost: its fields travel through these pages as hidden fields and are shown
again at the end, for its author to submit again.
"""

import re
from dataclasses import dataclass
from typing import Any, Self
from urllib.parse import quote, urlsplit

from fastapi import Request

# Only these addresses may follow a sign-in, so that a link cannot redirect readers elsewhere.
OWN_PAGE = re.compile(
    r"/console/(queue|search|cases|entities|notices|rescues|approvals|audit|decisions|features|supervision|models|monitor|switches|accounts?)"
    r"(/[A-Za-z0-9_-]{1,64}){0,2}"
)
# Steps of sign-in itself are excluded: to resubmit them would start over or leak a secret.
OWN_ACT = re.compile(
    r"/console/(?!sign-|oidc|confirm|session|account/password)[a-z-]+"
    r"(/[A-Za-z0-9_.-]{1,64}){0,4}"
)
# Characters. Longer values are shown for reading and editing.
SHORT_FIELD = 60
_KEPT = "kept."
_ACT_ON_CASE = re.compile(r"/console/cases/([A-Za-z0-9_-]{1,64})/")


@dataclass(frozen=True)
class SignInStep:
    """A page that comes first, and the template that shows a kept form there.

    Without a template, no form can be kept on the way.
    """

    address: str
    template: str | None


SIGN_IN = SignInStep("/console/sign-in", "sign_in.html")
CODE = SignInStep("/console/sign-in/code", "code.html")
# Someone else has seen the current password.
NEW_PASSWORD = SignInStep("/console/sign-in/password", "new_password.html")
SECOND_FACTOR = SignInStep("/console/sign-in/second-factor", None)
# A new proof of identity, before an act that does harm in wrong hands.
CONFIRMATION = SignInStep("/console/confirm", "confirm.html")


class Interruption(Exception):
    """Interruption that requires `step` first; `content` is that of its template."""

    def __init__(self, step: SignInStep, request: Request, **content: Any):
        super().__init__(step.address)
        self.step = step
        self.to = page_to_return_to(request)
        self.content = content

    @property
    def address(self) -> str:
        """Address of the page that comes first."""
        return f"{self.step.address}?to={quote(self.to)}" if self.to else self.step.address


@dataclass(frozen=True)
class InterruptedForm:
    """A form to resubmit later; `fields` are those that its author filled in."""

    action: str
    fields: dict[str, str]

    @classmethod
    def sent(cls, action: str, form: dict[str, str]) -> Self | None:
        """Return the part of a submitted form worth keeping, never a secret; None without one."""
        # The fields travel through HTML, where a password must never appear.
        fields = {name: text for name, text in form.items() if not _is_secret(name)}
        return cls(action, fields) if fields and OWN_ACT.fullmatch(action) else None

    @classmethod
    def carried(cls, form: dict[str, str]) -> Self | None:
        """Return the form that an intermediate page carried on."""
        named = {n.removeprefix(_KEPT): text for n, text in form.items() if n.startswith(_KEPT)}
        return cls.sent(form.get("action", ""), named)

    @property
    def hidden(self) -> dict[str, str]:
        """Hidden fields in which an intermediate page carries the form."""
        return {"action": self.action} | {f"{_KEPT}{n}": text for n, text in self.fields.items()}

    @property
    def case_id(self) -> str | None:
        """Id of the case that the form acts on, if any."""
        found = _ACT_ON_CASE.match(self.action)
        return found[1] if found else None

    @property
    def written(self) -> dict[str, str]:
        """Return the long texts that someone typed."""
        return {name: text for name, text in self.fields.items() if _is_written(name, text)}

    @property
    def chosen(self) -> dict[str, str]:
        """Fields other than long texts."""
        return {n: text for n, text in self.fields.items() if n not in self.written}


def own_address(address: str) -> str:
    """Return the address if it is a page of the console, else an empty text."""
    return address if OWN_PAGE.fullmatch(address) else ""


def page_to_return_to(request: Request) -> str:
    """Return the requested page; for a form, the page that contains it."""
    if request.method == "GET":
        return own_address(request.url.path)
    return own_address(urlsplit(request.headers.get("referer", "")).path)


def _is_secret(name: str) -> bool:
    return "password" in name or name in ("form_token", "one_time_code")


def _is_written(name: str, text: str) -> bool:
    return name in ("text", "because") or len(text) > SHORT_FIELD or "\n" in text
