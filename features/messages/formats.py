"""The supported message standards and the entry point to read them."""

from collections.abc import Callable
from dataclasses import dataclass

from features.errors import TidegateError, nearest_of
from features.messages.ais import read_ais
from features.messages.cargo_xml import read_cargo_xml
from features.messages.conversion import Conversion
from features.messages.dcsa import read_dcsa
from features.messages.edifact import read_edifact
from features.messages.iso20022 import read_iso20022
from features.messages.located_text import (
    LocatedText,
    located_ais,
    located_edifact,
    located_json,
    located_xml,
    located_xml_or_json,
)
from features.messages.options import Bounds, Options
from features.messages.ubl import read_ubl


@dataclass(frozen=True)
class Format:
    """A supported standard, by the name used in commands and URLs.

    `locate` finds the elements of a message in its text.
    """

    name: str
    messages: str
    read: Callable[[bytes, Options], Conversion]
    locate: Callable[[bytes, Bounds], LocatedText]


FORMATS = {
    each.name: each
    for each in (
        Format("ais", "NMEA 0183 sentences of AIS: positions of ships", read_ais, located_ais),
        Format("cargo_xml", "IATA Cargo-XML XFWB, XFZB: air waybills", read_cargo_xml, located_xml),
        Format(
            "dcsa",
            "DCSA booking 2, eBL 3 and its issuance, Track & Trace 2.2 and 3.0, in JSON",
            read_dcsa,
            located_json,
        ),
        Format(
            "edifact",
            "UN/EDIFACT CUSCAR, IFTMIN, IFTMCS, BAPLIE, COARRI, CODECO",
            read_edifact,
            located_edifact,
        ),
        Format(
            "iso20022",
            "ISO 20022 camt.052, 053, 054, pain.001, 008, pacs.003, 008, 009, in XML or JSON",
            read_iso20022,
            located_xml_or_json,
        ),
        Format(
            "ubl",
            "UBL 2: invoices, waybills, bills of lading, manifests, certificates, declarations",
            read_ubl,
            located_xml,
        ),
    )
}


def convert_message(format: str, message: bytes, options: Options) -> Conversion:
    """Return the conversion of one message; the same bytes and options give the same result.

    Raises TidegateError for an unknown format, and MessageRefused if the message violates its
    standard; then no record is created.
    """
    if format not in FORMATS:
        raise TidegateError(f"{format!r} is not a message format; {nearest_of(format, FORMATS)}")
    return FORMATS[format].read(message, options)
