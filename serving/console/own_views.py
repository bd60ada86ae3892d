"""The saved views of whoever reads a page."""

from serving.access.callers import Caller
from serving.container import Services
from serving.review.search.saved_views import SavedView


def has_views(caller: Caller) -> bool:
    """Return whether views are kept for a reader: for the holders of accounts alone."""
    return caller.actor.kind == "account"


def views_of(services: Services, caller: Caller) -> list[SavedView] | None:
    """The views of a reader with an account; None of a key, for which none are kept."""
    return services.saved_views.of_holder(caller.actor) if has_views(caller) else None
