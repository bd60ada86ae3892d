"""Search over cases: the same as a plain filter over all that may be seen, on either engine."""

import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from features.home_keys import SUBJECTS
from serving.access.acting import begin_acting
from serving.access.pseudonyms import Pseudonyms
from serving.audit.erasure import ErasureLimits, RetainedUnits
from serving.audit.logged_decision import LoggedDecision, StoredAnswer
from serving.audit.retention_log import RetentionAct
from serving.errors import Unprocessable
from serving.review.acts.act_declaration import ActRequest
from serving.review.acts.claim import claim
from serving.review.acts.order import order_action
from serving.review.cases.actions import CaseAction
from serving.review.cases.case_opening_worker import open_due
from serving.review.cases.case_records import CaseAccess, CaseFilter, CaseSearch, SearchPage
from serving.review.cases.reviewer import Reviewer
from serving.review.search.saved_views import SavedView
from serving.review.search.search_terms import normalised
from serving.storage.keys.key_destruction import DatabaseErasure
from serving.storage.keys.key_rotation import rotate_key
from serving.storage.repositories.decision_repository import DecisionRepository
from serving.storage.repositories.retention_repository import RetentionRepository
from serving.storage.repositories.saved_view_repository import SavedViewRepository
from serving.storage.tables.review import case_terms, saved_views
from tests.serving.bodies import route, shipment
from tests.serving.databases import database, keys_of
from tests.serving.people import person
from tests.serving.postgres import Server
from tests.serving.review.cases.decisions import AT, decision
from tests.serving.review.cases.test_cases import Office

OFFICES = ("DE1", "FR2", "GR3", None)
LANES = ("inspect", "document_check", "post_review", "control", "rescue", "release")
MASKED, ERASED, RECENT = (AT - timedelta(days=days) for days in (200, 400, 1))
EVERYWHERE = CaseAccess(frozenset(), is_rescue=False)
ACCESSES = (
    EVERYWHERE,
    CaseAccess(frozenset({"DE1"}), is_rescue=False),
    CaseAccess(frozenset({"FR2", "GR3"}), is_rescue=False),
    CaseAccess(frozenset(), is_rescue=True),
    CaseAccess(frozenset({"DE1"}), is_rescue=True),
)
NAMES = {
    "conveyance_id": {"sea": "vessel", "road": "vehicle"},
    "plate_number": "plate",
    "container_number": "container",
    "seal_number": "seal",
    "number": "document_number",
    "imo_number": "imo_number",
    "mmsi": "mmsi",
    "call_sign": "call_sign",
}
PARTIES = {"payer", "payee", "consignor", "consignee", "carrier", "issuer", "declarant"}
OTHERS = {"shipment_id": "shipment", "journey_id": "journey"}


def named_in(body: Mapping[str, Any], case_id: str, *, is_rescue: bool) -> dict[str, set[str]]:
    """By what a case should be found, read off its body field by field."""
    mode = body["journey"]["mode"]
    found: dict[str, set[str]] = {normalised(case_id): {"case"}}
    records = [body.get("shipment") or {}, body["journey"], *body.get("documents", [])]
    for record in [*records, *body.get("transactions", [])]:
        for column, value in record.items():
            role = column.removesuffix("_id")
            name: Any = role if role in PARTIES else (NAMES | OTHERS).get(column)
            name = name[mode] if isinstance(name, dict) else name
            if name is not None and len(normalised(value)) >= 3:
                found.setdefault(normalised(value), set()).add(name)
    return {value: names for value, names in found.items() if not (is_rescue and names & PARTIES)}


