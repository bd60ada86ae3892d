"""Masking: after its first period a decision is shown with short names in place of ids.

What was stored stays as it is, so that measurement goes on; people and callers see no identity and
no text of anyone. A subject that is held for a case at law is shown as it was.
"""

import json
import time
from dataclasses import dataclass, field
from typing import Any

from serving.access.pseudonyms import Pseudonyms
from serving.audit.decision import Decision
from serving.db.data_keys import DataKeys
from serving.db.repositories.retention_repository import RetentionActs

MASKED = "masked"
"""What stands where words were."""

MASKED_CASE = "Its first period is over: ids are short names now, and words are left out."
"""What is said of a case in place of a sentence on its subject."""

IDENTIFYING = frozenset(
    "shipment_id journey_id subject_id document_id transaction_id consignor_id consignee_id "
    "notify_party_id forwarder_id declarant_id carrier_id issuer_id payer_id payee_id "
    "conveyance_id container_number seal_number number".split()
)
WORDS = frozenset({"goods_description"})

ASKED_EVERY_S = 60.0


@dataclass(frozen=True)
class _Marks:
    """The day before which decisions are masked, and the tokens of subjects that are not."""

    before: str = ""
    held: frozenset[str] = frozenset()
    read_at_s: float = float("-inf")


@dataclass
class Masking:
    """Says what is masked, and masks it."""

    acts: RetentionActs
    keys: DataKeys
    pseudonyms: Pseudonyms
    _marks: _Marks = field(default_factory=_Marks)

    def covers(self, kind: str, subject_id: str, scored_at: str) -> bool:
        """Whether a decision of this instant (ISO) about this subject is masked by now."""
        marks = self._current()
        return scored_at < marks.before and self.keys.token(kind, subject_id) not in marks.held

    def seen(self, decision: Decision) -> Decision:
        """A decision as people and callers may see it."""
        scored_at = decision.scored_at.isoformat()
        if not self.covers(decision.subject_kind, decision.subject_id, scored_at):
            return decision
        return masked(decision, self.pseudonyms)

    def name(self, identity: str) -> str:
        """What stands for an id."""
        return self.pseudonyms.of(identity, MASKED)

    def _current(self) -> _Marks:
        now_s = time.monotonic()
        if now_s - self._marks.read_at_s > ASKED_EVERY_S:
            held = frozenset(act.details["subject"] for act in self.acts.holds())
            self._marks = _Marks(self.acts.masked_before(), held, now_s)
        return self._marks


def masked(decision: Decision, pseudonyms: Pseudonyms) -> Decision:
    """The decision with short names in place of ids, and without a word of anyone's."""
    request = json.loads(decision.request)
    identities = set(_identities(request))
    return decision.model_copy(
        update={
            "subject_id": pseudonyms.of(decision.subject_id, MASKED),
            "request": json.dumps(_masked(request, pseudonyms)),
            "hits": tuple(pseudonyms.over(hit, identities, MASKED) for hit in decision.hits),
            "attached": tuple(each.partition("/")[0] for each in decision.attached),
        }
    )


def _identities(told: Any) -> list[str]:
    if isinstance(told, list):
        return [each for one in told for each in _identities(one)]
    if not isinstance(told, dict):
        return []
    own = [value for name, value in told.items() if name in IDENTIFYING and isinstance(value, str)]
    return own + [each for value in told.values() for each in _identities(value)]


def _masked(told: Any, pseudonyms: Pseudonyms, name: str = "") -> Any:
    if isinstance(told, list):
        return [_masked(each, pseudonyms) for each in told]
    if isinstance(told, dict):
        kept = ((key, value) for key, value in told.items() if key not in WORDS)
        return {key: _masked(value, pseudonyms, key) for key, value in kept}
    return pseudonyms.of(told, MASKED) if isinstance(told, str) and name in IDENTIFYING else told
