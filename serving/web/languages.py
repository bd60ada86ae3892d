"""The language of an answer, as `Accept-Language` asks for it."""

from typing import Annotated

from fastapi import Depends, Header

from serving.explanation.language import ENGLISH, Language, best_of, languages_in
from serving.web.services import TheServices

LONGEST_HEADER = 512  # characters


async def requested_language(
    services: TheServices, accept_language: Annotated[str, Header(max_length=LONGEST_HEADER)] = ""
) -> Language:
    """The language that the caller likes best among those in `HOME/languages`."""
    if not accept_language:
        return ENGLISH
    return best_of(languages_in(services.settings.home / "languages"), accept_language)


RequestedLanguage = Annotated[Language, Depends(requested_language)]
