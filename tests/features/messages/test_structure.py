"""What stands where its standard has no room, or lacks what it must have, is refused there."""

import re
from datetime import UTC, datetime
from functools import reduce
from operator import xor

import pytest

from features.errors import MessageRefused
from features.messages.formats import convert_message
from tests.features.messages.readings import OPTIONS, fields, read, sample
from tests.features.messages.test_syntax import extended

TRANSFER = "/CstmrCdtTrfInitn/PmtInf/CdtTrfTxInf"
ENTRY = "/BkToCstmrStmt/Stmt/Ntry[2]"
ID = "<PmtInfId>PI-77-1</PmtInfId>"
AMOUNT = '<InstdAmt Ccy="EUR">2900.50</InstdAmt>'


@pytest.mark.parametrize(
    ("before", "after", "place", "wanted"),
    [
        (ID, "", "/CstmrCdtTrfInitn/PmtInf", "want PmtInfId"),
        (ID, ID + ID, "/CstmrCdtTrfInitn/PmtInf/PmtInfId[2]", "want one PmtInfId"),
        (ID, ID.replace("PI-77-1", ""), "/PmtInf/PmtInfId", "want a text"),
        (
            "DbtrAgt>",
            "DbtrAgnt>",
            "/PmtInf/DbtrAgnt",
            "want no such element; the nearest is 'DbtrAgt'",
        ),
        ("<InitgPty><Nm>Nordwind Boote GmbH</Nm></InitgPty>", "", "/GrpHdr", "want InitgPty"),
        (AMOUNT, "", f"{TRANSFER}/Amt", "want a text or an element"),
        (AMOUNT, AMOUNT.replace("2900.50", "-1"), f"{TRANSFER}/Amt/InstdAmt", "not negative"),
        (AMOUNT, AMOUNT.replace("EUR", "EUX"), f"{TRANSFER}/Amt/InstdAmt", "a currency in Ccy"),
        ("<PmtMtd>TRF", "<PmtMtd>TRX", "/PmtInf/PmtMtd", "want one of CHK DD TRA TRF"),
    ],
)
def test_a_credit_transfer_is_held_to_its_schema(
    before: str, after: str, place: str, wanted: str
) -> None:
    with pytest.raises(MessageRefused) as refused:
        read("iso20022/pain.001.xml", (before, after))

    assert refused.value.place.endswith(place)
    assert wanted in refused.value.wanted
    assert refused.value.line


def test_a_currency_of_old_messages_is_one() -> None:
    assert read("iso20022/pain.001.xml", ('Ccy="EUR"', 'Ccy="DEM"')).refused


def test_what_may_hold_anything_is_not_looked_into() -> None:
    anything = "<SplmtryData><Envlp><Own><Thing/></Own></Envlp></SplmtryData>"
    end = "</CdtTrfTxInf>"

    assert read("iso20022/pacs.008.xml", (end, anything + end)).records


def test_a_later_version_may_have_elements_that_no_table_knows() -> None:
    new = ("<ChrgBr>SHAR</ChrgBr>", "<ChrgBr>SHAR</ChrgBr><Newer>1</Newer>")

    assert read("iso20022/pacs.008.xml", ("008.001.08", "008.001.27"), new).records
    with pytest.raises(MessageRefused, match="Newer: want no such element"):
        read("iso20022/pacs.008.xml", new)


def test_a_first_version_may_be_called_as_its_namespace() -> None:
    message = sample("iso20022/pacs.008.xml").decode()
    first = message.replace("008.001.08", "008.001.01").replace("BICFI", "BIC")
    named = re.sub("FIToFICstmrCdtTrf", "pacs.008.001.01", first)

    assert convert_message("iso20022", named.encode(), OPTIONS).records


