"""Saved views of the current reader."""

from serving.access.callers import Caller
from serving.container import Services
from serving.review.search.saved_views import SavedView


def has_views(caller: Caller) -> bool:
    """Return whether a reader can save views: only account holders can."""
    return caller.actor.kind == "account"


def views_of(services: Services, caller: Caller) -> list[SavedView] | None:
    """Return the saved views of an account holder; None for keys, which have none."""
    return services.saved_views.of_holder(caller.actor) if has_views(caller) else None
