"""A draft says which column is which field, in the jargon of several languages, and how sure."""

import csv
import re
from pathlib import Path
from typing import Any

import pytest

from features.errors import TidegateError
from features.mapping.drafting.mapping_draft import MappingDraft, write_mapping_draft
from features.mapping.mapping import MappingFile
from features.records import RECORD_FILES

ROWS = 40
CONTAINERS = ("MSKU9070323", "CSQU3054383", "TGHU1234567", "MSCU6639870")
IBANS = ("DE89370400440532013000", "GB82WEST12345698765432", "FR1420041010050500013M02606")

ENGLISH = {
    "Declaration No": ("shipment_id", lambda at: f"26GB{at:06d}"),
    "Acceptance Date": ("declared_at", lambda at: f"2026-03-{at % 28 + 1:02d} 10:00"),
    "Exporter": ("consignor_id", lambda at: f"X{at % 7}"),
    "Importer": ("consignee_id", lambda at: f"GB{at % 5}"),
    "Tariff Code": ("hs_code", lambda at: f"89031{at % 9}0000"),
    "Country of Origin": ("origin_country", lambda at: ("CN", "TR")[at % 2]),
    "Country of Dispatch": ("dispatch_country", lambda at: ("CN", "TR", "NL")[at % 3]),
    "Dest. Country": ("destination_country", lambda at: "GB"),
    "Gross Weight LBS": ("gross_mass_kg", lambda at: f"{at}.5"),
    "Net Wt (kg)": ("net_mass_kg", lambda at: f"{at}.25"),
    "No of Packages": ("packages", str),
    "Customs Value kEUR": ("declared_value", lambda at: f"{at}.1"),
    "Container": ("container_number", lambda at: CONTAINERS[at % 4]),
    "Duty Rate": ("tax_rate", lambda at: "4.7"),
}
PORTUGUESE = {
    "N.º da Declaração": ("shipment_id", lambda at: f"26PT{at:06d}"),
    "Data da Declaração": ("declared_at", lambda at: f"{at % 28 + 1:02d}/03/2026"),
    "Exportador": ("consignor_id", lambda at: f"X{at % 7}"),
    "Importador": ("consignee_id", lambda at: f"PT{at % 5}"),
    "Código Pautal": ("hs_code", lambda at: f"8903{at % 90 + 10}"),
    "País de Origem": ("origin_country", lambda at: ("CN", "TR")[at % 2]),
    "País de Destino": ("destination_country", lambda at: "PT"),
    "Peso Bruto": ("gross_mass_kg", lambda at: f"{at}.5"),
    "Peso Líquido": ("net_mass_kg", lambda at: f"{at}.25"),
    "Volumes": ("packages", str),
    "Moeda": ("currency", lambda at: ("EUR", "USD")[at % 2]),
    "Selo": ("seal_number", lambda at: f"HL-{at}"),
}
GERMAN = {
    "Anmeldung Nr": ("shipment_id", lambda at: f"26DE{at:06d}"),
    "Anmeldedatum": ("declared_at", lambda at: f"{at % 28 + 1:02d}.03.2026"),
    "Versender": ("consignor_id", lambda at: f"X{at % 7}"),
    "Empfänger": ("consignee_id", lambda at: f"DE{at % 5}"),
    "Warennummer": ("hs_code", lambda at: f"8903{at % 90 + 10}00"),
    "Ursprungsland": ("origin_country", lambda at: ("CN", "TR")[at % 2]),
    "Versendungsland": ("dispatch_country", lambda at: ("CN", "NL")[at % 2]),
    "Rohmasse brutto": ("gross_mass_kg", lambda at: f"{at}.5"),
    "Zollstelle": ("office_id", lambda at: f"DE00{at % 3}"),
    "Warenbezeichnung": ("goods_description", lambda at: f"boats of {at} m"),
}
PAYMENTS = {
    "Payment ID": ("transaction_id", lambda at: f"P{at}"),
    "Declaration ID": ("subject_id", lambda at: f"S{at % 9}"),
    "Debtor ID": ("payer_id", lambda at: f"X{at % 7}"),
    "Creditor ID": ("payee_id", lambda at: f"Y{at % 7}"),
    "Amount": ("amount", lambda at: f"{at}.00"),
    "Currency": ("currency", lambda at: "EUR"),
    "Booking Date": ("paid_at", lambda at: f"2026-03-{at % 28 + 1:02d}"),
}


