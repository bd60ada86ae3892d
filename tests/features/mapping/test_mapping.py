"""What is wrong with a mapping is said with its line and the nearest right word."""

from pathlib import Path

import pytest

from features.errors import TidegateError
from features.mapping.toml_lines import key_lines
from tests.features.mapping.importing import AT, SHIPMENT, SHIPMENTS, imported, written_csv

WHOLE = SHIPMENTS + AT
"""Its first field is on line 4, what is added to it on line 12."""


@pytest.mark.parametrize(
    ("wrong", "line", "says"),
    [
        ("[shipmets]\n", 12, "[shipmets] is no record type; the nearest is 'shipments'"),
        (
            'net_mas_kg = "ID"\n',
            12,
            "net_mas_kg is no field of this record; the nearest is 'net_mass_kg'",
        ),
        ('driver_name = "ID"\n', 12, "driver_name would describe a person"),
        ('net_mass_kg = "IDD"\n', 12, "there is no column 'IDD'; the nearest is 'ID'"),
        ('where = { IDD = "1" }\n', 12, "there is no column 'IDD'; the nearest is 'ID'"),
        ('join = { u = { ID = "NO" } }\n', 12, "no input is the table 'u'"),
        ("net_mass_kg = 3\n", 12, "want the name of a column"),
        (
            'net_mass_kg = { colum = "ID" }\n',
            12,
            "colum is not understood; the nearest is 'column'",
        ),
        ('net_mass_kg = { unit = "kg" }\n', 12, "want one of column, columns and constant"),
        (
            'net_mass_kg = { column = "ID", unit = "lbs" }\n',
            12,
            "no unit 'lbs'; the nearest is 'lb'",
        ),
        (
            'declared_value = { column = "ID", unit = "kEUA" }\n',
            12,
            "no unit 'kEUA'; want a currency as in EUR, kEUR",
        ),
        ('office_id = { column = "ID", unit = "kg" }\n', 12, "unit is for a quantity or an amount"),
        ('office_id = { column = "ID", zone = "UTC" }\n', 12, "zone is for an instant"),
        ('packages = { column = "ID", pseudonym = "x" }\n', 12, "pseudonym is for a party"),
        ('packages = { column = "ID", zero_pad = 4 }\n', 12, "zero_pad is for codes and ids"),
        ('packages = { column = "ID", when_empty = "few" }\n', 12, "'few' is no int64"),
        ("packages = { constant = -1 }\n", 12, "-1 is below 0"),
        ('currency = { constant = "EURO" }\n', 12, "'EURO' does not look like ^[A-Z]{3}$"),
        (
            'tax_type = { column = "ID", codes = "cods" }\n',
            12,
            "no codes 'cods'; the nearest is 'codes'",
        ),
        ('tax_type = { column = "ID", codes = { 1 = "?!" } }\n', 12, "'?!' does not look like"),
        (
            'tax_type = { column = "ID", otherwise = "x" }\n',
            12,
            "otherwise is for what a list of codes",
        ),
        ("[codes.codes]\n1 = [2]\n", 12, "a list of codes has lines as in"),
        ('[tables.t]\nzon = "UTC"\n', 13, "tables.t.zon is not understood; the nearest is 'zone'"),
        (
            '[tables.t]\nzone = "Europe/Lisbonn"\n',
            13,
            "no time zone 'Europe/Lisbonn'; the nearest is 'Europe/Li",
        ),
        ('[tables.t]\ndrop = ["IDD"]\n', 13, "there is no column 'IDD'"),
        ('[tables.t]\nsplit = { ID = "(x)" }\n', 13, "want a pattern with named groups"),
        ('[tables.t]\nsplit = { ID = "(?P<A>x" }\n', 13, "the pattern cannot be read"),
        ("[tables.tt]\n", 12, "no record comes from the table 'tt'; there are t"),
        (
            '[[documents]]\nfrom = "t"\nkind = { constant = "manifst" }\n',
            14,
            "'manifst' is none of manifest",
        ),
        (
            '[[documents]]\nfrom = "t"\nkind = { constant = "manifst" }\n',
            12,
            "documents.document_id is required, and nothing says where it is",
        ),
        ("[legs]\n", 12, "legs.from is missing"),
    ],
)
def test_a_fault_is_said_with_its_line_and_the_nearest_word(
    tmp_path: Path, wrong: str, line: int, says: str
) -> None:
    (tmp_path / "codes.csv").write_text("code,meaning\n")
    wrong = wrong + ("[codes.codes]\n1 = 'x'\n" if "cods" in wrong else "")

    with pytest.raises(TidegateError) as refusal:
        imported(tmp_path, WHOLE + wrong, str(written_csv(tmp_path, [SHIPMENT])))

    lines = str(refusal.value).splitlines()
    assert any(f"mapping.toml, line {line}: " in each and says in each for each in lines), lines
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("field", "says"),
    [
        (
            'declared_at = { column = "AT", format = "%d.%m.%Y" }\n',
            "a format tells no offset; give a zone",
        ),
        ('declared_at = { column = "AT", format = "%d.%Q", zone = "UTC" }\n', "the format has %Q"),
        (
            'declared_at = { column = "AT", plus = "3 moons" }\n',
            "want a number of days, hours or minutes",
        ),
        (
            'declared_at = { column = "AT", zone = "UTC", at_clock_change = "x" }\n',
            "'refuse', 'earlier' or",
        ),
    ],
)
def test_an_instant_that_cannot_be_followed_is_said_so(
    tmp_path: Path, field: str, says: str
) -> None:
    with pytest.raises(TidegateError, match="line 11") as refusal:
        imported(tmp_path, SHIPMENTS + field, str(written_csv(tmp_path, [SHIPMENT])))

    assert says in str(refusal.value)


