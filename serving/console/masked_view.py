"""A decision for readers who may not know who is who: party ids give way to short names."""

import json
from typing import Any

from serving.access.callers import Caller
from serving.access.pseudonyms import Pseudonyms
from serving.audit.decision import Decision

PARTIES = frozenset(
    "consignor_id consignee_id notify_party_id forwarder_id declarant_id carrier_id issuer_id "
    "payer_id payee_id".split()
)
IN_WORDS = frozenset({"goods_description"})


def as_seen_by(reader: Caller, decision: Decision, pseudonyms: Pseudonyms) -> Decision:
    """The decision, with names in place of party ids for whoever only studies."""
    return decision if reader.may("explain") else pseudonymous(decision, pseudonyms)


def pseudonymous(decision: Decision, pseudonyms: Pseudonyms) -> Decision:
    """The decision with names in place of party ids, in what was submitted and in every hit."""
    request = json.loads(decision.request)
    parties = set(_parties(request))
    renamed = _renamed(request, parties, pseudonyms)
    return decision.model_copy(
        update={
            "request": json.dumps(renamed),
            "hits": tuple(pseudonyms.over(hit, parties) for hit in decision.hits),
        }
    )


def _parties(told: Any) -> list[str]:
    if isinstance(told, list):
        return [party for each in told for party in _parties(each)]
    if not isinstance(told, dict):
        return []
    own = [value for name, value in told.items() if name in PARTIES and isinstance(value, str)]
    return own + [party for value in told.values() for party in _parties(value)]


def _renamed(told: Any, parties: set[str], pseudonyms: Pseudonyms, name: str = "") -> Any:
    if isinstance(told, list):
        return [_renamed(each, parties, pseudonyms) for each in told]
    if isinstance(told, dict):
        return {key: _renamed(value, parties, pseudonyms, key) for key, value in told.items()}
    if isinstance(told, str) and name in PARTIES:
        return pseudonyms.of(told)
    return pseudonyms.over(told, parties) if isinstance(told, str) and name in IN_WORDS else told
