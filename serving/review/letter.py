"""The letter to a trader or carrier: factors in words, the role of the score, how to contest.

Basis: Regulation (EU) 2024/1689, Art. 86 (a clear and meaningful explanation of the role of the
system in the decision). A letter repeats what the operator itself declared and filed; of anything
that rests on others (their payments, their history, their inspections) it names only the kind. It
has no score, no threshold, no weight and no lane that is secret.
"""

from dataclasses import dataclass
from datetime import datetime

from features.catalogue import feature_named
from features.submission import Submission
from serving.audit.decision import Decision
from serving.review.case_summary import describe_subject

# Where the operator's own word lies: its declaration, and what came with it.
OWN_SOURCES = {"documents", "legs"}
# Of these it learns that they were looked at, and nothing of what was found.
OF_OTHERS = {
    "conveyance": "the conveyance",
    "declared_goods": "what such goods usually weigh and measure",
    "declaration": "what such goods are usually declared as",
    "document_conflicts": "whether the documents agree",
    "documents": "the documents that were filed",
    "itinerary": "how such journeys usually go",
    "valuation": "what such goods usually cost",
    "carrier_history": "how the conveyance and its carrier travelled before",
    "consignee_habits": "what the parties to the consignment usually trade",
    "container_history": "where the container was declared before",
    "corridor": "how usual the way is",
    "goods_norms": "what consignments of such goods are usually like",
    "intermediaries": "the intermediaries that took part",
    "like_consignments": "what inspections of similar consignments found",
    "party_history": "how long and how often the parties have traded",
    "payer_history": "the payments that belong to it",
    "payments": "the payments that belong to it",
    "prior_outcomes": "what earlier inspections found",
    "tracking": "where the conveyance was heard",
}


@dataclass(frozen=True)
class Letter:
    """A letter; `own` are sentences on the operator's own word, `others` kinds of evidence."""

    what: str
    decided_at: datetime
    reference: str
    own: tuple[str, ...]
    others: tuple[str, ...]
    missing: tuple[str, ...]

    @classmethod
    def from_decision(
        cls, decision: Decision, submission: Submission, missing: tuple[str, ...]
    ) -> "Letter":
        """The letter about one decision; `missing` names in words what was not submitted."""
        telling = [reason for reason in decision.reasons_in() if reason.effect == "for"]
        seen = [item for reason in telling for item in reason.evidence if item.contribution > 0]
        own = [each.sentence for each in seen if is_self_declared(each.feature)]
        others = [
            OF_OTHERS[feature_named(each.feature).family]
            for each in seen
            if not is_self_declared(each.feature)
        ]
        return cls(
            describe_subject(submission),
            decision.scored_at,
            decision.decision_id,
            tuple(dict.fromkeys(own)),
            tuple(dict.fromkeys(others)),
            missing,
        )


def is_self_declared(feature: str) -> bool:
    """Whether a feature reads nothing but what the operator itself declared and filed."""
    windows = feature_named(feature).windows.values()
    return all(window.source in OWN_SOURCES for window in windows)