def test_everything_that_is_wrong_is_said_at_once(tmp_path: Path) -> None:
    wrong = SHIPMENTS.replace('"HS"', '"HSS"').replace('"DEST"', '"DES"') + AT

    with pytest.raises(TidegateError) as refusal:
        imported(tmp_path, wrong, str(written_csv(tmp_path, [SHIPMENT])))

    assert [each.partition(":")[0][-1] for each in str(refusal.value).splitlines()] == ["7", "0"]


def test_a_column_that_describes_a_person_is_read_into_nothing(tmp_path: Path) -> None:
    row = SHIPMENT | {"VESSEL_NAME": "Aurora"}
    row |= dict.fromkeys(("DRIVER_NAME", "chauffeur", "SURNAME1", "ФИО"), "Jane Roe")
    for column in ("DRIVER_NAME", "chauffeur", "SURNAME1", "ФИО", "VESSEL_NAME"):
        text = f'{WHOLE}goods_description = "{column}"\n'
        if column == "VESSEL_NAME":
            imported(tmp_path, text, str(written_csv(tmp_path, [row])))
            continue
        with pytest.raises(
            TidegateError, match=f"line 12: the column '{column}' is about a person"
        ):
            imported(tmp_path, text, str(written_csv(tmp_path, [row])))


@pytest.mark.parametrize("text", ["[shipments\n", "a = 1\na = 2\n"])
def test_what_is_no_toml_is_said_with_its_line(tmp_path: Path, text: str) -> None:
    with pytest.raises(TidegateError, match="line"):
        imported(tmp_path, text)


def test_an_input_that_is_none_of_the_tables_is_refused_with_the_nearest(tmp_path: Path) -> None:
    both = WHOLE + 'join = { register = { ID = "NO" } }\n'

    with pytest.raises(
        TidegateError, match=r"regster\.csv is not one of the tables t, register; the nearest"
    ):
        imported(tmp_path, both, str(written_csv(tmp_path, [SHIPMENT], "regster.csv")))


def test_codes_are_read_from_a_file_beside_the_mapping(tmp_path: Path) -> None:
    (tmp_path / "ways.csv").write_text("code,meaning\n1,full\n2,?!\n")

    with pytest.raises(TidegateError, match="'\\?!' does not look like"):
        imported(tmp_path, WHOLE + 'tax_type = { column = "ID", codes = "ways.csv" }\n',
                 str(written_csv(tmp_path, [SHIPMENT])))  # fmt: skip


def test_keys_are_found_on_their_lines_whatever_stands_around_them() -> None:
    text = '# [a]\n[a]\n"x = y" = """\n[no]\nk = 1\n"""\nlist = [ # ]\n  1,\n]\n'
    text += "[[b]]\nk.l = 1\n[b.c]\nd = 2\n[[b]]\nk.l = 2\n"

    assert key_lines(text) == {
        ("a",): 2, ("a", "x = y"): 3, ("a", "list"): 7,
        ("b", 0): 10, ("b", 0, "k", "l"): 11, ("b", 0, "c"): 12, ("b", 0, "c", "d"): 13,
        ("b", 1): 14, ("b", 1, "k", "l"): 15,
    }  # fmt: skip
