"""What agencies send arrives once, waits for a second person, goes on by rule, is taken back."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from serving.errors import Conflict, NotFound, Unprocessable
from serving.exchange.distribution import Distribution
from serving.exchange.errors import ExchangeRefused
from serving.exchange.node import ExchangeNode
from serving.integrity.audit_log import EventFilter
from serving.storage.repositories.audit_repository import AuditRepository
from serving.storage.verification.audit_verification import verify_audit_log
from tests.serving.exchange.exchanged import DETAILS, DISTRIBUTION, FIELDS, NOW
from tests.serving.exchange.nodes import Coalition, approve, node_at

LATER = NOW + timedelta(hours=1)


@pytest.fixture
def three(where: Path | str, tmp_path: Path) -> Coalition:
    """North knows south, south knows west; south passes containers on by rule."""
    places = {"north": where, "south": tmp_path / "s" / "s.db", "west": tmp_path / "w" / "w.db"}
    for name in ("s", "w"):
        (tmp_path / name).mkdir()
    nodes = {name: node_at(place, name) for name, place in places.items()}
    approve(nodes["north"], nodes["south"])
    approve(nodes["south"], nodes["north"])
    approve(nodes["south"], nodes["west"], kinds_by_rule=("container", "vessel"))
    approve(nodes["west"], nodes["south"])
    # West has no exchange with north, and yet must know whose objects it gets.
    approve(nodes["west"], nodes["north"], kinds=())
    return Coalition(nodes)


def make(node: ExchangeNode, kind: str = "container") -> str:
    made = node.make(kind, DETAILS[kind], "B2", DISTRIBUTION, NOW, FIELDS.get(kind))
    return made.object_id


def has(node: ExchangeNode, object_id: str) -> str:
    held = node.exchange.held(object_id)
    return "nothing" if held is None else "recall" if held.recalled_at else "object"


def actions(node: ExchangeNode) -> list[str]:
    log = AuditRepository(node.exchange._engine)
    return [event.action for event in log.newest(EventFilter(object_kind="exchange"), 50)][::-1]


def test_a_container_goes_to_a_partner_and_on_by_rule_and_both_logs_say_so(
    three: Coalition,
) -> None:
    north, south, west = three.nodes.values()
    object_id = make(north)
    north.send(object_id, (), "Olga Officer", NOW)
    three.run_all()

    assert [has(node, object_id) for node in (north, south, west)] == ["object"] * 3
    assert actions(north) == ["make_object", "propose_sending", "deliver_object"]
    assert actions(south) == ["propose_sending", "receive_object", "deliver_object"]
    assert actions(west) == ["receive_object"]
    assert all(verify_audit_log(node.exchange._engine).is_whole for node in three.nodes.values())


def test_what_names_a_vessel_waits_for_a_second_person_and_goes_on_by_no_rule(
    three: Coalition,
) -> None:
    north, south, west = three.nodes.values()
    object_id = make(north, "vessel")
    (sending,) = north.send(object_id, (), "Olga Officer", NOW)
    three.run_all()
    assert has(south, object_id) == "nothing"

    with pytest.raises(Conflict, match="another person"):
        north.approve(sending.delivery_id, "Olga  OFFICER", NOW)
    north.approve(sending.delivery_id, "Paul Principal", NOW)
    three.run_all()

    assert has(south, object_id) == "object"
    assert has(west, object_id) == "nothing"
    with pytest.raises(NotFound):
        north.approve(sending.delivery_id, "Paul Principal", NOW)


def test_a_recall_reaches_every_copy_over_links_that_were_down(three: Coalition) -> None:
    north, south, west = three.nodes.values()
    object_id = make(north)
    north.send(object_id, (), "Olga Officer", NOW)
    three.run_all()
    three.cut.add(frozenset(("south", "west")))
    # Neither less trust nor the end of the exchange keeps a recall away.
    south.partners.end("west", NOW)
    west.partners.end("south", NOW)
    north.recall(object_id, "Olga Officer", LATER)
    three.run_all(at=LATER)
    assert [has(node, object_id) for node in (south, west)] == ["recall", "object"]

    three.cut.clear()
    three.run_all(at=LATER)
    assert has(west, object_id) == "recall"
    with pytest.raises(Conflict, match="recalled"):
        north.exchange.propose([replace(north.exchange.sendings()[0], delivery_id="d")], LATER)


def test_a_recalled_object_that_nobody_approved_never_leaves(three: Coalition) -> None:
    north, south, _ = three.nodes.values()
    object_id = make(north, "vessel")
    north.send(object_id, (), "Olga Officer", NOW)
    north.recall(object_id, "Olga Officer", LATER)
    three.run_all()

    assert (north.exchange.waiting(), north.exchange.sendings()) == ([], [])
    assert has(south, object_id) == "nothing"


def test_a_recalled_object_that_did_not_leave_yet_arrives_as_its_recall(three: Coalition) -> None:
    north, south, west = three.nodes.values()
    three.cut.add(frozenset(("north", "south")))
    object_id = make(north)
    north.send(object_id, (), "Olga Officer", NOW)
    three.run_all()
    north.recall(object_id, "Olga Officer", LATER)
    three.cut.clear()
    three.run_all(at=LATER)

    assert [has(node, object_id) for node in (south, west)] == ["recall", "nothing"]


def test_an_object_whose_answer_was_lost_is_taken_in_once(three: Coalition) -> None:
    north, south, _ = three.nodes.values()
    object_id = make(north)
    north.send(object_id, (), "Olga Officer", NOW)
    three.is_losing_answers = True
    assert three.run("north").waiting == 1
    three.is_losing_answers = False
    assert three.run("north").delivered == 1

    assert has(south, object_id) == "object"
    assert actions(south).count("receive_object") == 1
    assert actions(south)[-1] == "refuse_object"  # the second delivery, as replayed
    assert north.exchange.undelivered() == []


def test_sending_twice_sends_once(three: Coalition) -> None:
    north = three.nodes["north"]
    object_id = make(north)

    assert len(north.send(object_id, ("south",), "Olga Officer", NOW)) == 1
    assert north.send(object_id, ("south",), "Olga Officer", NOW) == []


@pytest.mark.parametrize(
    ("terms", "name"),
    [
        ({"marking": "clear"}, "over-marked"),
        ({"kinds": ("vessel",)}, "not-approved"),
        ({"purposes": ("tax",)}, "not-approved"),
    ],
)
def test_both_sides_refuse_what_the_terms_do_not_permit_and_store_nothing(
    three: Coalition, terms: dict[str, object], name: str
) -> None:
    north, south, _ = three.nodes.values()
    object_id = make(north)
    north.send(object_id, ("south",), "Olga Officer", NOW)
    approve(south, north, **terms)
    three.run("north")
    assert [each.refusal for each in north.exchange.sendings()] == [name]
    assert (has(south, object_id), actions(south)) == ("nothing", ["refuse_object"])

    approve(north, south, **terms)
    with pytest.raises(ExchangeRefused, match=f"^{name}: "):
        north.send(make(north), ("south",), "Olga Officer", NOW)


def test_an_object_of_50_megabytes_is_refused_and_nothing_is_stored(three: Coalition) -> None:
    north, south, _ = three.nodes.values()
    object_id = make(north)
    (sending,) = north.send(object_id, (), "Olga Officer", NOW)
    document = {**(north.document_of(sending) or {}), "description": "x" * 50_000_000}

    with pytest.raises(ExchangeRefused, match=r"^too-large: "):
        south.take_in(document, "north", NOW)
    assert has(south, object_id) == "nothing"


def test_clocks_may_be_five_minutes_apart(three: Coalition) -> None:
    north, south, _ = three.nodes.values()
    soon = Distribution("green", DISTRIBUTION.purposes, NOW + timedelta(minutes=1))
    made = north.make("container", DETAILS["container"], "B2", soon, NOW)
    (sending,) = north.send(made.object_id, (), "Olga Officer", NOW)
    document = north.document_of(sending) or {}

    with pytest.raises(ExchangeRefused, match=r"^expired: "):
        south.take_in(document, "north", NOW + timedelta(minutes=7))
    south.take_in(document, "north", NOW + timedelta(minutes=5))
    assert has(south, made.object_id) == "object"


def test_an_expired_object_is_deleted_with_all_that_belongs_to_it(three: Coalition) -> None:
    north, south, _ = three.nodes.values()
    object_id = make(north)
    north.send(object_id, (), "Olga Officer", NOW)
    three.run_all()

    assert north.exchange.remove_expired(NOW) == 0
    assert north.exchange.remove_expired(DISTRIBUTION.expires_at) == 1
    assert south.exchange.remove_expired(DISTRIBUTION.expires_at) == 1
    assert has(north, object_id) == has(south, object_id) == "nothing"
    assert north.exchange.sendings() == []


def test_a_key_that_somebody_put_into_the_table_counts_for_nothing(three: Coalition) -> None:
    south = three.nodes["south"]
    with south.exchange._engine.begin() as connection:
        connection.execute(text("UPDATE exchange_partners SET public_key = 'aa' WHERE is_own = 0"))

    assert [partner.name for partner in south.partners.all()] == ["south"]


def test_nothing_leaves_without_a_person(three: Coalition) -> None:
    north = three.nodes["north"]
    object_id = make(north)
    for act in (north.recall, lambda *of: north.send(of[0], (), *of[1:])):
        with pytest.raises(Unprocessable, match="say who"):
            act(object_id, " ", NOW)


def test_contents_are_encrypted(three: Coalition) -> None:
    north = three.nodes["north"]
    make(north)
    with north.exchange._engine.connect() as connection:
        (stored,) = connection.execute(text("SELECT * FROM exchange_objects")).all()

    assert "MSKU9070323" not in repr(stored)
