"""Read one payment of an ISO 20022 message as a transaction."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from stdnum.iso7064 import mod_97_10

from features.errors import MessageRefused
from features.messages.element import Element
from features.messages.id_templates import IdTemplate
from features.messages.message_reading import MessageReading, id_in_references, plain_id
from features.messages.parties import PartyNumber, party_numbers, scheme_number
from features.messages.record_drafts import RecordDraft, Value
from features.records import PaymentMethod, Purpose, SubjectKind

Side = Literal["Dbtr", "Cdtr"]

# Structured references come first: they are less ambiguous than free text.
_REFERENCES = (
    "RmtInf/Strd/CdtrRefInf/Ref",
    "RmtInf/Strd/RfrdDocInf/Nb",
    "RmtInf/Ustrd",
    "Refs/EndToEndId",
    "PmtId/EndToEndId",
    "Refs/InstrId",
    "PmtId/InstrId",
    "Refs/TxId",
    "PmtId/TxId",
    "AddtlTxInf",
)
_PURPOSES: dict[str, Purpose] = {
    **dict.fromkeys(("GDDS", "GDSV", "SUPP", "TRAD", "CINV", "COMT"), "goods"),
    **dict.fromkeys(("TRPT", "FREI"), "freight"),
    **dict.fromkeys(("DEPT",), "deposit"),
}
_METHODS: dict[str, PaymentMethod] = {"CCRD": "card", "MCRD": "card", "CNTR": "cash"}
# Placeholders that stand for a missing reference.
_NO_REFERENCE = ("NOTPROVIDED", "NONREF")


@dataclass(frozen=True)
class Payment:
    """A payment: its own elements, and those that enclose it, from the nearest outwards.

    `is_debit` is, for an account entry, whether the account's owner paid; None for a transfer.
    `is_alone` is whether its entry has no other payment.
    """

    own: Element
    around: tuple[Element, Element]
    is_debit: bool | None
    is_alone: bool = False

    @property
    def is_report(self) -> bool:
        """Return whether it is an account entry."""
        return self.is_debit is not None

    def first(self, *paths: str) -> Element | None:
        """Return the first element at the paths, in the payment first and then in its ancestors."""
        for scope in (self.own, *self.around):
            if found := scope.first(*paths):
                return found
        return None


def keep_payment(payment: Payment, reading: MessageReading) -> None:
    """Store a transaction for a payment that has happened and is linked to a subject."""
    if why := _why_it_is_none(payment):
        reading.refuse("transactions", payment.own.place, why)
        return
    draft = RecordDraft("transactions", payment.own.place)
    linked = _subject(payment, reading)
    if linked is None:
        reading.refuse(
            "transactions", payment.own.place, "not linked: no reference names a subject"
        )
        return
    draft.put("subject_kind", linked[0]).put("subject_id", linked[1])
    draft.put("transaction_id", _transaction_id(payment, reading))
    payer, payee = _numbers(payment, "Dbtr"), _numbers(payment, "Cdtr")
    draft.put("payer_id", reading.party(payer)).put("payee_id", reading.party(payee))
    draft.put("payer_country", _country(payment, "Dbtr", reading))
    draft.put("payee_country", _country(payment, "Cdtr", reading))
    iban = _account(payment, "Dbtr", "IBAN")
    if iban is not None:
        is_valid = mod_97_10.is_valid(iban.text[4:] + iban.text[:4])
        draft.put("payer_iban_valid", Value(bool(is_valid), iban.place, (iban,), True))
    _put_amount(draft, payment, reading)
    draft.put("method", _method(payment, reading)).put("purpose", _purpose(payment, reading))
    draft.put("paid_at", _paid_at(payment, reading)).put("known_at", reading.received_at)
    reading.keep(draft)


def _why_it_is_none(payment: Payment) -> str:
    """Return why an entry is not a payment that happened; empty if it is one."""
    if not payment.is_report:
        return ""
    entry = payment.around[0]
    if entry.text_at("Sts", "Sts/Cd") not in ("BOOK", ""):
        return "not booked yet"
    if entry.text_at("RvslInd") in ("true", "1"):
        return "a reversal of another entry"
    return ""


def _subject(payment: Payment, reading: MessageReading) -> tuple[Value, Value] | None:
    """Return the subject that a template finds in the references; shipments take precedence."""
    templates: tuple[tuple[SubjectKind, IdTemplate | None], ...] = (
        ("shipment", reading.options.shipment_pattern),
        ("route", reading.options.journey_pattern),
    )
    for kind, template in templates:
        references = (each for path in _REFERENCES for each in payment.own.every(path))
        if found := id_in_references(template, references):
            return Value(kind, found.place, found.elements), found
    return None


def _transaction_id(payment: Payment, reading: MessageReading) -> Value | None:
    """Return the bank's reference, else one built from message id and location."""
    for path in ("PmtId/UETR", "Refs/UETR", "Refs/AcctSvcrRef", "PmtId/TxId", "Refs/TxId"):
        element = payment.own.first(path)
        if element is not None and element.text not in _NO_REFERENCE:
            return reading.id(element)
    entry = payment.around[0]
    if payment.is_alone and entry.text_at("AcctSvcrRef"):
        return reading.id(entry.first("AcctSvcrRef"))
    place = re.sub(r"[^0-9]+", ".", payment.own.place).strip(".") or "1"
    return Value(f"{plain_id(reading.message_id)[:40]}:{place}"[:64], payment.own.place)


