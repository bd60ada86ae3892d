"""Read ISO 20022 payments as transactions: account reports, credit transfers, direct debits.

The namespace of the root names the message and version, such as `camt.053.001.02`; all versions are
read. A payment is linked to a shipment or journey only by its references: if the templates of the
options find no id in them, it is refused as not linked. Other messages, such as status reports and
cancellations, are accepted but create no records.
"""

import re
from collections.abc import Iterator
from itertools import islice

from features.errors import MessageRefused
from features.messages.conversion import Conversion
from features.messages.element import Element
from features.messages.grammar import required
from features.messages.iso20022_grammar import check_element_texts, check_structure
from features.messages.iso20022_payments import Payment, keep_payment
from features.messages.json_tree import is_json_object, json_root
from features.messages.message_reading import MessageReading
from features.messages.options import Options
from features.messages.xml_tree import read_xml

_NAMED = re.compile(r"(?<![a-z])([a-z]{4})\.(\d{3})\.(\d{3})\.(\d{2})(?!\d)", re.ASCII)
# The elements of the message and of its reports, by message type.
_REPORTS = {"camt.052": ("BkToCstmrAcctRpt", "Rpt"), "camt.053": ("BkToCstmrStmt", "Stmt")}
_REPORTS["camt.054"] = ("BkToCstmrDbtCdtNtfctn", "Ntfctn")
# The elements of the message and of its payments, by message type.
_TRANSFERS = {
    "pain.001": ("CstmrCdtTrfInitn", "CdtTrfTxInf"),
    "pain.008": ("CstmrDrctDbtInitn", "DrctDbtTxInf"),
    "pacs.003": ("FIToFICstmrDrctDbt", "DrctDbtTxInf"),
    "pacs.008": ("FIToFICstmrCdtTrf", "CdtTrfTxInf"),
    "pacs.009": ("FICdtTrf", "CdtTrfTxInf"),
}


_OF_ROOT = ("XMLName", "Attrs")


def read_iso20022(message: bytes, options: Options) -> Conversion:
    """Return the transactions of one message in XML or its JSON rendering.

    Raises MessageRefused if the message violates a constraint or the known structure.
    """
    document, business, named = _opened(message, options)
    reading = MessageReading("iso20022", options)
    found = _NAMED.search(named)
    if found is None:
        wanted = "want a Document in a namespace that names a message, as …:camt.053.001.02"
        raise MessageRefused(document.place, wanted, document.line)
    reading.kind = found[0]
    family = f"{found[1]}.{found[2]}"
    check_element_texts(document)
    header = business.first("GrpHdr", "Assgnmt", "MsgHdr")
    if header is not None:
        # Only a group header must have both.
        for wanted in ("MsgId", "CreDtTm") if header.name == "GrpHdr" else ():
            if not header.text_at(wanted):
                raise MessageRefused(header.place, f"want {wanted}", header.line)
        reading.message_id = header.text_at("MsgId", "Id")
        reading.read(header.first("MsgId"), header.first("CreDtTm"))
        reading.sent_at(reading.instant(header.first("CreDtTm")))
    if family in (*_REPORTS, *_TRANSFERS):
        _check_name(business, family, reading.kind)
        check_structure(business, family, int(found[4]))
        for payment in _payments(business, family, reading):
            keep_payment(payment, reading)
    return reading.conversion(document.leaves())


def _opened(message: bytes, options: Options) -> tuple[Element, Element, str]:
    """Return the root, the business message inside it, and the namespace that names it."""
    if is_json_object(message):
        return _opened_json(json_root(message, options.bounds))
    root, named = read_xml(message, options.bounds)
    document = root
    if root.name != "Document":
        # An envelope has a business application header next to the document.
        inner, second = (*islice(root.everywhere("Document"), 2), None, None)[:2]
        if second is not None:
            raise MessageRefused(second.place, "want one Document in an envelope", second.line)
        if (
            inner is None
            and _NAMED.search(named)
            and not any(child.first("GrpHdr", "Assgnmt") is not None for child in root.children)
        ):
            return root, root, named  # a header alone, or a message without its Document
        wanted = "want Document as the root element, or in an envelope"
        if inner is None:
            raise MessageRefused(root.place, wanted, root.line)
        document, named = inner, inner.namespace
    if len(document.children) != 1:
        wanted = "want one business message in Document"
        raise MessageRefused(document.place, wanted, document.line)
    return root, document.children[0], named


def _opened_json(root: Element) -> tuple[Element, Element, str]:
    """Open a JSON rendering of the XML, with the root's name in `XMLName` or a `Document`."""
    wrapped = root.first("Document")
    space = root.text_at("XMLName/Space", "Attrs/Value", "@xmlns", "$schema")
    if wrapped is not None:
        space = space or wrapped.text_at("@xmlns", "XMLName/Space")
        inner = [child for child in wrapped.children if child.children]
    else:
        inner = [each for each in root.children if each.children and each.name not in _OF_ROOT]
    if len(inner) != 1:
        wanted = "want XMLName and Message, or Document, as members of the root"
        raise MessageRefused("/", wanted)
    return root, inner[0], space


def _check_name(business: Element, family: str, kind: str) -> None:
    name = {**_REPORTS, **_TRANSFERS}[family][0]
    written = business.text_at("XMLName/Local") or business.name
    # The first versions used the message identifier as element name.
    if written != kind and not re.fullmatch(rf"{name}(V[0-9]{{2}})?", written):
        raise MessageRefused(business.place, f"want {name}, as the namespace says", business.line)
    if not business.every("GrpHdr"):
        raise MessageRefused(business.place, "want GrpHdr", business.line)


def _payments(business: Element, family: str, reading: MessageReading) -> Iterator[Payment]:
    if family in _REPORTS:
        name = _REPORTS[family][1]
        reports = business.every(name)
        if not reports:
            raise MessageRefused(business.place, f"want {name}", business.line)
        for report in reports:
            yield from _entries(report, reading)
        return
    _check_sums(business, _TRANSFERS[family][1], reading)
    for batch in business.every("PmtInf") or [business]:
        for transfer in batch.every(_TRANSFERS[family][1]):
            around = (batch, business.first("GrpHdr") or business)
            yield Payment(transfer, around, is_debit=None)


def _entries(report: Element, reading: MessageReading) -> Iterator[Payment]:
    """Yield one payment for each detail of an entry, or one for an entry without details."""
    if report.first("Acct/Id/IBAN", "Acct/Id/Othr/Id", "Acct/Id/PrtryAcct/Id") is None:
        raise MessageRefused(report.place, "want Acct/Id", report.line)
    for entry in report.every("Ntry"):
        for wanted in ("Amt", "CdtDbtInd", "Sts"):
            required(entry, wanted)
        details = entry.every("NtryDtls/TxDtls")
        is_debit = entry.text_at("CdtDbtInd") == "DBIT"
        reading.read(entry.first("CdtDbtInd"))
        # The amount and reference of an entry apply to its only payment.
        is_alone = len(details) < 2
        for detail in details or [entry]:
            yield Payment(detail, (entry, report), is_debit, is_alone)


def _check_sums(business: Element, name: str, reading: MessageReading) -> None:
    """Check the header's count and that each payment has an identification.

    A wrong count is only a remark; a missing count or identification raises MessageRefused.
    """
    header = required(business, "GrpHdr/NbOfTxs")
    transfers = business.every(f"PmtInf/{name}") or business.every(name)
    if header.text != str(len(transfers)):
        reading.remark(header, f"counts otherwise than the {len(transfers)} {name} that follow")
    reading.read(header)
    for transfer in transfers:
        required(transfer, "PmtId")
