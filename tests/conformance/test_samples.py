"""Every sample is read or refused as it is meant to be, and what is made of it holds."""

from pathlib import Path

import pytest

from features.errors import MessageRefused
from features.ingest.record_files import read_records
from features.messages.conversion import GIVEN, Conversion, MadeRecord
from features.messages.formats import FORMATS, convert_message
from features.messages.import_files import ImportedFile, drop_repeated_records, write_import
from features.records import RECORD_FILES
from tests.conformance.__main__ import main
from tests.conformance.places import text_at
from tests.conformance.trial_of_samples import BESIDE, OPTIONS, OWN, Tried, tried

FOUND = [*tried(OWN), *(tried(BESIDE) if BESIDE.is_dir() else ())]
READ = [each for each in FOUND if isinstance(each.outcome, Conversion)]
MAKE_NOTHING = ("pain.002.xml", "wrong")


def name_of(each: Tried) -> str:
    return f"{each.standard}-{each.file.name}"


@pytest.mark.parametrize("sample", FOUND, ids=name_of)
def test_a_sample_is_read_or_refused_as_its_name_says(sample: Tried) -> None:
    assert sample.is_as_meant, sample.outcome


def test_there_are_samples_of_every_standard_right_and_wrong() -> None:
    own = {
        (each.standard, each.is_meant_to_be_refused) for each in FOUND if OWN in each.file.parents
    }

    assert own == {(name, is_wrong) for name in FORMATS for is_wrong in (True, False)}


@pytest.mark.parametrize("sample", [each for each in FOUND if each not in READ], ids=name_of)
def test_a_refusal_says_the_place_and_what_is_wanted_and_repeats_nothing(sample: Tried) -> None:
    refusal = sample.outcome

    assert isinstance(refusal, MessageRefused)
    assert refusal.place
    assert refusal.wanted.startswith("want ")
    assert "AC4711" not in str(refusal)


@pytest.mark.parametrize("sample", READ, ids=name_of)
def test_every_own_sample_but_status_reports_makes_records(sample: Tried) -> None:
    is_own = OWN in sample.file.parents

    assert outcome(sample).records or not is_own or sample.file.name in MAKE_NOTHING


@pytest.mark.parametrize("sample", READ, ids=name_of)
def test_a_record_is_accepted_and_every_field_leads_to_its_place(sample: Tried) -> None:
    message = sample.file.read_bytes()
    is_found_elsewhere = sample.file.suffix == ".txt"

    for record in outcome(sample).records[:50]:
        RECORD_FILES[record.record_type].model_validate(record.fields)
        assert record.fields.keys() == record.places.keys()
        for name, place in record.places.items():
            if place == GIVEN or is_found_elsewhere:
                continue
            assert agrees(record, name, text_at(message, sample.file.name, place)), (name, place)


def agrees(record: MadeRecord, name: str, said: str) -> bool:
    """Whether a field may be what is said at its place, as far as plain reading can tell."""
    value = record.fields[name]
    if name in ("goods_description", "description"):
        return str(value).startswith(" ".join(said.replace("?", "").split()))
    if isinstance(value, str) and name in ("number", "hs_code", "commodity_code"):
        return str(value)[:6] in said.replace(".", "") or "_" in value
    if name in ("currency", "container_number", "seal_number"):
        return bool(said)
    return True


@pytest.mark.parametrize("sample", READ, ids=name_of)
def test_nothing_withheld_stands_in_a_record(sample: Tried) -> None:
    message = sample.file.read_bytes()
    conversion = outcome(sample)
    written = [str(value) for each in conversion.records for value in each.fields.values()]
    withheld = {each.place for each in conversion.withheld}
    used = {
        place
        for each in conversion.records
        for place in each.places.values()
        if place != GIVEN and place not in withheld
    }
    # What a message also says elsewhere, as that it is of air or of which office, is no secret.
    elsewhere = {
        text_at(message, sample.file.name, place)
        for place in (*used, *(each.place for each in conversion.left_over))
    }

    for each in conversion.withheld:
        text = text_at(message, sample.file.name, each.place)
        if len(text) > 5 and text not in elsewhere:
            assert not [value for value in written if text == value], each.place


@pytest.mark.parametrize("sample", READ, ids=name_of)
def test_every_element_is_used_left_over_or_withheld_once(sample: Tried) -> None:
    conversion = outcome(sample)
    places = [each.place for each in (*conversion.left_over, *conversion.withheld)]

    assert len(places) == len(set(places))
    if conversion.records:
        assert conversion.elements_used


@pytest.mark.parametrize("standard", FORMATS)
def test_what_a_standard_makes_is_read_as_record_files(standard: str, tmp_path: Path) -> None:
    own = [
        ImportedFile(each.file, each.outcome)
        for each in READ
        if each.standard == standard and OWN in each.file.parents
    ]
    kept = drop_repeated_records(own)

    write_import(kept, standard, tmp_path / "records")

    made = {name: read_records(tmp_path / "records", name).num_rows for name in RECORD_FILES}
    counted = dict.fromkeys(RECORD_FILES, 0)
    for each in kept:
        for record in each.outcome.records if isinstance(each.outcome, Conversion) else ():
            counted[record.record_type] += 1
    assert made == counted
    assert sum(made.values())


@pytest.mark.parametrize("sample", READ[::5], ids=name_of)
def test_reading_twice_makes_the_same(sample: Tried) -> None:
    assert convert_message(sample.standard, sample.file.read_bytes(), OPTIONS) == sample.outcome


def outcome(sample: Tried) -> Conversion:
    assert isinstance(sample.outcome, Conversion)
    return sample.outcome


def test_the_table_of_conformance_ends_with_one_where_a_sample_is_not_as_meant(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "ubl").mkdir()
    right = (OWN / "ubl" / "waybill.xml").read_bytes()
    (tmp_path / "ubl" / "waybill.xml").write_bytes(right)
    as_meant = main([tmp_path])
    (tmp_path / "ubl" / "wrong-waybill.xml").write_bytes(right)

    assert (as_meant, main([tmp_path])) == (0, 1)
    printed = capsys.readouterr().out
    assert "1 of 1" in printed
    assert "wrong-waybill.xml was read" in printed.replace("\n", "")
