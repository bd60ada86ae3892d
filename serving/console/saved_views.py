"""Forms that save and delete views of pages with filters."""

import secrets
from urllib.parse import parse_qsl, urlsplit

from fastapi import APIRouter
from pydantic import ValidationError
from starlette.responses import RedirectResponse, Response

from serving.console.case_list import Filters
from serving.console.csrf import SignedForm
from serving.console.own_views import has_views
from serving.console.page_scopes import MayFindCases
from serving.console.pages import PageRoute
from serving.console.search import SearchFilters
from serving.errors import Forbidden, Unprocessable
from serving.review.search.saved_views import MAX_ADDRESS_LENGTH, SavedView, checked_name
from serving.review.search.search_terms import read_search
from serving.web.services import TheServices

router = APIRouter(prefix="/console/views", include_in_schema=False, route_class=PageRoute)


# Pages whose views can be saved, with their filters.
_FILTERS: dict[str, type[Filters | SearchFilters]] = {
    "/console/queue": Filters,
    "/console/search": SearchFilters,
}


@router.post("")
def save_view(services: TheServices, caller: MayFindCases, form: SignedForm) -> Response:
    """Save the filters of a page under a name, then show the page."""
    if not has_views(caller):
        raise Forbidden("views are kept for the holders of accounts")
    view = read_view(form.get("name", ""), form.get("address", ""))
    services.saved_views.save(caller.actor, view, services.clock())
    return RedirectResponse(view.address, 303)


@router.post("/{view_id}/delete")
def delete_view(
    services: TheServices, caller: MayFindCases, form: SignedForm, view_id: str
) -> Response:
    """Delete one of the reader's own views, then show its page."""
    services.saved_views.delete(caller.actor, view_id, services.clock())
    # The form states the address, so only known pages may follow.
    place = urlsplit(form.get("address", "")).path
    return RedirectResponse(place if place in _FILTERS else "/console/queue", 303)


def read_view(name: str, address: str) -> SavedView:
    """Return the view of a form, with only known filters in its address.

    Raises Unprocessable for an address that is no page with filters.
    """
    place = urlsplit(address)
    # Addresses with a host could lead to another site.
    filters = _FILTERS.get(place.path) if not place.netloc else None
    if filters is None or len(address) > MAX_ADDRESS_LENGTH:
        raise Unprocessable("views of the queue and of a search are kept, and of nothing else")
    read = _read_filters(filters, dict(parse_qsl(place.query)))
    symbols = read_search(read.q) if isinstance(read, SearchFilters) else ""
    return SavedView(secrets.token_hex(8), checked_name(name), read.address(), symbols)


def _read_filters(
    filters: type[Filters | SearchFilters], query: dict[str, str]
) -> Filters | SearchFilters:
    try:
        return filters.model_validate(query)
    except ValidationError:
        raise Unprocessable("the page does not know the filters of this view") from None
