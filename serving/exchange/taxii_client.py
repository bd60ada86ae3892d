"""Hands objects over to the TAXII server of a partner, whichever software that is."""

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from features.errors import KeyMissing
from features.home_keys import read_secret, write_secret
from serving.access.http_client import fetch
from serving.storage.repositories.partner_repository import ExchangePartner

_MEDIA_TYPE = "application/taxii+json;version=2.1"
_NO_ADDRESS = "the partner has no address; it may fetch what is meant for it"


def store_key(keys: Path, partner: str, key: str) -> None:
    """Store the API key that a partner gave us, in place of an earlier one."""
    write_secret(keys, _key_file(partner), key.encode(), replace=True)


@dataclass(frozen=True)
class TaxiiPost:
    """Posts documents to the addresses of partners, with the keys that they gave us."""

    partners: Mapping[str, ExchangePartner]
    keys: Path

    def __call__(self, partner: str, document: Mapping[str, Any]) -> str | None:
        """Hand a document over; return None, or the name of the refusal.

        Raises OSError for a partner that has no address, or does not answer as TAXII says.
        """
        found = self.partners.get(partner)
        if found is None or found.address is None:
            raise OSError(_NO_ADDRESS)
        try:
            key = read_secret(self.keys, _key_file(partner)).decode()
        except KeyMissing as missing:
            raise OSError(str(missing)) from None
        key_id = key.partition(".")[0].removeprefix("tg_")
        pair = base64.b64encode(f"{key_id}:{key}".encode()).decode()
        headers = {
            "Authorization": f"Basic {pair}",
            "Content-Type": _MEDIA_TYPE,
            "Accept": _MEDIA_TYPE,
        }
        body = json.dumps({"objects": [document]}).encode()
        address = f"{found.address.rstrip('/')}/objects/"
        return _refusal_in(fetch(address, body, headers))


def _refusal_in(answer: bytes) -> str | None:
    """Return the name of the refusal in a status; raises OSError for anything else."""
    try:
        status = json.loads(answer)
        failures = status.get("failures") or []
        if status["success_count"] + status["failure_count"] != 1:
            raise ValueError("one object was handed over")
        return str(failures[0]["message"]).partition(":")[0] if failures else None
    except (ValueError, KeyError, TypeError, AttributeError, IndexError):
        raise OSError("the partner did not answer with a status") from None


def _key_file(partner: str) -> str:
    return f"exchange/{partner}.key"
