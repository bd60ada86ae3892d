"""The pictures of a case: timeline, payments, documents beside the declaration, the route."""

import re
from datetime import timedelta
from itertools import pairwise
from pathlib import Path

import pytest

from serving.console.charts.document_grid import DocumentGrid, GridCell
from serving.console.charts.goods_table import GoodsTable
from serving.console.charts.payment_flow import ROW_HEIGHT, PaymentChart
from serving.console.charts.route_map import RouteMap
from serving.console.charts.timeline import LABEL_WIDTH, MAX_TICKS, WIDTH, Timeline
from tests.serving.bodies import route, shipment, submission
from tests.serving.conftest import NOW, Service
from tests.serving.console.test_pages import ORIGIN
from tests.serving.review.cases.stated import post
from tests.serving.review.cases.test_cases_served import open_case, reviewed
from tests.serving.review.supervision.test_supervision_served import ended, sign_in_as

__all__ = ["reviewed"]

WRITTEN_FOR_READERS = (
    r'="[^"{]*(?:\{\{[^}]*\}\}[^"{]*)*\{\{[^}]*\|(?:number|figure|percent|signed|size)\b'
)
"""An attribute whose value gets the marks of a language; a label is marked by `trans`."""


def test_no_template_writes_a_number_of_a_picture_with_the_marks_of_a_language() -> None:
    templates = list(Path("serving").glob("*/templates/*.html"))
    pictures = [
        (template.name, picture)
        for template in templates
        for picture in re.findall(r"<svg.*?</svg>", template.read_text(), re.S)
    ]

    assert len(pictures) > 10
    assert [name for name, picture in pictures if re.search(WRITTEN_FOR_READERS, picture)] == []


def travelled() -> dict[str, object]:
    """A journey that stays a day in Piraeus, and is not heard of for nine hours."""
    body = shipment()
    first = {**body["legs"][0], "destination": "GRPIR", "arrived_at": "2026-11-22T00:00:00Z"}
    then = {**first, "sequence": 2, "origin": "GRPIR", "destination": "DEHAM"}
    then |= {"departed_at": "2026-11-23T06:00:00Z", "arrived_at": None}
    body["legs"] = [first, {name: value for name, value in then.items() if value is not None}]
    body["positions"] = [
        {
            "journey_id": "J-1",
            "observed_at": f"2026-11-21T{hour:02}:00:00Z",
            "latitude": 38.0,
            "longitude": 24.0 + hour / 10,
            "source": "ais",
        }
        for hour in (1, 2, 11, 12)
    ]
    return body


def payment(number: int, payer: str, **changed: object) -> dict[str, object]:
    """A payment of the example's shipment, by another payer on another day."""
    paid = shipment()["transactions"][0]
    at = f"2026-11-{number + 1:02}T09:00:00Z"
    return paid | {"transaction_id": f"T-{number}", "payer_id": payer, "paid_at": at} | changed


def test_a_stay_and_a_silence_are_stretches_of_the_line() -> None:
    days = Timeline.from_submission(submission(travelled()), NOW)

    assert [(s.row, s.kind, s.words) for s in days.spans] == [
        ("Route", "stay", "30 hours in Piraeus"),
        ("Reports", "silent", "no report for 9 hours"),
    ]
    for span in days.spans:
        assert LABEL_WIDTH <= span.x1 < span.x2 <= WIDTH
    assert min(mark.x for mark in days.marks) == LABEL_WIDTH


def test_an_event_stands_on_the_line_where_it_happened() -> None:
    out = {"event_id": "E-1", "kind": "gate_out", "place": "DEHAM"}
    at = {"occurred_at": "2026-11-23T07:00:00Z", "known_at": "2026-11-23T09:00:00Z"}

    days = Timeline.from_submission(submission(travelled() | {"events": [out | at]}), NOW)

    (mark,) = (mark for mark in days.marks if mark.words == "gate out Hamburg")
    assert (mark.row, mark.at.isoformat()) == ("Route", "2026-11-23T07:00:00+00:00")


@pytest.mark.parametrize("days_long", [0.2, 3, 20, 90, 700])
def test_the_axis_has_round_labels_with_room_for_each(days_long: float) -> None:
    body = travelled()
    body["journey"]["booked_at"] = (NOW - timedelta(days=days_long)).isoformat()  # type: ignore[index]  # JSON

    ticks = Timeline.from_submission(submission(body), NOW).ticks

    assert 2 <= len(ticks) <= MAX_TICKS + 1
    assert all(after.x - before.x > 70 for before, after in pairwise(ticks))
    assert all(":" not in tick.words or tick.words.endswith(":00") for tick in ticks)


