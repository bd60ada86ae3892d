"""Errors of this package.

OSError
└── AnswerTooLarge   a server's answer exceeds the limit
TidegateError
├── ApprovalRefused  an act lacks two approvals, or a key is invalid
└── AddressRefused   an address must not be called
NotSignedIn
└── SignInRefused    an identity provider's answer does not allow sign-in
Conflict
├── NameTaken
└── ChangedMeanwhile an account or team changed since its page was shown
Unprocessable
├── NameRefused      an ambiguous name
├── OfficeUnknown    no account, key, decision, case or plan names it
└── PasswordRefused  too short, or too easily guessed
ServingError
└── SignInDelayed    too many failed attempts; the message has the waiting time
Unavailable
└── OidcUnavailable  the identity provider cannot be used
"""

from features.errors import TidegateError
from serving.errors import Conflict, NotSignedIn, ServingError, Unavailable, Unprocessable


class AnswerTooLarge(OSError):
    """A server's answer exceeds the limit; a part is never taken for the whole."""

    def __init__(self, most: int):
        super().__init__(f"the answer has more than {most:,} bytes")


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


class OfficeUnknown(Unprocessable):
    """An unknown office; the message names the most similar known one."""

    code = "office-unknown"


class NameRefused(Unprocessable):
    """An ambiguous or empty name; the message suggests a valid one."""

    code = "name-refused"


class PasswordRefused(Unprocessable):
    """A password that is too short, too long, or among the first that attackers try."""

    code = "password-refused"


class SignInDelayed(ServingError):
    """Too many sign-in attempts failed; the message has the waiting time."""

    code = "sign-in-delayed"


class OidcUnavailable(Unavailable):
    """The identity provider is unavailable; local accounts still work."""

    code = "oidc-unavailable"
