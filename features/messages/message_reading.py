"""Collect the records of one message, and which of its elements were used."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from features.errors import MessageRefused
from features.messages.conversion import (
    GIVEN,
    Conversion,
    MadeRecord,
    RefusedRecord,
    UnusedElement,
    Withdrawal,
)
from features.messages.element import Element
from features.messages.functions import ONLY_LOOKED_AT, Function, withdrawn_record
from features.messages.id_templates import IdTemplate
from features.messages.options import Options
from features.messages.parties import PartyNumber, best_party_number, pseudonym
from features.messages.personal_elements import tells_of_a_party
from features.messages.record_drafts import RecordDraft, Value
from features.messages.supersession import drop_superseded
from features.messages.written_values import day_of, decimal_of, has_usual_year, instant_of
from features.records import RECORD_FILES
from features.reference.country_and_currency_codes import CODES
from features.reference.trade_units import CUBIC_METRES, KILOGRAMS

_NO_ID = re.compile(r"[^A-Za-z0-9._:/-]")
_NO_NUMBER = re.compile(r"[^A-Za-z0-9 ._:/-]")
_CONTAINER = re.compile(r"[A-Z]{4}[0-9]{7}")
_MAX_ID, _MAX_COUNT = 64, 10_000_000


class MessageReading:
    """The records, refusals and used elements of one message.

    `numbers_of` yields the numbers of a party of the standard. Methods that read a value raise
    MessageRefused if it is invalid.
    """

    def __init__(
        self,
        standard: str,
        options: Options,
        numbers_of: Callable[[Element], Iterable[PartyNumber]] = lambda _: (),
    ):
        self.options = options
        self._numbers_of = numbers_of
        self.kind = ""
        self.message_id = ""
        self._standard = standard
        self.function: Function = "declares"
        self._records: list[MadeRecord] = []
        self._withdrawals: list[Withdrawal] = []
        self._looked_at: list[MadeRecord] = []
        self._refused: list[RefusedRecord] = []
        self._used: set[int] = set()
        self._pseudonyms: set[int] = set()
        self._why_left: dict[str, str] = {}
        self._naive = 0
        self._remarks: list[str] = []
        self.sent: Value | None = None  # when the message claims to have been sent
        self._parties: dict[str, tuple[str, str]] = {}
        self._subjects: set[Any] = set()
        self._others: set[Any] = set()

    # Creating records

    def keep(self, draft: RecordDraft) -> bool:
        """Store a draft as the message's function requires; return False if it is refused."""
        if self.function == "withdraws" and draft.record_type != "journeys":
            # A withdrawal uses only the identifying fields of a draft.
            withdrawn = withdrawn_record(draft, self.received_at)
            if isinstance(withdrawn, RefusedRecord):
                self._refused.append(withdrawn)
                return False
            self._withdrawals.append(replace(withdrawn, behind=len(self._records)))
            self._note_used(draft.values[name] for name in withdrawn.places)
            return True
        made, left_out = draft.made()
        self._why_left |= left_out
        if isinstance(made, RefusedRecord):
            self._refused.append(made)
            return False
        self._check_number(made, draft.place)
        # Checked for danger to life even though the withdrawal declares no journey.
        if self.function == "withdraws":
            self._looked_at.append(made)
            self.refuse(draft.record_type, draft.place, ONLY_LOOKED_AT)
            return False
        received_at = self.received_at
        if self.function == "amends" and received_at is not None:
            made = replace(made, amended_at=received_at.content)
        self._records.append(made)
        self._note_used(draft.values.values())
        return True

    def _check_number(self, made: MadeRecord, place: str) -> None:
        """Raise MessageRefused if there are too many records so far; each key counts once."""
        record = RECORD_FILES[made.record_type]
        if made.record_type in ("journeys", "shipments"):
            self._subjects.add((made.record_type, made.key))
        elif not record.is_part_of_declaration or made.fields.get(record.known_from) is not None:
            self._others.add((made.record_type, made.identity))
        self.options.bounds.check_records(len(self._subjects), len(self._others), place)

    def _note_used(self, values: Iterable[Value]) -> None:
        for value in values:
            into = self._pseudonyms if value.is_pseudonym else self._used
            into.update(id(element) for element in value.elements)

    def refuse(self, record_type: str, place: str, *reasons: str) -> None:
        """Record that the message part at a location makes no record."""
        self._refused.append(RefusedRecord(record_type, place, reasons))

    def read(self, *elements: Element | None) -> None:
        """Mark elements as used that no field holds but that affect how others are read."""
        self._used.update(id(element) for element in elements if element is not None)

    def leave(self, element: Element, why: str) -> None:
        """Record why an element is left over."""
        self._why_left[element.place] = why

    def remark(self, element: Element, what: str) -> None:
        """Record an oddity that is no reason to refuse the message."""
        self._remarks.append(f"{element.place}: {what}")

    def conversion(self, leaves: Iterable[Element]) -> Conversion:
        """Return the outcome of the message, given all its elements with a text."""
        left, withheld, used = [], [], 0
        for leaf in leaves:
            # Pseudonyms first: an element that also fed another field must still be reported as
            # withheld.
            if id(leaf) in self._pseudonyms:
                withheld.append(UnusedElement(leaf.place, leaf.path, "pseudonym"))
            elif id(leaf) in self._used:
                used += 1
            elif tells_of_a_party(leaf.path):
                withheld.append(UnusedElement(leaf.place, leaf.path, "dropped"))
            else:
                why = self._why_left.get(leaf.place, "no field")
                left.append(UnusedElement(leaf.place, leaf.path, why))
        conversion = Conversion(
            standard=self._standard,
            kind=self.kind,
            message_id="".join(filter(str.isprintable, self.message_id))[:_MAX_ID],
            records=tuple(self._records),
            refused=tuple(self._refused),
            left_over=tuple(left),
            withheld=tuple(withheld),
            remarks=(*self._remarks, *self._assumed()),
            elements_used=used,
            withdrawals=tuple(self._withdrawals),
            looked_at=tuple(self._looked_at),
            parties=self._parties,
        )
        return drop_superseded(conversion)

    def _assumed(self) -> Iterable[str]:
        if self._naive:
            yield f"{self._naive} times without a zone were read in {self.options.zone}"
        if self.options.received_at is None and self.sent is not None:
            yield f"received when it was sent, by {self.sent.place}"

    # Function of the message

    def take_function(self, code: Element | None, functions: Mapping[str, Function]) -> bool:
        """Apply the function that a code stands for; return False if the code is not supported."""
        function = functions.get(code.text.upper() if code is not None else "")
        if function is None:
            assert code is not None, "none said is a first message"
            wanted = " ".join(each for each in functions if each)
            self.leave(code, f"no function that is obeyed: want one of {wanted}")
            self.remark(code, "nothing is made of a message of this function")
            return False
        self.mean(function, code)
        return True

    def mean(self, function: Function, code: Element | None) -> None:
        """Apply a function to all records that follow."""
        self.function = function
        self.read(code)
        if code is not None and function == "withdraws":
            self.remark(code, "what it names is withdrawn, as far as it is known")

    def take_status(self, status: Element | None, functions: Mapping[str, Function]) -> None:
        """Apply the function of a status; a status without one leaves the function unchanged."""
        if status is not None and (function := functions.get(status.text)):
            self.mean(function, status)

    # Time of receipt

    def sent_at(self, value: Value | None) -> None:
        """Record when the message claims to have been sent; the first value counts."""
        self.sent = self.sent or value

    @property
    def received_at(self) -> Value | None:
        """Return when the authority received the message: as given, else when it was sent."""
        given = self.options.received_at
        return Value(given, GIVEN) if given is not None else self.sent

    # Values of elements

    def derived(self, content: Any, *elements: Element | None) -> Value | None:
        """Return a fixed content derived from elements; None if the first element is missing."""
        found = tuple(each for each in elements if each is not None)
        if not elements or elements[0] is None:
            return None
        return Value(content, found[0].place, found)

    def text(self, element: Element | None) -> Value | None:
        """Return free text on one line."""
        if element is None or not element.text:
            return None
        return Value(" ".join(element.text.split()), element.place, (element,))

    def texts(self, elements: Iterable[Element]) -> Value | None:
        """Return the free text of several elements, joined by blanks."""
        found = [each for each in elements if each.text]
        if not found:
            return None
        joined = " ".join(" ".join(each.text for each in found).split())
        return Value(joined, found[0].place, tuple(found))

    def id(self, element: Element | None) -> Value | None:
        """Return an id; characters that are not allowed in ids become `_`."""
        if element is None or not element.text:
            return None
        return Value(plain_id(element.text), element.place, (element,))

    def number_of_document(self, element: Element | None) -> Value | None:
        """Return a document number as printed; characters that are not allowed become `_`."""
        if element is None or not element.text:
            return None
        printed = _NO_NUMBER.sub("_", " ".join(element.text.split()))[:_MAX_ID]
        return Value(printed, element.place, (element,))

    def container(self, element: Element | None) -> Value | None:
        """Return a container number, in the form of ISO 6346 if it is valid."""
        value = self.number_of_document(element)
        if value is None:
            return None
        bare = re.sub(r"[ -]", "", str(value.content).upper())
        content = bare if _CONTAINER.fullmatch(bare) else value.content
        return Value(content, value.place, value.elements)

    def container_as_such(self, element: Element | None) -> Value | None:
        """Return a container number; None if it is not valid in ISO 6346."""
        value = self.container(element)
        return value if value and _CONTAINER.fullmatch(str(value.content)) else None

    def decimal(self, element: Element | None, wanted: str = "a number") -> Value | None:
        """Return a number. Raises MessageRefused if the text is none."""
        if element is None or not element.text:
            return None
        number = decimal_of(element.text)
        if number is None:
            raise MessageRefused(element.place, f"want {wanted}", element.line)
        return Value(number, element.place, (element,))

    def count(self, element: Element | None) -> Value | None:
        """Return a non-negative whole number.

        A fraction or a number above the limit is left over.
        """
        value = self.decimal(element, "a count")
        if value is None or element is None:
            return None
        if value.content != int(value.content) or not 0 <= value.content <= _MAX_COUNT:
            self.leave(element, "no whole number of packages")
            return None
        return Value(int(value.content), value.place, value.elements)

    def mass_kg(self, element: Element | None, unit: str | None = None) -> Value | None:
        """Return a mass in kg, by the unit given or else in the attribute `unitCode`."""
        return self._measure(element, unit, KILOGRAMS)

    def volume_m3(self, element: Element | None, unit: str | None = None) -> Value | None:
        """Return a volume in m3, by the unit given or else in the attribute `unitCode`."""
        return self._measure(element, unit, CUBIC_METRES)

    def _measure(
        self, element: Element | None, unit: str | None, factors: dict[str, float]
    ) -> Value | None:
        value = self.decimal(element)
        if value is None or element is None:
            return None
        code = (unit or element.attributes.get("unitCode", "")).strip().upper()
        if code not in factors:
            self.leave(element, "the unit is not known" if code else "no unit")
            return None
        # Round to twelve digits, so that 2602000 cubic centimetres are exactly 2.602 cubic metres.
        return Value(float(f"{value.content * factors[code]:.12g}"), element.place, value.elements)

    def currency(self, code: str, *elements: Element | None) -> Value | None:
        """Return a currency by its ISO 4217 code; an unknown one is left over."""
        found = tuple(each for each in elements if each is not None)
        if code not in CODES["currencies"] or not found:
            for element in found:
                self.leave(element, "the currency is not known")
            return None
        return Value(code, found[0].place, found)

    def amount(self, element: Element | None) -> Value | None:
        """Return an amount. Raises MessageRefused if the text is no number."""
        return self.decimal(element, "an amount")

    def currency_of_amount(self, element: Element | None) -> Value | None:
        """Return the currency in the attribute of an amount."""
        code = element.attributes.get("currencyID", "") if element is not None else ""
        return self.currency(code, element)

    def country(self, element: Element | None, code: str | None = None) -> Value | None:
        """Return a country by its two-letter ISO 3166-1 code; an unknown one is left over.

        The code is the text of the element, or is given if it is only a part of it.
        """
        if element is None or not element.text:
            return None
        code = (code or element.text).upper()
        if code not in CODES["countries"]:
            self.leave(element, "the country is not known")
            return None
        return Value(code, element.place, (element,))

    def place(self, element: Element | None) -> Value | None:
        """Return a place by its UN/LOCODE or IATA code; anything else is left over."""
        if element is None or not element.text:
            return None
        code = re.sub(r"\s", "", element.text.upper())
        if not re.fullmatch(r"[A-Z]{3}|[A-Z]{2}[A-Z0-9]{3}", code):
            self.leave(element, "no code of a place")
            return None
        return Value(code, element.place, (element,))

    def instant(self, element: Element | None) -> Value | None:
        """Return a date, or date and time; the zone of the options applies if none is stated."""
        if element is None or not element.text:
            return None
        return self._when(element, instant_of(element.text, self.options.zone), (element,))

    def day_and_time(self, day: Element | None, clock: Element | None) -> Value | None:
        """Return a date and a time from two elements; midnight if the time is missing."""
        if day is None or not day.text:
            return None
        if clock is None or not clock.text:
            return self.instant(day)
        written = f"{day.text[:10]}T{clock.text}"
        return self._when(day, instant_of(written, self.options.zone), (day, clock))

    def digits_of_time(self, element: Element | None, written_as: str) -> Value | None:
        """Return a date and time by the format code of UNTDID 2379."""
        if element is None or not element.text:
            return None
        return self._when(element, day_of(element.text, written_as, self.options.zone), (element,))

    def _when(
        self, element: Element, when: tuple[datetime, bool] | None, elements: tuple[Element, ...]
    ) -> Value | None:
        if when is None:
            raise MessageRefused(element.place, "want a date, or a date and time", element.line)
        if not has_usual_year(when[0]):
            self.leave(element, "a year that records have no room for")
            return None
        self._naive += not when[1]
        return Value(when[0], element.place, elements)

    def party_at(self, element: Element | None) -> Value | None:
        """Return the pseudonym of the party that an element describes."""
        return self.party(self._numbers_of(element)) if element is not None else None

    def party(self, numbers: Iterable[PartyNumber]) -> Value | None:
        """Return the pseudonym of a party, from the most specific of its numbers."""
        best = best_party_number(numbers)
        if best is None:
            return None
        name = pseudonym(self.options.key, best.register, best.number)
        self._parties[name] = best.register, best.number
        return Value(name, best.elements[0].place, best.elements, is_pseudonym=True)


def plain_id(text: str) -> str:
    """Return a text as an id: at most 64 characters, with characters not allowed replaced.

    >>> plain_id("{CBR}"), plain_id("TOSL 108")
    ('_CBR_', 'TOSL_108')
    """
    return _NO_ID.sub("_", text.strip())[:_MAX_ID]


def id_in_references(
    template: IdTemplate | None, references: Iterable[Element | None]
) -> Value | None:
    """Return the first id that a template of the options finds in references."""
    for each in references if template else ():
        if template and each is not None and (found := template.find(each.text)):
            return Value(plain_id(found), each.place, (each,))
    return None
