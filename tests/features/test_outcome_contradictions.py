"""Which outcomes contradict themselves, as a record and in a file: by name, nothing is kept."""

from datetime import UTC, datetime
from itertools import product
from pathlib import Path
from typing import Any, get_args

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pydantic import ValidationError

from features.errors import RecordsError
from features.ingest.record_files import check_record_file, read_records
from features.offences import NOT_SMUGGLING, OFFENCES, SEEN_IN_DOCUMENTS, offences_in
from features.outcome_contradictions import contradiction
from features.records import Examination, Outcome, Result

NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)
CSV = "subject_kind,subject_id,selected_by,inspected_at,known_at,result"


def outcome(**changes: Any) -> dict[str, Any]:
    return {
        "subject_kind": "shipment",
        "subject_id": "S-1",
        "selected_by": "random",
        "inspected_at": NOON,
        "known_at": NOON,
        "result": "confirmed",
    } | changes


AGREEING = [
    {},
    {"offences": "drugs"},
    {"offences": "drugs|document_fraud", "examination": "canine", "depth": "partial"},
    {"offences": "undervaluation", "examination": "documents"},
    {"offences": "counterfeit", "examination": "post_clearance"},
    {"offences": "migrant_smuggling trafficking_in_persons", "found_persons": 4},
    {"found_mass_kg": 14.5, "found_items": 2, "examination": "scan"},
    {"result": "other_offence", "offences": "trafficking_in_persons", "found_persons": 1},
    {"result": "other_offence", "offences": "document_fraud", "examination": "documents"},
    {"result": "not_confirmed", "examination": "physical", "depth": "full", "found_items": 0},
    {"result": "inconclusive", "examination": "documents"},
    {"result": "documents_irregular", "offences": "document_fraud undervaluation"},
    {"result": "documents_in_order", "examination": "post_clearance"},
]
CONTRADICTORY = [
    ({"result": "not_confirmed", "offences": "drugs"}, "offences", "name drugs"),
    ({"result": "not_confirmed", "offences": "other"}, "offences", "name other"),
    ({"result": "inconclusive", "offences": "cash"}, "offences", "name cash"),
    ({"result": "documents_in_order", "offences": "other"}, "offences", "name other"),
    ({"offences": "document_fraud other"}, "offences", "name no smuggling"),
    ({"result": "other_offence"}, "offences", "are not named"),
    ({"result": "other_offence", "offences": "other arms"}, "offences", "name arms, which is"),
    ({"result": "documents_irregular", "offences": "drugs"}, "offences", "documents alone"),
    ({"examination": "documents", "offences": "drugs"}, "examination", "was of documents alone"),
    ({"examination": "documents", "found_mass_kg": 3.0}, "examination", "was of documents alone"),
    ({"result": "not_confirmed", "examination": "documents"}, "examination", "documents_in_order"),
    ({"result": "documents_in_order", "examination": "scan"}, "examination", "more than a check"),
    ({"result": "not_confirmed", "found_persons": 2}, "found_persons", "something was found"),
    ({"result": "documents_irregular", "found_items": 1}, "found_items", "something was found"),
]


@pytest.mark.parametrize("said", AGREEING, ids=str)
def test_an_outcome_that_agrees_with_itself_is_a_record(said: dict[str, Any]) -> None:
    assert Outcome(**outcome(**said)).result == said.get("result", "confirmed")


@pytest.mark.parametrize(("said", "field", "why"), CONTRADICTORY, ids=str)
def test_a_contradictory_outcome_is_refused_by_name(
    said: dict[str, Any], field: str, why: str
) -> None:
    with pytest.raises(ValidationError) as refused:
        Outcome(**outcome(**said))

    (wrong,) = refused.value.errors()
    assert wrong["type"] == "contradiction"
    assert wrong["msg"].startswith(field)
    assert why in wrong["msg"]


def test_a_file_names_every_contradictory_row_and_keeps_the_others(tmp_path: Path) -> None:
    rows = [
        outcome(subject_id=f"S-{row}") | said
        for row, said in enumerate([*AGREEING, *(said for said, _, _ in CONTRADICTORY)])
    ]
    file = tmp_path / "outcomes.parquet"
    pq.write_table(pa.Table.from_pylist(rows, pa.schema(SCHEMA)), file)

    checked = check_record_file(file, "outcomes")

    assert sorted(checked.why) == [*range(len(AGREEING), len(rows))]
    for row, (_, field, why) in enumerate(CONTRADICTORY, len(AGREEING)):
        (told,) = checked.why[row]
        assert told.startswith(f"{field}: ")
        assert why in told
    with pytest.raises(RecordsError, match=r"row 14, offences: name drugs"):
        read_records(tmp_path, "outcomes")


