"""What comes between a reader and a page: signing in first, a step that is left, or a proof.

A form that was sent meanwhile is not lost: its fields travel through the pages between as hidden
fields of ours, and are shown again, to be sent once more by whoever wrote them.
"""

import re
from dataclasses import dataclass
from typing import Any, ClassVar, Self
from urllib.parse import quote, urlsplit

from fastapi import Request

OWN_PAGE = re.compile(
    r"/console/(queue|search|cases|entities|notices|rescues|approvals|audit|decisions|features|supervision|models|monitor|switches|accounts?)"
    r"(/[A-Za-z0-9_-]{1,64}){0,2}"
)
OWN_ACT = re.compile(
    r"/console/(?!sign-|oidc|confirm|session|account/password)[a-z-]+"
    r"(/[A-Za-z0-9_.-]{1,64}){0,4}"
)
SHORT_FIELD = 60  # characters; longer ones are shown to be read and changed
_KEPT = "kept."
_ACT_ON_CASE = re.compile(r"/console/cases/([A-Za-z0-9_-]{1,64})/")


class Interruption(Exception):
    """A page cannot be shown, or a form not be taken, before `page` was: `template` filled in.

    Without a template nothing can be kept on the way to it.
    """

    page: ClassVar[str] = "/console/sign-in"
    template: ClassVar[str | None] = "sign_in.html"

    def __init__(self, request: Request, **content: Any):
        super().__init__(self.page)
        self.to = page_to_return_to(request)
        self.content = content

    @property
    def address(self) -> str:
        """The page that comes first."""
        return f"{self.page}?to={quote(self.to)}" if self.to else self.page


class SignInNeeded(Interruption):
    """The page is for signed-in readers."""


class CodeLeft(Interruption):
    """The reader has not given a second factor yet."""

    page, template = "/console/sign-in/code", "code.html"


class PasswordLeft(Interruption):
    """The reader has a password that somebody else has seen, and must choose another."""

    page, template = "/console/sign-in/password", "new_password.html"


class SecondFactorLeft(Interruption):
    """The reader must have a second factor, and has none yet."""

    page, template = "/console/sign-in/second-factor", None


class ConfirmationNeeded(Interruption):
    """The reader must prove to be who they are, as they did when they signed in."""

    page, template = "/console/confirm", "confirm.html"


@dataclass(frozen=True)
class KeptForm:
    """A form that could not be taken yet; `fields` are those that its writer filled in."""

    action: str
    fields: dict[str, str]

    @classmethod
    def sent(cls, action: str, form: dict[str, str]) -> Self | None:
        """Return what is worth keeping of a form that was just sent: never a secret."""
        fields = {name: text for name, text in form.items() if not _is_secret(name)}
        return cls(action, fields) if fields and OWN_ACT.fullmatch(action) else None

    @classmethod
    def carried(cls, form: dict[str, str]) -> Self | None:
        """Return what a page between carried on."""
        named = {n.removeprefix(_KEPT): text for n, text in form.items() if n.startswith(_KEPT)}
        return cls.sent(form.get("action", ""), named)

    @property
    def hidden(self) -> dict[str, str]:
        """The fields under which a page between carries it."""
        return {"action": self.action} | {f"{_KEPT}{n}": text for n, text in self.fields.items()}

    @property
    def case_id(self) -> str | None:
        """The case that it acts on, if any."""
        found = _ACT_ON_CASE.match(self.action)
        return found[1] if found else None

    @property
    def written(self) -> dict[str, str]:
        """Return what somebody wrote, at length."""
        return {name: text for name, text in self.fields.items() if _is_written(name, text)}

    @property
    def chosen(self) -> dict[str, str]:
        """All the rest."""
        return {n: text for n, text in self.fields.items() if n not in self.written}


def own_address(address: str) -> str:
    """An address of our own pages, or nothing in place of any other."""
    return address if OWN_PAGE.fullmatch(address) else ""


def page_to_return_to(request: Request) -> str:
    """The page that was asked for; of a form the page that it stands on."""
    if request.method == "GET":
        return own_address(request.url.path)
    return own_address(urlsplit(request.headers.get("referer", "")).path)


def _is_secret(name: str) -> bool:
    return "password" in name or name in ("form_token", "one_time_code")


def _is_written(name: str, text: str) -> bool:
    return name in ("text", "because") or len(text) > SHORT_FIELD or "\n" in text
