"""What may be kept of a message: all places of fields, and nothing that tells of a person."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import pytest

from features.messages.conversion import GIVEN, Conversion
from features.messages.formats import FORMATS, convert_message
from features.messages.located_text import WITHHELD, NotLocated
from features.messages.options import Options
from features.messages.redaction import NO_TEXT, RedactedText, redacted
from tests.conformance.trial_of_samples import AnyReference

SAMPLES = Path(__file__).parents[2] / "conformance" / "samples"
NOW = datetime(2026, 11, 24, tzinfo=UTC)
OPTIONS = Options(
    key=bytes(32), received_at=NOW, heard_at=NOW, shipment_pattern=AnyReference("any")
)
RIGHT = sorted(file for file in SAMPLES.glob("*/*") if not file.name.startswith("wrong"))
WAYBILL = (SAMPLES / "ubl" / "waybill.xml").read_text()
IFTMIN = (SAMPLES / "edifact" / "iftmin.edi").read_text()


class Kept(NamedTuple):
    """A message as it was read, and what is kept of it."""

    conversion: Conversion
    text: RedactedText

    def at(self, record_type: str, field: str) -> str:
        """What the kept text says where a field of the first record of a type came from."""
        made = next(each for each in self.conversion.records if each.record_type == record_type)
        span = self.text.spans[made.places[field]]
        return self.text.text[span.start : span.end]


def kept(format: str, message: str | bytes) -> Kept:
    body = message.encode() if isinstance(message, str) else message
    conversion = convert_message(format, body, OPTIONS)
    return Kept(conversion, redacted(format, body, conversion, OPTIONS.bounds))


@pytest.mark.parametrize("file", RIGHT, ids=lambda file: f"{file.parent.name}/{file.name}")
def test_nothing_that_is_withheld_is_kept_and_every_place_is_found(file: Path) -> None:
    body = file.read_bytes()
    conversion, text = kept(file.parent.name, body)
    located = FORMATS[file.parent.name].locate(body, OPTIONS.bounds)
    withheld = {each.place for each in conversion.withheld}
    secrets = {located.text_in(each.span) for each in located.elements if each.place in withheld}

    assert text.text.count("\n") == located.text.count("\n")
    assert [each for each in secrets if len(each) > 6 and each in text.text] == []
    places = {place for made in conversion.records for place in made.places.values()} - {GIVEN}
    assert places - text.spans.keys() == set()
    lines = located.text.split("\n")
    for element in located.elements:
        if element.place in places and element.place not in withheld and not element.is_tag:
            said = located.text_in(element.span)
            span = text.spans[element.place]
            assert text.text[span.start : span.end] == said
            number = text.text.count("\n", 0, span.start)
            assert said.split("\n")[0] in lines[number]


def test_what_no_element_says_is_blanked() -> None:
    hidden = WAYBILL.replace("<cbc:ID>WB-1", '<!-- for Ann -->\n<cbc:ID writtenBy="Ann">WB-1')
    hidden = hidden.replace("</cac:Shipment>", "</cac:Shipment>ask Ann<?by Ann?>")
    hidden = hidden.replace("Inflatable boats", "<![CDATA[Inflatable boats]]>")

    own = kept("ubl", hidden)

    assert "Ann" not in own.text.text
    assert f'<cbc:ID writtenBy="{WITHHELD}">WB-1</cbc:ID>' in own.text.text
    assert own.at("documents", "number") == "WB-1"
    assert own.at("goods_items", "description") == "<![CDATA[Inflatable boats]]>"
    assert 'currencyID="EUR"' in own.text.text


def test_what_is_left_over_and_repeats_what_is_withheld_is_blanked() -> None:
    again = WAYBILL.replace("<cbc:Name>Boat<", "<cbc:Name>for a  PERSON, by hand<")

    text = kept("ubl", again).text.text

    assert "<cbc:Name>Boat<" in kept("ubl", WAYBILL).text.text
    assert f"<cac:Item><cbc:Name>{WITHHELD}</cbc:Name>" in text
    assert "PERSON" not in text


def test_an_interchange_in_one_line_is_located_by_its_segments() -> None:
    one_line = IFTMIN.replace("\n", "")

    own = kept("edifact", one_line)

    assert own.text.text.count("\n") == 0
    assert own.conversion.records == kept("edifact", IFTMIN).conversion.records
    for name in ("shipment_id", "gross_mass_kg", "hs_code"):
        assert own.at("shipments", name) == kept("edifact", IFTMIN).at("shipments", name)
    assert own.at("shipments", "consignor_id") == WITHHELD


def test_a_number_of_json_that_is_withheld_leaves_json() -> None:

    text = kept("dcsa", (SAMPLES / "dcsa" / "ebl.json").read_bytes()).text.text

    assert WITHHELD in text
    assert json.loads(text)


def test_of_a_message_that_is_not_located_nothing_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    def not_located(*_: object) -> None:
        raise NotLocated

    monkeypatch.setitem(FORMATS, "ubl", replace(FORMATS["ubl"], locate=not_located))

    assert kept("ubl", WAYBILL).text == NO_TEXT
