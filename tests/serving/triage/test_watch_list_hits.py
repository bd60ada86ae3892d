"""What watch-lists and rules say of a subject: of which ids, until when, beyond which bound."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from features.submission import Submission
from serving.triage.triage_plan import TriagePlan, TriageRule, WatchListEntry
from serving.triage.watch_list_hits import Hit, find_hits
from tests.serving.bodies import route, shipment, submission

AT = datetime(2026, 12, 1, tzinfo=UTC)
CONTAINER, OTHER_CONTAINER = "CSQU3054383", "MSKU0000006"


def watched(kind: Any, value: str, until: datetime | None = None) -> WatchListEntry:
    """An entry of the list “wanted”."""
    return WatchListEntry(kind=kind, value=value, list="wanted", reason="see file 7", until=until)


def found(*entries: WatchListEntry, of: Submission, at: datetime = AT) -> list[Hit]:
    """The hits of watch-lists alone."""
    return find_hits(TriagePlan(watched=entries), of, {}, at)


def everyone() -> Submission:
    """A shipment with every party that one may name, on a journey, with a document."""
    body = shipment(
        container_number=CONTAINER,
        consignor_id="c-1",
        consignee_id="c-2",
        notify_party_id="c-3",
        forwarder_id="c-4",
        declarant_id="c-5",
    )
    body["journey"] |= {"conveyance_id": "v-9", "carrier_id": "k-3"}
    body["documents"][0] |= {"container_number": OTHER_CONTAINER}
    return submission(body)


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("container", CONTAINER),
        ("container", OTHER_CONTAINER),
        ("conveyance", "v-9"),
        *(("company", f"c-{n}") for n in range(1, 6)),
        ("company", "k-3"),
    ],
)
def test_every_container_conveyance_and_company_of_a_subject_is_looked_up(
    kind: str, value: str
) -> None:
    (hit,) = found(watched(kind, value), of=everyone())

    words = f"{kind} {value} is on the list “wanted”: see file 7"
    assert hit == Hit("watch_list", "inspect", words)


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("container", "c-1"),
        ("company", CONTAINER),
        ("company", "v-9"),
        ("conveyance", "k-3"),
        ("company", "c-6"),
    ],
)
def test_an_id_of_another_kind_is_no_hit(kind: str, value: str) -> None:
    assert found(watched(kind, value), of=everyone()) == []


def test_a_route_is_looked_up_by_its_conveyance_and_carrier() -> None:
    entries = (watched("conveyance", "v-10"), watched("company", "k-3"), watched("company", "x"))

    assert [hit.words.split(" is ")[0] for hit in found(*entries, of=submission(route()))] == [
        "conveyance v-10",
        "company k-3",
    ]


def test_an_entry_ends_at_its_instant_and_one_without_end_never() -> None:
    entry, endless = watched("company", "c-1", AT), watched("company", "c-1")
    tick = timedelta(microseconds=1)

    assert len(found(entry, of=everyone(), at=AT - tick)) == 1
    assert found(entry, of=everyone(), at=AT) == []
    assert found(entry, of=everyone(), at=AT + tick) == []
    assert len(found(endless, of=everyone(), at=AT + timedelta(days=9_999))) == 1


def rule(**bound: float) -> TriageRule:
    """A rule on the mass."""
    return TriageRule(
        name="heavy", feature="mass_kg", lane="document_check", reason="see it", **bound
    )


@pytest.mark.parametrize(
    ("bound", "mass_kg", "is_hit"),
    [
        ({"above": 100.0}, 99.9, False),
        ({"above": 100.0}, 100.0, False),
        ({"above": 100.0}, 100.1, True),
        ({"above": 0.0}, 0.1, True),
        ({"below": 100.0}, 99.9, True),
        ({"below": 100.0}, 100.0, False),
        ({"below": 100.0}, 100.1, False),
        ({"below": 0.0}, -0.1, True),
        ({"above": 100.0}, None, False),
        ({"below": 100.0}, None, False),
        ({"above": 100.0}, "heavy", False),
    ],
)
def test_a_rule_speaks_on_its_side_of_its_bound_and_never_of_what_is_missing(
    bound: dict[str, float], mass_kg: object, is_hit: bool
) -> None:
    said = find_hits(TriagePlan(rules=(rule(**bound),)), everyone(), {"mass_kg": mass_kg}, AT)

    assert said == [Hit("rule", "document_check", "rule “heavy”: see it")] * is_hit


def test_a_rule_looks_at_its_own_feature() -> None:
    assert (
        find_hits(TriagePlan(rules=(rule(above=1.0),)), everyone(), {"payment_count": 9.0}, AT)
        == []
    )


def test_every_list_and_rule_that_speaks_is_told_lists_first() -> None:
    entries = (watched("company", "c-2"), watched("company", "c-1"))
    selecting = rule(above=1.0).model_copy(update={"lane": "inspect"})
    plan = TriagePlan(rules=(rule(above=1.0), rule(above=9.0), selecting), watched=entries)

    said = find_hits(plan, everyone(), {"mass_kg": 2.0}, AT)

    assert [(hit.source, hit.lane) for hit in said] == [
        ("watch_list", "inspect"),
        ("watch_list", "inspect"),
        ("rule", "document_check"),
        ("rule", "inspect"),
    ]
    assert [hit.words[:11] for hit in said[:2]] == ["company c-2", "company c-1"]