def test_an_outcome_of_a_subject_that_could_not_be_selected_is_set_aside(tmp_path: Path) -> None:
    file = tmp_path / "outcomes.parquet"
    rows = [
        outcome(subject_id="S-1", selection_probability=0.001),
        outcome(subject_id="S-2", selection_probability=0.0),
    ]
    schema = pa.schema([*SCHEMA, ("selection_probability", pa.float64())])
    pq.write_table(pa.Table.from_pylist(rows, schema), file)

    assert check_record_file(file, "outcomes").why == {
        1: ("selection_probability: is 0, and the subject was selected",),
    }


SCHEMA = [
    *((name, pa.string()) for name in ("subject_kind", "subject_id", "selected_by", "result")),
    *((name, pa.timestamp("us", tz="UTC")) for name in ("inspected_at", "known_at")),
    *((name, pa.string()) for name in ("offences", "examination", "depth")),
    *(("found_mass_kg", pa.float64()), ("found_items", pa.int64()), ("found_persons", pa.int64())),
]


def test_every_way_of_saying_it_is_judged_alike_as_a_record_and_in_a_file(tmp_path: Path) -> None:
    ways = [
        {"result": result, "offences": offences, "examination": examination}
        for result, offences, examination in product(
            get_args(Result), (None, *OFFENCES), (None, *get_args(Examination))
        )
    ]
    file = tmp_path / "outcomes.parquet"
    rows = [outcome(subject_id=f"S-{row}") | said for row, said in enumerate(ways)]
    pq.write_table(pa.Table.from_pylist(rows, pa.schema(SCHEMA)), file)

    wrong = {row for row, said in enumerate(ways) if contradiction(*said.values(), ())}

    assert 0 < len(wrong) < len(ways)
    assert {*check_record_file(file, "outcomes").why} == wrong
    for row, said in enumerate(ways):
        assert _is_refused(said) == (row in wrong)


def _is_refused(said: dict[str, Any]) -> bool:
    try:
        Outcome(**outcome(**said))
    except ValidationError:
        return True
    return False


def test_an_unknown_offence_is_refused_with_the_list_and_without_what_was_given(
    tmp_path: Path,
) -> None:
    (tmp_path / "outcomes.csv").write_text(
        f"{CSV},offences\nshipment,S-1,random,{NOON.isoformat()},{NOON.isoformat()},confirmed,piracy\n"
    )

    with pytest.raises(RecordsError) as refused:
        read_records(tmp_path, "outcomes")
    with pytest.raises(ValidationError, match="migrant_smuggling"):
        Outcome(**outcome(offences="piracy"))

    assert "row 1, offences: does not look like" in str(refused.value)
    assert "migrant_smuggling" in str(refused.value)
    assert "piracy" not in str(refused.value)


def test_a_file_from_before_offences_were_recorded_is_read(tmp_path: Path) -> None:
    line = f"shipment,S-1,random,{NOON.isoformat()},{NOON.isoformat()},not_confirmed"
    (tmp_path / "outcomes.csv").write_text(f"{CSV}\n{line}\n")

    (read,) = read_records(tmp_path, "outcomes").to_pylist()

    assert (read["result"], read["offences"], read["examination"]) == ("not_confirmed", None, None)


@pytest.mark.parametrize("codes", ["tobacco document_fraud", "document_fraud|tobacco"])
def test_offences_are_separated_by_a_blank_or_a_bar(codes: str) -> None:
    assert offences_in(codes) == ("tobacco", "document_fraud")
    assert offences_in(Outcome(**outcome(offences=codes)).offences) == offences_in(codes)


def test_an_offence_is_smuggling_or_it_is_not_and_some_are_seen_in_documents() -> None:
    assert {*OFFENCES} > NOT_SMUGGLING
    assert {*OFFENCES} > SEEN_IN_DOCUMENTS
    assert "migrant_smuggling" not in NOT_SMUGGLING | SEEN_IN_DOCUMENTS
