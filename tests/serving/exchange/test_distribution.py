"""How far objects go: 1,000 networks of eight agencies with cut links, and every combination."""

import random
from collections import deque
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import product

import pytest

from serving.exchange.distribution import (
    MARKINGS,
    PASSED_ON,
    Distribution,
    Marking,
    PartnerTerms,
    recall_recipients,
    recipients_of,
    refuse_step,
)
from serving.exchange.errors import ExchangeRefused
from serving.exchange.object_kinds import OBJECT_KINDS

NOW = datetime(2026, 12, 1, tzinfo=UTC)
AGENCIES = tuple("abcdefgh")
PURPOSES = ("customs", "safety", "tax")
KINDS = tuple(OBJECT_KINDS)

Links = dict[str, dict[str, PartnerTerms]]


@dataclass
class Copy:
    """An object as one agency has it."""

    distribution: Distribution
    way: tuple[str, ...]
    handed_to: set[str] = field(default_factory=set)
    is_recalled: bool = False
    recall_reached: set[str] = field(default_factory=set)


class Coalition:
    """Agencies that pass one object on, by the functions alone, as far as links are up."""

    def __init__(self, kind: str, links: Links, chance: random.Random):
        self.kind, self.links, self.chance = kind, links, chance
        self.copies: dict[str, Copy] = {}
        self.waiting: deque[tuple[str, str, Copy | None]] = deque()

    def hold(self, agency: str, copy: Copy) -> None:
        self.copies[agency] = copy
        self._pass_on(agency)

    def _pass_on(self, agency: str) -> None:
        copy = self.copies[agency]
        way = (*copy.way, agency)
        found = recipients_of(self.kind, copy.distribution, way, self.links[agency], NOW)
        for partner, narrowed in found.items():
            copy.handed_to.add(partner)
            self.waiting.append((agency, partner, Copy(narrowed, way)))

    def recall(self, agency: str) -> None:
        copy = self.copies[agency]
        copy.is_recalled = True
        for partner in recall_recipients(copy.handed_to, copy.recall_reached):
            copy.recall_reached.add(partner)
            self.waiting.append((agency, partner, None))

    def step(self, cut: set[frozenset[str]]) -> None:
        """Deliver what waits on links that are up; the rest waits on, in its order."""
        for _ in range(len(self.waiting)):
            sender, receiver, sent = self.waiting.popleft()
            if frozenset((sender, receiver)) in cut:
                self.waiting.append((sender, receiver, sent))
            elif sent is None:
                if receiver in self.copies and not self.copies[receiver].is_recalled:
                    self.recall(receiver)
            elif receiver not in self.copies:
                self.hold(receiver, sent)


def random_terms(chance: random.Random) -> PartnerTerms:
    return PartnerTerms(
        frozenset(chance.sample(KINDS, chance.randint(1, len(KINDS)))),
        chance.choice(MARKINGS),
        frozenset(chance.sample(PURPOSES, chance.randint(1, 3))),
    )


def random_links(chance: random.Random) -> Links:
    links: Links = {agency: {} for agency in AGENCIES}
    for one, other in product(AGENCIES, AGENCIES):
        if one != other and chance.random() < 0.45:
            links[one][other] = random_terms(chance)
    return links


def random_distribution(chance: random.Random) -> Distribution:
    audience = None
    if chance.random() < 0.5:
        audience = frozenset(chance.sample(AGENCIES, chance.randint(1, 8)))
    purposes = frozenset(chance.sample(PURPOSES, chance.randint(1, 3)))
    marking = chance.choice(MARKINGS[:2] if chance.random() < 0.6 else MARKINGS)
    return Distribution(marking, purposes, NOW + timedelta(days=30), audience)


def may_have(agency: str, origin: str, kind: str, asked: Distribution, links: Links) -> bool:
    """Reckon anew, by walking every way, that some chain of approved steps leads to the agency."""
    ways = [((origin,), asked.purposes)]
    while ways:
        way, purposes = ways.pop()
        if way[-1] == agency:
            return True
        if len(way) > 1 and asked.marking not in {"clear", "green"}:
            continue
        for partner, terms in links[way[-1]].items():
            rest = purposes & terms.purposes
            is_low = MARKINGS.index(asked.marking) <= MARKINGS.index(terms.marking)
            is_meant = asked.audience is None or partner in asked.audience
            if partner not in way and rest and is_low and is_meant and kind in terms.kinds:
                ways.append(((*way, partner), rest))
    return False


