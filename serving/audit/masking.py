"""Masking: after its first period a decision is shown with pseudonyms in place of ids.

Stored data stay unchanged, so that measurement continues, but people and callers see no identity
and no free text. An id whose field cannot hold a pseudonym, such as the nine digits of an MMSI, is
left out, since readers of submissions also read masked ones. A subject under a legal hold is shown
unmasked.
"""

import json
import time
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from features.identities import identifying_fields, identifying_fields_refusing, text_fields
from serving.access.pseudonyms import Pseudonyms, values_at
from serving.audit.decision import Decision
from serving.audit.retention_log import MaskedDays

if TYPE_CHECKING:
    from serving.storage.keys.data_keys import DataKeys
    from serving.storage.repositories.retention_repository import RetentionRepository

# Replaces free text.
MASKED = "masked"

# Replaces the sentence on the subject of a case.
MASKED_CASE = "Its first period is over: ids are short names now, and words are left out."

ASKED_EVERY_S = 60.0


@dataclass(frozen=True)
class _MaskedUntil(MaskedDays):
    """The masked days, and the tokens of subjects exempt by a hold."""

    held: frozenset[str] = frozenset()
    read_at_s: float = float("-inf")


@dataclass
class Masking:
    """Determines what is masked, and masks it."""

    acts: "RetentionRepository"
    tokens: "DataKeys"
    pseudonyms: Pseudonyms
    _until: _MaskedUntil = field(default_factory=_MaskedUntil)

    def covers(self, kind: str, subject_id: str, scored_at: datetime) -> bool:
        """Return whether a decision of this instant about this subject is masked by now."""
        until = self._current()
        # A hold names a subject by one token, which may be that of a former key.
        tokens = self.tokens.tokens(kind, subject_id)
        counted = until.counted(scored_at.isoformat())
        return counted < until.before and until.held.isdisjoint(tokens)

    def masked_view(self, decision: Decision) -> Decision:
        """Return a decision as people and callers may see it, masked if that is due."""
        return masked(decision, self.pseudonyms) if self.hides(decision) else decision

    def hides(self, decision: Decision) -> bool:
        """Return whether a decision is masked by now."""
        return self.covers(decision.subject_kind, decision.subject_id, decision.scored_at)

    def name(self, identity: str) -> str:
        """Return the pseudonym of an id."""
        return self.pseudonyms.of(identity, MASKED)

    def read_again(self) -> None:
        """Discard the cached masked days, so that the next question reads them again."""
        self._until = _MaskedUntil()

    def _current(self) -> _MaskedUntil:
        now_s = time.monotonic()
        if now_s - self._until.read_at_s > ASKED_EVERY_S:
            subjects = frozenset(act.details["subject"] for act in self.acts.holds())
            self._until = _MaskedUntil(
                **vars(self.acts.masked_days()), held=subjects, read_at_s=now_s
            )
        return self._until


def masked(decision: Decision, pseudonyms: Pseudonyms) -> Decision:
    """Return the decision with pseudonyms in place of ids, and without free text."""
    request = json.loads(decision.request)
    identifying = identifying_fields()
    identifiers = values_at(request, identifying)
    nameless = identifying_fields_refusing(pseudonyms.of("", MASKED))
    readable = _without(request, nameless | text_fields())
    return decision.model_copy(
        update={
            "subject_id": pseudonyms.of(decision.subject_id, MASKED),
            "request": json.dumps(pseudonyms.in_fields(readable, identifying, MASKED)),
            "hits": tuple(pseudonyms.over(hit, identifiers, MASKED) for hit in decision.hits),
            "linked_records": _kinds_of(decision.linked_records),
            "because": _kinds_of(decision.because),
        }
    )


def _kinds_of(records: tuple[str, ...]) -> tuple[str, ...]:
    """Return the kinds of records without their ids, which may be written on papers."""
    return tuple(record.partition("/")[0] for record in records)


def _without(document: Any, fields: Collection[str]) -> Any:
    """Return a JSON document without the fields of these names."""
    if isinstance(document, list):
        return [_without(item, fields) for item in document]
    if not isinstance(document, dict):
        return document
    return {name: _without(value, fields) for name, value in document.items() if name not in fields}
