"""Constraints on ISO 20022 elements by name, and on which elements contain which."""

import re
from pathlib import Path

from features.messages.codes import CURRENCIES
from features.messages.element import Element
from features.messages.grammar import (
    DATE,
    DATE_AND_TIME,
    NUMBER,
    TRUTH,
    ElementConstraint,
    check_elements,
    matching,
    one_of,
)
from features.messages.structure import read_structure

_STRUCTURE = read_structure(Path(__file__).with_name("iso20022_elements.txt"))
# Versions whose elements are all in the table, so that unknown names are errors.
_VERSIONS_KNOWN = {
    **dict.fromkeys(("camt.052", "camt.053", "camt.054"), range(1, 15)),
    "pain.001": range(3, 14),
    "pain.008": range(2, 11),
    "pacs.003": range(9, 10),
    "pacs.008": range(1, 14),
    "pacs.009": range(10, 11),
}
_DATES = """
    BirthDt DtOfSgntr FnlColltnDt FrDt FrstColltnDt IntrBkSttlmDt PoolgAdjstmntDt RltdDt
    ReqdColltnDt ReqdExctnDt RfrdDocRltdDt ToDt
    """
_TIMES = "AccptncDtTm CdtDtTm CreDtTm DbtDtTm DtTm FrDtTm QtnDtTm ToDtTm TxDtTm"
_TRUTHS = "AmdmntInd BtchBookg ChrgInclInd ComssnWvrInd LastPgInd RvslInd"
_AMOUNTS = """
    CdtNoteAmt ChrgsAmt DscntApldAmt DuePyblAmt InstdAmt IntrBkSttlmAmt RmtdAmt TaxAmt TaxblBaseAmt
    TtlChrgsAndTaxAmt TtlIntrBkSttlmAmt TtlTaxAmt TtlTaxblBaseAmt
    """
_NUMBERS = "CtrlSum ElctrncSeqNb LglSeqNb PreAgrdXchgRate Rate Sum TtlNetNtryAmt XchgRate"
# Maximum lengths of the ISO 20022 text types.
_NAMES_BY_MAX_LENGTH = {
    35: "EndToEndId InstrId MsgId PmtInfId TxId AcctSvcrRef NtryRef MndtId",
    140: "Nm StrtNm Ustrd",
    70: "AdrLine",
    16: "PstCd BldgNb",
}
_DIGITS = re.compile(r"\+?(\d{1,18}(\.\d{0,5})?|\.\d{1,5})", re.ASCII)


def _is_amount(element: Element) -> bool:
    """Return whether an element is a non-negative amount with a currency.

    The net of account entries has the currency of the account, and JSON has it in a sibling.
    """
    code = element.attributes.get("Ccy")
    is_alone = element.path.endswith("/TtlNetNtry/Amt") or element.kind == "number"
    is_known = code in CURRENCIES if code is not None else is_alone
    return is_known and bool(_DIGITS.fullmatch(element.text))


_AMOUNT = ElementConstraint(
    "want an amount that is not negative, with a currency in Ccy", _is_amount
)
_BIC = matching(r"[A-Z0-9]{4}[A-Z]{2}[A-Z0-9]{2}([A-Z0-9]{3})?", "a BIC")
_COUNTRY = matching(r"[A-Z]{2}", "a country code")
_CURRENCY = ElementConstraint("want a currency", lambda element: element.text in CURRENCIES)
_COUNT = matching(r"[0-9]{1,15}", "a count")
_CONSTRAINTS: dict[str, ElementConstraint] = {
    **dict.fromkeys(_DATES.split(), DATE),
    **dict.fromkeys(_TIMES.split(), DATE_AND_TIME),
    **dict.fromkeys(_TRUTHS.split(), TRUTH),
    **dict.fromkeys(_NUMBERS.split(), NUMBER),
    **dict.fromkeys(("Amt", *_AMOUNTS.split()), _AMOUNT),
    **dict.fromkeys(("BIC", "BICFI", "BICOrBEI", "AnyBIC"), _BIC),
    **dict.fromkeys(("Ctry", "CtryOfRes", "CtryOfBirth"), _COUNTRY),
    **dict.fromkeys(("Ccy", "@Ccy", "CcyOfTrf", "SrcCcy", "TrgtCcy", "UnitCcy"), _CURRENCY),
    **dict.fromkeys(("NbOfTxs", "NbOfNtries"), _COUNT),
    **{
        name: matching(rf"[^\x00-\x1f]{{1,{longest}}}", f"at most {longest} characters")
        for longest, names in _NAMES_BY_MAX_LENGTH.items()
        for name in names.split()
    },
    "Dt": DATE,
    "IBAN": matching(r"[A-Z]{2}[0-9]{2}[a-zA-Z0-9]{1,30}", "an IBAN"),
    "LEI": matching(r"[A-Z0-9]{18}[0-9]{2}", "an LEI"),
    "UETR": matching(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "a UUID"),
    "CdtDbtInd": one_of("CRDT DBIT"),
    "ChrgBr": one_of("CRED DEBT SHAR SLEV"),
    "InstrPrty": one_of("HIGH NORM"),
    "PmtMtd": one_of("CHK DD TRA TRF"),
    "SeqTp": one_of("FNAL FRST OOFF RCUR RPRE"),
    "SttlmMtd": one_of("CLRG COVE INDA INGA"),
}


def check_element_texts(document: Element) -> None:
    """Raise MessageRefused at the first text that violates the constraint on its name."""
    check_elements(document.leaves(), _CONSTRAINTS)


def check_structure(business: Element, family: str, version: int) -> None:
    """Raise MessageRefused at the first element that may not be where it is.

    A JSON rendering has extra members of its own, so only mandatory elements are checked.
    """
    if business.kind == "text":
        is_known = version in _VERSIONS_KNOWN[family]
        _STRUCTURE.check_whole(business, family, has_all_names=is_known)
    else:
        _STRUCTURE.check_wanted(business.walk(), family)