def test_the_net_of_entries_needs_no_currency_and_a_balance_does() -> None:
    net = "<TtlNetNtry><Amt>5.00</Amt><CdtDbtInd>CRDT</CdtDbtInd></TtlNetNtry>"
    net = f"<TxsSummry><TtlNtries>{net}</TtlNtries></TxsSummry>"

    assert read("iso20022/camt.053.xml", ("</Bal>", f"</Bal>{net}")).records
    with pytest.raises(MessageRefused, match="Bal/Amt: want an amount"):
        read("iso20022/camt.053.xml", ('<Amt Ccy="EUR">104300.00', "<Amt>104300.00"))


def test_an_extension_of_ubl_is_held_to_nothing_as_one_that_signs() -> None:
    own = 'xmlns="http://uri.etsi.org/01903/v1.3.2#"'
    signed = f"<Signed {own}><SigningTime>2026-11-20T10:00:00Z</SigningTime><ID/><ID/></Signed>"

    assert convert_message("ubl", extended(signed).encode(), OPTIONS).records


INVOICED = "<cbc:IssueDate>2026-11-20</cbc:IssueDate>"
PAYABLE = '<cbc:PayableAmount currencyID="EUR">31400.00</cbc:PayableAmount>'


@pytest.mark.parametrize(
    ("before", "after", "says"),
    [
        (INVOICED, INVOICED * 2, r"/Invoice/IssueDate\[2\]: want one IssueDate"),
        (INVOICED, "<cbc:IssueDate/>", "/Invoice/IssueDate: want a date"),
        ("<cac:Party>", "<cac:Party/><cac:Party>", "AccountingSupplierParty/Party.2.: want one"),
        (PAYABLE, "", "/Invoice/LegalMonetaryTotal: want PayableAmount"),
        (PAYABLE, PAYABLE.replace("31400.00", "3.14e4"), "PayableAmount: want a number"),
        (PAYABLE, PAYABLE.replace("EUR", "EUX"), "want a number with a currency in currencyID"),
        ("InvoiceLine>", "InvoiceLines>", "/Invoice: want InvoiceLine"),
        ("CommonBasicComponents-2", "CommonBasicComponents-1", "UBLVersionID: want an element of"),
    ],
)
def test_an_invoice_is_held_to_its_schema(before: str, after: str, says: str) -> None:
    with pytest.raises(MessageRefused, match=says):
        read("ubl/invoice.xml", (before, after))


@pytest.mark.parametrize("version", ["2", "2.0-prd2", "2.5", "UBL 2.1"])
def test_a_version_of_ubl_2_may_be_written_in_many_ways(version: str) -> None:
    assert read("ubl/invoice.xml", ("VersionID>2.3", f"VersionID>{version}")).records


def test_a_date_without_end_is_left_over() -> None:
    ends = "<cac:InvoicePeriod><cbc:EndDate>9999-12-31</cbc:EndDate></cac:InvoicePeriod>"
    always = "<cac:ValidityPeriod><cbc:EndDate>9999-12-31</cbc:EndDate></cac:ValidityPeriod>"
    invoice = read("ubl/invoice.xml", (INVOICED, INVOICED + ends + always))

    assert "expires_at" not in fields(invoice, "documents")
    assert {each.path: each.why for each in invoice.left_over}[
        "/Invoice/ValidityPeriod/EndDate"
    ] == ("a year that records have no room for")
    with pytest.raises(MessageRefused, match="want a date"):
        read("ubl/invoice.xml", (INVOICED, "<cbc:IssueDate>2026-02-30</cbc:IssueDate>"))


def test_a_transfer_of_no_settlement_date_was_paid_when_it_was_asked_for() -> None:
    asked = read("iso20022/pacs.008.xml", ("<IntrBkSttlmDt>2026-11-19</IntrBkSttlmDt>", ""))

    assert fields(asked, "transactions")["paid_at"] == datetime(2026, 11, 19, 9, tzinfo=UTC)


