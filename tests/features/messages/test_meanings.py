"""What messages mean, worked out by hand from the samples of our own."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from features.errors import MessageRefused
from features.messages.formats import convert_message
from features.messages.parties import pseudonym
from tests.features.messages.readings import OPTIONS, RECEIVED, fields, read, reasons, sample

KEY = OPTIONS.key
NORDWIND = pseudonym(KEY, "vat", "DE123456789")
KARADENIZ = pseudonym(KEY, "vat", "TR1234567890")


def test_a_payment_of_a_statement_is_that_of_its_owner() -> None:
    assert fields(read("iso20022/camt.053.xml"), "transactions") == {
        "transaction_id": "BK20261119-0007",
        "subject_kind": "shipment",
        "subject_id": "AC4711",
        "payer_id": pseudonym(KEY, "iban", "DE02120300000000202051"),
        "payee_id": pseudonym(KEY, "iban", "TR330006100519786457841326"),
        "payer_country": "DE",
        "payee_country": "TR",
        "payer_iban_valid": True,
        "amount": 15_700.0,
        "currency": "EUR",
        "method": "bank_transfer",
        "purpose": "goods",
        "paid_at": datetime(2026, 11, 19, tzinfo=UTC),
        "known_at": RECEIVED,
    }


def test_a_credited_entry_was_paid_by_the_other_party() -> None:
    credited = fields(
        read("iso20022/camt.053.xml", ("<CdtDbtInd>DBIT", "<CdtDbtInd>CRDT"), ("Cdtr", "Dbtr")),
        "transactions",
    )

    assert credited["payer_id"] == pseudonym(KEY, "iban", "TR330006100519786457841326")
    assert credited["payee_id"] == pseudonym(KEY, "iban", "DE02120300000000202051")


def test_a_wrong_check_digit_of_an_iban_is_said() -> None:
    wrong = read("iso20022/camt.053.xml", ("DE02120300", "DE03120300"))

    assert fields(wrong, "transactions")["payer_iban_valid"] is False


def test_a_payment_without_a_known_reference_is_listed_and_not_made() -> None:
    unlinked = read("iso20022/camt.053.xml", shipment_pattern=None)

    assert not unlinked.records
    assert "not linked: no reference names a subject" in reasons(unlinked, "transactions")


def test_a_natural_person_is_known_by_an_account_and_never_by_a_name() -> None:
    paid = read("iso20022/pacs.008.xml")
    without_account = read(
        "iso20022/pacs.008.xml",
        ("<CdtrAcct><Id><IBAN>TR330006100519786457841326</IBAN></Id></CdtrAcct>", ""),
    )

    iban = pseudonym(KEY, "iban", "TR330006100519786457841326")
    assert fields(paid, "transactions")["payee_id"] == iban
    assert reasons(without_account, "transactions") == {"no payee_id"}


@pytest.mark.parametrize(
    ("name", "record_type"),
    [
        ("ubl/waybill.xml", "shipments"),
        ("ubl/invoice.xml", "documents"),
        ("cargo_xml/xfwb.xml", "shipments"),
        ("edifact/cuscar.edi", "shipments"),
        ("edifact/iftmin.edi", "shipments"),
    ],
)
def test_one_party_has_one_pseudonym_in_every_standard(name: str, record_type: str) -> None:
    assert fields(read(name), record_type)["consignee_id"] == NORDWIND


def test_another_key_makes_other_pseudonyms() -> None:
    other = read("ubl/waybill.xml", key=b"o" * 32)

    assert fields(other, "shipments")["consignee_id"] != NORDWIND


def test_a_customs_declaration_of_ubl_is_its_shipment_with_items() -> None:
    declared = read("ubl/import_declaration.xml")
    shipment = fields(declared, "shipments")

    assert (shipment["consignor_id"], shipment["consignee_id"]) == (KARADENIZ, NORDWIND)
    assert shipment["declarant_id"] == pseudonym(KEY, "vat", "DE999999999")
    assert (shipment["dispatch_country"], shipment["destination_country"]) == ("TR", "DE")
    assert (shipment["gross_mass_kg"], shipment["volume_m3"], shipment["packages"]) == (
        4210,
        33.2,
        64,
    )
    assert (shipment["declared_value"], shipment["currency"]) == (31_400, "EUR")
    assert (shipment["container_number"], shipment["seal_number"]) == ("MSKU9070323", "HL-4471902")
    assert shipment["office_id"] == "DE004600"
    assert "hs_code" not in shipment  # its items differ, and say it themselves
    assert fields(declared, "goods_items", 0)["commodity_code"] == "8903110000"
    assert fields(declared, "goods_items", 1) == {
        "shipment_id": "AC4711",
        "number": 2,
        "commodity_code": "840721",
        "nomenclature": "hs",
        "description": "Outboard motors",
        "origin_country": "JP",
        "gross_mass_kg": pytest.approx(109.996, abs=0.001),
    }


def test_items_of_a_shipment_that_was_not_made_are_known_since_the_message() -> None:
    made, not_made = read("ubl/waybill.xml"), read("dcsa/ebl.json")

    assert "known_at" not in fields(made, "goods_items")
    assert fields(not_made, "goods_items")["known_at"] == RECEIVED


def test_pounds_and_cubic_centimetres_of_an_air_waybill_are_converted() -> None:
    shipment = fields(read("cargo_xml/xfwb.xml"), "shipments")

    assert shipment["gross_mass_kg"] == pytest.approx(551.2 * 0.45359237)
    assert shipment["volume_m3"] == 1.9
    assert (shipment["dispatch_country"], shipment["destination_country"]) == ("CN", "DE")
    assert shipment["hs_code"] == "880621"


def test_an_unknown_unit_leaves_the_measure_over_and_says_why() -> None:
    odd = read("cargo_xml/xfwb.xml", ('unitCode="LBR"', 'unitCode="ZZ"'))

    assert "gross_mass_kg" not in fields(odd, "shipments")
    assert "the unit is not known" in {each.why for each in odd.left_over}


def test_each_consignment_of_a_cargo_report_is_a_shipment() -> None:
    reported = read("edifact/cuscar.edi")
    shipment = fields(reported, "shipments")

    assert shipment["shipment_id"] == "AC4711"
    assert shipment["journey_id"] == "9074729/2647E"
    assert (shipment["gross_mass_kg"], shipment["net_mass_kg"]) == (4210, 3875.5)
    assert (shipment["hs_code"], shipment["packages"]) == ("890311", 64)
    kinds = [each.fields["kind"] for each in reported.records if each.record_type == "documents"]
    assert kinds == ["manifest", "bill_of_lading", "bill_of_lading"]
    assert fields(reported, "documents", 2)["gross_mass_kg"] == 1.25  # written with a comma
    assert reasons(reported, "shipments") == {"no consignor_id", "no hs_code", "no origin_country"}


def test_moves_belong_to_the_shipment_that_they_name_or_else_to_the_voyage() -> None:
    moves = read("edifact/coarri.edi")

    of = [(each.fields["subject_kind"], each.fields["subject_id"]) for each in moves.records]
    assert of == [("shipment", "AC4711"), ("route", "9074729/2647E")]
    assert {each.fields["kind"] for each in moves.records} == {"discharged"}
    assert fields(read("edifact/codeco.edi"), "events")["kind"] == "gate_out"


def test_a_bay_plan_is_a_voyage_of_a_container_ship() -> None:
    journey = fields(read("edifact/baplie.edi"), "journeys")

    assert (journey["mode"], journey["conveyance_kind"]) == ("sea", "container_ship")
    assert (journey["origin"], journey["destination"]) == ("TRIST", "GRPIR")
    assert journey["imo_number"] == "9074729"
    assert journey["due_at"] == datetime(2026, 11, 28, 6, tzinfo=UTC)


def test_events_of_track_and_trace_are_what_happened_or_was_announced() -> None:
    told = read("dcsa/events-2.2.json")
    late = read("dcsa/events-2.2.json", received_at=datetime(2026, 12, 24, tzinfo=UTC))

    assert [each.fields["kind"] for each in told.records] == ["discharged", "arrived"]
    assert fields(told, "events")["subject_id"] == "AC4711"  # the document before the booking
    assert fields(told, "events")["occurred_at"] == datetime(2026, 11, 28, 13, 40, tzinfo=UTC)
    assert [each.fields["kind"] for each in late.records] == ["discharged"]
    assert fields(read("dcsa/events-3.0.json"), "events")["kind"] == "gate_out"


def test_positions_say_what_ais_knows_and_no_more() -> None:
    heard = read("ais/ships.txt")
    first, without_speed, distress = (fields(heard, "positions", each) for each in (0, 2, 3))

    assert first["journey_id"] == "mmsi-255805587"
    assert first["observed_at"] == datetime.fromtimestamp(1795766400, UTC)
    assert (first["latitude"], first["longitude"]) == (38.02, 23.41)
    assert (first["speed_kn"], first["course_degrees"]) == (14.2, 214.0)
    assert {"speed_kn", "course_degrees"}.isdisjoint(without_speed)
    assert without_speed["observed_at"] == datetime(2026, 11, 21, 2, 13, tzinfo=UTC)
    assert distress["is_distress"] is True
    assert reasons(heard, "positions") >= {"no latitude", "want the checksum of its sentence"}


def test_times_without_a_zone_are_of_the_zone_given_and_the_conversion_says_so() -> None:
    in_berlin = read("iso20022/pain.001.xml", zone=ZoneInfo("Europe/Berlin"))

    assert fields(in_berlin, "transactions")["paid_at"] == datetime(2026, 11, 18, 23, tzinfo=UTC)
    assert "2 times without a zone were read in Europe/Berlin" in in_berlin.remarks


def test_a_message_may_count_as_received_when_it_was_sent() -> None:
    sent = read("iso20022/camt.053.xml", received_at=None)

    assert fields(sent, "transactions")["known_at"] == datetime(2026, 11, 20, 5, tzinfo=UTC)
    assert any(each.startswith("received when it was sent") for each in sent.remarks)


def test_names_contacts_and_births_are_withheld() -> None:
    paths = {each.path for each in read("iso20022/pacs.008.xml").withheld}
    of_waybill = {each.path.rpartition("/")[2] for each in read("ubl/waybill.xml").withheld}

    assert any(path.endswith("DtAndPlcOfBirth/BirthDt") for path in paths)
    assert {"Name", "Telephone", "StreetName"} <= of_waybill
    assert not {
        each.path for each in read("cargo_xml/xfwb.xml").left_over if "Signatory" in each.path
    }


def test_messages_about_persons_are_refused_unread() -> None:
    with pytest.raises(MessageRefused, match="no message about persons"):
        read("edifact/codeco.edi", ("CODECO:D", "PAXLST:D"))


def test_a_shipment_without_any_code_of_its_goods_is_refused() -> None:
    without = read("ubl/waybill.xml", ("CommodityCode>", "Code>"))

    assert reasons(without, "shipments") == {"no hs_code"}
    assert reasons(without, "goods_items") == {"no commodity_code"}


def test_one_report_of_several_bills_is_several_shipments() -> None:
    reported = read("edifact/cuscar.edi", ("CNI+2+AC4712'\n", ""), ("UNT+38", "UNT+37"))

    bills = [each.fields for each in reported.records if each.record_type == "documents"]
    assert [each.get("number") for each in bills] == ["MAN2026117", "AC4711", "AC4712"]
    assert fields(reported, "shipments")["gross_mass_kg"] == 4210


def test_a_manifest_of_two_shipments_is_a_document_of_each() -> None:
    manifest = sample("ubl/manifest.xml").decode()
    start, end = manifest.index("<cac:Shipment>"), manifest.index("</cac:Shipment>") + 15
    second = manifest[start:end].replace("AC4711", "AC4712")

    both = read("ubl/manifest.xml", ("</Manifest>", f"{second}</Manifest>"))

    documents = [each.fields for each in both.records if each.record_type == "documents"]
    assert [each["subject_id"] for each in documents] == ["AC4711", "AC4712"]
    assert len({each["document_id"] for each in documents}) == 2
    assert both.count_of_records()["shipments"] == 2


def test_an_invoice_that_names_no_shipment_is_linked_by_the_pattern_alone() -> None:
    assert fields(read("ubl/invoice.xml"), "documents")["subject_id"] == "AC4711"
    unlinked = read("ubl/invoice.xml", shipment_pattern=None)
    assert reasons(unlinked, "documents") == {"no subject_id"}


def test_an_entry_of_several_payments_is_a_transaction_of_each() -> None:
    statement = sample("iso20022/camt.053.xml").decode()
    start, end = statement.index("<TxDtls>"), statement.index("</TxDtls>") + 9
    second = statement[start:end].replace("15700.00", "300.00")

    both = read("iso20022/camt.053.xml", ("</TxDtls>", f"</TxDtls>{second}"))

    amounts = [each.fields["amount"] for each in both.records]
    assert amounts == [15_700, 300]
    assert len({each.fields["transaction_id"] for each in both.records}) == 2


def test_a_reversal_and_what_is_not_booked_are_no_payments() -> None:
    reversed_ = read(
        "iso20022/camt.053.xml", ("<Sts><Cd>BOOK", "<RvslInd>true</RvslInd><Sts><Cd>BOOK")
    )

    assert not reversed_.records
    assert reasons(reversed_, "transactions") == {"a reversal of another entry", "not booked yet"}


def test_what_stands_before_the_only_consignment_of_a_report_is_said_of_it() -> None:
    report = (
        "UNH+1+CUSCAR:D:99B:UN'BGM+933+R1+9'DTM+137:20261120:102'RFF+HWB:HWB88'"
        "NAD+CZ+CN1:VAT'NAD+CN+DE123456789:VAT'TDT+20+569++6+XX::3'LOC+8+DEHAM::6'LOC+76+CNSZX::6'"
        "CNI+1'RFF+UCN:S1'GID+1'PAC+10'FTX+AAA+++DRONES'PIA+5+880621:HS'LOC+27+CN'LOC+35+CN'"
        "MEA+AAE+G+KG:100.00'UNT+19+1'"
    )

    read_alone = convert_message("edifact", report.encode(), OPTIONS)

    shipment = fields(read_alone, "shipments")
    assert (shipment["shipment_id"], shipment["consignee_id"]) == ("HWB88", NORDWIND)
    assert (shipment["packages"], shipment["gross_mass_kg"]) == (10, 100)
    assert fields(read_alone, "documents", 1)["kind"] == "air_waybill"


def test_a_report_of_no_cargo_is_read() -> None:
    nil = "UNH+1+CUSCAR:D:99B:UN'BGM+85+K1+9'TDT+20+954++11++++9122447::11'GIS+NIL:109:95'UNT+5+1'"

    assert convert_message("edifact", nil.encode(), OPTIONS).count_of_records() == {"documents": 1}
