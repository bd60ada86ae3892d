"""Claims of signed tokens: lookup, plausibility, and distinction of people and programs.

Sources: RFC 7519; RFC 9068; default tokens of Microsoft Entra ID, Okta, Keycloak and Auth0.
"""

import re
from collections.abc import Mapping
from typing import Any

Claims = Mapping[str, Any]

MAX_SUBJECT_LENGTH = 200  # characters
# End of the year 9999, the last one that Python's datetime can represent.
LAST_SECOND = 253_402_300_799
TIMES = ("exp", "nbf", "iat", "auth_time")
CLIENT_CLAIMS = ("azp", "client_id", "cid", "appid")
OF_ID_TOKENS = ("nonce", "at_hash", "c_hash")

_PART_OF_PATH = re.compile(r"((?:\\.|[^.\\])+)(?:\.|$)")


def claim_at(claims: Claims, path: str) -> Any:
    r"""Return the claim of this exact name, or at this path; None if absent.

    Parts are joined by dots; a dot within a part is written `\.`.

    >>> claim_at({"resource_access": {"tide.gate": {"roles": ["a"]}}},
    ...          r"resource_access.tide\.gate.roles")
    ['a']
    >>> claim_at({"https://example.org/roles": ["b"]}, "https://example.org/roles")
    ['b']
    """
    # Claims that are URLs contain dots, so try the exact name first.
    if path in claims:
        return claims[path]
    found: Any = claims
    for part in _PART_OF_PATH.findall(path):
        if not isinstance(found, Mapping):
            return None
        found = found.get(re.sub(r"\\(.)", r"\1", part))
    return found


def texts_in(claim: Any, *, split: bool = False) -> list[str] | None:
    """Return a text or list of texts as a list, empty if absent; None for anything else."""
    if claim is None:
        return []
    if isinstance(claim, str):
        return claim.split() if split else [claim]
    is_list = isinstance(claim, list) and all(isinstance(text, str) for text in claim)
    return list(claim) if is_list else None


def has_possible_times(claims: Claims) -> bool:
    """Return whether all times are numbers of seconds within the calendar."""
    return all(_is_instant(claims[name]) for name in TIMES if name in claims)


def is_identifier(text: Any, longest: int = MAX_SUBJECT_LENGTH) -> bool:
    """Return whether a text can identify someone: not empty, not too long, printable."""
    return isinstance(text, str) and 0 < len(text) <= longest and text.isprintable()


def clients_of(claims: Claims) -> set[str]:
    """Return the program that requested a token; servers use different claims for it."""
    return {claims[name] for name in CLIENT_CLAIMS if isinstance(claims.get(name), str)}


def is_of_human(claims: Claims, subject: str) -> bool:
    """Return whether a token was issued to a person who signed in, not to a program.

    In doubt it is a program: a token that names no client could be the client's own.
    """
    user_name = claims.get("preferred_username")
    clients = clients_of(claims)
    is_program = (
        not clients
        or subject in clients
        or claims.get("sub") in clients
        or str(claims.get("idtyp", "user")).lower() != "user"  # Entra ID
        or str(claims.get("gty", "")).replace("_", "-") == "client-credentials"  # Auth0
        or subject.endswith("@clients")
        or "clientHost" in claims  # Keycloak's service accounts
        or (isinstance(user_name, str) and user_name.startswith("service-account-"))
        or ("tid" in claims and "scp" not in claims)  # Entra ID: only a person delegates
    )
    return not is_program


def person_elsewhere(issuer: str, subject: str) -> str:
    """Return the identity of a person at an issuer, by token or sign-in (`Account.subject`)."""
    return f"{issuer} {subject}"


def _is_instant(value: Any) -> bool:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return is_number and 0 <= value <= LAST_SECOND