def invented(number: int, chance: random.Random) -> dict[str, Any]:
    """A subject whose identifiers begin alike with those of others, and are written anyhow."""

    def some(of: str) -> str:
        middle = chance.choice(["a", "A1", "bB", "12"])
        return f"{of}{chance.choice('-_.')}{middle}{chance.randint(0, 4)}"

    is_route, subject_id = number % 4 == 0, f"S-{number:04}"
    body = route(journey_id=subject_id) if is_route else shipment(shipment_id=subject_id)
    body["journey"] |= {
        "conveyance_id": some("vess"),
        "carrier_id": some("part"),
        "mode": chance.choice(["sea", "road"]),
        "imo_number": f"90{chance.randint(0, 99999):05}",
        "mmsi": f"2555{chance.randint(0, 99999):05}",
        "call_sign": f"CQ{chance.randint(0, 99)}",
        "plate_number": f"AB {chance.randint(0, 99)}",
    }
    if not is_route:
        body["shipment"] |= {
            "consignor_id": some("part"),
            "consignee_id": some("part"),
            "container_number": f"MSCU{chance.randint(0, 99):07}",
        }
    for document in body.get("documents", []):
        document |= {"number": some("INV"), "issuer_id": some("part")}
    for payment in body.get("transactions", []):
        payment |= {"payer_id": some("payr"), "payee_id": some("part")}
    return body


@dataclass
class Expected:
    """What a plain filter goes by."""

    access: CaseAccess
    terms: dict[str, set[str]]
    is_gone: bool = False