@pytest.mark.parametrize(
    ("name", "before", "after", "says"),
    [
        ("ebl", '"isToOrder": false,', "", "/: want isToOrder"),
        ("ebl", '"value": 4210', '"value": -4210', "cargoGrossWeight/value: want a number that"),
        ("ebl", '"value": 4210', '"value": "4210"', "cargoGrossWeight/value: want a number that"),
        ("ebl", ', "unit": "KGM"', "", "cargoItems/0/cargoGrossWeight: want unit"),
        (
            "ebl",
            '"equipmentReference": "MSKU9070323",',
            "",
            "cargoItems/0: want equipmentReference",
        ),
        ("ebl", '"EUR"', '"EUX"', "/declaredValueCurrency: want a currency"),
        ("booking", '"receiptTypeAtOrigin": "CY",', "", "/: want receiptTypeAtOrigin"),
        (
            "booking",
            '"units": 1',
            '"units": "one"',
            "/requestedEquipments/0/units: want a number of units",
        ),
        ("booking", '"POL"', '"POX"', "/shipmentLocations/0/locationTypeCode: want one of PRE"),
        ("events-3.0", '"eventClassifier": "ACTUAL",', "", "want eventClassifier"),
        ("events-3.0", '"equipmentEventType":', '"equipmentType":', "want equipmentEventType"),
    ],
)
def test_a_message_of_dcsa_has_what_it_must_have(
    name: str, before: str, after: str, says: str
) -> None:
    with pytest.raises(MessageRefused, match=says):
        read(f"dcsa/{name}.json", (before, after))


def test_a_status_of_a_booking_is_no_whole_booking() -> None:
    status = b'{"bookingStatus": "RECEIVED", "carrierBookingRequestReference": "BK1"}'

    assert convert_message("dcsa", status, OPTIONS).kind == "booking"


def test_a_weight_may_have_its_unit_beside_it() -> None:
    before = '"cargoGrossWeight": {"value": 4210.0, "unit": "KGM"}'
    beside = '"cargoGrossWeight": 4.21, "cargoGrossWeightUnit": "TNE"'

    booked = read("dcsa/booking.json", (before, beside))

    assert fields(booked, "goods_items")["gross_mass_kg"] == 4_210.0


WEIGHT = '<IncludedTareGrossWeightMeasure unitCode="LBR">551.2</IncludedTareGrossWeightMeasure>'


@pytest.mark.parametrize(
    ("before", "after", "says"),
    [
        (WEIGHT, "", "/MasterConsignment: want IncludedTareGrossWeightMeasure"),
        (WEIGHT, WEIGHT.replace("551.2", "-551.2"), "in unitCode, not negative"),
        (WEIGHT, WEIGHT.replace("551.2", ""), "want a number with a unit"),
        ("<VersionID>3.00</VersionID>", "", "/MessageHeaderDocument: want VersionID"),
        ("<ID>999-12345675<", "<ID>999-1234567<", "BusinessHeaderDocument/ID: want the number of"),
        ("<OriginLocation><ID>SZX", "<OriginLocation><ID>SZ", "OriginLocation/ID: want the code"),
        ("<TotalPieceQuantity>5", "<TotalPieceQuantity>5.5", "TotalPieceQuantity: want a count"),
        ('currencyID="USD"', 'currencyID="USX"', "want a number with a currency in currencyID"),
        ('xmlns="iata:datamodel:3"', 'xmlns="urn:else"', "want an element of iata:datamodel"),
    ],
)
def test_an_air_waybill_has_what_it_must_have(before: str, after: str, says: str) -> None:
    with pytest.raises(MessageRefused, match=says):
        read("cargo_xml/xfwb.xml", (before, after))


POSITION = "!AIVDM,1,1,,A,13HOI:0P0000VOHLCnHQKwvL05Ip,0*23"