def drafted(folder: Path, table: dict[str, Any], **more: Any) -> tuple[MappingDraft, str]:
    """The draft of a table with these columns, and what is written."""
    columns = {name: column[1] for name, column in table.items()} | more
    with (folder / "table.csv").open("w", newline="", encoding="utf-8") as out:
        writer = csv.writer(out, delimiter=";")
        writer.writerow(columns)
        writer.writerows([column(at) for column in columns.values()] for at in range(ROWS))
    draft = write_mapping_draft(folder / "draft.toml", [str(folder / "table.csv")])
    return draft, (folder / "draft.toml").read_text(encoding="utf-8")


def found(draft: MappingDraft, record_type: str) -> dict[str, str]:
    """The field that each column is taken for."""
    (table,) = draft.tables
    (record,) = [each for each in table.records if each.name == record_type]
    return {each.column: each.field for each in record.fields}


@pytest.mark.parametrize(
    ("table", "record_type"),
    [
        (ENGLISH, "shipments"),
        (PORTUGUESE, "shipments"),
        (GERMAN, "shipments"),
        (PAYMENTS, "transactions"),
    ],
)
def test_every_column_is_known_for_its_field(
    tmp_path: Path, table: dict[str, Any], record_type: str
) -> None:
    draft, _ = drafted(tmp_path, table)

    assert found(draft, record_type) == {name: field for name, (field, _) in table.items()}


def test_a_draft_can_be_read_as_a_mapping(tmp_path: Path) -> None:
    _, text = drafted(tmp_path, ENGLISH)

    mapping = MappingFile.read(tmp_path / "draft.toml")

    assert mapping.tables["table"].delimiter == ";"
    (shipments,) = [record for record in mapping.records if record.name == "shipments"]
    assert shipments.fields["gross_mass_kg"].unit == "lb"
    assert shipments.fields["net_mass_kg"].unit is None
    assert shipments.fields["declared_value"].unit == "kEUR"
    assert shipments.fields["declared_at"].format == "%Y-%m-%d %H:%M"
    assert mapping.tables["table"].split == {"Tariff Code": r"(?P<HS6>\d{6})\d*"}
    assert re.search(r"^shipment_id = .* # sure: .*every row has a value of its own$", text, re.M)
    assert re.search(r"^container_number = .*its check digits are right$", text, re.M)


def test_columns_about_persons_are_dropped_and_proposed_for_nothing(tmp_path: Path) -> None:
    draft, text = drafted(
        tmp_path,
        ENGLISH,
        **{
            "Driver": lambda at: f"J{at}",
            "Importer Name": lambda at: f"Roe {at}",
            "Account": lambda at: IBANS[at % 3],
            "Vessel Name": lambda at: f"Aurora {at % 3}",
            "Master Bill": lambda at: f"MB{at}",
        },
    )

    assert draft.tables[0].about_persons == ["Driver", "Importer Name", "Account"]
    assert 'drop = ["Driver", "Importer Name", "Account"]' in text
    assert not {"Driver", "Importer Name", "Account"} & {*found(draft, "shipments")}


def test_a_date_that_may_be_read_in_two_ways_is_said_to_be_so(tmp_path: Path) -> None:
    table = ENGLISH | {"Acceptance Date": ("declared_at", lambda at: f"0{at % 9 + 1}/03/2026")}

    _, text = drafted(tmp_path, table)

    assert "dates are as in %d/%m/%Y, or in %m/%d/%Y" in text
    assert re.search("^declared_at = .* # likely: .*its dates can be read in two ways", text, re.M)


def test_a_required_field_with_empty_rows_is_never_sure(tmp_path: Path) -> None:
    exporter = ("consignor_id", lambda at: "" if at % 10 == 3 else f"X{at % 7}")

    _, text = drafted(tmp_path, ENGLISH | {"Consignor ID": exporter})

    assert re.search("^consignor_id = .* # likely: .*10% of the rows have none", text, re.M)


