"""Language of an answer, negotiated by `Accept-Language`."""

from functools import cache
from typing import Annotated
from zoneinfo import ZoneInfo, available_timezones

from fastapi import Depends, Header, Request

from serving.container import Services
from serving.errors import Unprocessable
from serving.language import ENGLISH, Language, best_of, languages_in
from serving.web.services import TheServices

MAX_HEADER_LENGTH = 512  # characters


async def requested_language(
    services: TheServices,
    accept_language: Annotated[str, Header(max_length=MAX_HEADER_LENGTH)] = "",
) -> Language:
    """Return the known language that the caller prefers."""
    return _best_language(services, accept_language)


def language_asked_for(request: Request, services: Services) -> Language:
    """Return the preferred language like `requested_language`, outside of FastAPI's dependencies.

    Raises Unprocessable if the header is too long.
    """
    accept_language = request.headers.get("accept-language", "")
    if len(accept_language) > MAX_HEADER_LENGTH:
        raise Unprocessable(f"Accept-Language may have {MAX_HEADER_LENGTH} characters")
    return _best_language(services, accept_language)


def _best_language(services: Services, accept_language: str) -> Language:
    if not accept_language:
        return ENGLISH
    return best_of(known_languages(services), accept_language)


def known_languages(services: Services) -> dict[str, Language]:
    """Return the languages of the package and of the home, by lower-case code."""
    return languages_in(services.settings.home / "languages")


# Listing them reads the disk.
@cache
def time_zones() -> tuple[str, ...]:
    """Return the names of all time zones, sorted."""
    return tuple(sorted(available_timezones()))


def clock_of(time_zone: str | None) -> ZoneInfo | None:
    """Return the zone of a name; None without a name or for one unknown to this system."""
    return ZoneInfo(time_zone) if time_zone in time_zones() else None


RequestedLanguage = Annotated[Language, Depends(requested_language)]
