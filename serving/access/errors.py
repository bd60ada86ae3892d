"""What can go wrong in this room.

OSError
└── AnswerTooLarge   a server answers more than is read
TidegateError
├── ApprovalRefused  an act lacks two persons who agreed to it, or a key is wrong
└── AddressRefused   nothing is sent to such an address
NotSignedIn
└── SignInRefused    an organisation's answer lets nobody in
Conflict
├── NameTaken
└── ChangedMeanwhile an account or a team is not any more as its page showed it
Unprocessable
├── NameRefused      a name that could be read in two ways
├── OfficeUnknown    no account, key, decision, case or plan names it
└── PasswordRefused  too short, or too easily guessed
ServingError
└── SignInDelayed    too many attempts failed; the message says when to try again
Unavailable
└── OidcUnavailable  the organisation's sign-in server cannot be used
"""

from features.errors import TidegateError
from serving.errors import Conflict, NotSignedIn, ServingError, Unavailable, Unprocessable


class AnswerTooLarge(OSError):
    """A server answers more than is read: nothing of it is taken for all of it."""

    def __init__(self, most: int):
        super().__init__(f"the answer has more than {most:,} bytes")


class ApprovalRefused(TidegateError):
    """Two persons did not agree to an act as it is; the message says what is wanted."""


class AddressRefused(TidegateError):
    """An address in the settings that nothing may be sent to, or that nobody could trust."""


class SignInRefused(NotSignedIn):
    """An organisation's answer lets nobody in; `cause` says why to operators, never on a page.

    `subject` is who they are there, where that was proved.
    """

    code = "sign-in-refused"

    def __init__(self, detail: str, cause: str, subject: str = ""):
        super().__init__(detail)
        self.cause = cause
        self.subject = subject


class NameTaken(Conflict):
    """A key or an account has or had that name, or one that looks like it."""

    code = "name-taken"


class ChangedMeanwhile(Conflict):
    """Somebody changed an account or a team since whoever acts read it; nothing was done."""

    code = "changed-meanwhile"

    def __init__(self) -> None:
        super().__init__(
            "somebody changed it since you opened the page, and nothing was done: look at how it "
            "is now, and send your change again"
        )


class OfficeUnknown(Unprocessable):
    """An office of which nothing here knows; the message names the nearest one that is known."""

    code = "office-unknown"


class NameRefused(Unprocessable):
    """A name that could be read in two ways, or that is none; the message says what is near."""

    code = "name-refused"


class PasswordRefused(Unprocessable):
    """A password that is too short, too long, or among those that are tried first."""

    code = "password-refused"


class SignInDelayed(ServingError):
    """Too many attempts to sign in failed here; the message says how long to wait."""

    code = "sign-in-delayed"


class OidcUnavailable(Unavailable):
    """The organisation's sign-in server cannot be used now; local accounts can."""

    code = "oidc-unavailable"
