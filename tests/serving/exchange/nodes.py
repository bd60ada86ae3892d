"""Agencies with databases of their own that hand each other documents without a network."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from serving.exchange.errors import ExchangeRefused
from serving.exchange.node import ExchangeNode, join
from serving.exchange.object_kinds import OBJECT_KINDS
from serving.exchange.outgoing_run import RunCounts, deliver_waiting
from serving.storage.repositories.partner_repository import ExchangePartner
from serving.storage.stores import Stores
from tests.serving.databases import database, keys_of
from tests.serving.exchange.exchanged import NOW


def node_at(where: Path | str, name: str) -> ExchangeNode:
    """A node in a new database."""
    stores = Stores(database(where))
    join(stores, keys_of(where), name, "Ada Admin", NOW)
    return ExchangeNode.opened(stores, keys_of(where))


def approve(node: ExchangeNode, other: ExchangeNode, **terms: Any) -> None:
    """Approve another agency as a partner, for every kind unless `terms` say otherwise."""
    (own,) = [partner for partner in other.partners.all() if partner.is_own]
    whole: dict[str, Any] = {
        "kinds": tuple(OBJECT_KINDS),
        "marking": "amber",
        "purposes": ("risk_assessment",),
        **terms,
    }
    partner = ExchangePartner(own.name, own.public_key, "Ada Admin", NOW)
    node.partners.approve(replace(partner, **whole))


@dataclass
class Coalition:
    """Nodes that know each other; links in `cut` are down, and answers in `lost` get lost."""

    nodes: Mapping[str, ExchangeNode]
    cut: set[frozenset[str]] = field(default_factory=set)
    is_losing_answers: bool = False

    def run(self, name: str, at: datetime = NOW) -> RunCounts:
        """Let one agency hand over what waits."""

        def post(partner: str, document: Mapping[str, Any]) -> str | None:
            if frozenset((name, partner)) in self.cut:
                raise ConnectionRefusedError
            try:
                sent = json.loads(json.dumps(document))
                self.nodes[partner].take_in(sent, name, at)
            except ExchangeRefused as refusal:
                return refusal.name
            if self.is_losing_answers:
                raise ConnectionResetError
            return None

        return deliver_waiting(self.nodes[name], post, at)

    def run_all(self, names: Iterable[str] = (), at: datetime = NOW) -> None:
        """Let agencies hand over until nothing moves."""
        while sum(self.run(name, at).delivered for name in (names or self.nodes)):
            pass