def test_the_present_is_on_the_line_while_it_is_near_and_else_said_in_words() -> None:
    near = Timeline.from_submission(submission(travelled()), NOW)
    far = Timeline.from_submission(submission(travelled()), NOW + timedelta(days=200))

    assert near.now_x is not None
    assert LABEL_WIDTH < near.now_x <= WIDTH
    assert far.now_x is None
    assert max(mark.x for mark in far.marks) > 0.9 * WIDTH


def test_marks_at_one_instant_are_drawn_apart() -> None:
    body = shipment()
    body["transactions"] = [payment(3, f"c-{n}", transaction_id=f"T-{n}") for n in range(3)]

    marks = Timeline.from_submission(submission(body), NOW).marks

    paid = [(mark.x, mark.y) for mark in marks if mark.row == "Payments"]
    assert len(set(paid)) == 3


def test_every_payment_is_a_row_with_its_worth_in_euro_and_who_is_no_party_to_it() -> None:
    body = shipment()
    dollars = payment(1, "c-0012", amount=1_000.0, currency="USD")
    body["transactions"] = [payment(2, "c-stranger"), dollars, payment(4, "c-x", currency="XXX")]

    chart = PaymentChart.from_submission(submission(body))

    assert [row.reference for row in chart.rows] == ["T-1", "T-2", "T-4"]
    assert [row.payer.is_declared for row in chart.rows] == [True, False, False]
    assert chart.rows[0].payer.roles == "consignee"
    assert chart.rows[0].amount_eur == pytest.approx(1_000 / 1.15, rel=0.1)
    assert chart.rows[2].amount_eur is None
    assert chart.total_eur is None


def test_amounts_of_payments_stand_apart_and_on_the_picture() -> None:
    body = shipment()
    body["transactions"] = [payment(n, f"c-{n % 4}", payee_id=f"k-{n % 3}") for n in range(1, 25)]

    chart = PaymentChart.from_submission(submission(body))

    for places in (
        [flow.y for flow in chart.flows],
        [party.y for party in chart.payers],
        [party.y for party in chart.payees],
    ):
        assert all(after - before >= ROW_HEIGHT for before, after in pairwise(sorted(places)))
        assert min(places) > 0
        assert max(places) < chart.height


def paper(document_id: str, kind: str, **states: object) -> dict[str, object]:
    """A document that states nothing but this."""
    at = {"received_at": "2026-11-23T15:00:00Z", "version": 1}
    return {"document_id": document_id, "kind": kind} | at | states


def test_the_grid_says_what_differs_and_from_what() -> None:
    body = shipment()
    declared = body["shipment"]
    mass, value = declared["gross_mass_kg"], declared["declared_value"]
    body["documents"] = [
        paper("D-1", "packing_list", gross_mass_kg=mass, packages=declared["packages"]),
        paper("D-2", "invoice", value=value * 1.5, currency=declared["currency"]),
        paper("D-3", "bill_of_lading", gross_mass_kg=2 * mass),
        paper("D-3", "bill_of_lading", gross_mass_kg=mass, version=2)
        | {"received_at": "2026-11-23T16:00:00Z"},
        paper("D-4", "permit", expires_at="2026-11-01T00:00:00Z", number="P-9"),
    ]

    grid = DocumentGrid.from_submission(submission(body))

    names = [column.name for column in grid.columns]
    assert names == ["packing list", "invoice", "bill of lading", "permit"]
    rows = {row.name: row for row in grid.rows}
    assert [cell.differs for cell in rows["Gross mass"].cells] == [
        (),
        (),
        (f"version 1: {2 * mass:,.10g} kg (−50 %)",),
        (),
    ]
    assert "declared" in rows["Value"].cells[1].differs[0]
    assert "(+50 %)" in rows["Value"].cells[1].differs[0]
    assert grid.differences == 2
    assert [column.is_expired for column in grid.columns] == [False, False, False, True]
    assert (grid.columns[2].version, grid.columns[3].number) == (2, "P-9")


def test_versions_of_one_paper_under_several_ids_are_one_column() -> None:
    body = shipment()
    wrong = paper("D-1", "packing_list", gross_mass_kg=1.0, number="N-1", issuer_id="k-3")
    wrong["consignee_id"] = "c-9"
    newer = wrong | {"document_id": "D-2", "version": 2, "gross_mass_kg": 2.0}
    body["documents"] = [wrong, newer | {"consignee_id": None}]

    grid = DocumentGrid.from_submission(submission(body))

    assert [(column.document_id, column.version) for column in grid.columns] == [("D-2", 2)]
    (removed,) = (row for row in grid.rows if row.name == "Consignee")
    assert removed.cells[0] == GridCell("", ("version 1: c-9",)), "an amendment removed it"
    (row,) = (row for row in grid.rows if row.name == "Gross mass")
    assert [each.partition(":")[0] for each in row.cells[0].differs][1:] == ["version 1"]


