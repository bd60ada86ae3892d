"""A decision for readers who may not know who is who: party ids give way to short names."""

import json

from features.identities import party_fields, text_fields
from serving.access.callers import Caller
from serving.access.pseudonyms import Pseudonyms, values_at
from serving.audit.decision import Decision


def as_seen_by(reader: Caller, decision: Decision, pseudonyms: Pseudonyms) -> Decision:
    """The decision, with names in place of party ids for whoever only studies."""
    return decision if reader.may("explain") else pseudonymous(decision, pseudonyms)


def pseudonymous(decision: Decision, pseudonyms: Pseudonyms) -> Decision:
    """The decision with names in place of party ids, in what was submitted and in every hit."""
    request = json.loads(decision.request)
    parties = values_at(request, party_fields())
    request = pseudonyms.in_fields(request, party_fields())
    request = pseudonyms.in_texts(request, text_fields(), parties)
    return decision.model_copy(
        update={
            "request": json.dumps(request),
            "hits": tuple(pseudonyms.over(hit, parties) for hit in decision.hits),
        }
    )