@dataclass
class World(Office):
    """Decisions of all lanes and offices; some closed, referred, masked, erased or held."""

    where: Path | str
    expected: dict[str, Expected] = field(default_factory=dict)
    held = 5

    def __post_init__(self) -> None:
        self.engine = database(self.where)
        self.names = Pseudonyms(b"a key for this test")
        self.learnt = []
        self.reviewing = self.reopened()
        chance = random.Random(27)
        log = DecisionRepository(self.engine)
        made = [self._decided(number, chance) for number in range(56)]
        log.append(sorted(made, key=lambda each: each[0].scored_at))  # as a log grows
        open_due(self.reviewing, AT)
        self._refer()
        self._end()

    def _decided(self, number: int, chance: random.Random) -> tuple[LoggedDecision, StoredAnswer]:
        body = invented(number, chance)
        lane, office = chance.choice(LANES), chance.choice(OFFICES)
        at = chance.choice([ERASED, MASKED, RECENT, RECENT, RECENT])
        case_id = f"case-{chance.randint(0, 9)}-{number:03}"
        made = decision(body, decision_id=case_id, lane=lane, office_id=office, scored_at=at)
        answer = StoredAnswer("c", case_id, "digest", case_id, "", b"")
        if lane == "release":
            return made.logged(), answer
        access = CaseAccess(frozenset({office} if office else ()), lane == "rescue")
        is_gone = at is not RECENT and number != self.held
        terms = named_in(body, case_id, is_rescue=access.is_rescue)
        self.expected[case_id] = Expected(access, terms, is_gone)
        return made.logged(), answer

    def _refer(self) -> None:
        """Refer a few cases to another office, and one to those who rescue."""
        there = frozenset({"GR3"})
        ordinary = [
            each
            for each, e in self.expected.items()
            if not e.access.is_rescue and e.access.offices != there
        ]
        who = Reviewer(person("one"), EVERYWHERE)
        for number, case_id in enumerate(ordinary[:6]):
            if number:
                action = CaseAction("refer", "it arrives there", "office", "GR3")
                access = CaseAccess(there, is_rescue=False)
            else:
                action = CaseAction("refer", "it takes water", "rescue")
                access = CaseAccess(self.expected[case_id].access.offices, is_rescue=True)
            self._ordered(who, case_id, action)
            self.expected[case_id].access = access
            if access.is_rescue:
                terms = self.expected[case_id].terms
                terms = {value: names for value, names in terms.items() if not names & PARTIES}
                self.expected[case_id].terms = terms

    def _end(self) -> None:
        """Close everything old and some of the rest, then mask and erase what is over."""
        for number, (case_id, each) in enumerate(self.expected.items()):
            who = Reviewer(person("one"), CaseAccess(frozenset(), each.access.is_rescue))
            if each.access.is_rescue or (number % 6 and not each.is_gone):
                continue
            self._ordered(who, case_id, CaseAction("release", "all is well"))
        erasure, log = DatabaseErasure(self.engine), RetentionRepository(self.engine)
        subject = {"subject_kind": "shipment", "subject": self.token(f"S-{self.held:04}")}
        before = (MASKED + timedelta(days=1)).date().isoformat()
        log.append(RetentionAct(AT.isoformat(), "hold", "chief", "a court asks", subject))
        log.append(RetentionAct(AT.isoformat(), "mask", "chief", "over", {"before": before}))
        retained = RetainedUnits(subjects=(("shipment", subject["subject"]),))
        erasure.remove_masked_terms(before, retained)
        limits = ErasureLimits(*[(ERASED + timedelta(days=1)).date().isoformat()] * 2)
        act = RetentionAct(AT.isoformat(), "erase", "x", "over", {})
        erasure.erase(limits, lambda _: retained, act)
        erasure.sweep(limits)
        self.reviewing = self.reopened()

    def _ordered(self, who: Reviewer, case_id: str, action: CaseAction) -> None:
        self.reviewing.act(who, case_id, lambda case: claim(case, who.actor, AT))
        order_action(ActRequest(self.reviewing, who, case_id, AT), action)

    def token(self, subject_id: str) -> str:
        return self.reviewing.masking.tokens.token("shipment", subject_id)

    def page(
        self, access: CaseAccess, symbols: str, after: str | None = None, limit: int = 200
    ) -> SearchPage:
        asked = CaseSearch(normalised(symbols))
        return self.reviewing.search(Reviewer(person("one"), access), asked, after, limit)

    def found(self, access: CaseAccess, symbols: str) -> dict[str, dict[str, set[str]]]:
        return {
            each.case.case_id: {normalised(t.value): set(t.names) for t in each.matched}
            for each in self.page(access, symbols).found
        }

    def filtered(self, access: CaseAccess, symbols: str) -> dict[str, dict[str, set[str]]]:
        """The same by looking at every case."""
        wanted = normalised(symbols)
        seen = {
            case_id: {v: names for v, names in each.terms.items() if v.startswith(wanted)}
            for case_id, each in self.expected.items()
            if not each.is_gone
            if each.access.is_rescue == access.is_rescue
            if not access.offices or each.access.offices & access.offices
        }
        return {case_id: matched for case_id, matched in seen.items() if matched}

    def codes(self) -> list[Any]:
        with self.engine.connect() as connection:
            return [*connection.execute(select(case_terms.c.code))]

    def searches(self) -> list[str]:
        """Beginnings of everything that is named anywhere, and something nobody names."""
        values = {value for each in self.expected.values() for value in each.terms}
        starts = {value[:length] for value in values for length in (3, 4, 5, 7, len(value))}
        return [*sorted(start for start in starts if len(start) >= 3), "nobody"]


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def world(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> World:
    if request.param == "sqlite":
        return World(tmp_path_factory.mktemp("searched") / "log.db")
    server: Server = request.getfixturevalue("postgres")
    return World(server.new_database())


def test_a_search_finds_what_a_filter_over_all_cases_does(world: World) -> None:
    searches = world.searches()
    assert len(searches) > 300

    for number, symbols in enumerate(random.Random(1).sample(searches, 120)):
        access = ACCESSES[number % len(ACCESSES)]
        assert world.found(access, symbols) == world.filtered(access, symbols), symbols


@pytest.mark.parametrize("access", ACCESSES)
def test_pages_have_every_case_once_whole_matches_first(world: World, access: CaseAccess) -> None:
    for symbols in ("par", "case", "mscu", "vess", "inv"):
        found, after = [], None
        while page := world.page(access, symbols, after, 3):
            found += [each.case.case_id for each in page.found]
            after = page.next
            assert len(found) == len(set(found))
            if after is None:
                break
        assert set(found) == world.filtered(access, symbols).keys()
        assert found == [each.case.case_id for each in world.page(access, symbols).found]


def test_whole_matches_come_first_and_the_newest_first_of_them(world: World) -> None:
    symbols = "parta1"  # with "parta10" beside it
    page = world.page(EVERYWHERE, symbols)

    whole = [any(normalised(t.value) == symbols for t in each.matched) for each in page.found]
    assert sum(whole) > 1
    assert whole == sorted(whole, reverse=True)
    seqs = [each.case.seq for each, is_whole in zip(page.found, whole, strict=True) if is_whole]
    assert seqs == sorted(seqs, reverse=True)


def test_filters_narrow_a_search_page_by_page(world: World) -> None:
    wanted = CaseFilter(statuses=("closed",))
    found, after = [], None
    while True:
        asked = CaseSearch("case", wanted)
        page = world.reviewing.search(Reviewer(person("one"), EVERYWHERE), asked, after, 2)
        found += page.found
        after = page.next
        assert len(found) <= len(world.expected)
        if after is None:
            break

    every = world.page(EVERYWHERE, "case").found
    closed = [each.case.case_id for each in every if each.case.status == "closed"]
    assert [each.case.case_id for each in found] == closed
    assert 0 < len(closed) < len(every)


def test_a_page_begins_after_no_case_that_the_same_search_does_not_find(world: World) -> None:
    here, there = ACCESSES[1], ACCESSES[2]
    elsewhere = next(iter(world.filtered(there, "case")))
    refusals = []
    for after in (elsewhere, "nothing"):
        with pytest.raises(Unprocessable) as refusal:
            world.page(here, "case", after)
        refusals.append(str(refusal.value))

    assert len(set(refusals)) == 1


def test_nothing_in_the_index_tells_of_an_identifier(world: World) -> None:
    with world.engine.connect() as connection:
        rows = repr(connection.execute(select(case_terms)).all()).casefold()

    long = {value for e in world.expected.values() for value in e.terms if len(value) > 8}
    of_cases = {normalised(case_id) for case_id in world.expected}
    assert len(long - of_cases) > 50
    assert not any(value in rows for value in long - of_cases)
    assert "container" in rows  # as what it is named is no secret


def test_cases_of_an_older_release_are_found_once_the_service_has_looked_at_them(
    world: World,
) -> None:
    before = {symbols: world.found(EVERYWHERE, symbols) for symbols in ("case", "par", "mscu")}
    with world.engine.begin() as connection:
        connection.execute(case_terms.delete())
    assert world.found(EVERYWHERE, "case") == {}
    DatabaseErasure(world.engine).index_again()

    while world.reviewing.store.lacks_terms():
        open_due(world.reviewing, AT)

    assert {symbols: world.found(EVERYWHERE, symbols) for symbols in before} == before
    with world.engine.connect() as connection:
        named = connection.scalar(select(func.count(func.distinct(case_terms.c.case_id))))
    alive = {case_id for case_id, each in world.expected.items() if not each.is_gone}
    assert named == len(alive)


def test_searches_find_the_same_once_the_key_of_their_codes_was_rotated(world: World) -> None:
    searches = random.Random(2).sample(world.searches(), 20)
    view = SavedView("v-1", "mine", "/console/search?q=MSCU", normalised("MSCU"))
    SavedViewRepository(world.engine).save(person("one"), view, AT)
    before = {row.code for row in world.codes()}

    beside = database(world.where)
    rotate_key(beside, keys_of(world.where), SUBJECTS, person("one"), at=AT, overlap=timedelta(0))

    for symbols in searches:
        assert world.found(EVERYWHERE, symbols) == world.filtered(EVERYWHERE, symbols), symbols
    after = {row.code for row in world.codes()}
    assert len(after) == len(before)
    assert before.isdisjoint(after)
    with world.engine.connect() as connection:
        (kept,) = connection.execute(select(saved_views)).all()
    assert any(kept.first_code <= code <= kept.last_code for code in after)
    SavedViewRepository(world.engine).delete(person("one"), "v-1", AT)


def test_the_audit_event_of_a_search_has_no_word_of_it(world: World) -> None:
    acting = begin_acting()
    world.page(EVERYWHERE, "MSCU 000")
    first = dict(acting.details)
    world.page(EVERYWHERE, "mscu-000")

    assert acting.details == first
    assert first["cases"] == [e.case.case_id for e in world.page(EVERYWHERE, "mscu000").found]
    assert "mscu" not in str(first).casefold()
    world.page(EVERYWHERE, "mscu001")
    assert acting.details["search"] != first["search"]
