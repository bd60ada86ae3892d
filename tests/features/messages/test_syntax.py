"""One message in many writings is one message; and what is too large or too clever is refused."""

import json
import re

import pytest

from features.errors import MessageRefused, TidegateError
from features.messages.conversion import Conversion
from features.messages.formats import convert_message
from features.messages.options import Bounds
from features.messages.redaction import redacted
from tests.features.messages.readings import OPTIONS, fields, read, sample

WAYBILL = sample("ubl/waybill.xml").decode()
SAYS_UTF_8 = '<?xml version="1.0" encoding="UTF-8"?>'


def waybill(message: bytes) -> Conversion:
    return convert_message("ubl", message, OPTIONS)


@pytest.mark.parametrize(
    ("declared", "encoding"),
    [
        ("UTF-8", "utf-8"),
        ("UTF-8", "utf-8-sig"),
        ("UTF-16", "utf-16"),
        ("UTF-16", "utf-16-le"),
        ("UTF-16BE", "utf-16-be"),
        ("ISO-8859-1", "latin-1"),
        ("windows-1252", "cp1252"),
        ("Windows-1254", "cp1254"),
        ("ISO8859-9", "iso-8859-9"),
        ("utf8", "utf-8"),
    ],
)
def test_a_message_is_the_same_in_every_encoding(declared: str, encoding: str) -> None:
    text = WAYBILL.replace("Inflatable boats", "Schlauchboote, größer als 5 m")
    declaring = text.replace(SAYS_UTF_8, SAYS_UTF_8.replace("UTF-8", declared))

    encoded = waybill(declaring.encode(encoding))

    assert fields(encoded, "goods_items")["description"] == "Schlauchboote, größer als 5 m"
    assert encoded == waybill(text.encode())


