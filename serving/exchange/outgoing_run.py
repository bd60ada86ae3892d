"""One run over what waits to go out, each partner's objects in their order."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from serving.exchange.node import ExchangeNode

# Hand a document to a partner; return None, or the name under which the partner refused it.
Post = Callable[[str, Mapping[str, Any]], str | None]

# The receiver has it already: an answer was lost on an earlier run.
_TAKEN_IN_BEFORE = "replayed"


@dataclass(frozen=True)
class RunCounts:
    """The results of one run; what could not be handed over waits for the next."""

    delivered: int
    refused: int
    waiting: int


def deliver_waiting(node: ExchangeNode, post: Post, at: datetime) -> RunCounts:
    """Hand over everything that was approved; `post` raises OSError for an unreachable partner."""
    delivered = refused = waiting = 0
    unreachable = set[str]()
    for sending in node.exchange.undelivered():
        # Later objects of a partner wait too: a recall must not overtake its object.
        if sending.partner in unreachable:
            waiting += 1
            continue
        document = node.document_of(sending)
        if document is None:
            node.exchange.end_sending(sending.delivery_id, at, "recalled")
            continue
        try:
            refusal = post(sending.partner, document)
        except OSError:
            unreachable.add(sending.partner)
            waiting += 1
            continue
        is_refused = refusal not in (None, _TAKEN_IN_BEFORE)
        node.exchange.end_sending(sending.delivery_id, at, refusal if is_refused else None)
        refused, delivered = refused + is_refused, delivered + (not is_refused)
    return RunCounts(delivered, refused, waiting)
