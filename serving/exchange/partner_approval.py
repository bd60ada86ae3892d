"""The terms of a partner, checked before an administrator approves it."""

from contextlib import suppress
from dataclasses import replace
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from features.person_names import names_somebody
from serving.errors import Unprocessable
from serving.exchange.distribution import MARKINGS
from serving.exchange.exchanged_objects import AGENCY_NAME
from serving.exchange.object_kinds import OBJECT_KINDS
from serving.storage.repositories.partner_repository import ExchangePartner


def approved_partner(present: ExchangePartner | None, **terms: Any) -> ExchangePartner:
    """Return a partner with these terms, which replace those that it had; raise Unprocessable.

    Its key and address stay if none is given.
    """
    if present is not None:
        if present.is_own:
            raise Unprocessable("this agency is no partner of its own")
        for name in ("public_key", "address", "key_holder"):
            terms[name] = terms[name] or getattr(present, name)
        partner = replace(present, ended_at=None, **terms)
    else:
        partner = ExchangePartner(**terms)
    _refuse(partner)
    return partner


def _refuse(partner: ExchangePartner) -> None:
    if not AGENCY_NAME.fullmatch(partner.name):
        raise Unprocessable("want a name of small letters, digits, dots and hyphens")
    if not names_somebody(partner.approved_by):
        raise Unprocessable("say who approves the partner")
    if not _is_public_key(partner.public_key):
        raise Unprocessable("want --public-key, as the partner's `exchange join` printed it")
    if partner.marking not in MARKINGS:
        raise Unprocessable(f"want a marking of {', '.join(MARKINGS)}")
    if unknown := {*partner.kinds, *partner.kinds_by_rule}.difference(OBJECT_KINDS):
        raise Unprocessable(f"no kind {sorted(unknown)[0]!r}; want of {', '.join(OBJECT_KINDS)}")
    if not set(partner.kinds_by_rule) <= set(partner.kinds):
        raise Unprocessable("a kind that is passed on by rule must be approved with --kind too")


def _is_public_key(text: str | None) -> bool:
    with suppress(ValueError):
        Ed25519PublicKey.from_public_bytes(bytes.fromhex(text or ""))
        return True
    return False
