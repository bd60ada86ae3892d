"""Which part of a kept message concerns which consignment, whatever its standard."""

import pytest

from features.messages.concerned_parts import concerned_parts
from features.messages.conversion import GIVEN
from features.messages.encoded_message import Leftovers
from serving.scoring.message_plan import ReadMessage, concerned_at, placed_records
from tests.features.messages.test_redaction import RIGHT, SAMPLES, kept

FIRST, SECOND = ("shipment", "AC4711"), ("shipment", "AC4712")
MANIFEST = (SAMPLES / "edifact" / "cuscar.edi").read_text()


class Parted:
    """A message with the parts of its text."""

    def __init__(self, format: str, message: str | bytes):
        conversion, self.redacted = kept(format, message)
        self.records = placed_records(ReadMessage(conversion, Leftovers.of(conversion)), ())
        self.parts = concerned_parts(self.redacted, concerned_at(self.records), conversion.refused)

    def of(self, word: str) -> set[tuple[str, str]] | None:
        """The subjects of the part that says a word; None for everyone."""
        at = self.redacted.text.index(word)
        (part,) = (each for each in self.parts if each.start <= at < each.end)
        return None if part.subjects is None else set(part.subjects)


def test_every_part_is_somebodys_and_each_field_lies_in_one_of_its_subject() -> None:
    for file in RIGHT:
        own = Parted(file.parent.name, file.read_bytes())
        text = own.redacted.text
        assert "".join(text[each.start : each.end] for each in own.parts) == text
        for record in own.records:
            for place in set(record.places.values()) - {GIVEN}:
                span = own.redacted.spans[place]
                subjects = next(each for each in own.parts if each.end >= span.end).subjects
                subject = (record.subject_kind, record.subject_id)
                assert subjects is None or subject in subjects, (file.name, place)


@pytest.mark.parametrize("between", ["\n", ""], ids=["lines", "one line"])
def test_each_consignment_of_a_manifest_is_its_own_and_the_header_is_for_everyone(
    between: str,
) -> None:
    own = Parted("edifact", MANIFEST.replace("\n", between))

    assert own.of("UNB+") is None
    assert own.of("LOC+5+TRIST") is None
    assert own.of("UNZ+") is None
    for word in ("CNI+1", "LOC+9+TRIST", "INFLATABLE", "SGP+"):
        assert own.of(word) == {FIRST}
    for word in ("CNI+2", "OUTBOARD", "1,25"):
        assert own.of(word) == {SECOND}
    assert own.of("SEL+HL-4471902") == set()  # of a container, nobody knows whose


def test_several_documents_of_one_consignment_are_apart() -> None:
    apart = MANIFEST.replace("CNI+2+AC4712'\n", "").replace("UNT+38", "UNT+37")

    own = Parted("edifact", apart)

    assert own.of("INFLATABLE") == {FIRST}
    assert own.of("OUTBOARD") == {SECOND}


DOCUMENT = (SAMPLES / "ubl" / "manifest.xml").read_text()


def test_each_shipment_of_a_document_is_its_own() -> None:
    end = DOCUMENT.index("</Manifest>")
    shipment = DOCUMENT[DOCUMENT.index("  <cac:Shipment>") : end]
    other = shipment.replace("AC4711", "AC4712").replace("Outboard", "Inboard")

    own = Parted("ubl", DOCUMENT[:end] + other + DOCUMENT[end:])

    assert (own.of("Outboard"), own.of("Inboard")) == ({FIRST}, {SECOND})
    assert own.of("<cac:Shipment>") == {FIRST}


def test_what_made_no_record_concerns_nobody_who_is_known() -> None:
    statement = Parted("iso20022", (SAMPLES / "iso20022" / "camt.053.xml").read_bytes())
    ships = Parted("ais", (SAMPLES / "ais" / "ships.txt").read_bytes())

    assert statement.of("15700.00</Amt>")
    assert statement.of("42.00</Amt>") == set()
    assert ships.of("53ku8Th2:N2T=4e") == set()
