"""Decisions for readers who may not identify parties: ids are replaced by short names."""

import json

from features.identities import party_fields, text_fields
from serving.access.callers import Caller
from serving.access.pseudonyms import Pseudonyms, values_at
from serving.audit.decision import Decision


def as_seen_by(reader: Caller, decision: Decision, pseudonyms: Pseudonyms) -> Decision:
    """Return the decision, with pseudonyms if the reader may not explain decisions."""
    return decision if reader.may("explain") else pseudonymous(decision, pseudonyms)


def pseudonymous(decision: Decision, pseudonyms: Pseudonyms) -> Decision:
    """Return the decision with pseudonyms in the submission and in every hit."""
    request = json.loads(decision.request)
    # Collect the ids before the fields lose them.
    parties = values_at(request, party_fields())
    request = pseudonyms.in_fields(request, party_fields())
    # Free texts can mention a party too, so replace its id there as well.
    request = pseudonyms.in_texts(request, text_fields(), parties)
    return decision.model_copy(
        update={
            "request": json.dumps(request),
            "hits": tuple(pseudonyms.over(hit, parties) for hit in decision.hits),
        }
    )
