"""Error pages: what happened, in plain language, and what to do next."""

from dataclasses import dataclass

from serving.errors import LogUnavailable, ServingError
from serving.language import say

# Titles for readers, in place of those for integrators.
_TITLES = {
    403: "This is not open to you",
    413: "This is too large",
    422: "This cannot be taken as it is",
    429: "Too many requests at once",
    503: "This does not work for the moment",
}

_NEXT = {
    403: "If your work needs it, ask whoever keeps the accounts.",
    404: "Check the address, or search for what you were looking for.",
    409: "Somebody may have been faster: open the page again to see how it stands now.",
    413: "Go back and send something smaller.",
    422: "Go back, change what is named here, and send it again.",
}
_ELSE = "Go on with your work, or try again later."


@dataclass(frozen=True)
class Refusal:
    """An error as its page shows it."""

    title: str
    detail: str
    next_step: str

    @classmethod
    def of_error(cls, error: ServingError) -> "Refusal":
        """Return an error as text for readers, in their language."""
        title = say(_TITLES.get(error.status, error.problem.title))
        # The error's own message is written for operators.
        if isinstance(error, LogUnavailable):
            detail = say("the database does not answer, so nothing was read or changed")
        else:
            detail = say(error.in_words)
        return cls(title, detail, _next_step(error))


def _next_step(error: ServingError) -> str:
    if error.retry_after_s is not None:
        return say("Try again in {seconds} s.", seconds=max(1, error.retry_after_s))
    return say(_NEXT.get(error.status, _ELSE))
