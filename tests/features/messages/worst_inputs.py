"""The inputs that cost each reader of messages most, of 14 to 16 MB."""

from collections.abc import Callable
from functools import reduce
from operator import xor

MIB = 1024 * 1024
_UBL = b'<Waybill xmlns="urn:oasis:names:specification:ubl:schema:xsd:Waybill-2"'
_STATEMENT = (
    '<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.02"><BkToCstmrStmt><GrpHdr>'
    "<MsgId>M1</MsgId><CreDtTm>2026-11-30T08:00:00Z</CreDtTm></GrpHdr><Stmt><Id>S</Id>"
    "<CreDtTm>2026-11-30T08:00:00Z</CreDtTm><Acct><Id><IBAN>DE89370400440532013000</IBAN></Id>"
    "</Acct>{entries}</Stmt></BkToCstmrStmt></Document>"
)
_ENTRY = (
    '<Ntry><Amt Ccy="EUR">{n}.00</Amt><CdtDbtInd>CRDT</CdtDbtInd><Sts>BOOK</Sts>'
    "<BookgDt><Dt>2026-11-29</Dt></BookgDt><AcctSvcrRef>R{n}</AcctSvcrRef>"
    "<BkTxCd><Prtry><Cd>X</Cd></Prtry></BkTxCd><NtryDtls><TxDtls>"
    "<Refs><EndToEndId>AC4711</EndToEndId></Refs><RltdPties><Dbtr><Nm>Somebody {n}</Nm></Dbtr>"
    "<DbtrAcct><Id><IBAN>GB29NWBK60161331926819</IBAN></Id></DbtrAcct></RltdPties>"
    "<RmtInf><Ustrd>for AC4711</Ustrd></RmtInf></TxDtls></NtryDtls></Ntry>"
)
_HEAD = b"UNB+UNOA:2+A+B+261129:0800+1'UNH+1+CUSCAR:D:95B:UN'BGM+785+M+9'"


def sentence(number: int, *, heard: bool) -> str:
    """Return a position of AIS; with a time of its own, another one for each number."""
    mmsi = format(200_000_000 + number % 9_000, "030b")
    bits = f"{'000001'}00{mmsi}{'0' * 12}{'0' * 11}{format(6_000_000, '028b')}"
    bits += f"{format(30_000_000, '027b')}{'0' * 52}"
    sixes = [int(bits[at : at + 6], 2) for at in range(0, 168, 6)]
    payload = "".join(chr(six + 48 if six < 40 else six + 56) for six in sixes)
    said = f"!{_with_checksum(f'AIVDM,1,1,,A,{payload},0')}"
    return f"\\{_with_checksum(f'c:{1_796_112_000 + number}')}\\{said}" if heard else said


def _with_checksum(text: str) -> str:
    return f"{text}*{reduce(xor, text.encode(), 0):02X}"


def sentences(count: int, *, heard: bool) -> bytes:
    """Return so many positions, one in a line."""
    return "".join(f"{sentence(number, heard=heard)}\n" for number in range(count)).encode()


def statement(count: int) -> bytes:
    """Return a camt.053 of so many entries."""
    entries = "".join(_ENTRY.format(n=number) for number in range(1, count + 1))
    return _STATEMENT.format(entries=entries).encode()


def manifest(count: int) -> bytes:
    """Return a CUSCAR of so many consignments."""
    one = "CNI+{n}+B{n}'RFF+BM:B{n}'LOC+9+CNSHA'NAD+CZ+++S {n}'GID+1+10:CT'MEA+AAE+G+KGM:9'"
    body = "".join(one.format(n=number) for number in range(count))
    return _HEAD + body.encode() + f"UNT+{6 * count + 3}+1'UNZ+1+1'".encode()


WORST: dict[str, tuple[str, Callable[[], bytes]]] = {
    "items of an array": ("dcsa", lambda: b'{"consignmentItems":[' + b"1," * (7 * MIB) + b"1]}"),
    "empty objects": ("dcsa", lambda: b"[" + b"{}," * (5 * MIB) + b"{}]"),
    "levels": ("dcsa", lambda: b"[" * (8 * MIB)),
    "a text without end": ("dcsa", lambda: b'{"a":"' + b'\\"' * (7 * MIB) + b"," * MIB),
    "long names": ("dcsa", lambda: b'{"' + b"n" * 40_000 + b'":[' + b"1," * 490_000 + b"1]}"),
    "empty elements": ("ubl", lambda: _UBL + b">" + b"<a/>" * (15 * MIB // 4) + b"</Waybill>"),
    "comments": ("ubl", lambda: _UBL + b">" + b"<!---->" * (2 * MIB) + b"</Waybill>"),
    "elements of a waybill": (
        "cargo_xml",
        lambda: b'<Waybill xmlns="iata:waybill:1">' + b"<a/>" * (15 * MIB // 4) + b"</Waybill>",
    ),
    "entries": ("iso20022", lambda: statement(26_000)),
    "segments": ("edifact", lambda: _HEAD + b"U'" * (7 * MIB)),
    "sentences": ("ais", lambda: sentences(1_000, heard=False) * 290),
}
"""By what there is too much of: the format, and the message."""

COSTLIER: dict[str, tuple[str, Callable[[], bytes]]] = {
    "attributes": (
        "ubl",
        lambda: _UBL + b"".join(b' a%x=""' % n for n in range(1_400_000)) + b"></Waybill>",
    ),
    "texts of elements": (
        "cargo_xml",
        lambda: b'<Waybill xmlns="iata:waybill:1">' + b"<a>b</a>" * 490_000 + b"</Waybill>",
    ),
    "components": ("edifact", lambda: _HEAD + (b"UNS" + b"+" * 900 + b"'") * 17_000),
    "consignments": ("edifact", lambda: manifest(60_000)),
    "payments": ("iso20022", lambda: statement(12_000)),
    "positions": ("ais", lambda: sentences(45_000, heard=True)),
    "lines": ("ais", lambda: b"\n" * (15 * MIB) + sentences(1, heard=True)),
}
"""Those that are read for some seconds before they are refused."""
