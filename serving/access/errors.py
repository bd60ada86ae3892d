"""Errors of this package.

TidegateError
├── ApprovalRefused  an act lacks two approvals, or a key is invalid
└── AddressRefused   an address must not be called
NotSignedIn
└── SignInRefused    an identity provider's answer does not allow sign-in
Conflict
├── NameTaken
└── ChangedMeanwhile an account or team changed since its page was shown
Unprocessable
└── PasswordRefused  too short, or too easily guessed
Unavailable
└── OidcUnavailable  the identity provider cannot be used
ServingError
└── SignInDelayed    too many failed attempts; the message has the waiting time
"""

from features.errors import TidegateError
from serving.errors import Conflict, NotSignedIn, ServingError, Unavailable, Unprocessable


class ApprovalRefused(TidegateError):
    """An act lacks approval by two people; the message says what is missing."""


class AddressRefused(TidegateError):
    """An address in the settings that must not be called, or could not be trusted."""


class SignInRefused(NotSignedIn):
    """The identity provider's answer does not allow sign-in.

    `cause` is the reason, for operators and never for a page. `subject` is the person's identity
    there, if it was proved.
    """

    code = "sign-in-refused"

    def __init__(self, detail: str, cause: str, subject: str = ""):
        super().__init__(detail)
        self.cause = cause
        self.subject = subject


class NameTaken(Conflict):
    """A key or account has or had this name, or one that looks like it."""

    code = "name-taken"


class ChangedMeanwhile(Conflict):
    """Someone changed an account or team since the caller read it; nothing was done."""

    code = "changed-meanwhile"

    def __init__(self) -> None:
        super().__init__(
            "somebody changed it since you opened the page, and nothing was done: look at how it "
            "is now, and send your change again"
        )


class PasswordRefused(Unprocessable):
    """A password that is too short, too long, or among the first that attackers try."""

    code = "password-refused"


class SignInDelayed(ServingError):
    """Too many sign-in attempts failed; the message has the waiting time."""

    code = "sign-in-delayed"


class OidcUnavailable(Unavailable):
    """The identity provider is unavailable; local accounts still work."""

    code = "oidc-unavailable"
