"""Reasons derived later for decisions that nobody was to read when they were made.

Ranking contributions costs as much as a score. Reasons are stored with the decision if it opens a
case or the caller has the scope `explain`. Otherwise vector, counts, contributions and the digest
of the model are stored, and the reasons follow from them (ADR 0004).
"""

from functools import partial

from features.errors import UnknownFeature
from features.peer_groups import peers_of
from serving.audit.decision import Decision
from serving.errors import ReasonsUnavailable
from serving.explanation.comparison import compare_with_peers
from serving.explanation.reason_ranking import judge, ranking_of
from serving.language import say
from serving.models.model_pool import ModelPool


def with_reasons(models: ModelPool, decision: Decision) -> Decision:
    """Return the decision with reasons if it has a score; raise ReasonsUnavailable."""
    if decision.reasons is not None or decision.model is None or decision.score is None:
        return decision
    try:
        ranked = ranking_of(tuple(decision.vector))
    except UnknownFeature:
        raise ReasonsUnavailable(
            say("another release decided this, by features that are not known here")
        ) from None
    decided_by = decision.model
    # The very model that decided, by digest: another would give other reasons for the same score.
    model = models.as_it_decided(decided_by.name, decided_by.version, decided_by.digest)
    reasons = ranked.reasons(
        [*decision.vector.values()],
        decision.score.contributions,
        partial(judge, partial(compare_with_peers, model, peers_of(decision.submission))),
        decision.said_with,
    )
    return decision.model_copy(update={"reasons": reasons})
