"""The language of an answer, as `Accept-Language` asks for it."""

from typing import Annotated

from fastapi import Depends, Header, Request

from serving.container import Services
from serving.errors import Unprocessable
from serving.explanation.language import ENGLISH, Language, best_of, languages_in
from serving.web.services import TheServices

LONGEST_HEADER = 512  # characters


async def requested_language(
    services: TheServices, accept_language: Annotated[str, Header(max_length=LONGEST_HEADER)] = ""
) -> Language:
    """The language that the caller likes best among those in `HOME/languages`."""
    return _best_language(services, accept_language)


def language_asked_for(request: Request, services: Services) -> Language:
    """As `requested_language`, for a route that reads its request itself; raises Unprocessable."""
    accept_language = request.headers.get("accept-language", "")
    if len(accept_language) > LONGEST_HEADER:
        raise Unprocessable(f"Accept-Language may have {LONGEST_HEADER} characters")
    return _best_language(services, accept_language)


def _best_language(services: Services, accept_language: str) -> Language:
    if not accept_language:
        return ENGLISH
    return best_of(languages_in(services.settings.home / "languages"), accept_language)


RequestedLanguage = Annotated[Language, Depends(requested_language)]
