"""A message declares, states anew or withdraws, as the code of its standard says."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from features.messages.conversion import NOTHING_TO_WITHDRAW, Conversion
from features.messages.formats import convert_message
from features.messages.functions import OF_EDIFACT, ONLY_LOOKED_AT
from features.messages.import_files import ImportedFile, drop_repeated_records
from features.records import RECORD_FILES
from tests.features.messages.readings import OPTIONS, RECEIVED, fields, read, reasons, sample

AWB, HAWB = "999-12345675", "HWB88"
DECLARED = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)


def cuscar(code: str, *changes: tuple[str, str]) -> Conversion:
    return read("edifact/cuscar.edi", ("MAN2026117+9", f"MAN2026117+{code}"), *changes)


def imported(*conversions: Conversion) -> list[Conversion]:
    """Messages that are imported one after the other."""
    files = drop_repeated_records([ImportedFile(Path(), each) for each in conversions])
    return [each.outcome for each in files if isinstance(each.outcome, Conversion)]


@pytest.mark.parametrize("code", ["9", "6", "7", "31"])
def test_an_original_a_confirmation_and_a_copy_state_the_same(code: str) -> None:
    assert cuscar(code).records == cuscar("9").records


@pytest.mark.parametrize("code", ["2", "4", "5", "18"])
def test_a_change_states_the_same_as_an_amendment_known_when_it_was_received(code: str) -> None:
    amended = cuscar(code)

    assert [each.fields for each in amended.records] == [e.fields for e in cuscar("9").records]
    assert {each.amended_at for each in amended.records} == {RECEIVED}


@pytest.mark.parametrize("code", ["1", "3", "17"])
def test_a_cancellation_makes_nothing_and_names_what_it_withdraws(code: str) -> None:
    cancelled = cuscar(code, ("2647E+1+13+", "2647E+1+150+"))

    assert cancelled.records == ()
    named = {(each.record_type, *each.named.values()) for each in cancelled.withdrawals}
    assert {("shipments", "AC4711"), ("shipments", "AC4712"), ("documents", "bl:AC4711")} <= named
    assert (("documents", "manifest:MAN2026117") in named) == (code != "3")
    assert [each.record_type for each in cancelled.looked_at] == ["journeys"]
    assert reasons(cancelled, "journeys") == {ONLY_LOOKED_AT}
    assert not [each.path for each in cancelled.left_over if each.path[:3] in ("NAD", "CTA", "COM")]


def test_a_function_of_no_statement_makes_nothing_and_is_left_over() -> None:
    assert {"8", "11", "12", "13", "20", "27", "44"}.isdisjoint(OF_EDIFACT)

    answered = cuscar("27")

    assert (answered.records, answered.withdrawals) == ((), ())
    (code,) = [each for each in answered.left_over if each.path == "BGM+785/3/1"]
    assert code.why.startswith("no function that is obeyed: want one of 6 7 9")


@pytest.mark.parametrize(
    ("name", "number", "named"),
    [
        ("iftmin.edi", "SI-2026-0815", {("shipments", "BK2026118")}),
        ("iftmcs.edi", "AC4720", {("shipments", "AC4720"), ("documents", "bl:AC4720")}),
        ("codeco.edi", "GO2026118", {("events", "GO2026118:gate_out:MSKU9070323")}),
    ],
)
def test_a_cancellation_of_other_messages_names_what_they_made(
    name: str, number: str, named: set[tuple[str, str]]
) -> None:
    cancelled = read(f"edifact/{name}", (f"{number}+9", f"{number}+1"))

    assert named_by(cancelled) == named


def named_by(conversion: Conversion) -> set[tuple[str, str]]:
    """What a message withdraws, but for goods items."""
    told = {(each.record_type, *each.named.values()) for each in conversion.withdrawals}
    return {each for each in told if each[0] != "goods_items"}


@pytest.mark.parametrize(
    ("name", "said", "named"),
    [
        ("cargo_xml/xfwb.xml", ">Creation<", {("shipments", AWB), ("documents", f"awb:{AWB}")}),
        ("cargo_xml/xfzb.xml", ">Creation<", {("shipments", HAWB), ("documents", f"awb:{HAWB}")}),
        ("dcsa/booking.json", '"CONFIRMED"', {("shipments", "BK2026118")}),
        ("dcsa/ebl.json", '"ISSUED"', {("documents", "bl:AC4711")}),
    ],
)
def test_a_deletion_a_cancelled_booking_and_a_void_bill_name_what_they_withdraw(
    name: str, said: str, named: set[tuple[str, str]]
) -> None:
    word = {'"CONFIRMED"': '"CANCELLED"', '"ISSUED"': '"VOIDED"'}.get(said, ">Deletion<")

    withdrawn = read(name, (said, word))

    assert withdrawn.records == ()
    assert named_by(withdrawn) == named


@pytest.mark.parametrize(
    ("name", "said", "word"),
    [
        ("cargo_xml/xfwb.xml", ">Creation<", ">Update<"),
        ("dcsa/booking.json", '"CONFIRMED"', '"UPDATE_RECEIVED"'),
    ],
)
def test_an_update_states_the_same_as_an_amendment(name: str, said: str, word: str) -> None:
    updated = read(name, (said, word))

    assert [each.fields for each in updated.records] == [each.fields for each in read(name).records]
    assert {each.amended_at for each in updated.records} == {RECEIVED}


def test_a_purpose_of_a_waybill_that_is_none_makes_nothing_and_is_left_over() -> None:
    other = read("cargo_xml/xfwb.xml", (">Creation<", ">Response<"))

    assert (other.records, other.withdrawals) == ((), ())
    (code,) = [each for each in other.left_over if each.path.endswith("/PurposeCode")]
    assert code.why == "no function that is obeyed: want one of CREATION UPDATE DELETION"


def test_a_booking_of_which_a_status_alone_is_told_is_withdrawn_by_its_reference() -> None:
    told = b'{"bookingStatus": "CANCELLED", "carrierBookingReference": "BK2026118"}'

    assert named_by(convert_message("dcsa", told, OPTIONS)) == {("shipments", "BK2026118")}


def test_a_cancellation_that_names_no_consignment_says_so() -> None:
    message = sample("edifact/cuscar.edi").replace(b"MAN2026117+9", b"MAN2026117+1")
    head, _, _ = message.partition(b"CNI+1")
    short = head + b"UNT+12+M1'UNE+1+G1'UNZ+1+CC26000117'"

    cancelled = convert_message("edifact", short, OPTIONS)

    assert "it names no consignment to withdraw" in reasons(cancelled, "shipments")


def test_files_that_follow_one_another_are_versions_of_one_shipment() -> None:
    heavier = cuscar("5", ("G+KGM:4210", "G+KGM:9210"))

    first, second, third = imported(cuscar("9"), heavier, cuscar("1"))

    assert "version" not in fields(first, "shipments")
    amended = fields(second, "shipments")
    assert (amended["version"], amended["known_at"]) == (2, RECEIVED)
    assert (amended["gross_mass_kg"], amended["declared_at"]) == (9210, DECLARED)
    withdrawn = fields(third, "shipments")
    assert (withdrawn["version"], withdrawn["withdrawn"]) == (3, True)
    for each in (*first.records, *second.records, *third.records):
        RECORD_FILES[each.record_type].model_validate(each.fields)


def test_nothing_is_withdrawn_that_no_file_before_made() -> None:
    (alone,) = imported(cuscar("1"))

    assert alone.records == ()
    assert NOTHING_TO_WITHDRAW in {why for each in alone.not_made for why in each.reasons}


def test_of_an_interchange_what_is_said_last_counts() -> None:
    def both(first: str, second: str) -> Conversion:
        start, message, end = _parts(sample("edifact/cuscar.edi"))
        other = message.replace(b"+M1", b"+M2").replace(b"G+KGM:4210", b"G+KGM:9210")
        messages = [
            each.replace(b"MAN2026117+9", b"MAN2026117+" + code.encode())
            for each, code in ((message, first), (other, second))
        ]
        whole = start + b"".join(messages) + end.replace(b"UNE+1", b"UNE+2")
        return convert_message("edifact", whole, OPTIONS)

    replaced, cancelled, anew = both("9", "5"), both("9", "1"), both("1", "9")

    assert [each.fields["gross_mass_kg"] for each in _shipments(replaced)] == [9210]
    assert cancelled.records == ()
    assert [each.amended_at for each in _shipments(anew)] == [RECEIVED]
    assert "shipments" not in {w.record_type for w in anew.withdrawals if "AC4711" in w.subject}


def _parts(message: bytes) -> tuple[bytes, bytes, bytes]:
    begin, end = message.index(b"UNH"), message.index(b"UNE")
    return message[:begin], message[begin:end], message[end:]


def _shipments(conversion: Conversion) -> list[Any]:
    return [each for each in conversion.records if each.record_type == "shipments"]