def test_the_grid_compares_a_journeys_load_with_its_whole_manifest_alone() -> None:
    body = route(declared_cargo_mass_kg=5_000.0)
    manifest = paper("D-1", "manifest", gross_mass_kg=6_000.0)
    bill = paper("D-2", "bill_of_lading", gross_mass_kg=400.0)

    def differences(*papers: dict[str, object]) -> int:
        return DocumentGrid.from_submission(submission(body | {"documents": papers})).differences

    assert differences(manifest, bill) == 1
    assert differences(bill) == 0
    assert differences(manifest, paper("D-3", "manifest", gross_mass_kg=10.0)) == 0


def test_another_currency_is_told_without_a_share() -> None:
    body = shipment()
    body["documents"] = [paper("D-1", "invoice", value=1.0, currency="JPY")]

    (row,) = (r for r in DocumentGrid.from_submission(submission(body)).rows if r.name == "Value")

    assert row.cells[0].words == "1 JPY"
    assert "%" not in row.cells[0].differs[0]


def itemised(*items: dict[str, object]) -> GoodsTable:
    """The table of a shipment of 1,250.5 kg, 12 packages and 9,800 EUR from China."""
    numbered = [
        {"number": at, "commodity_code": "8903100000", "currency": "EUR", **item}
        for at, item in enumerate(items, 1)
    ]
    return GoodsTable.from_submission(submission(shipment(items=numbered)))


def test_goods_items_are_compared_with_their_codes_and_their_sum_with_the_declaration() -> None:
    goods = itemised(
        {"gross_mass_kg": 1000.5, "value": 9000.0, "packages": 10, "origin_country": "CN"},
        {
            "gross_mass_kg": 500.0,
            "value": 800.0,
            "packages": 2,
            "origin_country": "VN",
            "description": "Cartons of corrugated paper",
        },
    )

    first, second = goods.rows
    assert first.goods.startswith("8903100000 (")
    assert (first.description.differs, first.origin.differs) == ((), ())
    assert second.description.differs == ("does not fit the goods code",)
    assert second.origin.differs == ("declared China (CN)",)
    assert goods.gross_mass.words == "1,500.5 kg"
    assert goods.gross_mass.differs == ("declared 1,250.5 kg (+20 %)",)
    assert (goods.value.words, goods.value.differs) == ("9,800 EUR", ())
    assert (goods.packages.words, goods.packages.differs) == ("12", ())
    assert goods.differences == 3


def test_what_an_item_does_not_state_is_not_added_up_nor_are_two_currencies() -> None:
    goods = itemised({"gross_mass_kg": 1.0, "value": 1.0}, {"value": 1.0, "currency": "USD"})

    assert [cell.words for cell in goods.sums] == ["", "", ""]
    assert goods.differences == 0


def test_an_item_that_came_later_says_when_and_no_item_makes_no_table() -> None:
    goods = itemised({}, {"known_at": "2026-11-24T12:00:00Z"})

    assert [row.known_at is None for row in goods.rows] == [True, False]
    assert GoodsTable.from_submission(submission(shipment())).rows == ()
    assert GoodsTable.from_submission(submission(travelled())).rows == ()


def test_the_expected_way_leads_over_the_legs_and_the_travelled_where_it_was_heard() -> None:
    way = RouteMap.from_submission(submission(travelled()))
    unheard = RouteMap.from_submission(submission(shipment()))

    assert way is not None
    assert unheard is not None
    assert (len(way.expected), len(way.travelled), len(way.silences)) == (3, 4, 1)
    assert unheard.travelled == ()
    assert {stop.code: stop.dwell_hours for stop in way.stops}["GRPIR"] == 30


def test_the_history_tells_every_change_with_old_and_new_and_what_is_waited_for(
    reviewed: Service,
) -> None:
    case_id = open_case(reviewed)
    by = reviewed.key("review")
    ended(reviewed, "S-2", by)
    post(reviewed, case_id, "claim", by)
    until = "2026-11-24T17:00:00Z"
    asked = {"until": until, "waiting_for": "documents", "text": "the packing list"}
    post(reviewed, case_id, "waits", by, **asked)
    form = {"form_token": sign_in_as(reviewed, "auditor"), "code": "audit", "text": "audit 2026/4"}
    reviewed.client.post(f"/console/cases/{case_id}/justify", data=form, headers=ORIGIN)

    page = reviewed.client.get(f"/console/cases/{case_id}").text

    assert "smuggling was confirmed in 0 of 1 inspected." in page
    assert "status: open → assigned" in page
    assert "owner: nobody → caller-" in page
    assert "waiting until: none → 24 November 2026, 17:00 UTC" in page
    assert "<strong>5 h left</strong>" in page