@pytest.mark.parametrize("block", range(10))
def test_in_random_networks_nothing_leaks_and_recalls_reach_every_copy(block: int) -> None:
    spread = 0
    for seed in range(block * 100, block * 100 + 100):
        chance = random.Random(seed)
        links, asked = random_links(chance), random_distribution(chance)
        origin, kind = chance.choice(AGENCIES), chance.choice(KINDS)
        network = Coalition(kind, links, chance)
        network.hold(origin, Copy(asked, ()))
        recalled_at = chance.randint(0, 12)
        pairs = [frozenset(pair) for pair in product(AGENCIES, AGENCIES) if pair[0] < pair[1]]
        for turn in range(12):
            if turn == recalled_at:
                network.recall(origin)
            network.step(set(chance.sample(pairs, 14)))
        if not network.copies[origin].is_recalled:
            network.recall(origin)
        while network.waiting:  # every link is mended
            network.step(set())

        spread += len(network.copies) - 1
        for agency, copy in network.copies.items():
            if agency != origin:
                assert may_have(agency, origin, kind, asked, links), seed
                assert len(copy.way) == 1 or asked.marking in {"clear", "green"}, seed
            assert copy.distribution.is_within(asked), seed
            assert copy.is_recalled, seed
    assert spread > 40  # enough of them went somewhere to tell


def test_every_combination_of_partner_marking_purpose_and_kind_is_as_the_terms_say() -> None:
    count = 0
    for kind, approved_kind, marking, approved, way, audience in product(
        KINDS,
        KINDS,
        MARKINGS,
        MARKINGS,
        (("a",), ("a", "b")),
        (None, frozenset({"z"}), frozenset({"y"})),
    ):
        for purposes, approved_for in product(SUBSETS, SUBSETS):
            terms = PartnerTerms(frozenset({approved_kind}), approved, approved_for)
            asked = Distribution(marking, purposes, NOW + timedelta(days=1), audience)
            got = recipients_of(kind, asked, way, {"z": terms}, NOW)
            is_wanted = (
                kind == approved_kind
                and MARKINGS.index(marking) <= MARKINGS.index(approved)
                and bool(purposes & approved_for)
                and (len(way) == 1 or marking in {"clear", "green"})
                and audience != frozenset({"y"})
            )
            assert bool(got) == is_wanted
            if got:
                assert got["z"].purposes == purposes & approved_for
                assert got["z"].is_within(asked)
            count += 1
    assert count == 8 * 8 * 5 * 5 * 2 * 3 * 49


SUBSETS = [
    frozenset(p for p, is_in in zip(PURPOSES, bits, strict=True) if is_in)
    for bits in product((True, False), repeat=3)
    if any(bits)
]


@pytest.mark.parametrize(
    ("name", "receiver", "way", "marking", "days"),
    [
        ("looped", "a", ("a", "b"), "clear", 1),
        ("looped", "z", tuple("abcdefghi"), "clear", 1),
        ("misaddressed", "y", ("a",), "clear", 1),
        ("over-marked", "z", ("a", "b"), "amber", 1),
        ("expired", "z", ("a",), "clear", 0),
    ],
)
def test_a_forbidden_step_is_refused_by_name(
    name: str, receiver: str, way: tuple[str, ...], marking: Marking, days: int
) -> None:
    audience = frozenset({"z", "a"})
    distribution = Distribution(marking, frozenset({"tax"}), NOW + timedelta(days=days), audience)

    with pytest.raises(ExchangeRefused, match=f"^{name}: "):
        refuse_step(distribution, receiver, way, NOW)


@pytest.mark.parametrize(
    "wider",
    [
        Distribution("clear", frozenset({"tax"}), NOW, frozenset({"z"})),
        Distribution("green", frozenset({"tax", "safety"}), NOW, frozenset({"z"})),
        Distribution("green", frozenset({"tax"}), NOW + timedelta(1), frozenset({"z"})),
        Distribution("green", frozenset({"tax"}), NOW, frozenset({"z", "y"})),
        Distribution("green", frozenset({"tax"}), NOW),
    ],
)
def test_a_wider_distribution_is_within_no_narrower_one(wider: Distribution) -> None:
    narrow = Distribution("green", frozenset({"tax"}), NOW, frozenset({"z"}))

    assert narrow.is_within(wider)
    assert not wider.is_within(narrow)


def test_a_distribution_reads_back_as_it_was_written() -> None:
    distribution = Distribution("amber", frozenset({"tax"}), NOW, frozenset({"b", "a"}))

    assert Distribution.from_document(distribution.to_document()) == distribution


def test_the_markings_that_are_passed_on_are_those_of_the_standard() -> None:
    assert {"clear", "green"} == PASSED_ON