def _numbers(payment: Payment, side: Side) -> Iterator[PartyNumber]:
    """Yield the numbers by which the party on one side may be identified."""
    party = _party(payment, side)
    country = party.first("PstlAdr/Ctry", "CtryOfRes") if party is not None else None
    if party is not None:
        yield from party_numbers("lei", party.first("Id/OrgId/LEI", "FinInstnId/LEI"))
        for other in party.every("Id/OrgId/Othr"):
            scheme = other.text_at("SchmeNm/Cd", "SchmeNm/Prtry")
            yield from scheme_number(scheme, other.first("Id"), country)
        bic = ("Id/OrgId/AnyBIC", "Id/OrgId/BICOrBEI", "FinInstnId/BICFI", "FinInstnId/BIC")
        yield from party_numbers("bic", party.first(*bic))
    yield from party_numbers("iban", _account(payment, side, "IBAN"))
    account = _account(payment, side, "Othr/Id", "PrtryAcct/Id", "BBAN")
    yield from party_numbers("account", account, _bank(payment, side))
    # A natural person (PrvtId) must never be identified by name, not even as a pseudonym.
    if party is not None and party.first("Id/PrvtId") is None:
        yield from party_numbers("name", party.first("Nm"), country)


def _party(payment: Payment, side: Side) -> Element | None:
    paths = (f"RltdPties/{side}/Pty", f"RltdPties/{side}/Agt", f"RltdPties/{side}")
    found = payment.first(*paths, f"{side}/Pty", side)
    if found is None and payment.is_report and _is_owner(payment, side):
        return payment.around[1].first("Acct/Ownr/Pty", "Acct/Ownr")
    return found


def _account(payment: Payment, side: Side, *kinds: str) -> Element | None:
    """Return the account on one side; for the owner of a report, the account reported on."""
    if payment.is_report and _is_owner(payment, side):
        return payment.around[1].first(*(f"Acct/Id/{kind}" for kind in kinds))
    paths = [f"RltdPties/{side}Acct/Id/{kind}" for kind in kinds]
    return payment.first(*paths, *(f"{side}Acct/Id/{kind}" for kind in kinds))


def _is_owner(payment: Payment, side: Side) -> bool:
    own = payment.own.text_at("CdtDbtInd")
    is_debit = own == "DBIT" if own else payment.is_debit
    return (side == "Dbtr") == is_debit


def _country(payment: Payment, side: Side, reading: MessageReading) -> Value | None:
    """Return the country of the account: from its IBAN, else its bank, else the party's address."""
    iban = _account(payment, side, "IBAN")
    if iban is not None:
        value = reading.country(iban, iban.text[:2])
        # The country is part of the IBAN, so its element is reported as a pseudonym, not as used.
        return value and value._replace(is_pseudonym=True)
    bic = _bank(payment, side)
    if bic is not None:
        return reading.country(bic, bic.text[4:6])
    party = _party(payment, side)
    return reading.country(party.first("PstlAdr/Ctry", "CtryOfRes")) if party else None


def _bank(payment: Payment, side: Side) -> Element | None:
    """Return the BIC of the bank on one side."""
    agents = (f"RltdAgts/{side}Agt/FinInstnId", f"{side}Agt/FinInstnId")
    return payment.first(*(f"{agent}/{name}" for agent in agents for name in ("BICFI", "BIC")))


def _put_amount(draft: RecordDraft, payment: Payment, reading: MessageReading) -> None:
    own = ("IntrBkSttlmAmt", "AmtDtls/TxAmt/Amt", "Amt/InstdAmt", "Amt/EqvtAmt/Amt", "InstdAmt")
    amount = payment.own.first(*own)
    if amount is None:
        candidate = payment.own.first("Amt")
        amount = candidate if candidate is not None and candidate.text else None
    if amount is None and payment.is_alone:
        amount = payment.around[0].first("Amt")
    if amount is None:
        return
    # A JSON rendering has no attributes: number and currency are members.
    code = amount.attributes.get("Ccy") or amount.text_at("Ccy", "@Ccy")
    number = amount.first("Value", "value", "#text", "$") or amount
    value = reading.decimal(number, "an amount")
    if value is not None and value.content < 0:
        raise MessageRefused(amount.place, "want an amount that is not negative", amount.line)
    draft.put("amount", value)
    draft.put("currency", reading.currency(code, amount.first("Ccy", "@Ccy") or number))


def _method(payment: Payment, reading: MessageReading) -> Value:
    family = payment.first("BkTxCd/Domn/Fmly/Cd") if payment.is_report else None
    if family is not None and family.text in _METHODS:
        return Value(_METHODS[family.text], family.place, (family,))
    means = payment.first("PmtMtd")
    at = means or payment.own
    return Value("bank_transfer", at.place, (means,) if means else ())


def _purpose(payment: Payment, reading: MessageReading) -> Value | None:
    code = payment.own.first("Purp/Cd")
    return reading.derived(_PURPOSES.get(code.text, "other"), code) if code is not None else None


def _paid_at(payment: Payment, reading: MessageReading) -> Value | None:
    """Return when a payment is booked, settled or executed, else when it was requested."""
    if payment.is_report:
        entry = payment.around[0]
        return reading.instant(entry.first("BookgDt/DtTm", "BookgDt/Dt", "ValDt/DtTm", "ValDt/Dt"))
    settled = payment.first("IntrBkSttlmDt", "ReqdExctnDt/DtTm", "ReqdExctnDt/Dt", "ReqdExctnDt")
    asked = payment.first("ReqdColltnDt", "AccptncDtTm", "CreDtTm")
    return reading.instant(settled or asked)