@pytest.mark.parametrize(
    ("sentence", "wanted"),
    [
        (POSITION.replace("*23", "*24"), "want the checksum of its sentence"),
        ("!AIVDM,1,1,,A,13HOI:0P0000VOHL,0*2D", "want a payload that is whole"),
        ("!AIVDM,1,1,,A,1~~~I:0P0000VOHLCnHQKwvL05Ip,0*69", "want a payload that is whole"),
        ("!AIVDM,2,1,9,B,53nFBv01SJ<thHp6220H4heHTf2222222222221?50:454o<`9QSlUDp,0*09", "want 2"),
    ],
)
def test_a_text_of_which_no_sentence_can_be_read_is_refused_whole(
    sentence: str, wanted: str
) -> None:
    with pytest.raises(MessageRefused, match=f"^line 1: {wanted}"):
        convert_message("ais", sentence.encode(), OPTIONS)

    beside = convert_message("ais", f"{POSITION}\n{sentence}".encode(), OPTIONS)
    assert any(each.place == "line 2" for each in beside.refused)


@pytest.mark.parametrize(("checksum", "is_known"), [("*03", True), ("", True), ("*00", False)])
def test_a_time_is_taken_from_a_tag_block_whose_checksum_is_its_own(
    checksum: str, is_known: bool
) -> None:
    tagged = f"\\s:rx1,c:1609459200{checksum}\\{POSITION}"

    assert bool(convert_message("ais", tagged.encode(), OPTIONS).records) is is_known


def part(number: int, second: int, payload: str) -> str:
    """One of two sentences under the id 4, heard at a second."""
    said = f"AIVDM,2,{number},4,A,{payload},0"
    return f"\\c:16094592{second:02d}\\!{said}*{reduce(xor, said.encode(), 0):02X}"


@pytest.mark.parametrize("lost", [1, 2])
def test_a_message_that_lost_a_sentence_lends_nothing_to_the_next_of_its_id(lost: int) -> None:
    whole = (part(1, 50, "13HOI:0P0000VO"), part(2, 51, "HLCnHQKwvL05Ip"))
    left = part(3 - lost, 10, "13HOI:0P0000VO" if lost == 2 else "0000000000000")

    heard = convert_message("ais", "\n".join([left, *whole]).encode(), OPTIONS)

    assert [each.reasons for each in heard.refused] == [("want 2 sentences of this message",)]
    assert heard.refused[0].place == "line 1"
    assert fields(heard, "positions")["observed_at"] == datetime(2021, 1, 1, 0, 0, 50, tzinfo=UTC)


def test_a_sentence_of_three_is_none_of_two() -> None:
    of_three = part(2, 10, "00").replace("AIVDM,2", "AIVDM,3")
    sent = (part(1, 50, "13HOI:0P0000VO"), of_three, part(2, 51, "HLCnHQKwvL05Ip"))

    heard = convert_message("ais", "\n".join([*sent, sent[0], sent[2]]).encode(), OPTIONS)

    assert len(heard.records) == 1
    assert [each.place for each in heard.refused] == ["line 1", "line 2", "line 3"]


def test_another_root_in_the_place_of_a_document_is_refused() -> None:
    with pytest.raises(MessageRefused, match="/Doc: want Document as the root element"):
        read("iso20022/pain.002.xml", ("Document", "Doc"))


def test_an_envelope_holds_one_document() -> None:
    document = "</Document>"
    second = f'{document}<Document xmlns="urn:iso:std:iso:20022:tech:xsd:pacs.008.001.08"/>'

    with pytest.raises(MessageRefused, match=r"Document.2.: want one Document in an envelope"):
        read("iso20022/pacs.008.xml", (document, second))


@pytest.mark.parametrize(
    ("before", "after", "says"),
    [
        ('"MsgId"', '"MsgRef"', "/Message/GrpHdr: want MsgId"),
        ('"CdtDbtInd"', '"CdtDbtIndicator"', "want CdtDbtInd"),
        ('"EUR"', '"EUX"', "want a currency"),
    ],
)
def test_a_rendering_in_json_is_held_to_the_same(before: str, after: str, says: str) -> None:
    with pytest.raises(MessageRefused, match=says):
        read("iso20022/camt.054.json", (before, after))


def test_a_status_report_too_has_its_header() -> None:
    with pytest.raises(MessageRefused, match="/CstmrPmtStsRpt/GrpHdr: want MsgId"):
        read("iso20022/pain.002.xml", ("<MsgId>SR-1</MsgId>", ""))