@pytest.mark.parametrize(
    ("message", "line"),
    [
        (SAYS_UTF_8.replace("UTF-8", "EBCDIC") + "<a/>", 1),
        (f"{SAYS_UTF_8}\n<!-- b --><!DOCTYPE a>\n<a/>", 2),
        (f"{SAYS_UTF_8}\n<a>\n</b>", 3),
        (f"{SAYS_UTF_8}\n<a>&unknown;</a>", 2),
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_a_refusal_of_xml_names_the_line(message: str, line: int, encoding: str) -> None:
    if "EBCDIC" in message and encoding == "utf-16":
        return
    with pytest.raises(MessageRefused, match=f"^line {line}\\b"):
        waybill(message.replace("UTF-8", encoding).encode(encoding))


def test_bytes_that_are_no_text_are_refused_with_their_line() -> None:
    with pytest.raises(MessageRefused, match=r"^line 4: want text in utf-8"):
        waybill(WAYBILL.encode().replace(b"WB-1", b"\xff\xff", 1))


def extended(content: str) -> str:
    """The waybill with an extension, which is of whoever wrote it."""
    common = "urn:oasis:names:specification:ubl:schema:xsd:CommonExtensionComponents-2"
    inside = f"<UBLExtension><ExtensionContent>{content}</ExtensionContent></UBLExtension>"
    extension = f'<UBLExtensions xmlns="{common}">{inside}</UBLExtensions>'
    return WAYBILL.replace("<cbc:UBLVersionID>", f"{extension}<cbc:UBLVersionID>")


def test_nothing_is_included_from_elsewhere() -> None:
    include = '<x:include xmlns:x="http://www.w3.org/2001/XInclude" href="/etc/hostname"/>'

    included = waybill(extended(include).encode())

    assert included.count_of_records() == waybill(WAYBILL.encode()).count_of_records()


@pytest.mark.parametrize(
    ("bounds", "says"),
    [
        (Bounds(size=1_000), "want at most 0.0"),
        (Bounds(depth=2), "want at most 2 levels"),
        (Bounds(elements=20), "want at most 20 elements"),
    ],
)
@pytest.mark.parametrize("name", ["ubl/waybill.xml", "dcsa/ebl.json"])
def test_a_message_beyond_the_bounds_is_refused(name: str, bounds: Bounds, says: str) -> None:
    with pytest.raises(MessageRefused, match=says):
        read(name, bounds=bounds)


@pytest.mark.parametrize(
    "message",
    [b"", b" \n", b"[" * 100_000, b'{"a": NaN}', b'{"a": 1, "a": 2}', b'{"a": 1}', b"[1]", b"7"],
)
def test_json_that_is_no_message_is_refused(message: bytes) -> None:
    with pytest.raises(MessageRefused):
        convert_message("dcsa", message, OPTIONS)


def test_a_member_that_stands_twice_is_refused() -> None:
    with pytest.raises(MessageRefused, match="each member of an object once"):
        read("dcsa/ebl.json", ('"isToOrder"', '"isElectronic"'))


@pytest.mark.parametrize(
    ("before", "after"),
    [("isElectronic", r"is\u001b[2J"), ("Inflatable boats", r"Inflatable \ud800 boats")],
)
def test_json_of_signs_that_cannot_be_written_is_refused(before: str, after: str) -> None:
    with pytest.raises(MessageRefused) as refused:
        read("dcsa/ebl.json", (f'"{before}"', f'"{after}"'))

    assert str(refused.value).isprintable()


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
def test_json_is_the_same_in_every_encoding(encoding: str) -> None:
    for name in ("dcsa/ebl.json", "dcsa/events-2.2.json"):
        encoded = convert_message("dcsa", sample(name).decode().encode(encoding), OPTIONS)
        assert encoded == read(name)


def test_an_empty_list_of_events_is_read_and_makes_nothing() -> None:
    assert not convert_message("dcsa", json.dumps({"events": []}).encode(), OPTIONS).records


def test_an_interchange_is_the_same_however_it_is_laid_out() -> None:
    usual = sample("edifact/codeco.edi").decode()
    lines = usual.replace("\n", "")
    level_b = usual.translate({ord("'"): "\x1c", ord("+"): "\x1d", ord(":"): "\x1f"})
    written = {
        "with a mark of the end of the file": usual + "\x1a",
        "wrapped in the midst of anything": re.sub("(.{40})", r"\1\r\n", lines),
        "with counts of six digits": usual.replace("UNT+10+", "UNT+000010+"),
        "with the signs of syntax level B": level_b.replace("UNOA", "UNOB"),
        "with signs of control by UNA": "UNA\x1f\x1d. \x1d\x1c" + level_b,
    }

    ours = [each.fields for each in read("edifact/codeco.edi").records]
    for how, text in written.items():
        theirs = convert_message("edifact", text.encode(), OPTIONS)
        assert [each.fields for each in theirs.records] == ours, how
        assert redacted("edifact", text.encode(), theirs, OPTIONS.bounds).text, how


def test_a_file_may_hold_several_interchanges() -> None:
    first = sample("edifact/codeco.edi").decode()
    second = first.replace("CD26000044", "CD26000045").replace("MSKU9070323", "TCLU4265766")

    assert len(convert_message("edifact", (first + second).encode(), OPTIONS).records) == 2


@pytest.mark.parametrize(
    ("written", "read_as"),
    [
        ("202611290740?+0100:205", 6),
        ("202611290740?+01:303", 6),
        ("202611290740UTC:303", 7),
        ("20261129074000:204", 7),
        ("261129:101", 0),
    ],
)
def test_a_date_of_edifact_may_be_written_in_many_ways(written: str, read_as: int) -> None:
    moved = read("edifact/codeco.edi", ("202611290740:203", written))

    assert fields(moved, "events")["occurred_at"].hour == read_as


SIGNS = {"'": "~", "+": "*", ":": "^", "?": "!"}


def test_an_interchange_may_choose_its_own_signs() -> None:
    usual = sample("edifact/cuscar.edi").decode().removeprefix("UNA:+.? '")
    others = "UNA^*.! ~" + "".join(SIGNS.get(sign, sign) for sign in usual)

    theirs, ours = convert_message("edifact", others.encode(), OPTIONS), read("edifact/cuscar.edi")

    assert [each.fields for each in theirs.records] == [each.fields for each in ours.records]


@pytest.mark.parametrize(
    ("before", "after", "says"),
    [
        ("UNT+10+1'", "", "want UNT at the end"),
        ("UNT+10+1'", "UNT+10+2'", "segment 11 UNT: want the reference of its UNH"),
        ("UNZ+1+CD", "UNZ+2+CD", "segment 12 UNZ: want the count"),
        ("BGM+36+GO2026118+9'", "", "want the count of its segments"),
        ("EQD+CN", "E?QD+CN", "segment 6: want a tag"),
        (
            "DTM+7:202611290740:203",
            "DTM+7:202602300740:203",
            "segment 8 DTM, element 1, component 2",
        ),
        ("UNZ+1+CD26000044'", "UNZ+1+CD26000044", "want ' at its end"),
        ("UNZ+1+CD26000044'", "", "segment 11 UNT: want UNZ"),
        ("261129:0900", "261329:0900", "segment 1 UNB: want a date and a time"),
        ("UNOA:2", "UNOA:7", "segment 1 UNB: want a version of the syntax from 1 to 4"),
        ("CODECO:D:95B:UN:ITG14", "CODECO", "segment 2 UNH: want a reference, and type, version"),
        ("TDT+1++3+31", "DTM+999:20261329:102", "segment 4 DTM, element 1, component 2"),
        ("CNT+16:1'", "CNT+16:one'", "segment 10 CNT, element 1, component 2: want a number"),
        ("CNT+16:1'", "MOA+40:1.2.3:EUR'", "segment 10 MOA, element 1, component 2: want a number"),
        ("CNT+16:1'", "MOA+40:1:EUX'", "segment 10 MOA, element 1, component 3: want a currency"),
    ],
)
def test_a_refusal_of_edifact_names_the_segment(before: str, after: str, says: str) -> None:
    with pytest.raises(MessageRefused, match=says):
        read("edifact/codeco.edi", (before, after))


@pytest.mark.parametrize(
    ("before", "after", "says"),
    [
        ("UNE+1+G1'", "UNE+2+G1'", "UNE: want the count of its messages, 1"),
        ("UNE+1+G1'", "UNE+1+G2'", "UNE: want the reference of its UNG"),
        ("UNE+1+G1'", "", "UNZ: want UNE at the end of what UNG begins"),
        ("UNE+1+G1'", "UNH+M1+CUSCAR:D:95B'UNT+2+M1'UNE+2+G1'", "that no other message has"),
    ],
)
def test_a_group_is_held_to_its_trailer(before: str, after: str, says: str) -> None:
    with pytest.raises(MessageRefused, match=says):
        read("edifact/cuscar.edi", (before, after))


def test_released_signs_are_part_of_the_text() -> None:
    released = read("edifact/iftmin.edi", ("GYM EQUIPMENT", "GYM?'S ?+ EQUIP?:MENT??"))

    described = fields(released, "shipments")["goods_description"]
    assert described == "GYM'S + EQUIP:MENT? DUMB-BELLS AND BARS"


def test_an_unknown_format_names_the_nearest() -> None:
    with pytest.raises(TidegateError, match="'iso20022'"):
        convert_message("iso2022", b"", OPTIONS)