def test_the_day_of_a_declaration_is_no_sure_instant_of_an_outcome(tmp_path: Path) -> None:
    columns = {
        "Declaration ID": ("shipment_id", lambda at: f"S{at}"),
        "Date": ("declared_at", lambda at: f"2026-03-{at % 28 + 1:02d}"),
        "Office ID": ("office_id", lambda at: "GB1"),
        "Importer": ("consignee_id", lambda at: f"GB{at % 5}"),
        "Exporter": ("consignor_id", lambda at: f"X{at % 7}"),
        "Fraud": ("result", lambda at: ("1", "0")[at % 2]),
        "HS6 Code": ("hs_code", lambda at: "890310"),
        "Country of Origin": ("origin_country", lambda at: "CN"),
        "Country of Departure": ("dispatch_country", lambda at: "CN"),
    }

    draft, text = drafted(tmp_path, columns)

    (table,) = draft.tables
    (outcomes,) = [each for each in table.records if each.name == "outcomes"]
    assert {each.in_words for each in outcomes.instants} == {"guess"}
    assert "it is taken for shipments.declared_at too" in text


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "cp1252"])
def test_a_table_in_another_encoding_is_drafted_in_it(tmp_path: Path, encoding: str) -> None:
    plain, _ = drafted(tmp_path, PORTUGUESE)
    (tmp_path / "draft.toml").unlink()
    text = (tmp_path / "table.csv").read_text(encoding="utf-8")
    (tmp_path / "table.csv").write_bytes(text.encode(encoding))

    again = write_mapping_draft(tmp_path / "draft.toml", [str(tmp_path / "table.csv")])

    assert again.tables[0].written.encoding == encoding
    assert again.tables[0].records == plain.tables[0].records
    is_guessed = "# a guess: it is not UTF-8" in (tmp_path / "draft.toml").read_text("utf-8")
    assert is_guessed == (encoding == "cp1252")


@pytest.mark.parametrize(
    ("delimiter", "gross", "decimal"),
    [
        (";", ("1.234,5", "7,0"), ","),
        (";", ("1234,5", "7"), ","),
        (";", ("1234.5", "7"), None),
        (",", ("1234.5", "7.0"), None),
    ],
)
def test_numbers_with_commas_before_their_decimals_are_known_as_such(
    delimiter: str, gross: tuple[str, str], decimal: str | None, tmp_path: Path
) -> None:
    lines = [("Declaration No", "Exporter", "Importer", "Country of Origin", "Accepted")]
    lines += [(f"S-{at}", "TR-1", "PT-1", "TR", "02.03.2026 10:00") for at in range(2)]
    more = [("Gross Weight LBS", "No of Packages"), (gross[0], "12"), (gross[1], "9")]
    lines = [(*line, *also) for line, also in zip(lines, more, strict=True)]
    file = tmp_path / "declarations.csv"
    file.write_text("".join(f"{delimiter.join(line)}\n" for line in lines))

    draft = write_mapping_draft(tmp_path / "draft.toml", [str(file)])

    (table,) = draft.tables
    assert table.written.decimal == decimal
    fields = {each.field for each in table.records[0].fields}
    assert {"gross_mass_kg", "packages", "declared_at"} <= fields
    assert ('decimal = ","' in (tmp_path / "draft.toml").read_text()) == bool(decimal)


def test_what_is_required_and_not_found_stands_there_to_be_filled_in(tmp_path: Path) -> None:
    _, text = drafted(tmp_path, PAYMENTS)

    assert re.search(r"^# method = .* # required, one of bank_transfer, ", text, re.M)
    assert re.search(r'^# known_at = "" # required', text, re.M)


def test_an_amount_without_a_currency_asks_for_one(tmp_path: Path) -> None:
    value = {"Customs Value": ("declared_value", lambda at: f"{at}.1")}
    table = {name: column for name, column in ENGLISH.items() if "Value" not in name} | value

    _, text = drafted(tmp_path, table)

    assert re.search(r"^# currency = .* # needed beside declared_value", text, re.M)


def test_without_a_table_every_field_stands_there_to_be_filled_in(tmp_path: Path) -> None:
    write_mapping_draft(tmp_path / "draft.toml", [])

    text = (tmp_path / "draft.toml").read_text()
    for name, record in RECORD_FILES.items():
        assert f"# [{name}]" in text
        assert all(f"# {field} = " in text for field in record.model_fields)


@pytest.mark.parametrize("place", ["postgresql://h/d", "missing.csv", "table.xlsx"])
def test_what_cannot_be_looked_at_is_refused_and_nothing_is_written(
    tmp_path: Path, place: str
) -> None:
    with pytest.raises(TidegateError):
        write_mapping_draft(tmp_path / "draft.toml", [place])

    assert not (tmp_path / "draft.toml").exists()
